"""A folder of audio with a CSV: one row per file or segment.

Columns are ``file`` (path relative to the folder), optional ``start`` and ``end`` (seconds, or text
such as ``00:00:01.5``), and any of :data:`paraclap.tables.LABELS`. Other columns are not used, with
a note; one whose name is nearly ours is an error. File names may be spelled in another way than on
disk (upper case, composed letters, backslashes, no suffix) where exactly one file is meant. Cells
such as ``None`` or ``NA`` are missing values, with a note. Chapters 1 and 8.
"""

import contextlib
import os
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap import audio, tables
from paraclap.corpora import labels
from paraclap.tables import did_you_mean, report_rows

USUAL = "labels.csv"
SUFFIXES = (
    ".wav", ".flac", ".mp3", ".ogg", ".opus", ".sph", ".aif", ".aiff", ".au", ".caf", ".w64",
)  # fmt: skip
MISSING = ("", "na", "n/a", "#n/a", "nan", "none", "null", "<na>")


def load(
    root: Path, table: str, columns: Mapping[str, str], label_column: str = "emotion"
) -> labels.Found:
    """Read the CSV of a folder; arguments and errors are those of :func:`paraclap.corpora.load`."""
    found, notes = sorted(path.name for path in root.glob("*.csv")), list[str]()
    name = table or (USUAL if USUAL in found or len(found) != 1 else found[0])
    if not (root / name).is_file():
        msg = f"No table {name!r} in {root.name!r}, CSV files there: {found[:5]}. Give the name of "
        raise FileNotFoundError(f"{msg}one as corpus_table.{did_you_mean(name, found)}")
    form = {"dtype": "str", "keep_default_na": False, "skipinitialspace": True}
    rows = tables.read_csv(root / name, **form).rename(columns=str.strip)
    rows = labels.rename(rows, columns, name)
    rows = rows[_our_columns(rows, name, label_column, notes)]
    lines = [f"line {line}" for line in range(2, len(rows) + 2)]  # as counted by a text editor
    rows = rows.set_axis(pd.MultiIndex.from_arrays([lines])).apply(_cells, notes=notes)
    report_rows(rows, rows["file"].isna(), "file", name, "a path in each row")
    files = rows["file"].map(_find_files(list(rows["file"].unique()), root, name, notes))
    starts, ends = _seconds(rows, "start", name).fillna(0), _seconds(rows, "end", name)
    for dimension in {*tables.DIMENSIONS} & {*rows}:
        rows[dimension] = rows[dimension].str.replace(",", ".")  # a decimal comma
    if "corpus" not in rows:
        rows["corpus"] = root.name
    rows = rows.drop(columns=["file", "start", "end"], errors="ignore")
    return rows.set_axis(tables.segments(files, starts, ends)), name, notes


def save(table: pd.DataFrame, root: Path) -> Path:
    """Write segments as such a folder: a WAV file of each, and the CSV, which is returned."""
    names = [f"{number:03d}.wav" for number in range(len(table))]
    root.mkdir(parents=True, exist_ok=True)
    for name, (file, start, end) in zip(names, table.index, strict=True):
        content = audio.encode(audio.read(file, start, end), comment=audio.comment(file))
        (root / name).write_bytes(content)
    columns = [name for name in table if name in tables.LABELS and name != "corpus"]
    rows = table[columns].dropna(axis=1, how="all").reset_index(drop=True)
    rows.insert(0, "file", names)
    return tables.write_table(rows, root / USUAL)


def _our_columns(rows: pd.DataFrame, where: str, label_column: str, notes: list[str]) -> list[str]:
    """Names of columns that are ours; the others are noted."""
    ours = (*labels.COLUMNS, label_column)
    used = [str(name) for name in rows if name in ours]
    unused = [str(name) for name in rows if name not in ours]
    targets = ("emotion", "gender", *tables.DIMENSIONS, "label", label_column)
    problem = "".join(did_you_mean(name.lower(), {*ours} - {*used}) for name in unused)
    for lost, names in (("'file'", {"file"}), (f"for labels, such as {targets}", {*targets})):
        problem = problem if names & {*used} else f"No column {lost}.{problem}"
    if problem:
        msg = f"Bad columns {list(rows)[:20]} in {where}: {problem.strip()}"
        raise ValueError(f"{msg} Map columns with 'theirs=ours', leave them out with 'theirs='.")
    if rows.empty:
        raise ValueError(f"{where!r} has no row, expected at least one below the header.")
    if unused:
        notes.append(f"Columns not used: {', '.join(unused)}.")
    return used


def _cells(column: pd.Series, notes: list[str]) -> pd.Series:
    """Cells without spaces around; words for no value are missing, with a note."""
    cells = column.str.strip()
    empty = cells.str.lower().isin(MISSING)
    words = cells[empty & (cells != "")]
    if len(words):
        names = ", ".join(sorted(set(words)))
        notes.append(f"{len(words)} of {len(cells)} rows have no {column.name}: {names}.")
    return cells.mask(empty)


