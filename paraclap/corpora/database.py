"""Audformat databases, on disk or fetched by name with audb: tables put together by their files.

- Columns are found by name, see :data:`paraclap.tables.LABELS`. Gender (or sex) and language may
  also be the speaker's, in the labels of the speaker scheme. Languages get two-letter codes.
- The split is a column, else the table's own (``split_id``), else a word in the table's name.
- A file belongs to the corpus of the first table that has it: the table's name without split words,
  or the name of the database if there is one corpus only. In a corpus of segments, tables of files
  speak for all segments of a file.
- audb looks in its repositories and keeps audio, converted to mono at 16 kHz, in its cache: a
  second run needs no network. Of databases that are not :data:`PINNED` the latest version and all
  tables with a column ``emotion`` are taken. Chapter 1.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import iso639
import pandas as pd
from audformat import Database

from paraclap import audio
from paraclap.corpora import labels
from paraclap.tables import INDEX, LABELS, segments, unknown

PREFIX = "audb:"
PERSONAL = {"gender": "gender", "sex": "gender", "language": "language"}  # of a speaker, to ours
PINNED = {  # version, emotion tables; speakers are in the table "files"
    "crema-d": ("1.3.0", [f"emotion.categories.desired.{s}" for s in ("train", "dev", "test")]),
    "emodb": ("1.4.1", [f"emotion.categories.{s}.gold_standard" for s in ("train", "test")]),
    "ravdess": ("1.1.3", [f"emotion.speech.{s}" for s in ("train", "dev", "test")]),
}
_SPLIT = re.compile(rf"(?:^|[._\-\s])({'|'.join(labels.WORDS['split'])})(?![a-z])", re.IGNORECASE)


def load(root: Path, names: Sequence[str], columns: Mapping[str, str]) -> labels.Found:
    """Read tables of a database in a folder, all when empty, see :func:`paraclap.corpora.load`."""
    database = Database.load(str(root))
    for name in names:
        if name not in database.tables:
            raise ValueError(unknown("table", name, database.tables, repr(database.name)))
    table, notes = _read(database, root, list(names or database.tables), columns)
    return table, f"{database.name} ({root.name})", notes


def fetch(text: str) -> labels.Found:
    """Fetch a database such as ``audb:emodb@1.4.1`` with audb or its cache, and read its emotions.

    Without a version it is the pinned one, else the latest. FileNotFoundError if no repository has
    it, or none can be reached; ValueError if it has no table with a column ``emotion``.
    """
    import audb  # takes seconds

    name, _, version = (part.strip() for part in text.removeprefix(PREFIX).partition("@"))
    pinned, names = PINNED.get(name, ("", []))
    try:
        version = version or pinned or audb.latest_version(name)
        header = audb.info.header(name, version=version, load_tables=False)
    except RuntimeError as error:
        places = [repository.name for repository in audb.config.REPOSITORIES]
        msg = f"{error} audb looked in {places}, versions there: {audb.versions(name)[-20:]}: "
        raise FileNotFoundError(f"{msg}correct {text}, or check the network.") from error
    columns = {table: header[table].columns for table in header.tables}
    is_pinned = {*names, "files"} <= {*columns}
    emotions = names if is_pinned else [table for table in columns if "emotion" in columns[table]]
    if not emotions:
        msg = f"No table of {name} {version} has a column 'emotion': save it with audb.load_to, "
        raise ValueError(f"{msg}and give its folder as corpus, with names of columns.")
    # speakers may be in a table of their own; one of a split knows those of the split alone
    people = [t for t in columns if "speaker" in columns[t] and not _split_of(header, t)]
    wanted: dict[str, Any] = {"version": version, "num_workers": 8, "verbose": False}
    wanted["tables"] = list(dict.fromkeys([*emotions, *people[:1]]))
    bare = audb.load(name, only_metadata=True, full_path=False, **wanted)
    wanted["media"] = sorted({file for table in emotions for file in bare[table].files})
    wanted |= {"sampling_rate": audio.SAMPLING_RATE, "mixdown": True, "format": "wav"}
    found = audb.load(name, **wanted)
    table, notes = _read(found, Path(), wanted["tables"], {})
    table["corpus"] = name
    if "speaker" in table:
        table["speaker"] = name + "-" + table["speaker"].astype("str")
    licence = f"licence: {found.license or 'not given'}, use: {found.usage}"
    notes.insert(0, f"Version {version} from audb, {licence}; tables: {', '.join(emotions)}.")
    if is_pinned:
        table.attrs["unofficial_split"] = True
        notes.append("The split by speaker is audEERING's: the authors have published none.")
    return table, name, notes


def _read(
    database: Database, root: Path, names: Sequence[str], columns: Mapping[str, str]
) -> tuple[pd.DataFrame, list[str]]:
    """Tables of a database as one, and notes; `root` holds its relative files."""
    parts = {name: _part(database, name, root, columns) for name in names}
    used = {name: part for name, part in parts.items() if len(part.columns)}
    there = sorted({column for name in names for column in database[name].columns})
    absent = [theirs for theirs in columns if theirs not in there]
    if absent or not used:
        msg = f"No column {absent[:5] or 'of ours'} in database {database.name!r}, it has "
        raise ValueError(f"{msg}{there[:20]}: map them with the parameter columns.")
    table = _merged(used)
    if table["corpus"].nunique() == 1:
        table["corpus"] = str(database.name)
    unused = ", ".join(name for name in names if name not in used)
    return table, [f"Tables without a column of ours, not used: {unused}."] if unused else []


def _part(database: Database, name: str, root: Path, columns: Mapping[str, str]) -> pd.DataFrame:
    """Our columns of one table on the segmented index, with what its speakers and split say."""
    frame = database[name].get(as_segmented=True).astype(object)  # read only now
    here = {theirs: ours for theirs, ours in columns.items() if theirs in frame}
    frame = labels.rename(frame, here, f"table {name!r}")
    for theirs, ours in [*here.items(), ("speaker", "speaker")]:
        if ours == "speaker" and theirs in database[name].columns:
            _add_personal(frame, database, database[name].columns[theirs].scheme_id)
    files, *times = (frame.index.get_level_values(level) for level in INDEX)
    frame = frame[[column for column in frame if column in LABELS]]
    frame = frame.set_axis(segments([root / file for file in files], *times))
    if frame.columns.empty:
        return frame
    if "split" not in frame and (split := _split_of(database, name)):
        frame["split"] = split
    if "language" not in frame and len(database.languages) == 1:
        frame["language"] = str(database.languages[0])
    if "language" in frame:
        frame["language"] = frame["language"].map(_language, na_action="ignore")
    return frame


def _add_personal(frame: pd.DataFrame, database: Database, scheme: str | None) -> None:
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
    return (iso639.is_language(str(code)) and iso639.Lang(str(code)).pt1) or str(code)


def _split_of(database: Database, name: str) -> str:
    """Split that a table belongs to, by its own word or by its name; empty if it has none."""
    split_id = database[name].split_id
    if split_id is None:
        word = _SPLIT.search(name)
        return word[1] if word else ""
    kind = database.splits[split_id].type
    return str(kind if kind in labels.WORDS["split"] else split_id)


def _merged(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One table of several, with the column corpus; the first that has a value counts."""
    bases = {name: _SPLIT.split(name, maxsplit=1)[0] or name for name in parts}
    rows = pd.concat([part.reset_index().assign(corpus=bases[n]) for n, part in parts.items()])
    rows["corpus"] = rows.groupby("file")["corpus"].transform("first")
    is_file = rows["end"].isna()
    of_segments = rows["corpus"].isin(rows["corpus"][~is_file])
    table = rows[~is_file | ~of_segments].groupby(INDEX, sort=False, dropna=False).first()
    names = table.index.get_level_values("file")
    more = rows[is_file & of_segments].drop(columns=INDEX[1:]).groupby("file").first()
    table = table.combine_first(more.reindex(names).set_axis(table.index))
    return table.set_axis(segments(names, *(table.index.get_level_values(n) for n in INDEX[1:])))
