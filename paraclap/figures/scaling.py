"""What does it take for ten thousand hours, in figures: speeds as measured, costs as modelled.

Tables come from `stopwatch` (measurements) and `scaling` (the model). Axes of time and size are
logarithmic: bars that differ by a grid line differ tenfold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from pandas.io.formats.style import Styler

from paraclap.figures import style

SIZES = (style.SKY, style.BLUE, "#0b2c4a", style.GREY)  # from little speech to much
SPANS = {"1 s": 1 / 3600, "1 min": 1 / 60, "1 h": 1, "1 day": 24, "1 month": 730, "1 year": 8766}


def number(value: float) -> str:
    """A number as a reader wants it: three digits, no powers of ten.

    Examples:
        >>> [number(one) for one in (0.01234, 5.678, 50, 45678.9)]
        ['0.0123', '5.68', '50', '45,700']
    """
    if not math.isfinite(value):
        return "-"
    rounded = float(f"{value:.3g}")
    if rounded == int(rounded):
        return f"{int(rounded):,}"
    digits = 2 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:,.{max(0, digits)}f}"


def _power(value: float, _: object) -> str:
    """A power of ten on an axis, as a plain number."""
    return f"{value:,.9f}".rstrip("0").rstrip(".")


def readable(table: pd.DataFrame) -> Styler:
    """Show a table of numbers of very different sizes."""
    shown = table.copy()
    for name in shown.select_dtypes("number"):
        whole = pd.api.types.is_integer_dtype(shown[name])
        shown[name] = [f"{v:,}" if whole else number(float(v)) for v in shown[name]]
    return style.text_table(shown)


def throughput(table: pd.DataFrame) -> style.Picture:
    """Speech handled in a second, a bar a measurement, with the slowest and fastest repeat.

    Args:
        table: of measurements, as `stopwatch.table`
    """
    style.need(table, ["stage", "cores", "rate", "low", "high", "real_time"])
    own = table.sort_values(["stage", "cores"], kind="stable")
    order = {name: place for place, name in enumerate(dict.fromkeys(table["stage"]))}
    own = own.sort_values("stage", key=lambda names: names.map(order), kind="stable")
    speed = own["real_time"].to_numpy(float)
    reach = [abs(own[end] / own["rate"] - 1) * speed for end in ("low", "high")]
    fig, axes = style.figure(height=1.0 + 0.32 * len(own))
    ax, rows = axes[0, 0], np.arange(len(own))
    colours = [style.BLUE if cores == 1 else style.ORANGE for cores in own["cores"]]
    ax.barh(rows, speed, xerr=np.stack(reach), color=colours, height=0.72, capsize=2)
    for row, value, high in zip(rows, speed, reach[1], strict=True):
        ax.text(1.12 * (value + high), row, number(value), va="center", fontsize=8.5)
    names = [_named(*one) for one in zip(own["stage"], own["cores"], strict=True)]
    ax.set_yticks(rows, names)
    ax.invert_yaxis()
    ax.set(xscale="log", xlabel="seconds of speech handled in a second (times real time)")
    ax.xaxis.set_major_formatter(_power)
    ax.set_xlim(min(0.7, 0.5 * speed.min()), 6 * speed.max())
    style.chance(ax, 1.0, upright=True, label="real time")
    ax.legend(loc="lower right")
    return fig


def _named(stage: str, cores: int) -> str:
    return f"{stage}, {cores} core{'s' if cores > 1 else ''}"


def processes(table: pd.DataFrame) -> style.Picture:
    """Gain from several processes beside the ideal, which is as many times as fast.

    Args:
        table: `stage, cores, speedup`, as `stopwatch.efficiency`
    """
    if table.empty or table["cores"].max() < 2:
        return style.note("This run was given one core: there is no second process to compare.")
    style.need(table, ["stage", "cores", "speedup"])
    fig, axes = style.figure(height=3.2, width=5.5)
    ax, most = axes[0, 0], int(table["cores"].max())
    ax.plot([1, most], [1, most], color="#444444", ls="--", label="ideal")
    marks = zip(dict.fromkeys(table["stage"]), "os^Dv", strict=False)
    palette = (style.BLUE, style.ORANGE, style.GREEN, style.PURPLE, style.BROWN)
    for (stage, mark), colour in zip(marks, palette, strict=False):
        own = table[table["stage"] == stage].sort_values("cores")
        ax.plot(own["cores"], own["speedup"], color=colour, marker=mark, label=stage)
    ax.set(xlabel="processes", ylabel="times as fast as one process")
    ax.set_xticks(sorted(table["cores"].unique()))
    ax.set_ylim(0, None)
    style.legend_outside(ax)
    return fig


def costs(table: pd.DataFrame) -> style.Picture:
    """Work and time of every step for several amounts of speech.

    Args:
        table: of the model, as `scaling.costs`
    """
    style.need(table, ["hours", "stage", "device", "device_hours", "wall_hours"])
    names = list(dict.fromkeys(table["stage"]))
    fig, axes = style.figure(1, 2, height=1.5 + 0.6 * len(names), sharey=True)
    for ax, column in zip(axes[0], ("device_hours", "wall_hours"), strict=True):
        _grouped(ax, table, "stage", names, column)
    axes[0, 0].set_yticks(range(len(names)), [_worked(table, name) for name in names])
    axes[0, 0].invert_yaxis()
    axes[0, 0].set(xlabel="hours of one core or one GPU", title="work of one")
    axes[0, 1].set(xlabel="time on the clock", title="time with all")
    axes[0, 0].xaxis.set_major_formatter(_power)
    low, high = axes[0, 1].get_xlim()
    spans = {name: hours for name, hours in SPANS.items() if low < hours < high}
    axes[0, 1].set_xticks(list(spans.values()), list(spans), rotation=45)
    axes[0, 1].minorticks_off()
    _size_legend(fig, axes[0, 0])
    return fig


def _worked(table: pd.DataFrame, stage: str) -> str:
    """A step with the devices that work on it."""
    own = table[table["stage"] == stage]
    device, devices = own["device"].iloc[0], own["devices"].max()
    return f"{stage} (one {device})" if devices == 1 else f"{stage} ({devices} {device}s)"


def storage(table: pd.DataFrame) -> style.Picture:
    """Room that everything takes for several amounts of speech.

    Args:
        table: of the model, as `scaling.storage`
    """
    style.need(table, ["hours", "what", "gigabytes"])
    names = list(dict.fromkeys(table["what"]))
    fig, axes = style.figure(height=1.3 + 0.55 * len(names))
    ax = axes[0, 0]
    _grouped(ax, table, "what", names, "gigabytes", told=True)
    ax.xaxis.set_major_formatter(_power)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set(xlabel="gigabytes")
    _size_legend(fig, ax)
    return fig


def _grouped(
    ax: Axes, table: pd.DataFrame, by: str, names: Sequence[str], column: str, told: bool = False
) -> None:
    """Bars in groups, one bar an amount of speech, on a logarithmic axis."""
    amounts = list(dict.fromkeys(table["hours"]))
    height = 0.8 / len(amounts)
    place = {name: row for row, name in enumerate(names)}
    for turn, hours in enumerate(amounts):
        own = table[table["hours"] == hours]
        rows = own[by].map(place) + (turn - (len(amounts) - 1) / 2) * height
        look: dict[str, Any] = {"color": SIZES[turn % len(SIZES)], "height": 0.9 * height}
        ax.barh(rows, own[column], label=f"{number(hours)} hours", **look)
        for row, value in zip(rows, own[column] if told else (), strict=False):
            ax.text(1.1 * value, row, number(value), va="center", fontsize=8)
    values = table[column]
    ax.set_xscale("log")
    ax.set_xlim(0.4 * values.min(), (6 if told else 2) * values.max())


def _size_legend(fig: style.Picture, ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=4, title="hours of speech")
