"""Figures of training: curves, and similarities before and after.

Curves are the table ``curves.csv``: one row a step, with ``dev_uar`` where an epoch ends.
Similarities are cosines, ``(rows, columns)``. Chapters 4, 6 and 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns

from paraclap.figures import style

Matrix = npt.NDArray[np.floating[Any]]


def curves(tables: Mapping[str, pd.DataFrame], batch: int, classes: int = 0) -> style.Picture:
    """Loss of every step (thin) and its running mean, and UAR on the dev split.

    Args:
        tables: name → curves, with ``step, loss, dev_uar``
        batch: pairs in a batch; the loss of guessing is the natural logarithm of it
        classes: of the dev split, for the chance of the UAR; 0 draws none
    """
    fig, (left, right) = style.figure(1, 2, 3.4)
    for (name, table), colour in zip(tables.items(), style.PALETTE * len(tables), strict=False):
        style.check(table, ["step", "loss", "dev_uar"])
        if len(tables) == 1:
            left.plot(table["step"], table["loss"], color=colour, alpha=0.3, linewidth=0.8)
        mean = table["loss"].rolling(max(1, len(table) // 15), min_periods=1, center=True).mean()
        left.plot(table["step"], mean, color=colour, label=name)
        ends = table.dropna(subset="dev_uar")
        right.plot(ends["step"], ends["dev_uar"], "o-", color=colour, markersize=4)
        if len(ends):
            best = ends.iloc[int(ends["dev_uar"].argmax())]
            right.plot(best["step"], best["dev_uar"], "*", color=colour, markersize=13)
    style.chance(left, float(np.log(batch)), f"chance, ln {batch}")
    if classes:
        style.chance(right, 1 / classes)
    left.set(xlabel="step", ylabel="loss (nats)")
    right.set(xlabel="step", ylabel="UAR of dev (star: kept)", ylim=(0, 1))
    fig.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return fig


def similarities(
    matrices: Mapping[str, Matrix], rows: Sequence[str], columns: Sequence[str]
) -> style.Picture:
    """Cosines as pictures side by side; equal names of neighbouring rows are written once.

    Args:
        matrices: title → similarities, all ``(rows, columns)``
        rows: names of the rows
        columns: names of the columns

    Raises:
        ValueError: if a shape differs
    """
    shape = len(rows), len(columns)
    if bad := {t: matrix.shape for t, matrix in matrices.items() if matrix.shape != shape}:
        raise ValueError(f"Bad shapes of similarities {bad}, expected {shape}.")
    fig, axes = style.figure(1, len(matrices), 4.6, squeeze=False, sharey=True)
    blocks = [(name, len(list(block))) for name, block in groupby(rows)]
    ends = np.cumsum([size for _, size in blocks])
    middles = ends - np.array([size for _, size in blocks]) / 2 - 0.5
    for ax, (title, matrix) in zip(axes[0], matrices.items(), strict=True):
        colours = sns.color_palette("vlag", as_cmap=True)
        image = ax.imshow(matrix, cmap=colours, vmin=-1, vmax=1, aspect="auto")
        if len(blocks) < len(rows):
            ax.hlines(ends[:-1] - 0.5, -0.5, len(columns) - 0.5, color="white", linewidth=1)
        ax.grid(visible=False)
        ax.set_xticks(range(len(columns)), columns, rotation=90, fontsize=8)
        ax.set_title(title)
    axes[0, 0].set_yticks(middles, [name for name, _ in blocks], fontsize=8)
    fig.colorbar(image, ax=axes[0, -1], shrink=0.6, label="cosine")
    return fig
