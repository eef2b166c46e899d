"""Audformat databases: tables found by their columns, put together by their files.

- Columns are found by name, see :data:`paraclap.tables.LABELS`. Gender (or sex) and language may
  also be the speaker's, in the labels of the speaker scheme. Languages get two-letter codes.
- The split is a column, else the table's own (``split_id``), else a word in the table's name
  (``categories.consensus.train``).
- Tables about the same files are one corpus. It has the name of the database when it is the only
  one, else that of its first table without split words. A table of files speaks for all segments
  of these files.

Chapter 1. Source: https://audeering.github.io/audformat
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import audformat
import iso639
import pandas as pd

from paraclap.corpora import labels
from paraclap.tables import INDEX, LABELS, segments, unknown

PERSONAL = {"gender": "gender", "sex": "gender", "language": "language"}  # of a speaker, to ours
Found = tuple[pd.DataFrame, str, list[str]]  # table on the segmented index, its name, notes


def load(root: Path, tables: Sequence[str], columns: Mapping[str, str]) -> Found:
    """Read the tables of a database in a folder, see :func:`paraclap.corpora.load`.

    Returns:
        table on the segmented index, name of the database, notes for the user

    Raises:
        ValueError: if it cannot be read, a table is not there, or none has a column of ours
    """
    try:
        database = audformat.Database.load(str(root))
    except Exception as error:  # YAML, Parquet and audformat have their own kinds
        raise ValueError(_unreadable("the database", root, error)) from error
    table, name, notes = read(database, root, tables, columns)
    return table, f"{name} ({root.name})", notes


def read(
    database: audformat.Database, root: Path, tables: Sequence[str], columns: Mapping[str, str]
) -> Found:
    """Read the tables of a loaded database, see :func:`load`; `root` holds its relative files."""
    for name in tables:
        if name not in database.tables:
            raise ValueError(unknown("table", name, database.tables, repr(database.name)))
    names = list(tables) or list(database.tables)
    parts = {name: _part(database, name, root, columns) for name in names}
    used = {name: part for name, part in parts.items() if len(part.columns)}
    found = sorted({column for name in names for column in database[name].columns})
    absent = [theirs for theirs in columns if theirs not in found]
    if absent or not used:
        msg = f"No column {absent[:5] or 'of ours'} in database {database.name!r}, it has "
        raise ValueError(f"{msg}{found[:20]}: map them with the parameter columns.")
    merged = {}
    for group in (groups := _groups(used)):
        corpus = _base(group[0]) if len(groups) > 1 else str(database.name)
        merged[group[0]] = _merged([used[name] for name in group]).assign(corpus=corpus)
    unused = ", ".join(name for name in names if name not in used)
    notes = [f"Tables without a column of ours, not used: {unused}."] if unused else []
    return pd.concat(merged.values()), str(database.name), notes


def _unreadable(what: str, root: Path, error: Exception) -> str:
    reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
    return f"Cannot read {what} in {root.name!r} ({reason}): is it complete? Copy it again."


def _part(
    database: audformat.Database, name: str, root: Path, columns: Mapping[str, str]
) -> pd.DataFrame:
    """Our columns of one table on the segmented index, with what its speakers and split say."""
    try:
        frame = database[name].get(as_segmented=True).astype(object)  # read only now
        if frame.index.get_level_values("file").isna().any():
            raise ValueError("rows without a file")
    except Exception as error:  # see load
        raise ValueError(_unreadable(f"table {name!r}", root, error)) from error
    here = {theirs: ours for theirs, ours in columns.items() if theirs in frame}
    frame = labels.rename(frame, here, f"table {name!r}")
    for theirs, ours in [*here.items(), ("speaker", "speaker")]:
        if ours == "speaker" and theirs in database[name].columns:
            _add_personal(frame, database, database[name].columns[theirs].scheme_id)
    files = [root / file for file in frame.index.get_level_values("file")]
    times = (frame.index.get_level_values(side) for side in INDEX[1:])
    kept = [column for column in frame if column in LABELS]
    frame = frame[kept].set_axis(segments(files, *times))
    if kept and "split" not in frame and (split := split_of(database, name)):
        frame["split"] = split
    if kept and "language" not in frame and len(database.languages) == 1:
        frame["language"] = str(database.languages[0])
    if "language" in frame:
        frame["language"] = frame["language"].map(_language, na_action="ignore")
    return frame


def _add_personal(frame: pd.DataFrame, database: audformat.Database, scheme: str | None) -> None:
    """Add gender and language of the speakers, where the table has none of its own."""
    people = database.schemes[scheme].labels if scheme in database.schemes else None
    if isinstance(people, str):  # kept in a table of the database instead of its header
        people = database[people].get().to_dict("index")
    rows: dict[Any, Any] = people if isinstance(people, dict) else {}
    for theirs, ours in PERSONAL.items():
        values = {name: row[theirs] for name, row in rows.items() if theirs in (row or ())}
        if values and ours not in frame:
            frame[ours] = frame["speaker"].map(values)


def _language(code: object) -> str:
    """Two-letter code of a language (deu → de), the code itself where there is none."""
    is_language = iso639.is_language(str(code))
    return (is_language and iso639.Lang(str(code)).pt1) or str(code)


def split_of(database: audformat.Database, name: str) -> str | None:
    """Split that a table belongs to, by its own word or by its name."""
    split_id = database[name].split_id
    if split_id is not None:
        kind = database.splits[split_id].type
        return str(kind if kind in labels.SPLIT_WORDS else split_id)
    words = re.split(r"[._\-\s]+", name.lower())
    return next((word for word in words if word in labels.SPLIT_WORDS), None)


def _base(name: str) -> str:
    """Name of a table without split words and the numbers behind them.

    >>> _base("categories.consensus.test-1")
    'categories.consensus'
    """
    words = "|".join(labels.SPLIT_WORDS)
    return re.split(rf"[._\-\s]({words})(?![a-z])", name, maxsplit=1)[0]


def _groups(parts: Mapping[str, pd.DataFrame]) -> list[list[str]]:
    """Names of tables, those about one corpus together."""
    groups: list[tuple[list[str], set[str]]] = []  # names, with their files and bases of names
    for name, part in parts.items():
        names, marks = [name], {_base(name), *part.index.get_level_values("file")}
        for group in [group for group in groups if group[1] & marks]:
            groups.remove(group)
            names, marks = [*names, *group[0]], marks | group[1]
        groups.append((names, marks))
    return [sorted(names, key=list(parts).index) for names, _ in groups]


def _merged(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table of several about the same files; the first that has a value counts."""
    files = [part for part in parts if _is_filewise(part)]
    pieces = [part for part in parts if not _is_filewise(part)]
    rows = pd.concat([part.reset_index() for part in pieces or files], ignore_index=True)
    table = rows.groupby(INDEX, sort=False, dropna=False).first()
    table = table.set_axis(segments(*(table.index.get_level_values(name) for name in INDEX)))
    if not pieces:
        return table
    names = table.index.get_level_values("file")
    for part in files:
        table = table.combine_first(
            part.droplevel(["start", "end"]).reindex(names).set_axis(table.index)
        )
    return table


def _is_filewise(part: pd.DataFrame) -> bool:
    starts, ends = (part.index.get_level_values(side) for side in INDEX[1:])
    return bool((starts == pd.Timedelta(0)).all() and ends.isna().all())
