"""How a score might be with other speakers: clustered bootstrap of the UAR, jackknife of the rest.

Drawn with replacement, or left out, is the *unit*: all utterances of a speaker together, or single
utterances where fewer than six speakers are known. Intervals hold 95 % and are as wide as few units
demand (:func:`widened`). Chapters 5 and 11. Source: Field and Welsh, J. R. Stat. Soc. B 2007
(clusters); Hesterberg, Am. Stat. 2015 (few units); Efron and Tibshirani, 1993 (jackknife).
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from paraclap.evaluation.metrics import Answers, Codes, Floats, label_codes, uar

LEAST_SPEAKERS = 6  # with fewer, utterances are drawn
QUANTILES = (0.025, 0.975)


def bootstrap_interval(
    truth: Answers,
    prediction: Answers,
    labels: Sequence[str],
    speakers: Answers | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval that holds 95 % of the UARs of other speakers; ValueError as ``metrics.uar``.

    >>> bootstrap_interval(["a", "b"] * 50, ["a", "b"] * 50, ["a", "b"])
    (1.0, 1.0)
    """
    value = uar(truth, prediction, labels)
    sizes, counts = count_units(truth, prediction, labels, speakers)  # (kinds,), (kinds, K, 2)
    weights = redraw(sizes, draws, np.random.default_rng(seed))  # how often each comes in a draw
    missed, found = np.moveaxis(np.tensordot(weights, counts, axes=1), -1, 0)  # (draws, K) each
    drawn = np.ma.divide(found, missed + found).mean(axis=1).data  # UAR of each draw
    low, high = np.quantile(widened(drawn, value, sizes.sum()), QUANTILES).clip(0, 1)
    return float(low), float(high)


def count_units(
    truth: Answers, prediction: Answers, labels: Sequence[str], speakers: Answers | None
) -> tuple[Codes, Floats]:
    """How many units there are of each kind ``(kinds,)``, and what one holds ``(kinds, K, 2)``.

    That is its missed and found utterances of each class. Each speaker is a kind of its own.
    """
    t, p = label_codes(truth, prediction, labels)
    numbers, unit = units(speakers, len(t))
    kinds, size = 2 * t + (t == p), 2 * len(labels)
    if unit == "utterances":
        return np.bincount(kinds, minlength=size), np.eye(size).reshape(size, -1, 2)
    counts = np.zeros((numbers.max() + 1, size))
    np.add.at(counts, (numbers, kinds), 1)
    return np.ones(len(counts), np.intp), counts.reshape(len(counts), -1, 2)


def units(speakers: Answers | None, n: int) -> tuple[Codes, str]:
    """Number the units that ``n`` utterances belong to, and say what they are."""
    codes, names = pd.factorize(pd.Series([None] * n if speakers is None else list(speakers)))
    known = int((codes >= 0).sum())
    if len(codes) != n or 0 < known < n:
        raise ValueError(f"Got speakers of {known} of {n} utterances, expected all or none.")
    return (codes, "speakers") if len(names) >= LEAST_SPEAKERS else (np.arange(n), "utterances")


def redraw(sizes: npt.ArrayLike, draws: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """How often units of each kind come in each draw with replacement, ``(draws, kinds)``."""
    if draws < 1:
        raise ValueError(f"Bad number of draws {draws}, expected at least 1.")
    return rng.multinomial(np.sum(sizes), np.asarray(sizes) / np.sum(sizes), size=draws)


def widened(drawn: Floats, value: float | Floats, units: int) -> Floats:
    """Spread bootstrap draws ``(draws, ...)`` of a score ``(...)`` as far as few units demand.

    Draws of n units show (n - 1) / n of the variance of new units, and a variance estimated from n
    asks for Student's quantile instead of the normal one: draws move away from the value by both.

    >>> widened(np.array([0.4, 0.6]), 0.5, 10).round(4).tolist()
    [0.3783, 0.6217]
    """
    student = stats.t.ppf(0.975, units - 1) / stats.norm.ppf(0.975)
    return np.asarray(value + np.sqrt(units / (units - 1)) * student * (drawn - value))


def draw_weights(
    speakers: Answers | None, n: int, draws: int = 1000, seed: int | Sequence[int] = 0
) -> tuple[Floats, int]:
    """How often each utterance comes in each draw ``(1 + draws, n)``, and the number of units."""
    numbers, _ = units(speakers, n)
    count = int(numbers.max()) + 1
    drawn = redraw(np.ones(count), draws, np.random.default_rng(seed))[:, numbers]
    return np.concatenate([np.ones((1, n)), drawn]), count  # first, every utterance comes once


def jackknife(
    statistic: Callable[[npt.NDArray[np.bool_]], npt.ArrayLike], speakers: Answers | None, n: int
) -> tuple[Floats, Floats, Floats]:
    """Statistics of rows ``(n,)`` and their intervals, NaN where undefined: value, low, high.

    No utterance is repeated, which would distort ranks; medians are not for the jackknife.
    """
    numbers, _ = units(speakers, n)
    value = np.asarray(statistic(numbers >= 0))
    without = pd.DataFrame([statistic(numbers != unit) for unit in range(numbers.max() + 1)])
    count = without.count().to_numpy()
    degrees = np.where(count > 1, count - 1, np.nan)
    reach = stats.t.ppf(0.975, degrees) * np.sqrt(degrees * without.var(ddof=0).to_numpy())
    return value, value - reach, value + reach
