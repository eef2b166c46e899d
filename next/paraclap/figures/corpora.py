"""Figures of corpora: examples to listen to, and what lies behind a signal.

Tables are labels tables on the segmented index. Chapter 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from paraclap import audio
from paraclap.features.contours import FLOOR, HOP, mel_spectrogram, pitch_contour
from paraclap.figures import style


def examples(labels: pd.DataFrame, count: int = 6) -> pd.DataFrame:
    """Segments to listen to: one speaker, as many emotions (or labels) as there are.

    Args:
        labels: labels table
        count: at most so many

    Returns:
        rows of ``labels``; the first ones where it has neither emotions nor labels
    """
    style.check(labels)
    column = "emotion" if labels["emotion"].notna().any() else "label"
    given = labels[labels[column].notna()]
    if given.empty:
        return labels.head(count)
    speakers = given.groupby("speaker")[column].agg(["nunique", "size"])
    speakers["nunique"] = speakers["nunique"].clip(upper=count)
    best = speakers.sort_values(["nunique", "size"], ascending=False, kind="stable").index[0]
    rows = given[given["speaker"] == best].drop_duplicates(column)
    place = [style.ordered(rows[column]).index(word) for word in rows[column]]
    chosen: pd.DataFrame = rows.iloc[np.argsort(place, kind="stable")[:count]]
    return chosen


def contours(segments: pd.DataFrame, titles: Sequence[str]) -> style.Picture:
    """Signal, mel spectrogram and pitch contour of two or three segments, side by side.

    Args:
        segments: on the segmented index
        titles: one a segment

    Raises:
        AudioError: if a file cannot be read
    """
    style.check(segments)
    fig, axes = style.figure(3, len(segments), 6.0, squeeze=False, sharex="col", sharey="row")
    for column, (segment, title) in enumerate(zip(segments.index, titles, strict=True)):
        signal = audio.read(*segment)
        _contours(axes[:, column], signal)
        axes[0, column].set_title(title)
        axes[2, column].set_xlabel("time in s")
    for ax, name in zip(axes[:, 0], ("signal", "frequency in kHz", "pitch in Hz"), strict=True):
        ax.set_ylabel(name)
    fig.colorbar(axes[1, 0].collections[0], ax=axes[1, :], label="level in dB", pad=0.01)
    return fig


def _contours(axes: Sequence[Axes], signal: audio.Signal) -> None:
    mel, bands, times = mel_spectrogram(signal)
    pitch = pitch_contour(signal)
    seconds = np.arange(len(signal)) / audio.SAMPLING_RATE
    axes[0].plot(seconds, signal, color=style.BLUE, linewidth=0.5)
    axes[1].pcolormesh(times, np.arange(len(bands)), mel, cmap="magma", vmin=FLOOR, vmax=0)
    axes[1].grid(visible=False)
    places = [int(np.argmin(np.abs(bands - hertz))) for hertz in (250, 1000, 2000, 4000, 7500)]
    axes[1].set_yticks(places, ["0.25", "1", "2", "4", "7.5"])
    axes[2].plot(np.arange(len(pitch)) * HOP, pitch, color=style.ORANGE, linewidth=2)
