"""What does a model answer along a long recording, and how long does it have to listen?

A recording is cut into windows, each is asked the same question, and a window answers for its
middle: its truth is that of the stretch in which its middle lies. A window is *whole* if it lies
in one stretch; the others hear two classes at once and cannot be right about both.

Conventions: tables on the audformat index (file, start, end), a row a window, as in
:mod:`paraclap.listing`; one probability column per candidate; recall and UAR in 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap import audio, listing, tables
from paraclap.inference import Listener, listen
from paraclap.zeroshot import Question

WINDOWS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)  # seconds
EVERY, WHOLE = "all windows", "windows in one stretch"


def answers(
    listener: Listener,
    question: Question,
    files: Sequence[str | Path] | pd.MultiIndex,
    window: float,
    hop: float | None = None,
) -> pd.DataFrame:
    """Ask about every window of some recordings.

    Args:
        listener: the audio side of a model
        question: candidates
        files: recordings, or an audformat index
        window: seconds
        hop: seconds from window to window; None is half a window

    Returns:
        a row a window: a probability per candidate, and `prediction`; the same values as
        :func:`paraclap.scoring.score` writes

    Raises:
        AudioError: if a recording cannot be heard
        ValueError: if window or hop are no good lengths
    """
    whole = files if isinstance(files, pd.MultiIndex) else tables.segments(files)
    hop = listing.check_windows(window, hop)
    index = tables.segments(*zip(*listing.windows(whole, window, hop), strict=True))
    found, reasons = listen(index, listener)
    if failed := [reason for reason in reasons if reason]:
        raise audio.AudioError(
            f"{len(failed)} of {len(index)} windows cannot be heard: {failed[0]}"
        )
    return question.answer(found).set_axis(index, axis=0)


def file_of(recording: str | Path) -> Path:
    """Absolute path of a recording.

    Args:
        recording: its path, relative to the project unless absolute

    Raises:
        AudioError: if it cannot be heard
    """
    file = tables.project_folder() / recording
    try:
        audio.duration(file)
    except audio.AudioError as error:
        raise audio.AudioError(
            f"Bad recording {str(recording)!r}, expected the path of an audio file, relative to "
            f"the project or absolute: {error}"
        ) from error
    return file


def along(
    listener: Listener,
    question: Question,
    file: str | Path,
    window: float,
    hop: float | None = None,
    stretches: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Ask about every window of one recording, and say what is true of it if that is known.

    Args:
        listener: the audio side of a model
        question: candidates
        file: the recording
        window: seconds
        hop: seconds from window to window; None is half a window
        stretches: what is true: `truth`; None if nobody knows

    Returns:
        as `answers`, or as `with_truth`

    Raises:
        AudioError: if the recording cannot be heard
        ValueError: if window or hop are no good lengths, or stretches do not fill the recording
    """
    windows = answers(listener, question, [file], window, hop)
    return windows if stretches is None else with_truth(windows, stretches)


def middles(windows: pd.DataFrame | pd.MultiIndex) -> np.ndarray:
    """The moment that each window answers for, in seconds, shape `(windows,)`."""
    starts, ends = (times(windows, level) for level in ("start", "end"))
    return np.asarray((starts + ends) / 2)


def times(table: pd.DataFrame | pd.MultiIndex, level: str) -> np.ndarray:
    """Starts or ends of segments in seconds, shape `(segments,)`."""
    index = table if isinstance(table, pd.MultiIndex) else table.index
    moments = pd.TimedeltaIndex(index.get_level_values(level))
    return np.asarray(moments.total_seconds(), dtype=float)


def with_truth(windows: pd.DataFrame, stretches: pd.DataFrame) -> pd.DataFrame:
    """Say what is true of each window.

    Args:
        windows: as `answers` gives them
        stretches: of the same recordings, without gaps: `truth`

    Returns:
        the same rows with `truth`, and `whole`: whether the window lies in one stretch

    Raises:
        ValueError: if a window lies in no stretch
    """
    files = windows.index.get_level_values("file")
    parts = [_truth(windows[files == file], stretches, str(file)) for file in files.unique()]
    return pd.concat(parts)


def _truth(windows: pd.DataFrame, stretches: pd.DataFrame, file: str) -> pd.DataFrame:
    own = stretches[stretches.index.get_level_values("file") == file]
    ends = times(own, "end")
    if not len(own) or middles(windows)[-1] > ends[-1]:
        raise ValueError(
            f"No stretch at the end of {Path(file).name!r}, expected stretches that fill it."
        )
    place = np.searchsorted(ends, middles(windows), side="right").clip(max=len(own) - 1)
    first, last = times(own, "start")[place], ends[place]
    slack = 1e-6  # seconds: times are rounded to nanoseconds
    starts, stops = times(windows, "start"), times(windows, "end")
    whole = (starts >= first - slack) & (stops <= last + slack)
    return windows.assign(truth=own["truth"].to_numpy()[place], whole=whole)


def recalls(windows: pd.DataFrame) -> pd.DataFrame:
    """How often windows are right: `which, n, right, uar`, for all of them and for whole ones.

    UAR is the mean over the classes of the recordings; missing if one has no such window.

    Args:
        windows: as `with_truth` gives them
    """
    classes = windows["truth"].nunique()
    rows = []
    for which, own in ((EVERY, windows), (WHOLE, windows[windows["whole"]])):
        right = own["truth"] == own["prediction"]
        each = right.groupby(own["truth"]).mean()
        uar = float(each.mean()) if len(each) == classes else np.nan
        share = float(right.mean()) if len(own) else np.nan
        rows.append({"which": which, "n": len(own), "right": share, "uar": uar})
    return pd.DataFrame(rows)


def by_length(
    listener: Listener,
    question: Question,
    stretches: pd.DataFrame,
    lengths: Sequence[float] = WINDOWS,
) -> pd.DataFrame:
    """How right windows of several lengths are, each starting half a window after the last.

    Args:
        listener: the audio side of a model
        question: candidates
        stretches: of the recordings: `truth`
        lengths: of windows, in seconds

    Returns:
        `window, chance`, and the columns of `recalls`
    """
    files = list(stretches.index.get_level_values("file").unique())
    parts = []
    for window in lengths:
        heard = with_truth(answers(listener, question, files, window), stretches)
        parts.append(recalls(heard).assign(window=window, chance=1 / len(question.labels)))
    return pd.concat(parts, ignore_index=True)[["window", "which", "n", "right", "uar", "chance"]]


def stays(windows: pd.DataFrame) -> pd.DataFrame:
    """Consecutive windows with the same answer, put together.

    Args:
        windows: of one recording, as `answers` or `with_truth` give them

    Returns:
        `from, to` (seconds, of the moments that the windows answer for), `truth` if there is one,
        `answer, probability` (the mean of that of the answer)
    """
    names = [name for name in ("truth", "prediction") if name in windows]
    said = windows[names].astype("str").reset_index(drop=True)
    turn = said.ne(said.shift()).any(axis=1).cumsum()
    columns = {name: place for place, name in enumerate(windows)}
    places = [columns[name] for name in windows["prediction"]]
    sure = windows.to_numpy()[np.arange(len(windows)), places].astype(float)
    rows = said.assign(middle=middles(windows), sure=sure).groupby(turn)
    found = rows[["middle"]].agg(["min", "max"]).set_axis(["from", "to"], axis=1)
    found = found.join(rows[names].first()).assign(probability=rows["sure"].mean())
    return found.rename(columns={"prediction": "answer"}).reset_index(drop=True)
