"""What any system offers, so that it can be asked the questions of this book.

A system embeds utterances and embeds queries. Everything else is the same for all: the query whose
embedding is closest to that of an utterance is the answer, and the softmax of the cosines times the
scale gives probabilities.

Conventions: embeddings ``(n, d)`` float32 of unit length; tables on the audformat index (file,
start, end), those of :mod:`paraclap.evaluation`. Chapter 10.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import audiofile
import audresample
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch.nn import functional
from tqdm.auto import tqdm

from paraclap import audio, tables
from paraclap.evaluation import tasks as evaluation
from paraclap.evaluation import zeroshot

Embeddings = NDArray[np.float32]
Tasks = Mapping[str, Mapping[str, str]]
COLUMNS = ["system", "task", "chance", "n", "uar", "uar_low", "uar_high"]


class System:
    """A model that embeds utterances and queries in one space.

    Attributes:
        name: In tables and figures.
        sampling_rate: Of the signals that it takes, in Hz.
        scale: Factor of cosines before the softmax.
    """

    name: str
    sampling_rate: int
    scale: float

    def encode_audio(self, signals: list[audio.Signal]) -> torch.Tensor:
        """Embeddings of a batch of signals, shape ``(batch, d)``, of any length."""
        raise NotImplementedError

    def encode_text(self, queries: list[str]) -> torch.Tensor:
        """Embeddings of a batch of queries, shape ``(batch, d)``, of any length."""
        raise NotImplementedError

    def embed_audio(self, files: Any) -> Embeddings:
        """Embed utterances, shape ``(n, d)``, in their order.

        Args:
            files: Paths, an audformat index, or a table with such an index.

        Raises:
            AudioError: If a file cannot be read.
        """
        return _embed(read_signals(files, self.sampling_rate), self.encode_audio)

    def embed_text(self, queries: Sequence[str]) -> Embeddings:
        """Embed queries, shape ``(m, d)``, in their order.

        Raises:
            ValueError: If there is none or one is empty.
        """
        queries = [queries] if isinstance(queries, str) else list(queries)
        if not queries or not all(query.strip() for query in queries):
            raise ValueError(f"Bad queries {queries[:5]}, expected at least one and none empty.")
        return _embed(queries, self.encode_text)


def _embed(
    items: Iterable[Any], encode: Callable[[list[Any]], torch.Tensor], batch: int = 8
) -> Embeddings:
    items, parts = iter(items), []
    with torch.inference_mode():
        while some := list(islice(items, batch)):
            parts.append(functional.normalize(encode(some).float(), dim=-1))
    return np.asarray(torch.cat(parts).cpu())


def read_signals(files: Any, sampling_rate: int) -> Iterator[audio.Signal]:
    """Signals of files or segments at any sampling rate, one after the other."""
    for file, start, end in tqdm(tables.as_index(files), "reading", leave=False):
        signal = audio.read(file, start, end)  # finds what is wrong with a file or a segment
        if sampling_rate != audio.SAMPLING_RATE:
            length = len(signal) / audio.SAMPLING_RATE
            offset = tables.seconds(start)
            channels, rate = audiofile.read(file, length, offset, always_2d=True)
            signal = audresample.resample(channels.mean(axis=0), rate, sampling_rate)[0]
        yield signal


def predict(
    system: System,
    labels: pd.DataFrame,
    tasks: Tasks,
    template: str = "speaker is {}",
    embeddings: Embeddings | None = None,
) -> pd.DataFrame:
    """Ask a system the questions of the tasks, as :func:`paraclap.evaluation.tasks.predict`."""
    embeddings = system.embed_audio(labels) if embeddings is None else embeddings
    parts = []
    for task, words in tasks.items():
        texts = [zeroshot.fill(template, one) for one in zeroshot.check_candidates(words).values()]
        question = zeroshot.Candidates(tuple(words), system.embed_text(texts), system.scale)
        classes = evaluation.task_labels(labels, task)
        rows = classes.isin([*words]).to_numpy()
        answers = zeroshot.answer(question, embeddings[rows]).set_axis(labels.index[rows])
        table = labels.loc[rows, ["corpus", "speaker"]].assign(corpus=task, truth=classes[rows])
        parts.append(table.assign(prediction=answers.pop("prediction")).join(answers))
    return pd.concat(parts)


def compare(
    systems: Mapping[str, System],
    labels: pd.DataFrame,
    tasks: Tasks,
    template: str = "speaker is {}",
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Ask systems the same questions: name → system; other arguments as in :func:`predict`.

    Returns:
        `system, task, chance, n, uar, uar_low, uar_high`, no row without a system
    """
    parts = []
    for name, system in systems.items():
        predictions = predict(system, labels, tasks, template)
        scores = evaluation.score(predictions, tasks, template, draws, seed)
        parts.append(scores.assign(system=name)[COLUMNS])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
