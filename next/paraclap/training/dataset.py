"""What a run learns from: its tables, and batches of utterances and captions.

A batch is addressed by its step, and every draw is a function of the seed and the step: a run that
was stopped draws what it would have drawn, with any number of processes. Tables are on the index
(file, start, end), rows in the same order; signals are mono float32 at 16 kHz. Chapter 4.
Source: ParaCLAP (Jing et al., 2024), sections 2.1, 2.2 and 3.1.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset
from tqdm.auto import tqdm

from paraclap import audio, tables
from paraclap.model import ParaCLAP
from paraclap.queries import QueryPool
from paraclap.queries.templates import NO_AGREEMENT
from paraclap.training.settings import Settings
from paraclap.training.signals import Signals

Rows = npt.NDArray[np.intp]
Batch = dict[str, Any]
ORDER, CROPS, KEPT, CAPTIONS = range(4)  # what is drawn: a part of its seed


class TrainingData(NamedTuple):
    """Labels of the corpora that have a train split, all splits; their queries; the query table."""

    labels: pd.DataFrame
    pool: QueryPool
    table: pd.DataFrame


def read_training_data(
    folder: Path, templates: str = "paper", emotion_form: str = "adjective"
) -> TrainingData:
    """Read what chapters 1 to 3 have written into the folder of a run.

    Args:
        folder: With ``labels.parquet`` and ``queries.parquet``.
        templates: The template set.
        emotion_form: ``"adjective"`` (angry) or ``"noun"`` (anger).

    Raises:
        FileNotFoundError: If a table is not there.
    """
    table = tables.read_table(folder / "queries.parquet")
    labels = tables.read_table(folder / "labels.parquet").loc[table.index]
    learned = labels.loc[labels["split"] == "train", "corpus"].unique()
    rows = labels["corpus"].isin(learned).to_numpy()
    pool = QueryPool.from_table(table[rows], templates, emotion_form)
    return TrainingData(labels[rows], pool, table[rows])


def training_rows(labels: pd.DataFrame, pool: QueryPool, settings: Settings) -> Rows:
    """Rows of the train split for which the settings leave a caption; rows as in ``labels``."""
    chosen = (labels["split"] == "train").to_numpy()
    chosen = chosen & pool.has_queries(settings.emotion, settings.only_emotion)
    if settings.agreed_only:
        chosen = chosen & (labels["emotion"] != NO_AGREEMENT).to_numpy()
    return np.flatnonzero(chosen)


def balanced_weights(emotions: pd.Series, balance: float) -> npt.NDArray[np.float64] | None:
    """Probability of each utterance with which rare emotions come up more often.

    Args:
        emotions: Of each utterance; a missing one counts as an emotion.
        balance: 0 as they come (None is returned), 1 every emotion equally often; in between the
            frequency of an emotion is its own to the power of ``1 - balance``.
    """
    if not balance:
        return None
    names = emotions.astype(object).where(emotions.notna(), "")
    weights = names.map(names.value_counts()).to_numpy(float) ** -balance
    return np.asarray(weights / weights.sum(), np.float64)


class Pairs(Dataset[Batch]):
    """Batches of utterances and captions of the training rows, addressed by step."""

    def __init__(
        self,
        labels: pd.DataFrame,
        pool: QueryPool,
        model: ParaCLAP,
        settings: Settings,
        signals: Signals | None = None,
        functionals: pd.DataFrame | None = None,
        process: tuple[int, int] = (0, 1),
    ) -> None:
        """Choose the rows, fit the scaling of functionals, and draw the captions that are kept.

        Args:
            labels: Labels table with a train split.
            pool: The queries of its rows.
            model: Its processor prepares what the encoders read.
            settings: What is drawn, and how.
            signals: Decoded audio; None where the audio encoder reads functionals alone.
            functionals: Features table, for an audio encoder that reads them.
            process: Number of this process, and how many share each batch.

        Raises:
            ValueError: If there are too few training rows, or processes cannot share a batch.
        """
        self.index, self.pool, self.settings = labels.index, pool, settings
        self.processor, batch = model.require_processor(), settings.batch
        self.chosen = training_rows(labels, pool, settings)
        if len(self.chosen) < batch or batch % process[1]:
            raise ValueError(
                f"Bad batch {batch} for {len(self.chosen)} training utterances and {process[1]} "
                "processes, expected no more than there are utterances, and a multiple of the "
                "processes: set another batch, or add utterances."
            )
        self.share = slice(
            *(batch // process[1] * number for number in (process[0], process[0] + 1))
        )
        index = labels.index[self.chosen]
        self.signals = None if signals is None else signals.select(index)
        self.functionals = None if functionals is None else functionals.loc[index].to_numpy(float)
        if self.functionals is not None and not self.processor.feature_extractor.scaling:
            self.processor.feature_extractor.fit(self.functionals)
        self.weights = balanced_weights(labels["emotion"].iloc[self.chosen], settings.balance)
        self.reads_tokens = not settings.freeze_text or settings.frozen_dropout
        self.steps_per_epoch = len(self.chosen) // batch
        self.steps = settings.steps or settings.epochs * self.steps_per_epoch
        turns = range(settings.captions_per_utterance)
        self.kept = [self._sample(self.chosen, KEPT, turn) for turn in turns]
        self._order: tuple[int, Rows] = -1, self.chosen

    def rows(self, step: int) -> Rows:
        """Rows of the labels table in the batch at ``step``, of all processes."""
        return self.chosen[self._places(step)]

    def captions(self, step: int) -> list[str]:
        """Captions of the batch at ``step``: drawn anew, or of those kept for each utterance."""
        if not self.kept:
            return self._sample(self.rows(step), CAPTIONS, step)
        places = self._places(step)
        turns = self._random(CAPTIONS, step).integers(len(self.kept), size=len(places))
        return [self.kept[turn][place] for turn, place in zip(turns, places, strict=True)]

    def __getitem__(self, step: int) -> Batch:
        """This process's share of the batch at ``step``, as the encoders read it.

        Returns:
            ``input_values (n, samples)`` and, where anything is padding, ``audio_attention_mask``;
            ``input_ids`` and ``attention_mask (n, tokens)`` of each caption, or the ``captions``
            themselves where the text encoder is frozen.
        """
        places, captions = self._places(step)[self.share], self.captions(step)[self.share]
        known = {} if self.functionals is None else {"functionals": self.functionals[places]}
        extractor = self.processor.feature_extractor
        batch: Batch = dict(extractor(self._crops(step), return_tensors="pt", **known))
        if batch["audio_attention_mask"].all():
            del batch["audio_attention_mask"]
        if not self.reads_tokens:
            return batch | {"captions": captions}
        options = {"padding": True, "truncation": True, "return_tensors": "pt"}
        return batch | dict(self.processor.tokenizer(captions, **options))

    def loader(self, first: int = 0, pin: bool = False) -> DataLoader[Batch]:
        """Batches from step ``first`` on, read ahead by ``settings.workers`` processes."""
        workers = self.settings.workers
        if workers:
            os.environ.setdefault(
                "TOKENIZERS_PARALLELISM", "false"
            )  # its threads and forks quarrel
        return DataLoader(
            self,
            batch_size=None,
            sampler=range(first, self.steps),
            num_workers=workers,
            pin_memory=pin,
            worker_init_fn=_ignore_signals if workers else None,
            generator=torch.Generator(),  # else it takes a random number of the run
        )

    def _random(self, *place: int) -> np.random.Generator:
        return np.random.default_rng([self.settings.seed, *place])

    def _sample(self, rows: Rows, *place: int) -> list[str]:
        s = self.settings
        draws = s.rand, s.emotion, s.only_emotion, s.join
        return self.pool.sample(rows, *draws, rng=self._random(*place))

    def _places(self, step: int) -> Rows:
        """Places among the training rows of the batch at ``step``; each epoch is a new draw."""
        epoch, number = divmod(step, self.steps_per_epoch)
        if self._order[0] != epoch:
            rng, many = self._random(ORDER, epoch), len(self.chosen)
            drawn = rng.choice(many, many, p=self.weights) if self.settings.balance else None
            self._order = epoch, rng.permutation(many) if drawn is None else drawn
        return self._order[1][number * self.settings.batch :][: self.settings.batch]

    def _crops(self, step: int) -> list[audio.Signal]:
        """Signals of this process, cropped at random places to ``crop_seconds``."""
        places = self._places(step)
        if self.signals is None:
            return [np.zeros(0, np.float32)] * len(places[self.share])
        size = round(self.settings.crop_seconds * audio.SAMPLING_RATE)
        spare = np.maximum(self.signals.samples[places] - size, 0)
        first = self._random(CROPS, step).integers(spare + 1)  # every place is equally likely
        drawn = list(zip(places, first, strict=True))[self.share]
        crops = [self.signals.read(place, start, size) for place, start in drawn]
        padded = size if self.settings.pad == "crop" else 0
        return [np.pad(crop, (0, max(0, padded - len(crop)))) for crop in crops]


def _ignore_signals(_: int) -> None:
    """Let the main process stop those that read, after its step."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


class CaptionCache:
    """Outputs of a frozen text encoder: each distinct caption is encoded once."""

    def __init__(self, model: ParaCLAP, most: int = 200_000) -> None:
        """Keep about ``most`` outputs."""
        self.model, self.most, self.kept = model, most, dict[str, torch.Tensor]()

    @torch.no_grad()
    def __call__(self, captions: Sequence[str], batch: int = 128) -> torch.Tensor:
        """Output before the projection for each caption, shape ``(captions, hidden_size)``."""
        if len(self.kept) > self.most:
            self.kept.clear()
        new = sorted(set(captions) - self.kept.keys(), key=lambda text: (len(text), text))
        parts = [new[first : first + batch] for first in range(0, len(new), batch)]
        for part in tqdm(parts, "Encode captions", disable=None if len(parts) > 1 else True):
            outputs = self.model.pool_text(**self.model.prepare(text=part))
            self.kept.update(zip(part, outputs.float(), strict=True))
        return torch.stack([self.kept[caption] for caption in captions])
