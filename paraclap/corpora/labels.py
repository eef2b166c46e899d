"""Labels of all corpora in one form: names of columns, words, splits by speaker, final checks.

Emotions are the nouns of ``emotions.csv``; its adjectives (angry) and codes (ang) are mapped to
them, other words stay. Without a split, 60 / 20 / 20 % of the speakers are drawn for train, dev and
test. A further question about the same segments is a column ``task:<name>``. What is decided for
the user is a sentence in a list `notes`. Chapter 1.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap import audio, tables
from paraclap.corpora.checks import check_leaks
from paraclap.tables import LABELS, SPLITS, did_you_mean, report_rows, unknown

COLUMNS = (*tables.INDEX, *LABELS)
TASK = "task:"
FURTHER = ("session", TASK)  # columns that start so are kept as they are
_EMOTIONS = pd.read_csv(Path(__file__).with_name("emotions.csv"))
CODES: dict[str, str] = _EMOTIONS.dropna().set_index("code")["noun"].to_dict()
NOUNS: dict[str, str] = _EMOTIONS.set_index("adjective")["noun"].to_dict()
NOUNS |= {noun: noun for noun in (*_EMOTIONS["noun"], "other", "no_agreement")}
_WORDS = pd.read_csv(Path(__file__).with_name("words.csv"), keep_default_na=False)
_WORDS = _WORDS.set_index(["kind", "word"])["ours"]
GENDER_WORDS: dict[str, str] = _WORDS["gender"].to_dict()
SPLIT_WORDS: dict[str, str] = _WORDS["split"].to_dict()
_REMEDY = "give it a column split with train, dev and test, say for_testing=True to only test on "
_REMEDY += "it, or name other corpora in learn_from."


# --- columns ------------------------------------------------------------------------------------


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
        if any(len(entry) != 2 for entry in entries):
            raise ValueError(f"Bad columns {columns!r}, expected 'theirs=ours,theirs=ours'.")
        columns = {theirs.strip(): ours.strip() for theirs, ours in entries}
    for ours in columns.values():
        if ours and ours not in COLUMNS:
            raise ValueError(unknown("column", ours, COLUMNS, "the parameter columns"))
    return dict(columns)


def rename(table: pd.DataFrame, columns: Mapping[str, str], where: str) -> pd.DataFrame:
    """Table with their names changed to ours, those mapped to nothing dropped.

    Raises:
        ValueError: if a column to be renamed is not there, or its new name is taken
    """
    for theirs in columns:
        if theirs not in table:
            msg = f"No column {theirs!r} in {where}, it has {list(table.columns)[:20]}."
            raise ValueError(msg + did_you_mean(theirs, table.columns))
    table = table.drop(columns=[theirs for theirs, ours in columns.items() if not ours])
    table = table.rename(columns=dict(columns))
    twice = list(table.columns[table.columns.duplicated()])
    if twice:
        raise ValueError(f"Two columns for {twice[:5]} in {where}: leave one out with 'theirs='.")
    return table


# --- one form for all corpora -------------------------------------------------------------------


def finish(
    table: pd.DataFrame,
    where: str,
    notes: list[str],
    label_column: str = "emotion",
    seed: int = 0,
    *,
    for_testing: bool = False,
) -> pd.DataFrame:
    """Labels table of a corpus, as :func:`paraclap.corpora.load` gives it.

    Args:
        table: on the segmented index with absolute files; some of our columns
        where: name of the corpus in messages
        notes: what was decided so far; more are added
        label_column: column with the class of the corpus's own task
        seed: for the split by speaker
        for_testing: whether all of it is test

    Raises:
        ValueError: if a word, number, time or split is not as it should be, or no file can be read
    """
    further = [str(name) for name in table if str(name).startswith(FURTHER)]
    table = _with_label(table, where, label_column, notes).reindex(columns=[*LABELS, *further])
    table["gender"] = _words(table, "gender", GENDER_WORDS, where)
    bad = pd.to_numeric(table["emotion"].astype("str"), errors="coerce").notna()
    report_rows(table, bad, "emotion", where, "words: write those that the numbers mean")
    table["emotion"] = _nouns(table["emotion"], notes)
    table["label"] = _nouns(table["label"], notes)
    if other := sorted({*table["emotion"].dropna()} - {*NOUNS}):
        names = ", ".join(other[:5]) + (", …" if len(other) > 5 else "")
        notes.append(f"Emotions that are not in the list stay as they are: {names}.")
    table["speaker"] = _speakers(table, notes)
    table, failed = _timed(table, where)
    drawn = not for_testing and bool(table["split"].isna().all())
    if drawn:
        table["split"] = _draw_splits(table, where, seed, notes)
    else:
        table["split"] = "test" if for_testing else given_splits(table, where)
    if not for_testing and "train" not in set(table["split"]):
        got = sorted(set(table["split"]))
        raise ValueError(f"No training split in {where}, got {got}: {_REMEDY}")
    table = tables.check_labels(table, where)
    files = table.index.to_frame()["file"].groupby(table["corpus"]).unique()
    synthetic = {corpus: audio.is_synthetic(own.tolist()) for corpus, own in files.items()}
    table["synthetic"] = table["corpus"].map(synthetic).astype(bool)
    notes += check_leaks(table, where, drawn=drawn)
    notes += [f"{len(failed)} files cannot be read, see the failed list."] if failed else []
    table.attrs = {"notes": list(dict.fromkeys(notes)), "failed": failed}
    return table


def given_splits(table: pd.DataFrame, where: str) -> pd.Series:
    """Published splits by our names; ValueError if a segment has none, or an unknown word."""
    expected = f"one of {list(SPLITS)} in each row, or in none"
    report_rows(table, table["split"].isna(), "split", where, expected)
    return _words(table, "split", SPLIT_WORDS, where)


def _with_label(table: pd.DataFrame, where: str, column: str, notes: list[str]) -> pd.DataFrame:
    """Table whose column label holds the class of the corpus's own task."""
    if column == "emotion" and "label" in table:
        label = table["label"].astype("str")
        return table.assign(label=label.fillna(table["emotion"]) if "emotion" in table else label)
    if column in table:
        return table.assign(label=table[column].astype("str"))
    if column != "emotion":
        raise ValueError(unknown("label column", column, table.columns, where))
    notes.append("No emotion and no label: only queries on voice attributes can be asked.")
    return table


