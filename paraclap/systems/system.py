"""What has any system to offer, so that it can be asked the questions of this book?

Two calls: embed voices, embed queries. Everything else is the same for all: the query whose
embedding is closest to that of a voice is the answer, and the softmax of the cosines times the
temperature gives probabilities. ParaCLAP itself is one of the systems.

Conventions: embeddings ``(n, d)`` float32 of unit length; tables on the audformat index (file,
start, end), the very tables of :mod:`paraclap.zeroshot` and :mod:`paraclap.evaluation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
import torch

from paraclap import audio, evaluation, tasks, zeroshot
from paraclap.model import ParaCLAP
from paraclap.zeroshot import Candidates, Embeddings, Files


class System(Protocol):
    """A model that embeds voices and queries in one space.

    Attributes:
        name: How tables and figures call it.
        sampling_rate: What it hears, in Hz.
    """

    name: str
    sampling_rate: int

    @property
    def temperature(self) -> float:
        """What cosines are multiplied with before the softmax."""

    def embed_audio(self, files: Files) -> Embeddings:
        """Embed voices, shape ``(n, d)``, in the order of ``files``.

        Raises:
            AudioError: If a file cannot be read.
        """

    def embed_text(self, queries: Sequence[str]) -> Embeddings:
        """Embed queries, shape ``(m, d)``, in their order.

        Raises:
            ValueError: If there is none or one is empty.
        """


@dataclass
class Ours:
    """ParaCLAP behind the two calls."""

    model: ParaCLAP
    name: str = "paraclap"
    sampling_rate: int = audio.SAMPLING_RATE

    @property
    def temperature(self) -> float:
        """The learned factor of the model."""
        return float(self.model.temperature.detach())

    def embed_audio(self, files: Files) -> Embeddings:
        """See :func:`paraclap.zeroshot.embed_audio`."""
        return zeroshot.embed_audio(self.model, files)

    def embed_text(self, queries: Sequence[str]) -> Embeddings:
        """See :func:`paraclap.zeroshot.embed_text`."""
        return zeroshot.embed_text(self.model, queries)


def answer(
    system: System, voices: Embeddings, candidates: Candidates, template: str = "{}"
) -> pd.DataFrame:
    """Answers of a system for embedded voices, see :func:`paraclap.zeroshot.answer`.

    Raises:
        ValueError: If fewer than two candidates are given, one twice, or the template has no slot.
    """
    words = zeroshot.words(candidates)
    texts = system.embed_text([zeroshot.fill(template, word) for word in words.values()])
    factor = torch.tensor(system.temperature)
    return zeroshot.Question(list(words), texts, factor).answer(voices)


def predict(
    system: System,
    voices: pd.DataFrame,
    asked: tasks.Tasks,
    template: str = "speaker is {}",
    embeddings: Embeddings | None = None,
) -> pd.DataFrame:
    """Ask a system the questions of the tasks, see :func:`paraclap.evaluation.predict`.

    Args:
        system: any
        voices: labels table of the voices
        asked: task → class → word
        template: sentence with a slot for the word
        embeddings: of the voices; made here if left out

    Returns:
        the table that `evaluation.predict` gives of a model
    """
    embedded = system.embed_audio(voices) if embeddings is None else embeddings
    parts = []
    for task, words in asked.items():
        classes = tasks.truth(voices, task)
        rows = classes.isin(words).to_numpy()
        answers = answer(system, embedded[rows], words, template).set_index(voices.index[rows])
        said = voices.loc[rows, ["corpus", "speaker"]].assign(corpus=task, truth=classes[rows])
        parts.append(said.assign(prediction=answers.pop("prediction")).join(answers))
    return pd.concat(parts)


COLUMNS = ["system", "task", "chance", "n", "uar", "uar_low", "uar_high"]


def compare(
    systems: Mapping[str, System],
    voices: pd.DataFrame,
    asked: tasks.Tasks,
    template: str = "speaker is {}",
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Ask systems the same questions.

    Args:
        systems: name → system
        voices: labels table of the voices
        asked: task → class → word
        template: sentence with a slot for the word
        draws: of the bootstrap that gives the intervals
        seed: of the bootstrap

    Returns:
        `system, task, chance, n, uar, uar_low, uar_high`, no row without a system
    """
    parts = []
    for name, system in systems.items():
        predictions = predict(system, voices, asked, template)
        table = evaluation.score(predictions, asked, template, draws, seed)
        parts.append(table.assign(system=name)[COLUMNS])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def beside(
    ours: pd.DataFrame, references: pd.DataFrame, others: pd.DataFrame, name: str = "paraclap"
) -> pd.DataFrame:
    """Put ParaCLAP, other systems and trained references into one table.

    Args:
        ours: scores of ParaCLAP, as `evaluation.score` gives them
        references: as `evaluation.reference_scores` gives them
        others: of `compare`
        name: of ParaCLAP

    Returns:
        the columns of `compare`; references that could not be asked a task have no row there
    """
    chance = ours[["task", "chance", "n"]]
    logistic = references.rename(columns={"logistic": "uar", "logistic_low": "uar_low"})
    logistic = logistic.rename(columns={"logistic_high": "uar_high"}).drop(columns="n")
    logistic = logistic.merge(chance, on="task").assign(system="logistic regression")
    majority = references[["task", "majority"]].merge(chance, on="task")
    majority = majority.rename(columns={"majority": "uar"}).assign(system="majority vote")
    majority[["uar_low", "uar_high"]] = np.nan
    parts = [ours.assign(system=name), others, logistic, majority]
    found = pd.concat([part[COLUMNS].astype({"uar": float}) for part in parts if len(part)])
    return found.dropna(subset=["uar"]).reset_index(drop=True)
