"""What does a model hear from moment to moment? A picture of its answers that plays the recording.

From top to bottom: what is true, what is answered, the probability of each candidate, and how loud
and how high the voice is. One player sounds; a line moves along with it, and wherever the picture
is pressed the player goes. A table folded below says the same in words.

Conventions: time runs from left to right, seconds from the start of the recording; a window
answers for its middle, and lasts in the picture until half-way to the next one. Pictures are SVG
that stretches with the page, 1000 wide and 100 high, whatever they show; words lie above it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from paraclap import audio
from paraclap.contours import pitch_hertz
from paraclap.looking import clips, fragment, over_time
from paraclap.looking.inks import ink

LONGEST = 240.0  # seconds of a recording that go into a page: 1 MB of sound
DASHES = ("none", "7 3", "2 2", "9 3 2 3", "4 4", "12 4", "6 2 2 2 2 2", "1 4", "3 6", "14 3 5 3")
_POINTS = 500  # across a picture of the signal
_PIXELS = 14  # least width of a second
_NARROW = 1.2  # seconds of a block that is too narrow for a word
_TICKS = (1, 2, 5, 10, 20, 30, 60, 120)


def timeline(
    windows: pd.DataFrame,
    signal: audio.Signal,
    colours: Mapping[str, str],
    caption: str = "",
    stretches: pd.DataFrame | None = None,
    longest: float = LONGEST,
) -> fragment.Fragment:
    """Put the answers along a recording, its sound and a table into one piece of a page.

    Args:
        windows: of one recording, as `over_time.answers` or `over_time.with_truth` give them
        signal: the recording, 16 kHz, shape `(samples,)`
        colours: hex value of each candidate, in their order
        caption: below it; empty where a notebook gives one
        stretches: what is true: `truth`; None if nobody knows
        longest: seconds; what comes later is left out

    Raises:
        ValueError: if there is no window within this time, or a candidate has no column
    """
    labels = list(colours)
    if absent := [label for label in labels if label not in windows]:
        raise ValueError(f"No column {absent[:5]} in the windows, they have {list(windows)[:20]}.")
    signal = signal[: round(longest * audio.SAMPLING_RATE)]
    seconds = len(signal) / audio.SAMPLING_RATE
    windows = windows[over_time.middles(windows) <= seconds]
    if windows.empty:
        raise ValueError(f"No window in the first {seconds:.2f} s, expected one or more.")
    moments = over_time.middles(windows)
    truths = [] if stretches is None else _blocks(_spans(stretches), seconds, colours)
    pitch, hertz = _pitch(signal, seconds)
    return fragment.render(
        "timeline.html.jinja",
        f"answers of {len(windows)} windows over {seconds:.0f} seconds",
        _data(windows, moments, labels, truths, seconds),
        ["voices.css", "timeline.css"],
        ["voices.js", "timeline.js"],
        truths=truths,
        told=_blocks(_answers(windows, moments, seconds), seconds, colours),
        lines=_lines(windows, moments, colours, seconds),
        chance=round(100 - 100 / len(labels), 1),
        loud=_loudness(signal),
        pitch=pitch,
        hertz=hertz,
        ticks=_ticks(seconds),
        rows=over_time.stays(windows).to_dict("records"),
        sound=clips.address(signal),
        width=round(seconds * _PIXELS),
        seconds=round(seconds, 1),
        caption=caption,
    )


Span = tuple[float, float, str]


def _spans(stretches: pd.DataFrame) -> list[Span]:
    """Start, end and truth of each stretch."""
    starts = over_time.times(stretches, "start")
    return list(zip(starts, over_time.times(stretches, "end"), stretches["truth"], strict=True))


def _answers(windows: pd.DataFrame, moments: np.ndarray, seconds: float) -> list[Span]:
    """From when to when each answer lasts; consecutive ones alike are put together."""
    between = (moments[1:] + moments[:-1]) / 2
    edges = [0.0, *between.tolist(), seconds]
    said = windows["prediction"].to_numpy()
    first = [i for i in range(len(said)) if i == 0 or said[i] != said[i - 1]]
    last = [*first[1:], len(said)]
    pairs = zip(first, last, strict=True)
    return [(edges[start], edges[end], str(said[start])) for start, end in pairs]


def _blocks(
    spans: Sequence[Span], seconds: float, colours: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Spans as parts of the width, in per cent, with their colours."""
    found = []
    for start, end, word in spans:
        if start >= seconds:
            break
        ground = colours.get(word, "#767676")
        place = {"left": _part(start, seconds), "width": _part(min(end, seconds) - start, seconds)}
        look = {"ground": ground, "ink": ink(ground)}
        said = f"{word}, {start:.1f} to {min(end, seconds):.1f} s"
        shown = word if end - start >= _NARROW else ""
        told = {"word": word, "shown": shown, "said": said, "start": round(start, 3)}
        found.append({**told, **place, **look})
    return found


