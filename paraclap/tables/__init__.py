"""Tables of segments, and how they and other files are checked, written and read.

A row is a segment on the audformat index ``(file, start, end)``, times as ``timedelta64[ns]``; an
end of NaT is the end of the file. In memory ``file`` is an absolute path; on disk, files inside the
project folder are relative to it, so that a project can be moved. Chapter 1.
"""

import contextlib
import difflib
import numbers
import os
import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paraclap.tables.files import Name as Name
from paraclap.tables.files import atomic as atomic
from paraclap.tables.files import lock as lock
from paraclap.tables.files import project_folder as project_folder
from paraclap.tables.files import read_csv as read_csv
from paraclap.tables.files import read_json as read_json
from paraclap.tables.files import run_folder as run_folder
from paraclap.tables.files import short_name as short_name
from paraclap.tables.files import write_json as write_json

INDEX = ["file", "start", "end"]
SPLITS = ("train", "dev", "test")
GENDERS = ("female", "male")
DIMENSIONS = ("arousal", "valence", "dominance")
LABELS = ("corpus", "split", "speaker", "emotion", "gender", *DIMENSIONS, "label", "language")
Files = Name | Iterable[Name] | pd.DataFrame | pd.Series | pd.Index


def did_you_mean(name: object, choices: Iterable[object]) -> str:
    """Hint such as ``" Did you mean 'emotion'?"``, empty if nothing is near."""
    near = difflib.get_close_matches(str(name), map(str, choices), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def unknown(what: str, name: object, choices: Iterable[object], where: str = "") -> str:
    """The message for a word that is not among the choices."""
    words = list(map(str, choices))
    listed = ", ".join(words[:20]) + ", ..." * (len(words) > 20)
    place = f" in {where}" * bool(where)
    return f"Unknown {what} {name!r}{place}, expected one of {listed}.{did_you_mean(name, words)}"


def seconds(value: Any) -> float:
    """A time in seconds, NaN for a missing one; ValueError if it is none, or two (1,100).

    >>> seconds("00:00:01,100"), seconds("0,5"), seconds("1 min"), seconds(np.int64(2))
    (1.1, 0.5, 60.0, 2.0)
    """
    if value is None or value is pd.NaT or value is pd.NA:
        return float("nan")
    is_text, time = isinstance(value, str), float("inf")
    comma = r"^(?![+-]?[1-9]\d{0,2},\d{3}$)([^.,]*\d),(\d+)$"  # 1,100 may be 1.1 or 1100
    text = re.sub(comma, r"\1.\2", value.strip()) if is_text else ""
    no_number = isinstance(value, bool | np.bool_ | np.timedelta64)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        if isinstance(value, numbers.Real | Decimal) and not no_number:
            time = float(value)
        elif re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", text, re.IGNORECASE):
            time = float(text)
        elif not re.search(r",|\d\s+\d", text):  # of two numbers pandas makes one
            time = float(pd.Timedelta(text if is_text else value).total_seconds())
    if abs(time) > 1e9:  # beyond, pandas has no times
        raise ValueError(f"Bad time {value!r}, expected seconds (1.5) or a time (00:00:01.5).")
    return time


def segments(
    files: Iterable[Name], starts: Iterable[Any] | None = None, ends: Iterable[Any] | None = None
) -> pd.MultiIndex:
    """Segmented index; times by :func:`seconds`, else 0 and NaT (end of file); names are UTF-8."""
    names = [os.fsencode(str(file)).decode("utf-8", "backslashreplace") for file in files]
    levels = [pd.Index(names, dtype="str")]
    for times, missing in ((starts, pd.Timedelta(0)), (ends, pd.NaT)):
        given = [missing] * len(levels[0]) if times is None else times
        column: Any = pd.Series(given if hasattr(given, "dtype") else list(given))
        if column.dtype.kind != "m":
            column = pd.to_timedelta(column.map(seconds).astype(float), unit="s")
        levels.append(pd.Index(column.astype("timedelta64[ns]").fillna(missing)))
    return pd.MultiIndex.from_arrays(levels, names=INDEX)


def as_index(files: Files) -> pd.MultiIndex:
    """Bring one path, several paths or a table to the segmented index; ValueError if it is none."""
    index: Any = [files] if isinstance(files, str | os.PathLike) else files
    if isinstance(index, pd.DataFrame | pd.Series):
        is_list = isinstance(index, pd.Series) and list(index.index.names) == [None]
        index = list(index) if is_list else index.index
    names = list(index.names) if isinstance(index, pd.Index) else ["file"]
    if names not in (["file"], INDEX):
        raise ValueError(f"Bad index {names}, expected ['file'] or {INDEX}.")
    found = segments(*map(index.get_level_values, INDEX)) if names == INDEX else segments(index)
    if not len(found):
        raise ValueError("Got no files, expected at least one path or a table with segments.")
    return found


def read_table(path: Name) -> pd.DataFrame:
    """Read a table as :func:`read_csv`; its columns file, start and end become the index."""
    words = {name: "str" for name in ("file", *LABELS) if name not in DIMENSIONS}  # 007 is no 7
    table = read_csv(path, dtype=words)
    if not set(INDEX) <= set(table.columns):
        return table
    if lost := table["file"].isna().sum():
        raise ValueError(f"No file in {lost} rows of {short_name(path)!r}.")
    root = home_of(path, table["file"])
    files = [os.path.join(root, file) for file in table["file"].astype(str)]  # noqa: PTH118 (speed)
    return table.drop(columns=INDEX).set_index(segments(files, table["start"], table["end"]))


def home_of(path: Name, files: pd.Series) -> Path:
    """Folder of the relative files in a table: its own, else the working or project folder."""
    own, project = Path(path).resolve().parent, project_folder()
    for place in (own, Path.cwd(), project):
        if any(os.path.exists(place / str(file)) for file in files[:100]):  # noqa: PTH110 (speed)
            return place
    return project if own.is_relative_to(project) else own


def write_table(table: pd.DataFrame, path: Name) -> Path:
    """Write a table on the segmented or an unnamed index as .parquet or .csv; else ValueError."""
    suffix, names = Path(path).suffix.lower(), list(table.index.names)
    if names not in (INDEX, [None]) or suffix not in (".parquet", ".csv"):
        got = f"Bad index {names} or table name {short_name(path)!r}"
        raise ValueError(f"{got}, expected {INDEX} or no names, and .parquet or .csv.")
    flat = table.reset_index(drop=names != INDEX)
    flat.attrs = {}
    if names == INDEX:
        flat["file"] = flat["file"].str.removeprefix(f"{project_folder()}{os.sep}")
    with atomic(path) as temporary:
        (flat.to_csv if suffix == ".csv" else flat.to_parquet)(temporary, index=False)
    return Path(path)


def show(table: pd.DataFrame, rows: int = 5) -> pd.DataFrame:
    """First rows for display: last two parts of each path, times in seconds."""
    is_indexed = list(table.index.names) == INDEX
    head = table.head(rows).reset_index() if is_indexed else table.head(rows)
    for name in head.select_dtypes("timedelta"):
        head[name] = head[name].dt.total_seconds().round(2)
    if "file" in head:
        head["file"] = [short_name(str(file)) for file in head["file"]]
    return head.set_index(INDEX) if is_indexed else head


def report_rows(rows: pd.DataFrame, bad: pd.Series, column: str, where: str, expected: str) -> None:
    """Raise a ValueError that names values of a column where ``bad`` is true, if it ever is."""
    flags = np.asarray(bad, dtype=bool)
    if flags.any():
        values = ", ".join(map(repr, rows[column][flags].map(str).unique()[:5]))
        first = short_name(rows.index.get_level_values(0)[flags][0])
        where += f" ({flags.sum()} rows, first: {first!r})"
        raise ValueError(f"Bad {column} {values} in {where}, expected {expected}.")


def check_labels(table: pd.DataFrame, where: str = "the labels table") -> pd.DataFrame:
    """Bring labels into their canonical form: :data:`LABELS` first, as ``str`` and float.

    ValueError if an index name, column, word, number or time in ``where`` is bad.
    """
    missing = [column for column in LABELS if column not in table]
    if list(table.index.names) != INDEX or missing or table.empty:
        got = f"the index {list(table.index.names)}, {len(table)} rows, no column {missing}"
        raise ValueError(f"Bad {where}: got {got}, expected {INDEX}, a row, and {list(LABELS)}.")
    table = table[[*LABELS, *(column for column in table if column not in LABELS)]].copy()
    for column in DIMENSIONS:
        values = pd.to_numeric(table[column], errors="coerce").astype(float)
        bad = (values.isna() & table[column].notna()) | np.isinf(values)
        report_rows(table, bad, column, where, "numbers")
        table[column] = values
    table = table.astype({column: "str" for column in LABELS if column not in DIMENSIONS})
    rows = table.reset_index().set_index(table.index)
    for column, wrong, expected in (
        *((column, rows[column].isna(), "a value") for column in ("corpus", "speaker")),
        ("split", ~rows["split"].isin(SPLITS), f"one of {list(SPLITS)}"),
        ("gender", ~rows["gender"].isin([*GENDERS, np.nan]), f"one of {list(GENDERS)}"),
        ("file", ~rows["file"].map(os.path.isabs).astype(bool), "absolute paths"),
        ("start", ~(rows["start"] >= pd.Timedelta(0)), "a time in each row, 0 or later"),
        ("end", rows["end"] - rows["start"] < pd.Timedelta("1ms"), "an end 1 ms after the start"),
        ("file", rows.duplicated(INDEX), "each segment (file, start, end) once"),
    ):
        report_rows(rows, wrong, column, where, expected)
    return table
