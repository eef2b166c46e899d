"""CLAP of Microsoft, 2022 (CNN14 and BERT) and 2023 (HTSAT and GPT-2), asked about voices.

Trained on sounds of all kinds and their descriptions, speech only among them. Settings are those of
the package ``msclap``: 44.1 kHz, 5 or 7 seconds. Source: see :mod:`paraclap.systems.parts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from paraclap import audio
from paraclap.systems import catalogue, checkpoints, hearing, parts
from paraclap.zeroshot import Embeddings, Files

SOUNDS = {"clap-2022": parts.CNN14, "clap-2023": parts.HTSAT}
LONGEST = {"clap-2022": 100, "clap-2023": 77}  # tokens of a query


class Model(nn.Module):
    """Both towers, under the names of the published files."""

    def __init__(self, sound: parts.Sound, texts: parts.Texts) -> None:
        """Build it with random weights."""
        super().__init__()
        self.audio_encoder = parts.audio_tower(sound)
        self.caption_encoder = texts
        self.logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log())


class MicrosoftCLAP:
    """A system, see :class:`paraclap.systems.System`."""

    def __init__(self, name: str, model: Model, words: parts.Words) -> None:
        """Serve a model.

        Args:
            name: `clap-2022` or `clap-2023`.
            model: With its weights.
            words: Tokenizer of its text tower.
        """
        self.name, self.model, self.words = name, model.eval(), words
        self.sound = SOUNDS[name]
        self.sampling_rate = self.sound.sampling_rate

    @property
    def temperature(self) -> float:
        """The learned factor of the model."""
        return float(self.model.logit_scale.detach().exp())

    def embed_audio(self, files: Files) -> Embeddings:
        """Embed the first seconds of voices, shape ``(n, 1024)``."""
        signals = hearing.signals(files, self.sampling_rate)
        return hearing.embedded(signals, self._hear)

    def embed_text(self, queries: Sequence[str]) -> Embeddings:
        """Embed queries, shape ``(m, 1024)``."""
        return hearing.embedded(iter(hearing.check_queries(queries)), self._read)

    def _hear(self, signals: list[audio.Signal]) -> torch.Tensor:
        filled = np.stack([hearing.fill(signal, self.sound.samples) for signal in signals])
        features: torch.Tensor = self.model.audio_encoder(torch.from_numpy(filled))[0]
        return features

    def _read(self, queries: list[str]) -> torch.Tensor:
        features: torch.Tensor = self.model.caption_encoder(self.words(queries))
        return features


def load(name: str, weights: str | Path | None = None) -> MicrosoftCLAP:
    """Read a published model.

    Args:
        name: `clap-2022` or `clap-2023`.
        weights: Folder or file, see :func:`paraclap.systems.load`.

    Raises:
        OSError: If something is not there or cannot be read.
        ValueError: If the weights are not those of the model.
    """
    origin = catalogue.source(name)
    path = catalogue.place(origin, weights)
    text = parts.text_part(origin, path)
    model = Model(SOUNDS[name], parts.Texts(text.config))
    checkpoints.fit(model, checkpoints.read(path), path.name)
    return MicrosoftCLAP(name, model, parts.Words(text.name, LONGEST[name]))
