"""Which differences between systems are real? Paired bootstrap and Holm's correction.

Systems answer the same utterances and are scored on the same draws of them (:mod:`.bootstrap`). A
system is one table of predictions, or one a training seed, whose recalls are averaged. A difference
over several tasks is that of the mean UAR. *Holm* corrects the comparisons on one task as a family,
those of the mean over tasks as another. Chapter 11. Source: Davison and Hinkley, Bootstrap Methods,
1997, section 4.4 (p); Bisani and Ney, ICASSP 2004 (paired draws); Holm, Scand. J. Stat. 1979.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from statsmodels.stats.multitest import multipletests

from paraclap.evaluation.bootstrap import QUANTILES, draw_weights, widened
from paraclap.evaluation.metrics import Floats, label_codes
from paraclap.evaluation.tasks import Classes

Runs = pd.DataFrame | Sequence[pd.DataFrame]
MEAN = "mean"  # name of the row over all tasks
ALPHA = 0.05


def score_systems(
    predictions: Mapping[str, Runs], tasks: Classes, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Score all systems on all tasks, and again on many draws of the utterances.

    Returns a column per task and system that answers it; the first row is the UAR itself, the
    others are the draws, the same for all systems, widened. ValueError if nobody answers a task,
    systems answer other utterances, or as ``metrics.uar``.
    """
    every = {n: [r] if isinstance(r, pd.DataFrame) else r for n, r in predictions.items()}
    columns = {}
    for task, classes in tasks.items():
        answers = {n: [one[one["corpus"] == task] for one in runs] for n, runs in every.items()}
        answers = {name: runs for name, runs in answers.items() if any(map(len, runs))}
        if not answers:
            raise ValueError(f"No system has predictions of task {task!r}: leave it out or ask it.")
        first = next(one for runs in answers.values() for one in runs if len(one))
        weights, units = draw_weights(first["speaker"], len(first), draws, (seed, *task.encode()))
        truth, _ = label_codes(first["truth"], first["truth"], list(classes))
        each = [truth == k for k in range(len(classes))]
        for name, runs in answers.items():
            right = np.mean([_right(name, one, first, list(classes)) for one in runs], axis=0)
            found = [weights[:, rows] @ right[rows] for rows in each]
            sizes = [weights[:, rows].sum(axis=1) for rows in each]
            uar = np.ma.divide(found, sizes).mean(axis=0).data  # of the classes that were drawn
            columns[task, name] = np.append(uar[:1], widened(uar[1:], uar[0], units))
    return pd.DataFrame(columns)


def _right(name: str, answers: pd.DataFrame, first: pd.DataFrame, classes: list[str]) -> Floats:
    """Whether each utterance of ``first`` is answered right, ``(n,)``."""
    same = not answers.index.has_duplicates and set(answers.index) == set(first.index)
    rows = answers.loc[first.index] if same else answers
    if not same or (rows["truth"].to_numpy() != first["truth"].to_numpy()).any():
        msg = f"The utterances of {name!r} in task {first['corpus'].iloc[0]!r} ({len(rows)} rows)"
        other = f"those of the first system ({len(first)} rows)"
        raise ValueError(f"{msg} or their truth differ from {other}, expected the same, each once.")
    return np.equal(*label_codes(rows["truth"], rows["prediction"], classes)).astype(float)


def intervals(scored: pd.DataFrame) -> pd.DataFrame:
    """UAR of every system on every task: ``task, system, uar, uar_low, uar_high``."""
    ends = scored[1:].quantile(list(QUANTILES)).clip(0, 1).to_numpy()
    table = pd.DataFrame({"uar": scored.loc[0], "uar_low": ends[0], "uar_high": ends[1]})
    return table.rename_axis(["task", "system"]).reset_index()


def differences(
    scored: pd.DataFrame, pairs: Collection[tuple[str, str]] | None = None
) -> pd.DataFrame:
    """Compare all or some pairs of systems, on the mean over the tasks both answer and on each.

    Returns ``task, system, other, difference`` (system - other), ``low, high, p, p_holm, real``.
    """
    rows = []
    for pair in pairs or combinations(scored.columns.unique(1), 2):
        one, other = (pd.DataFrame(scored.xs(system, axis=1, level=1)) for system in pair)
        common = [str(task) for task in one if task in other]
        groups = {MEAN: common} if len(common) > 1 else {}
        for task, tasks in (groups | {task: [task] for task in common}).items():
            gap, *drawn = one[tasks].mean(axis=1) - other[tasks].mean(axis=1)
            ends = np.quantile(drawn, QUANTILES).clip(-1, 1)
            rows.append([task, *pair, gap, *ends, p_value(gap, drawn)])
    columns = ["task", "system", "other", "difference", "low", "high", "p"]
    table = pd.DataFrame(rows, columns=columns)
    families = table.groupby("task")["p"]
    table["p_holm"] = families.transform(lambda p: multipletests(p, method="holm")[1])
    return table.assign(real=table["p_holm"] <= ALPHA)


def p_value(difference: float, drawn: npt.ArrayLike) -> float:
    """Two-sided bootstrap p of a difference: ``(1 + #{|d* - d| >= |d|}) / (draws + 1)``.

    >>> p_value(0.2, [0.1, 0.2, 0.3]), p_value(0.0, [0.0, 0.0, 0.0])
    (0.25, 1.0)
    """
    least = abs(difference) - 1e-12  # sums in another order are no differences
    strays = np.abs(np.asarray(drawn, float) - difference) >= least
    return float((1 + strays.sum()) / (1 + len(strays)))


def above_chance(
    predictions: pd.DataFrame, tasks: Classes, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Test the UAR of every task against chance, Holm over the tasks.

    Returns ``task, chance, uar, p, answers`` (how many different ones), ``p_holm, above``.
    """
    scored = score_systems({"": predictions}, tasks, draws, seed)
    rows = []
    for task, classes in tasks.items():
        chance = 1 / len(classes)
        gap, *drawn = scored[task, ""] - chance
        answers = predictions.loc[predictions["corpus"] == task, "prediction"].nunique()
        rows.append([task, chance, gap + chance, p_value(gap, drawn), answers])
    table = pd.DataFrame(rows, columns=["task", "chance", "uar", "p", "answers"])
    table["p_holm"] = multipletests(table["p"], method="holm")[1]
    return table.assign(above=(table["uar"] > table["chance"]) & (table["p_holm"] <= ALPHA))


def describe_differences(
    compared: pd.DataFrame, task: str = MEAN, name: Callable[[str], str] = str
) -> list[str]:
    """One sentence a pair of systems: which is better, or how large a difference may still be."""
    sentences = []
    for row in compared[compared["task"] == task].to_dict("records"):
        one, two = name(row["system"]), name(row["other"])
        gap, low, high = row["difference"], row["low"], row["high"]
        if gap < 0:
            one, two, gap, low, high = two, one, -gap, -high, -low
        verb = "is better than" if row["real"] else "cannot be told apart from"
        values = f"{gap:+.3f} ({low:+.3f} to {high:+.3f}), corrected p {row['p_holm']:.3f}"
        sentences.append(f"{one} {verb} {two}: {values}.")
    return sentences


def describe_above_chance(table: pd.DataFrame) -> str:
    """Which tasks are above chance, and which are always given the same answer."""
    above = ", ".join(table.loc[table["above"], "task"]) or "none"
    single = ", ".join(table.loc[table["answers"] == 1, "task"]) or "none"
    corrected = f"Above chance, corrected for {len(table)} tasks: {above}."
    return f"{corrected} Always the same answer, whatever the utterance: {single}."
