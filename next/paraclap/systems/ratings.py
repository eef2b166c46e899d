"""A model that rates arousal, dominance and valence: the one behind the paper's audio encoder.

Conventions: 16 kHz, one file at a time in full, normalised if its preprocessing says so; ratings
from about 0 to 1. Chapter 10. Source: Wagner et al., "Dawn of the transformer era in speech emotion
recognition", IEEE TPAMI 2023.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn
from transformers import (
    AutoFeatureExtractor,
    PreTrainedConfig,
    Wav2Vec2Model,
    Wav2Vec2PreTrainedModel,
)

from paraclap import audio, tables
from paraclap.systems import weights
from paraclap.systems.interface import read_signals


class RatingModel(Wav2Vec2PreTrainedModel):  # type: ignore[misc]  # untyped
    """wav2vec2, mean pooling over time, and a head with one output a dimension."""

    def __init__(self, config: PreTrainedConfig) -> None:
        """Build it with random weights, under the names of the published file."""
        super().__init__(config)
        self.wav2vec2 = Wav2Vec2Model(config)
        units = config.hidden_size
        head = {"dense": nn.Linear(units, units), "out_proj": nn.Linear(units, config.num_labels)}
        self.classifier = nn.ModuleDict(head)
        self.post_init()

    def forward(self, input_values: torch.Tensor) -> torch.Tensor:
        """Ratings of signals ``(batch, samples)``, shape ``(batch, dimensions)``."""
        pooled = self.wav2vec2(input_values).last_hidden_state.mean(1)
        rated: torch.Tensor = self.classifier["out_proj"](self.classifier["dense"](pooled).tanh())
        return rated


class Dimensional:
    """A model of three dimensions with its preprocessing."""

    name = "dimensional"

    def __init__(self, model: RatingModel, extractor: Any) -> None:
        """Wrap a model; a ValueError if its outputs have other names."""
        self.model, self.extractor = model.eval(), extractor
        names = model.config.id2label
        self.columns = [str(names[place]).lower() for place in sorted(names)]
        if sorted(self.columns) != sorted(tables.DIMENSIONS):
            expected = list(tables.DIMENSIONS)
            raise ValueError(f"Bad outputs {self.columns[:5]} of the model, expected {expected}.")

    def rate(self, files: Any) -> pd.DataFrame:
        """Rate utterances: `arousal, dominance, valence` on the audformat index."""
        rate = audio.SAMPLING_RATE
        with torch.inference_mode():
            rows = [
                self.model(
                    self.extractor(one, sampling_rate=rate, return_tensors="pt").input_values
                )
                for one in read_signals(files, rate)
            ]
        table = pd.DataFrame(torch.cat(rows).numpy(), tables.as_index(files), self.columns)
        return table[sorted(self.columns)]


def load_dimensional(place: str | Path | None = None) -> Dimensional:
    """Read the published model from a folder or the hub.

    Raises:
        FileNotFoundError: If it is not there, with the commands that fetch it.
        ValueError: If the weights are not those of such a model.
    """
    name = str(place or weights.source(Dimensional.name)["repository"])
    with weights.explained(Dimensional.name, name):
        model, info = RatingModel.from_pretrained(name, output_loading_info=True)
        extractor = AutoFeatureExtractor.from_pretrained(name)
    weights.refuse(set(info["missing_keys"]) - {"wav2vec2.masked_spec_embed"}, "missing", name)
    return Dimensional(model, extractor)


def correlations(rated: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Correlation of ratings with those of people, corpus by corpus.

    Corpora rate on scales of their own, hence the correlation, which ignores scale.

    Args:
        rated: of :meth:`Dimensional.rate`
        labels: labels table of the same utterances; those without ratings are left out

    Returns:
        `corpus, dimension, n, correlation`, of corpora with at least two different ratings
    """
    rows = []
    for corpus, part in labels.groupby("corpus", sort=False):
        for dimension in tables.DIMENSIONS:
            truth = part[dimension].dropna()
            if truth.nunique() > 1:
                found = float(truth.corr(rated.loc[truth.index, dimension]))
                rows.append((corpus, dimension, len(truth), found))
    return pd.DataFrame(rows, columns=["corpus", "dimension", "n", "correlation"])
