"""A confusion matrix that plays its clips.

Rows are the true classes, columns the answers; a row adds up to one, so the diagonal holds the
recalls. A cell plays the utterances of which the model was surest: on the diagonal its clearest
right answers, elsewhere its surest mistakes. Chapter 13.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from bokeh.layouts import column
from bokeh.models import CustomJS, Div
from bokeh.plotting import figure

from paraclap import tables
from paraclap.evaluation import metrics
from paraclap.figures import players
from paraclap.interactive.page import Page

_PLAY = """
const row = size - 1 - Math.floor(cb_obj.y), place = Math.floor(cb_obj.x);
if (row < 0 || row >= size || place < 0 || place >= size) return;
const cell = cells[row * size + place];
window.paraclapSound?.pause();
if (!cell.clips.length) { status.text = `${cell.name}: no clip`; return; }
cell.turn = ((cell.turn ?? -1) + 1) % cell.clips.length;
(window.paraclapSound = new Audio(cell.clips[cell.turn])).play();
status.text = `${cell.name}, ${cell.turn + 1} of ${cell.clips.length}: ${cell.facts[cell.turn]}`;
"""


def surest(predictions: pd.DataFrame, each: int = 3, most: int = 100) -> pd.DataFrame:
    """Utterances of each cell of which the model is surest.

    Args:
        predictions: of one task: ``truth, prediction``, and a probability per class
        each: utterances of a cell
        most: of all cells; where there are more, every cell loses its last ones first

    Returns:
        ``truth, prediction, p_truth, p_prediction``, and ``place`` in the cell, from 0
    """
    found = predictions[["truth", "prediction"]].astype("str")
    for side in ("truth", "prediction"):
        words = zip(found.index, found[side], strict=True)
        found[f"p_{side}"] = np.array([predictions.at[row, word] for row, word in words], float)
    found = found.sort_values("p_prediction", ascending=False, kind="stable")
    found["place"] = found.groupby(["truth", "prediction"]).cumcount()
    kept = found[found["place"] < each].sort_values("place", kind="stable").head(most)
    return kept.sort_values(["truth", "prediction", "place"], kind="stable")


def confusion(
    predictions: pd.DataFrame, classes: Sequence[str], each: int = 3, seconds: float = 2.0
) -> Page:
    """Draw the matrix.

    Args:
        predictions: of one task, as for :func:`surest`
        classes: of the task, in the order of rows and columns
        each: clips of a cell
        seconds: of a clip
    """
    given = predictions["truth"], predictions["prediction"], list(classes)
    counts, shares = metrics.confusion(*given), metrics.confusion(*given, normalize=True)
    shown = surest(predictions, each)
    cells, pairs = [], product(classes, classes)
    for (truth, answer), count in zip(pairs, counts.to_numpy().flat, strict=True):
        inside = shown[(shown["truth"] == truth) & (shown["prediction"] == answer)]
        name = f"{truth} answered {answer} ({count} utterances)"
        rows = zip(inside.index, inside.to_dict("records"), strict=True)
        cell = {"name": html.escape(name), "facts": [html.escape(_facts(*row)) for row in rows]}
        cells.append(cell | {"clips": players.clips(inside.index, seconds)})
    words = shares.rename_axis(columns=None).to_html(float_format="{:.0%}".format)
    title = f"A confusion matrix of {len(classes)} classes"
    return Page(_layout(shares, cells), title, f"<p>Rows: truth, columns: answer.</p>{words}")


def _facts(segment: Any, row: Mapping[Any, Any]) -> str:
    sure = {row["truth"]: row["p_truth"], row["prediction"]: row["p_prediction"]}
    words = ", ".join(f"{word} {probability:.2f}" for word, probability in sure.items())
    return f"{tables.short_name(segment[0])}, {words}"


def _layout(shares: pd.DataFrame, cells: list[dict[str, Any]]) -> Any:
    classes = [str(name) for name in shares]
    flat = shares.to_numpy().ravel()
    shades = sns.color_palette("Blues", 21).as_hex()
    data = {
        "x": classes * len(classes),
        "y": [truth for truth in classes for _ in classes],
        "colour": [shades[round(20 * share)] for share in flat],
        "ink": ["white" if share > 0.55 else "black" for share in flat],
        "share": [f"{share:.0%}" for share in flat],
    }
    size: dict[str, Any] = {"height": 110 + 45 * len(classes), "sizing_mode": "stretch_width"}
    plot = figure(x_range=classes, y_range=classes[::-1], tools="", toolbar_location=None, **size)
    plot.rect("x", "y", 1, 1, source=data, color="colour", line_color="white")
    plot.text("x", "y", "share", source=data, color="ink", anchor="center")
    plot.xaxis.axis_label, plot.yaxis.axis_label = "answer", "truth"
    plot.xaxis.major_label_orientation, plot.grid.visible = 0.8, False
    status = Div(text="Press a cell to hear what lies in it; press again for the next clip.")
    args = {"cells": cells, "size": len(classes), "status": status}
    plot.js_on_event("tap", CustomJS(args=args, code=_PLAY))
    return column(plot, status, sizing_mode="stretch_width")
