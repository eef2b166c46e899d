"""Tables of segments: their names, their checks, and how they get to disk and back.

Conventions of every table of the project:

- a row is a segment on the audformat index ``(file, start, end)``, times as ``timedelta64[ns]``;
  in memory ``file`` is an absolute path, on disk a path inside the project folder is stored
  relative to it, so that a project can be moved;
- the labels table has the columns :data:`LABELS`, all of them, missing values allowed where a
  corpus does not have them;
- a file is written whole or not at all and knows what it was made from (`provenance`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from paraclap import reading
from paraclap.provenance import (
    PROVENANCE,
    absolute,
    atomic_path,
    fingerprint,
    first_line,
    is_current,
    keyed_path,
    project_folder,
    relative,
    short,
    stamp,
)

__all__ = [
    "DIMENSIONS",
    "GENDERS",
    "INDEX",
    "LABELS",
    "SPLITS",
    "absolute",
    "atomic_path",
    "check_labels",
    "fingerprint",
    "is_current",
    "project_folder",
    "read_json",
    "read_table",
    "relative",
    "run_folder",
    "segments",
    "short",
    "show",
    "stamp",
    "write_json",
    "write_table",
]

Time = Any  # a Timedelta, numpy timedelta64, NaT, or text such as "0 days 00:00:01.5"
INDEX = ["file", "start", "end"]
SPLITS = ("train", "dev", "test")
GENDERS = ("female", "male")
DIMENSIONS = ("arousal", "valence", "dominance")
LABELS = ("corpus", "split", "speaker", "emotion", "gender", *DIMENSIONS, "label", "language")


def run_folder(run: str, runs: str = "runs") -> Path:
    """Folder of one run, created if need be.

    Args:
        run: name of the run
        runs: folder of all runs, relative to the project folder unless absolute
    """
    folder = project_folder() / runs / run
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def segments(
    files: Iterable[str | Path],
    starts: Iterable[Time] | None = None,
    ends: Iterable[Time] | None = None,
) -> pd.MultiIndex:
    """Segmented index from files and times.

    Args:
        files: one path per segment
        starts: timedeltas, one per segment; 0 when left out
        ends: timedeltas, one per segment; NaT (the end of the file) when left out
    """
    paths = [str(file) for file in files]
    first = [pd.Timedelta(0)] * len(paths) if starts is None else starts
    last = [pd.NaT] * len(paths) if ends is None else ends
    times = [pd.to_timedelta(list(side)).astype("timedelta64[ns]") for side in (first, last)]
    return pd.MultiIndex.from_arrays([pd.Index(paths, dtype="str"), *times], names=INDEX)


def write_table(table: pd.DataFrame, path: str | Path, key: str = "") -> Path:
    """Write a table as Parquet or CSV, whichever the suffix of ``path`` says.

    Args:
        table: on the segmented index, or on an unnamed index, which is not kept
        path: ends in ``.parquet`` or ``.csv``
        key: what the table was made from, see :func:`fingerprint`

    Raises:
        ValueError: if the suffix is another one or the index has other names
        OSError: if it cannot be written
    """
    path = Path(path)
    flat = _flat(table)
    if _kind(path) == ".parquet":
        data = pa.Table.from_pandas(flat, preserve_index=False)
        metadata = {**(data.schema.metadata or {}), PROVENANCE: key.encode()}
        with atomic_path(path) as temporary:
            pq.write_table(data.replace_schema_metadata(metadata), temporary)
    else:
        with keyed_path(path, key) as temporary:
            flat.to_csv(temporary, index=False)
    return path


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """Table with its index as columns and files of the project relative to it."""
    names = list(table.index.names)
    if names == INDEX:
        flat = table.reset_index()
        flat["file"] = relative(flat["file"])
        return flat
    if names != [None]:
        msg = f"Bad index {names}, expected {INDEX} or an unnamed one: call reset_index() first."
        raise ValueError(msg)
    return table.reset_index(drop=True)


def _kind(path: Path) -> str:
    if path.suffix not in (".parquet", ".csv"):
        msg = f"Bad table name {short(path)!r}, expected it to end in .parquet or .csv."
        raise ValueError(msg)
    return path.suffix


def read_table(path: str | Path, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table written by :func:`write_table`.

    Args:
        path: Parquet or CSV file
        columns: read only these, in this order, the index aside; all when empty

    Returns:
        table on the segmented index if the file has one, with absolute files

    Raises:
        FileNotFoundError: if there is no such file
        ValueError: if it cannot be read as a table, or lacks a column
    """
    path = Path(path)
    if not path.is_file():
        msg = f"No table at {short(path)!r}: run the step that writes it first."
        raise FileNotFoundError(msg)
    table = reading.table(path)
    missing = [column for column in columns if column not in table]
    if missing:
        msg = f"No column {missing[:5]} in {short(path)!r}, it has {list(table.columns)[:20]}"
        raise ValueError(f"{msg}: add it, or run the step that writes the table again.")
    table = _indexed(table, path)
    return table[list(columns)] if columns else table


