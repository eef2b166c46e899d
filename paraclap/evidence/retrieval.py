"""Which voices fit a query, and which queries fit a voice? Retrieval where much is true at once.

Voices seek queries and queries seek voices, as `ranking` tells: similarity and truth are matrices
`(voices, queries)`, and a query is true of many voices as a voice has many true queries.

- *R@k*: share of the seekers that find a true item among their first k. With one true item each,
  this is the classic recall at k.
- *mAP*: mean over seekers of the average precision, the mean over the true items of the share of
  true ones down to their place.
- *median rank*: of the first true item, from 1; the middle one of the seekers.

The chance level is the exact expectation under a random order of the same items, for the same
truth; where much is true it is high. Seekers without a true item, and those of which all is true,
have nothing to show and are not counted.

Source: Manning, Raghavan and Schuetze, Introduction to Information Retrieval, 2008, chapter 8.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap.evidence.ranking import (
    Scores,
    average_precisions,
    chance_precision,
    chance_ranks,
    check,
    first_ranks,
    hits,
    order,
    seekable,
)
from paraclap.evidence.truths import Truth, attributes_of
from paraclap.evidence.weighted import Draws, Floats, jackknife, left_out
from paraclap.queries import Pool
from paraclap.scores import Answers

PLACES = (1, 5, 10)
MEDIAN = "median rank"
TEXT, VOICE = "text → voice", "voice → text"


def measure(found: Truth, weights: Floats | None = None) -> dict[str, float]:
    """Sum seekers up: `R@1`, `R@5`, `R@10`, `mAP`, `median rank`.

    Args:
        found: as `hits` gives it
        weights: as in `first_ranks`
    """
    rank, precision = first_ranks(found, weights), average_precisions(found, weights)
    known = np.isfinite(rank)
    return _summed(rank[known], precision[known])


def _summed(rank: Floats, precision: Floats) -> dict[str, float]:
    recall = {f"R@{k}": float(np.mean(rank <= k)) for k in PLACES}
    return {**recall, "mAP": float(precision.mean()), MEDIAN: float(np.median(rank))}


def chance(truth: Truth) -> dict[str, float]:
    """What a random order of the items is expected to reach, as `measure`."""
    items = truth.shape[1]
    counts, often = np.unique(truth.sum(axis=1), return_counts=True)
    by_rank = np.average([chance_ranks(int(m), items) for m in counts], axis=0, weights=often)
    precision = np.average([chance_precision(int(m), items) for m in counts], weights=often)
    recall = {f"R@{k}": float(by_rank[min(k, items) - 1]) for k in PLACES}
    median = float(np.searchsorted(by_rank, 0.5 - 1e-12) + 1)
    return {**recall, "mAP": float(precision), MEDIAN: median}


def retrieve(
    similarity: Scores, truth: Truth, speakers: Answers | None, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Measure both directions, with intervals over speakers.

    Voices that seek are drawn anew (bootstrap). Among voices that are sought, one drawn twice
    would take two places; there one speaker after the other is left out (jackknife), which gives
    no interval for a median.

    Args:
        similarity: `(voices, queries)`
        truth: of the same shape
        speakers: of the voices
        draws: of the bootstrap
        seed: of the bootstrap

    Returns:
        `direction, measure, seekers, items, value, low, high, chance`

    Raises:
        ValueError: as `hits`
    """
    check(similarity.T, truth.T)
    texts, voices = seekable(truth.T), seekable(truth)
    items = left_out(speakers, len(truth))
    drawn = Draws.of(speakers, len(truth), draws, seed)
    from_text = _from_text(similarity.T[texts], truth.T[texts], items)
    from_voice = _from_voice(similarity[voices], truth[voices], voices, drawn)
    parts = [from_text.assign(direction=TEXT), from_voice.assign(direction=VOICE)]
    columns = ["direction", "measure", "seekers", "items", "value", "low", "high", "chance"]
    return pd.concat(parts, ignore_index=True)[columns]


def by_query(similarity: Scores, truth: Truth, queries: list[str], pool: Pool) -> pd.DataFrame:
    """How well each query finds its voices.

    Args:
        similarity: `(voices, queries)`
        truth: of the same shape
        queries: what the columns say
        pool: where they come from

    Returns:
        `attribute, query, true` (the voices it is true of), `rank` (of the first), `precision`
        (average precision), `chance` (its expectation for a random order), best above chance first
    """
    asked = seekable(truth.T)
    found = hits(similarity.T[asked], truth.T[asked])
    true = found.sum(axis=1)
    table = pd.DataFrame(
        {
            "attribute": attributes_of([queries[place] for place in asked], pool),
            "query": [queries[place] for place in asked],
            "true": true,
            "rank": first_ranks(found).astype(int),
            "precision": average_precisions(found),
            "chance": [chance_precision(int(m), found.shape[1]) for m in true],
        }
    )
    gain = table["precision"] - table["chance"]
    return table.iloc[np.argsort(-gain.to_numpy(), kind="stable")].reset_index(drop=True)


def _from_text(scores: Scores, truth: Truth, items: Floats) -> pd.DataFrame:
    """Voices are the items: their weights go along with the order of each query."""
    places = order(scores, truth)
    found = np.take_along_axis(truth, places, axis=1)
    value = measure(found)
    drawn = pd.DataFrame([measure(found, one[places]) for one in items])
    known = {name: jackknife(value[name], drawn[name].to_numpy()) for name in value}
    return _rows(value, known | {MEDIAN: (np.nan, np.nan)}, truth)


def _from_voice(
    scores: Scores, truth: Truth, voices: npt.NDArray[np.intp], draws: Draws
) -> pd.DataFrame:
    """Voices are the seekers: each counts as often as it is drawn."""
    found = hits(scores, truth)
    rank, precision = first_ranks(found), average_precisions(found)
    often = draws.weights[:, voices].astype(int)
    drawn = [np.repeat(np.arange(len(rank)), one) for one in often]
    sums = pd.DataFrame([_summed(rank[rows], precision[rows]) for rows in drawn if len(rows)])
    top = {str(name): np.inf if name == MEDIAN else 1.0 for name in sums}
    known = {name: draws.interval(sums[name].to_numpy(float), 0, top[name])[1:] for name in top}
    return _rows(measure(found), known, truth)


def _rows(
    value: dict[str, float], known: dict[str, tuple[float, float]], truth: Truth
) -> pd.DataFrame:
    blind = chance(truth)
    table = pd.DataFrame(
        {
            "measure": list(value),
            "value": list(value.values()),
            "low": [known[name][0] for name in value],
            "high": [known[name][1] for name in value],
            "chance": [blind[name] for name in value],
        }
    )
    top = np.where(table["measure"] == MEDIAN, np.inf, 1.0)
    return table.assign(
        low=table["low"].clip(lower=0),
        high=np.minimum(table["high"], top),
        seekers=len(truth),
        items=truth.shape[1],
    )
