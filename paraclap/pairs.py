"""Batches for the towers: crops of voices, and tokens of what is said of them.

Conventions: a batch names its voices by their row in the labels table; signals are mono float32
at 16 kHz, cropped at random to ``crop_seconds`` and padded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import DataLoader, Dataset

from paraclap import audio
from paraclap.processor import ParaCLAPFeatureExtractor, ParaCLAPProcessor, Signal
from paraclap.schedule import Rows, Schedule, random
from paraclap.signals import Signals
from paraclap.targets import Targets
from paraclap.texts import Texts, Tokens

AHEAD = 256e6  # bytes of batches, at most four of them, that each reading process keeps ready


@dataclass(frozen=True)
class Batch:
    """Some voices, ready for the audio tower.

    Attributes:
        step: Number of the step, from 0.
        rows: Their rows in the labels table, shape ``(n,)``.
        signals: ``input_values (n, samples)`` and, where anything is padding,
            ``audio_attention_mask`` of the same shape.
        tokens: ``input_ids`` and ``attention_mask`` of the distinct texts; empty where the
            features of all texts are kept.
        places: Row of each voice's text among the tokens, or among all texts, shape ``(n,)``.
        distinct: Distinct texts in the batch of all processes.
        known: What the objective asks for, see :class:`paraclap.targets.Targets`.
    """

    step: int
    rows: Rows
    signals: dict[str, torch.Tensor]
    tokens: dict[str, torch.Tensor]
    places: torch.Tensor
    distinct: int = 0
    known: dict[str, torch.Tensor] = field(default_factory=dict)

    def pin_memory(self) -> Batch:
        """The same batch in memory from which a GPU copies while it computes."""
        return self._with(lambda tensor: tensor.pin_memory())

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device; nobody waits for the copy."""
        return self._with(lambda tensor: tensor.to(device, non_blocking=True))

    def _with(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Batch:
        signals, tokens, known = (
            {name: change(values) for name, values in part.items()}
            for part in (self.signals, self.tokens, self.known)
        )
        places = change(self.places)
        return replace(self, signals=signals, tokens=tokens, places=places, known=known)


class Crops(Dataset[Batch]):
    """Batches of cropped signals, addressed by step."""

    def __init__(
        self,
        signals: Signals,
        schedule: Schedule,
        extractor: ParaCLAPFeatureExtractor,
        crop_seconds: float,
        pad: str = "batch",
        share: slice = slice(None),
        measured: npt.NDArray[np.float64] | None = None,
    ) -> None:
        """Read the share of each batch that belongs to one process.

        Args:
            signals: Of the training voices.
            schedule: Which rows belong to which step.
            extractor: Normalises the signals as the encoder asks.
            crop_seconds: Longest signal; longer ones are cropped at random.
            pad: ``"crop"`` extends shorter signals by silence to ``crop_seconds``, as signal;
                ``"batch"`` pads to the longest of the batch and masks the padding.
            share: Which of the voices of every batch.
            measured: Functionals of the whole voices, ``(voices, functionals)``, for a tower that
                reads them.
        """
        self.signals, self.schedule, self.extractor = signals, schedule, extractor
        self.measured = measured
        self.pad, self.share = pad, share
        self.samples = round(crop_seconds * audio.SAMPLING_RATE)

    def __getitem__(self, step: int) -> Batch:
        """The share of the batch at ``step``, without texts."""
        rows = self.schedule.rows(step)[self.share]
        crops = [self._crop(step, int(row)) for row in rows]
        return Batch(step, rows, self._pack(crops), {}, torch.zeros(0, dtype=torch.long))

    def _crop(self, step: int, row: int) -> Signal:
        """What is heard of a voice: a part of it, and what was measured of the whole."""
        if self.measured is not None and self.extractor.functionals_only:
            return self._heard(np.zeros(0, np.float32), self.measured[row])
        crop = self.signals.crop(row, self.samples, random(self.schedule.seed, 1, step, row))
        return self._heard(crop, None if self.measured is None else self.measured[row])

    def _heard(self, crop: Signal, measured: npt.NDArray[np.float64] | None = None) -> Signal:
        if self.pad == "crop":
            crop = np.pad(crop, (0, self.samples - len(crop)))
        return self.extractor.heard(crop, measured)

    def _pack(self, crops: Sequence[Signal]) -> dict[str, torch.Tensor]:
        """One padded array, and its mask where anything is padding."""
        values, mask = self.extractor.pack(crops)
        masks = {} if mask is None else {"audio_attention_mask": mask}
        return {"input_values": values} | masks


class Voices(Crops):
    """Batches of cropped signals and of what is said of them."""

    def __init__(
        self,
        signals: Signals,
        schedule: Schedule,
        texts: Texts,
        processor: ParaCLAPProcessor,
        crop_seconds: float,
        pad: str = "batch",
        share: slice = slice(None),
        tokens: bool = True,
        targets: Targets | None = None,
        measured: npt.NDArray[np.float64] | None = None,
    ) -> None:
        """Read the share of each batch that belongs to one process.

        Args:
            signals: As in :class:`Crops`.
            schedule: As in :class:`Crops`.
            texts: What is said of the voices.
            processor: Its feature extractor as in :class:`Crops`; it tokenises the texts.
            crop_seconds: As in :class:`Crops`.
            pad: As in :class:`Crops`.
            share: As in :class:`Crops`.
            tokens: Whether tokens are wanted; not, where the features of all texts are kept.
            targets: What is known of a batch beyond its pairs.
            measured: As in :class:`Crops`.
        """
        extractor = processor.feature_extractor
        super().__init__(signals, schedule, extractor, crop_seconds, pad, share, measured)
        self.texts, self.targets = texts, targets
        self.tokens = Tokens(processor.tokenizer) if tokens else None

    def __getitem__(self, step: int) -> Batch:
        """The share of the batch at ``step``."""
        rows = self.schedule.rows(step)
        everything = self.texts.of(step, rows)
        said = everything[self.share]
        distinct = list(dict.fromkeys(said))
        number = self.texts.number
        if self.tokens is not None:
            number = {text: place for place, text in enumerate(distinct)}
        places = torch.tensor([number[text] for text in said])
        tokens = self.tokens(distinct) if self.tokens is not None else {}
        known = self.targets(rows, everything, self.share) if self.targets else {}
        heard, count = super().__getitem__(step), len(set(everything))
        return replace(heard, tokens=tokens, places=places, distinct=count, known=known)


def batches(voices: Crops, steps: range, workers: int = 0, pin: bool = False) -> Iterator[Batch]:
    """Read, crop and pad the batches of ``steps``, in order.

    Args:
        voices: Where they come from.
        steps: The steps to go through.
        workers: Processes that read ahead; 0 reads in this one.
        pin: Whether batches come in memory from which a GPU copies while it computes.
    """
    size = 4 * voices.samples * voices.schedule.batch
    ahead = {"prefetch_factor": int(np.clip(AHEAD / size, 1, 4))} if workers else {}
    yield from DataLoader(
        voices,
        1,
        sampler=steps,
        collate_fn=_only,
        num_workers=workers,
        pin_memory=pin,
        **ahead,  # type: ignore[arg-type]  # torch wants None where there are no workers
    )


def _only(items: list[Batch]) -> Batch:
    return items[0]
