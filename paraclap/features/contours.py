"""Mel spectrogram and pitch contour of a signal: what lies behind one number a segment.

Times are seconds, frequencies Hz, levels dB relative to the loudest moment. The pitch is the F0 of
eGeMAPSv02 (Eyben et al. 2016), NaN where there is no tone. Chapter 1 shows both.
"""

import numpy as np
import opensmile
from numpy.typing import NDArray

from paraclap.audio import SAMPLING_RATE, Signal

Array = NDArray[np.float32]
BANDS = 64
HOP = 0.01  # seconds
FLOOR = -70.0  # dB below the loudest moment
_WINDOW = 512  # samples: 32 ms


def mel_spectrogram(signal: Signal) -> tuple[Array, Array, Array]:
    """Levels ``(bands, frames)``, centres of the bands ``(bands,)``, and times ``(frames,)``."""
    padded = np.pad(signal, (0, max(0, _WINDOW - len(signal))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)
    frames = frames[:: round(HOP * SAMPLING_RATE)]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), axis=1)) ** 2
    bins = np.fft.rfftfreq(_WINDOW, 1 / SAMPLING_RATE)
    top = 2595 * np.log10(1 + SAMPLING_RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)  # equally wide in mel
    weights = [np.interp(bins, edges[band : band + 3], [0, 1, 0]) for band in range(BANDS)]
    energy = weights @ power.T
    levels = 10 * np.log10(np.maximum(energy / max(energy.max(), 1e-30), 10 ** (FLOOR / 10)))
    times = np.arange(len(frames)) * HOP + _WINDOW / 2 / SAMPLING_RATE
    return levels.astype(np.float32), edges[1:-1].astype(np.float32), times.astype(np.float32)


def pitch_contour(signal: Signal) -> Array:
    """Pitch in Hz every 10 ms; empty if the signal is shorter than openSMILE's window of 60 ms."""
    if len(signal) < 0.06 * SAMPLING_RATE:
        return np.zeros(0, np.float32)
    lld = opensmile.Smile(feature_set="eGeMAPSv02", feature_level="lld")
    values = lld(signal, SAMPLING_RATE)[0, lld.feature_names.index("F0semitoneFrom27.5Hz_sma3nz")]
    return np.where(values > 0, 27.5 * 2 ** (values / 12), np.nan).astype(np.float32)
