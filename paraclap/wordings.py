"""Where the sentences of a table are kept: cells of sentence ids, so that listing is a look-up.

What may be said of one attribute of a segment depends on a few states: its own level, sometimes
another level, sometimes a word. Each combination of them that a table can hold is a *cell*. A
cell holds sentences, and a sentence holds its *texts*: one, or where synonyms may take the place
of the emotion word, one with that word and one with each synonym. The bank lists the ids of all
texts, cell after cell, sentence after sentence. A row of the table is then one cell an attribute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap.templates import Sentence, emotion_state, gender_state

Ids = npt.NDArray[np.int32]
Cell = Sequence[tuple[tuple[str, ...], bool]]  # texts of each sentence; whether of the emotion


@dataclass(frozen=True)
class Coded:
    """One column as codes `(rows,)`: 0 for missing, i + 1 for the i-th of its words."""

    codes: Ids
    words: tuple[str, ...]


@dataclass(frozen=True)
class Bank:
    """The sentences of all cells.

    Args:
        attributes: what is spoken of, in the order of the template set
        queries: all filled sentences; an id is a position here
        ids: those of all texts of all sentences of all cells `(texts,)`
        starts: sentence → position of its first text in `ids`; at the end, the number of texts
        first: cell → its first sentence; at the end, the number of sentences. Those with the
            emotion word are the last of a cell
        plain: cell → how many of its sentences do without the emotion word
    """

    attributes: tuple[str, ...]
    queries: npt.NDArray[np.object_]
    ids: Ids
    starts: Ids
    first: Ids
    plain: Ids

    @property
    def counts(self) -> Ids:
        """How many sentences each cell has."""
        return np.diff(self.first)

    def texts(self, cell: int, plain: bool = False) -> Ids:
        """Ids of a cell; if `plain`, of its sentences without the emotion word."""
        end = self.first[cell] + self.plain[cell] if plain else self.first[cell + 1]
        return self.ids[self.starts[self.first[cell]] : self.starts[end]]

    def all_texts(self, cells: Ids) -> tuple[Ids, Ids]:
        """Give the ids of many cells, one after the other, and how many each cell has."""
        bounds = self.starts[self.first]
        many = np.diff(bounds)[cells]
        shift = np.repeat(bounds[cells] - np.cumsum(many) + many, many)
        return self.ids[shift + np.arange(len(shift))], many

    def pick(self, cells: Ids, counts: Ids, chance: npt.NDArray[np.float64]) -> Ids:
        """Pick one text of each of many cells.

        All sentences are equally likely. Of a sentence with several texts the first, that of the
        emotion word itself, comes half of the time, each of the others equally often.

        Args:
            cells: the cells `(n,)`
            counts: how many of their sentences may be picked `(n,)`, at least one
            chance: numbers drawn from [0, 1) `(n,)`

        Returns:
            the ids `(n,)`
        """
        place = chance * counts
        sentence = self.first[cells] + place.astype(np.int32)
        others = np.diff(self.starts)[sentence] - 1
        word = np.ceil((place % 1 * 2 - 1) * others).clip(0, others)
        picked: Ids = self.ids[self.starts[sentence] + word.astype(np.int32)]
        return picked


def coded(column: pd.Series) -> Coded:
    """Turn a column into codes."""
    codes, words = pd.factorize(column)
    return Coded(codes.astype(np.int32) + 1, tuple(str(word) for word in words))


def fill_bank(said: Sequence[Sentence], columns: Mapping[str, Coded]) -> tuple[Bank, Ids]:
    """Fill a bank with everything a template set can say of a table.

    Args:
        said: the template set
        columns: the coded columns of the table, emotion and gender among them

    Returns:
        the bank, and the cell of every row and attribute, `(rows, attributes)`
    """
    attributes = tuple(dict.fromkeys(sentence.attribute for sentence in said))
    lists: list[Cell] = []
    cells = []
    for attribute in attributes:
        own = [sentence for sentence in said if sentence.attribute == attribute]
        reads = dict.fromkeys(name for sentence in own for name in sentence.reads)
        read = {name: columns[name] for name in reads if name in columns}
        cells.append(_cell(read, len(columns["emotion"].codes)) + np.int32(len(lists)))
        lists += _wordings(own, read)
    return _bank(attributes, lists), np.column_stack(cells)


def _cell(read: Mapping[str, Coded], rows: int) -> Ids:
    """Number the combination of codes of each row, the last column running fastest."""
    cell = np.zeros(rows, dtype=np.int32)
    for column in read.values():
        cell = cell * np.int32(len(column.words) + 1) + column.codes
    return cell


def _wordings(own: Sequence[Sentence], read: Mapping[str, Coded]) -> Iterator[Cell]:
    """List for each cell of an attribute its sentences, those with the emotion word last."""
    for words in product(*[(None, *column.words) for column in read.values()]):
        given = dict(zip(read, words, strict=True))
        states = {name: _state(name, word) for name, word in given.items()}
        slots = given.get("emotion"), given.get("gender"), states.get("arousal", "unknown")
        filled = {tuple(one.fillings(*slots)): one.says_emotion for one in own if one.holds(states)}
        yield sorted(filled.items(), key=lambda sentence: sentence[1])


def _state(name: str, word: str | None) -> str:
    if name == "emotion":
        return emotion_state(word)
    return gender_state(word) if name == "gender" else word or "unknown"


def _bank(attributes: tuple[str, ...], lists: Sequence[Cell]) -> Bank:
    said = [texts for cell in lists for texts, _ in cell]
    distinct = dict.fromkeys(chain.from_iterable(said))
    number = {query: i for i, query in enumerate(distinct)}
    return Bank(
        attributes,
        queries=np.array(list(distinct), dtype=object),
        ids=np.array([number[text] for texts in said for text in texts], dtype=np.int32),
        starts=_bounds(map(len, said)),
        first=_bounds(map(len, lists)),
        plain=np.array([sum(not told for _, told in cell) for cell in lists], dtype=np.int32),
    )


def _bounds(lengths: Iterable[int]) -> Ids:
    """Where things of these lengths begin, one after the other, and where the last one ends."""
    return np.cumsum([0, *lengths], dtype=np.int32)
