"""How does a voice colour the speech: perturbation, breath, spectral tilt, channel, level.

The intended voice is given in z units per dimension (:data:`DIMENSIONS`); one z is roughly the
spread of natural speech, and each maps to one physical quantity by one formula here
(:func:`larynx`, :func:`shape`). What eGeMAPS measures afterwards follows it, with the errors of
measuring speech.

Signals are float32 `(samples,)`; levels in dB relative to full scale; pitch in Hz, pitch variation
as the standard deviation relative to the mean in semitones above 27.5 Hz (as eGeMAPS gives it).

Sources: Eyben et al. 2016 (eGeMAPS: jitter and shimmer from period to period); Juslin & Laukka
2003 (which cues carry emotion); the telephone band is 300 to 3,400 Hz (ITU-T G.712).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from paraclap import espeak

if TYPE_CHECKING:
    import numpy.typing as npt

    Signal = npt.NDArray[np.float32]

SAMPLING_RATE = 16_000  # Hz of what is written
DIMENSIONS = (
    "pitch",
    "variation",
    "rate",
    "level",
    "brightness",
    "breathiness",
    "jitter",
    "shimmer",
    "pauses",
)

_PITCH = 150.0  # Hz at z = 0: between male and female voices
_SEMITONES = 3.0  # per z
_SLOPE = 4.65  # semitones of standard deviation per (high - low) / mean, measured on espeak-ng
_CENTRE = 0.71  # where in [low, high] the mean pitch lies, measured on espeak-ng
_ORIGIN = 9  # Hz that espeak-ng takes off its pitch setting
_BLOCK_IN, _BLOCK_OUT = 441, 320  # 22,050 : 16,000 Hz
_EDGE = 0.06  # seconds of silence kept at either end
_MARGIN = 7_800.0  # Hz, end of the audible band of 16 kHz


def pitch_hertz(z: float) -> float:
    """Mean pitch in Hz of a voice: three semitones per z around 150 Hz, 70 to 480 Hz."""
    return float(np.clip(_PITCH * 2 ** (_SEMITONES * z / 12), 70, 480))


def larynx(
    voice: Mapping[str, float], accent: str, formants: tuple[int, ...]
) -> tuple[espeak.Larynx, float]:
    """What espeak-ng is told about a voice.

    Args:
        voice: z per dimension
        accent: language or dialect
        formants: percent of the plain voice, five of them

    Returns:
        settings, and mean pitch in Hz
    """
    mean = pitch_hertz(voice["pitch"])
    semitones = 12 * np.log2(mean / 27.5)
    deviation = 0.075 * np.exp(0.45 * voice["variation"]) * semitones
    width = min(mean * deviation / _SLOPE, (mean - 45) / _CENTRE)
    low = round(mean + _ORIGIN - _CENTRE * width)
    rate = round(float(np.clip(150 * np.exp(0.15 * voice["rate"]), 100, 280)))
    return espeak.Larynx(accent, low, low + round(width), rate, formants), mean


def shape(
    signal: Signal,
    voice: Mapping[str, float],
    pitch: float,
    noise: float,
    telephone: bool,
    rng: np.random.Generator,
) -> Signal:
    """Turn plain speech at 22,050 Hz into the voice at 16 kHz.

    Args:
        signal: what espeak-ng spoke
        voice: z per dimension
        pitch: mean pitch in Hz, the scale of the perturbation
        noise: level of the room or line in dB
        telephone: whether only 300 to 3,400 Hz pass
        rng: for perturbation and noise

    Returns:
        signal at 16 kHz, within [-1, 1]
    """
    signal = perturb(trim(signal), voice["jitter"], voice["shimmer"], pitch, rng)
    signal = breathe(signal, voice["breathiness"], rng)
    signal = colour(signal, voice["brightness"], telephone)
    signal = signal * np.float32(_amplitude(-30 + 4.5 * voice["level"]) / _rms(signal))
    hiss = rng.standard_normal(len(signal), dtype=np.float32) * np.float32(_amplitude(noise))
    return np.clip(signal + hiss, -0.999, 0.999).astype(np.float32)


def trim(signal: Signal) -> Signal:
    """Cut silence at both ends, all but 60 ms."""
    loud = np.flatnonzero(np.abs(signal) > 1e-3)
    edge = int(_EDGE * espeak.SAMPLING_RATE)
    return signal[max(loud[0] - edge, 0) : loud[-1] + edge]


def perturb(
    signal: Signal, jitter: float, shimmer: float, pitch: float, rng: np.random.Generator
) -> Signal:
    """Make periods unequal in length (jitter) and height (shimmer).

    Time is bent and amplitude moved by independent normal steps one mean period apart.

    Args:
        signal: speech at 22,050 Hz
        jitter: z; the steps in time are 0.7 % of a period at 0, 2.2 times that per z
        shimmer: z; the steps in amplitude are 1 dB at 0, 2.1 times that per z
        pitch: mean pitch in Hz
        rng: for the steps
    """
    period = espeak.SAMPLING_RATE / pitch
    steps = int(len(signal) / period) + 2
    knots = np.arange(steps, dtype=np.float64) * period
    shift = rng.standard_normal(steps) * period * min(0.007 * 2.2**jitter, 0.06)
    height = rng.standard_normal(steps) * min(1.0 * 2.1**shimmer, 5.0)
    time = np.arange(len(signal), dtype=np.float64)
    bent = np.interp(time, knots + shift, knots)
    gain = np.interp(time, knots, 10 ** (height / 20))
    whole = np.clip(bent.astype(np.int64), 0, len(signal) - 2)
    part = (bent - whole).astype(np.float32)
    left = signal[whole]
    perturbed: Signal = (left + part * (signal[whole + 1] - left)) * gain.astype(np.float32)
    return perturbed


def breathe(signal: Signal, breathiness: float, rng: np.random.Generator) -> Signal:
    """Add breath noise that follows the loudness of the speech.

    Args:
        signal: speech
        breathiness: z; the noise lies 21 dB under the speech at 0, 5 dB per z
        rng: for the noise
    """
    block = 220  # 10 ms
    count = len(signal) // block
    power = np.square(signal[: count * block]).reshape(count, block).mean(1)
    envelope = np.interp(np.arange(len(signal)), (np.arange(count) + 0.5) * block, np.sqrt(power))
    air = rng.standard_normal(len(signal), dtype=np.float32)
    loudness = _amplitude(min(-21 + 5 * breathiness, -7))
    breathy: Signal = signal + air * (loudness * envelope).astype(np.float32)
    return breathy


def colour(signal: Signal, brightness: float, telephone: bool) -> Signal:
    """Tilt the spectrum, pass it through the channel, and resample to 16 kHz, in one transform.

    Args:
        signal: speech at 22,050 Hz
        brightness: z; 1.8 dB per octave per z, turning around 500 Hz
        telephone: whether only 300 to 3,400 Hz pass
    """
    blocks = -(-len(signal) // _BLOCK_IN)
    samples = len(signal) * _BLOCK_OUT // _BLOCK_IN
    spectrum = np.fft.rfft(signal, blocks * _BLOCK_IN)
    bins = blocks * _BLOCK_OUT // 2 + 1
    hertz = np.arange(bins) * (espeak.SAMPLING_RATE / (blocks * _BLOCK_IN))
    octaves = np.log2(np.clip(hertz, 80, 8_000) / 500)
    gain = 10 ** (1.8 * brightness * octaves / 20) * np.clip((8_000 - hertz) / 200, 0, 1)
    if telephone:
        gain *= np.clip((hertz - 200) / 100, 0, 1) * np.clip((3_600 - hertz) / 200, 0, 1)
    scale = _BLOCK_OUT / _BLOCK_IN
    coloured = np.fft.irfft(spectrum[:bins] * (gain * scale), blocks * _BLOCK_OUT)
    return coloured[:samples].astype(np.float32)


def _amplitude(decibel: float) -> float:
    return float(10 ** (decibel / 20))


def _rms(signal: Signal) -> float:
    return float(np.sqrt(np.mean(np.square(signal)))) + 1e-9
