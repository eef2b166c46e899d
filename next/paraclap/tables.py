"""Tables of segments: their index, their columns, their checks, and how they are stored.

Conventions: a row is a segment on the audformat index ``(file, start, end)``, times as
``timedelta64[ns]``, an end of NaT is the end of the file; numbers given as times are seconds. In
memory ``file`` is an absolute path; on disk, files inside the project folder are relative to it, so
that a project can be moved. The labels table has all columns of :data:`LABELS`; values may be
missing. Chapter 1 shows the labels table.
"""

from __future__ import annotations

import contextlib
import numbers
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paraclap.files import Name, check_suffix
from paraclap.files import atomic as atomic
from paraclap.files import did_you_mean as did_you_mean
from paraclap.files import lock as lock
from paraclap.files import project_folder as project_folder
from paraclap.files import read_csv as read_csv
from paraclap.files import read_json as read_json
from paraclap.files import run_folder as run_folder
from paraclap.files import short_name as short_name
from paraclap.files import unknown as unknown
from paraclap.files import write_json as write_json

INDEX = ["file", "start", "end"]
SPLITS = ("train", "dev", "test")
GENDERS = ("female", "male")
DIMENSIONS = ("arousal", "valence", "dominance")
LABELS = ("corpus", "split", "speaker", "emotion", "gender", *DIMENSIONS, "label", "language")
Files = Name | Iterable[Name] | pd.DataFrame | pd.Series | pd.Index


def _timedeltas(values: Iterable[Any]) -> pd.Index:
    column = pd.Series(list(values))
    if pd.api.types.is_timedelta64_dtype(column):
        return pd.Index(column.astype("timedelta64[ns]"))
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        column = column.map(lambda value: seconds(None if pd.isna(value) else value))
    return pd.Index(pd.to_timedelta(column.astype(float), unit="s").astype("timedelta64[ns]"))


def segments(
    files: Iterable[Name], starts: Iterable[Any] | None = None, ends: Iterable[Any] | None = None
) -> pd.MultiIndex:
    """Segmented index from files and times.

    Args:
        files: one path per segment
        starts: times as :func:`seconds` reads them, one per segment; 0 when left out
        ends: as starts; NaT (the end of the file) when left out
    """
    paths = pd.Index([str(file) for file in files], dtype="str")
    first = [0.0] * len(paths) if starts is None else starts
    last = [float("nan")] * len(paths) if ends is None else ends
    return pd.MultiIndex.from_arrays([paths, _timedeltas(first), _timedeltas(last)], names=INDEX)


def as_index(files: Files) -> pd.MultiIndex:
    """Bring one path, several paths or a table to the index (file, start, end).

    Raises:
        ValueError: if there is no file or the index has other names
    """
    index: Any = files.index if isinstance(files, pd.DataFrame | pd.Series) else files
    if isinstance(files, str | os.PathLike):
        index = [files]
    elif isinstance(files, pd.Series) and list(index.names) == [None]:
        index = list(files)
    names = list(index.names) if isinstance(index, pd.Index) else ["file"]
    if names not in (["file"], INDEX):
        raise ValueError(f"Bad index {names}, expected ['file'] or {INDEX}.")
    found = index if names == INDEX else segments(list(index))
    if not len(found):
        raise ValueError("Got no files, expected at least one path or a table with segments.")
    return found


def seconds(value: Any) -> float:
    """A time in seconds, from a number, a timedelta or text; NaN for a missing one.

    Raises:
        ValueError: if it is no time

    Examples:
        >>> seconds("00:00:01,100"), seconds("0,5"), seconds("1 min"), seconds(np.int64(2))
        (1.1, 0.5, 60.0, 2.0)
    """
    if value is None or value is pd.NaT:
        return float("nan")
    time = float("inf")
    text = re.sub(r"^([^.,]*\d),(\d+)$", r"\1.\2", value.strip()) if isinstance(value, str) else ""
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        no_number = isinstance(value, bool | np.bool_ | np.timedelta64)
        if isinstance(value, numbers.Real) and not no_number:
            time = float(value)
        elif re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", text, re.IGNORECASE):
            time = float(text)
        elif "," not in text:
            time = float(pd.Timedelta(text or value).total_seconds())
    if np.isinf(time):
        msg = f"Bad time {value!r}, expected seconds such as 1.5 or a time such as 00:00:01.5."
        raise ValueError(msg)
    return time


def write_table(table: pd.DataFrame, path: Name) -> Path:
    """Write a table as Parquet or CSV, by the suffix of ``path``.

    Args:
        table: on the segmented index, or on an unnamed index, which is not kept
        path: ends in ``.parquet`` or ``.csv``

    Raises:
        ValueError: if the suffix is another one or the index has other names
        OSError: if it cannot be written
    """
    suffix, names = check_suffix(path), list(table.index.names)
    if names not in (INDEX, [None]):
        msg = f"Bad index {names}, expected {INDEX} or an unnamed one: call reset_index() first."
        raise ValueError(msg)
    flat = table.reset_index(drop=names != INDEX)
    flat.attrs = {}
    if names == INDEX:
        flat["file"] = flat["file"].str.removeprefix(f"{project_folder()}{os.sep}")
    with atomic(path) as temporary:
        if suffix == ".csv":
            flat.to_csv(temporary, index=False)
        else:
            flat.to_parquet(temporary, index=False)
    return Path(path)


