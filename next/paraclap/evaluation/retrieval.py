"""Which utterances fit a query, and which queries fit an utterance? Search where much is true.

Queries seek utterances and utterances seek queries. A query is true of many utterances, and an
utterance has many true queries; both come from :func:`paraclap.queries.query_truth`. What is
unknown is left out of a seeker's list.

- *R@k*: share of the seekers with a true item among their first k. Of equal similarities the false
  items come first.
- *mAP*: mean over seekers of the average precision, by scikit-learn.

The chance level is the exact expectation for a random order of the same items. Seekers without a
true item, and those of which all is true, are not counted.

Conventions: similarity and truth `(utterances, queries)`. Chapter 12. Source: Manning, Raghavan and
Schuetze, Introduction to Information Retrieval, 2008, chapter 8; Bestgen, Prague Bull. Math.
Linguist. 2015 (expected average precision).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import hypergeom
from sklearn.metrics import average_precision_score

from paraclap.evaluation.bootstrap import Draws, jackknife, left_out
from paraclap.evaluation.metrics import Answers, Floats
from paraclap.queries import QueryPool, attribute_of
from paraclap.queries.truth import TRUE, UNKNOWN

PLACES = (1, 5, 10)
MEASURES = [*(f"R@{k}" for k in PLACES), "mAP"]
COLUMNS = ["direction", "measure", "seekers", "items", "value", "low", "high", "chance"]
TO_AUDIO, TO_TEXT = "text → audio", "audio → text"
Truth = NDArray[np.int8]


def seeker_scores(similarity: Floats, truth: Truth) -> pd.DataFrame:
    """What each seeker finds.

    Args:
        similarity: `(seekers, items)`, larger fits better
        truth: of the same shape: 1 true, 0 false, -1 unknown

    Returns:
        a row a seeker: `items, true` (how many), `rank` (of the first true one), `precision`
        (average precision); the latter two are missing where all or nothing is true

    Raises:
        ValueError: if the shapes differ or a similarity is not finite
    """
    if similarity.shape != truth.shape or not np.isfinite(similarity).all():
        shapes = f"similarity {similarity.shape} and truth {truth.shape}"
        raise ValueError(f"Got {shapes}, expected finite values of the same shape.")
    rows = []
    for values, states in zip(similarity, truth, strict=True):
        value, true = values[states != UNKNOWN], states[states != UNKNOWN] == TRUE
        rank = precision = np.nan
        if 0 < true.sum() < len(true):
            rank = 1 + (value[~true] >= value[true].max()).sum()
            precision = average_precision_score(true, value)
        rows.append((len(true), true.sum(), rank, precision))
    return pd.DataFrame(rows, columns=["items", "true", "rank", "precision"])


def chance_precision(true: ArrayLike, items: ArrayLike) -> Floats:
    """Expected average precision of a random order of two or more items.

    >>> chance_precision([1, 3], [2, 3]).tolist()
    [0.75, 1.0]
    """
    m, n = np.asarray(true, float), np.asarray(items, int)
    harmonic = np.cumsum(1 / np.arange(1, n.max() + 1))[n - 1]
    return np.asarray((harmonic + (m - 1) / (n - 1) * (n - harmonic)) / n)


def _each(table: pd.DataFrame) -> Floats:
    """Every measure of every seeker, `(seekers, measures)`."""
    found = [table["rank"] <= k for k in PLACES]
    return np.column_stack([*found, table["precision"]]).astype(float)


def _chance(table: pd.DataFrame) -> list[float]:
    items, true = table["items"].to_numpy(), table["true"].to_numpy()
    found = [1 - hypergeom.pmf(0, items, true, np.minimum(k, items)) for k in PLACES]
    return [float(one.mean()) for one in (*found, chance_precision(true, items))]


def retrieve(
    similarity: Floats,
    truth: Truth,
    speakers: Answers | None,
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure both directions, with intervals over speakers.

    Utterances that seek are drawn anew (bootstrap). Among utterances that are sought, one drawn
    twice would take two places: there one speaker after the other is left out (jackknife).

    Returns:
        `direction, measure, seekers, items, value, low, high, chance`

    Raises:
        ValueError: as `seeker_scores`, or if no seeker can be counted
    """
    audio, text = seeker_scores(similarity, truth), seeker_scores(similarity.T, truth.T)
    if audio["rank"].isna().all() or text["rank"].isna().all():
        raise ValueError("No seeker has both true and false items: there is nothing to rank.")
    drawn = Draws.of(speakers, len(truth), draws, seed)
    counted, rows = audio["rank"].notna().to_numpy(), text["rank"].notna().to_numpy()
    weights = drawn.weights[:, counted]
    means = weights @ _each(audio[counted]) / weights.sum(axis=1, keepdims=True)
    of_audio = [drawn.interval(column, 0)[1:] for column in means.T]
    without = [
        _each(seeker_scores(similarity.T[rows][:, keep], truth.T[rows][:, keep]).dropna()).mean(0)
        for keep in left_out(speakers, len(truth)) > 0
    ]
    values = _each(text[rows]).mean(0)
    of_text = [
        jackknife(value, one) for value, one in zip(values, np.transpose(without), strict=True)
    ]
    parts = []
    both = ((TO_AUDIO, text[rows], of_text), (TO_TEXT, audio[counted], of_audio))
    for direction, table, ends in both:
        low, high = np.clip(np.transpose(ends), 0, 1)
        part = pd.DataFrame({"measure": MEASURES, "value": _each(table).mean(0)})
        size = {"seekers": len(table), "items": int(table["items"].max())}
        part = part.assign(**size, low=low, high=high, chance=_chance(table))
        parts.append(part.assign(direction=direction)[COLUMNS])
    return pd.concat(parts, ignore_index=True)


def by_query(
    similarity: Floats, truth: Truth, queries: Sequence[str], pool: QueryPool
) -> pd.DataFrame:
    """How well each query, a column of both matrices, finds its utterances.

    Returns:
        `attribute, query, true` (how many utterances), `rank, precision, chance, gain` (precision
        above chance), best first
    """
    table = seeker_scores(similarity.T, truth.T)
    names = [attribute_of(query, pool) for query in queries]
    table = table.assign(attribute=names, query=list(queries)).dropna()
    table["chance"] = chance_precision(table["true"], table["items"])
    table["gain"] = table["precision"] - table["chance"]
    columns = ["attribute", "query", "true", "rank", "precision", "chance", "gain"]
    return table.sort_values("gain", ascending=False, ignore_index=True)[columns]
