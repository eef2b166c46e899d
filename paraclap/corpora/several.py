"""Several corpora as one table: some to learn from, the others only to be tested on.

A corpus is named, not pointed at: one of the known corpora (`known`), whose folder is a parameter,
or `audb:<name>@<version>` (`open_data`), which is downloaded. Those learned from keep all their
splits. Of the others only what is for testing is kept: the published test split, or everything
where none is published, so that nobody is heard in training by mistake. Where nothing is learned
from, this holds for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from paraclap.corpora import known, labels
from paraclap.tables import LABELS, check_labels

OPEN = "audb:"
_REMEDY = "to test on it only, say for_testing=True, or name others in learn_from"


class Name(NamedTuple):
    """What a text asks for: a known corpus, or an open one and its version."""

    text: str
    name: str
    version: str
    is_open: bool


def names(text: str) -> list[Name]:
    """Corpora that a text names with commas between; none if it is the path of a folder.

    Raises:
        ValueError: if a corpus is named twice, or some parts are names and others are not

    Examples:
        >>> [name.name for name in names("tess, audb:emodb@1.4.1")]
        ['tess', 'emodb']
        >>> names("data/my corpus")
        []
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    found = [_name(part) for part in parts if part in known.CORPORA or part.startswith(OPEN)]
    if not found or (len(found) < len(parts) and Path(text).expanduser().is_dir()):
        return []
    if len(found) < len(parts):
        wanted = {name.text for name in found}
        other = [part for part in parts if part not in wanted]
        msg = (
            f"Bad corpus {other[:5]}{labels.nearest(other[0].lower(), known.CORPORA)}, expected "
            f"only names where there is one: of {list(known.CORPORA)} or audb:<name>@<version>. "
            "A folder or the built-in speech cannot stand beside them."
        )
        raise ValueError(msg)
    _check_once(found)
    return found


def _name(part: str) -> Name:
    name, _, version = part.removeprefix(OPEN).partition("@")
    return Name(part, name.strip(), version.strip(), part.startswith(OPEN))


def _check_once(found: Sequence[Name]) -> None:
    bare = [name.name for name in found]
    twice = sorted({name for name in bare if bare.count(name) > 1})
    if twice or not all(bare):
        got = f"{twice[:5]} twice" if twice else f"{OPEN!r} without a name"
        msg = f"Bad corpus: {got}, expected each corpus once, such as 'ravdess, audb:emodb@1.4.1'."
        raise ValueError(msg)


def load(
    wanted: Sequence[Name],
    folders: Mapping[str, str],
    learn_from: str,
    seed: int,
    *,
    for_testing: bool = False,
) -> pd.DataFrame:
    """Labels table of several corpora.

    Args:
        wanted: from :func:`names`
        folders: of the known corpora, by name
        learn_from: names, with commas between, of those to learn from; the first when empty
        seed: for the split by speaker, of a corpus to learn from that has none
        for_testing: whether nothing is learned from; `learn_from` is then empty

    Returns:
        checked labels table with the extra columns of the corpora; notes start with the corpus

    Raises:
        FileNotFoundError: if a corpus is not there, before any is read
        ValueError: if a corpus to learn from is not among them, or is named although nothing is
            learned from, or one is not as it should be
    """
    if for_testing and learn_from:
        msg = (
            f"Bad learn_from {learn_from!r} together with for_testing=True, which learns from "
            "nothing: leave one of them out."
        )
        raise ValueError(msg)
    learned = [] if for_testing else _learned(wanted, learn_from)
    homes = known.check([name.name for name in wanted if not name.is_open], folders)
    found = [_one(name, homes, name in learned, seed) for name in wanted]
    table = check_labels(pd.concat(found), "the labels of all corpora")
    table.attrs = {
        "notes": [
            f"{name.name}: {note}"
            for name, part in zip(wanted, found, strict=True)
            for note in part.attrs["notes"]
        ],
        "failed": [entry for part in found for entry in part.attrs["failed"]],
    }
    return table


def _learned(wanted: Sequence[Name], learn_from: str) -> list[Name]:
    asked = [part.strip() for part in learn_from.split(",") if part.strip()]
    by_name = {alias: name for name in wanted for alias in (name.text, name.name)}
    by_name |= {OPEN + name.name: name for name in wanted if name.is_open}
    unknown = [name for name in asked if name not in by_name]
    if unknown:
        msg = (
            f"Bad learn_from {unknown[:5]}{labels.nearest(unknown[0], by_name)}, expected some of "
            f"those named in corpus: {[name.text for name in wanted]}."
        )
        raise ValueError(msg)
    return [by_name[name] for name in asked] or [wanted[0]]


def _one(name: Name, homes: Mapping[str, Path], learn: bool, seed: int) -> pd.DataFrame:
    if name.is_open:
        from paraclap.corpora import open_data  # downloads: only loaded when asked for

        table, where, notes = open_data.load(name.name, name.version)
    else:
        table = known.CORPORA[name.name].read(homes[name.name])
        where, notes = name.name, list(table.attrs["notes"])
    if not learn:
        if table.attrs.get("unofficial_split"):
            table = table.drop(columns="split")
        table = labels.for_testing(table, where, notes)
    extra = [str(column) for column in table if column not in LABELS]
    return labels.finish(
        table, where, notes, "emotion", seed, extra=extra, for_testing=not learn, remedy=_REMEDY
    )
