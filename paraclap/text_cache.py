"""Embeddings of the queries of a batch, each distinct text encoded once.

While the text tower is frozen its output for a text never changes, so it is kept for the whole
run and only the projection head works at every step.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from paraclap import progress
from paraclap.model import ParaCLAP

CHUNK = 128


class TextCache:
    """Text features for training, in the order of the texts asked for."""

    def __init__(self, model: ParaCLAP, frozen: bool) -> None:
        """Serve the text tower of ``model``, which stays as it is if ``frozen``."""
        self.model, self.frozen = model, frozen
        self._kept: dict[str, torch.Tensor] = {}

    def prepare(self, texts: Sequence[str]) -> None:
        """Encode texts ahead if the tower is frozen; similar lengths together."""
        if not self.frozen:
            return
        new = sorted({text for text in texts if text not in self._kept}, key=len)
        if not new:
            return
        training = self.model.text_model.training
        self.model.text_model.eval()  # a frozen tower drops nothing out
        with torch.no_grad(), progress.bar("embedding texts", len(new)) as bar:
            for start in range(0, len(new), CHUNK):
                part = new[start : start + CHUNK]
                self._kept.update(zip(part, self._pool(part), strict=True))
                bar.update(len(part))
        self.model.text_model.train(training)

    def _pool(self, texts: Sequence[str]) -> torch.Tensor:
        inputs = self.model.prepare(text=list(texts))
        return self.model.pool_text(**inputs)

    def features(self, texts: Sequence[str]) -> torch.Tensor:
        """Projected features of ``texts``, shape ``(n, projection_dim)``, not normalised."""
        distinct = list(dict.fromkeys(texts))
        if self.frozen:
            self.prepare(distinct)
            pooled = torch.stack([self._kept[text] for text in distinct])
        else:
            pooled = self._pool(distinct)
        place = {text: row for row, text in enumerate(distinct)}
        rows = torch.tensor([place[text] for text in texts], device=pooled.device)
        features: torch.Tensor = self.model.text_projection(pooled[rows])
        return features
