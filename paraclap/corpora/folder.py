"""Any folder of audio with a CSV: one row per file or segment.

Known columns: ``file`` (path relative to the folder), optional ``start`` and ``end`` (seconds, or
text such as ``0 days 00:00:01.5``), and any of ``emotion``, ``gender``, ``arousal``, ``valence``,
``dominance``, ``label``, ``speaker``, ``split``, ``language``, ``corpus``. Other columns are not
used, and said so; a column whose name is nearly a known one is taken for a slip and is an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from paraclap import audio, reading
from paraclap.corpora import labels
from paraclap.tables import DIMENSIONS, LABELS, atomic_path, report, segments, write_table

USUAL = "labels.csv"
TARGETS = ("emotion", "gender", *DIMENSIONS, "label")

_SLIP = 0.8  # likeness (0 … 1) from which a name is taken for a known one written wrongly


def load(
    root: Path, table: str, columns: Mapping[str, str], label_column: str = "emotion"
) -> tuple[pd.DataFrame, str, list[str]]:
    """Read the CSV of a folder.

    Args:
        root: the folder
        table: name of the CSV in it; ``labels.csv``, or the only one there, when empty
        columns: their names to ours
        label_column: column to keep beside the known ones

    Returns:
        table on the segmented index with our columns, name of the CSV, notes for the user

    Raises:
        FileNotFoundError: if the CSV or an audio file is not there
        ValueError: if the CSV is empty, or a column or value is not as it should be
    """
    path = _csv_path(root, table)
    rows = labels.rename(_csv(path), columns, path.name)
    _check_columns(rows, path.name, label_column)
    rows = rows.set_index(_row_numbers(rows))
    unused = [str(name) for name in rows if name not in (*labels.KNOWN, label_column)]
    notes = [f"Columns not used: {', '.join(unused)}."] if unused else []
    rows = labels.numbers(rows, path.name).drop(columns=unused)
    if "corpus" not in rows:
        rows["corpus"] = root.name
    return _on_segments(rows, root, path.name), path.name, notes


def save(table: pd.DataFrame, root: Path) -> Path:
    """Write segments as such a folder: a WAV file of each, and the CSV.

    Args:
        table: labels table; columns without any value are not written
        root: the folder, created if need be; files of the same names are replaced

    Returns:
        the CSV

    Raises:
        AudioError: if a segment cannot be read
    """
    root.mkdir(parents=True, exist_ok=True)
    names = [f"{number:03d}.wav" for number in range(len(table))]
    for name, (file, start, end) in zip(names, table.index, strict=True):
        content = audio.encode(audio.read(file, start, end), comment=audio.comment(file))
        with atomic_path(root / name) as temporary:
            temporary.write_bytes(content)
    columns = [name for name in table if name in LABELS and name != "corpus"]
    rows = table[columns].dropna(axis=1, how="all").reset_index(drop=True)
    rows.insert(0, "file", names)
    return write_table(rows, root / USUAL)


def _csv_path(root: Path, table: str) -> Path:
    found = sorted(path.name for path in root.glob("*.csv"))
    name = table or (USUAL if USUAL in found or len(found) != 1 else found[0])
    if not (root / name).is_file():
        msg = (
            f"No table {name!r} in {root.name!r}{labels.nearest(name, found)}, "
            f"CSV files there: {found[:5]}. Give the name of one with the parameter corpus_table."
        )
        raise FileNotFoundError(msg)
    return root / name


def _csv(path: Path) -> pd.DataFrame:
    if not path.read_bytes().strip():
        msg = f"{path.name!r} is empty, expected a header and at least one row."
        raise ValueError(msg)
    rows = reading.csv(path, dtype="str", skipinitialspace=True)
    if rows.empty:
        msg = f"{path.name!r} has no row, expected a header and at least one row."
        raise ValueError(msg)
    return rows


def _check_columns(rows: pd.DataFrame, where: str, label_column: str) -> None:
    wanted = [*labels.KNOWN, label_column]
    absent = [name for name in wanted if name not in rows]
    for name in (str(name) for name in rows if name not in wanted):
        near = difflib.get_close_matches(name.lower(), absent, n=1, cutoff=_SLIP)
        if near:
            msg = (
                f"Unknown column {name!r} in {where}, did you mean {near[0]!r}? "
                f"Rename it with columns '{name}={near[0]}' or leave it out with '{name}='."
            )
            raise ValueError(msg)
    if "file" not in rows:
        msg = f"No column 'file' in {where}, it has {list(rows)[:20]}: map one with 'theirs=file'."
        raise ValueError(msg)
    targets = (*TARGETS, label_column)
    if not any(name in rows for name in targets):
        msg = f"No label column in {where}, it has {list(rows)[:20]}, expected one of {targets}."
        raise ValueError(msg)


def _row_numbers(rows: pd.DataFrame) -> pd.MultiIndex:
    """Names of the rows for messages, as counted by a text editor."""
    lines = [f"line {line}" for line in range(2, len(rows) + 2)]
    return pd.MultiIndex.from_arrays([lines], names=["line"])


def _on_segments(rows: pd.DataFrame, root: Path, where: str) -> pd.DataFrame:
    report(rows, rows["file"].isna(), "file", where, "a path in each row")
    away = reading.outside(rows["file"], root)
    if away:
        msg = f"{len(away)} files named in {where} lie outside of {root.name!r}, first: {away[:5]}"
        raise ValueError(f"{msg}: give paths in it, or put links to these files there.")
    files = [str(root / file) for file in rows["file"]]
    lost = [file for file in dict.fromkeys(files) if not reading.exists(file)]
    if lost:
        names = [str(Path(file).relative_to(root)) for file in lost[:5]]
        msg = (
            f"{len(lost)} files named in {where} are not in {root.name!r}, first: {names}: copy "
            "them there, or leave their rows out."
        )
        raise FileNotFoundError(msg)
    starts = _times(rows, "start", where).fillna(pd.Timedelta(0))
    ends = _times(rows, "end", where)
    report(rows, starts < pd.Timedelta(0), "start", where, "0 or later")
    rows = rows.assign(end=rows.get("end"))
    report(rows, ends <= starts, "end", where, "an end after the start")
    index = segments(files, starts, ends)
    return rows.drop(columns=["file", "start", "end"], errors="ignore").set_index(index)


def _times(rows: pd.DataFrame, name: str, where: str) -> pd.Series:
    """Times in seconds or as text, as timedeltas; NaT where there are none."""
    if name not in rows:
        return pd.Series(pd.NaT, rows.index, dtype="timedelta64[ns]")
    numbers = pd.to_numeric(rows[name], errors="coerce")
    seconds = pd.to_timedelta(numbers, unit="s", errors="coerce")
    times = seconds.fillna(pd.to_timedelta(rows[name].where(seconds.isna()), errors="coerce"))
    bad = times.isna() & rows[name].notna()
    report(rows, bad, name, where, "seconds, or text such as '0 days 00:00:01.5'")
    return times.astype("timedelta64[ns]")
