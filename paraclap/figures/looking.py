"""What colours a map of voices, and how alike are the voices that lie beside each other?

Tables are those of `looking.neighbours`; a map of voices itself is no matplotlib figure, and takes
its colours from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from paraclap.figures import style

HOLDS = {"true": style.ORANGE, "false": style.GREY}
_KNOWN = {
    "gender": style.GENDERS,
    "pitch": style.LEVELS,
    "loudness": style.LEVELS,
    "duration": style.LEVELS,
}
_MARKS = "os^D"


def palettes(voices: pd.DataFrame, columns: Sequence[str]) -> dict[str, dict[str, str]]:
    """Colours of the words of some columns: column → word → colour, in the book's order.

    Args:
        voices: table of voices
        columns: those in which nothing is known are left out
    """
    found = {}
    for column in columns:
        known = _KNOWN.get(column, style.EMOTIONS)
        words = style.ordered(voices[column], known)
        if words:
            found[column] = style.colours(words, known)
    return found


def agreements(tables: Mapping[str, pd.DataFrame]) -> style.Picture:
    """Share of neighbours that share each attribute, beside what chance would give.

    Args:
        tables: where neighbours were looked for → `attribute, share, chance, chance_low,
            chance_high`; chance is drawn from the first
    """
    first = next(iter(tables.values()))
    if first.empty:
        return style.note("Nothing is known of these voices in which they could agree.")
    columns = ["attribute", "share", "chance", "chance_low", "chance_high"]
    for table in tables.values():
        style.need(table, columns)
    order = first.sort_values("share", ascending=False)["attribute"].tolist()
    fig, axes = style.figure(height=1.2 + 0.36 * len(order))
    ax, rows = axes[0, 0], np.arange(len(order))
    base = first.set_index("attribute").loc[order]
    ends = (base["chance_low"].to_numpy(), base["chance_high"].to_numpy())
    ax.hlines(rows, *ends, color="#b0b0b0", linewidth=7, label="by chance (95 %)")
    ax.plot(base["chance"], rows, "|", color="#444444", markersize=11, label="by chance (mean)")
    for place, (name, table) in enumerate(tables.items()):
        values = table.set_index("attribute").reindex(order)["share"]
        look = {"color": (style.BLUE, style.ORANGE, style.GREEN, style.RED)[place % 4]}
        ax.plot(values, rows, _MARKS[place % 4], markersize=7, label=name, **look)
    ax.set_yticks(rows, order)
    ax.invert_yaxis()
    ax.set(xlabel="share of the nearest voices that share it", xlim=(0, 1))
    style.legend_outside(ax)
    return fig
