"""Which voice meets which query in which batch: the one bridge between pandas and torch.

Everything random is a function of the seed and the step, never of what ran before: a run that is
stopped and started again sees the batches, crops and queries it would have seen anyway.

Conventions: a batch names its voices by their row in the labels table; signals are mono float32
at 16 kHz, cropped at random to ``crop_seconds`` and padded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset

from paraclap import audio
from paraclap.processor import ParaCLAPFeatureExtractor, Signal
from paraclap.queries import Pool

Rows = npt.NDArray[np.int64]


def random(seed: int, *place: int) -> np.random.Generator:
    """The generator that belongs to one place (an epoch, a step, a voice) of a run."""
    return np.random.default_rng([seed, *place])


@dataclass(frozen=True)
class Batch:
    """Some voices, ready for the audio tower.

    Attributes:
        step: Number of the step, from 0.
        rows: Their rows in the labels table, shape ``(n,)``.
        signals: ``input_values`` and ``audio_attention_mask``, each ``(n, samples)``.
    """

    step: int
    rows: Rows
    signals: dict[str, torch.Tensor]


class Schedule:
    """The rows of every batch: each epoch a new draw, the incomplete last batch left out."""

    def __init__(
        self, voices: int, batch: int, seed: int, shares: npt.NDArray[np.float64] | None = None
    ) -> None:
        """Plan batches over ``voices`` rows.

        Args:
            voices: Number of training voices.
            batch: Voices in a batch.
            seed: Of the draws.
            shares: How often each voice is drawn, adding up to 1; None shuffles all of them.

        Raises:
            ValueError: If the training split is smaller than two voices or than one batch.
        """
        if voices < max(2, batch):
            raise ValueError(
                f"Got {voices} training voices for batches of {batch}, expected at least as many "
                "voices as a batch holds: set a smaller batch or add voices."
            )
        self.voices, self.batch, self.seed, self.shares = voices, batch, seed, shares
        self.steps_per_epoch = voices // batch

    def rows(self, step: int) -> Rows:
        """Rows of the batch at ``step``."""
        epoch, place = divmod(step, self.steps_per_epoch)
        rng = random(self.seed, 0, epoch)
        if self.shares is None:
            order = rng.permutation(self.voices)
        else:
            order = rng.choice(self.voices, self.voices, p=self.shares)
        rows: Rows = order[place * self.batch : (place + 1) * self.batch]
        return rows


def balanced(emotions: pd.Series, balance: float) -> npt.NDArray[np.float64] | None:
    """Shares with which rare emotions are drawn more often than they come.

    Args:
        emotions: Emotion of each training voice; a missing one counts as a class of its own.
        balance: 0 leaves them as they come, 1 draws every emotion equally often; in between the
            frequency of an emotion is its own to the power of ``1 - balance``.

    Returns:
        Shares adding up to 1, one for each voice, or None where nothing is to be balanced.
    """
    if not balance:
        return None
    names = emotions.astype(object).where(emotions.notna(), "")
    weights = names.map(names.value_counts()).to_numpy(float) ** -balance
    shares: npt.NDArray[np.float64] = weights / weights.sum()
    return shares


class Voices(Dataset[tuple[int, Rows, list[Signal]]]):
    """Batches of cropped signals, addressed by step."""

    def __init__(
        self, index: pd.Index[Any], schedule: Schedule, crop_seconds: float, pad: str = "batch"
    ) -> None:
        """Read the segments of an audformat index in the order of a schedule."""
        self.segments = list(index)
        self.schedule, self.pad = schedule, pad
        self.samples = round(crop_seconds * audio.SAMPLING_RATE)

    def __getitem__(self, step: int) -> tuple[int, Rows, list[Signal]]:
        """Rows and signals of the batch at ``step``."""
        rows = self.schedule.rows(step)
        return step, rows, [self._signal(step, row) for row in rows]

    def _signal(self, step: int, row: int) -> Signal:
        signal = audio.read(*self.segments[row])
        signal = audio.crop(signal, self.samples, random(self.schedule.seed, 1, step, int(row)))
        if self.pad == "batch":
            return signal
        return np.pad(signal, (0, self.samples - len(signal)))


def batches(
    index: pd.Index[Any],
    schedule: Schedule,
    extractor: ParaCLAPFeatureExtractor,
    crop_seconds: float,
    steps: range,
    workers: int = 0,
    pad: str = "batch",
) -> Iterator[Batch]:
    """Read, crop and pad the batches of ``steps``, in order.

    Args:
        index: Audformat index of the training voices.
        schedule: Which rows belong to which step.
        extractor: Pads the signals and marks the padding.
        crop_seconds: Longest signal; longer ones are cropped at random.
        steps: The steps to go through.
        workers: Processes that read ahead; 0 reads in this one.
        pad: ``"crop"`` extends shorter signals by silence to ``crop_seconds``, as signal;
            ``"batch"`` pads to the longest of the batch and masks the padding.
    """

    def collate(items: list[tuple[int, Rows, list[Signal]]]) -> Batch:
        step, rows, signals = items[0]
        return Batch(step, rows, dict(extractor(signals, return_tensors="pt")))

    voices = Voices(index, schedule, crop_seconds, pad)
    yield from DataLoader(voices, 1, sampler=steps, collate_fn=collate, num_workers=workers)


class Texts:
    """The query of every voice at every step.

    With ``per_voice`` above 0 each voice keeps that many joined queries, drawn once, and a step
    picks one of them: the set of texts is finite, and a frozen text tower can embed it once.
    """

    def __init__(
        self,
        pool: Pool,
        rows: Sequence[int],
        seed: int,
        per_voice: int,
        rand: int,
        emotion: str,
        only_emotion: bool,
        join: str = "rand",
    ) -> None:
        """Prepare the drawing of queries.

        Args:
            pool: The queries that are true of each voice of a labels table.
            rows: The rows of the pool that are training voices.
            seed: Of every draw.
            per_voice: Joined queries kept for each voice; 0 draws a new one at every step.
            rand: Most queries joined into one text.
            emotion: ``"always"``, ``"pool"`` or ``"never"``.
            only_emotion: Whether the emotion query is all that is said.
            join: ``"rand"``, ``"weighted"`` or ``"all"``, see ``Pool.sample``.
        """
        self.pool, self.pool_rows, self.seed = pool, np.asarray(rows), seed
        self.draws: dict[str, Any] = {
            "rand": rand,
            "emotion": emotion,
            "only_emotion": only_emotion,
            "join": join,
        }
        kept = [self._draw(self.pool_rows, 2, turn) for turn in range(per_voice)]
        self.distinct = sorted(set().union(*kept)) if kept else []
        number = {text: place for place, text in enumerate(self.distinct)}
        self._kept = np.array([[number[text] for text in texts] for texts in kept])

    def _draw(self, rows: Rows, *place: int) -> list[str]:
        return self.pool.sample(rows, rng=random(self.seed, *place), **self.draws)

    def of(self, step: int, rows: Rows) -> list[str]:
        """Texts of the voices ``rows`` (of the training table) at ``step``."""
        if not len(self._kept):
            return self._draw(self.pool_rows[rows], 3, step)
        turns = random(self.seed, 3, step).integers(len(self._kept), size=len(rows))
        return [self.distinct[place] for place in self._kept[turns, rows]]
