"""How does a voice get into a page? As compressed sound inside of it.

Signals are mono, float32, nominally in -1 … 1, shape `(samples,)`; see `audio`. A page carries many
of them, so they are cut to their first seconds and written as MP3 of a constant 24 kbit/s, which
every browser plays: about 4 kB a second in the page.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from paraclap import audio
from paraclap.signals import Signals

SECONDS = 2.0  # of a voice, heard in a page that carries many
RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000)  # Hz, of MP3 with low bit rates
_COMPRESSION = 0.9  # of soundfile: 24 kbit/s at these rates
_FADE = 0.02  # seconds: a voice that is cut ends without a click


def address(signal: audio.Signal, sampling_rate: int = audio.SAMPLING_RATE) -> str:
    """Compress a signal into an address that a player in a page takes for a file.

    Args:
        signal: shape `(samples,)`; values outside -1 … 1 are clipped
        sampling_rate: in Hz, one of `RATES`

    Returns:
        a data URI of MP3, mono, 24 kbit/s

    Raises:
        ValueError: if the signal is no row of finite samples, or the rate is another one
    """
    if signal.ndim != 1 or not len(signal) or not np.isfinite(signal).all():
        msg = f"Bad signal of shape {signal.shape}, expected a row of one or more finite samples."
        raise ValueError(msg)
    if sampling_rate not in RATES:
        msg = f"Bad sampling rate {sampling_rate} Hz, expected one of {list(RATES)}: resample it."
        raise ValueError(msg)
    return f"data:audio/mpeg;base64,{base64.b64encode(_mp3(signal, sampling_rate)).decode()}"


def _mp3(signal: audio.Signal, sampling_rate: int) -> bytes:
    content = io.BytesIO()
    how = {"bitrate_mode": "CONSTANT", "compression_level": _COMPRESSION}
    with soundfile.SoundFile(content, "w", sampling_rate, 1, format="MP3", **how) as stream:
        stream.write(np.clip(signal, -1, 1))
    return content.getvalue()


def read(
    segments: pd.Index, store: Path | None = None, seconds: float = SECONDS
) -> list[audio.Signal]:
    """Signals of segments, short enough for a page.

    Args:
        segments: audformat index (file, start, end)
        store: folder of decoded signals, see :mod:`paraclap.signals`; None reads the files
        seconds: what is longer is cut to its first so many seconds and faded out

    Returns:
        one signal a segment, 16 kHz, shape `(samples,)`, at most `seconds` long

    Raises:
        AudioError: if a file cannot be read
    """
    voices = Signals(segments, store)
    return [short(voices.read(row), seconds) for row in range(len(voices))]


def short(signal: audio.Signal, seconds: float = SECONDS) -> audio.Signal:
    """First seconds of a signal, faded out over 20 ms where it is cut.

    Args:
        signal: 16 kHz, shape `(samples,)`
        seconds: how many are kept

    Raises:
        ValueError: if that is not more than the fade
    """
    if seconds <= _FADE:
        raise ValueError(f"Bad length {seconds} s of a clip, expected more than {_FADE} s.")
    kept = round(seconds * audio.SAMPLING_RATE)
    if len(signal) <= kept:
        return signal
    fade = np.linspace(1, 0, round(_FADE * audio.SAMPLING_RATE), dtype=np.float32)
    return np.concatenate([signal[: kept - len(fade)], signal[kept - len(fade) : kept] * fade])
