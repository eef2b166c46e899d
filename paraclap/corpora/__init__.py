"""Which speech and which labels there are: from folders on disk to one labels table.

:func:`load` takes one of

- a folder of audio with a CSV (`folder`) or an audformat database (`database`), whichever lies
  there;
- names with commas between: of the corpora of the paper (`known`), whose folders are parameters
  of their own, and of open ones (`open_data`), as ``audb:emodb@1.4.1``

and gives the same table for all: one row per segment on the audformat index, the columns of
``tables.LABELS``, absolute files, ends filled from the length of the files. Known corpora add
columns of their own: ``session``, and ``task:<name>`` for a further question about the same voices.

Two lists travel along in ``table.attrs``:

- ``notes``: sentences on what was decided for the user (splits drawn, columns not used, classes
  with one member, utterances left out), to be shown to them;
- ``failed``: ``file`` and ``reason`` of each file that cannot be read. Their segments stay in the
  table, with an end of NaT unless the corpus gives one; the feature step lists them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from paraclap.corpora import database, folder, known, several
from paraclap.corpora.known import folders
from paraclap.corpora.known import table as known_table
from paraclap.corpora.labels import finish, nearest, parse_columns

__all__ = ["database", "folder", "folders", "known", "known_table", "load"]

_Folders = Mapping[str, str]


def load(
    corpus: str | Path,
    table: str = "",
    label_column: str = "emotion",
    columns: str | Mapping[str, str] = "",
    seed: int = 0,
    folders: _Folders | None = None,
    learn_from: str = "",
    for_testing: bool = False,
) -> pd.DataFrame:
    """Labels table of any corpus on disk, or of several known ones.

    Args:
        corpus: folder with a CSV and audio, or with an audformat database (``db.yaml``); or names
            with commas between, each of a known corpus or ``audb:<name>@<version>``
        table: name of the CSV (``labels.csv``, or the only one, when empty), or names of the
            tables of the database, with commas between (all when empty)
        label_column: column with the class that the corpus's own task asks for
        columns: other names for the known columns, as a mapping or ``"theirs=ours,theirs=ours"``;
            ``"theirs="`` leaves a column out
        seed: for the split by speaker, when the corpus has no split
        folders: of the known corpora by name, see :func:`folders`
        learn_from: names, with commas between, of the corpora that keep all their splits; of the
            others only what is for testing is kept. The first when empty
        for_testing: nothing is learned from. Of a corpus named, its published test split is kept,
            or all of it where none is published; of a folder of one's own all is test, whatever
            splits it has

    Returns:
        checked labels table, see ``tables.check_labels``

    Raises:
        FileNotFoundError: if a folder, the CSV or an audio file is not there
        ValueError: if a column, word, number, time or split is not as it should be, or a
            parameter does not go with the corpus
    """
    found = several.names(str(corpus))
    if found:
        _check_unused(corpus_table=table, label_column=label_column, columns=columns)
        return several.load(found, folders or {}, learn_from, seed, for_testing=for_testing)
    if learn_from:
        msg = f"Bad learn_from {learn_from!r}: {str(corpus)!r} is one corpus, leave it empty."
        raise ValueError(msg)
    root = Path(corpus).expanduser()
    found_there = _from_folder(root, table, label_column, columns)
    return finish(*found_there, label_column, seed, for_testing=for_testing)


def _check_unused(**values: object) -> None:
    given = [name for name, value in values.items() if value and value != "emotion"]
    if given:
        msg = f"Bad {', '.join(given)}: for a folder of your own, not for corpora known by name."
        raise ValueError(msg)


def _from_folder(
    root: Path, table: str, label_column: str, columns: str | Mapping[str, str]
) -> tuple[pd.DataFrame, str, list[str]]:
    """Table, name and notes of a folder with a CSV or a database."""
    if not root.is_dir():
        hint = nearest(str(root).lower(), known.CORPORA)
        msg = f"No folder at {str(root)!r}{hint}: expected one with audio and a CSV, or a database."
        raise FileNotFoundError(msg)
    names = parse_columns(columns)
    if (root / "db.yaml").is_file():
        wanted = [name.strip() for name in table.split(",") if name.strip()]
        return database.load(root.resolve(), wanted, names)
    return folder.load(root.resolve(), table, names, label_column)
