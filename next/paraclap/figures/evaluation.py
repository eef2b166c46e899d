"""Figures of answers: confusions, and a table with the best marked.

Tables are those of :mod:`paraclap.evaluation`; UAR, recall and probabilities lie in 0 to 1. Scores
with intervals are drawn by :func:`paraclap.figures.intervals.intervals`. Chapters 5 and 6.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from pandas.io.formats.style import Styler

from paraclap.evaluation import metrics
from paraclap.figures import style


def confusions(
    predictions: Mapping[str, pd.DataFrame], classes: Mapping[str, Collection[str]]
) -> style.Picture:
    """Confusion matrices in shares of the true class, two beside each other.

    Args:
        predictions: title → ``truth, prediction``
        classes: title → its classes
    """
    lines = -(-len(predictions) // 2)
    fig, axes = style.figure(lines, min(2, len(predictions)), 0.4 + 3.3 * lines, squeeze=False)
    for ax, (title, table) in zip(axes.flat, predictions.items(), strict=False):
        _confusion(ax, table, style.ordered(classes[title]), title)
    for ax in axes.flat[len(predictions) :]:
        ax.set_axis_off()
    return fig


def _confusion(ax: Axes, table: pd.DataFrame, order: Sequence[str], title: str) -> None:
    style.check(table, ["truth", "prediction"])
    shares = metrics.confusion(table["truth"], table["prediction"], order, normalize=True)
    size = 9 if len(order) < 6 else 7
    look: dict[str, Any] = {"cmap": "Blues", "vmin": 0, "vmax": 1, "cbar": False, "annot": True}
    sns.heatmap(shares, fmt=".2f", annot_kws={"size": size}, ax=ax, **look)
    ax.set_title(title)
    ax.tick_params(axis="x", rotation=45 if len(order) > 2 else 0)
    ax.tick_params(axis="y", rotation=0)


def ranked(wide: pd.DataFrame, beside: Sequence[str] = ("task", "chance")) -> Styler:
    """Table of scores with the best of each row bold and the second underlined.

    Args:
        wide: one row a task, a column a system
        beside: columns that are no scores
    """
    scored = [column for column in wide if column not in beside]
    return style.text_table(wide).apply(_marks, axis=1, subset=scored)


def _marks(row: pd.Series) -> list[str]:
    values = sorted({round(value, 3) for value in row.dropna()}, reverse=True)
    looks = dict(zip(values[:2], ("font-weight: bold", "text-decoration: underline"), strict=False))
    return [looks.get(round(value, 3), "") if pd.notna(value) else "" for value in row]
