"""The queries of a whole table: listed, counted, and sampled for training.

What holds of one attribute depends on a few values of a row, so it is found once for each of their
combinations. Emotions of a labels table ("anger") are brought into the form asked for ("angry").
Chapter 3; source: sections 2.2 and 3.3 of the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap import tables
from paraclap.queries.levels import FEATURES
from paraclap.queries.sampling import released_caption, sample_caption
from paraclap.queries.templates import (
    Template,
    emotion_word,
    load_templates,
    matching_templates,
    states_of,
)

EMOTION_MODES = ("always", "pool", "never")
JOINS = ("rand", "weighted", "all")
Rows = Sequence[int] | npt.NDArray[np.integer[Any]]


class QueryPool:
    """The queries of every row of a table; made by `build` or `from_table`.

    Attributes:
        labels: levels, `emotion` and `gender` of the rows
        templates: the template set
        emotion_form: "adjective" or "noun"
    """

    def __init__(self, table: pd.DataFrame, templates: str, emotion_form: str) -> None:
        """Find the wordings that hold, attribute by attribute."""
        self.labels, self.templates, self.emotion_form = table, templates, emotion_form
        own: dict[str, list[Template]] = {}
        for template in load_templates(templates):
            own.setdefault(template.attribute, []).append(template)
        values = table.astype(object).where(table.notna(), None)
        forms = {one: emotion_word(one, emotion_form) for one in table["emotion"].dropna().unique()}
        values["emotion"] = values["emotion"].map(lambda one: forms.get(one, one))
        self._wordings = {name: _wordings(some, values) for name, some in own.items()}

    @classmethod
    def build(
        cls,
        levels: pd.DataFrame,
        emotion: pd.Series | None = None,
        gender: pd.Series | None = None,
        templates: str = "paper",
        emotion_form: str = "adjective",
    ) -> Self:
        """Make a pool of levels and labels.

        Args:
            levels: one row an utterance, one column an attribute: low, normal, high or missing
            emotion: on the index of `levels`: a word, "no_agreement" or missing
            gender: on the index of `levels`: female, male or missing
            templates: as in `queries_for`
            emotion_form: "adjective" (angry) or "noun" (anger)

        Raises:
            ValueError: if an attribute, level, gender, form or set is unknown, or an index differs
        """
        for name in levels:
            if name not in FEATURES:
                raise ValueError(tables.unknown("attribute", name, FEATURES, "the levels"))
        empty = pd.Series(index=levels.index, dtype="str")
        given = {"emotion": emotion, "gender": gender}
        labels = {name: empty if one is None else one for name, one in given.items()}
        for name, one in labels.items():
            if not one.index.equals(levels.index):
                raise ValueError(
                    f"The index of {name} ({len(one)} rows) differs from that of the levels "
                    f"({len(levels)} rows), expected the same segments in the same order."
                )
        return cls(levels.assign(**labels), templates, emotion_form)

    @classmethod
    def from_table(
        cls, table: pd.DataFrame, templates: str = "paper", emotion_form: str = "adjective"
    ) -> Self:
        """Make a pool of one table such as `table` gives; columns of other names are ignored."""
        levels = table[[name for name in table if name in FEATURES]]
        return cls.build(levels, table.get("emotion"), table.get("gender"), templates, emotion_form)

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.labels)

    @property
    def vocabulary(self) -> list[str]:
        """All distinct queries of the table, attribute by attribute."""
        found = [wording for rows in self._wordings.values() for row in rows for wording in row]
        return list(dict.fromkeys(query for queries, _ in found for query in queries))

    def queries(self, i: int) -> list[str]:
        """All queries of the row at position `i`."""
        return [query for own in self.wordings(i).values() for one in own for query in one]

    def table(self) -> pd.DataFrame:
        """The levels, emotion and gender, and in `queries` the list of queries of each row."""
        lists = [self.queries(i) for i in range(len(self))]
        return self.labels.assign(queries=pd.Series(lists, self.labels.index, dtype=object))

    def wordings(
        self, i: int, emotion: str = "always", only_emotion: bool = False
    ) -> dict[str, list[tuple[str, ...]]]:
        """What may be drawn for a row, as `sample_caption` takes it; arguments as in `sample`."""
        never = emotion == "never"
        found = {
            name: [queries for queries, names_emotion in rows[i] if not (never and names_emotion)]
            for name, rows in self._wordings.items()
            if not (never if name == "emotion" else only_emotion)
        }
        return {name: own for name, own in found.items() if own}

    def has_queries(
        self, emotion: str = "always", only_emotion: bool = False
    ) -> npt.NDArray[np.bool_]:
        """For which rows there is something to draw, shape `(rows,)`; arguments as in `sample`."""
        _check_options(1, emotion, only_emotion, "rand")
        found = [bool(self.wordings(i, emotion, only_emotion)) for i in range(len(self))]
        return np.array(found, dtype=np.bool_)

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
        """Draw a caption for each row.

        Args:
            rows: positions in the table
            rand: the largest number of attributes; with `join="weighted"` of queries
            emotion: "always": an emotion query comes on top, at the end. "pool": emotion is drawn
                like the other attributes. "never": no query names it
            only_emotion: nothing but one emotion query
            join: "rand" as `sample_caption`, "weighted" or "all" as `released_caption`
            rng: the source of chance; the same state gives the same captions

        Raises:
            ValueError: if a row has nothing to draw, or an option is unknown
        """
        _check_options(rand, emotion, only_emotion, join)
        found = [self.wordings(int(i), emotion, only_emotion) for i in rows]
        if empty := [int(i) for i, own in zip(rows, found, strict=True) if not own]:
            first = list(tables.show(self.labels.iloc[empty[:5]]).index)
            raise ValueError(
                f"No queries for {len(empty)} rows ({first}), expected a known attribute or "
                "emotion: leave out the rows where `has_queries` is false."
            )
        if join != "rand" and not only_emotion:
            return [released_caption(own, rand, emotion, join, rng=rng) for own in found]
        mode = "always" if only_emotion else emotion
        return [sample_caption(own, rand, mode, rng=rng) for own in found]


def _wordings(
    own: list[Template], values: pd.DataFrame
) -> list[list[tuple[tuple[str, ...], bool]]]:
    """The wordings of one attribute a row, and whether they name the emotion; those come last."""
    reads = list(dict.fromkeys(name for one in own for name in one.reads))
    keys = list(values.reindex(columns=reads).itertuples(index=False, name=None))
    cells = {}
    for key in dict.fromkeys(keys):
        given = {name: value for name, value in zip(reads, key, strict=True) if pd.notna(value)}
        emotion, gender = given.pop("emotion", None), given.pop("gender", None)
        states = states_of(given, emotion, gender)
        found = {
            one.fill(emotion, gender, states.get("arousal", "unknown")): "{emotion}" in one.text
            for one in matching_templates(own, states)
        }
        cells[key] = sorted(found.items(), key=lambda wording: wording[1])
    return [cells[key] for key in keys]


def _check_options(rand: int, emotion: str, only_emotion: bool, join: str) -> None:
    if rand < 1:
        raise ValueError(f"Bad rand {rand}, expected at least 1 query.")
    if join not in JOINS:
        raise ValueError(tables.unknown("join", join, JOINS))
    if emotion not in EMOTION_MODES:
        raise ValueError(tables.unknown("emotion mode", emotion, EMOTION_MODES))
    if only_emotion and emotion == "never":
        raise ValueError("only_emotion asks for what emotion='never' forbids: choose one.")
