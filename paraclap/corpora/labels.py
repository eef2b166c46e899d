"""Labels of all corpora in one form: names of columns, words, splits by speaker, final checks.

Emotions are the nouns of ``emotions.csv``; its adjectives (angry) and codes (ang) are mapped to
them, other words stay. Without a split, 60 / 20 / 20 % of the speakers are drawn for train, dev and
test. A further question about the same segments is a column ``task:<name>``. What is decided for
the user is a sentence in a list `notes`. Chapter 1.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap import audio, tables
from paraclap.corpora.checks import check_leaks
from paraclap.tables import LABELS, SPLITS, report_rows, unknown

COLUMNS = (*tables.INDEX, *LABELS)
TASK = "task:"
FURTHER = ("session", TASK)  # columns that start so are kept as they are
_EMOTIONS = pd.read_csv(Path(__file__).with_name("emotions.csv"))
CODES: dict[str, str] = dict(_EMOTIONS.dropna()[["code", "noun"]].to_numpy())
NOUNS: dict[str, str] = dict(_EMOTIONS[["adjective", "noun"]].to_numpy())
NOUNS |= {noun.replace("_", " "): noun for noun in (*_EMOTIONS["noun"], "other", "no_agreement")}
_WORDS = pd.read_csv(Path(__file__).with_name("words.csv"), keep_default_na=False)
WORDS = {kind: dict(own[["word", "ours"]].to_numpy()) for kind, own in _WORDS.groupby("kind")}
Found = tuple[pd.DataFrame, str, list[str]]  # table on the segmented index, its name, notes
_REMEDY = "give it a column split with train, dev and test, say for_testing=True to only test on "
_REMEDY += "it, or name other corpora in learn_from."


def parse_columns(columns: str | Mapping[str, str]) -> dict[str, str]:
    """Their names to ours, from a mapping or ``"theirs=ours,theirs=ours"``; else ValueError."""
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
    """Table with our names, columns without one dropped; ValueError if one is lost or twice."""
    for theirs in columns:
        if theirs not in table:
            raise ValueError(unknown("column", theirs, table.columns, where))
    table = table.drop(columns=[theirs for theirs, ours in columns.items() if not ours])
    table = table.rename(columns=dict(columns))
    if twice := list(table.columns[table.columns.duplicated()]):
        raise ValueError(f"Two columns for {twice[:5]} in {where}: leave one out with 'theirs='.")
    return table


def finish(
    found: Found, label_column: str = "emotion", seed: int = 0, *, for_testing: bool = False
) -> pd.DataFrame:
    """Labels table of a corpus, as :func:`paraclap.corpora.load` gives it, of some of our columns.

    ValueError if a word, number, time or split is not as it should be, or no file can be read.
    """
    table, where, notes = found
    further = [str(name) for name in table if str(name).startswith(FURTHER)]
    table = _with_label(table, where, label_column, notes).reindex(columns=[*LABELS, *further])
    table = in_words(table, where, notes)
    table["speaker"] = _speakers(table, notes)
    table, failed = _timed(table, where)
    drawn = not for_testing and bool(table["split"].isna().all())
    if drawn:
        table["split"] = _draw_splits(table, where, seed, notes)
    else:
        table["split"] = "test" if for_testing else given_splits(table, where)
    if not for_testing and "train" not in set(table["split"]):
        got = f"No training split in {where}, got {sorted({*table['split']})}"
        raise ValueError(f"{got}: {_REMEDY}")
    table = tables.check_labels(table, where)
    files = table.index.to_frame()["file"].groupby(table["corpus"]).unique()
    synthetic = {corpus: audio.is_synthetic(own.tolist()) for corpus, own in files.items()}
    table["synthetic"] = table["corpus"].map(synthetic).astype(bool)
    notes += check_leaks(table, where, drawn=drawn)
    notes += [f"{len(failed)} files cannot be read, see the failed list."] if failed else []
    table.attrs = {"notes": list(dict.fromkeys(notes)), "failed": failed}
    return table


def in_words(table: pd.DataFrame, where: str, notes: list[str]) -> pd.DataFrame:
    """Table with emotions, labels and genders in our words; ValueError if one is none."""
    table = table.reindex(columns=[*dict.fromkeys([*table, "emotion", "label", "gender"])])
    table["gender"] = _words(table, "gender", where, notes)
    bad = table["emotion"].astype("str").str.fullmatch(r"[\W\d_]+|\s*[a-zA-Z]\s*").eq(True)
    report_rows(table, bad, "emotion", where, "words: write those that the codes mean")
    table["emotion"] = _nouns(table["emotion"], notes)
    table["label"] = _nouns(table["label"], notes)
    if other := sorted({*table["emotion"].dropna()} - {*NOUNS.values()}):
        names = ", ".join(other[:5]) + (", …" if len(other) > 5 else "")
        notes.append(f"Emotions that are not in the list stay as they are: {names}.")
    return table


def given_splits(table: pd.DataFrame, where: str) -> pd.Series:
    """Published splits by our names; ValueError if a segment has none, or an unknown word."""
    expected = f"one of {list(SPLITS)} in each row, or in none"
    report_rows(table, table["split"].isna(), "split", where, expected)
    return _words(table, "split", where, [])


def _with_label(table: pd.DataFrame, where: str, column: str, notes: list[str]) -> pd.DataFrame:
    """Table whose column label holds the class of the corpus's own task."""
    names = ("label", "emotion") if column == "emotion" else (column,)
    given = [table[name].astype("str") for name in names if name in table]
    if given:
        return table.assign(label=given[0].fillna(given[-1]))
    if column != "emotion":
        raise ValueError(unknown("label column", column, table.columns, where))
    notes.append("No emotion and no label: only queries on voice attributes can be asked.")
    return table


