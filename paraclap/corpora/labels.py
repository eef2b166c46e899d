"""What all corpora share: names of columns, words for gender and split, and the final checks."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.typing import NaTType

from paraclap import audio, leakage
from paraclap.tables import (
    DIMENSIONS,
    LABELS,
    SPLITS,
    check_labels,
    relative,
    report,
    segments,
)

GENDER_WORDS = {
    "f": "female", "female": "female", "w": "female", "woman": "female",
    "m": "male", "male": "male", "man": "male",
}  # fmt: skip
NO_GENDER = ("other", "unknown", "o", "x", "-")
SPLIT_WORDS = {
    "train": "train", "training": "train",
    "dev": "dev", "devel": "dev", "development": "dev", "val": "dev", "valid": "dev",
    "validation": "dev",
    "test": "test", "testing": "test", "eval": "test", "evaluation": "test",
}  # fmt: skip
KNOWN = ("file", "start", "end", *LABELS)
SHARES = {"train": 0.6, "dev": 0.2, "test": 0.2}

_REMEDY = "give it a column split with train, dev and test, or say for_testing=True to only test"
_EMOTIONS = Path(__file__).parent.parent / "emotions.csv"


def parse_columns(columns: str | Mapping[str, str]) -> dict[str, str]:
    """Their names to ours, from a mapping or from ``"theirs=ours,theirs=ours"``.

    Raises:
        ValueError: if an entry is not of this form or our name is unknown

    Examples:
        >>> parse_columns("path=file, sex=gender, age=")
        {'path': 'file', 'sex': 'gender', 'age': ''}
    """
    if isinstance(columns, str):
        entries = [entry.split("=") for entry in columns.split(",") if entry.strip()]
        wrong = ["=".join(entry) for entry in entries if len(entry) != 2]
        if wrong:
            msg = f"Bad columns {wrong[:5]}, expected 'theirs=ours,theirs=ours'."
            raise ValueError(msg)
        columns = {theirs.strip(): ours.strip() for theirs, ours in entries}
    unknown = [ours for ours in columns.values() if ours and ours not in KNOWN]
    if unknown:
        msg = f"Bad columns {unknown[:5]}{nearest(unknown[0])}, expected some of {list(KNOWN)}."
        raise ValueError(msg)
    return dict(columns)


def nearest(name: str, known: Iterable[str] = KNOWN) -> str:
    """Hint such as ``" (did you mean 'emotion'?)"``, empty if nothing is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def rename(table: pd.DataFrame, columns: Mapping[str, str], where: str) -> pd.DataFrame:
    """Table with their names changed to ours, those mapped to nothing dropped.

    Raises:
        ValueError: if a column to be renamed is not there, or its new name is taken
    """
    absent = [theirs for theirs in columns if theirs not in table]
    if absent:
        msg = (
            f"No column {absent[:5]} in {where}{nearest(absent[0], table.columns)}, "
            f"it has {list(table.columns)[:20]}: correct the parameter columns."
        )
        raise ValueError(msg)
    table = table.drop(columns=[theirs for theirs, ours in columns.items() if not ours])
    table = table.rename(columns={theirs: ours for theirs, ours in columns.items() if ours})
    twice = list(table.columns[table.columns.duplicated()])
    if twice:
        msg = f"Two columns for {twice[:5]} in {where}: leave one out with 'theirs='."
        raise ValueError(msg)
    return table


def finish(
    table: pd.DataFrame,
    where: str,
    notes: list[str],
    label_column: str,
    seed: int,
    *,
    extra: Sequence[str] = (),
    for_testing: bool = False,
    remedy: str = _REMEDY,
) -> pd.DataFrame:
    """Bring the columns of a corpus into the form of a labels table and check it.

    Args:
        table: on the segmented index with absolute files; some of our columns
        where: name of the corpus in messages
        notes: what was decided so far, for the user
        label_column: column with the class of the corpus's own task
        seed: for the split by speaker
        extra: further columns to keep as they are
        for_testing: whether it is only tested on, see the function of this name
        remedy: what to do if nothing can be learned from it, for messages

    Returns:
        checked labels table with the extra columns and `synthetic`: whether the files of the
        corpus say that no person speaks in them

    Raises:
        ValueError: if a word, number, time or split is not as it should be
    """
    notes = list(notes)
    table = _labelled(table, where, label_column, notes)
    table = table.assign(**{name: None for name in LABELS if name not in table})
    table = table[[*LABELS, *extra]]
    table["gender"] = _genders(table, where, notes)
    table["emotion"] = _nouns(table["emotion"])
    table["label"] = _nouns(table["label"])
    table["speaker"] = _speakers(table, notes)
    table, failed = _timed(table, where)
    table["split"] = "test" if for_testing else _splits(table, where, seed, notes, remedy)
    table = check_labels(table, where)
    leakage.check_speakers(table, where)
    table["synthetic"] = _synthetic(table)
    notes += _lonely(table)
    notes += [f"{len(failed)} files cannot be read, see the failed list."] if failed else []
    table.attrs = {"notes": notes, "failed": failed}
    return table


