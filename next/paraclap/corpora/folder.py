"""A folder of audio with a CSV: one row per file or segment.

Columns are ``file`` (path relative to the folder), optional ``start`` and ``end`` (seconds, or text
such as ``00:00:01.5``), and any of :data:`paraclap.tables.LABELS`. Other columns are not used, with
a note; one whose name is nearly ours is an error. File names may be spelled in another way than on
disk (upper case, composed letters, backslashes, no suffix) where exactly one file is meant. Cells
such as ``None`` or ``NA`` are missing values, with a note. Chapters 1 and 8.
"""

from __future__ import annotations

import difflib
import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap import audio, tables
from paraclap.corpora import labels
from paraclap.tables import did_you_mean, report_rows

USUAL = "labels.csv"
SUFFIXES = (
    ".wav",
    ".flac",
    ".mp3",
    ".ogg",
    ".opus",
    ".sph",
    ".aif",
    ".aiff",
    ".au",
    ".caf",
    ".w64",
)
MISSING = ("", "na", "n/a", "#n/a", "nan", "none", "null", "<na>")


def load(
    root: Path, table: str, columns: Mapping[str, str], label_column: str = "emotion"
) -> tuple[pd.DataFrame, str, list[str]]:
    """Read the CSV of a folder, see :func:`paraclap.corpora.load`.

    Returns:
        table on the segmented index with our columns, name of the CSV, notes for the user

    Raises:
        FileNotFoundError: if the CSV or an audio file is not there
        ValueError: if the CSV is empty, or a column or value is not as it should be
    """
    path = _csv_path(root, table)
    rows = tables.read_csv(path, dtype="str", keep_default_na=False, skipinitialspace=True)
    rows = labels.rename(rows.rename(columns=str.strip), columns, path.name)
    unused = _unused_columns(rows, path.name, label_column)
    notes = [f"Columns not used: {', '.join(unused)}."] if unused else []
    lines = [f"line {line}" for line in range(2, len(rows) + 2)]  # as counted by a text editor
    rows = rows.drop(columns=unused).set_axis(pd.MultiIndex.from_arrays([lines]))
    rows = rows.apply(_cells, notes=notes)
    if "corpus" not in rows:
        rows["corpus"] = root.name
    return _on_segments(rows, root, path.name, notes), path.name, notes


def save(table: pd.DataFrame, root: Path) -> Path:
    """Write segments as such a folder: a WAV file of each, and the CSV, which is returned."""
    names = [f"{number:03d}.wav" for number in range(len(table))]
    for name, (file, start, end) in zip(names, table.index, strict=True):
        content = audio.encode(audio.read(file, start, end), comment=audio.comment(file))
        with tables.atomic(root / name) as temporary:
            temporary.write_bytes(content)
    columns = [name for name in table if name in tables.LABELS and name != "corpus"]
    rows = table[columns].dropna(axis=1, how="all").reset_index(drop=True)
    rows.insert(0, "file", names)
    return tables.write_table(rows, root / USUAL)


def walk(folder: Path) -> Iterator[Path]:
    """Files below a folder by path, hidden ones left out; links are followed, each once."""
    seen: set[str] = set()
    for here, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (Path(here, name) for name in sorted(files) if not name.startswith("."))


def _csv_path(root: Path, table: str) -> Path:
    found = sorted(path.name for path in root.glob("*.csv"))
    name = table or (USUAL if USUAL in found or len(found) != 1 else found[0])
    if not (root / name).is_file():
        msg = f"No table {name!r} in {root.name!r}, CSV files there: {found[:5]}. Give the name of "
        raise FileNotFoundError(f"{msg}one as corpus_table.{did_you_mean(name, found)}")
    return root / name


