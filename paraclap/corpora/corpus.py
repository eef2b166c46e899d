"""What every known corpus has: where to get it, how its folder looks, how many utterances it has.

A loader is a :class:`Corpus` whose function `rows` knows the folder: it gives one row per
utterance with columns `file`, `emotion` or `label`, `speaker`, `gender` and `split` where they are
known, and adds a note for whatever it leaves out. The rest is common and lies here: the check of
the folder, the index, speakers that are unique over corpora, the comparison with what is published.

The published numbers are in `counts.csv`. `confirmed` says whether a number was checked against
metadata or loaders that are public (`yes`) or only reported (`no`); a difference is a note, never
an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from paraclap.corpora import disk
from paraclap.tables import segments

TASK = "task:"  # starts the name of a column with a further question about the same voices
Rows = Callable[[Path, list[str]], pd.DataFrame]


@dataclass(frozen=True)
class Corpus:
    """A corpus as its publishers give it away.

    Attributes:
        name: as it is asked for
        title: as it is called
        language: two letters
        licence: under which it is to be had
        url: where to get it or to apply for it
        reference: key in `book/references.bib`
        layout: what its folder should hold
        key: patterns of which each has to be found there, alternatives with `|` between
        classes: of its own question, in the order of the publishers
        rows: reads the folder, see the module
    """

    name: str
    title: str
    language: str
    licence: str
    url: str
    reference: str
    layout: str
    key: tuple[str, ...]
    classes: tuple[str, ...]
    rows: Rows

    @property
    def counts(self) -> pd.DataFrame:
        """Published utterances: columns corpus, split, label (missing: of any), count, confirmed.

        The corpus is the name of the question: FAU Aibo has two.
        """
        published = pd.read_csv(Path(__file__).with_name("counts.csv"))
        names = published["corpus"]
        return published[(names == self.name) | names.str.fullmatch(rf"{self.name}-\d")]

    def home(self, root: Path) -> Path:
        """Folder of the corpus: the one given, or the only one in it that looks like it.

        Raises:
            FileNotFoundError: if there is none, with what was found instead, or several
        """
        if not root.is_dir():
            raise FileNotFoundError(self.absent(f"no folder at '…/{disk.tail(root)}'"))
        if self._is_here(root):
            return root.resolve()
        below = sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] != ".")
        homes = [path for path in below if self._is_here(path)]
        if len(homes) == 1:
            return homes[0].resolve()
        if homes:
            copies = disk.listed(repr(path.name) for path in homes)
            msg = (
                f"{self.title}: {len(homes)} copies of it in {root.name!r}: {copies}. Give the "
                "folder of one of them."
            )
            raise FileNotFoundError(msg)
        names = sorted(path.name for path in root.iterdir() if path.name[0] != ".")
        found = f"it holds {disk.listed(names)}" if names else "it is empty"
        raise FileNotFoundError(self.absent(f"{root.name!r} is not its folder, {found}"))

    def _is_here(self, folder: Path) -> bool:
        return all(
            any(path.name[0] != "." for one in pattern.split("|") for path in folder.glob(one))
            for pattern in self.key
        )

    def absent(self, reason: str) -> str:
        """Sentences for an error: what was got, what was expected, and where to apply.

        Args:
            reason: what is wrong, without a full stop
        """
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
        rows = self.rows(home, notes)
        if rows.empty:
            said = f" ({' '.join(notes)})" if notes else ""
            raise FileNotFoundError(self.absent(f"no utterance in {home.name!r}{said}"))
        table = rows.drop(columns=["id", "file"]).set_index(segments(rows["file"]))
        table["speaker"] = self.name + "-" + table["speaker"].astype("str")
        table["language"] = self.language
        if "corpus" not in table:
            table["corpus"] = self.name
        table.attrs["notes"] = [*notes, *self._compared(table)]
        return table

    def _compared(self, table: pd.DataFrame) -> Iterator[str]:
        """A note for each question and split that has not as many utterances as published."""
        own = "label" if "label" in table else "emotion"
        asked = {str(table["corpus"].iloc[0]): own}
        names = [str(name) for name in table]
        asked |= {name.removeprefix(TASK): name for name in names if name.startswith(TASK)}
        published = self.counts.fillna({"split": "", "label": ""})
        for (corpus, split), expected in published.groupby(["corpus", "split"], sort=False):
            if corpus in asked:
                here = table[table["split"] == split] if split else table
                place = f"{corpus}, {split}: " if len(asked) > 1 else f"{split}: " * bool(split)
                yield from (place + note for note in _difference(here[asked[corpus]], expected))


def _difference(labels: pd.Series, expected: pd.DataFrame) -> Iterator[str]:
    """A sentence such as `1,438 of 1,440 utterances; anger 191 of 192.`, if they differ."""
    counted = expected[expected["label"] != ""]
    there = labels.value_counts()
    got, all_of_them = int(labels.notna().sum()), int(expected["count"].sum())
    classes = [
        f"{label} {there.get(label, 0):,} of {count:,}"
        for label, count in zip(counted["label"], counted["count"], strict=True)
        if there.get(label, 0) != count
    ]
    if got != all_of_them or classes:
        source = "" if (expected["confirmed"] == "yes").all() else " as reported"
        total = f"{got:,} of {all_of_them:,} utterances{source}"
        yield "; ".join([total, ", ".join(classes)] if classes else [total]) + "."