def _words(table: pd.DataFrame, column: str, where: str, notes: list[str]) -> pd.Series:
    """Words of a column by our names, missing where ours is empty, with a note."""
    given, words = table[column].astype("str").str.strip().str.lower(), WORDS[column]
    bad = given.notna() & ~given.isin(list(words))
    choices = ", ".join(dict.fromkeys(filter(None, words.values())))
    report_rows(table, bad, column, where, f"one of {choices}, or nothing")
    ours = given.map(words).astype("str")
    note_missing(given[ours == ""], len(given), notes)
    return ours.mask(ours == "")


def note_missing(cells: pd.Series, rows: int, notes: list[str]) -> None:
    """Note words of a column that are taken for no value."""
    if len(cells):
        names = ", ".join(sorted(set(cells)))
        notes.append(f"{len(cells)} of {rows} rows have no {cells.name}: {names}.")


def _nouns(column: pd.Series, notes: list[str]) -> pd.Series:
    """Emotions as nouns (angry → anger; ang → anger, with a note); other words stay."""
    words = column.astype("str").str.strip()
    lower = words.str.lower().str.replace(r"[\s_]+", " ", regex=True)
    codes = lower[lower.isin(list(CODES))].value_counts()
    if len(codes):
        read = ", ".join(f"{code} as {CODES[str(code)]} ({n})" for code, n in codes.items())
        notes.append(f"Codes of emotions are read as words: {read}.")
    first = words.groupby(lower).transform("first")  # Grumpy and grumpy are one
    return lower.map(CODES | NOUNS).astype("str").fillna(first)


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
    beyond = {"start": index["start"] >= last, "end": index["end"] > last + pd.Timedelta("10ms")}
    for side, bad in beyond.items():
        report_rows(index, bad, side, where, "segments that lie within their files")
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
    drawn = dict(zip(np.random.default_rng(seed).permutation(speakers), words, strict=False))
    return table["speaker"].map(drawn).astype("str")
