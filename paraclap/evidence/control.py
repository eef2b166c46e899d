"""What does a model learn that is told nothing true? Queries dealt out to other voices.

Training with the queries of other voices leaves all that a run has (the same voices, the same
texts, as many steps) but the one thing it should live on. Such a model must fall to chance; if it
does not, answers leak in by another way than the pairs. One such way is the dev split: to keep the
epoch that answers its emotions best is to pick the luckiest of several guesses, in favour of the
truth. Dev voices therefore bear the emotions of other dev voices.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap.queries import Pool

Rows = Sequence[int] | npt.NDArray[np.intp]


def derangement(n: int, seed: int = 0) -> npt.NDArray[np.intp]:
    """A random order of `n` places in which none keeps its own.

    All places form one cycle, whose order is drawn.

    Raises:
        ValueError: if there are fewer than two

    >>> derangement(2).tolist()
    [1, 0]
    """
    if n < 2:
        raise ValueError(f"Got {n} voices, expected two or more: one has nobody to swap with.")
    cycle = np.random.default_rng(seed).permutation(n)
    moved = np.empty(n, dtype=np.intp)
    moved[cycle] = np.roll(cycle, 1)
    return moved


def shuffled(pool: Pool, rows: Rows, seed: int = 0) -> Pool:
    """Give each of some voices the queries of another one of them.

    Args:
        pool: the queries of a table
        rows: places of the voices that swap, such as those of the train split; the others keep
            their queries
        seed: of the order

    Returns:
        a pool of the same length; the one given stays as it is

    Raises:
        ValueError: if fewer than two rows swap, or one is given twice
    """
    places = np.asarray(rows, dtype=np.intp)
    if len(np.unique(places)) < len(places):
        raise ValueError(f"Some of the {len(places)} rows are given twice, expected each once.")
    source = np.arange(len(pool))
    source[places] = places[derangement(len(places), seed)]
    table = pool.table()
    moved = table.iloc[source].set_axis(table.index)
    return Pool.from_table(moved, pool.templates, pool.emotion_form)


def shuffled_emotions(labels: pd.DataFrame, split: str = "dev", seed: int = 0) -> pd.DataFrame:
    """Give each voice of a split the emotion of another one of them.

    Args:
        labels: labels table; voices without an emotion keep none
        split: whose voices swap
        seed: of the order

    Returns:
        a copy of the table

    Raises:
        ValueError: if fewer than two voices of the split have an emotion
    """
    rows = np.flatnonzero((labels["split"] == split) & labels["emotion"].notna())
    emotions = labels["emotion"].to_numpy(object).copy()
    emotions[rows] = emotions[rows][derangement(len(rows), seed)]
    column = pd.Series(emotions, labels.index, dtype=labels["emotion"].dtype)
    return labels.assign(emotion=column)
