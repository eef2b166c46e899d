"""How sure is it? Intervals, paired differences, wordings, and calibration.

Tables are those of `evidence`: intervals and differences of `evidence.paired`, recalls of
`evidence.recalls`, wordings of `evidence.asking`, calibration of `evidence.treatments`. UAR, recall
and probabilities lie in 0 to 1; bars are 95 % intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from paraclap.figures import ablation, style

MEAN = "mean"
REAL, UNSURE = style.BLUE, "#b0b0b0"
MARKS = "osD^vPX*"
NOTHING = "No task is answered by two systems: there is nothing to compare."
KINDS = {"template": style.BLUE, "unseen": style.ORANGE}
NAMES = {"template": "words of the task", "unseen": "unseen synonyms"}


def systems(intervals: pd.DataFrame, chances: Mapping[str, float]) -> style.Picture:
    """UAR of every system on every task with its interval; the unit where it is not the speaker.

    Args:
        intervals: `task, system, unit, uar, uar_low, uar_high`
        chances: task → chance; the row of the mean is left out
    """
    style.need(intervals, ["task", "system", "unit", "uar", "uar_low", "uar_high"])
    own = intervals[intervals["task"] != MEAN]
    names = [_row(one["task"], one["unit"]) for one in own.to_dict("records")]
    chance = own["task"].map(dict(chances))
    table = own.assign(variant=own["system"], kind="task", task=names, chance=chance)
    return ablation.by_variant(table)


def forest(compared: pd.DataFrame, task: str = MEAN) -> style.Picture:
    """Paired differences of all pairs of systems on one task, or on the mean over tasks.

    Args:
        compared: `task, system, other, difference, low, high, real`
        task: which
    """
    if compared.empty:
        return style.note(NOTHING)
    style.need(compared, ["task", "system", "other", "difference", "low", "high", "real"])
    own = compared[compared["task"] == task].reset_index(drop=True)
    style.need(own)
    fig, axes = style.figure(height=1.1 + 0.32 * len(own))
    ax = axes[0, 0]
    for real, colour, label in ((True, REAL, "real"), (False, UNSURE, "not told apart")):
        rows = own.index[own["real"] == real].to_numpy()
        _bars(ax, own.loc[rows], rows, ("difference", "low", "high"), colour, label)
    style.chance(ax, 0.0, "no difference", upright=True)
    ax.set_yticks(np.arange(len(own)), [_pair(row) for row in own.to_dict("records")])
    ax.invert_yaxis()
    ax.set(xlabel="difference of UAR")
    style.legend_outside(ax)
    return fig


def matrix(compared: pd.DataFrame) -> style.Picture:
    """Paired differences of all pairs (rows) on all tasks (columns), in hundredths of UAR.

    A dot marks the real ones.

    Args:
        compared: `task, system, other, difference, real`
    """
    if compared.empty:
        return style.note(NOTHING)
    style.need(compared, ["task", "system", "other", "difference", "real"])
    named = compared.assign(pair=[_pair(row) for row in compared.to_dict("records")])
    tasks, pairs = list(dict.fromkeys(named["task"])), list(dict.fromkeys(named["pair"]))
    wide = 100 * named.pivot(index="pair", columns="task", values="difference").loc[pairs, tasks]
    real = named.pivot(index="pair", columns="task", values="real").loc[pairs, tasks]
    words = wide.map("{:+.0f}".format).where(wide.notna(), "")
    words = words + real.map(lambda one: " •" if one is True else "")
    fig, axes = style.figure(height=1.7 + 0.3 * len(pairs))
    limit = float(np.nanmax(np.abs(wide.to_numpy(float)))) or 1.0
    look: dict[str, Any] = {"cmap": "RdBu", "vmin": -limit, "vmax": limit, "fmt": ""}
    look |= {"annot_kws": {"size": 8}, "cbar_kws": {"label": "hundredths of UAR"}}
    sns.heatmap(wide.astype(float), annot=words, ax=axes[0, 0], **look)
    axes[0, 0].set(xlabel="", ylabel="")
    axes[0, 0].tick_params(axis="x", rotation=60)
    axes[0, 0].tick_params(axis="y", rotation=0)
    return fig


def class_recalls(recalls: pd.DataFrame) -> style.Picture:
    """Recall of each class with its interval, one panel a task.

    Args:
        recalls: `task, label, method, recall, recall_low, recall_high` of one system
    """
    style.need(recalls, ["task", "label", "method", "recall", "recall_low", "recall_high"])
    tasks = list(dict.fromkeys(recalls["task"]))
    columns = min(3, len(tasks))
    lines = -(-len(tasks) // columns)
    fig, axes = style.figure(lines, columns, height=0.3 + 2.1 * lines, sharex=True)
    for ax, task in zip(axes.flat, tasks, strict=False):
        own = recalls[recalls["task"] == task].set_index("label")
        own = own.loc[style.ordered(own.index)].reset_index()
        _recall_panel(ax, own)
        ax.set_title(task)
    for ax in axes.flat[len(tasks) :]:
        ax.set_axis_off()
    for ax in axes[-1]:
        ax.set_xlabel("recall")
    return fig


def _recall_panel(ax: Axes, own: pd.DataFrame) -> None:
    names = ("recall", "recall_low", "recall_high")
    for method, colour in (("bootstrap", style.BLUE), ("exact", style.PURPLE)):
        rows = own.index[own["method"] == method].to_numpy()
        _bars(ax, own.loc[rows], rows, names, colour, method)
    style.chance(ax, 1 / len(own), upright=True)
    ax.set_yticks(np.arange(len(own)), own["label"], fontsize=8)
    ax.set(xlim=(-0.03, 1.03), ylim=(len(own) - 0.5, -0.5))


def spread(wordings: pd.DataFrame, together: pd.DataFrame) -> style.Picture:
    """UAR of every task in each wording, and of the wordings together.

    Args:
        wordings: `task, kind, chance, uar`, a row a wording
        together: `task, system, uar`, a row an ensemble of the task's templates
    """
    style.need(wordings, ["task", "kind", "chance", "uar"])
    tasks = list(dict.fromkeys(wordings["task"]))
    rows = {task: row for row, task in enumerate(tasks)}
    fig, axes = style.figure(height=1.4 + 0.5 * len(tasks))
    ax = axes[0, 0]
    for kind, shift in (("template", -0.14), ("unseen", 0.14)):
        own = wordings[wordings["kind"] == kind]
        place = np.array([rows[task] for task in own["task"]], float) + shift
        look: dict[str, Any] = {"color": KINDS[kind], "alpha": 0.55, "s": 26, "lw": 0}
        ax.scatter(own["uar"], place, label=NAMES[kind], **look)
    for turn, (name, own) in enumerate(together.groupby("system", sort=False)):
        own = own[own["task"].isin(tasks)]
        look = {"marker": "DX*"[turn % 3], "color": "black", "s": 22, "label": str(name)}
        place = np.array([rows[task] for task in own["task"]], float) - 0.24 - 0.09 * turn
        ax.scatter(own["uar"], place, zorder=3, **look)
    chances = wordings.drop_duplicates("task")["chance"]
    ax.vlines(chances, *_around(len(tasks)), color="#444444", ls="--", label="chance")
    ax.set_yticks(np.arange(len(tasks)), tasks)
    ax.invert_yaxis()
    ax.set(xlabel="UAR", xlim=(0, 1))
    style.legend_outside(ax)
    return fig


def reliability(tables: Mapping[str, Mapping[str, pd.DataFrame]]) -> style.Picture:
    """Share of right answers by confidence, before and after a temperature, one panel a binning.

    Args:
        tables: title of the panel → name of the curve → `confidence, right, n`
    """
    if not tables:
        raise ValueError("Nothing to draw: no reliability table, expected at least one.")
    fig, axes = style.figure(1, len(tables), height=3.3, sharey=True)
    for ax, (title, curves) in zip(axes[0], tables.items(), strict=True):
        ax.plot([0, 1], [0, 1], color="#444444", ls="--", label="as sure as right")
        for colour, marker, (name, table) in zip(
            (style.ORANGE, style.BLUE, style.GREEN), "os^", curves.items(), strict=False
        ):
            style.need(table, ["confidence", "right", "n"])
            ax.plot(table["confidence"], table["right"], color=colour, label=name)
            size = 12 + 120 * table["n"] / table["n"].sum()
            ax.scatter(table["confidence"], table["right"], s=size, color=colour, marker=marker)
        ax.set(title=title, xlabel="probability of the answer", xlim=(0, 1), ylim=(0, 1))
    axes[0, 0].set_ylabel("share right")
    axes[0, 0].legend()
    return fig


def treatments(table: pd.DataFrame, chosen: Sequence[str]) -> style.Picture:
    """UAR of every task under some treatments, with intervals; full marks where the gain is real.

    Args:
        table: `task, treatment, transductive, uar, uar_low, uar_high, real`
        chosen: treatments to show, in this order
    """
    style.need(table, ["task", "treatment", "transductive", "uar", "uar_low", "uar_high", "real"])
    tasks = list(dict.fromkeys(table["task"]))
    fig, axes = style.figure(height=1.3 + 0.5 * len(tasks))
    ax = axes[0, 0]
    colours = (style.GREY, style.PURPLE, style.GREEN, style.ORANGE)
    for turn, (name, colour) in enumerate(zip(chosen, colours, strict=False)):
        own = table[table["treatment"] == name].set_index("task").loc[tasks].reset_index()
        places = np.arange(len(tasks)) + (turn - (len(chosen) - 1) / 2) * 0.2
        label = f"{name} (transductive)" if own["transductive"].any() else name
        _bars(ax, own, places, ("uar", "uar_low", "uar_high"), colour, label, MARKS[turn])
        real = own["real"].fillna(False).to_numpy(bool)
        ax.scatter(own["uar"][real], places[real], s=110, facecolors="none", edgecolors="black")
    ax.scatter([], [], s=110, facecolors="none", edgecolors="black", label="real change")
    ax.set_yticks(np.arange(len(tasks)), tasks)
    ax.invert_yaxis()
    ax.set(xlabel="UAR", xlim=(0, 1))
    style.legend_outside(ax)
    return fig


def _bars(
    ax: Axes,
    table: pd.DataFrame,
    places: np.ndarray[Any, Any],
    names: Sequence[str],
    colour: str,
    label: str,
    marker: str = "o",
) -> None:
    """Points with intervals along the horizontal axis; nothing for an empty table."""
    if table.empty:
        return
    value, low, high = (table[name].to_numpy(float) for name in names)
    reach = np.clip(np.stack([value - low, high - value]), 0, None)
    look: dict[str, Any] = {"fmt": marker, "color": colour, "ms": 5, "capsize": 3, "label": label}
    ax.errorbar(value, places, xerr=reach, **look)


def _row(task: str, unit: str) -> str:
    return task if unit == "speakers" else f"{task}\n({unit})"


def _pair(row: Mapping[Any, Any]) -> str:
    return f"{ablation.name(row['system'])} minus {ablation.name(row['other'])}"


def _around(count: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rows = np.arange(count)
    return rows - 0.42, rows + 0.42
