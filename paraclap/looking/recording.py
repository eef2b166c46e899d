"""What is a long recording in which it is known who is heard when, and how?

A corpus of single utterances has none. So utterances of one speaker are put one after the other:
a *stretch* of some seconds in one class, then one of another, with pauses between the utterances.
A change of class lies in the middle of a pause, so that stretches fill the recording. Levels are
left as they are. If no speaker is heard in two classes, several speakers take turns.

Conventions: tables on the audformat index (file, start, end); seconds. Such a recording is harder
than a real one in that moods jump, and easier in that nobody interrupts; it is as synthetic as the
utterances in it, and the file says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap import audio, tables
from paraclap.signals import Signals

PAUSE = 0.3  # seconds between two utterances
SEVERAL = "several speakers"


def speakers(voices: pd.DataFrame, stretch: float) -> pd.DataFrame:
    """Who can be heard in most classes for long enough, best first.

    Args:
        voices: labels table of the voices that tasks are made of, see `tasks.asked`
        stretch: seconds of speech that a class needs

    Returns:
        `corpus, speaker, classes, seconds`, those with two classes or more; one row a corpus for
        `SEVERAL` where no speaker has two

    Raises:
        ValueError: if there are no two classes at all
    """
    found = _heard(voices, stretch)
    if found.empty:
        found = _heard(voices.assign(speaker=SEVERAL), stretch)
    if found.empty:
        raise ValueError(
            f"No recording can be made of {len(voices)} voices, expected voices of two or more "
            "classes in the column 'label'."
        )
    return found


def _heard(voices: pd.DataFrame, stretch: float) -> pd.DataFrame:
    keys = [voices[name] for name in ("corpus", "speaker", "label")]
    spoken = pd.Series(_seconds(voices), voices.index).groupby(keys, sort=False).sum()
    each = spoken.clip(upper=stretch).groupby(["corpus", "speaker"], sort=False)
    found = pd.DataFrame({"classes": each.size(), "seconds": each.sum()}).reset_index()
    found = found[found["classes"] >= 2]
    return found.sort_values("seconds", ascending=False, kind="stable", ignore_index=True)


def _seconds(voices: pd.DataFrame) -> np.ndarray:
    return Signals(voices.index).seconds()


def plan(
    voices: pd.DataFrame, stretch: float, rounds: int = 1, seed: int = 0, pause: float = PAUSE
) -> pd.DataFrame:
    """Choose utterances, in the order in which they will be heard.

    In each round every class that has utterances left has one stretch, in an order drawn anew;
    none comes twice in a row, and there is no round for a class alone.

    Args:
        voices: labels table of one speaker
        stretch: seconds of speech in one class, or all there are
        rounds: at most so many
        seed: of the order of classes and utterances
        pause: seconds after each utterance

    Returns:
        rows of `voices`, with the column `turn`: which stretch they belong to
    """
    rng = np.random.default_rng(seed)
    lengths = _seconds(voices) + pause
    order = rng.permutation(len(voices)).tolist()
    classes = voices["label"].astype("str").tolist()
    left = {name: [i for i in order if classes[i] == name] for name in sorted(set(classes))}
    rows: list[tuple[int, int]] = []
    last = ""
    for _ in range(rounds):
        names = [name for name in left if left[name]]
        if len(names) < 2:
            break
        for name in _shuffled(names, last, rng):
            turn = rows[-1][1] + 1 if rows else 0
            rows += [(i, turn) for i in _take(left[name], lengths, stretch)]
            last = name
    chosen, turns = ([pair[side] for pair in rows] for side in (0, 1))
    return voices.iloc[chosen].assign(turn=turns)


def _shuffled(names: Sequence[str], last: str, rng: np.random.Generator) -> list[str]:
    """Names in a new order that does not begin with the last one."""
    order = [names[i] for i in rng.permutation(len(names))]
    return order if order[0] != last else [*order[1:], order[0]]


def _take(left: list[int], lengths: np.ndarray, stretch: float) -> list[int]:
    """Take utterances off a list until they last for a stretch."""
    taken: list[int] = []
    while left and lengths[taken].sum() < stretch:
        taken.append(left.pop(0))
    return taken


def make(
    voices: pd.DataFrame,
    folder: Path,
    many: int = 1,
    stretch: float = 5.0,
    rounds: int = 1,
    seed: int = 0,
) -> pd.DataFrame:
    """Write a long recording of each of the speakers that `speakers` names first.

    Args:
        voices: labels table of the voices that tasks are made of, see `tasks.asked`
        folder: where the recordings are written, `0.wav` and so on
        many: recordings at most, all of one corpus
        stretch: seconds of speech in one class
        rounds: how often each class comes at most
        seed: of the order of classes and utterances

    Returns:
        their stretches, as `record` gives them, with the `corpus` and `speaker` of each

    Raises:
        AudioError: if an utterance cannot be read
        ValueError: if no recording can be made
    """
    found = speakers(voices, stretch)
    best = found[found["corpus"] == found["corpus"].iloc[0]].head(many)
    parts = []
    for number, (corpus, speaker) in enumerate(zip(best["corpus"], best["speaker"], strict=True)):
        own = voices[voices["corpus"] == corpus]
        own = own if speaker == SEVERAL else own[own["speaker"] == speaker]
        heard = record(plan(own, stretch, rounds, seed + number), folder / f"{number}.wav")
        parts.append(heard.assign(corpus=corpus, speaker=speaker))
    return pd.concat(parts)


def record(
    voices: pd.DataFrame, file: Path, store: Path | None = None, pause: float = PAUSE
) -> pd.DataFrame:
    """Write a long recording.

    Args:
        voices: what is heard, as `plan` gives it
        file: WAV file to be written
        store: folder of decoded signals, see :mod:`paraclap.signals`; None reads the files
        pause: seconds of silence after each utterance

    Returns:
        a row a stretch on the audformat index, without gaps: `truth`, and how many `voices` it has

    Raises:
        AudioError: if an utterance cannot be read
        OSError: if the file cannot be written
    """
    read = Signals(voices.index, store).read
    silence = np.zeros(round(pause * audio.SAMPLING_RATE), np.float32)
    signals = [np.concatenate([read(row), silence]) for row in range(len(voices))]
    names = list(voices.index.get_level_values("file"))
    comment = audio.SYNTHETIC if audio.is_synthetic(names) else ""
    with tables.atomic_path(file) as temporary:
        temporary.write_bytes(audio.encode(np.concatenate(signals), comment=comment))
    lengths = pd.Series([len(signal) / audio.SAMPLING_RATE for signal in signals])
    return _stretches(voices, lengths, file, pause)


def _stretches(voices: pd.DataFrame, lengths: pd.Series, file: Path, pause: float) -> pd.DataFrame:
    turns = voices["turn"].to_numpy()
    ends = lengths.groupby(turns).sum().cumsum().to_numpy()
    edges = [0.0, *(ends[:-1] - pause / 2), ends[-1]]
    times = [(_time(start), _time(end)) for start, end in pairwise(edges)]
    starts, stops = zip(*times, strict=True)
    own = voices["label"].groupby(turns)
    index = tables.segments([file] * len(times), starts, stops)
    return pd.DataFrame({"truth": own.first().to_numpy(), "voices": own.size().to_numpy()}, index)


def _time(seconds: float) -> pd.Timedelta:
    return pd.Timedelta(round(seconds * 1e9), unit="ns")
