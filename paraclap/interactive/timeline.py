"""Answers along a long recording, with a cursor that moves while it plays.

Each window of a recording (``scoring.windows``) answers for its middle. Chapters 8 and 13.
"""

import html
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
from bokeh.layouts import column
from bokeh.models import Button, CustomJS, Div, Span
from bokeh.plotting import figure

from paraclap import audio, tables
from paraclap.figures import players, style
from paraclap.interactive.page import Page, legend

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
    labels: pd.DataFrame, file: tables.Name, stretch: float = 5.0, seed: int = 0
) -> pd.DataFrame:
    """Write one recording of several utterances: about ``stretch`` seconds of each class in a row.

    The file says whether the speech is synthetic. Returns a row a stretch: ``truth``.
    """
    silence = np.zeros(audio.SAMPLING_RATE // 3, np.float32)  # after each
    signals, truth, ends = [], [], [0.0]
    mixed = labels.sample(frac=1, random_state=seed)  # which also orders the classes
    for name, rows in mixed.groupby("label", sort=False):
        for segment in rows.index:
            signals += [audio.read(*segment), silence]
            end = sum(map(len, signals)) / audio.SAMPLING_RATE
            if end - ends[-1] >= stretch:
                break
        truth.append(name)
        ends.append(end)
    comment = audio.SYNTHETIC if audio.is_synthetic(list(labels.index.get_level_values(0))) else ""
    with tables.atomic(file) as temporary:
        temporary.write_bytes(audio.encode(np.concatenate(signals), comment=comment))
    index = tables.segments([file] * len(truth), ends[:-1], ends[1:])
    return pd.DataFrame({"truth": truth}, index)


def truth_of(windows: pd.DataFrame, stretches: pd.DataFrame) -> pd.Series:
    """Truth of each window of one recording: that of the stretch in which its middle lies."""
    place = np.searchsorted(_times(stretches)[1][:-1], np.mean(_times(windows), 0), side="right")
    return pd.Series(stretches["truth"].to_numpy()[place], windows.index, name="truth")


def _times(table: pd.DataFrame) -> list[np.ndarray]:
    """Starts and ends in seconds."""
    levels = map(table.index.get_level_values, ("start", "end"))
    return [level.to_numpy() / np.timedelta64(1, "s") for level in levels]


def timeline(windows: pd.DataFrame, stretches: pd.DataFrame | None = None) -> Page:
    """Draw the probability of each candidate over time; press it to listen from there.

    ``windows`` are answers about one recording, in order; ``stretches`` are those of
    :func:`join_utterances`, None if nobody knows the truth.
    """
    middles, answers = np.mean(_times(windows), 0), windows["prediction"].astype("str")
    edges = [0.0, *(middles[1:] + middles[:-1]) / 2, _times(windows)[1][-1]]
    bands: dict[str, Any] = {"answer": (edges[:-1], edges[1:], answers)}
    if stretches is not None:
        bands["truth"] = *_times(stretches), stretches["truth"]
    names = windows.columns.drop("prediction")
    colours = style.colours(style.ordered([*names, *list(bands.values())[-1][-1]]))
    look: dict[str, Any] = {"tools": "", "toolbar_location": None, "sizing_mode": "stretch_width"}
    plot = figure(height=340, title="Press to listen from there", **look)
    for name in names:
        plot.line(middles, windows[name], color=colours[name], line_width=2)
    ticks = {1.08 + 0.1 * row: name for row, name in enumerate(bands)}
    for place, (left, right, words) in zip(ticks, bands.values(), strict=True):
        look = {"color": [*words.map(colours)], "line_color": None, "height": 0.08}
        plot.hbar(y=[place] * len(words), left=left, right=right, **look)
    plot.yaxis.ticker, plot.yaxis.major_label_overrides = [0, 0.5, 1, *ticks], ticks
    plot.xaxis.axis_label = "time in s"
    signs = Div(text=legend(("━", colours[name], name) for name in names))
    layout = column(*_with_sound(plot, windows, edges), signs, sizing_mode="stretch_width")
    runs = [f"{html.escape(word)} ({len(list(group))})" for word, group in groupby(answers)]
    summary = f"<p>Answers in order, with the number of windows: {', '.join(runs)}.</p>"
    return Page(layout, f"Answers along {edges[-1]:.0f} seconds", summary)


def _with_sound(plot: Any, windows: pd.DataFrame, edges: list[float]) -> tuple[Any, Any]:
    """A button and the plot, with a cursor that follows the sound."""
    cursor = Span(location=0, dimension="height", line_color=style.INK, line_width=2)
    button = Button(label="Play", width=100)
    plot.add_layout(cursor)
    sound = {"address": players.data_uri(audio.read(windows.index[0][0])), "starts": edges[:-1]}
    models = {"cursor": cursor, "plot": plot, "button": button}
    play = CustomJS(args=sound | models | {"answers": [*windows["prediction"]]}, code=_PLAY)
    plot.js_on_event("tap", play)
    button.js_on_click(play)
    return button, plot
