"""Shares of the levels in each split.

Levels tables have one column an attribute: low, normal, high or missing. Chapter 3.
"""

from __future__ import annotations

import pandas as pd

from paraclap.figures import style
from paraclap.queries import LEVELS
from paraclap.tables import SPLITS


def level_shares(levels: pd.DataFrame) -> pd.DataFrame:
    """Share of each level (columns) of each attribute (rows), missing values aside."""
    shares = {name: levels[name].value_counts(normalize=True) for name in levels}
    return pd.DataFrame(shares).T.reindex(columns=list(LEVELS)).fillna(0.0)


def shares(
    levels: pd.DataFrame, split: pd.Series, quantiles: tuple[float, float] = (0.3, 0.7)
) -> style.Picture:
    """Share of low, normal and high of each attribute, one panel a split.

    Args:
        levels: levels table
        split: of each row
        quantiles: where the edges were fitted; drawn as lines
    """
    style.check(levels)
    there = [one for one in SPLITS if (split == one).any()]
    height = 1.4 + 0.27 * levels.shape[1]
    fig, axes = style.figure(1, len(there), height, squeeze=False, sharey=True)
    for ax, one in zip(axes[0], there, strict=True):
        rows = (split == one).to_numpy()
        table = 100 * level_shares(levels[rows])
        left = table.cumsum(axis=1).shift(axis=1, fill_value=0.0)
        for level in LEVELS:
            bars = {"left": left[level], "color": style.LEVELS[level], "label": level}
            ax.barh(list(table.index), table[level], **bars)
        for quantile in quantiles:
            style.chance(ax, 100 * quantile, "_", upright=True)
        ax.set(title=f"{one} ({rows.sum():,})", xlim=(0, 100), xlabel="segments in %")
    axes[0, 0].invert_yaxis()
    axes[0, -1].legend(loc="upper left", bbox_to_anchor=(1, 1))
    return fig
