"""Several trained models and the same questions: one table of their answers.

A *cell* names a model: its recipe, its set of sentences, its seed. Models that differ in the seed
alone answer together, too: their answers are put one below the other, so that a recall is the mean
of theirs, and the interval is drawn over speakers, each of whom brings the answers of all seeds.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from paraclap import evaluation
from paraclap.tasks import Tasks

Cell = tuple[str, str, int]
TOGETHER = "all"  # in the column seed: all seeds together
COLUMNS = ["recipe", "sentences", "seed", "task", "chance", "n", "uar", "uar_low", "uar_high"]


def compare(
    answers: Mapping[Cell, pd.DataFrame], tasks: Tasks, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Score every model on every task, and the seeds of a recipe together.

    Args:
        answers: cell → predictions, as `evaluation.predict` gives them
        tasks: task → class → word
        draws: of the bootstrap over speakers
        seed: of the bootstrap

    Returns:
        `recipe, sentences, seed` (as text), `task, chance, n, uar, uar_low, uar_high`
    """
    groups: dict[tuple[str, str], list[pd.DataFrame]] = {}
    parts = []
    for (recipe, sentences, one), predictions in answers.items():
        groups.setdefault((recipe, sentences), []).append(predictions)
        parts.append(_scored(predictions, tasks, draws, seed, recipe, sentences, str(one)))
    for (recipe, sentences), several in groups.items():
        stacked = pd.concat(several)
        parts.append(_scored(stacked, tasks, draws, seed, recipe, sentences, TOGETHER))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def _scored(
    predictions: pd.DataFrame,
    tasks: Tasks,
    draws: int,
    seed: int,
    recipe: str,
    sentences: str,
    number: str,
) -> pd.DataFrame:
    scores = evaluation.score(predictions, tasks, draws=draws, seed=seed)
    return scores.assign(recipe=recipe, sentences=sentences, seed=number)[COLUMNS]


def means(table: pd.DataFrame) -> pd.DataFrame:
    """Mean UAR over tasks: of all seeds together, and the lowest and highest of a seed.

    Args:
        table: of `compare`

    Returns:
        `recipe, sentences, mean, lowest seed, highest seed`
    """
    by = ["recipe", "sentences"]
    each = table.groupby([*by, "seed"], sort=False)["uar"].mean().reset_index()
    single = each[each["seed"] != TOGETHER].groupby(by, sort=False)["uar"]
    whole = each[each["seed"] == TOGETHER].set_index(by)["uar"]
    found = pd.DataFrame({"mean": whole, "lowest seed": single.min(), "highest seed": single.max()})
    return found.reset_index()
