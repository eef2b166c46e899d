"""Segments of a folder, a table on disk, or files, as one index, without labels.

A folder gives all audio below it, hidden files left out; a CSV or Parquet table gives its columns
``file`` and, if there are any, ``start`` and ``end``. The shell takes files in this way; chapter 8.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from paraclap import tables
from paraclap.corpora.folder import SUFFIXES, walk


def list_segments(
    files: tables.Files | Sequence[Path], notes: list[str] | None = None
) -> pd.MultiIndex:
    """Segments of a folder, a table on disk, a file, paths, or an index.

    Args:
        files: relative files of a table lie beside it, or in the project folder
        notes: sentences are added on files that are left out

    Raises:
        FileNotFoundError: if the folder or table is not there
        ValueError: if there is no audio in it, it is no such table, or a segment comes twice
    """
    path = Path(files) if isinstance(files, str | os.PathLike) else None
    if path is None:
        index = tables.as_index(files)
    elif path.is_dir():
        index = tables.segments(_below(path, [] if notes is None else notes))
    elif not path.exists():
        msg = f"Nothing at {str(path)!r}, expected a folder, a table or an audio file."
        raise FileNotFoundError(msg)
    elif path.suffix.lower() in (".csv", ".parquet"):
        index = _of_table(path)
    else:
        index = tables.segments([path])
    if len(twice := index[index.duplicated()]):
        names = [tables.short_name(row[0]) for row in twice[:5]]
        raise ValueError(f"{len(twice)} segments come twice (first: {names}), expected each once.")
    return index


def _below(folder: Path, notes: list[str]) -> list[str]:
    """Audio files below a folder; bytes of names that are not UTF-8 are written out."""
    found, others = [], Counter[str]()
    for path in walk(folder):
        if path.suffix.lower() in SUFFIXES:
            found.append(os.fsencode(path).decode("utf-8", "backslashreplace"))
        elif path.suffix.lower() not in (".csv", ".txt", ".md", ".json", ".yaml", ".parquet"):
            others[path.suffix.lower() or "no suffix"] += 1
    if others:
        kinds = ", ".join(f"{kind} {count}" for kind, count in others.most_common(5))
        notes.append(f"{others.total()} files of other kinds not read: {kinds}.")
    if not found:
        kinds = f" ({notes[-1]})" if others else ""
        msg = f"No audio in {str(folder)!r}{kinds}, expected files that end in one of {SUFFIXES}."
        raise ValueError(msg)
    return found


def _of_table(path: Path) -> pd.MultiIndex:
    table = tables.read_csv(path)
    table = table if "file" in table else table.reset_index()
    if "file" not in table or not len(table) or table["file"].isna().any():
        got = f"{len(table)} rows and the columns {list(table)[:20]}"
        msg = f"Bad table {tables.short_name(path)!r} with {got}, expected a path in each row of "
        raise ValueError(f"{msg}the column 'file'.")
    beside = path.resolve().parent
    is_beside = any((beside / str(file)).exists() for file in table["file"])
    folder = beside if is_beside else tables.project_folder()
    starts = table["start"].where(table["start"].notna(), 0) if "start" in table else None
    return tables.segments([folder / str(file) for file in table["file"]], starts, table.get("end"))
