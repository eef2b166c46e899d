"""The queries of a whole table: listed, sampled for training, and true or false (chapters 3, 12).

What holds of one attribute depends on a few values of a row, so it is found once for each of their
combinations. Source: sections 2.2 and 3.3 of the paper.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paraclap import tables
from paraclap.queries import templates as sets
from paraclap.queries.levels import FEATURES, Edges, assign_levels, fit_levels, load_edges
from paraclap.queries.sampling import Wordings, sample_caption

CHOICES = {"emotion": ("always", "pool", "never"), "join": ("rand", "all")}
TRUE, FALSE, UNKNOWN = 1, 0, -1
Readings = list[tuple[str, dict[str, frozenset[str]]]]  # attribute, column → the values that fit


class QueryPool:
    """The queries of every row of a table."""

    labels: pd.DataFrame  # levels, emotion and gender of the rows
    emotions: dict[str, str]  # each emotion of the labels ("anger") → its word ("angry")

    def __init__(
        self, table: pd.DataFrame, templates: str = "paper", emotion_form: str = "adjective"
    ) -> None:
        """Find the wordings that hold; ValueError if a level, gender, form or set is unknown.

        Args:
            table: one row an utterance, with levels of any attributes of `FEATURES`, `emotion` and
                `gender` as in `queries_for`, or missing; other columns are ignored
            templates: as in `queries_for`
            emotion_form: "adjective" (angry) or "noun" (anger)
        """
        self.templates, self.emotion_form = templates, emotion_form
        columns = [*(name for name in table if name in FEATURES), "emotion", "gender"]
        self.labels = table.reindex(columns=columns).astype({"emotion": "str", "gender": "str"})
        emotions = self.labels["emotion"]
        named = emotions.dropna().unique()
        self.emotions = {one: sets.emotion_word(one, emotion_form) for one in named}
        values = self.labels.assign(emotion=emotions.map(self.emotions)).astype(object)
        own: dict[str, list[sets.Template]] = {}
        for template in sets.load_templates(templates):
            own.setdefault(template.attribute, []).append(template)
        self._wordings = {name: _wordings(some, values) for name, some in own.items()}

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.labels)

    @property
    def vocabulary(self) -> list[str]:
        """All distinct queries of the table, attribute by attribute."""
        found = chain(*(wording for rows in self._wordings.values() for wording in chain(*rows)))
        return list(dict.fromkeys(found))

    def queries(self, i: int) -> list[str]:
        """All queries of the row at position `i`."""
        return list(chain(*chain(*self.wordings(i).values())))

    def table(self) -> pd.DataFrame:
        """The levels, emotion and gender, and in `queries` the list of queries of each row."""
        lists = [self.queries(i) for i in range(len(self))]
        return self.labels.assign(queries=pd.Series(lists, self.labels.index, dtype=object))

    def wordings(self, i: int, emotion: str = "always", only_emotion: bool = False) -> Wordings:
        """What may be drawn for a row, as `sample_caption` takes it; arguments as in `sample`."""
        never = emotion == "never"
        found = {
            name: [one for one, names_emotion in rows[i].items() if not (never and names_emotion)]
            for name, rows in self._wordings.items()
            if not (never if name == "emotion" else only_emotion)
        }
        if only_emotion:  # the paper names this one wording for it
            named = [one for one in found.get("emotion", []) if one[0].startswith("emotion is ")]
            found["emotion"] = named or found.get("emotion", [])
        return {name: own for name, own in found.items() if own}

    def has_queries(self, emotion: str = "always", only_emotion: bool = False) -> np.ndarray:
        """For which rows there is something to draw, shape `(rows,)`; arguments as in `sample`."""
        return np.array([self.wordings(i, emotion, only_emotion) for i in range(len(self))], bool)

    def sample(
        self,
        rows: Sequence[int] | np.ndarray,
        rand: int = 5,
        emotion: str = "always",
        only_emotion: bool = False,
        join: str = "rand",
        *,
        rng: np.random.Generator,
    ) -> list[str]:
        """Draw a caption for each row; ValueError if one has none, or an option is unknown.

        Args:
            rows: positions in the table
            rand: the largest number of attributes
            emotion: "always": an emotion query comes on top, at the end. "pool": emotion is drawn
                like the other attributes. "never": no query names it
            only_emotion: nothing but one emotion query: "emotion is …" if the set has it
            join: "rand" as `sample_caption`; "all" as the authors' code, every query
            rng: the source of chance; the same state gives the same captions
        """
        for what, one in (("emotion", emotion), ("join", join)):
            if one not in CHOICES[what]:
                raise ValueError(tables.unknown(what, one, CHOICES[what]))
        found = [self.wordings(int(i), emotion, only_emotion) for i in rows]
        if empty := [int(i) for i, own in zip(rows, found, strict=True) if not own]:
            got = f"{len(empty)} rows (first: {empty[:5]})"
            raise ValueError(f"No queries for {got}, expected rows where `has_queries` is true.")
        if join == "all" and not only_emotion:
            return ["speaker " + " and ".join(chain(*chain(*own.values()))) for own in found]
        emotion = "always" if only_emotion else emotion
        return [sample_caption(own, rand, emotion, rng=rng) for own in found]


def _wordings(own: list[sets.Template], values: pd.DataFrame) -> list[dict[tuple[str, ...], bool]]:
    """The wordings of one attribute for each row, and whether they name the emotion."""
    reads = list(dict.fromkeys(name for one in own for name in one.reads))
    keys = list(values.reindex(columns=reads).itertuples(index=False, name=None))
    cells = {}
    for key in dict.fromkeys(keys):
        given = {name: value for name, value in zip(reads, key, strict=True) if pd.notna(value)}
        words = given.pop("emotion", None), given.pop("gender", None)
        holding = sets.matching_templates(own, sets.states_of(given, *words))
        fill = (*words, given.get("arousal", "unknown"))
        cells[key] = {one.fill(*fill): "{emotion}" in one.text for one in holding}
    return [cells[key] for key in keys]


def query_truth(pool: QueryPool, queries: Sequence[str]) -> np.ndarray:
    """Find of which rows each query is true: 1 true, 0 false, -1 unknown, `(rows, queries)`.

    It is true if it is among the row's queries, false if something known of the row contradicts it
    (a level, emotion or gender), else unknown: "is loud" where the intensity has no level. Queries
    are any that the template set makes of the table's emotions or of listed ones, else ValueError.
    """
    table = pool.labels.reindex(columns=[*FEATURES, "emotion", "gender"])
    table["word"] = table["emotion"].map(pool.emotions)
    table["emotion"] = table["word"].map(sets.emotion_state, "ignore")
    columns = {query: column for column, query in enumerate(dict.fromkeys(queries))}
    truth = np.full((len(table), len(columns)), FALSE, dtype=np.int8)
    for query, column in columns.items():
        for _, needs in _readings(query, pool):
            fits = [table[name].isna() | table[name].isin(good) for name, good in needs.items()]
            truth[np.all(fits, axis=0), column] = UNKNOWN
    for row in range(len(pool)):
        truth[row, [columns[query] for query in pool.queries(row) if query in columns]] = TRUE
    return truth[:, [columns[query] for query in queries]]


def attribute_of(query: str, pool: QueryPool) -> str:
    """Name the attribute that a query is about; arguments and errors as in `query_truth`."""
    return _readings(query, pool)[0][0]


def _readings(query: str, pool: QueryPool) -> Readings:
    words = frozenset(pool.emotions.values()) - {sets.NO_AGREEMENT}
    found = _all_readings(pool.templates, pool.emotion_form, words)
    if query not in found:
        hint = tables.did_you_mean(query, found)
        raise ValueError(f"Unknown query {query!r}, expected one of {pool.templates!r}.{hint}")
    return found[query]


@cache
def _all_readings(templates: str, form: str, words: frozenset[str]) -> dict[str, Readings]:
    """All queries of a template set, with some emotion words and the listed ones."""
    emotions, found = {*sets.emotion_words(form).values(), "other", *words}, dict[str, Readings]()
    for one in sets.load_templates(templates):
        fillers = sorted(emotions) if "{emotion}" in one.text else [None]
        genders = tables.GENDERS if "{gender}" in one.text else [None]
        for word, gender in product(fillers, genders):
            needs = dict(one.states) | ({"word": frozenset([word])} if word else {})
            if "gender" in needs:
                needs["gender"] = frozenset([gender] if gender else tables.GENDERS)
            texts = chain(*(one.fill(word, gender, state) for state in sets.STATES["arousal"]))
            for text in dict.fromkeys(texts):
                found.setdefault(text, []).append((one.attribute, needs))
    return found


def describe(
    files: tables.Files,
    edges: Edges | str | Path | None = None,
    templates: str = "paper",
    emotion_form: str = "adjective",
    labels: pd.DataFrame | None = None,
    jobs: int | None = None,
) -> pd.DataFrame:
    """Find the levels and queries of utterances in one call.

    Args:
        files: audio files or segments, or a table of their features
        edges: edges or their file; None to fit them on these utterances (of split train, if any)
        templates: as in `QueryPool`
        emotion_form: as in `QueryPool`
        labels: any of the columns emotion, gender, split, arousal, valence, dominance
        jobs: processes that extract features; one per core when None

    Returns:
        as `QueryPool.table`; `attrs["failed"]` lists the segments without features; ValueError if
        features or labels are missing, nothing can be fitted, or a name is unknown
    """
    table: Any = files
    if not isinstance(files, pd.DataFrame) or set(FEATURES.values()).isdisjoint(files):
        from paraclap import features  # openSMILE loads slowly

        table = features.extract(tables.as_index(files), jobs=jobs)
    failed = table.attrs.get("failed", [])
    if labels is not None:
        if len(missing := table.index.difference(labels.index)):
            rows = f"{len(missing)} segments (first: {tables.short_name(missing[0][0])!r})"
            raise ValueError(f"No labels of {rows}, expected rows with the same file, start, end.")
        table = table.drop(columns=labels.columns, errors="ignore").join(labels)
    if not isinstance(edges, dict):
        edges = fit_levels(table) if edges is None else load_edges(edges)
    present = {name: ends for name, ends in edges.items() if FEATURES[name] in table}
    if not present:
        raise ValueError(f"No column for the edges, got {list(table)[:5]}, expected {list(edges)}.")
    levels = assign_levels(table, present).join(table.reindex(columns=["emotion", "gender"]))
    found = QueryPool(levels, templates, emotion_form).table()
    found.attrs["failed"] = failed
    return found
