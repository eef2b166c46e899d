"""What a run learns from: its tables, decoded audio, and batches of utterances and captions.

Every draw is a function of seed and step: a stopped run draws what it would have drawn, with any
number of processes. Decoded audio is one memory-mapped file of 16-bit samples at 16 kHz; beyond 1 a
segment is stored smaller, and its ``peak`` undoes that. Chapter 4. Source: the paper, section 3.1.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset, default_convert
from tqdm import tqdm

from paraclap import audio, tables
from paraclap.model import ParaCLAP
from paraclap.queries import QueryPool
from paraclap.queries.templates import NO_AGREEMENT
from paraclap.training.settings import Settings

Rows = npt.NDArray[np.intp]
Batch = dict[str, Any]
ORDER, CROPS, KEPT, CAPTIONS = range(4)  # what is drawn: a part of its seed
SCALE = 2**15  # int16 values in a signal of 1


class TrainingData(NamedTuple):
    """Labels of the corpora that have a train split, all splits; their queries; the query table."""

    labels: pd.DataFrame
    pool: QueryPool
    table: pd.DataFrame


def read_training_data(
    folder: Path, templates: str = "paper", emotion_form: str = "adjective"
) -> TrainingData:
    """Read ``labels.parquet`` and ``queries.parquet`` of a run; templates as in chapter 3."""
    table = tables.read_table(folder / "queries.parquet")
    labels = tables.read_table(folder / "labels.parquet").loc[table.index]
    rows = labels["corpus"].isin(labels.loc[labels["split"] == "train", "corpus"]).to_numpy()
    return TrainingData(labels[rows], QueryPool(table[rows], templates, emotion_form), table[rows])


def training_rows(labels: pd.DataFrame, pool: QueryPool, settings: Settings) -> Rows:
    """Rows of the train split for which the settings leave a caption; rows as in ``labels``."""
    has_queries = pool.has_queries(settings.emotion, settings.only_emotion)
    is_left = (labels["emotion"] != NO_AGREEMENT) | (not settings.agreed_only)
    return np.flatnonzero((labels["split"] == "train") & has_queries & is_left)


class Signals:
    """Decoded segments of a table with the columns ``offset``, ``samples`` and ``peak``."""

    def __init__(self, path: Path, table: pd.DataFrame) -> None:
        """Read from a file that :func:`decode_audio` has written."""
        self.path, self.table = path, table
        columns = (table[name].to_numpy() for name in ("offset", "samples", "peak"))
        self.offsets, self.samples, self.peaks = columns

    def select(self, index: pd.Index) -> Self:
        """The audio of other rows, all of them among those that were decoded."""
        return type(self)(self.path, self.table.loc[index])

    def seconds(self) -> npt.NDArray[np.float64]:
        """Length of each segment."""
        return np.asarray(self.samples / audio.SAMPLING_RATE, np.float64)

    def read(self, row: int, first: int = 0, samples: int | None = None) -> audio.Signal:
        """Signal of a segment, or of it ``samples`` samples from ``first`` on."""
        left = self.samples[row] - first
        many = left if samples is None else min(samples, left)
        part = np.memmap(self.path, "<i2", "r", 2 * (self.offsets[row] + first), (many,))
        return np.asarray(part * np.float32(self.peaks[row] / SCALE), np.float32)


def decode_audio(labels: pd.DataFrame, path: Path, settings: Settings) -> Signals | None:
    """Decode the train and dev splits, unless the file has them; None if no signal is read."""
    if settings.audio_encoder == "egemaps":
        return None
    index = labels.index[labels["split"].isin(["train", "dev"])]
    place = path.with_suffix(".parquet")
    changed = [Path(segment[0]).stat().st_mtime_ns for segment in index]
    if place.is_file() and path.is_file():
        table = tables.read_table(place)
        is_complete = path.stat().st_size == 2 * table["samples"].sum()
        if is_complete and table.index.equals(index) and list(table["changed"]) == changed:
            return Signals(path, table)
    part = path.with_name(f"{path.name}.part")
    table = _write(index, part, settings.jobs).assign(changed=changed)
    part.replace(path)
    tables.write_table(table, place)
    return Signals(path, table)


def _write(index: pd.Index, path: Path, jobs: int) -> pd.DataFrame:
    """Write the samples of all segments; where they are."""
    rows = list[tuple[int, int, float]]()
    threads = joblib.Parallel(jobs, prefer="threads", return_as="generator")
    found = threads(map(joblib.delayed(_decode), index))
    with path.open("wb") as stream:
        for samples, peak in tqdm(found, "Decode audio", len(index), disable=None):
            rows.append((stream.tell() // 2, len(samples), peak))
            stream.write(samples.tobytes())
    return pd.DataFrame(rows, index, ["offset", "samples", "peak"])


def _decode(segment: tuple[Any, ...]) -> tuple[npt.NDArray[np.int16], float]:
    """16-bit samples, and what undoes their scale."""
    signal = audio.read(*segment)
    peak = max(1.0, float(np.abs(signal).max()))
    return np.rint(signal * (SCALE / peak)).clip(-SCALE, SCALE - 1).astype("<i2"), peak


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
        """Choose rows, scale functionals, draw captions; ValueError if there are too few rows.

        ``process`` is the number of this process, and how many share a batch.
        """
        self.pool, self.settings, batch = pool, settings, settings.batch
        self.processor = model.require_processor()
        self.chosen = training_rows(labels, pool, settings)
        if len(self.chosen) < batch or batch % process[1]:
            got = f"{len(self.chosen)} training utterances and {process[1]} processes"
            wanted = "no more than utterances, and a multiple of the processes"
            raise ValueError(f"Bad batch {batch} for {got}, expected {wanted}.")
        size = batch // process[1]
        self.share = slice(process[0] * size, (process[0] + 1) * size)
        index = labels.index[self.chosen]
        self.signals = None if signals is None else signals.select(index)
        self.functionals: npt.NDArray[np.float64] | None = None
        if settings.reads_functionals and functionals is not None:
            self.functionals = functionals.loc[index].to_numpy(float)
            if not settings.start:  # else they are scaled as the model knows them
                self.processor.feature_extractor.fit(self.functionals)
        emotions = labels["emotion"].iloc[self.chosen].fillna("")  # a missing one counts as one
        weights = emotions.map(emotions.value_counts()).to_numpy(float) ** -settings.balance
        self.weights = weights / weights.sum()
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
        """This process's share of a batch; captions, no tokens, for a frozen text encoder."""
        captions, table = self.captions(step)[self.share], self.functionals
        given = None if table is None else table[self._places(step)[self.share]]
        inputs = {"functionals": given, "return_tensors": "pt"}
        batch: Batch = dict(self.processor.feature_extractor(self._crops(step), **inputs))
        if batch["audio_attention_mask"].all():
            del batch["audio_attention_mask"]
        if not self.reads_tokens:
            return batch | {"captions": captions}
        options = {"padding": True, "truncation": True, "return_tensors": "pt"}
        return batch | dict(self.processor.tokenizer(captions, **options))

    def loader(self, first: int = 0) -> Iterator[Batch]:
        """Batches from step ``first`` on, read ahead by ``settings.workers`` processes."""
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads and forks quarrel
        form: dict[str, Any] = {"num_workers": self.settings.workers, "collate_fn": _arrays}
        form |= {"batch_size": None, "sampler": range(first, self.steps)}
        form["generator"] = torch.Generator()  # else it takes a random number of the run
        yield from map(default_convert, DataLoader(self, **form))

    def _random(self, *place: int) -> np.random.Generator:
        return np.random.default_rng([self.settings.seed, *place])

    def _sample(self, rows: Rows, *place: int) -> list[str]:
        s, rng = self.settings, self._random(*place)
        return self.pool.sample(rows, s.rand, s.emotion, s.only_emotion, s.join, rng=rng)

    def _places(self, step: int) -> Rows:
        """Places among the training rows of the batch at ``step``; each epoch is a new draw."""
        epoch, number = divmod(step, self.steps_per_epoch)
        if self._order[0] != epoch:
            rng, many = self._random(ORDER, epoch), len(self.chosen)
            is_even = not self.settings.balance
            rows = rng.permutation(many) if is_even else rng.choice(many, many, p=self.weights)
            self._order = epoch, rows
        return self._order[1][number * self.settings.batch :][: self.settings.batch]

    def _crops(self, step: int) -> list[audio.Signal]:
        """Signals of this process, cropped at random places to ``crop_seconds``."""
        places = self._places(step)
        if self.signals is None:
            return [np.zeros(0, np.float32)] * len(places[self.share])
        size = round(self.settings.crop_seconds * audio.SAMPLING_RATE)
        spare = np.maximum(self.signals.samples[places] - size, 0)
        first = self._random(CROPS, step).integers(spare + 1)  # every place is equally likely
        drawn = zip(places[self.share], first[self.share], strict=True)
        crops = [self.signals.read(place, start, size) for place, start in drawn]
        padded = size if self.settings.pad == "crop" else 0
        return [np.pad(crop, (0, max(0, padded - len(crop)))) for crop in crops]


def _arrays(batch: Any) -> Batch:
    """Arrays go through a pipe, tensors through shared memory, which a container has little of."""
    return {name: one.numpy() if torch.is_tensor(one) else one for name, one in batch.items()}
