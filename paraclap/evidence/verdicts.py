"""What may be said of a comparison? Its result in sentences, and what has to be known to read it.

A difference that is not real is not said to be none: the sentence gives the interval, and with it
how large a difference may still be hidden. Tables are those of `paired`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from paraclap.evidence.paired import ALPHA, MEAN, Redrawn


def headline(compared: pd.DataFrame) -> str:
    """What to look at first: the mean over tasks, or the only task.

    Args:
        compared: as `differences` gives it
    """
    tasks = list(compared["task"])
    return MEAN if MEAN in tasks or not tasks else str(tasks[0])


def told_apart(
    compared: pd.DataFrame, task: str = MEAN, called: Callable[[str], str] = str
) -> list[str]:
    """Say of each pair of systems whether they can be told apart, one sentence each.

    Args:
        compared: as `differences` gives it
        task: on which task, or the mean
        called: how a system is called in the sentences
    """
    return [
        _sentence(row, called(row["system"]), called(row["other"]))
        for row in compared[compared["task"] == task].to_dict("records")
    ]


def _sentence(row: Mapping[Any, Any], one: str, two: str) -> str:
    gap, low, high = row["difference"], row["low"], row["high"]
    p = f"corrected p {row['p_holm']:.3f}"
    if not row["real"]:
        return f"{one} and {two} cannot be told apart: {gap:+.3f} ({low:+.3f} to {high:+.3f}), {p}."
    if gap < 0:
        one, two, gap, low, high = two, one, -gap, -high, -low
    return f"{one} is better than {two} by {gap:.3f} ({low:.3f} to {high:.3f}), {p}."


def remarks(scored: Redrawn, compared: pd.DataFrame, alpha: float = ALPHA) -> list[str]:
    """What a reader of the comparisons has to know, one sentence each.

    Args:
        scored: systems on the same draws
        compared: as `differences` gives it
        alpha: the level
    """
    units = list(zip(scored.tasks, scored.units, scored.sizes, strict=True))
    said = [
        f"{unit[0].upper()}{unit[1:]} are drawn in "
        + ", ".join(f"{task} ({n})" for task, own, n in units if own == unit)
        + "."
        for unit in dict.fromkeys(scored.units)
    ]
    if compared.empty:
        names = ", ".join(scored.systems)
        return [*said, f"No task is answered by two of the systems ({names}): nothing to compare."]
    draws, most = len(scored.drawn), int(compared["task"].value_counts().max())
    if most / (draws + 1) > alpha:
        said.append(
            f"{draws} draws are too few for {most} comparisons: no corrected p can fall below "
            f"{most / (draws + 1):.3f}; take {math.ceil(most / alpha)} or more."
        )
    return said
