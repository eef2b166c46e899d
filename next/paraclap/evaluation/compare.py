"""Which differences between systems are real? Paired bootstrap, Holm's correction, spread of seeds.

Systems answer the same utterances and are scored on the same draws of them (:mod:`.bootstrap`). A
system is one table of predictions, or one a training seed, whose recalls are averaged. A difference
over several tasks is that of the mean UAR, each task drawn from its own units.

*p*, two-sided: the share of draws in which the difference strays from the observed one at least as
far as the observed one lies from zero, ``(1 + #{|d* - d| >= |d|}) / (draws + 1)``. *Holm* corrects
the comparisons on one task as a family, and those of the mean over tasks as another; a family of m
cannot show anything unless ``m / (draws + 1)`` is below the level.

Chapter 11. Source: Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 4.4
(p); Bisani and Ney, ICASSP 2004 (paired draws); Holm, Scand. J. Stat. 1979; Bouthillier et al.,
MLSys 2021 (why seeds count).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests

from paraclap.evaluation.bootstrap import QUANTILES, Draws, divide, widened
from paraclap.evaluation.metrics import Floats, label_codes
from paraclap.tables import unknown

Runs = pd.DataFrame | Sequence[pd.DataFrame]
MEAN = "mean"  # name of the row over all tasks
ALPHA = 0.05
COMPARED = [
    *("task", "system", "other", "tasks", "unit", "units"),
    *("difference", "low", "high", "p", "p_holm", "real"),
]
_TIE = 1e-12  # differences of sums in another order are no differences


@dataclass(frozen=True)
class Scored:
    """UAR of systems on tasks, and on many draws of the utterances.

    Attributes:
        systems: their names
        units: task → what is drawn (speakers or utterances), and how many there are
        uar: a column per task and system that answers it; the first row is the UAR itself, the
            others are the draws, the same for all systems, widened
    """

    systems: tuple[str, ...]
    units: dict[str, tuple[str, int]]
    uar: pd.DataFrame

    def common(self, *systems: str) -> list[str]:
        """Tasks that all these systems answer."""
        for system in systems:
            if system not in self.systems:
                raise ValueError(unknown("system", system, self.systems))
        return [task for task in self.units if all((task, one) in self.uar for one in systems)]

    def mean(self, system: str, tasks: Sequence[str]) -> Floats:
        """Mean UAR over some tasks, ``(1 + draws,)``."""
        mean: Floats = self.uar[[(task, system) for task in tasks]].to_numpy().mean(axis=1)
        return mean

    def drawn_from(self, tasks: Sequence[str]) -> dict[str, object]:
        """What is drawn in some tasks, and how many of it (missing for several tasks)."""
        names = ", ".join(sorted({self.units[task][0] for task in tasks}))
        size = self.units[tasks[0]][1] if len(tasks) == 1 else np.nan
        return {"tasks": len(tasks), "unit": names, "units": size}


def score_systems(
    predictions: Mapping[str, Runs],
    tasks: Mapping[str, Collection[str]],
    draws: int = 1000,
    seed: int = 0,
) -> Scored:
    """Score all systems on all tasks, and again on many draws of the utterances.

    Args:
        predictions: system → its predictions, one table or one a seed; tasks may be missing
        tasks: task → its classes
        draws: of the bootstrap
        seed: of the draws; those of a task are the same whatever other tasks there are

    Raises:
        ValueError: if there is no task or nobody answers it, systems answer other utterances, or
            as ``metrics.uar``, naming system and task
    """
    if not tasks:
        raise ValueError("No task to compare systems on, expected at least one.")
    columns, names = {}, {}
    for task, classes in tasks.items():
        tables = _answers(predictions, task)
        first = next(iter(tables.values()))[0]
        drawn = Draws.of(first["speaker"], len(first), draws, (seed, *task.encode()))
        truth, _ = label_codes(first["truth"], first["truth"], list(classes))
        names[task] = drawn.unit, drawn.units
        for system, parts in tables.items():
            right = _right(f"{system!r} in task {task!r}", parts, first, list(classes))
            each = [drawn.weights[:, truth == k] for k in range(len(classes))]
            found = [weights @ right[truth == k] for k, weights in enumerate(each)]
            recalls = divide(np.stack(found), np.stack([w.sum(axis=1) for w in each]))
            uar = np.nanmean(recalls, axis=0)
            columns[task, system] = np.append(uar[:1], widened(uar[1:], uar[0], drawn.units))
    return Scored(tuple(predictions), names, pd.DataFrame(columns))


def _answers(predictions: Mapping[str, Runs], task: str) -> dict[str, list[pd.DataFrame]]:
    """Rows of a task, of each seed of each system that answers it."""
    found = {}
    for name, runs in predictions.items():
        tables = [runs] if isinstance(runs, pd.DataFrame) else list(runs)
        parts = [table[table["corpus"] == task] for table in tables]
        if len({part.empty for part in parts}) > 1:
            msg = f"Only some seeds of {name!r} answer task {task!r}"
            raise ValueError(f"{msg} ({[len(part) for part in parts][:5]} rows): run all of them.")
        if parts and len(parts[0]):
            found[name] = parts
    if not found:
        raise ValueError(f"No system has predictions of task {task!r}: leave it out or ask it.")
    return found


def _right(
    where: str, parts: Sequence[pd.DataFrame], first: pd.DataFrame, classes: list[str]
) -> Floats:
    """Share of the seeds that are right about each utterance of ``first``, ``(n,)``."""
    hits = []
    for part in parts:
        same = not part.index.has_duplicates and set(part.index) == set(first.index)
        own = part.loc[first.index] if same else part
        if not same or (own["truth"].to_numpy() != first["truth"].to_numpy()).any():
            raise ValueError(
                f"The utterances of {where} ({len(part)} rows) or their truth differ from those of "
                f"the first system ({len(first)} rows), expected the same, each once."
            )
        try:
            t, p = label_codes(own["truth"], own["prediction"], classes)
        except ValueError as error:
            raise ValueError(f"System {where}: {error}") from error
        hits.append(t == p)
    shares: Floats = np.mean(hits, axis=0)
    return shares


def intervals(scored: Scored) -> pd.DataFrame:
    """UAR of every system on every task, and its mean over the tasks that all systems answer.

    Returns:
        ``task, system, tasks, unit, units, uar, uar_low, uar_high``
    """
    groups = {task: [task] for task in scored.units}
    if len(common := scored.common(*scored.systems)) > 1:
        groups[MEAN] = common
    rows = []
    for task, own in groups.items():
        for system in scored.systems:
            if set(own) <= set(scored.common(system)):
                uar, *drawn = scored.mean(system, own)
                low, high = np.quantile(drawn, QUANTILES).clip(0, 1)
                ends = {"uar": uar, "uar_low": low, "uar_high": high}
                rows.append({"task": task, "system": system, **scored.drawn_from(own), **ends})
    return pd.DataFrame(rows)


def differences(
    scored: Scored, pairs: Sequence[tuple[str, str]] | None = None, alpha: float = ALPHA
) -> pd.DataFrame:
    """Compare systems two by two, on the mean over the tasks both answer and on every task.

    Args:
        scored: systems on the same draws
        pairs: (system, other); all if left out
        alpha: at or below which corrected p a difference counts as real

    Returns:
        columns of ``COMPARED``, the mean first; ``difference`` is system minus other
    """
    chosen = list(combinations(scored.systems, 2)) if pairs is None else list(pairs)
    common = {pair: scored.common(*pair) for pair in chosen}
    families = {MEAN: {pair: own for pair, own in common.items() if len(own) > 1}}
    for task in scored.units:
        families[task] = {pair: [task] for pair, own in common.items() if task in own}
    tables = []
    for task, family in families.items():
        if family:
            table = pd.DataFrame([_compared(scored, *pair, own) for pair, own in family.items()])
            p = holm(table["p"])
            tables.append(table.assign(task=task, p_holm=p, real=p <= alpha)[COMPARED])
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COMPARED)


def _compared(scored: Scored, system: str, other: str, tasks: Sequence[str]) -> dict[str, object]:
    value, *drawn = scored.mean(system, tasks) - scored.mean(other, tasks)
    low, high = np.quantile(drawn, QUANTILES).clip(-1, 1)
    ends = {"difference": value, "low": low, "high": high, "p": p_value(value, drawn)}
    return {"system": system, "other": other, **scored.drawn_from(tasks), **ends}


def p_value(difference: float, drawn: npt.ArrayLike) -> float:
    """Two-sided bootstrap p of a difference, from ``1 / (draws + 1)`` to 1.

    >>> p_value(0.2, [0.1, 0.2, 0.3]), p_value(0.0, [0.0, 0.0, 0.0])
    (0.25, 1.0)
    """
    strays = np.abs(np.asarray(drawn, float) - difference) >= abs(difference) - _TIE
    return float((1 + strays.sum()) / (1 + len(strays)))


def holm(p: npt.ArrayLike) -> Floats:
    """Holm's correction of a family of p-values, in the order given."""
    corrected: Floats = multipletests(np.asarray(p, float), method="holm")[1]
    return corrected


