"""What does each part of the training text bring? The variants of the paper side by side.

The table of an ablation has one row per variant and task or attribute: `variant, kind, task,
chance, n, uar, uar_low, uar_high`, with `kind` one of task and attribute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from paraclap.figures import style
from paraclap.figures.evaluation import confusion

NAMES = {
    "no_emo_rand5": "no emotion, rand 5",
    "only_emo": "only emotion",
    "rand1": "rand 1",
    "rand5": "rand 5",
}
COLUMNS = ["variant", "kind", "task", "chance", "uar", "uar_low", "uar_high"]


def name(variant: str) -> str:
    """How a variant is called on a page."""
    return NAMES.get(variant, variant)


def side_by_side(table: pd.DataFrame, kind: str = "task") -> Styler:
    """Lay out scores as Table 1 of the paper: best of a row bold, second best underlined.

    Args:
        table: of an ablation
        kind: task or attribute

    Raises:
        ValueError: if nothing of this kind is there
    """
    own = table[table["kind"] == kind]
    style.need(own, COLUMNS)
    wide = own.pivot(index="task", columns="variant", values="uar")
    wide = wide.reindex(list(dict.fromkeys(own["task"])))[list(dict.fromkeys(own["variant"]))]
    chances = own.drop_duplicates("task").set_index("task")["chance"]
    wide = wide.rename(columns=name)
    return ranked(wide.assign(chance=chances.reindex(wide.index)).reset_index())


def ranked(wide: pd.DataFrame, beside: Sequence[str] = ("task", "chance")) -> Styler:
    """Mark the best score of each row bold and the second underlined.

    Args:
        wide: one row a task
        beside: columns that are no scores of a variant
    """
    scored = [column for column in wide if column not in beside]
    styled = style.escaped(wide).hide(axis="index")
    return styled.apply(_marks, axis=1, subset=scored)


def _marks(row: pd.Series) -> list[str]:
    values = sorted({round(value, 3) for value in row.dropna()}, reverse=True)
    looks = dict(zip(values[:2], ("font-weight: bold", "text-decoration: underline"), strict=False))
    return [looks.get(round(value, 3), "") if pd.notna(value) else "" for value in row]


def by_variant(table: pd.DataFrame, kind: str = "task") -> style.Picture:
    """UAR of every variant with its interval, one group of points a task or attribute.

    Args:
        table: of an ablation
        kind: task or attribute
    """
    own = table[table["kind"] == kind]
    if own.empty:
        return style.note(f"There is no {kind} to compare the variants on.")
    style.need(own, COLUMNS)
    tasks, variants = list(dict.fromkeys(own["task"])), list(dict.fromkeys(own["variant"]))
    fig, axes = style.figure(height=1.4 + (0.14 * len(variants) + 0.1) * len(tasks))
    ax = axes[0, 0]
    colours = _colours(variants)
    for turn, variant in enumerate(variants):
        rows = own[own["variant"] == variant].set_index("task").reindex(tasks)
        places = np.arange(len(tasks)) + (turn - (len(variants) - 1) / 2) * 0.18
        value, low, high = (rows[column].to_numpy(float) for column in COLUMNS[-3:])
        reach = np.clip(np.stack([value - low, high - value]), 0, None)
        look: dict[str, Any] = {
            "fmt": "osD^vP"[turn % 6],
            "color": colours[variant],
            "ms": 5,
            "capsize": 2,
        }
        ax.errorbar(value, places, xerr=reach, label=name(variant), **look)
    chances = own.drop_duplicates("task").set_index("task")["chance"].reindex(tasks)
    rows = np.arange(len(tasks))
    ax.vlines(chances, rows - 0.42, rows + 0.42, color="#444444", ls="--", label="chance")
    ax.set_yticks(rows, tasks)
    ax.invert_yaxis()
    ax.set(xlabel="UAR", xlim=(0, 1))
    style.legend_outside(ax)
    return fig


def _colours(variants: Sequence[str]) -> dict[str, str]:
    known = dict(zip(NAMES, (style.GREY, style.PURPLE, style.ORANGE, style.BLUE), strict=True))
    return style.colours(variants, known)


def without_and_with(
    predictions: Mapping[str, pd.DataFrame], task: str, labels: Sequence[str]
) -> style.Picture:
    """Confusions of one task by variant, as Figures 2 and 3 of the paper.

    Args:
        predictions: variant → predictions
        task: the task
        labels: its classes; none if the run has no such task
    """
    if not labels or not predictions:
        return style.note(f"This run has no task {task}: there is no confusion to compare.")
    fig, axes = style.figure(1, len(predictions), height=3.7)
    for ax, (variant, table) in zip(axes[0], predictions.items(), strict=True):
        confusion(ax, table[table["corpus"] == task], labels, name(variant))
    return fig


def curves(tables: Mapping[str, pd.DataFrame], batch: int) -> style.Picture:
    """Loss (running mean) and dev UAR of every variant.

    Args:
        tables: variant → curves, with `step, loss, dev_uar`
        batch: pairs in a batch, for the chance of the loss
    """
    if not tables:
        raise ValueError("Nothing to draw: no curves, expected those of at least one variant.")
    fig, axes = style.figure(1, 2, height=3.2)
    colours = _colours(list(tables))
    for variant, table in tables.items():
        style.need(table, ["step", "loss", "dev_uar"])
        look: dict[str, Any] = {"color": colours[variant], "label": name(variant)}
        mean = table["loss"].rolling(max(1, len(table) // 10), min_periods=1, center=True).mean()
        axes[0, 0].plot(table["step"], mean, **look)
        ends = table[table["dev_uar"].notna()]
        axes[0, 1].plot(ends["step"], ends["dev_uar"], "o-", ms=4, **look)
    style.chance(axes[0, 0], float(np.log(batch)), f"chance, ln {batch}")
    axes[0, 0].set(xlabel="step", ylabel="loss (nats)")
    axes[0, 1].set(xlabel="step", ylabel="UAR of dev emotions", ylim=(0, 1))
    axes[0, 0].legend()
    return fig
