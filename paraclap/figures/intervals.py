"""One chart for all scores: a row a name, a mark a system, a bar its interval. Chapters 5 to 14."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

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
    """Draw values with their intervals along the horizontal axis, a mark for each row of a table.

    ``value``, ``rows`` (names on the vertical axis), ``hue`` (colour and shape), ``panels`` and
    ``ends`` (``<value>_low`` and ``<value>_high`` when left out) are columns; ``chance`` is one,
    or a number for all. ``colours`` are those of the words of ``hue``. What has no value is left
    out.
    """
    low, high = ends or (f"{value}_low", f"{value}_high")
    names = list(dict.fromkeys(table[rows].astype(str)))
    words = list(dict.fromkeys(table[hue].astype(str))) if hue else [""]
    looks = colours or dict(zip(words, style.PALETTE * len(words), strict=False))
    groups = [("", table)] if panels is None else list(table.groupby(panels, sort=False))
    height = 1.1 + len(names) * (0.2 + 0.13 * len(words))
    fig, axes = style.figure(1, len(groups), height, squeeze=False, sharey=True)
    for ax, (title, panel) in zip(axes[0], groups, strict=True):
        place = pd.Series(range(len(names)), names)[panel[rows].astype(str)].to_numpy(float)
        for turn, word in enumerate(words):
            own = (panel[hue].astype(str) if hue else pd.Series("", panel.index)) == word
            shown = own.to_numpy() & panel[value].notna().to_numpy()
            middle, left, right = panel.loc[shown, [value, low, high]].to_numpy(float).T
            reach = np.nan_to_num(np.clip([middle - left, right - middle], 0, None))
            shift = 0.7 * ((turn + 0.5) / len(words) - 0.5)
            look: dict[str, Any] = {"fmt": MARKS[turn % 8], "color": looks[word], "label": word}
            ax.errorbar(middle, place[shown] + shift, xerr=reach, markersize=5, capsize=2, **look)
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
