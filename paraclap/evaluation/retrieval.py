"""Which utterances fit a query, and which queries fit an utterance? Search where much is true.

Queries seek utterances and utterances seek queries; :func:`paraclap.queries.query_truth` says what
is true. *R@k* is the share of the seekers with a true item among their first k (of equal
similarities the false come first), *mAP* the mean average precision, both beside the exact level of
a random order. Seekers of whose items all or none are true are not counted. Similarity and truth
are `(utterances, queries)`. Chapter 12. Source: Bestgen, Prague Bull. Math. Linguist. 2015.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import hypergeom
from sklearn.metrics import average_precision_score

from paraclap.evaluation.bootstrap import jackknife
from paraclap.evaluation.metrics import Answers, Floats
from paraclap.queries import QueryPool, attribute_of
from paraclap.queries.pool import TRUE, UNKNOWN

PLACES = (1, 5, 10)
MEASURES = [*(f"R@{k}" for k in PLACES), "mAP"]
COLUMNS = ["direction", "measure", "seekers", "items", "value", "low", "high", "chance"]
TO_AUDIO, TO_TEXT = "text → audio", "audio → text"
Truth = NDArray[np.int8]
Way = Callable[[NDArray[np.bool_]], pd.DataFrame]  # from utterances to what seekers find


def seeker_scores(similarity: Floats, truth: Truth) -> pd.DataFrame:
    """What each seeker finds: `items`, `true` (how many), `rank` (of the first), `precision`.

    Both are `(seekers, items)`, truth is 1, 0 or -1 (unknown). Rank and average precision are
    missing where all or nothing is true.
    """
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
    """Expected average precision of a random order of two or more items."""
    m, n = np.asarray(true, float), np.asarray(items, int)
    harmonic = np.cumsum(1 / np.arange(1, n.max() + 1))[n - 1]
    return np.asarray((harmonic + (m - 1) / (n - 1) * (n - harmonic)) / n)


def _means(way: Way, rows: NDArray[np.bool_]) -> list[float]:
    """All measures, means over seekers."""
    table = way(rows).dropna()
    return [*((table["rank"] <= k).mean() for k in PLACES), table["precision"].mean()]


def _chance(table: pd.DataFrame) -> list[float]:
    items, true = table["items"].to_numpy(), table["true"].to_numpy()
    found = [1 - hypergeom.pmf(0, items, true, np.minimum(k, items)) for k in PLACES]
    return [float(one.mean()) for one in (*found, chance_precision(true, items))]


def retrieve(similarity: Floats, truth: Truth, speakers: Answers | None) -> pd.DataFrame:
    """Measure both directions, with intervals over speakers: a table of :data:`COLUMNS`."""
    audio = seeker_scores(similarity, truth)
    ways: dict[str, Way] = {
        TO_AUDIO: lambda rows: seeker_scores(similarity[rows].T, truth[rows].T),
        TO_TEXT: lambda rows: audio[rows],
    }
    parts = []
    for direction, way in ways.items():
        if (table := way(np.ones(len(truth), bool)).dropna()).empty:
            raise ValueError("No seeker has both true and false items: there is nothing to rank.")
        ends = jackknife(partial(_means, way), speakers, len(truth))
        value, low, high = np.clip(ends, 0, 1)
        part = pd.DataFrame({"measure": MEASURES, "value": value, "low": low, "high": high})
        size = {"seekers": len(table), "items": int(table["items"].max())}
        parts.append(part.assign(direction=direction, chance=_chance(table), **size)[COLUMNS])
    return pd.concat(parts, ignore_index=True)


def by_query(
    similarity: Floats, truth: Truth, queries: Sequence[str], pool: QueryPool
) -> pd.DataFrame:
    """How well each query, a column of both matrices, finds its utterances, best first.

    Returns `attribute, query, true` (how many utterances), `rank, precision, chance, gain`.
    """
    table = seeker_scores(similarity.T, truth.T)
    names = [attribute_of(query, pool) for query in queries]
    table = table.assign(attribute=names, query=list(queries)).dropna()
    table["chance"] = chance_precision(table["true"], table["items"])
    table["gain"] = table["precision"] - table["chance"]
    columns = ["attribute", "query", "true", "rank", "precision", "chance", "gain"]
    return table.sort_values("gain", ascending=False, ignore_index=True)[columns]