def above_chance(
    predictions: pd.DataFrame,
    tasks: Mapping[str, Collection[str]],
    draws: int = 1000,
    seed: int = 0,
    alpha: float = ALPHA,
) -> pd.DataFrame:
    """Test the UAR of every task against chance, Holm over the tasks.

    Returns:
        ``task, chance, uar, p, p_holm, answers`` (how many different ones), ``above``
    """
    scored = score_systems({"": predictions}, tasks, draws, seed)
    rows = []
    for task, classes in tasks.items():
        uar, *drawn = scored.mean("", [task])
        chance = 1 / len(classes)
        p = p_value(uar - chance, np.array(drawn) - chance)
        answers = predictions.loc[predictions["corpus"] == task, "prediction"].nunique()
        rows.append({"task": task, "chance": chance, "uar": uar, "p": p, "answers": answers})
    table = pd.DataFrame(rows)
    table.insert(4, "p_holm", holm(table["p"]))
    return table.assign(above=(table["uar"] > table["chance"]) & (table["p_holm"] <= alpha))


def over_seeds(
    scores: pd.DataFrame, by: Sequence[str] = ("system", "task"), value: str = "uar"
) -> pd.DataFrame:
    """Mean and spread of the scores of several training seeds, with Student's interval of the mean.

    Returns:
        ``by``, then ``seeds, mean, std, min, max, seeds_low, seeds_high``; spread and interval are
        missing where there is one seed

    Raises:
        ValueError: if a seed comes twice or a score is missing
    """
    bad = scores[scores.duplicated([*by, "seed"]) | scores[value].isna()]
    if len(bad):
        first = bad[[*by, "seed"]].to_numpy().tolist()[:5]
        raise ValueError(f"Seeds {first} come twice or have no {value}, expected one score each.")
    grouped = scores.groupby(list(by), sort=False)[value]
    table = grouped.agg(["size", "mean", "std", "min", "max"]).rename(columns={"size": "seeds"})
    n = table["seeds"].where(table["seeds"] > 1).to_numpy(float)
    reach = student.ppf(0.975, n - 1) * table["std"] / np.sqrt(n)
    ends = {"seeds_low": table["mean"] - reach, "seeds_high": table["mean"] + reach}
    return table.assign(**ends).reset_index()