def _words(table: pd.DataFrame, column: str, words: Mapping[str, str], where: str) -> pd.Series:
    """Words of a column by our names, missing where ours is empty."""
    given = table[column].astype("str").str.strip().str.lower()
    bad = given.notna() & ~given.isin(list(words))
    choices = ", ".join(dict.fromkeys(filter(None, words.values())))
    report_rows(table, bad, column, where, f"one of {choices}, or nothing")
    return given.map(dict(words)).astype("str").replace("", np.nan)


def _nouns(column: pd.Series, notes: list[str]) -> pd.Series:
    """Emotions as nouns (angry → anger; ang → anger, with a note); other words stay."""
    words = column.astype("str").str.strip()
    lower = words.str.lower()
    codes = lower[lower.isin(list(CODES))].value_counts()
    if len(codes):
        read = ", ".join(f"{code} as {CODES[str(code)]} ({n})" for code, n in codes.items())
        notes.append(f"Codes of emotions are read as words: {read}.")
    return lower.map(CODES | NOUNS).astype("str").fillna(words)


def _speakers(table: pd.DataFrame, notes: list[str]) -> pd.Series:
    """Speakers; a file without one counts as one, by its path from where paths differ."""
    speakers = table["speaker"].astype("str")
    files = table.index.to_frame()["file"]
    if speakers.isna().any():
        notes.append(f"{speakers.isna().sum()} segments have no speaker: each file counts as one.")
    above = os.path.commonpath({os.path.dirname(file) for file in files})  # noqa: PTH120 (speed)
    return speakers.fillna(files.str.removeprefix(above).str.removeprefix(os.sep))


def _timed(table: pd.DataFrame, where: str) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Table with ends filled and times checked, and the files that cannot be read."""
    index = table.index.to_frame()
    lengths, failed = dict[str, pd.Timedelta](), list[dict[str, str]]()
    for file in index["file"].unique():
        try:
            lengths[file] = pd.Timedelta(audio.duration(file), unit="s")
        except audio.AudioError as error:
            failed.append({"file": file, "reason": str(error)})
    if not lengths:
        reasons = "\n".join(f"- {entry['reason']}" for entry in failed[:5])
        raise ValueError(f"None of {len(failed)} files of {where} can be read, first:\n{reasons}")
    last = pd.to_timedelta(index["file"].map(lengths))
    beyond = (index["end"] > last + pd.Timedelta("10ms")) | (index["start"] >= last)
    report_rows(index, beyond, "end", where, "segments that lie within their files")
    ends = index["end"].fillna(last)
    return table.set_index(tables.segments(index["file"], index["start"], ends)), failed


def _draw_splits(table: pd.DataFrame, where: str, seed: int, notes: list[str]) -> pd.Series:
    speakers = sorted(table["speaker"].unique())
    if len(speakers) < len(SPLITS):
        msg = f"Cannot split {where} by speaker: it has {len(speakers)}, expected at least 3"
        raise ValueError(f"{msg}: {_REMEDY}")
    notes.append(f"No split given: drawn by speaker with seed {seed} (60 / 20 / 20 %).")
    held_out = max(1, round(0.2 * len(speakers)))
    words = ["dev"] * held_out + ["test"] * held_out + ["train"] * len(speakers)
    order = np.random.default_rng(seed).permutation(len(speakers))
    drawn = {speakers[place]: word for place, word in zip(order, words, strict=False)}
    return table["speaker"].map(drawn).astype("str")
