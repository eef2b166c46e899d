"""Curves of training, and similarities before and after. Chapters 4 and 6."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

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


def similarities(
    matrices: Mapping[str, np.ndarray[Any, Any]], rows: Sequence[str], columns: Sequence[str]
) -> style.Picture:
    """Cosines ``(rows, columns)`` by title, side by side; neighbouring rows share equal names."""
    fig, axes = style.figure(1, len(matrices), 4.6, squeeze=False, sharey=True)
    names, sizes = zip(*((name, len(list(block))) for name, block in groupby(rows)), strict=True)
    ends = np.cumsum(sizes)
    for ax, (title, matrix) in zip(axes[0], matrices.items(), strict=True):
        image = ax.imshow(matrix, cmap="vlag", vmin=-1, vmax=1, aspect="auto")  # of seaborn
        ax.hlines(ends[:-1] - 0.5, -0.5, len(columns) - 0.5, color="white", linewidth=1)
        ax.grid(visible=False)
        ax.set_xticks(range(len(columns)), columns, rotation=90, fontsize=8)
        ax.set_title(title)
    axes[0, 0].set_yticks(ends - np.array(sizes) / 2 - 0.5, names, fontsize=8)
    fig.colorbar(image, ax=axes[0, -1], shrink=0.6, label="cosine")
    return fig
