"""What lies behind a signal: its mel spectrogram and its pitch. Chapter 1."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from paraclap import audio
from paraclap.features.contours import FLOOR, HOP, mel_spectrogram, pitch_contour
from paraclap.figures import style


def contours(segments: pd.DataFrame, titles: Sequence[str]) -> style.Picture:
    """Signal, mel spectrogram and pitch contour of a few segments, side by side, a title each."""
    fig, axes = style.figure(3, len(segments), 6.0, squeeze=False, sharex="col", sharey="row")
    for column, segment in enumerate(segments.index):
        wave, image, contour = axes[:, column]
        signal = audio.read(*segment)
        mel, bands, times = mel_spectrogram(signal)
        pitch = pitch_contour(signal)
        wave.plot(np.arange(len(signal)) / audio.SAMPLING_RATE, signal, linewidth=0.5)
        wave.set_title(titles[column])
        image.pcolormesh(times, np.arange(len(bands)), mel, cmap="magma", vmin=FLOOR, vmax=0)
        image.grid(visible=False)
        places = [int(np.argmin(np.abs(bands - hertz))) for hertz in (250, 1000, 2000, 4000, 7500)]
        image.set_yticks(places, ["0.25", "1", "2", "4", "7.5"])
        contour.plot(np.arange(len(pitch)) * HOP, pitch, color=style.ORANGE, linewidth=2)
        contour.set_xlabel("time in s")
    for ax, name in zip(axes[:, 0], ("signal", "frequency in kHz", "pitch in Hz"), strict=True):
        ax.set_ylabel(name)
    fig.colorbar(axes[1, 0].collections[0], ax=axes[1, :], label="level in dB", pad=0.01)
    return fig
