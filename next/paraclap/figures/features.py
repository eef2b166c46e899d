"""Figures of features: how they lie by emotion, and what separates emotions.

Tables are features tables on the segmented index, joined with labels where a figure needs them.
Chapter 2.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import seaborn as sns

from paraclap.figures import style
from paraclap.queries import FEATURES

UNITS = {
    "pitch": "semitones above 27.5 Hz",
    "pitch variation": "spread / mean",
    "intensity": "dB",
    "loudness": "auditory loudness",
    "jitter": "share of period",
    "shimmer": "dB",
    "duration": "s",
}
SHOWN = ("pitch", "pitch variation", "intensity", "jitter", "shimmer", "duration")
INTENDED = ("pitch", "variation", "level", "jitter", "shimmer", "rate")  # of synthetic speech


def distributions(table: pd.DataFrame, edges: Mapping[str, tuple[float, float]]) -> style.Picture:
    """Six features by emotion, with the edges between low, normal and high.

    Args:
        table: features with the column ``emotion``; without any emotion all rows are one group
        edges: lower and upper edge by attribute
    """
    style.check(table, ["emotion", *(FEATURES[name] for name in SHOWN)])
    groups = table["emotion"].astype("str").fillna("not given")
    words = style.ordered(groups)
    look = {"order": words, "hue_order": words, "palette": style.colours(words), "width": 0.65}
    fig, axes = style.figure(2, 3, 2.4 + 0.42 * len(words), sharey=True)
    for ax, name in zip(axes.flat, SHOWN, strict=True):
        values = table[FEATURES[name]]
        sns.boxplot(x=values, y=groups, hue=groups, ax=ax, fliersize=0, legend=False, **look)
        for edge in edges.get(name, ()):
            ax.axvline(edge, color=style.INK, linestyle=":", linewidth=1.4)
        low, high = values.quantile([0.01, 0.99])  # a few wild ones would press the rest together
        ax.set(title=name, xlabel=UNITS[name], ylabel="", xlim=(low, high) if high > low else None)
    return fig


def intended(table: pd.DataFrame) -> style.Picture:
    """Intended prosody of synthetic speech against the features of it.

    Args:
        table: features joined with ``synthetic.intended_prosody``; a real corpus gives a sentence
    """
    if table.empty or not set(INTENDED) <= set(table.columns):
        return style.note("A real corpus: no prosody was intended.")
    rows = table.sample(min(len(table), 1200), random_state=0)
    fig, axes = style.figure(2, 3, 4.8)
    for ax, name, prosody in zip(axes.flat, SHOWN, INTENDED, strict=True):
        values = rows[FEATURES[name]]
        rho = rows[prosody].corr(values, method="spearman")
        ax.scatter(rows[prosody], values, s=4, alpha=0.3, color=style.BLUE, linewidths=0)
        low, high = values.quantile([0.005, 0.995])
        ax.set(title=f"{name} (r = {rho:.2f})", ylim=(low, high) if high > low else None)
        ax.set(xlabel=f"intended {prosody} (z)", ylabel=UNITS[name])
    return fig


def separation(values: pd.DataFrame, groups: pd.Series) -> pd.Series:
    """Share of the variance of each column between groups (η², 0 to 1), largest first."""
    means = values.groupby(groups.to_numpy()).transform("mean")
    between = ((means - values.mean()) ** 2).sum()
    total = ((values - values.mean()) ** 2).sum()
    return (between / total.where(total > 0)).dropna().sort_values(ascending=False)
