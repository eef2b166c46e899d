"""Which change helps? Contenders side by side, and what each gains over another.

Tables are those of `contest.compare`. UAR lies in 0 to 1; bars are 95 % intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from paraclap.figures import style
from paraclap.figures.evidence import REAL, UNSURE


def scores(table: pd.DataFrame, seeds: pd.DataFrame) -> style.Picture:
    """Mean UAR of every contender with its interval, and that of each seed; a panel a kind.

    Args:
        table: of the means: `kind, system, uar, uar_low, uar_high`
        seeds: `kind, system, seed, uar`
    """
    style.need(table, ["kind", "system", "uar", "uar_low", "uar_high"])
    names = list(dict.fromkeys(table["system"]))
    fig, axes = _panels(table, names)
    for ax, (kind, own) in zip(axes, table.groupby("kind", sort=False), strict=True):
        each = seeds[seeds["kind"] == kind]
        places = [names.index(name) for name in each["system"]]
        ax.scatter(each["uar"], places, marker="x", s=22, color="#777777", zorder=3)
        rows = np.array([names.index(name) for name in own["system"]])
        _bars(ax, own, rows, ("uar", "uar_low", "uar_high"), REAL)
        ax.set(title=kind, xlabel="mean UAR")
    return fig


def gains(compared: pd.DataFrame) -> style.Picture:
    """Differences with their intervals, dark where they are real; a panel a kind.

    Args:
        compared: `kind, system, other, difference, low, high, real`
    """
    style.need(compared, ["kind", "system", "other", "difference", "low", "high", "real"])
    table = compared.assign(pair=compared["system"] + " - " + compared["other"])
    names = list(dict.fromkeys(table["pair"]))
    fig, axes = _panels(table, names)
    for ax, (kind, own) in zip(axes, table.groupby("kind", sort=False), strict=True):
        for real, colour in ((True, REAL), (False, UNSURE)):
            some = own[own["real"] == real]
            rows = np.array([names.index(name) for name in some["pair"]], dtype=int)
            _bars(ax, some, rows, ("difference", "low", "high"), colour)
        style.chance(ax, 0.0, "no difference", upright=True)
        ax.set(title=kind, xlabel="difference of UAR")
    return fig


def _panels(table: pd.DataFrame, names: Sequence[str]) -> tuple[style.Picture, list[Axes]]:
    """A panel for each kind, one row a name."""
    kinds = table["kind"].nunique()
    fig, axes = style.figure(1, kinds, height=1.1 + 0.27 * len(names), sharey=True)
    axes[0, 0].set_yticks(np.arange(len(names)), names)
    axes[0, 0].invert_yaxis()
    return fig, list(axes[0])


def _bars(
    ax: Axes, table: pd.DataFrame, rows: np.ndarray[Any, Any], names: Sequence[str], colour: str
) -> None:
    if table.empty:
        return
    value, low, high = (table[name].to_numpy(float) for name in names)
    reach = np.clip(np.stack([value - low, high - value]), 0, None)
    ax.errorbar(value, rows, xerr=reach, fmt="o", color=colour, ms=4.5, capsize=2.5)
