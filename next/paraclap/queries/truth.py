"""Of which utterances is a query true, and what is it about? For retrieval, chapter 12.

A query is true of a row if it is among the row's queries. It is false if something known of the row
contradicts it: a level that it does not hold for, another emotion, another gender. Otherwise its
truth is unknown: "is loud" where the intensity has no level.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap import tables
from paraclap.queries.pool import QueryPool
from paraclap.queries.templates import (
    NO_AGREEMENT,
    STATES,
    emotion_word,
    emotion_words,
    load_templates,
    states_of,
)

TRUE, FALSE, UNKNOWN = 1, 0, -1


# One way in which a query comes about: its attribute, and column → the values that fit.
Reading = tuple[str, dict[str, frozenset[str]]]


def query_truth(pool: QueryPool, queries: Sequence[str]) -> npt.NDArray[np.int8]:
    """Say of which rows each query is true.

    Args:
        pool: the queries of a table
        queries: any that its template set makes of the table's emotions or of listed ones

    Returns:
        1 true, 0 false, -1 unknown, of shape `(rows, queries)`

    Raises:
        ValueError: if the template set has no such query
    """
    readings = [_readings(query, pool) for query in queries]
    table = pool.table()
    table["word"] = table["emotion"].map(lambda one: emotion_word(one, pool.emotion_form), "ignore")
    table["emotion"] = table["word"].map(lambda one: states_of({}, one, None)["emotion"], "ignore")
    contradicts = cache(partial(_contradicts, table))
    truth = np.full((len(table), len(queries)), UNKNOWN, dtype=np.int8)
    for column, ways in enumerate(readings):
        each = [np.any([contradicts(*need) for need in way.items()], axis=0) for _, way in ways]
        truth[np.all(each, axis=0), column] = FALSE
    columns = {query: column for column, query in enumerate(queries)}
    for row, own in enumerate(table["queries"]):
        truth[row, [columns[query] for query in own if query in columns]] = TRUE
    return truth


def attribute_of(query: str, pool: QueryPool) -> str:
    """Name the attribute that a query is about; arguments and errors as in `query_truth`."""
    return _readings(query, pool)[0][0]


def _readings(query: str, pool: QueryPool) -> list[Reading]:
    words = frozenset(pool.labels["emotion"].dropna().unique()) - {NO_AGREEMENT}
    known = _all_readings(pool.templates, pool.emotion_form, words)
    if query not in known:
        hint = tables.did_you_mean(query, known)
        raise ValueError(
            f"Unknown query {query!r}, expected one of the set {pool.templates}.{hint}"
        )
    return known[query]


@cache
def _all_readings(templates: str, form: str, words: frozenset[str]) -> dict[str, list[Reading]]:
    """All queries of a template set, with some emotion words and the listed ones."""
    listed = {*emotion_words(form).values(), "other"}
    emotions = sorted(listed.union(emotion_word(word, form) for word in words))
    found: dict[str, list[Reading]] = {}
    for one in load_templates(templates):
        fillers = emotions if "{emotion}" in one.text else [None]
        genders = tables.GENDERS if "{gender}" in one.text else [None]
        for word, gender in product(fillers, genders):
            needs = {name: good for name, good in one.states.items() if name != "gender"}
            needs |= {"word": frozenset([word])} if word else {}
            needs |= {"gender": frozenset([gender])} if gender else {}
            texts = [text for state in STATES["arousal"] for text in one.fill(word, gender, state)]
            for text in dict.fromkeys(texts):
                found.setdefault(text, []).append((one.attribute, needs))
    return found


def _contradicts(table: pd.DataFrame, name: str, good: frozenset[str]) -> npt.NDArray[np.bool_]:
    """Rows where a value is known that does not fit."""
    if name not in table:
        return np.zeros(len(table), dtype=np.bool_)
    return np.asarray(table[name].notna() & ~table[name].isin(list(good)), dtype=np.bool_)
