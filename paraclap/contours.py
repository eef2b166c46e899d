"""How does a voice go over time: its spectrum and its pitch, to be looked at.

Features say one number a segment; this is what lies behind them. Times are seconds from the start
of the segment, frequencies Hz, levels dB relative to the loudest moment. The pitch is openSMILE's
F0 of eGeMAPSv02, every 10 ms; where the voice makes no tone it is NaN.

Source: Eyben et al. 2016 (eGeMAPS low-level descriptors); the mel scale is that of O'Shaughnessy,
2595 log10(1 + f / 700).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import opensmile
from numpy.typing import NDArray

from paraclap import audio

BANDS = 64
FLOOR = -70.0  # dB below the loudest moment that are still told apart
_WINDOW, _HOP = 512, 160  # samples: 32 ms, every 10 ms
_PITCH = "F0semitoneFrom27.5Hz_sma3nz"

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Contours:
    """What is to be seen of a segment.

    Attributes:
        signal: mono, 16 kHz, `(samples,)`
        mel: levels in dB, `(bands, frames)`, lowest band first
        bands: centre of each band in Hz
        times: of the frames of ``mel``, in seconds
        pitch: Hz, NaN where there is no tone
        pitch_times: in seconds
    """

    signal: Array
    mel: Array
    bands: Array
    times: Array
    pitch: Array
    pitch_times: Array


def contours(file: str, start: Any = None, end: Any = None) -> Contours:
    """Spectrum and pitch of a segment.

    Args:
        file: audio file
        start: of the segment, in seconds or as timedelta; the file's when None
        end: of the segment

    Raises:
        AudioError: if it cannot be read
    """
    signal = audio.read(file, start, end)
    mel, bands = mel_levels(signal)
    times = (np.arange(mel.shape[1], dtype=np.float32) * _HOP + _WINDOW / 2) / audio.SAMPLING_RATE
    pitch = pitch_hertz(signal)
    pitch_times = np.arange(len(pitch), dtype=np.float32) * np.float32(0.01)
    return Contours(signal, mel, bands, times.astype(np.float32), pitch, pitch_times)


def mel_levels(signal: audio.Signal) -> tuple[Array, Array]:
    """Mel spectrogram of a signal, and the centres of its bands.

    Returns:
        dB relative to the loudest value, `(bands, frames)`; Hz, `(bands,)`
    """
    padded = np.pad(signal, (0, max(0, _WINDOW - len(signal))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), axis=1)) ** 2
    weights, centres = _mel_weights()
    energy = power @ weights.T
    loudest = max(float(energy.max()), 1e-30)
    levels = 10 * np.log10(np.maximum(energy / loudest, 10 ** (FLOOR / 10)))
    return levels.T.astype(np.float32), centres


@cache
def _mel_weights() -> tuple[NDArray[np.float64], Array]:
    """Triangles over the spectrum, `(bands, bins)`, and their centres in Hz."""
    bins = np.fft.rfftfreq(_WINDOW, 1 / audio.SAMPLING_RATE)
    top = 2595 * np.log10(1 + audio.SAMPLING_RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    return np.clip(np.minimum(rising, falling), 0, None), edges[1:-1].astype(np.float32)


@cache
def _descriptors() -> opensmile.Smile:
    return opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02,
        feature_level=opensmile.FeatureLevel.LowLevelDescriptors,
    )


def pitch_hertz(signal: audio.Signal) -> Array:
    """Pitch every 10 ms, NaN where there is no tone.

    Returns:
        Hz, `(frames,)`; empty if the signal is shorter than openSMILE's window of 60 ms
    """
    if len(signal) < 0.06 * audio.SAMPLING_RATE:
        return np.zeros(0, np.float32)
    names = _descriptors().feature_names
    values = _descriptors()(signal, audio.SAMPLING_RATE)[0, names.index(_PITCH)]
    return np.where(values > 0, 27.5 * 2 ** (values / 12), np.nan).astype(np.float32)
