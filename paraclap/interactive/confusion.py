"""A confusion matrix that plays its clips.

A cell plays the utterances of which the model was surest, right answers or mistakes. Chapter 13.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, CustomJS, Div, TapTool
from bokeh.palettes import Blues256
from bokeh.plotting import figure
from bokeh.transform import linear_cmap

from paraclap import tables
from paraclap.evaluation import metrics
from paraclap.figures import players
from paraclap.interactive.page import Page

_PLAY = """
const {data, selected: {indices: [cell]}} = cb_data.source;
const clips = data.clips[cell] || [], turn = data.turn[cell]++ % clips.length;
window.paraclapSound?.pause();
if (clips.length) (window.paraclapSound = new Audio(clips[turn])).play();
const which = clips.length ? `clip ${turn + 1}: ${data.facts[cell][turn]}` : "no clip";
status.text = `${data.truth[cell]} answered ${data.prediction[cell]} (${data.n[cell]}), ${which}`;
"""


def surest(predictions: pd.DataFrame, each: int = 3) -> pd.DataFrame:
    """The ``each`` utterances of a cell of which the model is surest, with their ``place``.

    ``predictions`` are of one task: ``truth, prediction``, and a probability per class.
    """
    found, at = predictions[["truth", "prediction"]].astype("str"), predictions.at
    for side in ("truth", "prediction"):
        found[f"p_{side}"] = np.array([at[place] for place in found[side].items()], float)
    found = found.sort_values("p_prediction", ascending=False, kind="stable")
    found["place"] = found.groupby(["truth", "prediction"]).cumcount()
    return found[found["place"] < each].sort_values(["truth", "prediction", "place"])


def confusion(predictions: pd.DataFrame, classes: Sequence[str], each: int = 3) -> Page:
    """Draw the matrix of one task; a cell plays the first seconds of ``each`` utterances."""
    given = predictions["truth"], predictions["prediction"], list(classes)
    shares, shown = metrics.confusion(*given, normalize=True), surest(predictions, each)
    sure = zip(shown.index.get_level_values("file"), shown["p_prediction"], strict=True)
    shown["facts"] = [f"{tables.short_name(file)}, {p:.2f}" for file, p in sure]
    shown["clips"] = players.clips(shown.index)
    lists = shown.groupby(["truth", "prediction"])[["clips", "facts"]].agg(list)
    cells = pd.DataFrame({"n": metrics.confusion(*given).stack(), "share": shares.stack()})
    cells["text"] = cells["share"].map("{:.0%}".format)
    layout = _layout(cells.join(lists).reset_index().assign(turn=0), list(classes))
    words = shares.rename_axis(columns=None).to_html(float_format="{:.0%}".format)
    words = f"<p>Rows: truth, columns: answer.</p>{words}"
    return Page(layout, f"A confusion matrix of {len(classes)} classes", words)


def _layout(cells: pd.DataFrame, classes: list[str]) -> Any:
    size: dict[str, Any] = {"height": 110 + 45 * len(classes), "sizing_mode": "stretch_width"}
    plot = figure(x_range=classes, y_range=classes[::-1], tools="", toolbar_location=None, **size)
    shade = {"color": linear_cmap("share", Blues256[::-1], 0, 1), "line_color": "white"}
    ink = {"color": linear_cmap("share", ["black", "white"], 0.1, 1), "anchor": "center"}
    look = {"source": ColumnDataSource(cells.to_dict("list")), "nonselection_alpha": 1}
    squares = plot.rect("prediction", "truth", 1, 1, **look, **shade)
    plot.text("prediction", "truth", "text", **look, **ink)
    plot.xaxis.axis_label, plot.yaxis.axis_label = "answer", "truth"
    plot.xaxis.major_label_orientation, plot.grid.visible = 0.8, False
    words = "Press a cell to hear what lies in it; press again for the next clip."
    status = Div(text=words, render_as_text=True)
    play = CustomJS(args={"status": status}, code=_PLAY)
    plot.add_tools(TapTool(mode="replace", renderers=[squares], callback=play))
    return column(plot, status, sizing_mode="stretch_width")