def _part(time: float, seconds: float) -> float:
    return round(100 * time / seconds, 3)


def _lines(
    windows: pd.DataFrame, moments: np.ndarray, colours: Mapping[str, str], seconds: float
) -> list[dict[str, str]]:
    """The line of each candidate, drawn out to both ends."""
    times = np.concatenate([[0.0], moments, [seconds]]) / seconds * 1000
    found = []
    for number, (label, colour) in enumerate(colours.items()):
        values = 100 - 100 * windows[label].to_numpy(float)
        heights = np.concatenate([values[:1], values, values[-1:]])
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(times, heights, strict=True))
        dash = DASHES[number % len(DASHES)]
        found.append({"label": label, "colour": colour, "points": points, "dash": dash})
    return found


def _loudness(signal: audio.Signal) -> str:
    """The outline of a signal, as a closed path: its loudest sample in each part of the time."""
    parts = np.array_split(np.abs(signal), min(_POINTS, len(signal)))
    peaks = np.array([part.max() for part in parts])
    peaks = 48 * peaks / max(float(peaks.max()), 1e-9)
    times = np.linspace(0, 1000, len(peaks))
    upper = [f"{x:.0f},{50 - y:.1f}" for x, y in zip(times, peaks, strict=True)]
    lower = [f"{x:.0f},{50 + y:.1f}" for x, y in zip(times, peaks, strict=True)][::-1]
    return f"M{'L'.join(upper + lower)}Z"


def _pitch(signal: audio.Signal, seconds: float) -> tuple[str, tuple[int, int] | None]:
    """The pitch as a path with gaps, on a scale of semitones, and the ends of the scale in Hz."""
    hertz = pitch_hertz(signal)
    sounding = hertz[np.isfinite(hertz)]
    if not len(sounding):
        return "", None
    low, high = (float(value) for value in np.percentile(sounding, [3, 97]))
    low, high = low / 1.1, high * 1.1
    heights = 100 - 100 * np.log(np.clip(hertz, low, high) / low) / np.log(high / low)
    times = (np.arange(len(hertz)) * 0.01 + 0.03) / seconds * 1000
    step = max(1, len(hertz) // (4 * _POINTS))
    path, pen = [], "M"
    for x, y in zip(times[::step], heights[::step], strict=True):
        if np.isfinite(y):
            path.append(f"{pen}{x:.1f},{y:.0f}")
        pen = "L" if np.isfinite(y) else "M"
    return "".join(path), (round(low), round(high))


def _ticks(seconds: float) -> list[dict[str, Any]]:
    step = next((one for one in _TICKS if seconds / one <= 12), _TICKS[-1])
    times = range(0, int(seconds) + 1, step)
    return [{"left": _part(time, seconds), "word": str(time)} for time in times]


def _data(
    windows: pd.DataFrame,
    moments: np.ndarray,
    labels: Sequence[str],
    truths: Sequence[Mapping[str, Any]],
    seconds: float,
) -> dict[str, Any]:
    """What the script knows of the picture."""
    halves = (over_time.times(windows, "end") - over_time.times(windows, "start")) / 2
    return {
        "seconds": round(seconds, 3),
        "labels": list(labels),
        "moments": np.round(moments, 3).tolist(),
        "halves": np.round(halves, 3).tolist(),
        "shares": np.round(windows[list(labels)].to_numpy(float), 3).tolist(),
        "truths": [[one["start"], one["word"]] for one in truths],
    }
