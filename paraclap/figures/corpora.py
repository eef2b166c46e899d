"""What does a corpus look like: its voices, classes, speakers, lengths and ratings.

All tables are labels tables on the segmented index (see ``tables.LABELS``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from paraclap.contours import FLOOR, Contours
from paraclap.figures import style
from paraclap.tables import GENDERS, SPLITS


def examples(labels: pd.DataFrame, count: int = 6) -> pd.DataFrame:
    """Choose segments to listen to: one speaker, as many emotions as there are.

    Args:
        labels: labels table
        count: at most so many

    Returns:
        rows of ``labels``; with neither emotions nor labels, its first ones
    """
    style.need(labels)
    column = "emotion" if labels["emotion"].notna().any() else "label"
    known = labels[labels[column].notna()]
    if known.empty:
        return labels.head(count)
    by_speaker = known.groupby("speaker")[column]
    rank = pd.DataFrame({"classes": by_speaker.nunique().clip(upper=count), "n": by_speaker.size()})
    chosen = rank.sort_values(["classes", "n"], ascending=False, kind="stable").index[0]
    rows = known[known["speaker"] == chosen].drop_duplicates(column)
    place = {word: at for at, word in enumerate(style.ordered(rows[column]))}
    order = np.argsort([place[word] for word in rows[column]], kind="stable")
    best: pd.DataFrame = rows.iloc[order[:count]]
    return best


def contrast(chosen: pd.DataFrame) -> pd.DataFrame:
    """Choose two of some segments that differ much: anger and sadness, else first and last."""
    style.need(chosen)
    pair = chosen[chosen["emotion"].isin(["anger", "sadness"])]
    return pair if len(pair) == 2 else chosen.iloc[[0, -1]]


def looks(first: Contours, second: Contours, titles: tuple[str, str]) -> Figure:
    """Two voices as signal, mel spectrogram and pitch contour.

    Args:
        first: contours of the voice in the left column
        second: those of the voice on the right
        titles: of the columns
    """
    fig, axes = style.figure(3, 2, height=6.0, sharex="col", sharey="row")
    for column, (voice, title) in enumerate(zip((first, second), titles, strict=True)):
        _signal(axes[0, column], voice)
        image = _mel(axes[1, column], voice)
        axes[2, column].plot(voice.pitch_times, voice.pitch, color=style.ORANGE, linewidth=2)
        axes[0, column].set_title(title)
        axes[2, column].set_xlabel("time in s")
    for row, name in enumerate(("signal", "frequency in kHz", "pitch in Hz")):
        axes[row, 0].set_ylabel(name)
    fig.colorbar(image, ax=axes[1, :], label="level in dB", pad=0.01)
    return fig


def _signal(ax: Axes, voice: Contours) -> None:
    times = np.arange(len(voice.signal)) / 16_000
    ax.plot(times, voice.signal, color=style.BLUE, linewidth=0.5)


def _mel(ax: Axes, voice: Contours) -> QuadMesh:
    ax.grid(visible=False)
    image = ax.pcolormesh(
        voice.times, np.arange(len(voice.bands)), voice.mel, cmap="magma", vmin=FLOOR, vmax=0
    )
    ticks = [int(np.argmin(np.abs(voice.bands - hertz))) for hertz in (250, 1000, 2000, 4000, 7500)]
    ax.set_yticks(ticks, ["0.25", "1", "2", "4", "7.5"])
    return image


def classes(labels: pd.DataFrame) -> Figure:
    """Share of each class in each split of the corpora that are trained on.

    Args:
        labels: labels table; held-out corpora are left out
    """
    style.need(labels)
    rows = labels[labels["corpus"].isin(trained(labels)) & labels["label"].notna()]
    if rows.empty:
        return style.note("No class to count: the training corpus has no labels.")
    words = style.ordered(rows["label"])
    splits = [split for split in SPLITS if (rows["split"] == split).any()]
    fig, axes = style.figure(height=1.2 + 0.36 * len(words))
    ax = axes[0, 0]
    for place, split in enumerate(splits):
        one = rows[rows["split"] == split]
        share = one["label"].value_counts(normalize=True).reindex(words, fill_value=0)
        at = np.arange(len(words)) + (place - (len(splits) - 1) / 2) * 0.25
        name = f"{split} ({len(one):,})"
        ax.barh(at, 100 * share, height=0.25, color=style.SPLITS[split], label=name)
    style.chance(ax, 100 / len(words), "equal shares", upright=True)
    ax.set_yticks(range(len(words)), words)
    ax.invert_yaxis()
    ax.set(xlabel="share of the split in %", title="Classes by split")
    style.legend_outside(ax, "split (segments)")
    return fig


def trained(labels: pd.DataFrame) -> list[str]:
    """Names of the corpora with a training split, in the order of the table."""
    return list(labels.loc[labels["split"] == "train", "corpus"].unique())


def speakers(labels: pd.DataFrame) -> Figure:
    """Speakers of each split of the training corpora, by gender, and the segments of each."""
    style.need(labels)
    rows = labels[labels["corpus"].isin(trained(labels))]
    people = rows.groupby(["split", "speaker"], as_index=False).agg(
        gender=("gender", "first"), segments=("label", "size")
    )
    people["gender"] = people["gender"].astype("str").fillna("not given")
    splits = [split for split in SPLITS if (people["split"] == split).any()]
    fig, axes = style.figure(1, 2, height=3.2)
    left, right = axes[0]
    bottom = np.zeros(len(splits))
    shades = {**style.GENDERS, "not given": style.GREY}
    for gender in [one for one in (*GENDERS, "not given") if (people["gender"] == one).any()]:
        counts = people[people["gender"] == gender]["split"].value_counts().reindex(splits)
        heights = counts.fillna(0).to_numpy()
        left.bar(splits, heights, 0.6, bottom, color=shades[gender], label=gender)
        bottom += heights
    left.set(ylabel="speakers", title="Speakers by split")
    left.legend(title="gender")
    _segments_each(right, people, splits)
    return fig


def _segments_each(ax: Axes, people: pd.DataFrame, splits: list[str]) -> None:
    edges = np.histogram_bin_edges(people["segments"], bins=min(20, len(people))).tolist()
    for split in splits:
        counts = people.loc[people["split"] == split, "segments"]
        shade = style.SPLITS[split]
        ax.hist(counts, edges, histtype="step", linewidth=2, color=shade, label=split)
    ax.set(xlabel="segments of a speaker", ylabel="speakers", title="How much each says")
    ax.legend()


def plane(labels: pd.DataFrame) -> Figure:
    """Arousal and valence of each emotion: dots are segments, ellipses one standard deviation."""
    style.need(labels)
    rows = labels.dropna(subset=["arousal", "valence", "emotion"])
    if rows.empty:
        return style.note("No segment has an emotion with ratings of arousal and valence.")
    words = style.ordered(rows["emotion"])
    shades = style.colours(words)
    fig, axes = style.figure(height=5.2)
    ax = axes[0, 0]
    dots = rows.sample(min(len(rows), 1500), random_state=0)
    colours = dots["emotion"].map(shades).to_list()
    ax.scatter(dots["valence"], dots["arousal"], s=9, alpha=0.35, c=colours, linewidths=0)
    for word in words:
        _ellipse(ax, rows[rows["emotion"] == word][["valence", "arousal"]], word, shades[word])
    ax.set(xlabel="valence (negative to positive)", ylabel="arousal (calm to excited)")
    ax.set_title("Emotions in the plane of ratings")
    return fig


def _ellipse(ax: Axes, points: pd.DataFrame, word: str, colour: str) -> None:
    """One standard deviation around the mean, and the word at it."""
    middle = points.mean().to_numpy()
    if len(points) > 2:
        sizes, axes = np.linalg.eigh(points.cov().to_numpy())
        width, height = 2 * np.sqrt(np.maximum(sizes, 0))
        angle = float(np.degrees(np.arctan2(axes[1, 0], axes[0, 0])))
        look: dict[str, Any] = {"facecolor": "none", "edgecolor": colour, "linewidth": 2}
        ax.add_patch(Ellipse((middle[0], middle[1]), width, height, angle=angle, **look))
    box = {"facecolor": "white", "edgecolor": colour, "boxstyle": "round,pad=0.2", "alpha": 0.9}
    ax.text(middle[0], middle[1], word, ha="center", va="center", fontsize=9, bbox=box)


def held_out(labels: pd.DataFrame) -> Figure:
    """Class balance of each corpus that is only tested on."""
    style.need(labels)
    rows = labels[~labels["corpus"].isin(trained(labels)) & labels["label"].notna()]
    names = list(rows["corpus"].unique())
    if not names:
        return style.note("No held-out corpus: all corpora have a training split.")
    lines = -(-len(names) // 4)
    fig, axes = style.figure(lines, 4, height=0.6 + 2.3 * lines)
    for ax in axes.flat[len(names) :]:
        ax.set_axis_off()
    for ax, name in zip(axes.flat, names, strict=False):
        counts = rows.loc[rows["corpus"] == name, "label"].value_counts()
        words = style.ordered(counts.index)
        ax.barh(words, counts[words], color=list(style.colours(words).values()))
        style.chance(ax, float(counts.mean()), "equal shares", upright=True)
        ax.invert_yaxis()
        ax.set_title(name, fontsize=9.5)
        ax.tick_params(labelsize=8)
    fig.supxlabel("segments (dashed: if all classes had the same number)", fontsize=9.5)
    return fig
