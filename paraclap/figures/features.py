"""What do the measurements say: how features lie by emotion, with each other, across corpora.

Tables are features tables on the segmented index, joined with labels where a figure needs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paraclap.figures import style
from paraclap.levels import FEATURES
from paraclap.tables import DIMENSIONS

UNITS = {
    "pitch": "semitones above 27.5 Hz",
    "pitch variation": "spread / mean",
    "intensity": "dB",
    "loudness": "auditory loudness",
    "jitter": "share of period",
    "shimmer": "dB",
    "duration": "s",
    "arousal": "rating",
    "valence": "rating",
    "dominance": "rating",
}
MEASURED = tuple(name for name in FEATURES if name not in DIMENSIONS)
SHOWN = ("pitch", "pitch variation", "intensity", "jitter", "shimmer", "duration")
# The dimension of the built-in voices that each attribute should follow.
MEANT = {
    "pitch": "pitch",
    "pitch variation": "variation",
    "intensity": "level",
    "duration": "rate",
    "jitter": "jitter",
    "shimmer": "shimmer",
}


def distributions(table: pd.DataFrame, edges: Mapping[str, tuple[float, float]]) -> Figure:
    """Six features by emotion, with the edges between low, normal and high.

    Args:
        table: features with the column ``emotion``; without any emotion all segments are one group
        edges: lower and upper edge by attribute
    """
    style.need(table, ["emotion", *(FEATURES[name] for name in SHOWN)])
    groups = table["emotion"].astype("str").fillna("not given")
    words = style.ordered(groups)
    fig, axes = style.figure(2, 3, height=2.4 + 0.42 * len(words), sharey=True)
    for ax, name in zip(axes.flat, SHOWN, strict=True):
        values = [table.loc[groups == word, FEATURES[name]].dropna() for word in words]
        _boxes(ax, values, words)
        for edge in edges.get(name, ()):
            ax.axvline(edge, color="#444444", linestyle=":", linewidth=1.4)
        ax.set_title(name)
        ax.set_xlabel(UNITS[name])
        _trim(ax, table[FEATURES[name]])
    axes[0, 0].invert_yaxis()
    return fig


def _boxes(ax: Axes, values: list[pd.Series], words: list[str]) -> None:
    look: dict[str, Any] = {"orientation": "horizontal", "widths": 0.65, "showfliers": False}
    boxes = ax.boxplot(values, patch_artist=True, tick_labels=words, **look)
    shades = style.colours(words)
    for box, word in zip(boxes["boxes"], words, strict=True):
        box.set_facecolor(shades[word])
        box.set_alpha(0.75)
    for line in boxes["medians"]:
        line.set_color("black")


def _trim(ax: Axes, values: pd.Series) -> None:
    """Axis over nearly all values: a few wild ones would press the rest together."""
    low, high = values.quantile([0.01, 0.99])
    if high > low:
        ax.set_xlim(low, high)


def correlations(table: pd.DataFrame) -> Figure:
    """Rank correlation of the named features and, where there are any, the ratings."""
    style.need(table)
    names = [name for name, column in FEATURES.items() if column in table]
    values = table[[FEATURES[name] for name in names]].set_axis(names, axis=1)
    values = values.loc[:, values.nunique() > 1]
    ranks = values.corr("spearman")
    fig, axes = style.figure(height=5.4)
    bar = {"label": "rank correlation (Spearman)"}
    look = {"vmin": -1, "vmax": 1, "cmap": "vlag", "annot": True, "fmt": ".2f", "square": True}
    sns.heatmap(ranks, ax=axes[0, 0], annot_kws={"size": 8}, cbar_kws=bar, linewidths=0.5, **look)
    axes[0, 0].set_title("What goes with what")
    axes[0, 0].tick_params(axis="x", rotation=45)
    return fig


def intended(table: pd.DataFrame) -> Figure:
    """The voice that was meant against what was measured of it, on the built-in corpora.

    Args:
        table: features with the columns of ``intended.parquet`` (z per dimension of the voice)
    """
    if table.empty or "breathiness" not in table:
        return style.note("A real corpus: nobody knows which voice was intended.")
    rows = table.sample(min(len(table), 1200), random_state=0)
    fig, axes = style.figure(2, 3, height=4.8)
    for ax, (name, meant) in zip(axes.flat, MEANT.items(), strict=True):
        measured = rows[FEATURES[name]]
        rho = rows[meant].corr(measured, method="spearman")
        ax.scatter(rows[meant], measured, s=4, alpha=0.3, color=style.BLUE, linewidths=0)
        ax.set_title(f"{name} (r = {rho:.2f})")
        ax.set(xlabel=f"intended {meant} (z)", ylabel=UNITS[name])
        _trim_y(ax, measured)
    return fig


def _trim_y(ax: Axes, values: pd.Series) -> None:
    low, high = values.quantile([0.005, 0.995])
    if high > low:
        ax.set_ylim(low, high)


def shift(table: pd.DataFrame) -> Figure:
    """How far the features of each corpus lie from the training split, in its standard deviations.

    Args:
        table: features with the columns ``corpus`` and ``split``
    """
    style.need(table, ["corpus", "split"])
    names = [name for name in MEASURED if FEATURES[name] in table]
    values = table[[FEATURES[name] for name in names]].set_axis(names, axis=1)
    train = values[table["split"] == "train"]
    groups = table["corpus"].str.cat(table["split"], sep=", ")
    moved = (values - train.mean()) / train.std().replace(0, np.nan)
    means = moved.groupby(groups.to_numpy()).mean().reindex(list(groups.unique()))
    fig, axes = style.figure(height=1.7 + 0.36 * len(means))
    bar = {"label": "standard deviations of train"}
    look = {"center": 0, "vmin": -2, "vmax": 2, "cmap": "vlag", "annot": True, "fmt": ".1f"}
    sns.heatmap(means, ax=axes[0, 0], cbar_kws=bar, linewidths=0.5, annot_kws={"size": 8}, **look)
    axes[0, 0].set(title="Distance from the training split", ylabel="")
    axes[0, 0].tick_params(axis="x", rotation=35)
    return fig


def strongest(table: pd.DataFrame, functionals: list[str], count: int = 15) -> Figure:
    """The functionals that differ most between emotions: share of variance between the classes.

    Args:
        table: features with the column ``emotion``
        functionals: the columns to look at
        count: how many to show
    """
    style.need(table, ["emotion", *functionals[:1]])
    rows = table[table["emotion"].notna()]
    if rows["emotion"].nunique() < 2:
        return style.note("Fewer than two emotions: nothing to tell apart.")
    explained = separation(rows[functionals], rows["emotion"]).head(count)
    fig, axes = style.figure(height=1.2 + 0.27 * len(explained))
    ax = axes[0, 0]
    named = {column: name for name, column in FEATURES.items()}
    colours = [style.ORANGE if one in named else style.SKY for one in explained.index]
    ax.barh([_plain(one) for one in explained.index], 100 * explained, color=colours)
    by_chance = 100 * (rows["emotion"].nunique() - 1) / (len(rows) - 1)
    style.chance(ax, by_chance, "by chance", upright=True)
    ax.invert_yaxis()
    ax.set(xlabel="variance between emotions in % (η²)", title="What tells emotions apart")
    ax.legend()
    return fig


def separation(values: pd.DataFrame, groups: pd.Series) -> pd.Series:
    """Share of the variance of each column that lies between groups (η², 0 to 1), largest first."""
    means = values.groupby(groups.to_numpy()).transform("mean")
    between = ((means - values.mean()) ** 2).sum()
    total = ((values - values.mean()) ** 2).sum()
    return (between / total.where(total > 0)).dropna().sort_values(ascending=False)


def _plain(functional: str) -> str:
    """A functional's name without the marks of smoothing."""
    return functional.replace("_sma3nz", "").replace("_sma3", "")


