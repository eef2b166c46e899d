"""All runs at a glance, and what is not zero-shot, in figures.

Tables come from `results` (one row a score of a run) and from `exposure` (one row a task). Kinds of
speech are never drawn into the same axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from paraclap.exposure import CORPUS, NOTHING, OCCASIONS, SHARES, UNKNOWN, WORDS
from paraclap.figures import style

_COLUMNS = ["run", "task", "speech", "chance", "value", "low", "high"]
_VERDICT = {
    CORPUS: "not zero-shot",
    WORDS: "zero-shot, words known",
    NOTHING: "zero-shot, words new",
    UNKNOWN: "not known",
}
_PEOPLE = {"recorded": "recorded speech"}


def runs(table: pd.DataFrame) -> style.Picture:
    """UAR of every task and run with its interval: an axes a kind of speech, a colour a run.

    Args:
        table: `run, task, speech, chance, value, low, high`, a row a score
    """
    style.need(table, _COLUMNS)
    kinds = list(dict.fromkeys(table["speech"]))
    names = list(dict.fromkeys(table["run"]))
    counts = [table.loc[table["speech"] == kind, "task"].nunique() for kind in kinds]
    step = max(0.4, 0.16 * len(names))
    fig, axes = style.figure(
        len(kinds), 1, height=1.2 + step * sum(counts), sharex=True, height_ratios=counts
    )
    for ax, kind in zip(axes[:, 0], kinds, strict=True):
        _runs(ax, table[table["speech"] == kind], style.colours(names, {}))
        ax.set_title(_PEOPLE.get(kind, f"{kind} speech: no result about people"))
        style.legend_outside(ax, "run")
    axes[-1, 0].set(xlabel="UAR", xlim=(0, 1))
    return fig


def _runs(ax: Axes, table: pd.DataFrame, colours: Mapping[str, str]) -> None:
    """Scores on one kind of speech; runs stand below each other at the place of a task."""
    tasks = list(dict.fromkeys(table["task"]))
    places = np.arange(len(tasks))
    names = list(dict.fromkeys(table["run"]))
    for turn, name in enumerate(names):
        own = table[table["run"] == name].set_index("task").reindex(tasks)
        value = own["value"].to_numpy(float)
        reach = np.abs(np.stack([own["low"], own["high"]]) - value)
        look: dict[str, Any] = {"fmt": "o", "ms": 5, "capsize": 2, "color": colours[name]}
        shift = 0.7 * ((turn + 0.5) / len(names) - 0.5)
        ax.errorbar(value, places + shift, xerr=reach, label=name, **look)
    chance = table.drop_duplicates("task").set_index("task")["chance"].reindex(tasks)
    dash: dict[str, Any] = {"color": "#444444", "ls": "none", "marker": "|", "ms": 16, "mew": 2}
    ax.plot(chance, places, label="chance", **dash)
    ax.set_yticks(places, tasks)
    ax.invert_yaxis()


def exposure(matrix: pd.DataFrame) -> style.Picture:
    """What had been met of every task, and whether asking it is zero-shot.

    Args:
        matrix: `task, met`, and a column for each of `exposure.OCCASIONS`, 0 to 1; "?" is shown
            where a share is missing
    """
    if matrix.empty:
        return style.note("Another model than that of this run was asked: what it met is unknown.")
    style.need(matrix, ["task", "met", *OCCASIONS])
    shares = matrix.set_index("task")[list(OCCASIONS)].astype(float)
    told = shares.apply(lambda column: column.map(lambda share: _told(share, str(column.name))))
    fig, axes = style.figure(height=1.5 + 0.34 * len(shares))
    ax = axes[0, 0]
    look: dict[str, Any] = {"cmap": "Oranges", "vmin": 0, "vmax": 1.3, "cbar": False}
    sns.heatmap(shares.fillna(0), annot=told.to_numpy(), fmt="", linewidths=1, ax=ax, **look)
    for row, met in enumerate(matrix["met"]):
        ax.text(len(OCCASIONS) + 0.1, row + 0.5, _VERDICT[met], va="center", fontsize=9)
    ax.set(xlabel="met before the question is asked", ylabel="task")
    ax.tick_params(axis="x", rotation=30)
    ax.tick_params(axis="y", rotation=0)
    return fig


def _told(share: float, occasion: str) -> str:
    """A share in words: yes or no, or per cent."""
    if pd.isna(share) or share == 0:
        return "?" if pd.isna(share) else "-"
    return f"{100 * share:.0f} %" if occasion in SHARES else "yes"
