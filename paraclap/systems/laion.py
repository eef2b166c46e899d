"""CLAP of LAION (HTSAT and RoBERTa) through transformers, asked about voices.

Conventions: 48 kHz, the first 10 seconds; what is shorter the feature extractor repeats and pads.
It is never given more, because it would then cut at random; nor is the fusion of several cuts used.
Source: Wu et al., "Large-scale contrastive language-audio pretraining with feature fusion and
keyword-to-caption augmentation", ICASSP 2023.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from paraclap import audio, pretrained
from paraclap.systems import catalogue, hearing
from paraclap.zeroshot import Embeddings, Files


class LaionCLAP:
    """A system, see :class:`paraclap.systems.System`."""

    name = "laion-clap"

    def __init__(
        self, model: PreTrainedModel, extractor: Any, tokenizer: PreTrainedTokenizerBase
    ) -> None:
        """Serve a ``ClapModel`` with its ``ClapFeatureExtractor`` and tokenizer."""
        self.model, self.extractor, self.tokenizer = model.eval(), extractor, tokenizer
        self.sampling_rate = int(extractor.sampling_rate)

    @property
    def temperature(self) -> float:
        """The learned factor of voices over queries."""
        return float(self.model.logit_scale_a.detach().exp())

    def embed_audio(self, files: Files) -> Embeddings:
        """Embed the first seconds of voices, shape ``(n, 512)``."""
        signals = hearing.signals(files, self.sampling_rate)
        return hearing.embedded(signals, self._hear)

    def embed_text(self, queries: Sequence[str]) -> Embeddings:
        """Embed queries, shape ``(m, 512)``."""
        return hearing.embedded(iter(hearing.check_queries(queries)), self._read)

    def _hear(self, signals: list[audio.Signal]) -> torch.Tensor:
        cut = [signal[: self.extractor.nb_max_samples] for signal in signals]
        inputs = self.extractor(cut, sampling_rate=self.sampling_rate, return_tensors="pt")
        # where nothing is longer, the extractor draws a signal at random and calls it so
        inputs["is_longer"] = torch.zeros(len(cut), 1, dtype=torch.bool)
        features: torch.Tensor = self.model.get_audio_features(**inputs).pooler_output
        return features

    def _read(self, queries: list[str]) -> torch.Tensor:
        inputs = self.tokenizer(queries, padding=True, truncation=True, return_tensors="pt")
        features: torch.Tensor = self.model.get_text_features(**inputs).pooler_output
        return features


def load(weights: str | Path | None = None) -> LaionCLAP:
    """Read a published model.

    Args:
        weights: Folder, or the hub id of any ``ClapModel``; None: the one of the catalogue.

    Raises:
        OSError: If something is not there or cannot be read.
        ValueError: If the weights are not those of the model.
    """
    origin = catalogue.source(LaionCLAP.name)
    name = str(weights or origin.repository)
    try:
        config = pretrained.config(name)
    except OSError as error:
        raise FileNotFoundError(origin.absent(name, "no configuration")) from error
    model = pretrained.encoder(name, config)
    if not hasattr(model, "logit_scale_a"):
        got = f"{type(model).__name__} at {pretrained.named(name)!r}"
        raise ValueError(f"Bad model {got}, expected a ClapModel: see {origin.commands[0]}")
    return LaionCLAP(model, pretrained.preprocessing(name), pretrained.tokenizer(name))