def describe_differences(
    compared: pd.DataFrame, task: str = MEAN, name: Callable[[str], str] = str
) -> list[str]:
    """One sentence a pair of systems: which is better, or how large a difference may still be."""
    sentences = []
    for row in compared[compared["task"] == task].to_dict("records"):
        one, two, p = name(row["system"]), name(row["other"]), f"corrected p {row['p_holm']:.3f}"
        gap, low, high = row["difference"], row["low"], row["high"]
        if not row["real"]:
            text = f"{one} and {two} cannot be told apart: {gap:+.3f} ({low:+.3f} to {high:+.3f})"
        elif gap > 0:
            text = f"{one} is better than {two} by {gap:.3f} ({low:.3f} to {high:.3f})"
        else:
            text = f"{two} is better than {one} by {-gap:.3f} ({-high:.3f} to {-low:.3f})"
        sentences.append(f"{text}, {p}.")
    return sentences


def describe_above_chance(table: pd.DataFrame) -> str:
    """Which tasks are above chance, and which are always given the same answer."""
    above = table.loc[table["above"], "task"].tolist()
    single = table.loc[table["answers"] == 1, "task"].tolist()
    text = f"Above chance, corrected for {len(table)} tasks: {len(above)} of {len(table)}"
    text += f" ({', '.join(above)})." if above else "."
    if single:
        text += f" Always the same answer, whatever the utterance: {', '.join(single)}."
    return text