def read_table(path: Name, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table; its columns file, start and end, if it has them, become the segmented index.

    Args:
        path: Parquet or CSV file
        columns: read only these, in this order, the index aside; all when empty

    Raises:
        FileNotFoundError: if there is no such file
        ValueError: if it cannot be read as a table, or lacks a column
    """
    table = read_csv(path)
    for column in columns:
        if column not in table:
            raise ValueError(unknown("column", column, table.columns, repr(short_name(path))))
    if set(INDEX) <= set(table.columns):
        if table["file"].isna().any():
            msg = f"No file in {table['file'].isna().sum()} rows of {short_name(path)!r}."
            raise ValueError(msg)
        root = str(project_folder())
        files = [os.path.join(root, file) for file in table["file"].astype(str)]  # noqa: PTH118
        index = segments(files, table["start"], table["end"])
        table = table.drop(columns=INDEX).set_index(index)
    return table[list(columns)] if columns else table


def show(table: pd.DataFrame, rows: int = 5) -> pd.DataFrame:
    """First rows for display: last two parts of each path, times in seconds."""
    indexed = list(table.index.names) == INDEX
    head = table.head(rows).reset_index() if indexed else table.head(rows)
    if indexed:
        for time in ("start", "end"):
            head[time] = head[time].dt.total_seconds().round(2)
    if "file" in head:
        head = head.assign(file=[short_name(str(file)) for file in head["file"]])
    return head.set_index(INDEX) if indexed else head


def check_labels(table: pd.DataFrame, where: str = "the labels table") -> pd.DataFrame:
    """Check a labels table and bring it into its canonical form.

    Args:
        table: on the segmented index, with all columns of :data:`LABELS`
        where: name of the table in messages

    Returns:
        the same rows, columns of :data:`LABELS` first, words as ``str``, numbers as float

    Raises:
        ValueError: if an index name, column, word, number or time is not as it should be
    """
    missing = [column for column in LABELS if column not in table]
    if list(table.index.names) != INDEX or missing or table.empty:
        got = f"the index {list(table.index.names)}, {len(table)} rows, no column {missing}"
        raise ValueError(f"Bad {where}: got {got}, expected {INDEX}, a row, and {list(LABELS)}.")
    table = table[[*LABELS, *(column for column in table if column not in LABELS)]].copy()
    for column in LABELS:
        is_number = column in DIMENSIONS
        table[column] = _floats(table, column, where) if is_number else table[column].astype("str")
    for column in ("corpus", "split", "speaker"):
        report_rows(table, table[column].isna(), column, where, "a value in each row")
    for column, choices in (("split", SPLITS), ("gender", GENDERS)):
        bad = table[column].notna() & ~table[column].isin(choices)
        report_rows(table, bad, column, where, f"one of {list(choices)}")
    _check_times(table, where)
    return table


def _floats(table: pd.DataFrame, column: str, where: str) -> pd.Series:
    values = pd.to_numeric(table[column], errors="coerce").astype(float)
    bad = (values.isna() & table[column].notna()) | np.isinf(values)
    report_rows(table, bad, column, where, "numbers")
    return values


def _check_times(table: pd.DataFrame, where: str) -> None:
    index = table.index.to_frame(index=False).set_index(table.index)
    is_relative = ~index["file"].map(os.path.isabs).astype(bool)
    report_rows(index, is_relative, "file", where, "absolute paths")
    bad = index["start"].isna() | (index["start"] < pd.Timedelta(0))
    report_rows(index, bad, "start", where, "a time in each row, 0 or later")
    report_rows(index, index["end"] <= index["start"], "end", where, "an end after the start")
    twice = pd.Series(table.index.duplicated(), table.index)
    report_rows(index, twice, "file", where, "each segment (file, start, end) once")


def report_rows(
    table: pd.DataFrame, bad: pd.Series, column: str, where: str, expected: str
) -> None:
    """Raise an error that names the rows where ``bad`` is true, if there are any.

    Args:
        table: the segments, with the offending column
        bad: bool per row, in the order of ``table``
        column: name of the offending column
        where: name of the table
        expected: what should stand there

    Raises:
        ValueError: if any is bad; at most five values are named
    """
    flags = bad.to_numpy(dtype=bool)
    if not flags.any():
        return
    values = ", ".join(map(repr, list(dict.fromkeys(map(str, table[column][flags])))[:5]))
    first = short_name(str(table.index.get_level_values(0)[flags][0]))
    rows = f"{flags.sum()} rows, first: {first!r}"
    raise ValueError(f"Bad {column} {values} in {where} ({rows}), expected {expected}.")
