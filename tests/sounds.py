"""Signals and audio files that tests are made of: tones and buzzes, no speech."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

RATE = 16_000


def tone(
    seconds: float = 1.0, hertz: float = 440.0, amplitude: float = 0.5, rate: int = RATE
) -> np.ndarray:
    """A sine, float32."""
    time = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def buzz(seconds: float = 1.0, hertz: float = 120.0, amplitude: float = 0.2, seed: int = 0) -> Any:
    """A tone of many harmonics with moving pitch and level and a little noise, float32."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(hertz * (1 + 0.1 * np.sin(6 * time))) / RATE
    wave = sum(np.sin(n * phase) / n for n in range(1, 8)) * (0.3 + 0.7 * np.sin(3 * time) ** 2)
    noise = np.random.default_rng(seed).standard_normal(len(time))
    return (amplitude * wave + 0.005 * noise).astype(np.float32)


def noise(*samples: int) -> list[np.ndarray]:
    """White noises of so many samples, float32."""
    rng = np.random.default_rng(0)
    return [rng.normal(0, 0.1, count).astype(np.float32) for count in samples]


def write(path: Path, signal: np.ndarray, rate: int = RATE, **options: Any) -> Path:
    """An audio file; ``options`` of soundfile, such as the subtype."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, signal, rate, **options)
    return path


def mp3_without_header(signal: np.ndarray, rate: int = RATE, **options: Any) -> bytes:
    """An MP3 as it comes out of a pipe: without the first frame, which holds the length."""
    content = io.BytesIO()
    soundfile.write(content, signal, rate, format="MP3", **options)
    whole = content.getvalue()
    second = whole.find(whole[:2], 2)
    while b"Xing" in whole[second:] or b"Info" in whole[second:]:
        second = whole.find(whole[:2], second + 1)
    return whole[second:]
