"""How long does a model have to listen? And the shades of a matrix that plays.

Tables are those of :mod:`paraclap.looking.over_time`; UAR in 0 to 1, times in seconds.
"""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.ticker import NullLocator

from paraclap.figures import style

_LOOKS = ((style.BLUE, "o", "-"), (style.ORANGE, "D", "--"))


def shades(steps: int = 21) -> list[str]:
    """Colours from none of it to all of it, light to dark, as hex values.

    Args:
        steps: how many
    """
    return [str(colour) for colour in sns.color_palette("Blues", steps).as_hex()]


def window_lengths(table: pd.DataFrame) -> style.Picture:
    """UAR of windows against their length: all of them, and those within one stretch.

    Args:
        table: `window, which, uar, chance`; a missing UAR is left out
    """
    if table.empty or table["uar"].isna().all():
        return style.note("No recording in which it is known who is heard when: nothing to score.")
    style.need(table, ["window", "which", "uar", "chance"])
    fig, axes = style.figure(height=3.2)
    ax = axes[0, 0]
    for (which, own), (colour, marker, line) in zip(
        table.groupby("which", sort=False), _LOOKS, strict=False
    ):
        known = own.dropna(subset="uar")
        look = {"color": colour, "marker": marker, "linestyle": line, "label": str(which)}
        ax.plot(known["window"], known["uar"], **look)
    style.chance(ax, float(table["chance"].iloc[0]))
    windows = sorted(table["window"].unique())
    ax.set_xscale("log")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(windows, [f"{one:g}" for one in windows])
    ax.set(xlabel="length of a window in seconds", ylabel="UAR", ylim=(0, 1))
    style.legend_outside(ax)
    return fig
