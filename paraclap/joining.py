"""How the queries of a voice become one text: the ways of the authors' released code.

The paper's own way, a few attributes drawn at random, is `queries.Pool.sample`. The released code
has two others. `all_of` is what it runs: every query, one after the other. `weighted` is what it
holds switched off: a few sentences, few more often than many, and the emotion at the end.

Source: https://github.com/KeiKinn/ParaCLAP, `dataset.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

JOINS = ("rand", "weighted", "all")
_BEFORE, _BETWEEN = "speaker ", " and "


def all_of(queries: Sequence[str]) -> str:
    """Every query, joined by "and", after the word "speaker".

    >>> all_of(["is loud", "speaker is angry"])
    'speaker is loud and speaker is angry'
    """
    return _BEFORE + _BETWEEN.join(queries)


def shares(most: int) -> npt.NDArray[np.float64]:
    """How often 1 to `most` queries are drawn: falling in even steps, the last never.

    >>> shares(5).round(2).tolist()
    [0.4, 0.3, 0.2, 0.1, 0.0]
    """
    weights = np.linspace(1, 0, most)
    falling: npt.NDArray[np.float64] = weights / weights.sum()
    return falling


def weighted(
    queries: Sequence[str], emotion: str | None, most: int, rng: np.random.Generator
) -> str:
    """A few queries without repetition, joined by "and", the emotion query at the end.

    Args:
        queries: all that hold, those of the emotion among them
        emotion: the query that is always said; None for none
        most: the largest number of the others
        rng: the source of chance
    """
    number = min(1 + int(rng.choice(most, p=shares(most))), len(queries))
    drawn = [queries[place] for place in rng.permutation(len(queries))[:number]]
    return _BETWEEN.join([*drawn, *([emotion] if emotion else [])])


def parts(text: str, join: str = "rand") -> list[str]:
    """The queries that a text was joined from; no template holds the word that joins them.

    Args:
        text: the text
        join: the way it was joined

    >>> parts("is loud and speaker is angry")
    ['is loud', 'speaker is angry']
    """
    return (text.removeprefix(_BEFORE) if join == "all" else text).split(_BETWEEN)
