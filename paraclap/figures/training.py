"""Curves of training. Chapters 4 and 6."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from paraclap.figures import style


def curves(tables: Mapping[str, pd.DataFrame], batch: int, classes: int = 0) -> style.Picture:
    """Loss of every step (thin) and its running mean, and UAR on the dev split.

    ``tables`` (name → ``curves.csv``) have ``step, loss``, and ``dev_uar`` where an epoch ends. The
    loss of guessing is ln ``batch``, the UAR of guessing 1 / ``classes``; 0 draws none.
    """
    fig, (left, right) = style.figure(1, 2, 3.4)
    for (name, table), colour in zip(tables.items(), style.PALETTE * len(tables), strict=False):
        if len(tables) == 1:
            left.plot(table["step"], table["loss"], color=colour, alpha=0.3, linewidth=0.8)
        mean = table["loss"].rolling(max(1, len(table) // 15), min_periods=1, center=True).mean()
        left.plot(table["step"], mean, color=colour, label=name)
        ends = table.dropna(subset="dev_uar")
        right.plot(ends["step"], ends["dev_uar"], "o-", color=colour, markersize=4)
        best = ends.nlargest(1, "dev_uar")
        right.plot(best["step"], best["dev_uar"], "*", color=colour, markersize=13)
    style.chance(left, float(np.log(batch)), f"chance, ln {batch}")
    if classes:
        style.chance(right, 1 / classes)
    left.set(xlabel="step", ylabel="loss (nats)")
    right.set(xlabel="step", ylabel="UAR of dev (star: kept)", ylim=(0, 1))
    fig.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return fig
