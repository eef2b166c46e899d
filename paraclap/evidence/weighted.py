"""What comes out when voices are drawn anew? Correlations and AUC of many draws at once.

A draw of voices with replacement is how often each of them comes: *weights*, whole numbers of
shape `(draws, voices)`. A statistic here takes the values `(voices,)` and such weights and gives
one number a draw, `(draws,)`, the same as it would have on voices repeated that often. Weights of
one give the statistic itself. Where a draw leaves a statistic undefined (nothing varies, or only
one kind is left) it is NaN, and the interval leaves it out.

Whole speakers are drawn together, since voices of one speaker resemble each other; with fewer than
6 speakers (`resampling.LEAST_SPEAKERS`), or none known, utterances are drawn. Intervals hold 95 %
and are as wide as few units demand (`resampling.widened`).

Source: Field and Welsh, J. R. Stat. Soc. B 2007 (bootstrap of clusters); Lin, Biometrics 1989
(concordance); Mann and Whitney, Ann. Math. Stat. 1947 (AUC).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t as student

from paraclap.resampling import LEAST_SPEAKERS, redraw, widened
from paraclap.scores import Answers, speaker_codes

Floats = npt.NDArray[np.float64]
Groups = npt.NDArray[np.intp]
SPEAKERS, UTTERANCES = "speakers", "utterances"


def units(speakers: Answers | None, voices: int) -> tuple[Groups, str]:
    """Number what is drawn, `(voices,)`, and name it: speakers, or utterances if they are few.

    Raises:
        ValueError: if a speaker is missing for some voices only, or their number differs

    >>> units(["a", "a", "b"], 3)
    (array([0, 1, 2]), 'utterances')
    """
    numbers = speaker_codes(speakers, voices)
    if numbers.max() + 1 >= LEAST_SPEAKERS:
        return numbers, SPEAKERS
    return np.arange(voices), UTTERANCES


@dataclass(frozen=True)
class Draws:
    """Draws of voices with replacement, made by `Draws.of`.

    Args:
        weights: how often each voice comes, `(1 + draws, voices)`; in the first row every voice
            comes once, so that the first value of a statistic is the statistic itself
        units: how many units were drawn from
        unit: what they are, speakers or utterances
    """

    weights: Floats
    units: int
    unit: str

    @classmethod
    def of(cls, speakers: Answers | None, voices: int, draws: int = 1000, seed: int = 0) -> Self:
        """Draw.

        Args:
            speakers: who speaks, for each voice; None if unknown
            voices: how many there are
            draws: how many bootstrap draws
            seed: of the draws

        Raises:
            ValueError: as `units`, or if there is no draw
        """
        if draws < 1:
            raise ValueError(f"Bad number of draws {draws}, expected at least 1.")
        numbers, unit = units(speakers, voices)
        count = int(numbers.max()) + 1
        drawn = redraw(count, draws, np.random.default_rng(seed))[:, numbers]
        return cls(np.concatenate([ones(voices), drawn]), count, unit)

    def interval(
        self, values: Floats, least: float = -1, most: float = 1
    ) -> tuple[float, float, float]:
        """The statistic and the two ends of its interval, NaN if it is not defined.

        Args:
            values: the statistic of every draw, `(1 + draws,)`
            least: smallest value that it can have
            most: largest
        """
        value, known = float(values[0]), values[1:][np.isfinite(values[1:])]
        if not np.isfinite(value) or not len(known):
            return value, np.nan, np.nan
        spread = widened(known, value, self.units)
        low, high = np.quantile(spread, (0.025, 0.975)).clip(least, most)
        return value, float(low), float(high)


def left_out(speakers: Answers | None, voices: int) -> Floats:
    """Weights that leave out one unit after the other, `(units, voices)`; see `units`.

    >>> left_out(None, 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    numbers, _ = units(speakers, voices)
    return np.asarray(np.arange(numbers.max() + 1)[:, None] != numbers, dtype=float)


def jackknife(value: float, without: Floats) -> tuple[float, float]:
    """95 % interval of a statistic from its values without one unit each, `(units,)`.

    For statistics that drawing the same voice twice would distort, such as ranks among voices; not
    for medians. Its reach is Student's 97.5 % quantile times the standard error
    `sqrt((n - 1) / n * sum((d - mean(d)) ** 2))`.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11.

    >>> jackknife(0.5, np.array([0.5, 0.5, 0.5]))
    (0.5, 0.5)
    """
    known = without[np.isfinite(without)]
    n = len(known)
    if n < 2:
        return np.nan, np.nan
    error = float(np.sqrt((n - 1) / n * np.sum((known - known.mean()) ** 2)))
    reach = float(student.ppf(0.975, n - 1)) * error
    return float(value) - reach, float(value) + reach


def ones(voices: int) -> Floats:
    """The weights of no draw: every voice once, `(1, voices)`."""
    return np.ones((1, voices))


def ranks(values: npt.ArrayLike, weights: Floats) -> Floats:
    """Rank of every voice in each draw, `(draws, voices)`; equal values share the mean rank.

    >>> ranks([3.0, 1.0, 3.0], np.ones((1, 3))).tolist()
    [[2.5, 1.0, 2.5]]
    """
    _, places, counts = np.unique(
        np.asarray(values, float), return_inverse=True, return_counts=True
    )
    order = np.argsort(places, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    equal = np.add.reduceat(weights[:, order], starts, axis=1)
    shared = np.cumsum(equal, axis=1) - (equal - 1) / 2
    return np.asarray(shared[:, places], dtype=float)


def pearson(one: npt.ArrayLike, other: npt.ArrayLike, weights: Floats) -> Floats:
    """Pearson correlation, `(draws,)`; the values are `(voices,)` or `(draws, voices)`."""
    _, (first, second), (mixed,) = _moments(one, other, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = mixed / np.sqrt(first * second)
    return np.where(np.minimum(first, second) > 1e-12, np.clip(found, -1, 1), np.nan)


def spearman(one: npt.ArrayLike, other: npt.ArrayLike, weights: Floats) -> Floats:
    """Spearman rank correlation, `(draws,)`.

    >>> spearman([1.0, 2.0, 3.0], [1.0, 4.0, 9.0], ones(3)).tolist()
    [1.0]
    """
    return pearson(ranks(one, weights), ranks(other, weights), weights)


def concordance(truth: npt.ArrayLike, given: npt.ArrayLike, weights: Floats) -> Floats:
    """Concordance correlation coefficient (CCC), `(draws,)`."""
    (mean, other), (first, second), (mixed,) = _moments(truth, given, weights)
    below = first + second + (mean - other) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 1e-12, 2 * mixed / below, np.nan)


def auc(values: npt.ArrayLike, truth: npt.ArrayLike, weights: Floats) -> Floats:
    """Chance that a true voice has a larger value than one that is not, `(draws,)`.

    Args:
        values: of each voice, `(voices,)`; of equal ones half is counted
        truth: which voices are true, `(voices,)`
        weights: of the draws

    >>> auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True], ones(4)).tolist()
    [0.75]
    """
    good, value = np.asarray(truth, bool), np.asarray(values, float)
    order = np.flatnonzero(~good)[np.argsort(value[~good], kind="stable")]
    below = np.cumsum(np.pad(weights[:, order], ((0, 0), (1, 0))), axis=1)
    first = np.searchsorted(value[order], value[good], "left")
    last = np.searchsorted(value[order], value[good], "right")
    right = weights[:, good]
    above = (right * (below[:, first] + below[:, last])).sum(axis=1) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(above / (right.sum(axis=1) * below[:, -1]), dtype=float)


def within(
    groups: Sequence[Any] | pd.Series | npt.NDArray[Any],
    weights: Floats,
    statistic: Callable[..., Floats],
    *columns: npt.ArrayLike,
) -> Floats:
    """Mean of a statistic over groups of voices, each counted by its size, `(draws,)`.

    What differs between the groups alone, such as the mean pitch of emotions, cannot raise it.

    Args:
        groups: the group of each voice, `(voices,)`; missing ones are left out
        weights: of the draws
        statistic: one of this module, called as `statistic(*columns, weights)`
        columns: its values, `(voices,)` each; a group in which it is undefined does not count

    >>> within(["a", "a", "b", "b"], ones(4), auc, [1, 2, 5, 4], [0, 1, 0, 1]).tolist()
    [0.5]
    """
    codes, _ = pd.factorize(pd.Series(groups, dtype=object))
    total, known = np.zeros(len(weights)), np.zeros(len(weights))
    for code in range(codes.max() + 1):
        rows = codes == code
        own = weights[:, rows]
        value = statistic(*(np.asarray(column)[rows] for column in columns), own)
        size = np.where(np.isfinite(value), own.sum(axis=1), 0)
        total += np.where(size > 0, value, 0) * size
        known += size
    mean: Floats = np.divide(total, known, out=np.full(len(weights), np.nan), where=known > 0)
    return mean


def _moments(
    one: npt.ArrayLike, other: npt.ArrayLike, weights: Floats
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats], tuple[Floats]]:
    """Weighted means, variances and covariance, each `(draws,)`."""
    shares = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1)
    x, y = (np.broadcast_to(np.asarray(side, float), shares.shape) for side in (one, other))
    means = (shares * x).sum(axis=1), (shares * y).sum(axis=1)
    x, y = x - means[0][:, None], y - means[1][:, None]
    spread = (shares * x * x).sum(axis=1), (shares * y * y).sum(axis=1)
    return means, spread, ((shares * x * y).sum(axis=1),)