def _labelled(table: pd.DataFrame, where: str, label_column: str, notes: list[str]) -> pd.DataFrame:
    """Table whose column label holds the class of the corpus's own task."""
    own = "label" if label_column == "emotion" and "label" in table else label_column
    if own in table:
        label = table[own].astype("str")
        is_emotion = own == "label" and "emotion" in table
        return table.assign(label=label.fillna(table["emotion"]) if is_emotion else label)
    if label_column != "emotion":
        hint = nearest(label_column, table.columns)
        msg = f"No label column {label_column!r} in {where}{hint}, it has {list(table.columns)}."
        raise ValueError(msg)
    notes.append("No emotion and no label: only queries on voice attributes can be asked.")
    return table


def _genders(table: pd.DataFrame, where: str, notes: list[str]) -> pd.Series:
    words = table["gender"].astype("str").str.strip().str.lower()
    other = words.isin(NO_GENDER)
    if other.any():
        notes.append(f"Gender is neither female nor male in {other.sum()} segments: left out.")
    words = words.mask(other)
    unknown = words.notna() & ~words.isin(list(GENDER_WORDS))
    report(table, unknown, "gender", where, "female or male (or f, m), or nothing")
    return words.map(GENDER_WORDS).astype("str")


def _nouns(words: pd.Series) -> pd.Series:
    """Emotions as nouns (angry → anger); words that are not in the list stay as they are."""
    words = words.astype("str").str.strip()
    if not _EMOTIONS.is_file():
        return words
    known = pd.read_csv(_EMOTIONS)
    nouns = dict(zip(known["adjective"], known["noun"], strict=True))
    nouns |= {noun: noun for noun in known["noun"]}
    lower = words.str.lower()
    return lower.map(nouns).astype("str").fillna(words)


def _speakers(table: pd.DataFrame, notes: list[str]) -> pd.Series:
    speakers = table["speaker"].astype("str")
    files = pd.Series(table.index.get_level_values("file"), table.index, dtype="str")
    if speakers.isna().any():
        notes.append(f"{speakers.isna().sum()} segments have no speaker: each file counts as one.")
    above = os.path.commonpath({str(Path(file).parent) for file in files})
    return speakers.fillna(files.str.removeprefix(above).str.removeprefix(os.sep))


