"""What the loaders of the paper's corpora share: find the folder, its audio, its label files.

A loader reads one folder and gives one row per utterance: `id`, `file`, `emotion` or `label`, where
available `speaker`, `gender`, `split`, `session`. A list `notes` gets a sentence for whatever is
left out. An utterance is found by its *key*, the name of its file in lower case without folder and
suffix; two files for one are an error unless they are identical. Differences from the published
counts (``counts.csv``; `confirmed` tells whether they were checked) are notes, never errors.
"""

import filecmp
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from paraclap import tables
from paraclap.corpora.folder import walk
from paraclap.corpora.labels import FURTHER, TASK, Found
from paraclap.tables import LABELS, report_rows, segments, short_name

SUFFIXES = (".wav", ".sph", ".flac")
_CODES = pd.read_csv(Path(__file__).with_name("codes.csv"), dtype="str", keep_default_na=False)
CODES = {name: dict(own[["code", "word"]].to_numpy()) for name, own in _CODES.groupby("column")}


@dataclass(frozen=True)
class Corpus:
    """A corpus as its publishers give it away: a row of ``corpora.csv``, and its loader."""

    name: str
    title: str
    language: str  # two letters
    licence: str
    url: str  # where to get it or to apply for it
    classes: list[str]  # of its own task
    key: list[str]  # patterns that are all found in its folder, with | between alternatives
    layout: str  # what its folder should hold, in words
    rows: Callable[[Path, list[str]], pd.DataFrame]  # the loader

    @property
    def counts(self) -> pd.DataFrame:
        """Published utterances: columns corpus (the task), split, label, count, confirmed."""
        counts = pd.read_csv(Path(__file__).with_name("counts.csv"), keep_default_na=False)
        return counts[counts["corpus"].str.fullmatch(rf"{self.name}(-\d)?")]

    def home(self, value: str | Path) -> Path:
        """Folder of the corpus: the one given, or the only one in it; else FileNotFoundError."""
        root, parameter = Path(value).expanduser(), self.name.replace("-", "_")
        if unset := re.search(r"\$\{(\w+)\}", str(value)):
            reason = f"the environment variable {unset[1]} is not set (parameter {parameter})"
        elif not str(value):
            reason = f"no folder given: set the parameter {parameter} to it, or to ${{PARACLAP_"
            reason += f"{parameter.upper()}}} and this environment variable to the folder"
        elif not root.is_dir():
            reason = f"no folder at '…/{short_name(root)}'"
        else:
            inner = sorted(path for path in root.iterdir() if path.name[0] != ".")
            homes = [path for path in (root, *inner) if self._is_here(path)]
            if len(homes) == 1 or homes[:1] == [root]:
                return homes[0].resolve()
            content = first(path.name for path in homes or inner)
            reason = f"{root.name!r} is not its folder, it holds {content}"
        raise FileNotFoundError(self._absent(reason))

    def _is_here(self, folder: Path) -> bool:
        return all(
            any(path.name[0] != "." for one in pattern.split("|") for path in folder.glob(one))
            for pattern in self.key
        )

    def _absent(self, reason: str) -> str:
        return f"{self.title}: {reason}. Expected {self.layout}. Get it at {self.url}."

    def read(self, root: Path) -> Found:
        """Read the corpus from its folder, or from one that holds this folder.

        FileNotFoundError if it is another folder, or no utterance is in it; ValueError if a label
        file, a label or a file name is not as it should be.
        """
        home, notes = self.home(root), list[str]()
        rows = self.rows(home, notes)
        if rows.empty:
            raise FileNotFoundError(self._absent(f"no utterance in {home.name!r} {notes[:3]}"))
        ours = [name for name in rows if name in LABELS or str(name).startswith(FURTHER)]
        table = rows[ours].set_axis(segments(rows["file"]))
        table["speaker"] = self.name + "-" + table["speaker"].astype("str")
        table["language"] = self.language
        table["corpus"] = table.get("corpus", self.name)
        return table, self.name, [*notes, *self._compared(table)]

    def _compared(self, table: pd.DataFrame) -> Iterator[str]:
        """A note for each task and split that has not as many utterances as published."""
        tasks = {str(name).removeprefix(TASK): str(name) for name in table if TASK in str(name)}
        tasks = {table["corpus"].iloc[0]: "label" if "label" in table else "emotion"} | tasks
        counts = self.counts[self.counts["corpus"].isin(list(tasks))]
        for (task, split), expected in counts.groupby(["corpus", "split"], sort=False):
            here = table[table["split"] == split] if split else table
            there, published = here[tasks[str(task)]].count(), expected["count"].sum()
            if there != published:
                source = "" if (expected["confirmed"] == "yes").all() else " as reported"
                place = f"{task} {split}".strip()
                yield f"{place}: {there:,} of {published:,} utterances{source}."