def _unused_columns(rows: pd.DataFrame, where: str, label_column: str) -> list[str]:
    """Names of columns that are not ours; an error if one is nearly ours, or too few are."""
    names, ours = [str(name) for name in rows], (*labels.COLUMNS, label_column)
    unused = [name for name in names if name not in ours]
    absent = [name for name in ours if name not in names]
    for name in unused:
        near = difflib.get_close_matches(name.lower(), absent, n=1, cutoff=0.8)
        if near:
            msg = f"Unknown column {name!r} in {where}. Did you mean {near[0]!r}? Rename it with "
            raise ValueError(f"{msg}columns '{name}={near[0]}' or leave it out with '{name}='.")
    targets = ("emotion", "gender", *tables.DIMENSIONS, "label", label_column)
    if "file" not in names or not {*targets} & {*names}:
        lost = "column 'file'" if "file" not in names else f"label column, such as {targets},"
        raise ValueError(f"No {lost} in {where}, it has {names[:20]}: map one with 'theirs=ours'.")
    if rows.empty:
        raise ValueError(f"{where!r} has no row, expected at least one below the header.")
    return unused


def _cells(column: pd.Series, notes: list[str]) -> pd.Series:
    """Cells without spaces around; words for no value are missing, with a note."""
    cells = column.str.strip()
    empty = cells.str.lower().isin(MISSING)
    words = sorted(set(cells[empty]) - {""})
    if words:
        count = int(cells.isin(words).sum())
        notes.append(f"{count} of {len(cells)} rows have no {column.name}: {', '.join(words)}.")
    return cells.mask(empty)


def _on_segments(rows: pd.DataFrame, root: Path, where: str, notes: list[str]) -> pd.DataFrame:
    report_rows(rows, rows["file"].isna(), "file", where, "a path in each row")
    files = rows["file"].map(_found(list(rows["file"].unique()), root, where, notes))
    form = "seconds such as 1.5, or a time such as 00:00:01.5"
    starts, ends = (_numbers(rows, side, tables.seconds, where, form) for side in ("start", "end"))
    report_rows(rows, starts < 0, "start", where, "0 or later")
    report_rows(rows, ends <= starts.fillna(0), "end", where, "one after start")
    for name in [name for name in tables.DIMENSIONS if name in rows]:
        rows[name] = _numbers(rows, name, _decimal, where, "numbers such as 3.5")
    index = tables.segments(files, starts.fillna(0), ends)
    return rows.drop(columns=["file", "start", "end"], errors="ignore").set_axis(index)


def _numbers(
    rows: pd.DataFrame, name: str, read: Callable[[str], float], where: str, expected: str
) -> pd.Series:
    """Cells of a column as numbers, NaN where there is nothing."""

    def number(cell: str) -> float:
        try:
            return read(cell)
        except ValueError:
            return float("inf")

    cells = rows.get(name, pd.Series(None, rows.index, dtype="str"))
    values = cells.map(number, na_action="ignore").astype(float)
    report_rows(rows, values == np.inf, name, where, expected)
    return values


def _decimal(cell: str) -> float:
    return float(cell.replace(",", "."))  # a comma is a decimal comma


def _found(names: list[str], root: Path, where: str, notes: list[str]) -> dict[str, str]:
    """Paths of the files named, also where they are spelled in another way on disk."""
    found = {name: str(root / name) for name in names if os.path.exists(root / name)}  # noqa: PTH110
    lost = [name for name in names if name not in found]
    there: dict[str, list[str]] = {}
    for path in walk(root) if lost else ():
        name = path.relative_to(root).as_posix()
        there.setdefault(_spelling(name), []).append(name)
        if path.suffix.lower() in SUFFIXES:
            there.setdefault(_spelling(name.removesuffix(path.suffix)), []).append(name)
    unclear = [name for name in lost if len(there.get(_spelling(name), [])) != 1]
    if unclear:
        several = there.get(_spelling(unclear[0]), [])
        every = [name for names in there.values() for name in names]
        hint = f" It may be any of {several[:5]}." if several else did_you_mean(unclear[0], every)
        msg = f"{len(unclear)} files of {where} are not in {root.name!r}, first: {unclear[:5]}: "
        raise FileNotFoundError(f"{msg}copy them there, or leave their rows out.{hint}")
    if lost:
        first = f"{lost[0]!r} is {there[_spelling(lost[0])][0]!r}"
        notes.append(f"{len(lost)} files are spelled in another way on disk, such as: {first}.")
    return found | {name: str(root / there[_spelling(name)][0]) for name in lost}


def _spelling(name: str) -> str:
    """Path with composed letters, slashes and small letters, as names are compared."""
    return unicodedata.normalize("NFC", os.path.normpath(name.replace("\\", "/"))).casefold()
