"""Any audformat database on disk: tables found by their columns, put together by their files.

- Columns are found by name (emotion, gender, arousal, valence, dominance, label, speaker, split,
  language). Gender (or sex) and language may also be the speaker's, in the labels of the speaker
  scheme. Languages get their two-letter code, where they have one.
- The split is a column, else the table's own (``split_id``), else a word in the table's name
  (``categories.consensus.train``).
- Tables about the same files are one corpus, as in databases that keep emotions, dimensions and
  speakers apart. A corpus has the name of the database when it is the only one, else that of its
  first table, split words aside. A table of whole files speaks for all segments of these files.

Source: audformat, https://audeering.github.io/audformat
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
from paraclap.provenance import first_line
from paraclap.reading import outside
from paraclap.tables import INDEX, LABELS, segments

PERSONAL = {"gender": "gender", "sex": "gender", "language": "language"}  # of a speaker, to ours


def load(
    root: Path, tables: Sequence[str], columns: Mapping[str, str]
) -> tuple[pd.DataFrame, str, list[str]]:
    """Read the tables of a database in a folder.

    Args:
        root: folder with ``db.yaml``
        tables: their names; all when empty
        columns: their names of columns to ours

    Returns:
        table on the segmented index, names of database and folder, notes for the user

    Raises:
        ValueError: if it cannot be read, a table is not there, or none has a known column
    """
    table, name, notes = read(_database(root), root, tables, columns)
    away = outside(table.index.get_level_values("file"), root)
    if away:
        msg = f"{len(away)} files of database {name!r} in {root.name!r} lie outside of it, first: "
        raise ValueError(f"{msg}{away[:5]}: give paths in it, or put links to these files there.")
    return table, f"{name} ({root.name})", notes


def read(
    database: audformat.Database, root: Path, tables: Sequence[str], columns: Mapping[str, str]
) -> tuple[pd.DataFrame, str, list[str]]:
    """Read the tables of a database that is at hand.

    Args:
        database: with its tables
        root: folder that its files are relative to, unless they are absolute
        tables: their names; all when empty
        columns: their names of columns to ours

    Returns:
        table on the segmented index, name of the database, notes for the user

    Raises:
        ValueError: if a table is not there, or none has a known column
    """
    names = _names(database, tables)
    parts = {name: _part(database, name, root, columns) for name in names}
    used = {name: part for name, part in parts.items() if len(part.columns)}
    absent = [theirs for theirs in columns if not any(theirs in database[name] for name in names)]
    if absent or not used:
        problem = f"No column {absent[:5]}" if absent else "No known column"
        found = sorted({column for name in names for column in database[name].columns})
        msg = f"{problem} in database {database.name!r}, it has {found[:20]}: map them by columns."
        raise ValueError(msg)
    groups = _groups(used)
    merged = [_merged([used[name] for name in group]) for group in groups]
    corpora = [_base(group[0]) for group in groups] if len(groups) > 1 else [database.name]
    for table, corpus in zip(merged, corpora, strict=True):
        table["corpus"] = corpus
    unused = [name for name in names if name not in used]
    notes = [f"Tables without a known column, not used: {', '.join(unused)}."] if unused else []
    return pd.concat(merged), str(database.name), notes


def _database(root: Path) -> audformat.Database:
    try:
        return audformat.Database.load(str(root))
    except Exception as error:  # whatever YAML, Parquet and audformat find wrong with a database
        reason = first_line(error)
        msg = f"Cannot read the database in {root.name!r} ({reason}): is it complete? "
        msg += "Copy it again."
        raise ValueError(msg) from error


def _names(database: audformat.Database, tables: Sequence[str]) -> list[str]:
    known = list(database.tables)
    unknown = [name for name in tables if name not in known]
    if unknown:
        hint = labels.nearest(unknown[0], known)
        msg = f"No table {unknown[:5]}{hint} in database {database.name!r}, it has {known[:20]}."
        raise ValueError(msg)
    return list(tables) or known


def _part(
    database: audformat.Database, name: str, root: Path, columns: Mapping[str, str]
) -> pd.DataFrame:
    """Known columns of one table on the segmented index, with what its speakers and split say."""
    table = database[name]
    frame = _frame(database, name, root)
    here = {theirs: ours for theirs, ours in columns.items() if theirs in frame}
    frame = labels.rename(frame, here, f"table {name!r}")
    for theirs, ours in [*here.items(), ("speaker", "speaker")]:
        if ours == "speaker" and theirs in table.columns:
            frame = _with_speakers(frame, _scheme_labels(database, table, theirs))
    frame = frame[[column for column in frame if column in LABELS]]
    if len(frame.columns) and "split" not in frame and (split := split_of(database, name)):
        frame["split"] = split
    frame = labels.numbers(frame.set_axis(_index(frame.index, root)), f"table {name!r}")
    if len(frame.columns) and "language" not in frame and len(database.languages) == 1:
        frame["language"] = str(database.languages[0])
    if "language" in frame:
        frame["language"] = frame["language"].map(_language, na_action="ignore")
    return frame


def _frame(database: audformat.Database, name: str, root: Path) -> pd.DataFrame:
    """All of a table, which is only read now."""
    try:
        frame: pd.DataFrame = database[name].get().astype(object)
        files = audformat.utils.to_segmented_index(frame.index, allow_nat=True).get_level_values(0)
        if files.isna().any():
            raise ValueError(f"{files.isna().sum()} rows without a file")
        return frame
    except Exception as error:  # see _database
        msg = (
            f"Cannot read table {name!r} of database {database.name!r} in {root.name!r} "
            f"({first_line(error)}): copy it again."
        )
        raise ValueError(msg) from error


def _index(index: pd.Index, root: Path) -> pd.MultiIndex:
    index = audformat.utils.to_segmented_index(index, allow_nat=True)
    files = [str(root / file) for file in index.get_level_values("file")]
    return segments(files, index.get_level_values("start"), index.get_level_values("end"))


def _scheme_labels(
    database: audformat.Database, table: audformat.Table, column: str
) -> Mapping[str, Any]:
    scheme = table.columns[column].scheme_id
    found = database.schemes[scheme].labels if scheme in database.schemes else None
    if isinstance(found, str):  # kept in a table of the database instead of its header
        found = database[found].get().to_dict("index")
    return found if isinstance(found, Mapping) else {}


def _with_speakers(frame: pd.DataFrame, people: Mapping[str, Any]) -> pd.DataFrame:
    """Table with gender and language of its speakers, where it has none of its own."""
    for theirs, ours in PERSONAL.items():
        known = {
            name: person[theirs]
            for name, person in people.items()
            if isinstance(person, Mapping) and theirs in person
        }
        if known and ours not in frame:
            frame[ours] = frame["speaker"].map(known)
    return frame


def _language(code: object) -> str:
    """Two-letter code of a language, the code or name itself where there is none.

    Examples:
        >>> _language("est"), _language("deu"), _language("en-us")
        ('et', 'de', 'en-us')
    """
    known = iso639.is_language(str(code))
    return (known and iso639.Lang(str(code)).pt1) or str(code)


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[._\-\s]+", name) if word]


def split_of(database: audformat.Database, name: str) -> str | None:
    """Split that a table belongs to, by its own word or by its name."""
    split_id = database[name].split_id
    if split_id is not None:
        kind = database.splits[split_id].type
        return str(kind if kind in labels.SPLIT_WORDS else split_id)
    found = [word for word in _words(name.lower()) if word in labels.SPLIT_WORDS]
    return found[0] if found else None


def _base(name: str) -> str:
    """Name of a table without split words and the numbers behind them.

    Examples:
        >>> _base("categories.consensus.test-1")
        'categories.consensus'
    """
    match = re.split(rf"[._\-\s]({'|'.join(labels.SPLIT_WORDS)})(?![a-z])", name, maxsplit=1)
    return match[0]


def _groups(parts: Mapping[str, pd.DataFrame]) -> list[list[str]]:
    """Names of tables, those that are parts of one corpus together, in their order."""
    groups: list[tuple[list[str], set[str]]] = []
    for name, part in parts.items():
        files = set(part.index.get_level_values("file"))
        near = [
            group
            for group in groups
            if group[1] & files or _base(name) in {_base(other) for other in group[0]}
        ]
        groups = [group for group in groups if group not in near]
        names = [*(other for group in near for other in group[0]), name]
        groups.append((names, files.union(*(group[1] for group in near))))
    return [names for names, _ in groups]


def _merged(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One table of several about the same files; the first that knows a value says it."""
    if len(parts) == 1:
        return parts[0].copy()
    whole = [part for part in parts if _is_filewise(part)]
    pieces = [part for part in parts if not _is_filewise(part)]
    if not (whole and pieces):
        return _combined(parts)
    table = _combined(pieces)
    by_file = _combined(whole).droplevel(["start", "end"])
    files = table.index.get_level_values("file")
    said = by_file.reindex(files).set_axis(table.index)
    return table.combine_first(said)


def _is_filewise(part: pd.DataFrame) -> bool:
    frame = part.index.to_frame(index=False)
    return bool((frame["start"] == pd.Timedelta(0)).all() and frame["end"].isna().all())


def _combined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Outer join of tables: a row per segment, first value of each column."""
    rows = pd.concat([part.reset_index() for part in parts], ignore_index=True)
    merged = rows.groupby(INDEX, sort=False, dropna=False).first()
    return merged.set_axis(segments(*(merged.index.get_level_values(name) for name in INDEX)))
