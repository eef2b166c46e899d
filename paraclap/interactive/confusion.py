"""A confusion matrix that plays its clips.

Rows are the true classes, columns the answers; a row adds up to one. A cell plays the utterances of
which the model was surest: on the diagonal right answers, elsewhere mistakes. Chapter 13.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from itertools import product
from typing import Any

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


def surest(predictions: pd.DataFrame, each: int = 3) -> pd.DataFrame:
    """The ``each`` utterances of a cell of which the model is surest, with their ``place``.

    ``predictions`` are of one task: ``truth, prediction``, and a probability per class.
    """
    found = predictions[["truth", "prediction"]].astype("str")
    for side in ("truth", "prediction"):
        found[f"p_{side}"] = list(map(predictions.at.__getitem__, found[side].items()))
    found = found.sort_values("p_prediction", ascending=False, kind="stable")
    found["place"] = found.groupby(["truth", "prediction"]).cumcount()
    return found[found["place"] < each].sort_values(["truth", "prediction", "place"])


def confusion(
    predictions: pd.DataFrame, classes: Sequence[str], each: int = 3, seconds: float = 2.0
) -> Page:
    """Draw the matrix of one task, with ``each`` clips of so many seconds in a cell."""
    given = predictions["truth"], predictions["prediction"], list(classes)
    counts, shares = metrics.confusion(*given), metrics.confusion(*given, normalize=True)
    cells, shown = [], surest(predictions, each)
    pairs = zip(product(classes, classes), counts.to_numpy().flat, strict=True)
    for (truth, answer), count in pairs:
        inside = shown[(shown["truth"] == truth) & (shown["prediction"] == answer)]
        files = map(tables.short_name, inside.index.get_level_values("file"))
        facts = [f"{file}, {p:.2f}" for file, p in zip(files, inside["p_prediction"], strict=True)]
        name = html.escape(f"{truth} answered {answer} ({count} utterances)")
        cell = {"name": name, "facts": list(map(html.escape, facts))}
        cells.append(cell | {"clips": players.clips(inside.index, seconds)})
    words = shares.rename_axis(columns=None).to_html(float_format="{:.0%}".format)
    title = f"A confusion matrix of {len(classes)} classes"
    return Page(_layout(shares, cells), title, f"<p>Rows: truth, columns: answer.</p>{words}")


def _layout(shares: pd.DataFrame, cells: list[dict[str, Any]]) -> Any:
    classes, flat = [str(name) for name in shares], shares.to_numpy().ravel()
    shades = sns.color_palette("Blues", 21).as_hex()
    data = {"x": classes * len(classes), "y": [truth for truth in classes for _ in classes]}
    data |= {"colour": [shades[round(20 * share)] for share in flat]}
    data |= {"ink": ["white" if share > 0.55 else "black" for share in flat]}
    data |= {"share": [f"{share:.0%}" for share in flat]}
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