def _indexed(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Table with its columns file, start, end as segmented index, if it has them."""
    if not set(INDEX) <= set(table.columns):
        return table
    if table["file"].isna().any():
        msg = f"No file in {int(table['file'].isna().sum())} rows of {short(path)!r}, expected one"
        raise ValueError(f"{msg} in each: write it again.")
    starts, ends = (reading.times(table[side], path, seconds=False) for side in INDEX[1:])
    index = segments(absolute(map(str, table["file"])), starts, ends)
    return table.drop(columns=INDEX).set_index(index)


def write_json(obj: object, path: str | Path, key: str = "") -> Path:
    """Write plain values as JSON, see :func:`write_table`."""
    path = Path(path)
    text = json.dumps(obj, indent=2, allow_nan=False, ensure_ascii=False)
    with keyed_path(path, key) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def read_json(path: str | Path) -> Any:
    """Read plain values written by :func:`write_json`.

    Raises:
        FileNotFoundError: if there is no such file
        ValueError: if it is not JSON
    """
    path = Path(path)
    if not path.is_file():
        msg = f"No file at {short(path)!r}: run the step that writes it first."
        raise FileNotFoundError(msg)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        msg = f"Cannot read {short(path)!r} as JSON ({first_line(error)}): write it again."
        raise ValueError(msg) from error


# --- looking at and checking tables ------------------------------------------------------------


def show(table: pd.DataFrame, rows: int = 5) -> pd.DataFrame:
    """First rows for display: last two parts of a file's path, times in seconds.

    Args:
        table: any table; only the segmented index and a column ``file`` are shortened
        rows: how many
    """
    head = table.head(rows)
    if list(head.index.names) == INDEX:
        head = head.reset_index()
        for time in ("start", "end"):
            head[time] = pd.to_timedelta(head[time]).dt.total_seconds().round(2)
        return _shortened(head).set_index(INDEX)
    return _shortened(head)


def _shortened(table: pd.DataFrame) -> pd.DataFrame:
    if "file" not in table:
        return table
    return table.assign(file=["/".join(Path(str(file)).parts[-2:]) for file in table["file"]])


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
    _check_shape(table, where)
    words = [column for column in LABELS if column not in DIMENSIONS]
    table = table[[*LABELS, *(column for column in table if column not in LABELS)]]
    table = table.assign(
        **{column: table[column].astype("str") for column in words},
        **{column: _numbers(table[column], where) for column in DIMENSIONS},
    )
    for column in ("corpus", "split", "speaker"):
        report(table, table[column].isna(), column, where, "a value in each row")
    for column, known, needed in (("split", SPLITS, True), ("gender", GENDERS, False)):
        bad = ~table[column].isin(known) & (table[column].notna() | needed)
        report(table, bad, column, where, f"one of {list(known)}")
    _check_times(table, where)
    return table


def _check_shape(table: pd.DataFrame, where: str) -> None:
    if list(table.index.names) != INDEX:
        msg = f"Bad index {list(table.index.names)} in {where}, expected {INDEX}."
        raise ValueError(msg)
    missing = [column for column in LABELS if column not in table]
    if missing:
        msg = f"No column {missing} in {where}, expected all of {list(LABELS)}."
        raise ValueError(msg)
    if table.empty:
        msg = f"No segment in {where}, expected at least one."
        raise ValueError(msg)


def _numbers(column: pd.Series, where: str) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    bad = (numbers.isna() & column.notna()) | numbers.isin([float("inf"), float("-inf")])
    report(column.to_frame(), bad, str(column.name), where, "numbers")
    return numbers


def _check_times(table: pd.DataFrame, where: str) -> None:
    index = table.index.to_frame(index=False).set_index(table.index)
    relative_file = index["file"].map(lambda file: not Path(file).is_absolute())
    report(index, relative_file, "file", where, "absolute paths")
    report(index, index["start"].isna(), "start", where, "a time in each row")
    zero = pd.Timedelta(0)
    report(index, index["start"] < zero, "start", where, "0 or later")
    report(index, index["end"] <= index["start"], "end", where, "an end after the start")
    twice = pd.Series(table.index.duplicated(), table.index)
    report(index, twice, "file", where, "each segment (file, start, end) once")


def report(table: pd.DataFrame, bad: pd.Series, column: str, where: str, expected: str) -> None:
    """Raise an error that names the segments where ``bad`` is true, if there are any.

    Args:
        table: the segments, with the offending column
        bad: bool per segment, in the order of ``table``
        column: name of the offending column
        where: name of the table
        expected: what should stand there

    Raises:
        ValueError: if any is bad; at most five values are named
    """
    flags = bad.to_numpy(dtype=bool)
    if not flags.any():
        return
    values = list(dict.fromkeys(map(str, table[column][flags])))[:5]
    first = Path(str(table.index.get_level_values(0)[flags][0])).name
    msg = (
        f"Bad {column} {', '.join(map(repr, values))} in {where} "
        f"({flags.sum()} segments, first: {first!r}), expected {expected}."
    )
    raise ValueError(msg)
