"""What the loaders of the paper's corpora share: find the folder, its audio, its label files.

A loader is a function that reads one folder and gives one row per utterance: `id`, `file`,
`emotion` or `label`, where available `speaker`, `gender`, `split`, `session`; other columns are
dropped. A list `notes` gets a sentence for whatever is left out.

An utterance is found by its *key*, the name of its file in lower case without folder and suffix.
Two files for one utterance are an error unless they are identical. Differences from the published
counts (``counts.csv``, where `confirmed` tells numbers that were checked from those only reported)
are notes, never errors. Whatever is wrong with a label file is a ValueError that says where.
Chapter 1.
"""

from __future__ import annotations

import csv
import filecmp
import importlib
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from paraclap.corpora.folder import walk
from paraclap.corpora.labels import TASK
from paraclap.tables import LABELS, report_rows, segments, short_name

SUFFIXES = (".wav", ".sph", ".flac")


@dataclass(frozen=True)
class Corpus:
    """A corpus as its publishers give it away: a row of ``corpora.csv``."""

    name: str
    title: str
    language: str  # two letters
    licence: str
    url: str  # where to get it or to apply for it
    reference: str  # key in book/references.bib
    classes: list[str]  # of its own task
    key: list[str]  # patterns that are all found in its folder, with | between alternatives
    layout: str  # what its folder should hold, in words

    @property
    def parameter(self) -> str:
        """Name of its module, and of the parameter with its folder."""
        return self.name.replace("-", "_")

    @property
    def counts(self) -> pd.DataFrame:
        """Published utterances: columns corpus (the task), split, label, count, confirmed."""
        counts = pd.read_csv(Path(__file__).with_name("counts.csv"), keep_default_na=False)
        return counts[counts["corpus"].str.fullmatch(rf"{self.name}(-\d)?")]

    def home(self, root: Path) -> Path:
        """Folder of the corpus: the one given, or the only one in it that looks like it."""
        if not root.is_dir():
            raise FileNotFoundError(self.absent(f"no folder at '…/{short_name(root)}'"))
        if self._is_here(root):
            return root.resolve()
        inner = sorted(path for path in root.iterdir() if path.name[0] != ".")
        homes = [path for path in inner if path.is_dir() and self._is_here(path)]
        if len(homes) == 1:
            return homes[0].resolve()
        if homes:
            copies = first(repr(path.name) for path in homes)
            reason = f"{len(homes)} copies of it in {root.name!r}: {copies}"
            raise FileNotFoundError(f"{self.title}: {reason}. Give the folder of one of them.")
        content = f"it holds {first(path.name for path in inner)}" if inner else "it is empty"
        raise FileNotFoundError(self.absent(f"{root.name!r} is not its folder, {content}"))

    def _is_here(self, folder: Path) -> bool:
        return all(
            any(path.name[0] != "." for one in pattern.split("|") for path in folder.glob(one))
            for pattern in self.key
        )

    def absent(self, reason: str) -> str:
        """Message for a corpus that is not there: what was got, expected, and where to apply."""
        return f"{self.title}: {reason}. Expected {self.layout}. Get it at {self.url}."

    def read(self, root: Path) -> pd.DataFrame:
        """Table of the corpus on the segmented index, its notes in `attrs`.

        Args:
            root: its folder, or one that holds this folder

        Raises:
            FileNotFoundError: if it is another folder, or no utterance is in it
            ValueError: if a label file, a label or a file name is not as it should be
        """
        notes: list[str] = []
        home = self.home(root)
        loader = importlib.import_module(f"paraclap.corpora.paper.{self.parameter}")
        rows: pd.DataFrame = loader.rows(home, notes)
        if rows.empty:
            reason = f"no utterance in {home.name!r}" + f" ({' '.join(notes)})" * bool(notes)
            raise FileNotFoundError(self.absent(reason))
        ours = [n for n in rows if n in (*LABELS, "session") or str(n).startswith(TASK)]
        table = rows[ours].set_axis(segments(rows["file"]))
        table["speaker"] = self.name + "-" + table["speaker"].astype("str")
        table["language"] = self.language
        if "corpus" not in table:
            table["corpus"] = self.name
        table.attrs["notes"] = [*notes, *self._compared(table)]
        return table

    def _compared(self, table: pd.DataFrame) -> Iterator[str]:
        """A note for each task and split that has not as many utterances as published."""
        tasks = {str(name).removeprefix(TASK): name for name in table if TASK in str(name)}
        tasks = {table["corpus"].iloc[0]: "label" if "label" in table else "emotion"} | tasks
        for (task, split), expected in self.counts.groupby(["corpus", "split"], sort=False):
            if task in tasks:
                here = table[table["split"] == split] if split else table
                place = f"{task}, {split}: " if len(tasks) > 1 else f"{split}: " * bool(split)
                yield from (place + note for note in _difference(here[tasks[task]], expected))


def _difference(labels: pd.Series, expected: pd.DataFrame) -> Iterator[str]:
    """A sentence such as `1,438 of 1,440 utterances; anger 191 of 192.`, if they differ."""
    there, published = labels.value_counts(), expected.set_index("label")["count"]
    classes = [
        f"{label} {there.get(label, 0):,} of {count:,}"
        for label, count in published.items()
        if label and there.get(label, 0) != count
    ]
    if labels.count() != published.sum() or classes:
        source = "" if (expected["confirmed"] == "yes").all() else " as reported"
        total = f"{labels.count():,} of {published.sum():,} utterances{source}"
        yield "; ".join([total, ", ".join(classes)] if classes else [total]) + "."


def first(names: Iterable[object]) -> str:
    """First five of many names, for a message.

    >>> first("abcdefg")
    'a, b, c, d, e, …'
    """
    words = [str(name) for name in names]
    return ", ".join(words[:5]) + (", …" if len(words) > 5 else "")


