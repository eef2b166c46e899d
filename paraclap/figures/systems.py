"""How do other systems stand beside ParaCLAP? One row a task, one mark a system.

Tables are those of `systems`: `system, task, chance, uar, uar_low, uar_high`. UAR lies in 0 to 1;
intervals are 95 % bootstrap intervals.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from paraclap.figures import style

COLUMNS = ["system", "task", "chance", "uar", "uar_low", "uar_high"]
# What has seen labelled voices of the task has a diamond, what guesses a cross.
TRAINED = {"logistic regression": ("D", style.ORANGE), "majority vote": ("x", style.GREY)}
FREE = (style.BLUE, style.GREEN, style.RED, style.PURPLE, style.BROWN, style.PINK, style.SKY)
QUOTED = {"clap": "CLAP", "pengi": "Pengi", "rand5": "ParaCLAP, rand = 5"}


def system_scores(table: pd.DataFrame) -> style.Picture:
    """UAR of every system on every task, with intervals and chance.

    Args:
        table: of `systems.beside`; a row without an interval gets a mark alone
    """
    style.need(table, COLUMNS)
    names, tasks = list(table["system"].unique()), list(table["task"].unique())
    fig, axes = style.figure(height=1.2 + len(tasks) * (0.2 + 0.13 * len(names)))
    ax = axes[0, 0]
    looks = _looks(names)
    for place, name in enumerate(names):
        own = table[table["system"] == name].set_index("task").reindex(tasks)
        rows = np.arange(len(tasks)) + 0.7 * ((place + 0.5) / len(names) - 0.5)
        _marks(ax, own, rows, name, *looks[name])
    _frame(ax, table.groupby("task", sort=False)["chance"].first())
    return fig


def quoted_scores(table: pd.DataFrame) -> style.Picture:
    """UAR that the paper reports on the real corpora; it gives no intervals.

    Args:
        table: of `quoted.paper_scores`
    """
    style.need(table, ["corpus", "classes", *QUOTED])
    fig, axes = style.figure(height=1.2 + 0.42 * len(table))
    ax = axes[0, 0]
    looks = dict(zip(QUOTED, ("s", "^", "o"), strict=True))
    colours = dict(zip(QUOTED, (style.GREEN, style.PURPLE, style.BLUE), strict=True))
    for name, label in QUOTED.items():
        values, rows = table[name], np.arange(len(table))
        ax.plot(values, rows, looks[name], color=colours[name], ms=6, label=label)
    _frame(ax, 1 / table.set_index("corpus")["classes"])
    return fig


def _looks(names: list[str]) -> dict[str, tuple[str, str]]:
    """Marker and colour of each system."""
    free = [name for name in names if name not in TRAINED]
    given = {name: ("o", FREE[place % len(FREE)]) for place, name in enumerate(free)}
    return TRAINED | given


def _marks(
    ax: Axes, own: pd.DataFrame, rows: np.ndarray[Any, Any], label: str, marker: str, colour: str
) -> None:
    """Marks of one system, with intervals where there are some."""
    values = own[["uar", "uar_low", "uar_high"]].to_numpy(float)
    reach = np.stack([values[:, 0] - values[:, 1], values[:, 2] - values[:, 0]])
    look: dict[str, Any] = {"fmt": marker, "color": colour, "ms": 5, "capsize": 2, "label": label}
    ax.errorbar(values[:, 0], rows, xerr=np.nan_to_num(reach).clip(0), **look)


def _frame(ax: Axes, chance: pd.Series) -> None:
    """Chance of each task, its name and number of classes."""
    rows = np.arange(len(chance))
    mark: dict[str, Any] = {"marker": "|", "ms": 22, "mew": 2, "linestyle": "none"}
    ax.plot(chance, rows, color="#444444", label="chance", **mark)
    counts = (1 / chance).round().astype(int)
    ax.set_yticks(rows, [f"{task} ({n})" for task, n in counts.items()])
    ax.invert_yaxis()
    ax.set(xlabel="UAR", ylabel="task (classes)", xlim=(0, 1))
    style.legend_outside(ax)
