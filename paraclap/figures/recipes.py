"""What differs between the paper and its code, in figures.

Tables come from `variety` (sentences and texts) and from a comparison of recipes: one row per
`recipe, sentences, seed, task`, with `chance, uar, uar_low, uar_high`, and the seed "all" for the
answers of all seeds together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from paraclap.figures import style

Cell = tuple[str, str]
_COLUMNS = ["recipe", "sentences", "seed", "task", "chance", "uar", "uar_low", "uar_high"]


def falsehoods(tables: Mapping[str, pd.DataFrame]) -> style.Picture:
    """Of how many voices each sentence is false, a row of bars a set of sentences.

    Args:
        tables: template set → one column of bool a sentence, as `variety.falsehoods`
    """
    shares = {name: 100 * table.mean() for name, table in tables.items() if len(table.columns)}
    if not shares:
        return style.note("No sentence of these sets is false of any voice.")
    heights = [len(share) for share in shares.values()]
    size = 0.9 * len(shares) + 0.19 * sum(heights)
    fig, axes = style.figure(len(shares), 1, height=size, sharex=True, height_ratios=heights)
    for ax, (name, share) in zip(axes[:, 0], shares.items(), strict=True):
        ax.barh(range(len(share)), share, color=style.ORANGE)
        ax.set_yticks(range(len(share)), share.index)
        ax.invert_yaxis()
        ax.set_title(name)
    axes[-1, 0].set_xlabel("voices of which it is said although false (%)")
    return fig


def text_lengths(table: pd.DataFrame) -> style.Picture:
    """Words of a text by the way of joining queries, a colour a set of sentences.

    Args:
        table: `sentences, join, words`
    """
    style.need(table, ["sentences", "join", "words"])
    fig, axes = style.figure(height=2.8)
    look: dict[str, Any] = {"linewidth": 1, "fliersize": 2}
    sets = list(dict.fromkeys(table["sentences"]))
    sns.boxplot(
        table,
        x="words",
        y="join",
        hue="sentences",
        palette=style.colours(sets, {}),
        ax=axes[0, 0],
        **look,
    )
    axes[0, 0].set(xlabel="words in a text", ylabel="queries joined")
    style.legend_outside(axes[0, 0], "sentences")
    return fig


def curves(tables: Mapping[Cell, pd.DataFrame]) -> style.Picture:
    """Loss and temperature over the course of training, a line a recipe and set of sentences.

    Args:
        tables: (recipe, sentences) → curves of one seed, with `step, loss, temperature`
    """
    if not tables:
        return style.note("No recipe was trained in this run: there are no curves.")
    fig, axes = style.figure(1, 2, height=3.3)
    colours = _colours(tables)
    for cell, table in tables.items():
        style.need(table, ["step", "loss", "temperature"])
        done = 100 * (table["step"] + 1) / len(table)
        look: dict[str, Any] = {"color": colours[cell], "label": ", ".join(cell)}
        axes[0, 0].plot(done, table["loss"], **look)
        axes[0, 1].plot(done, table["temperature"], **look)
    axes[0, 0].set(xlabel="share of the steps (%)", ylabel="loss (nats)", yscale="log")
    axes[0, 1].set(xlabel="share of the steps (%)", ylabel="temperature")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return fig


def answers(table: pd.DataFrame) -> style.Picture:
    """UAR of every task by recipe and set of sentences: all seeds with their interval, and each.

    Args:
        table: of a comparison, see the module
    """
    if table.empty:
        return style.note("No recipe was trained in this run: there are no answers.")
    style.need(table, _COLUMNS)
    tasks = list(dict.fromkeys(table["task"]))
    cells = list(dict.fromkeys(zip(table["recipe"], table["sentences"], strict=True)))
    fig, axes = style.figure(height=1.6 + (0.15 * len(cells) + 0.1) * len(tasks))
    ax = axes[0, 0]
    colours = _colours(cells)
    for turn, cell in enumerate(cells):
        own = table[(table["recipe"] == cell[0]) & (table["sentences"] == cell[1])]
        shift = (turn - (len(cells) - 1) / 2) * 0.18
        _cell(ax, own, tasks, shift, colours[cell], ", ".join(cell))
    rows = np.arange(len(tasks))
    chances = table.drop_duplicates("task").set_index("task")["chance"].reindex(tasks)
    ax.vlines(chances, rows - 0.42, rows + 0.42, color="#444444", ls="--", label="chance")
    ax.set_yticks(rows, tasks)
    ax.invert_yaxis()
    ax.set(xlabel="UAR", ylabel="task", xlim=(0, 1))
    fig.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return fig


def _cell(
    ax: Axes, own: pd.DataFrame, tasks: list[str], shift: float, colour: str, label: str
) -> None:
    """One recipe with one set: a point with its interval a task, small ones for the seeds."""
    place = {task: row + shift for row, task in enumerate(tasks)}
    whole = own[own["seed"] == "all"]
    single = own[own["seed"] != "all"]
    value, low, high = (whole[name].to_numpy(float) for name in _COLUMNS[-3:])
    reach = np.clip(np.stack([value - low, high - value]), 0, None)
    look: dict[str, Any] = {"fmt": "o", "color": colour, "ms": 5, "capsize": 2, "label": label}
    ax.errorbar(value, whole["task"].map(place), xerr=reach, **look)
    ax.plot(single["uar"], single["task"].map(place), "x", color=colour, ms=4, alpha=0.7)


def _colours(cells: Mapping[Cell, Any] | list[Cell]) -> dict[Cell, str]:
    return dict(zip(cells, (style.BLUE, style.SKY, style.ORANGE, style.YELLOW), strict=False))
