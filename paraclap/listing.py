"""Which segments of which files are meant by a folder, a list or a table, and by windows.

Conventions: segments are on the audformat index (file, start, end) with absolute or given paths;
an end of NaT is the end of the file. Windows are ``window`` seconds long and start every ``hop``
seconds; the last one ends where its segment ends, so that everything is heard and all are of one
length. A segment shorter than a window is one row, whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from paraclap import audio, reading, tables, zeroshot

SUFFIXES = (
    ".wav",
    ".flac",
    ".ogg",
    ".opus",
    ".mp3",
    ".aiff",
    ".aif",
    ".au",
    ".sph",
    ".caf",
    ".w64",
)
TABLES = (".csv", ".parquet")

Segment = tuple[str, Any, Any]


def listed(files: zeroshot.Files) -> pd.MultiIndex:
    """Segments of a folder, a table on disk, a file, or whatever zero-shot calls take.

    Args:
        files: A folder: all audio below it, found by suffix and sorted. A CSV or Parquet file: its
            columns ``file`` and, if there are any, ``start`` and ``end``, in seconds or as
            timedeltas; relative files are looked for beside the table, then in the project.
            Otherwise paths, an audformat index or a table with such an index.

    Raises:
        FileNotFoundError: If the folder or table is not there.
        ValueError: If there is no audio in it, it is no such table, or a segment is given twice.
    """
    if isinstance(files, str | PathLike):
        path = Path(files)
        if path.is_dir():
            index = tables.segments(_below(path))
        elif path.suffix.lower() in TABLES:
            index = _read(path)
        elif path.exists():
            index = tables.segments([path])
        else:
            msg = f"Nothing at {str(path)!r}, expected a folder, a table or an audio file."
            raise FileNotFoundError(msg)
    else:
        index = zeroshot.segments(files)
    twice = index[index.duplicated()]
    if len(twice):
        names = [Path(str(row[0])).name for row in twice[:5]]
        where = f" in {Path(files).name!r}" if isinstance(files, str | PathLike) else ""
        msg = f"{len(twice)} segments are listed twice{where} (first: {names}), expected each once."
        raise ValueError(msg)
    return index


def _below(folder: Path) -> list[str]:
    found = sorted(str(path) for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        msg = f"No audio in {str(folder)!r}, expected files that end in one of {SUFFIXES}."
        raise ValueError(msg)
    return found


def _read(path: Path) -> pd.MultiIndex:
    if not path.is_file():
        msg = f"No table at {str(path)!r}, expected a CSV or Parquet file with a column 'file'."
        raise FileNotFoundError(msg)
    table = reading.table(path)
    if "file" not in table and "file" in table.index.names:
        table = table.reset_index()
    if "file" not in table or not len(table) or table["file"].isna().any():
        msg = (
            f"Bad table {str(path)!r} with {len(table)} rows and the columns "
            f"{list(table.columns)[:20]}, expected a column 'file' with a path in each row."
        )
        raise ValueError(msg)
    files = [str(file) for file in table["file"]]
    beside = path.resolve().parent
    is_beside = any(reading.exists(beside / file) for file in files)  # not all need be there
    folder = beside if is_beside else tables.project_folder()
    times = [_times(table[side], path) if side in table else None for side in ("start", "end")]
    return tables.segments([str(folder / file) for file in files], *times)


def _times(column: pd.Series, path: Path) -> list[Any]:
    """Timedeltas of a column in seconds or of times written out; the start is 0 where missing."""
    times = reading.times(column, path)
    return list(times.fillna(pd.Timedelta(0)) if column.name == "start" else times)


def check_windows(window: float | None, hop: float | None) -> float | None:
    """The hop of windows: half a window where none is given.

    Raises:
        ValueError: If one is not above 0, the hop is longer than the window, or stands alone.
    """
    if window is None:
        if hop is not None:
            msg = f"Got a hop of {hop} s and no window, expected both: set the window."
            raise ValueError(msg)
        return None
    hop = window / 2 if hop is None else hop
    if not 0 < hop <= window < math.inf:
        msg = (
            f"Bad window {window} s and hop {hop} s, expected a hop above 0 that is not longer "
            "than the window, so that everything is heard."
        )
        raise ValueError(msg)
    return hop


def windows(segments: pd.MultiIndex, window: float | None, hop: float | None) -> Iterator[Segment]:
    """Rows to be scored, one after the other: segments, or the windows in each of them.

    A file that cannot be opened gives its segment: reading it will say why.
    """
    for file, start, end in _each(segments):
        if window is None or hop is None:
            yield file, start, end
            continue
        last: float
        try:
            last = audio.duration(file) if pd.isna(end) else float(end.total_seconds())
        except audio.AudioError:
            yield file, start, end
            continue
        first = start.total_seconds()
        for begin, finish in spans(last - first, window, hop):
            yield file, _time(first + begin), _time(first + finish)


def _each(segments: pd.MultiIndex, many: int = 1024) -> Iterator[Segment]:
    """The segments one by one; looped over whole, an index keeps a copy of all its rows."""
    for first in range(0, len(segments), many):
        part = segments[first : first + many]
        yield from zip(*map(part.get_level_values, tables.INDEX), strict=True)


def spans(seconds: float, window: float, hop: float) -> Sequence[tuple[float, float]]:
    """Windows in a stretch of ``seconds``.

    Examples:
        >>> spans(10, 4, 2.5)
        [(0.0, 4.0), (2.5, 6.5), (5.0, 9.0), (6.0, 10.0)]
        >>> spans(3, 4, 2)
        [(0.0, 3.0)]
    """
    if seconds <= window:
        return [(0.0, float(seconds))]
    whole = math.floor((seconds - window) / hop + 1e-9)
    starts = [turn * hop for turn in range(whole + 1)]
    if seconds - window - starts[-1] > 1e-6:
        starts.append(seconds - window)
    return [(float(start), float(start + window)) for start in starts]


def _time(seconds: float) -> pd.Timedelta:
    return pd.Timedelta(round(seconds * 1e9), unit="ns")
