"""Where the sentences of a table are kept: cells of sentence ids, so that listing is a look-up.

What may be said of one attribute of a segment depends on a few states: its own level, sometimes
another level, sometimes a word. Each combination of them that a table can hold is a *cell*; the
bank lists the ids of the sentences of every cell, padded by -1. A row of the table is then one
cell an attribute.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap.templates import Sentence, emotion_state, gender_state

Ids = npt.NDArray[np.int32]


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
        ids: cell → ids `(cells, most wordings)`, those with the emotion word last, then -1
        counts: cell → how many sentences
        plain: cell → how many of them do without the emotion word
    """

    attributes: tuple[str, ...]
    queries: npt.NDArray[np.object_]
    ids: Ids
    counts: Ids
    plain: Ids


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
    lists: list[list[tuple[str, bool]]] = []
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


def _wordings(
    own: Sequence[Sentence], read: Mapping[str, Coded]
) -> Iterator[list[tuple[str, bool]]]:
    """List for each cell of an attribute its queries and whether they hold the emotion word."""
    for words in product(*[(None, *column.words) for column in read.values()]):
        given = dict(zip(read, words, strict=True))
        states = {name: _state(name, word) for name, word in given.items()}
        queries = {
            one.fill(given.get("emotion"), given.get("gender")): one.says_emotion
            for one in own
            if one.holds(states)
        }
        yield sorted(queries.items(), key=lambda query: query[1])


def _state(name: str, word: str | None) -> str:
    if name == "emotion":
        return emotion_state(word)
    return gender_state(word) if name == "gender" else word or "unknown"


def _bank(attributes: tuple[str, ...], lists: list[list[tuple[str, bool]]]) -> Bank:
    distinct = dict.fromkeys(query for cell in lists for query, _ in cell)
    number = {query: i for i, query in enumerate(distinct)}
    ids = np.full((len(lists), max(1, *map(len, lists))), -1, dtype=np.int32)
    for row, cell in zip(ids, lists, strict=True):
        row[: len(cell)] = [number[query] for query, _ in cell]
    counts = (ids >= 0).sum(axis=1, dtype=np.int32)
    plain = np.array([sum(not emotion for _, emotion in cell) for cell in lists], dtype=np.int32)
    return Bank(attributes, np.array(list(distinct), dtype=object), ids, counts, plain)