def first(names: Iterable[object]) -> str:
    """First five of many names, for a message."""
    words = [str(name) for name in names]
    return ", ".join(words[:5]) + (", …" if len(words) > 5 else "")


def key(name: str) -> str:
    """Key of an utterance, from the name of its file with or without folder and suffix."""
    last = re.split(r"[\\/]", name)[-1].strip().lower()
    return next((last.removesuffix(end) for end in SUFFIXES if last.endswith(end)), last).strip()


def table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Table of a label file with some columns, all of it as text, empty cells missing."""
    rows = tables.read_csv(path, dtype="str", keep_default_na=False, na_values=[""])
    rows = pd.DataFrame({str(name).strip(): rows[name].str.strip() for name in rows})
    if not {*columns} <= {*rows} or rows.empty:
        got = f"{len(rows)} rows of {list(rows)[:10]}"
        raise ValueError(f"Bad table {path.name!r}: {got}, expected rows of {list(columns)}.")
    return rows


def lines(paths: Sequence[Path], pattern: str) -> pd.DataFrame:
    """What a pattern finds in lines of text files, a column per group; equal lines count once."""
    texts = "\n".join(path.read_text("utf-8-sig", "replace") for path in paths).splitlines()
    rows = pd.Series(texts, dtype="str").str.extract(pattern).dropna().drop_duplicates()
    if rows.empty:
        names = first(path.name for path in paths)
        raise ValueError(f"No line with a label in {names}, expected one for each utterance.")
    return rows.reset_index(drop=True)


def words(codes: pd.Series, column: str, names: Iterable[str], where: str) -> pd.Series:
    """Codes of a column as words (``codes.csv``); `names` of the utterances are for messages."""
    named = codes.to_frame("label").set_axis(pd.MultiIndex.from_arrays([list(names)]))
    expected = f"one of {list(CODES[column])}: correct it there"
    report_rows(named, ~named["label"].isin(list(CODES[column])), "label", where, expected)
    return codes.map(CODES[column]).astype("str")


def left_out(rows: pd.DataFrame, bad: pd.Series, note: str, notes: list[str]) -> pd.DataFrame:
    """The other rows; `note` is formatted with the number of bad ones and their first names."""
    if bad.any():
        notes.append(note.format(f"{bad.sum():,}", first(rows["id"][bad])))
    return rows[~bad].reset_index(drop=True)


def matched(rows: pd.DataFrame, folders: list[Path], where: str, notes: list[str]) -> pd.DataFrame:
    """Utterances (column `id`) that have audio below some folders, with a column `file`."""
    files, keys = _audio(folders, notes), rows["id"].fillna("").map(key)
    if len(twice := rows["id"][keys.duplicated()]):
        raise ValueError(f"Utterances named twice in {where}: {first(twice)}. Keep one of each.")
    note = f"No audio for {{}} utterances of {where}, left out: {{}}."
    rows = left_out(rows.assign(file=keys.map(files)), ~keys.isin(list(files)), note, notes)
    if more := sorted(files[name].name for name in files.keys() - set(keys)):
        notes.append(f"No label in {where} for {len(more):,} audio files: {first(more)}.")
    return rows


def parsed(folders: Iterable[Path], pattern: str, form: str, notes: list[str]) -> pd.DataFrame:
    """What the keys of audio files say, a column per group of the pattern; others are left out."""
    files = _audio(folders, notes)
    rows = pd.DataFrame({"id": [path.name for path in files.values()], "file": files.values()})
    groups = pd.Series(list(files), dtype="str").str.extract(f"^(?:{pattern})$")
    note = f"{{}} audio files not named as {form} left out: {{}}."
    return left_out(rows.join(groups), groups.isna().all(axis=1), note, notes)


def _audio(folders: Iterable[Path], notes: list[str]) -> dict[str, Path]:
    """Audio files below some folders, by key; of identical copies the first."""
    found, copies = dict[str, Path](), 0
    paths = (path for folder in folders for path in walk(folder))
    for path in (path for path in paths if path.suffix.lower() in SUFFIXES):
        one = found.setdefault(key(path.name), path)
        copies += one is not path
        if one is not path and not filecmp.cmp(one, path, shallow=False):
            common = os.path.commonpath([one, path])
            names = " and ".join(str(file.relative_to(common)) for file in (one, path))
            raise ValueError(f"Two files for one utterance, {names}: keep one of them.")
    if copies:
        notes.append(f"{copies:,} files are there twice: they count once.")
    return found
