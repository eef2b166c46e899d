"""One chart for all scores: a row a name, a mark a system, a bar its interval.

Used for tasks, systems, variants, runs, attributes and paired differences (chapters 5 to 13).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from paraclap.figures import style

MARKS = "osD^vPX*"


def intervals(
    table: pd.DataFrame,
    value: str,
    rows: str,
    hue: str | None = None,
    panels: str | None = None,
    chance: str | float | None = None,
    *,
    ends: tuple[str, str] | None = None,
    colours: Mapping[str, str] | None = None,
    xlabel: str = "",
    xlim: tuple[float, float] | None = None,
) -> style.Picture:
    """Draw values with their intervals along the horizontal axis.

    Args:
        table: one row a mark; rows without a value are left out
        value: column of the values
        rows: column that names the row of a mark
        hue: column that names its colour and shape
        panels: column that names its panel
        chance: column with the chance of each row, or one number for all
        ends: columns of both ends; ``<value>_low`` and ``<value>_high`` when left out
        colours: word of ``hue`` → colour
        xlabel: of the values; their name when empty
        xlim: of the values
    """
    low, high = ends or (f"{value}_low", f"{value}_high")
    named = [column for column in (hue, panels, chance) if isinstance(column, str)]
    style.check(table, [value, low, high, rows, *named])
    names = list(dict.fromkeys(table[rows].astype(str)))
    words = list(dict.fromkeys(table[hue].astype(str))) if hue else [""]
    looks = colours or dict(zip(words, style.PALETTE * len(words), strict=False))
    groups = [("", table)] if panels is None else list(table.groupby(panels, sort=False))
    height = 1.1 + len(names) * (0.2 + 0.13 * len(words))
    fig, axes = style.figure(1, len(groups), height, squeeze=False, sharey=True)
    for ax, (title, panel) in zip(axes[0], groups, strict=True):
        place = pd.Series(range(len(names)), names)[panel[rows].astype(str)].to_numpy(float)
        for turn, word in enumerate(words):
            shown = (
                (panel[hue].astype(str) == word).to_numpy() if hue else np.ones(len(panel), bool)
            )
            shift = 0.7 * ((turn + 0.5) / len(words) - 0.5)
            part = panel.loc[shown, [value, low, high]]
            _marks(ax, part, place[shown] + shift, MARKS[turn % 8], looks[word], word)
        if isinstance(chance, str):
            mark = {"marker": "|", "markersize": 16, "markeredgewidth": 2, "linestyle": "none"}
            ax.plot(panel[chance], place, color=style.INK, label="chance", **mark)
        elif chance is not None:
            style.chance(ax, chance, upright=True)
        ax.set(title=title, xlabel=xlabel or value, xlim=xlim)
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].set_ylim(len(names) - 0.4, -0.6)
    if hue or chance is not None:
        axes[0, -1].legend(title=hue, loc="upper left", bbox_to_anchor=(1, 1), alignment="left")
    return fig


def _marks(
    ax: Axes, part: pd.DataFrame, place: np.ndarray, mark: str, colour: str, label: str
) -> None:
    values = part.to_numpy(float)
    seen = np.isfinite(values[:, 0])
    middle, low, high = values[seen].T
    reach = np.nan_to_num(np.clip([middle - low, high - middle], 0, None))
    settings: dict[str, Any] = {"color": colour, "markersize": 5, "capsize": 2, "label": label}
    ax.errorbar(middle, place[seen], xerr=reach, fmt=mark, **settings)
