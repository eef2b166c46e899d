"""What is true of whom? The queries of a table as a matrix of voices and queries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from paraclap.queries import Pool
from paraclap.tables import GENDERS
from paraclap.templates import NO_AGREEMENT, emotion_word, sentences

Truth = npt.NDArray[np.bool_]


def truths(pool: Pool) -> tuple[list[str], Truth]:
    """List what can be said of a table, and of which of its voices it is true.

    Args:
        pool: the queries of a table

    Returns:
        the distinct queries, and a matrix `(voices, queries)`

    Raises:
        ValueError: if the table is empty
    """
    queries = pool.vocabulary if len(pool) else []
    if not queries:
        raise ValueError(f"Nothing is said of {len(pool)} voices, expected one query at least.")
    number = {query: place for place, query in enumerate(queries)}
    truth = np.zeros((len(pool), len(queries)), dtype=np.bool_)
    for row in range(len(pool)):
        truth[row, [number[query] for query in pool.queries(row)]] = True
    return queries, truth


def attributes_of(queries: Sequence[str], pool: Pool) -> list[str]:
    """Name the attribute that each query of a pool speaks of."""
    words = pool.table()["emotion"].dropna().unique()
    said = [emotion_word(str(word), pool.emotion_form) for word in words if word != NO_AGREEMENT]
    known: dict[str, str] = {}
    for one in sentences(pool.templates):
        for emotion in said or [""]:
            for gender in GENDERS:
                known.setdefault(one.fill(emotion, gender), one.attribute)
    return [known[query] for query in queries]