def _seconds(rows: pd.DataFrame, name: str, where: str) -> pd.Series:
    """Times of a column in seconds, NaN where there is none."""

    def seconds(cell: str) -> float:
        with contextlib.suppress(ValueError):
            return tables.seconds(cell)
        return np.inf

    cells = rows.get(name, pd.Series(None, rows.index, dtype="str"))
    times = cells.map(seconds, na_action="ignore").astype(float)
    form = "seconds such as 1.5, or a time such as 00:00:01.5"
    report_rows(rows, times == np.inf, name, where, form)
    return times


def walk(folder: Path) -> Iterator[Path]:
    """Files below a folder by path, hidden ones left out; links are followed, each once."""
    seen: set[str] = set()
    for here, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        folders[:] = [] if real in seen else sorted(name for name in folders if name[0] != ".")
        if real not in seen:
            yield from (Path(here, name) for name in sorted(files) if name[0] != ".")
        seen.add(real)


def _find_files(names: list[str], root: Path, where: str, notes: list[str]) -> dict[str, str]:
    """Paths of the files named, also where they are spelled in another way on disk."""
    found = {name: str(root / name) for name in names if os.path.exists(root / name)}  # noqa: PTH110 (speed)
    lost = [name for name in names if name not in found]
    there = defaultdict[str, list[str]](list)
    every = [path.relative_to(root).as_posix() for path in walk(root)] if lost else []
    for name in every:
        there[_spelling(name)].append(name)
        stem, suffix = os.path.splitext(name)  # noqa: PTH122 (a name)
        if suffix.lower() in SUFFIXES:
            there[_spelling(stem)].append(name)
    unclear = [name for name in lost if len(there[_spelling(name)]) != 1]
    if unclear:
        several = there[_spelling(unclear[0])]
        hint = f" It may be any of {several[:5]}." if several else did_you_mean(unclear[0], every)
        msg = f"{len(unclear)} files of {where} are not in {root.name!r}, first: {unclear[:5]}: "
        raise FileNotFoundError(f"{msg}copy them there, or leave their rows out.{hint}")
    if lost:
        first = f"{lost[0]!r} is {there[_spelling(lost[0])][0]!r}"
        notes.append(f"{len(lost)} files are spelled in another way on disk, such as: {first}.")
    return found | {name: str(root / there[_spelling(name)][0]) for name in lost}


def _spelling(name: str) -> str:
    """Path as names are compared: composed and small letters, slashes."""
    return unicodedata.normalize("NFC", os.path.normpath(name.replace("\\", "/"))).casefold()


def list_segments(
    files: tables.Files | Sequence[Path], notes: list[str] | None = None
) -> pd.MultiIndex:
    """Segments of a folder, a table on disk, a file, paths, or an index, without labels.

    Args:
        files: a folder gives all audio below it; a CSV or Parquet table its columns ``file`` and,
            if there are any, ``start`` and ``end``, with files beside it or in the project folder
        notes: a sentence is added on files that are left out

    Raises:
        FileNotFoundError: if the folder or table is not there
        ValueError: if there is no audio in it, it is no such table, or a segment comes twice
    """
    path = Path(files) if isinstance(files, str | os.PathLike) else None
    if path and not path.exists():
        msg = f"Nothing at {str(path)!r}, expected a folder, a table or an audio file."
        raise FileNotFoundError(msg)
    if path and path.is_dir():
        index = tables.segments(_audio_below(path, [] if notes is None else notes))
    elif path and path.suffix.lower() in (".csv", ".parquet"):
        index = _segments_of_table(path)
    else:
        index = tables.as_index(files)
    if len(twice := index[index.duplicated()]):
        names = [tables.short_name(row[0]) for row in twice[:5]]
        raise ValueError(f"{len(twice)} segments come twice (first: {names}), expected each once.")
    return index


def _audio_below(folder: Path, notes: list[str]) -> list[str]:
    """Audio files below a folder."""
    kinds = {path: path.suffix.lower() or "no suffix" for path in walk(folder)}
    found = [path for path, kind in kinds.items() if kind in SUFFIXES]
    silent = (*SUFFIXES, ".csv", ".txt", ".md", ".json", ".yaml", ".parquet")
    others = Counter(kind for kind in kinds.values() if kind not in silent)
    counts = ", ".join(f"{kind} {count}" for kind, count in others.most_common(5))
    note = f"{others.total()} files of other kinds not read: {counts}."
    if not found:
        raise ValueError(f"No audio in {str(folder)!r}, expected {SUFFIXES}. {note}")
    if others:
        notes.append(note)
    return list(map(str, found))


def _segments_of_table(path: Path) -> pd.MultiIndex:
    table = tables.read_csv(path)
    table = table if "file" in table else table.reset_index()
    if "file" not in table or table.empty or table["file"].isna().any():
        got = f"{len(table)} rows and the columns {list(table)[:20]}"
        msg = f"Bad table {tables.short_name(path)!r} with {got}, expected a path in each row of "
        raise ValueError(f"{msg}the column 'file'.")
    folder, files = path.resolve().parent, table["file"].astype(str)
    if not any((folder / file).exists() for file in files):
        folder = tables.project_folder()
    starts = table["start"].where(table["start"].notna(), 0) if "start" in table else None
    return tables.segments([folder / file for file in files], starts, table.get("end"))
