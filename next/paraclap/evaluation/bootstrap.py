"""How a score might be with other speakers: the clustered bootstrap, for any statistic.

What is drawn with replacement is the *unit*: all utterances of a speaker together, since they
resemble each other; single utterances where fewer than six speakers are known. A draw is a row of
*weights*: how often each unit, or each utterance, comes in it. Weighted statistics take the values
``(n,)`` and weights ``(draws, n)`` and give one number per draw, the same as on utterances repeated
that often; NaN where a draw leaves them undefined.

Intervals hold 95 % and are as wide as few units demand (:func:`widened`). Chapters 5 and 11.

Source: Field and Welsh, J. R. Stat. Soc. B 2007 (clusters); Hesterberg, Am. Stat. 2015 (few
units); Lin, Biometrics 1989 (concordance).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from paraclap.evaluation.metrics import Answers, Codes, Floats, label_codes, uar

LEAST_SPEAKERS = 6  # with fewer, utterances are drawn
SPEAKERS, UTTERANCES = "speakers", "utterances"
QUANTILES = (0.025, 0.975)


def bootstrap_interval(
    truth: Answers,
    prediction: Answers,
    labels: Sequence[str],
    speakers: Answers | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of the UAR that holds 95 % of the scores of other speakers of this kind.

    Raises:
        ValueError: as ``metrics.uar``, or if only some utterances have a speaker

    >>> bootstrap_interval(["a", "b"] * 50, ["a", "b"] * 50, ["a", "b"])
    (1.0, 1.0)
    """
    value = uar(truth, prediction, labels)
    sizes, counts = count_units(truth, prediction, labels, speakers)  # (kinds,), (kinds, K, 2)
    weights = redraw(sizes, draws, np.random.default_rng(seed))  # how often each comes in a draw
    missed, found = np.moveaxis(np.tensordot(weights, counts, axes=1), -1, 0)  # (draws, K) each
    drawn = np.nanmean(divide(found, missed + found), axis=1)  # UAR of each draw
    low, high = np.quantile(widened(drawn, value, sizes.sum()), QUANTILES).clip(0, 1)
    return float(low), float(high)


def count_units(
    truth: Answers, prediction: Answers, labels: Sequence[str], speakers: Answers | None
) -> tuple[Codes, Floats]:
    """Kinds of units: how many there are of each, and what one of them holds.

    Returns:
        sizes ``(kinds,)`` and counts of missed and found utterances ``(kinds, classes, 2)``: each
        speaker is a kind of its own, utterances are of ``classes x 2`` kinds

    Raises:
        ValueError: as :func:`bootstrap_interval`
    """
    t, p = label_codes(truth, prediction, labels)
    numbers, unit = units(speakers, len(t))
    kinds = 2 * t + (t == p)
    if unit == UTTERANCES:
        single = np.eye(2 * len(labels)).reshape(-1, len(labels), 2)
        return np.bincount(kinds, minlength=2 * len(labels)), single
    counts = np.zeros((numbers.max() + 1, 2 * len(labels)))
    np.add.at(counts, (numbers, kinds), 1)
    return np.ones(len(counts), np.intp), counts.reshape(-1, len(labels), 2)


def units(speakers: Answers | None, n: int) -> tuple[Codes, str]:
    """Number the units that ``n`` utterances belong to, and name them.

    Raises:
        ValueError: if only some utterances have a speaker, or their number differs

    >>> units(["a", "a", "b"], 3)
    (array([0, 1, 2]), 'utterances')
    """
    if speakers is None:
        return np.arange(n), UTTERANCES
    codes, names = pd.factorize(pd.Series(list(speakers), dtype=object))
    missing = int((codes < 0).sum())
    if len(codes) != n or 0 < missing < n:
        msg = f"Got speakers of {len(codes) - missing} of {n} utterances, expected all or none"
        raise ValueError(f"{msg}: name them.")
    return (codes, SPEAKERS) if len(names) >= LEAST_SPEAKERS else (np.arange(n), UTTERANCES)


def redraw(sizes: npt.ArrayLike, draws: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """How often units of each kind come in each draw with replacement, ``(draws, kinds)``."""
    if draws < 1:
        raise ValueError(f"Bad number of draws {draws}, expected at least 1.")
    share = np.asarray(sizes) / np.sum(sizes)
    return rng.multinomial(np.sum(sizes), share, size=draws)


def divide(top: Floats, below: Floats) -> Floats:
    """Quotient, NaN where the denominator is 0."""
    quotient = np.full(np.shape(top), np.nan)
    np.divide(top, below, out=quotient, where=np.asarray(below) > 0)
    return quotient


def widened(drawn: Floats, value: npt.ArrayLike, units: npt.ArrayLike) -> Floats:
    """Spread bootstrap draws as far as so few units demand.

    Draws of n units show only (n - 1) / n of the variance of new units, and normal quantiles are
    too small for a variance that is estimated from n: the draws move away from the value by
    sqrt(n / (n - 1)) times the ratio of Student's and the normal 97.5 % quantile.

    Args:
        drawn: a score on each draw, ``(draws, ...)``
        value: the score itself, ``(...)``
        units: how many units were drawn from, two or more, ``(...)``

    >>> widened(np.array([0.4, 0.6]), 0.5, 10).round(4).tolist()
    [0.3783, 0.6217]
    """
    n, center = np.asarray(units, float), np.asarray(value, float)
    factor = np.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1) / stats.norm.ppf(0.975)
    moved: Floats = center + factor * (drawn - center)
    return moved


