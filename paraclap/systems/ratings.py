"""A model that rates arousal, dominance and valence, and knows no words at all.

audEERING fine-tuned wav2vec2 on the ratings of MSP-Podcast; it is also the audio tower that the
paper starts from. Where voices have ratings, its own are the mark to compare with.

Conventions: 16 kHz, whole files, one at a time, normalised if its preprocessing says so. The
published model rates from about 0 to 1; one made by :mod:`paraclap.dimensional` rates in standard
deviations. Source: Wagner et al., "Dawn of the transformer era in speech emotion recognition",
IEEE TPAMI 2023.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
import huggingface_hub
import pandas as pd
import torch
from safetensors.torch import load_file
from transformers import PreTrainedConfig

from paraclap import audio, pretrained, zeroshot
from paraclap.dimensional import Regression
from paraclap.systems import catalogue, checkpoints, hearing
from paraclap.tables import DIMENSIONS
from paraclap.weights import Weights
from paraclap.zeroshot import Files

HEAD = "classifier."
FILES = ("model.safetensors", "pytorch_model.bin")


class Dimensional:
    """A model of three dimensions; it embeds no queries.

    Attributes:
        columns: The dimensions in the order of its outputs.
    """

    name = "dimensional"
    sampling_rate = audio.SAMPLING_RATE

    def __init__(self, model: Regression, extractor: Any, columns: list[str]) -> None:
        """Serve a model with its preprocessing."""
        self.model, self.extractor, self.columns = model.eval(), extractor, columns

    def dimensions(self, files: Files) -> pd.DataFrame:
        """Rate voices.

        Args:
            files: Paths, an audformat index, or a table with such an index.

        Returns:
            `arousal, dominance, valence` on the audformat index.

        Raises:
            AudioError: If a file cannot be read.
        """
        with torch.inference_mode():
            rows = [self._rate(signal) for signal in hearing.signals(files, self.sampling_rate)]
        table = pd.DataFrame(rows, zeroshot.segments(files), self.columns)
        return table[sorted(DIMENSIONS)]

    def _rate(self, signal: audio.Signal) -> list[float]:
        inputs = self.extractor(signal, sampling_rate=self.sampling_rate, return_tensors="pt")
        values: torch.Tensor = inputs["input_values"]
        rated: list[float] = self.model(values, torch.ones_like(values))[0].tolist()
        return rated


def load(weights: str | Path | None = None) -> Dimensional:
    """Read a published model, or one of :mod:`paraclap.dimensional`.

    Args:
        weights: Folder or hub id; None: that of the catalogue.

    Raises:
        OSError: If something is not there or cannot be read.
        ValueError: If the weights are not those of such a model.
    """
    origin = catalogue.source(Dimensional.name)
    name = str(weights or origin.repository)
    try:
        config = pretrained.config(name)
        path = _weights(name)
    except OSError as error:
        raise FileNotFoundError(origin.absent(name)) from error
    model = Regression(pretrained.encoder(name, config), len(DIMENSIONS))
    head = {key.removeprefix(HEAD): value for key, value in _read(path).items() if HEAD in key}
    checkpoints.fit(model.classifier, head, path.name)
    return Dimensional(model, pretrained.preprocessing(name), columns(config))


def columns(config: PreTrainedConfig) -> list[str]:
    """Dimensions in the order of the outputs: named by the configuration, or ours.

    Raises:
        ValueError: If the outputs have other names.
    """
    named = [str(config.id2label[place]).lower() for place in sorted(config.id2label)]
    if all(name.startswith("label_") for name in named):
        return list(DIMENSIONS)
    if sorted(named) != sorted(DIMENSIONS):
        raise ValueError(f"Bad outputs {named[:5]} of the model, expected {list(DIMENSIONS)}.")
    return named


def _weights(name: str) -> Path:
    """File with the weights in a folder, or of a hub id.

    Raises:
        OSError: If there is none.
    """
    if Path(name).is_dir():
        there = [Path(name) / file for file in FILES if (Path(name) / file).is_file()]
        if not there:
            raise FileNotFoundError(f"None of {FILES} in {pretrained.named(name)!r}.")
        return there[0]
    kept = huggingface_hub.snapshot_download(name, allow_patterns=list(FILES))
    return _weights(kept)


def _read(path: Path) -> Weights:
    return load_file(path) if path.suffix == ".safetensors" else checkpoints.read(path)


def agreement(rated: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Correlation of ratings with those of people, corpus by corpus.

    Corpora rate on scales of their own, hence the correlation: it is the concordance coefficient
    once both sides have mean 0 and spread 1.

    Args:
        rated: of `Dimensional.dimensions`
        labels: labels table of the same voices; those without ratings are left out

    Returns:
        `corpus, dimension, n, correlation`, of corpora with at least two different ratings
    """
    rows = []
    for corpus, own in labels.groupby("corpus", sort=False):
        for name in DIMENSIONS:
            truth = own[name].dropna()
            if truth.nunique() > 1:
                found = float(truth.corr(rated.loc[truth.index, name]))
                said = {"corpus": corpus, "dimension": name, "n": len(truth)}
                rows.append({**said, "correlation": found})
    return pd.DataFrame(rows, columns=["corpus", "dimension", "n", "correlation"])
