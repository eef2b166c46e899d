"""How might a score be with other voices? Draws with replacement, as wide as few units demand.

What is drawn is the *unit*: a whole speaker, since segments of one speaker resemble each other, or
a segment where there are too few speakers to draw from (or none known).

Source: Field and Welsh, J. R. Stat. Soc. B 2007 (bootstrap of clusters); Hesterberg, Am. Stat. 2015
(what a bootstrap of few units lacks).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import norm as normal
from scipy.stats import t as student

LEAST_SPEAKERS = 6  # to draw from: with fewer, segments are drawn
Floats = npt.NDArray[np.float64]


def redraw(n: int, draws: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """How often each of `n` units comes in each draw with replacement, `(draws, n)`.

    >>> redraw(4, 2, np.random.default_rng(0)).sum(axis=1).tolist()
    [4, 4]
    """
    return rng.multinomial(n, np.full(n, 1 / n), size=draws)


def draw_speakers(counts: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Redraw speakers: (speakers, classes, missed / hit) → (draws, classes, missed / hit)."""
    return np.tensordot(redraw(len(counts), draws, rng), counts, axes=1)


def draw_segments(counts: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Redraw segments, which is to redraw how many of each class were missed and hit."""
    total = counts.sum(axis=0)
    n = int(total.sum())
    drawn = rng.multinomial(n, total.ravel() / n, size=draws)
    return drawn.reshape(draws, *total.shape).astype(float)


def widened(drawn: Floats, value: npt.ArrayLike, units: npt.ArrayLike) -> Floats:
    """Spread bootstrap draws as far as so few units demand.

    Draws of n units with replacement have only (n - 1) / n of the variance that new units would
    show, and normal quantiles are too small for a variance that is itself estimated from n. Both
    together make intervals of a few speakers too narrow; the draws are moved away from the value
    by the factor that mends it, sqrt(n / (n - 1)) times Student's 97.5 % quantile over the normal
    one.

    Args:
        drawn: a score on each draw, `(draws, …)`
        value: the score itself, `(…)`
        units: how many units were drawn from, two or more, `(…)`

    >>> widened(np.array([0.4, 0.6]), 0.5, 10).round(4).tolist()
    [0.3783, 0.6217]
    """
    n = np.asarray(units, float)
    factor = np.sqrt(n / (n - 1)) * student.ppf(0.975, n - 1) / normal.ppf(0.975)
    center = np.asarray(value, float)
    moved: Floats = center + factor * (drawn - center)
    return moved
