"""How do answers look that are no classes? Retrieval, probes, numbers, and composed queries.

Tables are those of `evidence.retrieval`, `probe`, `dimensions` and `composed`. Intervals are 95 %
intervals over speakers, or over utterances where the speakers are too few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from paraclap.figures import style

MEASURES = ("R@1", "R@5", "R@10", "mAP")
SYSTEMS = (style.BLUE, style.ORANGE, style.GREEN, style.PURPLE, style.BROWN)
MARKS = ("o", "D", "s", "^", "v")
_TICK: dict[str, Any] = {"color": "#444444", "linestyle": "none", "marker": "|", "ms": 16, "mew": 2}


def retrieval(table: pd.DataFrame) -> style.Picture:
    """R@k and mAP in both directions, with intervals and the level of a random order.

    Args:
        table: `direction, measure, value, low, high, chance`
    """
    style.need(table, ["direction", "measure", "value", "low", "high", "chance"])
    directions = list(dict.fromkeys(table["direction"]))
    fig, axes = style.figure(1, len(directions), height=2.8, sharey=True)
    for ax, direction in zip(axes.flat, directions, strict=True):
        own = table[(table["direction"] == direction) & table["measure"].isin(MEASURES)]
        places = np.arange(len(own))
        _points(ax, own, places, ("value", "low", "high"), style.BLUE, "model")
        ax.plot(own["chance"], places, label="chance", **_TICK)
        ax.set_yticks(places, own["measure"].tolist())
        ax.set(title=direction, xlim=(0, 1.02), xlabel="share")
    axes[0, 0].invert_yaxis()
    style.legend_outside(axes[0, -1])
    return fig


def by_query(table: pd.DataFrame) -> style.Picture:
    """How far the average precision of each query lies above chance, by attribute.

    Args:
        table: `attribute, query, precision, chance`
    """
    style.need(table, ["attribute", "precision", "chance"])
    gain = (table["precision"] - table["chance"]).groupby(table["attribute"])
    order = gain.mean().sort_values(ascending=False).index.tolist()
    fig, axes = style.figure(height=1.0 + 0.32 * len(order))
    ax = axes[0, 0]
    for place, attribute in enumerate(order):
        own = gain.get_group(attribute)
        look: dict[str, Any] = {"linestyle": "none", "marker": "o", "ms": 5, "alpha": 0.55}
        ax.plot(own, np.full(len(own), place), color=style.BLUE, **look)
        ax.plot([own.mean()], [place], color=style.ORANGE, marker="|", ms=16, mew=2.5)
    style.chance(ax, 0, upright=True)
    ax.set_yticks(np.arange(len(order)), order)
    ax.invert_yaxis()
    ax.set(xlabel="average precision above that of a random order", ylabel="attribute")
    return fig


def probes(table: pd.DataFrame, scores: pd.DataFrame) -> style.Picture:
    """UAR by labelled voices a class, beside zero-shot and chance, one panel a task.

    Args:
        table: `task, system, k, uar, spread, chance`
        scores: `task, uar, uar_low, uar_high` of zero-shot
    """
    if table.empty:
        return style.note("No task here has voices of other speakers to learn from.")
    style.need(table, ["task", "system", "k", "uar", "spread", "chance"])
    tasks = list(dict.fromkeys(table["task"]))
    columns = min(3, len(tasks))
    lines = -(-len(tasks) // columns)
    look = {"sharex": True, "sharey": True}
    fig, axes = style.figure(lines, columns, height=0.8 + 2.0 * lines, **look)
    for ax, task in zip(axes.flat, tasks, strict=False):
        _probe(ax, table[table["task"] == task], scores[scores["task"] == task])
        ax.set(title=task)
    for ax in axes.flat[len(tasks) :]:
        ax.set_axis_off()
    for ax in axes[:, 0]:
        ax.set(ylabel="UAR", ylim=(0, 1))
    for ax in axes[-1]:
        ax.set(xlabel="voices a class")
    style.legend_outside(axes[0, -1])
    return fig


def _probe(ax: Axes, own: pd.DataFrame, scores: pd.DataFrame) -> None:
    for place, (system, rows) in enumerate(own.groupby("system", sort=False)):
        look: dict[str, Any] = {"capsize": 2, "ms": 4, "linewidth": 1.3}
        reach = rows["spread"].fillna(0)
        turn = (place + 1) % len(SYSTEMS)
        colour, mark = SYSTEMS[turn], MARKS[turn]
        label = f"probe, {system}"
        ax.errorbar(rows["k"], rows["uar"], reach, color=colour, marker=mark, label=label, **look)
    for row in scores.to_dict("records"):
        ax.axhspan(row["uar_low"], row["uar_high"], color=style.BLUE, alpha=0.15, linewidth=0)
        ax.axhline(row["uar"], color=style.BLUE, linewidth=1.5, label="zero-shot")
    style.chance(ax, own["chance"].iloc[0])
    counts = sorted(own["k"].unique())
    ax.set_xscale("log", base=2)
    ax.set_xticks(counts, [str(count) for count in counts])


def control(scores: Mapping[str, pd.DataFrame]) -> style.Picture:
    """UAR of every task by models trained on true and on shuffled queries, beside chance.

    Args:
        scores: name → `task, chance, uar, uar_low, uar_high`, in the same order
    """
    first = next(iter(scores.values()))
    style.need(first, ["task", "chance", "uar", "uar_low", "uar_high"])
    fig, axes = style.figure(height=1.0 + 0.42 * len(first))
    ax = axes[0, 0]
    rows = np.arange(len(first))
    for place, (name, table) in enumerate(scores.items()):
        names = ("uar", "uar_low", "uar_high")
        turn = place % len(SYSTEMS)
        _points(ax, table, rows + 0.22 * place, names, SYSTEMS[turn], name, MARKS[turn])
    ax.plot(first["chance"], rows, label="chance", **_TICK)
    ax.set_yticks(rows, first["task"].tolist())
    ax.invert_yaxis()
    ax.set(xlabel="UAR", ylabel="task", xlim=(0, 1))
    style.legend_outside(ax)
    return fig


def dimensions(table: pd.DataFrame) -> style.Picture:
    """Rank correlation of every attribute with what was rated or measured, by corpus.

    Args:
        table: `corpus, attribute, spearman, spearman_low, spearman_high`
    """
    style.need(table, ["corpus", "attribute", "spearman", "spearman_low", "spearman_high"])
    order = list(dict.fromkeys(table["attribute"]))
    fig, axes = style.figure(height=1.0 + 0.42 * len(order))
    ax = axes[0, 0]
    for place, (corpus, own) in enumerate(table.groupby("corpus", sort=False)):
        rows = np.array([order.index(name) for name in own["attribute"]]) + 0.2 * place
        names = ("spearman", "spearman_low", "spearman_high")
        turn = place % len(SYSTEMS)
        _points(ax, own, rows, names, SYSTEMS[turn], str(corpus), MARKS[turn])
    style.chance(ax, 0, upright=True)
    ax.set_yticks(np.arange(len(order)), order)
    ax.invert_yaxis()
    ax.set(xlabel="Spearman correlation of the score", ylabel="attribute")
    style.legend_outside(ax)
    return fig


def scattered(scores: pd.DataFrame, truth: pd.DataFrame, names: Sequence[str]) -> style.Picture:
    """Score of each voice against its rating or measure, a panel an attribute.

    Args:
        scores: a column an attribute
        truth: likewise, in the same order
        names: which attributes; those without a value are left out
    """
    shown = [name for name in names if name in truth and truth[name].notna().any()]
    if not shown:
        return style.note(f"No voice here has a value of {', '.join(names) or 'any attribute'}.")
    fig, axes = style.figure(1, len(shown), height=2.9)
    look: dict[str, Any] = {"linestyle": "none", "marker": "o", "ms": 2.5, "alpha": 0.4}
    for ax, name in zip(axes.flat, shown, strict=True):
        ax.plot(truth[name], scores[name], color=style.BLUE, **look)
        style.chance(ax, 0, "as near to high as to low", color="#888888")
        ax.set(xlabel=f"{name}, as rated", title=name)
    axes[0, 0].set(ylabel="score: high minus low")
    return fig


def composed(table: pd.DataFrame) -> style.Picture:
    """Mean AUC of every way to ask for two things, against all voices and the half true ones.

    Args:
        table: `way, measure, value, low, high`
    """
    if table.empty:
        return style.note("Too few voices here have an emotion and a level at once.")
    style.need(table, ["way", "measure", "value", "low", "high"])
    measures = list(dict.fromkeys(table["measure"]))
    fig, axes = style.figure(1, len(measures), height=2.9, sharey=True, sharex=True)
    for ax, measure in zip(axes.flat, measures, strict=True):
        own = table[table["measure"] == measure]
        _points(ax, own, np.arange(len(own)), ("value", "low", "high"), style.BLUE, "mean AUC")
        style.chance(ax, 0.5, upright=True)
        ax.set_yticks(np.arange(len(own)), own["way"].tolist())
        ax.set(title=measure, xlabel="AUC of the true voices")
    axes[0, 0].invert_yaxis()
    style.legend_outside(axes[0, -1])
    return fig


def within(table: pd.DataFrame, label: str, chance: float) -> style.Picture:
    """What remains of each answer within groups, beside its value over all voices.

    Args:
        table: `asked, within, overall, inside` and their `_low`, `_high`
        label: what the value is, for the axis
        chance: the value of guessing
    """
    style.need(table, ["asked", "within", "overall", "inside", "inside_low", "inside_high"])
    asked = list(dict.fromkeys(table["asked"]))
    fig, axes = style.figure(height=1.0 + 0.45 * len(asked))
    ax = axes[0, 0]
    whole = table.drop_duplicates("asked")
    names = ("overall", "overall_low", "overall_high")
    _points(ax, whole, np.arange(len(whole)), names, "#777777", "over all voices")
    for place, (group, own) in enumerate(table.groupby("within", sort=False)):
        rows = np.array([asked.index(name) for name in own["asked"]]) + 0.22 * (place + 1)
        names = ("inside", "inside_low", "inside_high")
        turn = place % len(SYSTEMS)
        _points(ax, own, rows, names, SYSTEMS[turn], f"within each {group}", MARKS[turn])
    style.chance(ax, chance, upright=True)
    ax.set_yticks(np.arange(len(asked)), asked)
    ax.invert_yaxis()
    ax.set(xlabel=label)
    style.legend_outside(ax)
    return fig


def _points(
    ax: Axes,
    table: pd.DataFrame,
    places: np.ndarray,
    names: Sequence[str],
    colour: str,
    label: str,
    marker: str = "o",
) -> None:
    """Points with intervals along the horizontal axis; missing ones are left out."""
    value, low, high = (table[name].to_numpy(float) for name in names)
    known = np.isfinite(value)
    reach = np.nan_to_num(np.clip(np.stack([value - low, high - value])[:, known], 0, None))
    look: dict[str, Any] = {"fmt": marker, "color": colour, "ms": 5.5, "capsize": 3}
    ax.errorbar(value[known], places[known], xerr=reach, label=label, **look)
