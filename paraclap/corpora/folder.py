"""A folder of audio with a CSV: one row per file or segment.

Columns are ``file`` (path relative to the folder), optional ``start`` and ``end`` (seconds, or text
such as ``00:00:01.5``), and any of :data:`paraclap.tables.LABELS`. Other columns are not used, with
a note; one whose name is nearly ours is an error. File names may be spelled in another way than on
disk where exactly one is meant. ``None`` or ``NA`` are missing values, with a note. Chapters 1, 8.
"""

import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from paraclap import audio, tables
from paraclap.corpora import labels
from paraclap.tables import did_you_mean, report_rows

USUAL = "labels.csv"
SUFFIXES = (
    ".wav", ".flac", ".mp3", ".ogg", ".opus", ".sph", ".aif", ".aiff", ".au", ".caf", ".w64",
)  # fmt: skip
TARGETS = ("emotion", "gender", *tables.DIMENSIONS, "label")


def load(root: Path, table: str, columns: Mapping[str, str], label_column: str) -> labels.Found:
    """Read the CSV of a folder; arguments and errors are those of :func:`paraclap.corpora.load`."""
    found, notes = sorted(path.name for path in root.glob("[!.]*.[CcTt][Ss][Vv]")), list[str]()
    name = table or (USUAL if USUAL in found or len(found) != 1 else found[0])
    if not (root / name).is_file():
        msg = f"No table {name!r} in {root.name!r}, CSV files there: {found[:5]}. Give the name of "
        raise FileNotFoundError(f"{msg}one as corpus_table.{did_you_mean(name, found)}")
    rows = _read(root / name, notes, (*TARGETS, label_column), root, dict(columns))
    return rows if "corpus" in rows else rows.assign(corpus=root.name), name, notes


def read_labels(path: Path, notes: list[str]) -> pd.DataFrame:
    """Labels that a table on disk has, in our words; files may be gone; errors as in `load`."""
    return labels.in_words(_read(path, notes, TARGETS, None, {}), path.name, notes)


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


def _read(
    path: Path, notes: list[str], targets: Sequence[str], root: Path | None, names: dict[str, str]
) -> pd.DataFrame:
    """Our columns of a table on disk, without targets those of the index alone."""
    rows, name = tables.read_csv(path, dtype="str", keep_default_na=False), path.name
    rows = rows.reset_index() if "file" in rows.index.names else rows
    rows = labels.rename(rows.rename(columns=lambda one: str(one).strip()), names, name)
    ours = {*labels.COLUMNS, *targets} if targets else {*tables.INDEX}
    used = [one for one in rows if one in ours]
    unused = [str(one) for one in rows if one not in {*ours, *labels.COLUMNS}]
    problem = "".join(_meant(one, ours - {*used}) for one in unused)
    for lost, any_of in (("'file'", {"file"}), (f"for labels, such as {targets}", {*targets})):
        problem = problem if any_of & {*used} or not any_of else f" No column {lost}.{problem}"
    if problem:
        msg = f"Bad columns {list(rows)[:20]} in {name}: {problem.strip()} Rename columns, or map "
        raise ValueError(f"{msg}them with 'theirs=ours', leave them out with 'theirs='.")
    if rows.empty:
        raise ValueError(f"{name!r} has no row, expected at least one below the header.")
    if unused:
        notes.append(f"Columns not used: {', '.join(unused[:5])}{', …' * (len(unused) > 5)}.")
    lines = [f"line {line}" for line in range(2, len(rows) + 2)]  # as counted by a text editor
    rows = rows[used].set_axis(pd.MultiIndex.from_arrays([lines])).apply(_cells, notes=notes)
    report_rows(rows, rows["file"].isna(), "file", name, "a path in each row")
    asked = rows["file"].astype("str")
    files = _located(asked, root or tables.home_of(path, asked), name, notes, bool(root))
    try:
        index = tables.segments(files, rows.get("start"), rows.get("end"))
    except ValueError as error:
        raise ValueError(f"Bad start or end in {name}: {error}") from error
    return rows.drop(columns=tables.INDEX, errors="ignore").set_axis(index)


