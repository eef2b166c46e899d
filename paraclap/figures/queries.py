"""What is said of the voices: levels, and the texts that are drawn from their queries.

Levels tables have one column an attribute (low, normal, high or missing); counts of texts come
from ``paraclap.variety``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from paraclap.figures import style
from paraclap.tables import SPLITS
from paraclap.templates import LEVELS
from paraclap.variety import VARIANTS

_VARIANTS = dict(zip(VARIANTS, (style.GREY, style.SKY, style.ORANGE, style.GREEN), strict=True))
PAIRS = (
    ("arousal", "pitch"),
    ("arousal", "intensity"),
    ("pitch", "pitch variation"),
    ("pitch variation", "jitter"),
    ("jitter", "shimmer"),
    ("valence", "arousal"),
)


def shares(levels: pd.DataFrame, split: pd.Series, quantiles: tuple[float, float]) -> Figure:
    """Share of low, normal and high of each attribute, one panel a split.

    Args:
        levels: levels table
        split: of each row
        quantiles: where the edges were fitted; drawn as lines
    """
    style.need(levels)
    there = [one for one in SPLITS if (split == one).any()]
    fig, axes = style.figure(1, len(there), height=1.4 + 0.27 * levels.shape[1], sharey=True)
    for ax, one in zip(axes[0], there, strict=True):
        counts = level_shares(levels[(split == one).to_numpy()])
        left = np.zeros(len(counts))
        for level in LEVELS:
            values = 100 * counts[level].to_numpy()
            ax.barh(list(counts.index), values, left=left, color=style.LEVELS[level], label=level)
            left += values
        for quantile in quantiles:
            style.chance(ax, 100 * quantile, "", upright=True)
        ax.set_title(f"{one} ({int((split == one).sum()):,})")
        ax.set_xlim(0, 100)
    axes[0, 0].invert_yaxis()
    fig.supxlabel("segments in %", fontsize=10)
    handles, names = axes[0, 0].get_legend_handles_labels()
    axes[0, -1].legend(handles, names, loc="upper left", bbox_to_anchor=(1, 1))
    return fig


def level_shares(levels: pd.DataFrame) -> pd.DataFrame:
    """Share of each level (columns) of each attribute (rows), of the known values."""
    shares = {name: levels[name].value_counts(normalize=True) for name in levels}
    return pd.DataFrame(shares).T.reindex(columns=list(LEVELS)).fillna(0.0)


def drift(levels: pd.DataFrame, corpus: pd.Series) -> Figure:
    """Share of high minus share of low in each corpus: how far the edges of train miss it.

    Args:
        levels: levels table
        corpus: of each row
    """
    style.need(levels)
    rows = {}
    for name in corpus.unique():
        counts = level_shares(levels[(corpus == name).to_numpy()])
        rows[name] = 100 * (counts["high"] - counts["low"]).where(counts.sum(axis=1) > 0)
    table = pd.DataFrame(rows).T
    fig, axes = style.figure(height=1.7 + 0.36 * len(table))
    bar = {"label": "high minus low in % of segments"}
    look = {"center": 0, "vmin": -100, "vmax": 100, "cmap": "vlag", "annot": True, "fmt": ".0f"}
    sns.heatmap(table, ax=axes[0, 0], cbar_kws=bar, linewidths=0.5, annot_kws={"size": 8}, **look)
    axes[0, 0].set(title="Levels across corpora", ylabel="")
    axes[0, 0].tick_params(axis="x", rotation=35)
    return fig


def together(levels: pd.DataFrame) -> Figure:
    """Which levels come together: share of the column's level, given the row's."""
    style.need(levels)
    usable = [one for one in levels if levels[one].notna().any()]
    pairs = [pair for pair in PAIRS if set(pair) <= set(usable)][:3]
    if not pairs:
        return style.note("Fewer than two attributes have levels: nothing to compare.")
    fig, axes = style.figure(1, len(pairs), height=2.8)
    fig.suptitle("What comes with what, in % of each row", fontsize=10.5)
    for ax, (row, column) in zip(axes[0], pairs, strict=True):
        table = pd.crosstab(levels[row], levels[column], normalize="index") * 100
        table = table.reindex(index=LEVELS, columns=LEVELS).astype(float)
        look = {"vmin": 0, "vmax": 80, "cmap": "Blues", "annot": True, "fmt": ".0f"}
        sns.heatmap(table, ax=ax, cbar=False, square=True, linewidths=0.5, **look)
        ax.set(xlabel=column, ylabel=row)
        ax.tick_params(axis="y", rotation=0)
    return fig


def growth(table: pd.DataFrame) -> Figure:
    """Distinct texts seen as draws go on, one line a variant.

    Args:
        table: as ``variety.growth`` gives it
    """
    style.need(table, ["variant", "draws", "distinct"])
    fig, axes = style.figure(height=3.8)
    ax = axes[0, 0]
    most = int(table["draws"].max())
    ax.plot([1, most], [1, most], color="#444444", linestyle="--", label="each draw a new text")
    for variant, rows in table.groupby("variant", sort=False):
        name = f"{variant}: {int(rows['distinct'].max()):,}"
        ax.plot(
            rows["draws"],
            rows["distinct"],
            color=_VARIANTS[str(variant)],
            linewidth=2.2,
            label=name,
        )
    ax.set(xscale="log", yscale="log", xlabel="texts drawn", ylabel="distinct texts so far")
    ax.set_title("How many different texts there are")
    style.legend_outside(ax, "variant: distinct texts")
    return fig


def repeats(table: pd.DataFrame, batch: int) -> Figure:
    """Share of a batch whose text comes twice or more, one box a variant.

    Args:
        table: as ``variety.repeats`` gives it
        batch: pairs in a batch
    """
    style.need(table, ["variant", "repeated"])
    names = list(table["variant"].unique())
    fig, axes = style.figure(height=1.2 + 0.5 * len(names))
    ax = axes[0, 0]
    values = [100 * table.loc[table["variant"] == name, "repeated"] for name in names]
    boxes = ax.boxplot(values, orientation="horizontal", widths=0.6, patch_artist=True, sym=".")
    for box, name in zip(boxes["boxes"], names, strict=True):
        box.set_facecolor(_VARIANTS[name])
    for line in boxes["medians"]:
        line.set_color("black")
    ax.set_yticks(range(1, len(names) + 1), names)
    ax.invert_yaxis()
    ax.set_xlim(-2, 102)
    ax.set(xlabel=f"pairs of a batch of {batch} whose text is there twice or more, %")
    ax.set_title("How often a batch repeats a text")
    return fig


def said(table: pd.DataFrame) -> Figure:
    """How often each attribute is spoken of under rand = n.

    Args:
        table: as ``variety.said`` gives it: one row an attribute, one column a rand
    """
    style.need(table)
    fig, axes = style.figure(height=1.4 + 0.3 * len(table))
    ax = axes[0, 0]
    look = {"vmin": 0, "cmap": "Blues", "annot": True, "fmt": ".0f", "linewidths": 0.5}
    sns.heatmap(100 * table, ax=ax, cbar_kws={"label": "texts that speak of it in %"}, **look)
    ax.set(xlabel="rand: most attributes in a text", ylabel="", title="What is spoken of")
    return fig
