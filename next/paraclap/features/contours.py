"""Mel spectrogram and pitch contour of a signal: what lies behind one number a segment.

Times are seconds from the start of the signal, frequencies Hz, levels dB relative to the loudest
moment. The pitch is openSMILE's F0 of eGeMAPSv02, every 10 ms, NaN where there is no tone.
Chapter 1 shows both.

Source: Eyben et al. 2016 (eGeMAPS low-level descriptors); mel scale 2595 log10(1 + f / 700).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import opensmile
from numpy.typing import NDArray

from paraclap import audio

BANDS = 64
HOP = 0.01  # seconds
FLOOR = -70.0  # dB below the loudest moment
_WINDOW = 512  # samples: 32 ms
_PITCH = "F0semitoneFrom27.5Hz_sma3nz"


def mel_spectrogram(
    signal: audio.Signal,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Mel spectrogram of a signal at 16 kHz.

    Returns:
        levels in dB ``(bands, frames)``, lowest band first; centres of the bands in Hz
        ``(bands,)``; times of the frames in seconds ``(frames,)``
    """
    padded = np.pad(signal, (0, max(0, _WINDOW - len(signal))))
    hop = round(HOP * audio.SAMPLING_RATE)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::hop]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), axis=1)) ** 2
    weights, centres = _mel_weights()
    energy = weights @ power.T
    loudest = max(float(energy.max()), 1e-30)
    levels = 10 * np.log10(np.maximum(energy / loudest, 10 ** (FLOOR / 10)))
    times = np.arange(len(frames)) * HOP + _WINDOW / 2 / audio.SAMPLING_RATE
    return levels.astype(np.float32), centres, times.astype(np.float32)


@cache
def _mel_weights() -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Triangles over the spectrum ``(bands, bins)`` and their centres in Hz."""
    bins = np.fft.rfftfreq(_WINDOW, 1 / audio.SAMPLING_RATE)
    top = 2595 * np.log10(1 + audio.SAMPLING_RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    return np.clip(np.minimum(rising, falling), 0, None), edges[1:-1].astype(np.float32)


@cache
def _descriptors() -> opensmile.Smile:
    return opensmile.Smile(
        opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.LowLevelDescriptors
    )


def pitch_contour(signal: audio.Signal) -> NDArray[np.float32]:
    """Pitch in Hz every 10 ms; empty if the signal is shorter than openSMILE's window of 60 ms."""
    if len(signal) < 0.06 * audio.SAMPLING_RATE:
        return np.zeros(0, np.float32)
    names = _descriptors().feature_names
    values = _descriptors()(signal, audio.SAMPLING_RATE)[0, names.index(_PITCH)]
    return np.where(values > 0, 27.5 * 2 ** (values / 12), np.nan).astype(np.float32)
