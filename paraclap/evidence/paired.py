"""Which differences between systems are real? A paired bootstrap with Holm's correction.

Two systems answer the same voices. These are drawn anew, whole speakers together (see `tally`),
and both are scored on each draw: the spread of the differences is that of the difference, without
what the draws do to both alike. Draws of few units are spread as far as their number demands
(`resampling.widened`). A difference over several tasks is that of the mean UAR, each task redrawn
within its own units; of several seeds, that of the mean over seeds, each draw the same for all.

*Interval*: the 2.5 % and the 97.5 % quantile of the redrawn differences. *p*, two-sided: the share
of draws in which the difference strays from the observed one at least as far as the observed one
lies from zero, `(1 + #{|d* - d| >= |d|}) / (draws + 1)`. Its smallest value is `1 / (draws + 1)`,
and two systems with equal scores have p = 1. *Holm*: the smallest p times the number of
comparisons, the second times one less, and so on, never falling, never above 1. The comparisons on
one task are a family of their own, and so are those of the mean over tasks; a family of m can show
a difference only if `m / (draws + 1)` stays below the level (`verdicts.remarks` says where not).

Conventions: UAR and p lie in 0 to 1, differences in -1 to 1, system minus other.
Source: Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 4.4 (p); Bisani
and Ney, ICASSP 2004 (paired draws); Holm, Scand. J. Stat. 1979.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap.evidence.tally import Floats, Runs, Tally, tally
from paraclap.resampling import widened
from paraclap.templates import unknown_name

Places = npt.NDArray[np.intp]
MEAN = "mean"  # name of the row over all tasks
ALPHA = 0.05
QUANTILES = (0.025, 0.975)
COMPARED = [
    *("task", "system", "other", "tasks", "unit", "units"),
    *("difference", "low", "high", "p", "p_holm", "real"),
]
_TIE = 1e-12  # differences of sums in another order are no differences


@dataclass(frozen=True)
class Redrawn:
    """UAR of systems on tasks, as they are and as they come out when voices are drawn anew.

    Args:
        systems: their names
        tasks: their names
        units: what is drawn in each task, speakers or utterances
        sizes: how many there are of them
        uar: `(systems, tasks)`, NaN where a system does not answer a task
        drawn: `(draws, systems, tasks)`, the same draws for all systems, spread as few units
            demand (`resampling.widened`)
    """

    systems: tuple[str, ...]
    tasks: tuple[str, ...]
    units: tuple[str, ...]
    sizes: tuple[int, ...]
    uar: Floats
    drawn: Floats

    def answered(self, *systems: str) -> Places:
        """Places of the tasks that all the systems answer."""
        rows = [self.place(name) for name in systems]
        return np.flatnonzero(np.isfinite(self.uar[rows]).all(axis=0))

    def place(self, system: str) -> int:
        """Row of a system.

        Raises:
            ValueError: if there is none of that name
        """
        if system not in self.systems:
            raise ValueError(unknown_name("system", system, self.systems))
        return self.systems.index(system)


def redrawn(
    predictions: Mapping[str, Runs],
    tasks: Mapping[str, Sequence[str]],
    draws: int = 1000,
    seed: int = 0,
) -> Redrawn:
    """Score all systems on all tasks, and again on many draws of the voices.

    Args:
        predictions: system → its predictions, one table or one a seed; a system may leave out
            tasks that it cannot answer
        tasks: task → its classes
        draws: of the bootstrap
        seed: of the draws

    Raises:
        ValueError: if there is no task, or as `tally.tally`
    """
    if not tasks:
        raise ValueError("No task to compare systems on, expected at least one.")
    counted = [tally(predictions, task, labels) for task, labels in tasks.items()]
    systems = tuple(predictions)
    uar = np.full((len(systems), len(tasks)), np.nan)
    drawn = np.full((draws, *uar.shape), np.nan)
    for column, one in enumerate(counted):
        rows = [systems.index(name) for name in one.systems]
        uar[rows, column] = one.recalls().mean(axis=1)
        fresh = np.nanmean(one.redrawn(draws, seed), axis=2)
        drawn[:, rows, column] = widened(fresh, uar[rows, column], len(one))
    return Redrawn(systems, tuple(tasks), *_drawn_from(counted), uar, drawn)


def _drawn_from(counted: Sequence[Tally]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    return tuple(one.unit for one in counted), tuple(len(one) for one in counted)


def intervals(scored: Redrawn) -> pd.DataFrame:
    """UAR of every system on every task, and its mean over the tasks that all systems answer.

    Returns:
        `task, system, tasks, unit, units, uar, uar_low, uar_high`; in the rows of the mean `tasks`
        says over how many, and `units` is missing
    """
    common = scored.answered(*scored.systems)
    groups = [(task, np.array([column])) for column, task in enumerate(scored.tasks)]
    groups += [(MEAN, common)] if len(common) > 1 else []
    rows = [
        {"task": task, "system": name, **_where(scored, columns), **_interval(scored, row, columns)}
        for task, columns in groups
        for row, name in enumerate(scored.systems)
        if np.isfinite(scored.uar[row, columns]).all()
    ]
    return pd.DataFrame(rows)


def _interval(scored: Redrawn, row: int, columns: Places) -> dict[str, float]:
    low, high = np.quantile(scored.drawn[:, row, columns].mean(axis=1), QUANTILES).clip(0, 1)
    value = scored.uar[row, columns].mean()
    return {"uar": float(value), "uar_low": float(low), "uar_high": float(high)}


def _where(scored: Redrawn, columns: Places) -> dict[str, object]:
    """What is drawn in some tasks, and how many of it, which is missing for several tasks."""
    units = sorted({scored.units[column] for column in columns})
    size = scored.sizes[columns[0]] if len(columns) == 1 else np.nan
    return {"tasks": len(columns), "unit": ", ".join(units), "units": size}


def differences(
    scored: Redrawn, pairs: Sequence[tuple[str, str]] | None = None, alpha: float = ALPHA
) -> pd.DataFrame:
    """Compare systems two by two, on every task and on the mean over the tasks both answer.

    Args:
        scored: systems on the same draws
        pairs: which to compare, (system, other); all if left out
        alpha: at or below which corrected p a difference counts as real

    Returns:
        `task, system, other, tasks, unit, units, difference, low, high, p, p_holm, real`, by task,
        the mean over tasks first; no rows if no two systems share a task

    Raises:
        ValueError: if a pair names an unknown system
    """
    chosen = list(combinations(scored.systems, 2)) if pairs is None else list(pairs)
    families: dict[str, list[dict[str, object]]] = {MEAN: [], **{task: [] for task in scored.tasks}}
    for system, other in chosen:
        common = scored.answered(system, other)
        if len(common) > 1:
            families[MEAN].append(_compared(scored, system, other, MEAN, common))
        for column in common:
            task = scored.tasks[column]
            families[task].append(_compared(scored, system, other, task, np.array([column])))
    corrected = [_corrected(rows, alpha) for rows in families.values() if rows]
    if not corrected:
        return pd.DataFrame(columns=COMPARED)
    return pd.concat(corrected, ignore_index=True)[COMPARED]


def _compared(
    scored: Redrawn, system: str, other: str, task: str, columns: Places
) -> dict[str, object]:
    one, two = scored.place(system), scored.place(other)
    value = float((scored.uar[one, columns] - scored.uar[two, columns]).mean())
    drawn = (scored.drawn[:, one, columns] - scored.drawn[:, two, columns]).mean(axis=1)
    low, high = np.quantile(drawn, QUANTILES).clip(-1, 1)
    names = {"task": task, "system": system, "other": other, **_where(scored, columns)}
    size = {"difference": value, "low": float(low), "high": float(high)}
    return {**names, **size, "p": p_value(value, drawn)}


def _corrected(rows: Sequence[dict[str, object]], alpha: float) -> pd.DataFrame:
    family = pd.DataFrame(rows)
    adjusted = holm(family["p"].to_numpy())
    return family.assign(p_holm=adjusted, real=adjusted <= alpha)


def p_value(difference: float, drawn: npt.ArrayLike) -> float:
    """Two-sided bootstrap p of a difference, as the head of this module defines it.

    Args:
        difference: as observed
        drawn: on each draw, `(draws,)`

    Returns:
        from `1 / (draws + 1)` to 1

    >>> p_value(0.2, [0.1, 0.2, 0.3]), p_value(0.0, [0.0, 0.0, 0.0])
    (0.25, 1.0)
    """
    strays = np.abs(np.asarray(drawn, float) - difference) >= abs(difference) - _TIE
    return float((1 + strays.sum()) / (1 + len(strays)))


def holm(p: npt.ArrayLike) -> Floats:
    """Correct a family of p-values for their number, in the order given.

    Raises:
        ValueError: if one is missing or not in 0 to 1

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, float)
    bad = np.flatnonzero(~((values >= 0) & (values <= 1)))
    if len(bad):
        raise ValueError(
            f"Bad p {values[bad][:5].tolist()} at {bad[:5].tolist()}, expected 0 to 1: leave "
            "comparisons that could not be made out of the family."
        )
    order = np.argsort(values, kind="stable")
    raised = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(raised))
    return adjusted
