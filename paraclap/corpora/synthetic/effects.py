"""Prosody and channel of synthetic speech: perturbation, breath, spectral tilt, level, noise.

Prosody is given in z units per dimension (:data:`PROSODY`): one z is roughly the spread of natural
speech. Signals are float32 ``(samples,)``, levels in dB relative to full scale. Chapter 1.

Sources: Eyben et al. 2016 (jitter and shimmer from period to period); Juslin & Laukka 2003 (which
cues carry emotion); the telephone band is 300 to 3,400 Hz (ITU-T G.712).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from paraclap.audio import Signal
from paraclap.corpora.synthetic.espeak import SAMPLING_RATE, VoiceSettings

PROSODY = (
    "pitch", "variation", "rate", "level", "brightness", "breathiness", "jitter", "shimmer",
    "pauses",
)  # fmt: skip

# Measured on espeak-ng: semitones of standard deviation per (high - low) / mean, where in
# [low, high] the mean pitch lies, and Hz that it takes off its pitch setting.
_SLOPE, _CENTRE, _ORIGIN = 4.65, 0.71, 9
_BLOCK_IN, _BLOCK_OUT = 441, 320  # 22,050 : 16,000 Hz


def voice_settings(row: Mapping[str, Any]) -> tuple[VoiceSettings, float]:
    """Settings of espeak-ng for a row of the plan, and the mean pitch: 3 semitones per z, in Hz."""
    mean = float(np.clip(150.0 * 2 ** (3.0 * row["pitch"] / 12), 70, 480))
    semitones = 12 * np.log2(mean / 27.5)
    deviation = 0.075 * np.exp(0.45 * row["variation"]) * semitones
    width = min(mean * deviation / _SLOPE, (mean - 45) / _CENTRE)
    low = round(mean + _ORIGIN - _CENTRE * width)
    rate = round(float(np.clip(150 * np.exp(0.15 * row["rate"]), 100, 280)))
    return VoiceSettings(row["accent"], low, low + round(width), rate, row["formants"]), mean


def apply_effects(signal: Signal, row: Mapping[str, Any], pitch: float, rng: Generator) -> Signal:
    """Turn plain speech at 22,050 Hz into an utterance at 16 kHz.

    Args:
        signal: from espeak-ng
        row: of the plan: prosody in z, `noise` of the room or line in dB, and whether only
            300 to 3,400 Hz pass (`telephone`)
        pitch: mean pitch in Hz, the scale of the perturbation
        rng: of perturbation and noise
    """
    loud, edge = np.flatnonzero(np.abs(signal) > 1e-3), int(0.06 * SAMPLING_RATE)
    signal = signal[max(loud[0] - edge, 0) : loud[-1] + edge]  # cuts silence but for 60 ms
    signal = perturb(signal, row["jitter"], row["shimmer"], pitch, rng)
    signal = add_breath(signal, row["breathiness"], rng)
    signal = tilt_and_resample(signal, row["brightness"], row["telephone"])
    rms = float(np.sqrt(np.mean(np.square(signal)))) + 1e-9
    signal = signal * np.float32(10 ** ((-30 + 4.5 * row["level"]) / 20) / rms)
    hiss = rng.standard_normal(len(signal), dtype=np.float32) * np.float32(
        10 ** (row["noise"] / 20)
    )
    return np.clip(signal + hiss, -0.999, 0.999).astype(np.float32)


def perturb(signal: Signal, jitter: float, shimmer: float, pitch: float, rng: Generator) -> Signal:
    """Make periods unequal in length (0.7 % at z = 0, x 2.2 per z) and height (1 dB, x 2.1)."""
    period = SAMPLING_RATE / pitch
    steps = int(len(signal) / period) + 2
    knots = np.arange(steps, dtype=np.float64) * period
    shift = rng.standard_normal(steps) * period * min(0.007 * 2.2**jitter, 0.06)
    height = rng.standard_normal(steps) * min(1.0 * 2.1**shimmer, 5.0)
    time = np.arange(len(signal), dtype=np.float64)
    moved = np.interp(time, knots + shift, knots)
    gain = np.interp(time, knots, 10 ** (height / 20))
    place = np.clip(moved.astype(np.int64), 0, len(signal) - 2)
    part = (moved - place).astype(np.float32)
    left = signal[place]
    return np.asarray((left + part * (signal[place + 1] - left)) * gain.astype(np.float32))


def add_breath(signal: Signal, breathiness: float, rng: Generator) -> Signal:
    """Add noise that follows the loudness of the speech: 21 dB under it at z = 0, 5 dB per z."""
    block = 220  # 10 ms
    count = len(signal) // block
    power = np.square(signal[: count * block]).reshape(count, block).mean(1)
    envelope = np.interp(np.arange(len(signal)), (np.arange(count) + 0.5) * block, np.sqrt(power))
    air = rng.standard_normal(len(signal), dtype=np.float32)
    loudness = 10 ** (min(-21 + 5 * breathiness, -7) / 20)
    return np.asarray(signal + air * (loudness * envelope).astype(np.float32))


def tilt_and_resample(signal: Signal, brightness: float, telephone: bool) -> Signal:
    """Tilt the spectrum by 1.8 dB per octave and z around 500 Hz; then the channel, then 16 kHz."""
    blocks = -(-len(signal) // _BLOCK_IN)
    samples = len(signal) * _BLOCK_OUT // _BLOCK_IN
    spectrum = np.fft.rfft(signal, blocks * _BLOCK_IN)
    bins = blocks * _BLOCK_OUT // 2 + 1
    hertz = np.arange(bins) * (SAMPLING_RATE / (blocks * _BLOCK_IN))
    octaves = np.log2(np.clip(hertz, 80, 8_000) / 500)
    gain = 10 ** (1.8 * brightness * octaves / 20) * np.clip((8_000 - hertz) / 200, 0, 1)
    if telephone:
        gain *= np.clip((hertz - 200) / 100, 0, 1) * np.clip((3_600 - hertz) / 200, 0, 1)
    scale = _BLOCK_OUT / _BLOCK_IN
    filtered = np.fft.irfft(spectrum[:bins] * (gain * scale), blocks * _BLOCK_OUT)
    return filtered[:samples].astype(np.float32)
