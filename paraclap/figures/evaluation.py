"""How do the answers look? Scores with intervals, confusions, attributes, and groups.

Tables are those of `evaluation`: predictions (one row a voice), scores (one row a task), and so
on. UAR and recall lie in 0 to 1; intervals are 95 % bootstrap intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from paraclap.figures import style

INTERVAL = ("uar", "uar_low", "uar_high")


def task_scores(scores: pd.DataFrame, references: pd.DataFrame | None = None) -> style.Picture:
    """UAR of every task with its interval, chance, and the logistic regression beside it.

    Args:
        scores: `task, chance, uar, uar_low, uar_high`
        references: `task, logistic, logistic_low, logistic_high`; missing where there is none
    """
    style.need(scores, ["task", "chance", *INTERVAL])
    fig, axes = style.figure(height=1.2 + 0.42 * len(scores))
    ax = axes[0, 0]
    rows = np.arange(len(scores))
    _points(ax, scores, rows, INTERVAL, style.BLUE, "zero-shot", "o")
    if references is not None and references["logistic"].notna().any():
        beside = references.set_index("task").reindex(scores["task"]).reset_index()
        names = ("logistic", "logistic_low", "logistic_high")
        _points(ax, beside, rows + 0.25, names, style.ORANGE, "logistic regression, trained", "D")
    dash: dict[str, Any] = {
        "color": "#444444",
        "linestyle": "none",
        "marker": "|",
        "ms": 18,
        "mew": 2,
    }
    ax.plot(scores["chance"], rows, label="chance", **dash)
    ax.set_yticks(rows, [f"{task} ({n})" for task, n in _classes(scores)])
    ax.invert_yaxis()
    ax.set(xlabel="UAR", ylabel="task (classes)", xlim=(0, 1))
    style.legend_outside(ax)
    return fig


def _classes(scores: pd.DataFrame) -> list[tuple[str, int]]:
    counts = (1 / scores["chance"]).round().astype(int)
    return list(zip(scores["task"], counts, strict=True))


def _points(
    ax: Axes,
    table: pd.DataFrame,
    places: np.ndarray,
    names: Sequence[str],
    colour: str,
    label: str,
    marker: str,
) -> None:
    """Points with intervals along the horizontal axis; missing ones are left out."""
    value, low, high = (table[name].to_numpy(float) for name in names)
    known = np.isfinite(value)
    reach = np.clip(np.stack([value - low, high - value])[:, known], 0, None)
    look: dict[str, Any] = {"fmt": marker, "color": colour, "ms": 6, "capsize": 3, "label": label}
    ax.errorbar(value[known], places[known], xerr=reach, **look)


def confusions(
    predictions: pd.DataFrame, tasks: Mapping[str, Sequence[str]], titles: Sequence[str] = ()
) -> style.Picture:
    """How often each class was answered by each, as shares of the true class.

    Args:
        predictions: `corpus, truth, prediction`
        tasks: task → its classes
        titles: one a task, instead of its name
    """
    style.need(predictions, ["corpus", "truth", "prediction"])
    columns = min(2, len(tasks))
    lines = -(-len(tasks) // columns)
    fig, axes = style.figure(lines, columns, height=0.4 + 3.3 * lines)
    names = titles or list(tasks)
    for ax, title, (task, labels) in zip(axes.flat, names, tasks.items(), strict=False):
        own = predictions[predictions["corpus"] == task]
        confusion(ax, own, labels, title)
    for ax in axes.flat[len(tasks) :]:
        ax.set_axis_off()
    return fig


def confusion(ax: Axes, own: pd.DataFrame, labels: Sequence[str], title: str) -> None:
    """Draw one confusion matrix, rows adding up to one.

    Args:
        ax: where
        own: `truth, prediction` of one task
        labels: its classes, in the order of rows and columns
        title: above the matrix
    """
    order = style.ordered(labels)
    counts = pd.crosstab(own["truth"], own["prediction"]).reindex(order, axis=0, fill_value=0)
    counts = counts.reindex(order, axis=1, fill_value=0)
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    size = 9 if len(order) < 6 else 7
    look: dict[str, Any] = {"cmap": "Blues", "vmin": 0, "vmax": 1, "cbar": False, "square": False}
    sns.heatmap(shares, annot=True, fmt=".2f", annot_kws={"size": size}, ax=ax, **look)
    ax.set(title=title, xlabel="prediction", ylabel="truth")
    ax.tick_params(axis="x", rotation=45 if len(order) > 2 else 0)
    ax.tick_params(axis="y", rotation=0)


def class_recalls(recalls: pd.DataFrame, tasks: Mapping[str, Sequence[str]]) -> style.Picture:
    """Recall of each class, one row of bars a task.

    Args:
        recalls: `task, label, recall`
        tasks: task → its classes, for the chance line
    """
    style.need(recalls, ["task", "label", "recall"])
    labels = style.ordered(recalls["label"])
    wide = recalls.pivot(index="task", columns="label", values="recall").reindex(list(tasks))[
        labels
    ]
    fig, axes = style.figure(height=1.4 + 0.4 * len(wide))
    ax = axes[0, 0]
    colours = style.colours(labels)
    marks = dict(zip(labels, "osD^vP*Xh<>pd8" * len(labels), strict=False))
    for label in labels:
        look: dict[str, Any] = {
            "color": colours[label],
            "marker": marks[label],
            "s": 55,
            "alpha": 0.9,
        }
        ax.scatter(wide[label], np.arange(len(wide)), label=label, **look)
    chances = [1 / len(classes) for classes in tasks.values()]
    dash: dict[str, Any] = {
        "color": "#444444",
        "linestyle": "none",
        "marker": "|",
        "ms": 18,
        "mew": 2,
    }
    ax.plot(chances, np.arange(len(wide)), label="chance", **dash)
    ax.set_yticks(np.arange(len(wide)), list(wide.index))
    ax.invert_yaxis()
    ax.set(xlabel="recall of the class", xlim=(-0.03, 1.03))
    style.legend_outside(ax)
    return fig


def attribute_scores(attributes: pd.DataFrame) -> style.Picture:
    """UAR of the two ends of every attribute, with its interval.

    Args:
        attributes: `attribute, uar, uar_low, uar_high`
    """
    if attributes.empty:
        return style.note("No attribute has test voices at both of its ends.")
    style.need(attributes, ["attribute", *INTERVAL])
    fig, axes = style.figure(height=1.2 + 0.32 * len(attributes))
    ax = axes[0, 0]
    value, low, high = (attributes[name].to_numpy(float) for name in INTERVAL)
    reach = np.clip(np.stack([value - low, high - value]), 0, None)
    ax.barh(attributes["attribute"], value, xerr=reach, color=style.SKY, capsize=3)
    style.chance(ax, 0.5, upright=True)
    ax.invert_yaxis()
    ax.set(xlabel="UAR, top against bottom", xlim=(0, 1))
    style.legend_outside(ax)
    return fig


def certainty(predictions: pd.DataFrame, tasks: Mapping[str, Sequence[str]]) -> style.Picture:
    """Is the model as sure as it is right? Margins of right and wrong answers, and calibration.

    Args:
        predictions: `corpus, truth, prediction` and one probability column per class
        tasks: task → its classes
    """
    style.need(predictions, ["corpus", "truth", "prediction"])
    labels = sorted({label for classes in tasks.values() for label in classes})
    given = np.sort(predictions[labels].to_numpy(float, na_value=-1.0), axis=1)
    right = (predictions["truth"] == predictions["prediction"]).to_numpy()
    fig, axes = style.figure(1, 2, height=3.2)
    margin, top = given[:, -1] - given[:, -2], given[:, -1]
    for which, colour, label in ((right, style.GREEN, "right"), (~right, style.RED, "wrong")):
        look: dict[str, Any] = {"color": colour, "alpha": 0.55, "label": label}
        axes[0, 0].hist(margin[which], bins=np.linspace(0, 1, 26), **look)
    axes[0, 0].set(xlabel="probability of first minus second", ylabel="voices")
    axes[0, 0].legend()
    bins = np.clip((top * 10).astype(int), 0, 9)
    table = pd.DataFrame({"top": top, "right": right}).groupby(bins).mean()
    axes[0, 1].plot([0, 1], [0, 1], color="#444444", ls="--", label="as sure as right")
    axes[0, 1].plot(table["top"], table["right"], "o-", color=style.BLUE, label="all tasks")
    axes[0, 1].set(xlabel="probability of the answer", ylabel="share right", xlim=(0, 1))
    axes[0, 1].set(ylim=(0, 1))
    axes[0, 1].legend()
    return fig


def group_scores(groups: pd.DataFrame, tasks: Mapping[str, Sequence[str]]) -> style.Picture:
    """UAR of each task among the voices of each group.

    Args:
        groups: `task, group, uar`
        tasks: task → its classes, for chance
    """
    if groups.empty:
        return style.note("The corpus names no groups, such as gender: nothing to compare.")
    style.need(groups, ["task", "group", "uar"])
    wide = groups.pivot(index="task", columns="group", values="uar")
    wide = wide.reindex([task for task in tasks if task in wide.index])
    rows = np.arange(len(wide))
    fig, axes = style.figure(height=1.2 + 0.36 * len(wide))
    ax = axes[0, 0]
    ax.hlines(rows, wide.min(axis=1), wide.max(axis=1), color="#bbbbbb", lw=3, zorder=1)
    colours = style.colours(wide.columns, style.GENDERS)
    for name, marker in zip(wide.columns, "osD^vPX" * len(wide.columns), strict=False):
        ax.scatter(wide[name], rows, color=colours[name], marker=marker, s=55, label=name)
    dash: dict[str, Any] = {
        "color": "#444444",
        "linestyle": "none",
        "marker": "|",
        "ms": 16,
        "mew": 2,
    }
    ax.plot([1 / len(tasks[task]) for task in wide.index], rows, label="chance", **dash)
    ax.set_yticks(rows, list(wide.index))
    ax.invert_yaxis()
    ax.set(xlabel="UAR", xlim=(0, 1))
    style.legend_outside(ax)
    return fig


def wordings(table: pd.DataFrame) -> style.Picture:
    """UAR with the words of training, and with synonyms it never said.

    Args:
        table: `task, wording, chance, uar`
    """
    if table.empty:
        return style.note("No task asks for emotions that all have synonyms: nothing to compare.")
    style.need(table, ["task", "wording", "chance", "uar"])
    wide = table.pivot(index="task", columns="wording", values="uar")
    wide = wide.reindex(list(dict.fromkeys(table["task"])))
    fig, axes = style.figure(height=3.4)
    ax = axes[0, 0]
    width = 0.8 / len(wide.columns)
    colours = (style.BLUE, style.SKY, style.GREY, style.PURPLE)
    for turn, (name, colour) in enumerate(zip(wide.columns, colours, strict=False)):
        ax.bar(
            np.arange(len(wide)) - 0.4 + (turn + 0.5) * width,
            wide[name],
            width,
            color=colour,
            label=name,
        )
    chances = table.drop_duplicates("task").set_index("task")["chance"].reindex(wide.index)
    rows = np.arange(len(wide))
    ax.hlines(chances, rows - 0.45, rows + 0.45, color="#444444", ls="--", label="chance")
    ax.set_xticks(rows, list(wide.index))
    ax.set(ylabel="UAR", ylim=(0, 1))
    style.legend_outside(ax)
    return fig
