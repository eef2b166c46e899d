"""Synthetic speech from other hands: a source-filter synthesiser, and emotions written anew.

Pulses of the glottis pass formants, frame by frame (Klatt and Klatt 1990). Texts are syllables of
no language, as in Banse and Scherer 1996; each speaker has another room and microphone. Tables:
``other_emotions.csv`` (differences from neutral in semitones, log rate, dB, shares, % and ms, set
by hand; ``utterance`` and ``speaker`` are standard deviations), ``other_phones.csv`` (Hz and ms:
Peterson and Barney 1952, Klatt 1980), ``other_corpora.csv``.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator
from scipy.ndimage import gaussian_filter1d
from scipy.signal import fftconvolve

from paraclap import audio, tables

HALVES = ("dev", "test")  # to choose by, and to report
RATE, HOP, WINDOW, FFT, FINER = audio.SAMPLING_RATE, 80, 320, 1024, 4
PITCH, TRACT = {"male": 110.0, "female": 200.0}, {"male": 1.0, "female": 1.17}
WIDTHS = np.array([[80], [100], [150], [250], [350], [450], [550]])  # of the resonances, Hz
HERTZ = np.fft.rfftfreq(FFT, 1 / RATE)
PHONES, EMOTIONS, CORPORA = (
    pd.read_csv(Path(__file__).with_name(f"other_{name}.csv"), index_col=0)
    for name in ("phones", "emotions", "corpora")
)
CUES = EMOTIONS.columns[:-1]


def build(folder: Path, half: str, seed: int = 0) -> Path:
    """Write the corpora of a half, with ``labels.csv``, unless they are there; the folder."""
    if (folder / "labels.csv").exists():
        return folder
    rows = []
    for name, corpus in CORPORA.iterrows():
        for number in range(corpus["speakers"]):
            rng = np.random.default_rng([seed, HALVES.index(half), number, *str(name).encode()])
            gender = np.resize(corpus["genders"].split(), corpus["speakers"])[number]
            voice, speaker = draw_voice(gender, rng), f"{name}-{half}-{number:02d}"
            for emotion in corpus["emotions"].split() * corpus["takes"]:
                rows.append(
                    [f"{name}/{speaker}/{len(rows):04d}.wav", name, speaker, gender, emotion]
                )
                signal = utterance(emotion, corpus["strength"], voice, rng)
                with tables.atomic(folder / rows[-1][0]) as part:
                    part.write_bytes(audio.encode(signal, comment=audio.SYNTHETIC))
    table = pd.DataFrame(rows, columns=["file", "corpus", "speaker", "gender", "emotion"])
    return tables.write_table(table, folder / "labels.csv").parent


def draw_voice(gender: str, rng: Generator) -> pd.Series:
    """A speaker: habits, anatomy, and the room and microphone that record."""
    voice = EMOTIONS.loc["speaker", CUES].astype(float) * rng.normal(size=len(CUES))
    voice["hertz"], voice["tract"] = PITCH[gender], TRACT[gender] * rng.normal(1, 0.04)
    voice["gain"], voice["noise"] = rng.normal(-27, 2), rng.uniform(-50, -25)
    voice["echo"], voice["colour"] = rng.uniform(0.05, 0.45), rng.uniform(-0.8, 0)
    return pd.concat([voice, pd.Series(rng.normal(0, 2.5, 6), [f"eq{i}" for i in range(6)])])


def utterance(emotion: str, strength: float, voice: pd.Series, rng: Generator) -> audio.Signal:
    """An utterance: cues of emotion, speaker and chance; a sentence; its sound in a room."""
    table = EMOTIONS[CUES].astype(float)
    random = table.loc["utterance"] * rng.normal(size=len(CUES))
    expression = strength * np.exp(rng.normal(0, 0.3)) * table.loc[emotion]
    cues = expression + random + voice[CUES]
    return record(speak(cues, voice, rng), cues["level"], voice, rng)


def sentence(pauses: float, rng: Generator) -> list[str]:
    """Sounds of a sentence without words: three to five groups of one to three syllables."""
    kinds, sounds = PHONES["kind"].str, list[str]()
    for _ in range(rng.integers(3, 6)):
        for _ in range(rng.integers(1, 4)):
            for kind in ["onset", "vowel"] + ["coda"] * int(rng.random() < 0.3):
                sound = str(rng.choice(PHONES.index[kinds.contains(kind)]))
                sounds += ["closure"] * ("stop" in PHONES.loc[sound, "kind"]) + [sound]
        sounds += ["pause"] * int(rng.random() < 0.12 * np.exp(pauses))
    return sounds


def speak(cues: pd.Series, voice: pd.Series, rng: Generator) -> np.ndarray:
    """A sentence at no particular level, without room and microphone."""
    phones = PHONES.loc[sentence(cues["pauses"], rng)]
    seconds = phones["ms"] / 1000 * np.exp(rng.normal(0, 0.15, len(phones)) - cues["rate"])
    seconds.iloc[-2:] *= 1.4  # the end is slower
    frames = np.maximum(1, (seconds * RATE / HOP).round()).astype(int)
    track = phones.iloc[:, 1:8].to_numpy(float).repeat(frames, axis=0)
    time = np.linspace(0, 1, len(track))
    accent = gaussian_filter1d(rng.normal(size=len(phones)).repeat(frames), 12)
    accent /= accent.std() + 1e-9
    melody = cues["pitch"] + max(0.3, 1.6 + cues["range"]) * accent - 2 * time  # semitones
    melody += np.clip((time - 0.7) / 0.3, 0, 1) * cues["end"]
    pulses, opened = glottis(voice["hertz"] * 2 ** (melody / 12), cues, rng)
    onset = np.clip(12 + cues["attack"], 4, 60) / 1000 * RATE / HOP
    louder = 10 ** (max(0.5, 1.5 + cues["swing"]) * accent / 20)
    voiced, hiss = (
        np.repeat(gaussian_filter1d(track[:, column], onset) * louder, HOP) for column in (3, 4)
    )
    noise = rng.normal(size=(2, len(pulses)))
    breath = 10 ** (np.clip(-24 + cues["breath"], -40, -6) / 20)
    source = voiced * (pulses + breath * noise[0] * (0.3 + opened))
    neutral = np.array([500, 1500, 2500])  # of a tube without articulation
    formants = neutral + np.exp(cues["vowels"]) * (gaussian_filter1d(track[:, :3], 4, 0) - neutral)
    formants[:, 0] *= 1 + 0.01 * np.clip(cues["level"], -8, 8)
    tilt = np.clip(8 + cues["tilt"], 0, 30) / 20 * np.log10(1 + (HERTZ / 1000) ** 2)  # at 3 kHz
    tract = resonances(np.maximum(formants, 180) * voice["tract"]) * 10**-tilt
    band = np.exp(-(((HERTZ - track[:, 5:6]) / track[:, 6:7]) ** 2))
    return overlap_add(source, tract) + overlap_add(0.6 * hiss * noise[1], band)


def glottis(hertz: np.ndarray, cues: pd.Series, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
    """Change of the flow through the glottis, and whether it is open, both by sample."""
    fine = np.repeat(gaussian_filter1d(np.clip(hertz, 55, 600), 2), HOP * FINER)
    phase = np.cumsum(fine / (RATE * FINER))
    cycles = int(phase[-1]) + 3
    uneven = rng.normal(size=cycles) * np.clip(0.6 + cues["jitter"], 0.1, 4) / 100
    phase += np.interp(phase, np.arange(cycles), uneven)
    heights = 10 ** (rng.normal(size=cycles) * np.clip(0.5 + cues["shimmer"], 0.05, 3) / 20)
    cycle, place = np.divmod(np.maximum(phase, 0), 1)
    share = place / np.clip(0.6 + cues["open"], 0.3, 0.9)
    pulses = np.where(share < 1, 2 * share - 3 * share**2, 0) * heights[cycle.astype(int)]
    return tuple(one.reshape(-1, FINER).mean(1) for one in (pulses, share < 1))


def resonances(formants: np.ndarray) -> np.ndarray:
    """Response of the vocal tract, ``(frames, bins)``; formants from the fourth on are fixed."""
    fixed = np.array([3500, 4500, 5500, 6500]) * (formants[:, 2:].mean() / 2450)
    square = np.hstack([formants, np.tile(fixed, (len(formants), 1))])[:, :, None] ** 2
    return (square / (square - HERTZ**2 + 1j * HERTZ * WIDTHS)).prod(axis=1)


def overlap_add(signal: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Filter a signal with one response a frame."""
    padded = np.pad(signal, (WINDOW // 2, WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][: len(response)]
    shaped = np.fft.irfft(np.fft.rfft(frames * np.hanning(WINDOW), FFT) * response, FFT)
    sound = np.zeros(len(response) * HOP + FFT)
    for place, frame in enumerate(shaped):
        sound[place * HOP : place * HOP + FFT] += frame
    return sound


def record(sound: np.ndarray, level: float, voice: pd.Series, rng: Generator) -> audio.Signal:
    """An utterance as the speaker's room and microphone take it, with noise."""
    time = np.arange(RATE // 2) / RATE
    room = rng.normal(size=len(time)) * 10 ** (-3 * time / voice["echo"]) * 0.04
    room[0] = 1  # what comes straight
    sound = fftconvolve(sound, room)[: len(sound)]
    sound *= 10 ** ((voice["gain"] + level) / 20) / (sound.std() + 1e-9)
    bins = np.fft.rfftfreq(len(sound), 1 / RATE)
    hum = np.fft.rfft(rng.normal(size=len(sound))) * np.maximum(bins, 50) ** voice["colour"]
    hum = np.fft.irfft(hum, len(sound))
    sound += hum / hum.std() * 10 ** ((voice["gain"] + voice["noise"]) / 20)
    knots, decibels = np.log(np.geomspace(60, 8000, 6)), voice.filter(like="eq")
    curve = 10 ** (np.interp(np.log(np.maximum(bins, 1)), knots, decibels) / 20)
    sound = np.fft.irfft(np.fft.rfft(sound) * curve, len(sound))
    return np.clip(sound, -0.99, 0.99).astype(np.float32)
