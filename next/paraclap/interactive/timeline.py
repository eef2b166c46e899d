"""Answers along a long recording, with a cursor that moves while it plays.

A recording is cut into windows (``scoring.windows``), each of which answers for its middle. Where a
recording is made of utterances whose class is known (:func:`join_utterances`), the truth of a
window is that of the stretch in which its middle lies. Tables on the segmented index. Chapter 13.
"""

from __future__ import annotations

import html
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bokeh.layouts import column
from bokeh.models import Button, CustomJS, Span
from bokeh.plotting import figure

from paraclap import audio, tables
from paraclap.figures import players, style
from paraclap.interactive.page import Page

PAUSE = 0.3  # seconds after an utterance
_PLAY = """
const sound = cursor.sound ??= new Audio(address);
const move = () => {
  const last = starts.filter((start) => start <= sound.currentTime).length - 1;
  plot.title.text = `${sound.currentTime.toFixed(1)} s: ${answers[Math.max(last, 0)]}`;
  cursor.location = sound.currentTime;
  button.label = sound.paused ? "Play" : "Pause";
  if (!sound.paused) requestAnimationFrame(move);
};
if (cb_obj.x !== undefined) sound.currentTime = Math.max(0, cb_obj.x);
else if (!sound.paused) { sound.pause(); return; }
if (window.paraclapSound !== sound) window.paraclapSound?.pause();
(window.paraclapSound = sound).play().then(move);
"""


def join_utterances(
    labels: pd.DataFrame, file: str | Path, stretch: float = 5.0, rounds: int = 1, seed: int = 0
) -> pd.DataFrame:
    """Write one recording of several utterances: about ``stretch`` seconds of a class in a row.

    Each class comes ``rounds`` times, as long as it has utterances. The file says whether the
    speech is synthetic.

    Returns:
        a row a stretch, without gaps: ``truth``
    """
    mixed = labels.sample(frac=1, random_state=seed).groupby("label")
    left = {str(name): list(rows.index) for name, rows in mixed}
    order = np.random.default_rng(seed).permuted([list(left)] * rounds, axis=1).ravel()
    silence = np.zeros(round(PAUSE * audio.SAMPLING_RATE), np.float32)
    signals, truth, ends = [], [], [0.0]
    for name in order:
        begin = ends[-1]
        while left[name] and ends[-1] - begin < stretch:
            signals += [audio.read(*left[name].pop()), silence]
            ends.append(sum(map(len, signals)) / audio.SAMPLING_RATE)
            truth.append(name)
    comment = audio.SYNTHETIC if audio.is_synthetic(list(labels.index.get_level_values(0))) else ""
    with tables.atomic(file) as temporary:
        temporary.write_bytes(audio.encode(np.concatenate(signals), comment=comment))
    is_last = [*(one != other for one, other in pairwise(truth)), True]
    stops = np.array(ends[1:])[is_last]
    index = tables.segments([file] * len(stops), [0.0, *stops[:-1]], stops)
    return pd.DataFrame({"truth": np.array(truth)[is_last]}, index)


def truth_of(windows: pd.DataFrame, stretches: pd.DataFrame) -> pd.Series:
    """Truth of each window of one recording: that of the stretch in which its middle lies."""
    place = np.searchsorted(_times(stretches, "end")[:-1], _middles(windows), side="right")
    return pd.Series(stretches["truth"].to_numpy()[place], windows.index, name="truth")


def _times(table: pd.DataFrame, level: str) -> np.ndarray:
    return np.asarray(pd.TimedeltaIndex(table.index.get_level_values(level)).total_seconds())


def _middles(windows: pd.DataFrame) -> np.ndarray:
    return np.asarray((_times(windows, "start") + _times(windows, "end")) / 2)


def timeline(windows: pd.DataFrame, stretches: pd.DataFrame | None = None) -> Page:
    """Draw the probability of each candidate over time; press it to listen from there.

    Args:
        windows: of one recording, in order: a probability per candidate and ``prediction``
        stretches: what is true, see :func:`join_utterances`; None if nobody knows
    """
    middles, answers = _middles(windows), windows["prediction"].astype("str")
    edges = np.array([0.0, *(middles[1:] + middles[:-1]) / 2, _times(windows, "end")[-1]])
    bands = {"answer": (edges[:-1], edges[1:], answers)}
    if stretches is not None:
        bands["truth"] = _times(stretches, "start"), _times(stretches, "end"), stretches["truth"]
    names = [str(name) for name in windows if name not in ("prediction", "truth")]
    every = [*names, *(stretches["truth"] if stretches is not None else [])]
    colours = style.colours(style.ordered(every))
    plot = figure(height=340, sizing_mode="stretch_width", tools="", toolbar_location=None)
    for name in names:
        plot.line(middles, windows[name], color=colours[name], line_width=2, legend_label=name)
    ticks = {1.08 + 0.1 * row: name for row, name in enumerate(bands)}
    for place, name in ticks.items():
        starts, ends, words = bands[name]
        fill = {"color": [colours[word] for word in words], "line_color": None}
        plot.quad(left=starts, right=ends, bottom=place - 0.04, top=place + 0.04, **fill)
    plot.yaxis.ticker, plot.yaxis.major_label_overrides = [0, 0.5, 1, *ticks], ticks
    plot.add_layout(plot.legend[0], "below")
    plot.legend.orientation, plot.xaxis.axis_label = "horizontal", "time in s"
    runs = [f"{html.escape(word)} ({len(list(group))})" for word, group in groupby(answers)]
    summary = f"<p>Answers in order, with the number of windows: {', '.join(runs)}.</p>"
    return Page(
        _with_sound(plot, windows, edges), f"Answers along {edges[-1]:.0f} seconds", summary
    )


def _with_sound(plot: Any, windows: pd.DataFrame, edges: np.ndarray) -> Any:
    """A cursor and a button that follow the sound."""
    cursor = Span(location=0, dimension="height", line_color=style.INK, line_width=2)
    button = Button(label="Play", width=100)
    plot.add_layout(cursor)
    plot.title.text = "Press the picture to listen from there"
    rows = zip(windows["prediction"], windows.to_dict("records"), strict=True)
    args: dict[str, Any] = {
        "answers": [f"{word} {row[word]:.2f}" for word, row in rows],
        "starts": [*edges[:-1]],
    }
    args |= {"address": players.data_uri(audio.read(windows.index[0][0]))}
    args |= {"cursor": cursor, "plot": plot, "button": button}
    play = CustomJS(args=args, code=_PLAY)
    plot.js_on_event("tap", play)
    button.js_on_click(play)
    return column(button, plot, sizing_mode="stretch_width")
