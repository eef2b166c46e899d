"""How far up does a seeker find what is true? Ranks and precision where several items are true.

A *seeker* (a query, or a voice) puts all *items* (voices, or queries) in the order of their scores.
Scores and truth have one row a seeker and one column an item. All that is true counts as found,
not only one partner.

Equal scores are counted *pessimistically*: false items come before true ones, so that a system that
says the same of all finds nothing.

Source: Bestgen, Prague Bull. Math. Linguist. 103, 2015 (expected average precision of a random
order).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from paraclap.evidence.truths import Truth
from paraclap.evidence.weighted import Floats

Scores = npt.NDArray[Any]


def seekable(truth: Truth) -> npt.NDArray[np.intp]:
    """Rows of the seekers that have something to find and something to avoid."""
    found = truth.sum(axis=1)
    return np.flatnonzero((found > 0) & (found < truth.shape[1]))


def hits(scores: Scores, truth: Truth) -> Truth:
    """Truth in the order in which each seeker finds the items, best first; false before true.

    Args:
        scores: `(seekers, items)`, larger fits better
        truth: of the same shape

    Raises:
        ValueError: if the shapes differ, a score is not finite, or no seeker is left

    >>> hits(np.array([[0.1, 0.9, 0.9]]), np.array([[True, True, False]])).tolist()
    [[False, True, True]]
    """
    check(scores, truth)
    return np.take_along_axis(truth, order(scores, truth), axis=1)


def order(scores: Scores, truth: Truth) -> npt.NDArray[np.intp]:
    """Items of each seeker, best first; of equal scores the false ones first."""
    return np.lexsort((truth, -scores), axis=1)


def first_ranks(found: Truth, weights: Floats | None = None) -> Floats:
    """Rank of the first true item of every seeker, `(seekers,)`, from 1.

    Args:
        found: as `hits` gives it
        weights: how often each item comes, in the same order; once if left out. A seeker that
            has lost all its true items is NaN.
    """
    many = np.ones(found.shape) if weights is None else weights
    true = found & (many > 0)
    first = true.argmax(axis=1)[:, None]
    before = np.cumsum(many, axis=1) - many
    rank = np.take_along_axis(before, first, axis=1)[:, 0] + 1
    return np.where(true.any(axis=1), rank, np.nan)


def average_precisions(found: Truth, weights: Floats | None = None) -> Floats:
    """Average precision of every seeker, `(seekers,)`; arguments as `first_ranks`."""
    many = np.ones(found.shape) if weights is None else weights
    true = found * many
    share = np.cumsum(true, axis=1) / np.maximum(np.cumsum(many, axis=1), 1)
    total = true.sum(axis=1)
    known = np.divide((true * share).sum(axis=1), total, out=np.zeros(len(total)), where=total > 0)
    return np.where(total > 0, known, np.nan)


def chance_ranks(true: int, items: int) -> Floats:
    """Probability that the first of `true` among `items` is found by rank 1, 2, ..., `(items,)`.

    >>> chance_ranks(1, 4).tolist()
    [0.25, 0.5, 0.75, 1.0]
    """
    places = np.arange(items)
    missed = np.cumprod(np.clip(items - true - places, 0, None) / (items - places))
    return np.asarray(1 - missed, dtype=float)


def chance_precision(true: int, items: int) -> float:
    """Expected average precision of a random order.

    >>> round(chance_precision(1, 2), 3), chance_precision(3, 3)
    (0.75, 1.0)
    """
    if items == 1:
        return 1.0
    harmonic = float(np.sum(1 / np.arange(1, items + 1)))
    return (harmonic + (true - 1) / (items - 1) * (items - harmonic)) / items


def check(scores: Scores, truth: Truth) -> None:
    """Raise a ValueError for what cannot be ranked, see `hits`."""
    if scores.shape != truth.shape or scores.ndim != 2:
        raise ValueError(
            f"Got scores {scores.shape} and truth {truth.shape}, expected one of each for every "
            "seeker and item."
        )
    if not len(seekable(truth)):
        raise ValueError(
            f"None of {len(truth)} seekers has both true and false items among {truth.shape[1]}: "
            "there is nothing to rank."
        )
    if not np.isfinite(scores).all():
        raise ValueError(
            f"{int((~np.isfinite(scores)).sum())} scores are not finite: find out why."
        )