def plane(table: pd.DataFrame, functionals: list[str]) -> Figure:
    """All functionals in two dimensions: principal components, coloured by emotion.

    Args:
        table: features with the column ``emotion``
        functionals: the columns to look at
    """
    style.need(table, ["emotion", *functionals[:1]])
    places, share = components(table[functionals])
    groups = table["emotion"].astype("str").fillna("not given").to_numpy()
    words = style.ordered(groups)
    shades = style.colours(words)
    fig, axes = style.figure(height=4.8)
    ax = axes[0, 0]
    some = np.random.default_rng(0).permutation(len(places))[:2000]
    colours = [shades[groups[row]] for row in some]
    ax.scatter(*places[some].T, s=9, alpha=0.4, c=colours, linewidths=0)
    for word in words:
        middle = places[groups == word].mean(axis=0)
        box = {"facecolor": "white", "edgecolor": shades[word], "boxstyle": "round,pad=0.2"}
        ax.text(*middle, word, ha="center", va="center", fontsize=9, bbox={**box, "alpha": 0.9})
    ax.set_xlim(*np.quantile(places[:, 0], [0.005, 0.995]))
    ax.set_ylim(*np.quantile(places[:, 1], [0.005, 0.995]))
    ax.set_xlabel(f"first component ({100 * share[0]:.0f} % of the variance)")
    ax.set_ylabel(f"second component ({100 * share[1]:.0f} %)")
    ax.set_title("All functionals at once")
    return fig


def components(values: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """First two principal components of standardised columns.

    Returns:
        places `(rows, 2)`, share of the variance of each `(2,)`
    """
    spread = values.std()
    scaled = ((values - values.mean()) / spread.where(spread > 0)).dropna(axis=1).to_numpy(float)
    left, sizes, _ = np.linalg.svd(scaled, full_matrices=False)
    return left[:, :2] * sizes[:2], (sizes**2 / (sizes**2).sum())[:2]
