"""Confusion matrices, and a table with the best marked. Chapters 5 and 6."""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd
import seaborn as sns
from pandas.io.formats.style import Styler

from paraclap.evaluation import metrics
from paraclap.figures import style


def confusions(
    predictions: Mapping[str, pd.DataFrame], classes: Mapping[str, Collection[str]]
) -> style.Picture:
    """Shares of the true class, two matrices a line: ``truth, prediction`` and classes by title."""
    lines = -(-len(predictions) // 2)
    fig, axes = style.figure(lines, min(2, len(predictions)), 0.4 + 3.3 * lines, squeeze=False)
    look = {"cmap": "Blues", "vmin": 0, "vmax": 1, "cbar": False, "annot": True, "fmt": ".2f"}
    for ax, (title, table) in zip(axes.flat, predictions.items(), strict=False):
        order = style.ordered(classes[title])
        shares = metrics.confusion(table["truth"], table["prediction"], order, normalize=True)
        sns.heatmap(shares, annot_kws={"size": 9 if len(order) < 6 else 7}, ax=ax, **look)
        ax.set_title(title)
        ax.set_xticks(ax.get_xticks(), order, rotation=30, ha="right", rotation_mode="anchor")
        ax.tick_params(axis="y", rotation=0)
    for ax in axes.flat[len(predictions) :]:
        ax.set_axis_off()
    return fig


def ranked(wide: pd.DataFrame, beside: Sequence[str] = ("task", "chance")) -> Styler:
    """Table of scores, a row a task, best bold, second underlined; ``beside`` are no systems."""
    scored = [column for column in wide if column not in beside]
    looks = {1: "font-weight: bold", 2: "text-decoration: underline"}
    places = wide[scored].round(3).rank(axis=1, method="dense", ascending=False)
    marks = places.apply(lambda column: column.map(looks)).fillna("")
    return style.text_table(wide).apply(lambda _: marks, axis=None, subset=scored)