def _timed(table: pd.DataFrame, where: str) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Table with ends filled and times checked, and the files that cannot be read."""
    index = table.index.to_frame(index=False).set_index(table.index)
    twice = pd.Series(table.index.duplicated(), table.index)
    report(index, twice, "file", where, "each segment (file, start, end) once")
    lengths, failed = _lengths(index["file"].unique())
    last = index["file"].map(lengths)
    beyond = (index["end"] > last + pd.Timedelta("10ms")) | (index["start"] >= last)
    report(index, beyond, "end", where, "segments that lie within their files")
    ends = index["end"].fillna(last)
    table = table.set_index(segments(index["file"], index["start"], ends))
    again = pd.Series(table.index.duplicated(), table.index)
    report(index, again, "file", where, "each segment (file, start, end) once")
    return table, failed


def _lengths(
    files: Iterable[str],
) -> tuple[dict[str, pd.Timedelta | NaTType], list[dict[str, str]]]:
    """Lengths of files (NaT where they cannot be read), and those files with the reason."""
    lengths: dict[str, pd.Timedelta | NaTType] = {}
    failed = []
    for file in files:
        try:
            lengths[file] = pd.Timedelta(audio.duration(file), unit="s")
        except audio.AudioError as error:
            lengths[file] = pd.NaT
            failed.append({"file": relative([file])[0], "reason": str(error)})
    return lengths, failed


def _splits(table: pd.DataFrame, where: str, seed: int, notes: list[str], remedy: str) -> pd.Series:
    """Splits by their usual names; drawn by speaker when the corpus has none."""
    splits = _given_splits(table, where)
    if splits is None:
        notes.append(f"No split given: drawn by speaker with seed {seed} (60 / 20 / 20 %).")
        return _drawn(table["speaker"], where, seed, remedy)
    if "train" not in set(splits):
        msg = f"No training split in {where}, got {sorted(set(splits))}: {remedy}."
        raise ValueError(msg)
    absent = [split for split in SPLITS if split not in set(splits)]
    notes += [f"There is no {split} split." for split in absent]
    return splits


def _given_splits(table: pd.DataFrame, where: str) -> pd.Series | None:
    """Splits that a corpus gives, by our names; None if it gives none."""
    if "split" not in table or table["split"].isna().all():
        return None
    given = table["split"].astype("str").str.strip().str.lower()
    unknown = ~given.isin(list(SPLIT_WORDS))
    report(table, unknown, "split", where, f"one of {list(SPLITS)} in each row")
    return given.map(SPLIT_WORDS).astype("str")


def for_testing(table: pd.DataFrame, where: str, notes: list[str]) -> pd.DataFrame:
    """What of a corpus may be tested on when it is not learned from.

    Args:
        table: on the segmented index
        where: name of the corpus in messages
        notes: gets what has been decided

    Returns:
        rows of the published test split, or all where no split is published; all as test

    Raises:
        ValueError: if the published splits have no test utterance, or another name
    """
    splits = _given_splits(table, where)
    if splits is None:
        notes.append("No split is published: all of it is tested on.")
        return table.assign(split="test")
    test = splits == "test"
    if not test.any():
        msg = f"No test split in {where}, got {sorted(set(splits))}: it can only be learned from."
        raise ValueError(msg)
    notes.append(f"Only its test split is kept: {test.sum():,} of {len(table):,} utterances.")
    return table[test].assign(split="test")


def _drawn(speakers: pd.Series, where: str, seed: int, remedy: str) -> pd.Series:
    """Split by speaker: no voice is heard in two splits."""
    names = sorted(speakers.unique())
    if len(names) < len(SPLITS):
        msg = (
            f"Cannot split {where} by speaker: it has {len(names)}, expected at least "
            f"{len(SPLITS)}: {remedy}."
        )
        raise ValueError(msg)
    order = np.random.default_rng(seed).permutation(len(names))
    held = {split: max(1, round(SHARES[split] * len(names))) for split in ("dev", "test")}
    words = ["dev"] * held["dev"] + ["test"] * held["test"]
    words += ["train"] * (len(names) - len(words))
    of = {names[place]: word for place, word in zip(order, words, strict=True)}
    return speakers.map(of).astype("str")


def _synthetic(table: pd.DataFrame) -> pd.Series:
    """Whether the corpus of a segment says that no person speaks in it."""
    files = table.index.to_frame(index=False)["file"].groupby(table["corpus"].to_numpy())
    known = {corpus: audio.is_synthetic(own.unique().tolist()) for corpus, own in files}
    return table["corpus"].map(known).astype(bool)


def _lonely(table: pd.DataFrame) -> list[str]:
    """A note for each class with one member."""
    names = table["label"].str.cat(table["corpus"], sep="' of ")
    counts = names.value_counts()
    lonely = [f"'{name}" for name in counts.index[counts == 1]]
    return [f"Only one segment of class {name}." for name in lonely[:5]]


def numbers(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """Table with its dimensions as float.

    Args:
        table: on an index whose first level says where a row is
        where: name of the table in messages

    Raises:
        ValueError: if a value is not a number
    """
    found = [name for name in DIMENSIONS if name in table]
    values = {name: pd.to_numeric(table[name], errors="coerce") for name in found}
    for name in found:
        report(table, values[name].isna() & table[name].notna(), name, where, "numbers")
    return table.assign(**values)