def _meant(name: str, ours: set[str]) -> str:
    """Hint at one of our columns that another name may mean, such as StartTime."""
    parts = (part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name))
    words = {labels.WORDS["column"].get(part, part) for part in parts} & ours
    return did_you_mean(min(words, default=name.lower()), sorted(ours))


def _cells(column: pd.Series, notes: list[str]) -> pd.Series:
    """Cells without spaces around; words for no value are missing, with a note."""
    if column.dtype.kind != "O":  # numbers and durations of Parquet
        return column
    cells = column.astype("str").str.strip()
    cells = cells if column.name == "file" else cells.str.normalize("NFC")
    if column.name in tables.DIMENSIONS:
        cells = cells.str.replace(",", ".")
    empty = cells.str.lower().isin(["", *labels.WORDS["missing"]])
    labels.note_missing(cells[empty & (cells != "")], len(cells), notes)
    return cells.mask(empty)


def walk(folder: Path) -> Iterator[Path]:
    """Files below a folder by path, hidden ones left out; links are followed, each once."""
    seen: set[str] = set()
    for here, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        folders[:] = [] if real in seen else sorted(name for name in folders if name[0] != ".")
        if real not in seen:
            yield from (Path(here, name) for name in sorted(files) if name[0] != ".")
        seen.add(real)


def _located(names: pd.Series, root: Path, where: str, notes: list[str], strict: bool) -> pd.Series:
    """Paths of the files named, also where they are spelled in another way on disk."""
    found = {name: os.path.normpath(root / name) for name in names.unique()}
    lost = [name for name, path in found.items() if not os.path.isfile(path)]  # noqa: PTH113 (speed)
    there = defaultdict[str, list[str]](list)
    is_below = any(found[name].startswith(f"{root}{os.sep}") for name in lost)
    every = [path.relative_to(root).as_posix() for path in walk(root)] if is_below else []
    for name in every:
        there[_spelling(name, root)].append(name)
        stem, suffix = os.path.splitext(name)  # noqa: PTH122 (a name)
        if suffix.lower() in SUFFIXES:
            there[_spelling(stem, root)].append(name)
    meant = {name: there[_spelling(name, root)] for name in lost}
    unclear = sorted((name for name in lost if len(meant[name]) != 1), key=lambda n: not meant[n])
    if unclear:
        several = meant[unclear[0]]
        hint = f" It may be any of {several[:5]}." if several else did_you_mean(unclear[0], every)
        msg = f"{len(unclear)} files of {where} are not in {root.name!r}, first: {unclear[:5]}: "
        msg += f"copy them there, or leave their rows out.{hint}"
        if strict or several:
            raise FileNotFoundError(msg)
        notes.append(msg)
    if clear := [name for name in lost if len(meant[name]) == 1]:
        first = f"{clear[0]!r} is {meant[clear[0]][0]!r}"
        notes.append(f"{len(clear)} files are spelled in another way on disk, such as: {first}.")
    return names.map(found | {name: str(root / meant[name][0]) for name in clear})


def _spelling(name: str, root: Path) -> str:
    """Path as names are compared: below root, composed and small letters, slashes."""
    below = os.path.relpath(root / name.replace("\\", "/"), root)
    return unicodedata.normalize("NFC", below).casefold()


def list_segments(files: tables.Files, notes: list[str] | None = None) -> pd.MultiIndex:
    """Segments of a folder, a table on disk, a file, paths, or an index, without labels.

    A folder gives all audio below it; a CSV or Parquet table its columns ``file`` and, if there are
    any, ``start`` and ``end``, with files beside it or in the working folder. ``notes`` gets
    sentences on files that are left out, and on what a table lacks. FileNotFoundError if there is
    nothing; ValueError if it has no audio, is no such table, or a segment comes twice.
    """
    path = Path(files) if isinstance(files, str | os.PathLike) else None
    notes = [] if notes is None else notes
    if path and not path.exists():
        msg = f"Nothing at {str(path)!r}, expected a folder, a table or an audio file."
        raise FileNotFoundError(msg)
    if path and path.is_dir():
        index = tables.segments(_audio_below(path, notes))
    elif path and path.suffix.lower() in (".csv", ".tsv", ".txt", ".parquet"):
        index = tables.as_index(_read(path, notes, (), None, {}))
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