@dataclass(frozen=True)
class Draws:
    """Draws of utterances, made by :meth:`of`.

    Attributes:
        weights: ``(1 + draws, n)``; in the first row every utterance comes once, so that the first
            value of a statistic is the statistic itself
        units: how many units were drawn from
        unit: what they are, speakers or utterances
    """

    weights: Floats
    units: int
    unit: str

    @classmethod
    def of(
        cls,
        speakers: Answers | None,
        n: int,
        draws: int = 1000,
        seed: int | Sequence[int] = 0,
    ) -> Self:
        """Draw; arguments and errors as :func:`bootstrap_interval`."""
        numbers, unit = units(speakers, n)
        count = int(numbers.max()) + 1
        drawn = redraw(np.ones(count), draws, np.random.default_rng(seed))[:, numbers]
        return cls(np.concatenate([np.ones((1, n)), drawn]), count, unit)

    def interval(
        self, values: Floats, least: float = -1, most: float = 1
    ) -> tuple[float, float, float]:
        """A statistic ``(1 + draws,)`` and the ends of its interval; NaN where undefined."""
        value, defined = float(values[0]), values[1:][np.isfinite(values[1:])]
        if not np.isfinite(value) or not len(defined):
            return value, np.nan, np.nan
        spread = widened(defined, value, self.units)
        low, high = np.quantile(spread, QUANTILES).clip(least, most)
        return value, float(low), float(high)


def left_out(speakers: Answers | None, n: int) -> Floats:
    """Weights that leave out one unit after the other, ``(units, n)``, for :func:`jackknife`."""
    numbers, _ = units(speakers, n)
    return np.asarray(np.arange(numbers.max() + 1)[:, None] != numbers, dtype=float)


def jackknife(value: float, without: Floats) -> tuple[float, float]:
    """Interval of a statistic from its values without one unit each, ``(units,)``.

    For statistics that repeated utterances would distort, such as ranks; not for medians. Source:
    Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11.
    """
    defined = without[np.isfinite(without)]
    n = len(defined)
    if n < 2:
        return np.nan, np.nan
    reach = float(stats.t.ppf(0.975, n - 1) * np.sqrt((n - 1) * defined.var()))
    return float(value) - reach, float(value) + reach


def ranks(values: npt.ArrayLike, weights: Floats) -> Floats:
    """Rank of every utterance in each draw, ``(draws, n)``; equal values share the mean rank."""
    _, places, counts = np.unique(
        np.asarray(values, float), return_inverse=True, return_counts=True
    )
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    equal = np.add.reduceat(weights[:, np.argsort(places, kind="stable")], starts, axis=1)
    shared = np.cumsum(equal, axis=1) - (equal - 1) / 2
    return np.asarray(shared[:, places], dtype=float)


def _moments(one: npt.ArrayLike, other: npt.ArrayLike, weights: Floats) -> list[Floats]:
    """Squared difference of means, both variances, covariance, each ``(draws,)``."""
    share = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1)
    x, y = (np.broadcast_to(np.asarray(side, float), share.shape) for side in (one, other))
    x_mean, y_mean = ((share * side).sum(axis=1) for side in (x, y))
    x, y = x - x_mean[:, None], y - y_mean[:, None]
    spread = [(share * a * b).sum(axis=1) for a, b in ((x, x), (y, y), (x, y))]
    return [(x_mean - y_mean) ** 2, *spread]


def spearman(one: npt.ArrayLike, other: npt.ArrayLike, weights: Floats) -> Floats:
    """Spearman rank correlation, ``(draws,)``.

    >>> spearman([1.0, 2.0, 3.0], [1.0, 4.0, 9.0], np.ones((1, 3))).tolist()
    [1.0]
    """
    _, first, second, mixed = _moments(ranks(one, weights), ranks(other, weights), weights)
    varied = np.minimum(first, second) > 1e-12
    return divide(mixed, np.where(varied, np.sqrt(first * second), 0)).clip(-1, 1)


def concordance(truth: npt.ArrayLike, given: npt.ArrayLike, weights: Floats) -> Floats:
    """Concordance correlation coefficient (CCC), ``(draws,)``."""
    apart, first, second, mixed = _moments(truth, given, weights)
    below = first + second + apart
    return divide(2 * mixed, np.where(below > 1e-12, below, 0))
