"""What does the seed of a training do to a score? Mean, spread, and the interval of the mean.

Two things make a score uncertain: which voices were asked (the bootstrap over speakers, see
`paired`), and which random numbers the training began with (here). The one says nothing of the
other, so that both stand side by side. The interval of the mean over seeds is Student's, with as
many degrees of freedom as seeds less one; it takes the scores of seeds as normal, and is wide for
three seeds because three say little.

Conventions: a row of scores is one seed; spread is the standard deviation with n - 1.
Source: Student, Biometrika 1908; Bouthillier et al., MLSys 2021 (why seeds count).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import t as student

LEVEL = 0.95


def over_seeds(
    scores: pd.DataFrame, by: Sequence[str] = ("system", "task"), value: str = "uar"
) -> pd.DataFrame:
    """Summarise the scores of several seeds.

    Args:
        scores: a row a seed, columns `by`, `seed` and `value`
        by: what is kept apart
        value: the score

    Returns:
        a row for each of `by`: `seeds, mean, std, min, max, seeds_low, seeds_high`; the spread and
        the interval are missing where there is one seed

    Raises:
        ValueError: if a column is not there, a seed comes twice, or a score is missing
    """
    _check(scores, by, value)
    grouped = scores.groupby(list(by), sort=False)[value]
    table = grouped.agg(["size", "mean", "std", "min", "max"]).rename(columns={"size": "seeds"})
    enough = table["seeds"].where(table["seeds"] > 1)
    factor = student.ppf((1 + LEVEL) / 2, (enough - 1).to_numpy(float))
    reach = factor * table["std"] / np.sqrt(enough)
    return table.assign(
        seeds_low=table["mean"] - reach, seeds_high=table["mean"] + reach
    ).reset_index()


def beside_bootstrap(seeds: pd.DataFrame, intervals: pd.DataFrame) -> pd.DataFrame:
    """Put the interval over seeds and that over voices side by side.

    Args:
        seeds: as `over_seeds` gives it, by system and task
        intervals: as `paired.intervals` gives it for the same systems, their seeds averaged

    Returns:
        `seeds` with `unit, uar_low, uar_high` of the bootstrap

    Raises:
        ValueError: if a system and task has no interval
    """
    columns = ["system", "task", "unit", "uar_low", "uar_high"]
    both = seeds.merge(intervals[columns], on=["system", "task"], how="left")
    lost = both.loc[both["unit"].isna(), ["system", "task"]].to_numpy().tolist()
    if lost:
        raise ValueError(f"No bootstrap interval for {lost[:5]}, expected one for each: score it.")
    return both


def _check(scores: pd.DataFrame, by: Sequence[str], value: str) -> None:
    missing = [name for name in (*by, "seed", value) if name not in scores]
    if missing:
        raise ValueError(f"No column {missing[:5]} in the scores, got {list(scores)[:8]}: add it.")
    twice = scores[scores.duplicated([*by, "seed"])]
    if len(twice):
        first = twice[[*by, "seed"]].to_numpy().tolist()[:5]
        raise ValueError(f"Seeds come twice ({first}), expected one score each: drop the others.")
    if scores[value].isna().any():
        first = scores.loc[scores[value].isna(), [*by, "seed"]].to_numpy().tolist()[:5]
        raise ValueError(f"No {value} for {first}, expected a score for each seed: leave it out.")
