"""What is said of a voice: from levels and labels to queries, all of them or a few at random.

A query is a sentence that holds for a segment ("has a high pitch"). `queries_for` lists those of
one segment, one sentence after the other. A `Pool` holds those of a whole table: every attribute
of every row points to a *cell*, and each cell lists the ids of its sentences, so that listing and
sampling are look-ups. How queries are drawn is told in `sampling`; they are joined by "and".

Emotion words: `queries_for` uses the word as given ("angry"); a `Pool` turns the nouns of a label
table (anger) into the form asked for. What the sets say and when is told in `templates`.

Source: sections 2.2 and 3.3 of the paper ("a maximum of n text prompts are randomly selected").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap.joining import all_of
from paraclap.sampling import MODES, Rows, Sampler, check_manner, in_rows
from paraclap.templates import (
    LEVELS,
    NUMERIC,
    check_level,
    emotion_state,
    emotion_word,
    gender_state,
    sentences,
    unknown_name,
)
from paraclap.wordings import Bank, Coded, Ids, coded, fill_bank

__all__ = ["MODES", "Pool", "contrast", "emotion_word", "queries_for"]


def queries_for(
    levels: Mapping[str, str],
    emotion: str | None,
    gender: str | None,
    templates: str = "paper",
) -> list[str]:
    """List all queries that hold for one segment.

    Args:
        levels: attribute ("pitch variation") → low, normal or high; leave out what is not known
        emotion: a word, used as given; None if unknown; "no_agreement" if raters disagree
        gender: female or male; None if unknown
        templates: the template set, one of paper, diverse, released, released-fixed

    Returns:
        the queries in the order of the template set

    Raises:
        ValueError: if an attribute, level, gender or template set is unknown

    >>> queries_for({"pitch": "high"}, "angry", None)
    ['has a high pitch', 'this is a angry instance', 'speaker is angry', 'emotion is angry']
    """
    for attribute, level in levels.items():
        check_level(attribute, level)
    states = {**levels, "emotion": emotion_state(emotion), "gender": gender_state(gender)}
    said = [sentence for sentence in sentences(templates) if sentence.holds(states)]
    degree = states.get("arousal", "unknown")
    return [text for sentence in said for text in sentence.fillings(emotion, gender, degree)]


def contrast(attribute: str, templates: str = "paper") -> tuple[str, str]:
    """Give one plain query for each end of an attribute, to ask a model which of them holds.

    Args:
        attribute: an attribute with levels, or gender
        templates: the template set

    Returns:
        the query of low and that of high; of gender that of female and that of male

    Raises:
        ValueError: if the set has no such pair of sentences

    >>> contrast("pitch"), contrast("gender")
    (('has a low pitch', 'has a high pitch'), ('the speaker is female', 'the speaker is male'))
    """
    said = [sentence for sentence in sentences(templates) if sentence.attribute == attribute]
    if attribute == "gender":
        return said[-1].fill(None, "female"), said[-1].fill(None, "male")
    ends = [[one for one in said if one.states[attribute] == {end}] for end in ("low", "high")]
    if not all(ends):
        known = {one.attribute for one in sentences(templates)} - {"emotion"}
        where = f" for a contrast of the set {templates!r}"
        raise ValueError(unknown_name("attribute", attribute, sorted(known), where))
    low, high = (min(end, key=lambda one: len(one.states)).template for end in ends)
    return low, high


class Pool:
    """The queries of a whole table, ready to be listed and sampled; made by `Pool.build`."""

    templates, emotion_form = "paper", "adjective"  # what it was made with

    def __init__(self, frame: pd.DataFrame, bank: Bank, cells: Ids) -> None:
        """Keep the labels, the sentences and, of shape (rows, attributes), where they stand."""
        self._frame = frame
        self._bank = bank
        self._cells = cells
        self._sampler = Sampler(bank, cells, frame.index)

    @classmethod
    def build(
        cls,
        levels: pd.DataFrame,
        emotion: pd.Series | None = None,
        gender: pd.Series | None = None,
        templates: str = "paper",
        emotion_form: str = "adjective",
    ) -> Pool:
        """Find the queries of every row.

        Args:
            levels: one row a segment, one column an attribute: low, normal, high or missing
            emotion: on the index of `levels`: an emotion word, no_agreement or missing
            gender: on the index of `levels`: female, male or missing
            templates: the template set
            emotion_form: "adjective" (angry) or "noun" (anger)

        Raises:
            ValueError: if a name is unknown or an index differs
        """
        frame = levels.copy()
        frame["emotion"] = _aligned(emotion, levels, "emotion")
        frame["gender"] = _aligned(gender, levels, "gender")
        columns = {str(name): coded(frame[name]) for name in frame}
        for name, column in columns.items():
            _check_words(name, column.words)
        feeling = columns["emotion"]
        words = tuple(emotion_word(word, emotion_form) for word in feeling.words)
        columns["emotion"] = Coded(feeling.codes, words)
        pool = cls(frame, *fill_bank(sentences(templates), columns))
        pool.templates, pool.emotion_form = templates, emotion_form
        return pool

    @classmethod
    def from_table(
        cls, table: pd.DataFrame, templates: str = "paper", emotion_form: str = "adjective"
    ) -> Pool:
        """Build from one table that holds it all, such as the one that `Pool.table` gives.

        Args:
            table: columns named as attributes, and `emotion` and `gender` where known; others are
                not read
            templates: as in `build`
            emotion_form: as in `build`
        """
        levels = table[[name for name in table if name in NUMERIC]]
        emotion, gender = table.get("emotion"), table.get("gender")
        return cls.build(levels, emotion, gender, templates, emotion_form)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._frame)

    @property
    def attributes(self) -> list[str]:
        """What the template set can speak of, in its order."""
        return list(self._bank.attributes)

    @property
    def vocabulary(self) -> list[str]:
        """All distinct queries that hold for at least one row, in the order of the set."""
        ids, _ = self._bank.all_texts(np.unique(self._cells))
        return [self._bank.queries[i] for i in np.unique(ids)]

    def queries(self, i: int) -> list[str]:
        """All queries of the row at position `i`."""
        return self._sampler.queries(i)

    def table(self) -> pd.DataFrame:
        """The levels, emotion, gender, and in the column `queries` the list of queries a row."""
        ids, many = self._bank.all_texts(self._cells.ravel())
        lists = in_rows(self._bank.queries[ids], many.reshape(self._cells.shape).sum(axis=1))
        return self._frame.assign(queries=pd.Series(lists, self._frame.index, dtype=object))

    def says(self, emotion: str = "always", only_emotion: bool = False) -> npt.NDArray[np.bool_]:
        """Tell of which rows `sample` has something to say, shape `(rows,)`.

        Args:
            emotion: as in `sample`
            only_emotion: as in `sample`

        Raises:
            ValueError: if a parameter is out of range
        """
        check_manner(1, emotion, only_emotion)
        return self._sampler.says(emotion, only_emotion)

    def sample(
        self,
        rows: Rows,
        rand: int = 5,
        emotion: str = "always",
        only_emotion: bool = False,
        join: str = "rand",
        *,
        rng: np.random.Generator,
    ) -> list[str]:
        """Draw one text for each row: the queries that `draw` gives, joined by "and".

        Args:
            rows: positions in the table
            rand: as in `draw`
            emotion: as in `draw`
            only_emotion: as in `draw`
            join: as in `draw`
            rng: the source of chance; the same state gives the same texts

        Raises:
            ValueError: if a row has nothing to say, or a parameter is out of range
        """
        drawn = self.draw(rows, rand, emotion, only_emotion, join, rng=rng)
        joined = all_of if join == "all" and not only_emotion else " and ".join
        return [joined(queries) for queries in drawn]

    def draw(
        self,
        rows: Rows,
        rand: int = 5,
        emotion: str = "always",
        only_emotion: bool = False,
        join: str = "rand",
        *,
        rng: np.random.Generator,
    ) -> list[list[str]]:
        """Draw a few queries for each row, not joined yet.

        Args:
            rows: positions in the table
            rand: the largest number of attributes; with `join="weighted"`, of queries
            emotion: "pool": emotion is one of the attributes. "always": an emotion query comes
                on top of the others, at the end, where the emotion is known. "never": no emotion
                query, nor any other that holds the emotion word
            only_emotion: nothing but an emotion query
            join: "rand": between 1 and `rand` attributes are drawn without repetition among
                those the row has something to say of (all of them if it has fewer), then one
                wording of each: a template, and where it takes several emotion words the
                emotion's own half of the time. "weighted" and "all": as the released code, see
                `joining`
            rng: the source of chance; the same state gives the same queries

        Raises:
            ValueError: if a row has nothing to say, or a parameter is out of range
        """
        check_manner(rand, emotion, only_emotion, join)
        return self._sampler.draw(rows, rand, emotion, only_emotion, join, rng)


def _aligned(column: pd.Series | None, levels: pd.DataFrame, name: str) -> pd.Series:
    if name in levels:
        raise ValueError(f"Column {name!r} among the levels, expected it as a series of its own.")
    if column is None:
        return pd.Series(index=levels.index, dtype="str")
    if not column.index.equals(levels.index):
        raise ValueError(
            f"The index of {name} ({len(column)} rows) differs from that of the levels "
            f"({len(levels)} rows), expected the same segments in the same order: reindex it."
        )
    return column


def _check_words(name: str, words: Sequence[str]) -> None:
    if name not in ("emotion", "gender"):
        check_level(name, LEVELS[0])
    for word in words:
        if name == "emotion":
            emotion_state(word)
        elif name == "gender":
            gender_state(word)
        else:
            check_level(name, word)