# --- audio --------------------------------------------------------------------------------------


def key(name: str) -> str:
    """Key of an utterance, from the name of its file with or without folder and suffix.

    >>> key("wav/Train_001.WAV"), key("train_001")
    ('train_001', 'train_001')
    """
    last = re.split(r"[\\/]", name)[-1].strip().lower()
    return next((last.removesuffix(end) for end in SUFFIXES if last.endswith(end)), last).strip()


def audio(
    folders: Iterable[Path],
    notes: list[str],
    suffixes: Sequence[str] = SUFFIXES,
    identity: Callable[[str], str] = key,
) -> dict[str, Path]:
    """Audio files below some folders, by key; of identical copies the first."""
    found: dict[str, Path] = {}
    pairs: list[tuple[Path, Path]] = []
    for path in (path for folder in folders for path in walk(folder)):
        if path.suffix.lower() in suffixes:
            one = found.setdefault(identity(path.name), path)
            if one is not path:
                pairs.append((one, path))
    different = [pair for pair in pairs if not filecmp.cmp(*pair, shallow=False)]
    if different:
        shown = "; ".join(_apart(*pair) for pair in different[:5])
        raise ValueError(
            f"Two files for one utterance ({len(different)} times): {shown}. Keep one of them, or, "
            "where two copies of the corpus lie side by side, give the folder of one."
        )
    if pairs:
        where = _apart(*pairs[0])
        notes.append(f"{len(pairs):,} files are there twice, such as {where}: they count once.")
    return found


def _apart(one: Path, other: Path) -> str:
    """Two paths from where they part."""
    common = os.path.commonpath([one, other])
    return " and ".join(repr(path.relative_to(common).as_posix()) for path in (one, other))


# --- label files --------------------------------------------------------------------------------


def text(path: Path, notes: list[str]) -> str:
    """Text of a label file in UTF-8 or, with a note, in Latin-1."""
    content = path.read_bytes()
    if not content.strip():
        raise ValueError(f"{path.name!r} is empty, expected labels: copy it again.")
    if b"\0" in content:
        raise ValueError(f"{path.name!r} is in neither UTF-8 nor Latin-1: save it as UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        notes.append(f"{path.name} is not in UTF-8: read as Latin-1.")
        return content.decode("latin-1")


def table(
    path: Path, columns: Sequence[str], notes: list[str], sep: str = ",", header: bool = True
) -> pd.DataFrame:
    """Table of a label file, all of it as text, empty cells missing.

    It must have the columns named; without a header these are the names, in order.
    """
    form: dict[str, Any] = {"sep": sep, "dtype": "str", "keep_default_na": False}
    form |= {"names": None if header else list(columns), "na_values": [""]}
    try:
        rows = pd.read_csv(io.StringIO(text(path, notes)), skipinitialspace=True, **form)
    except (pd.errors.ParserError, csv.Error) as error:
        msg = f"Cannot read {path.name!r} as a table ({error}), expected cells between {sep!r}."
        raise ValueError(msg) from error
    rows = pd.DataFrame({str(name).strip(): rows[name].str.strip() for name in rows})
    if not {*columns} <= {*rows} or rows.empty or not isinstance(rows.index, pd.RangeIndex):
        raise ValueError(
            f"Bad table {path.name!r}: {len(rows)} rows of {list(rows)[:10]}, expected rows of "
            f"{list(columns)} with {sep!r} between the cells."
        )
    return rows


def mapped(
    codes: pd.Series, words: Mapping[str, str], names: Iterable[str], where: str
) -> pd.Series:
    """Codes of a corpus as words; `names` are those of the utterances, for messages."""
    named = codes.to_frame("label").set_axis(pd.MultiIndex.from_arrays([list(names)]))
    expected = f"one of {list(words)}: correct it there"
    report_rows(named, ~named["label"].isin(list(words)), "label", where, expected)
    return codes.map(dict(words)).astype("str")


def matched(
    rows: pd.DataFrame, files: Mapping[str, Path], where: str, notes: list[str]
) -> pd.DataFrame:
    """Utterances (column `id`) that have an audio file, with a column `file`."""
    if rows["id"].isna().any():
        msg = f"{rows['id'].isna().sum()} rows of {where} name no utterance, expected a file name."
        raise ValueError(msg)
    keys = rows["id"].map(key)
    if keys.duplicated().any():
        twice = rows["id"][keys.duplicated()]
        msg = f"{len(twice)} utterances are named twice in {where}: {first(twice)}. Keep one row."
        raise ValueError(msg)
    lost = ~keys.isin(list(files))
    if lost.any():
        names = first(rows["id"][lost])
        notes.append(f"No audio for {lost.sum():,} utterances of {where}, left out: {names}.")
    more = [files[name].name for name in files.keys() - set(keys)]
    if more:
        notes.append(f"No label in {where} for {len(more):,} audio files: {first(sorted(more))}.")
    return rows.assign(file=keys.map(dict(files)))[~lost].reset_index(drop=True)


def parsed(files: Mapping[str, Path], pattern: str, form: str, notes: list[str]) -> pd.DataFrame:
    """What the keys of files say, a column per group of the pattern; other keys are left out."""
    rows = pd.DataFrame({"id": [path.name for path in files.values()], "file": files.values()})
    groups = pd.Series(list(files), dtype="str").str.extract(f"^(?:{pattern})$")
    other = groups.isna().all(axis=1)
    if other.any():
        names = f"{other.sum():,} audio files not named as {form} have no label, left out"
        notes.append(f"{names}: {first(rows['id'][other])}.")
    return rows.join(groups)[~other].reset_index(drop=True)
