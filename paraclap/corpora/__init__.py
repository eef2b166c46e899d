"""From corpora on disk to one labels table, the same for all of them.

A row is a segment, with absolute files, ends filled from the length of the files, and the columns
of ``tables.LABELS``. Two lists are in ``attrs``: ``notes`` has sentences on what was decided for
the user; ``failed`` has ``file`` and ``reason`` of files that cannot be read, whose segments stay
in the table. Chapter 1.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from paraclap import tables
from paraclap.corpora import database, folder, labels, paper, people
from paraclap.tables import did_you_mean, unknown

__all__ = ["database", "folder", "load", "paper", "people"]


def load(
    corpus: str | Path,
    table: str = "",
    label_column: str = "emotion",
    columns: str | Mapping[str, str] = "",
    seed: int = 0,
    folders: Mapping[str, str] | None = None,
    learn_from: str = "",
    for_testing: bool = False,
) -> pd.DataFrame:
    """Labels table of any corpus on disk, or of several named ones.

    Args:
        corpus: folder with a CSV and audio, or with an audformat database (``db.yaml``); or names
            with commas between, each of a corpus of the paper or ``audb:<name>@<version>``
        table: name of the CSV (``labels.csv``, or the only one, when empty), or names of the
            tables of the database, with commas between (all when empty)
        label_column: column with the class of the corpus's own task
        columns: a mapping or ``"theirs=ours,theirs=ours"``; ``"theirs="`` leaves a column out
        seed: for the split by speaker, when the corpus has no split
        folders: of the paper's corpora by name, see :func:`paraclap.corpora.paper.folders`
        learn_from: names, with commas between, of the corpora that keep all their splits (the
            first when empty); of the others only test is kept, or all where no split is published
        for_testing: whether none keeps its splits; a folder of one's own is then all test

    FileNotFoundError if a folder, the CSV or an audio file is not there; ValueError if a column,
    word, number, time or split is not as it should be, splits share speakers or recordings, no file
    can be read, or a parameter does not go with the corpus.
    """
    names, root = _names(str(corpus)), Path(corpus).expanduser()
    given = {"corpus_table": table, "label_column": label_column, "columns": columns}
    unused = [name for name, value in given.items() if value and value != "emotion"]
    if names and unused:
        raise ValueError(f"Bad {', '.join(unused)}: only for a folder, not for named corpora.")
    if learn_from and (for_testing or not names):
        reason = "for_testing=True learns from none" if names else f"{root.name!r} is one corpus"
        raise ValueError(f"Bad learn_from {learn_from!r}: {reason}, leave it empty.")
    if names:
        learned = [] if for_testing else _parts(learn_from) or list(names)[:1]
        return _load_several(names, folders or {}, learned, seed)
    if not root.is_dir():
        hint = did_you_mean(str(root).lower(), paper.CORPORA)
        msg = f"No folder at {str(root)!r}, expected one with audio and a CSV, or a database.{hint}"
        raise FileNotFoundError(msg)
    renamed = labels.parse_columns(columns)
    if (root / "db.yaml").is_file():
        found = database.load(root.resolve(), _parts(table), renamed)
    else:
        found = folder.load(root.resolve(), table, renamed, label_column)
    return labels.finish(found, label_column, seed, for_testing=for_testing)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _names(text: str) -> dict[str, str]:
    """Names of corpora in a text, and how each is written there; empty for a path."""
    parts = _parts(text)
    other = [p for p in parts if p not in paper.CORPORA and not p.startswith(database.PREFIX)]
    if len(other) == len(parts) or (other and Path(text).expanduser().is_dir()):
        return {}
    if other:
        msg = unknown("corpus", other[0], [*paper.CORPORA, "audb:<name>@<version>"])
        raise ValueError(f"{msg} A folder or the built-in speech cannot stand beside names.")
    names = {part.removeprefix(database.PREFIX).split("@")[0].strip(): part for part in parts}
    if len(names) < len(parts) or "" in names:
        raise ValueError(f"Bad corpus {text!r}, expected each once: 'ravdess, audb:emodb@1.4.1'.")
    return names


def _load_several(
    names: Mapping[str, str], folders: Mapping[str, str], learned: list[str], seed: int
) -> pd.DataFrame:
    """Labels of some corpora; those learned from keep their splits."""
    for wanted in learned:
        if wanted not in (*names, *names.values()):
            raise ValueError(unknown("corpus", wanted, names.values(), "learn_from"))
    homes = paper.homes([name for name, text in names.items() if text == name], folders)
    parts, notes, failed = list[pd.DataFrame](), list[str](), list[dict[str, str]]()
    for name, text in names.items():
        found = paper.CORPORA[name].read(homes[name]) if name in homes else database.fetch(text)
        learn = name in learned or text in learned
        found = found if learn else _test_part(*found)
        parts.append(labels.finish(found, seed=seed, for_testing=not learn))
        notes += [f"{name}: {note}" for note in parts[-1].attrs["notes"]]
        failed += parts[-1].attrs["failed"]
    table = tables.check_labels(pd.concat(parts), "the labels of all corpora")
    table.attrs = {"notes": notes, "failed": failed}
    return table


def _test_part(table: pd.DataFrame, where: str, notes: list[str]) -> labels.Found:
    """Rows to test on: those of the published test split, or all where none is published."""
    if "split" not in table or "unofficial_split" in table.attrs:
        return table, where, [*notes, "No split is published: all of it is tested on."]
    splits = labels.given_splits(table, where)
    test = splits == "test"
    if not test.any():
        raise ValueError(f"No test split in {where}, got {sorted({*splits})}: only learn from it.")
    note = f"Only its test split is kept: {test.sum():,} of {len(table):,} utterances."
    return table[test], where, [*notes, note]
