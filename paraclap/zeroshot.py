"""Which query fits a voice: zero-shot answers of a trained model.

Every query is embedded once, every voice once; nothing is cropped and nothing is drawn, so the
same input gives the same bits. Padding is masked: a voice gets the same embedding alone and in a
batch.

Conventions: embeddings ``(n, projection_dim)`` float32 of unit length; tables on the audformat
index (file, start, end); probabilities are the softmax over the candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.nn import functional

from paraclap import audio, progress, tables
from paraclap.model import ParaCLAP
from paraclap.signals import Signals

Embeddings = npt.NDArray[np.float32]
Files = str | PathLike[str] | Sequence[str | PathLike[str]] | pd.Index | pd.DataFrame | pd.Series
Candidates = Sequence[str] | Mapping[str, str]


def segments(files: Files) -> pd.MultiIndex:
    """Bring paths or a table to the audformat index (file, start, end).

    Raises:
        ValueError: If there is no file or the index is of another form.
    """
    if isinstance(files, str | PathLike):
        files = [files]
    index = files.index if isinstance(files, pd.DataFrame | pd.Series) else files
    names = list(index.names) if isinstance(index, pd.Index) else ["file"]
    if names not in (["file"], tables.INDEX):
        raise ValueError(f"Bad index {names}, expected ['file'] or {tables.INDEX}.")
    if not len(index):
        raise ValueError("Got no files, expected at least one path or a table with segments.")
    if isinstance(index, pd.MultiIndex) and names == tables.INDEX:
        return index
    return tables.segments([str(file) for file in index])


def _batches(order: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (order[start : start + size] for start in range(0, len(order), size))


def _features(
    model: ParaCLAP, signals: Sequence[audio.Signal], measured: npt.NDArray[np.float64] | None
) -> torch.Tensor:
    known = {"sampling_rate": audio.SAMPLING_RATE, "measured": measured}
    inputs = model.prepare(audio=signals, **known)
    return functional.normalize(model.get_audio_features(**inputs), dim=-1)


def _known(
    model: ParaCLAP, index: pd.Index, measured: pd.DataFrame | None
) -> npt.NDArray[np.float64] | None:
    """What is known of the functionals of some voices, if the audio tower reads any."""
    if measured is None or model.processor is None or not model.processor.measures:
        return None
    return measured.loc[index].to_numpy(float)


def embed_audio(
    model: ParaCLAP,
    files: Files,
    batch: int = 32,
    store: Path | None = None,
    measured: pd.DataFrame | None = None,
) -> Embeddings:
    """Embed voices.

    Args:
        model: A trained model with its processor.
        files: Paths, an audformat index, or a table with such an index.
        batch: Voices embedded at once; changes speed and memory, not the result.
        store: Folder of decoded signals, see :mod:`paraclap.signals`; None reads the files.
        measured: Their features, see :mod:`paraclap.features`, for towers that read them; None:
            such a tower has openSMILE measure them anew.

    Returns:
        Unit-length embeddings in the order of ``files``, shape ``(n, projection_dim)``.

    Raises:
        AudioError: If a file cannot be read or is shorter than what the audio tower needs.
        ValueError: If the model has no feature extractor.
    """
    index = segments(files)
    known = _known(model, index, measured)
    order: Sequence[int] = range(len(index))
    read: Callable[[int], audio.Signal] = _nothing
    if known is None or model.processor is None or not model.processor.measures_only:
        voices = Signals(index, store)
        order = np.argsort(voices.seconds(), kind="stable")[::-1].tolist()
        read = voices.read
    embeddings = np.empty((len(order), model.config.projection_dim), np.float32)
    model.eval()
    with torch.inference_mode(), progress.bar("embedding voices", len(order)) as bar:
        for rows in _batches(order, batch):
            signals = [read(row) for row in rows]
            own = None if known is None else known[list(rows)]
            embeddings[rows] = _features(model, signals, own).float().cpu().numpy()
            bar.update(len(rows))
    return embeddings


def _nothing(_: int) -> audio.Signal:
    """The signal of a voice of which only what was measured is read."""
    return np.zeros(0, np.float32)


def embed_text(model: ParaCLAP, queries: Sequence[str], batch: int = 256) -> Embeddings:
    """Embed queries.

    Args:
        model: A trained model with its processor.
        queries: Sentences or words.
        batch: Queries embedded at once; changes speed and memory, not the result.

    Returns:
        Unit-length embeddings in the order of ``queries``, shape ``(n, projection_dim)``.

    Raises:
        ValueError: If there is no query, one is empty, or the model has no tokenizer.
    """
    queries = [queries] if isinstance(queries, str) else list(queries)
    if not queries or not all(query.strip() for query in queries):
        raise ValueError(f"Bad queries {queries[:5]}, expected at least one and none empty.")
    order = sorted(range(len(queries)), key=lambda row: len(queries[row]), reverse=True)
    embeddings = np.empty((len(queries), model.config.projection_dim), np.float32)
    model.eval()
    with torch.inference_mode():
        for rows in _batches(order, batch):
            inputs = model.prepare(text=[queries[row] for row in rows])
            features = functional.normalize(model.get_text_features(**inputs), dim=-1)
            embeddings[rows] = features.float().cpu().numpy()
    return embeddings


def words(candidates: Candidates) -> dict[str, str]:
    """Candidates as a mapping from label to the word that is put into the template.

    Raises:
        ValueError: If fewer than two are given or one is given twice.
    """
    pairs = (
        dict(candidates)
        if isinstance(candidates, Mapping)
        else dict(zip(candidates, candidates, strict=True))
    )
    if len(pairs) < 2 or len(pairs) != len(candidates):
        raise ValueError(f"Bad candidates {list(candidates)}, expected two or more different ones.")
    return pairs


def fill(template: str, word: str) -> str:
    """Put a word into the slot of a template.

    Raises:
        ValueError: If the template has no slot ``{}``, or the word is a sentence of its own and the
            template more than a slot.
    """
    if word.endswith(".") and template != "{}":
        raise ValueError(
            f"Bad word {word!r} for the template {template!r}: it is a sentence already, expected "
            "a word: set the template to '{}'."
        )
    if "{}" not in template:
        raise ValueError(f"Bad template {template!r}, expected a slot, as in 'speaker is {{}}'.")
    return template.replace("{}", word)


@dataclass(frozen=True)
class Question:
    """What is asked about every voice: labels, embeddings of their queries, the temperature."""

    labels: list[str]
    texts: Embeddings
    temperature: torch.Tensor

    @classmethod
    def of(cls, model: ParaCLAP, candidates: Candidates, template: str = "{}") -> Self:
        """Embed the candidates, each once; the model keeps its mode.

        Raises:
            ValueError: If fewer than two are given, one twice, or the template has no slot.
        """
        queries = words(candidates)
        modes = [(part, part.training) for part in model.modules()]
        texts = embed_text(model, [fill(template, word) for word in queries.values()])
        for part, mode in modes:
            part.training = mode
        return cls(list(queries), texts, model.temperature.detach().float().cpu())

    def answer(self, voices: Embeddings) -> pd.DataFrame:
        """Answers for embedded voices, see :func:`answer`."""
        logits = torch.from_numpy(voices @ self.texts.T) * self.temperature
        table = pd.DataFrame(logits.softmax(-1).numpy(), columns=self.labels)
        table["prediction"] = table.columns.to_numpy()[logits.argmax(-1).numpy()]
        return table


def answer(
    model: ParaCLAP, voices: Embeddings, candidates: Candidates, template: str = "{}"
) -> pd.DataFrame:
    """Answers for embedded voices, one probability column per candidate and ``prediction``."""
    return Question.of(model, candidates, template).answer(voices)


def classify(
    model: ParaCLAP, files: Files, candidates: Candidates, template: str = "{}", batch: int = 32
) -> pd.DataFrame:
    """Ask which candidate fits each voice best.

    Args:
        model: A trained model with its processor.
        files: Paths, an audformat index, or a table with such an index.
        candidates: Words, or a mapping from label to word.
        template: Sentence with a slot for the word.
        batch: Voices embedded at once.

    Returns:
        A table on the audformat index (file, start, end): one probability column per candidate,
        summing to one, and the column ``prediction``.
    """
    table = answer(model, embed_audio(model, files, batch), candidates, template)
    table.index = segments(files)
    return table
