"""Which of the queries that hold for a voice are said: all of them, or a few at random.

Attributes are drawn first and then a wording of each, so that an attribute with many wordings is
not heard more often. `queries.Pool` knows what holds; here is how it is drawn from.

Conventions: a row points, by attribute, to a *cell* of the bank, which lists the ids of its
sentences (`wordings`); cells are of shape (rows, attributes).

Source: section 2.2 of the paper ("a maximum of n text prompts are randomly selected").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap.joining import JOINS, parts, weighted
from paraclap.templates import unknown_name
from paraclap.wordings import Bank, Ids

__all__ = ["MODES", "Rows", "Sampler", "check_manner", "in_rows"]

MODES = ("always", "pool", "never")
Rows = Sequence[int] | npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Sampler:
    """Draws from what holds for the rows of a table.

    Attributes:
        bank: the sentences
        cells: of shape (rows, attributes): where in the bank those of a row stand
        index: of the table, to name a row
    """

    bank: Bank
    cells: Ids
    index: pd.Index

    def queries(self, row: int) -> list[str]:
        """All queries of the row at a position."""
        ids, _ = self.bank.all_texts(self.cells[row])
        return [self.bank.queries[k] for k in ids]

    def says(self, emotion: str, only_emotion: bool) -> npt.NDArray[np.bool_]:
        """Tell of which rows there is something to say; see `Pool.says`."""
        heard = (self.bank.plain if emotion == "never" else self.bank.counts)[self.cells] > 0
        feeling = self.bank.attributes.index("emotion")
        heard[:, feeling] &= emotion != "never"
        said = heard[:, [feeling]] if only_emotion else heard
        return np.asarray(said.any(axis=1), dtype=np.bool_)

    def draw(
        self,
        rows: Rows,
        rand: int,
        emotion: str,
        only_emotion: bool,
        join: str,
        rng: np.random.Generator,
    ) -> list[list[str]]:
        """Draw a few queries for each row; see `Pool.draw`."""
        if join != "rand" and not only_emotion:
            self._check_said(rows, self.says(emotion, False)[np.asarray(rows, dtype=np.intp), None])
            return [self._listed(int(row), rand, emotion, join, rng) for row in rows]
        cells = self.cells[np.asarray(rows, dtype=np.intp)]
        counts = (self.bank.plain if emotion == "never" else self.bank.counts)[cells]
        feeling = self.bank.attributes.index("emotion")
        pool = counts > 0
        pool[:, feeling] &= emotion == "pool"
        chosen, order = _draw(pool & (not only_emotion), rand, rng)
        last = counts[:, feeling] * (only_emotion or emotion == "always")
        order = np.column_stack([order, np.full(len(cells), feeling)])
        chosen = np.column_stack([chosen, last > 0])
        self._check_said(rows, chosen)
        own, n = (np.take_along_axis(each, order, axis=1)[chosen] for each in (cells, counts))
        ids = self.bank.pick(own, n, rng.random(order.shape)[chosen])
        return in_rows(self.bank.queries[ids], chosen.sum(axis=1))

    def _listed(
        self, row: int, rand: int, emotion: str, join: str, rng: np.random.Generator
    ) -> list[str]:
        queries = self._said(row, emotion)
        if join == "all":
            return queries
        feeling = self.cells[row, self.bank.attributes.index("emotion")]
        own = self.bank.queries[self.bank.texts(feeling)]
        last = next((query for query in own if "emotion" in query), None)
        return parts(weighted(queries, last if emotion == "always" else None, rand, rng))

    def _said(self, row: int, emotion: str) -> list[str]:
        """All queries of a row; those without the emotion where it is never said."""
        if emotion != "never":
            return self.queries(row)
        others = np.delete(self.cells[row], self.bank.attributes.index("emotion"))
        ids = [self.bank.texts(cell, plain=True) for cell in others]
        kept: list[str] = self.bank.queries[np.concatenate(ids)].tolist()
        return kept

    def _check_said(self, rows: Rows, chosen: npt.NDArray[Any]) -> None:
        silent = np.asarray(rows)[~chosen.any(axis=1)]
        if len(silent):
            named = ", ".join(f"{i} {_short(self.index[i])}" for i in silent[:5])
            raise ValueError(
                f"Nothing to say of {len(silent)} rows ({named}), expected a known attribute or "
                "emotion: leave these rows out."
            )


def check_manner(rand: int, emotion: str, only_emotion: bool, join: str = "rand") -> None:
    """Refuse a manner of drawing that cannot be.

    Args:
        rand: as in `Pool.draw`
        emotion: as in `Pool.draw`
        only_emotion: as in `Pool.draw`
        join: as in `Pool.draw`

    Raises:
        ValueError: if a parameter is out of range
    """
    if rand < 1:
        raise ValueError(f"Bad rand {rand}, expected at least 1 query.")
    if join not in JOINS:
        raise ValueError(unknown_name("join", join, JOINS))
    if emotion not in MODES:
        raise ValueError(unknown_name("emotion mode", emotion, MODES))
    if only_emotion and emotion == "never":
        raise ValueError("only_emotion asks for what emotion='never' forbids: choose one.")


def in_rows(texts: npt.NDArray[np.object_], many: npt.NDArray[np.integer[Any]]) -> list[list[str]]:
    """Cut a row of texts into lists.

    Args:
        texts: shape (texts,)
        many: how many of them each list gets, shape (lists,)
    """
    flat = texts.tolist()
    bounds = [0, *np.cumsum(many).tolist()]
    return [flat[start:end] for start, end in pairwise(bounds)]


def _short(label: object) -> str:
    """Name a segment without its folders: ('folder/a.wav', 0.0 s)."""
    if not isinstance(label, tuple):
        return f"({label!r})"
    start = f", {label[1].total_seconds():.2f} s" if isinstance(label[1], pd.Timedelta) else ""
    return f"('{'/'.join(Path(str(label[0])).parts[-2:])}'{start})"


def _draw(
    pool: npt.NDArray[np.bool_], rand: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
    """Draw attributes: which are taken, in which order, both (rows, at most rand)."""
    keys = np.where(pool, rng.random(pool.shape), 2.0)
    order = np.argsort(keys, axis=1)[:, :rand]
    wanted = np.minimum(rng.integers(1, rand + 1, len(pool)), pool.sum(axis=1))
    return np.arange(order.shape[1]) < wanted[:, None], order
