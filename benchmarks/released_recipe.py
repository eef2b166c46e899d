"""The recipe of the release stated again, to measure ours against."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from paraclap import pairs
from paraclap.loss import contrastive, scaled_similarity
from paraclap.model import ParaCLAP
from paraclap.settings import Settings
from paraclap.texts import Texts


class Released:
    """The released recipe as far as its speed goes.

    Float32 products, attention spelt out, a mask of ones where nothing is padding, the text of
    every voice tokenised and encoded at every step however often it occurs, an optimiser that goes
    from weight to weight, and a loss that is read after every step. In its favour, signals come
    from our loader and the texts of a batch are encoded together. Both towers learn, as the paper
    says.
    """

    def __init__(self, model: ParaCLAP, settings: Settings, texts: Texts) -> None:
        """Prepare a model on its device."""
        self.model, self.texts = model, texts
        for tower in (model.audio_model, model.text_model):
            tower.set_attn_implementation("eager")
        towers = [*model.audio_model.parameters(), *model.text_model.parameters()]
        known = {id(weight) for weight in towers}
        heads = [weight for weight in model.parameters() if id(weight) not in known]
        self.optimizer = torch.optim.Adam(
            [{"params": towers, "lr": settings.audio_lr}, {"params": heads}],
            lr=settings.head_lr,
            foreach=False,
        )

    def step(self, batch: pairs.Batch) -> torch.Tensor:
        """Take one step; gives the loss."""
        model = self.model.train()
        values = batch.signals["input_values"].to(model.device)
        said = self.texts.of(batch.step, batch.rows)
        audio = model.get_audio_features(values, torch.ones_like(values, dtype=torch.long))
        text = model.get_text_features(**model.prepare(text=said))
        loss = contrastive(scaled_similarity(audio, text, model.temperature))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return torch.tensor([loss.item()])


@contextlib.contextmanager
def without_tf32() -> Iterator[None]:
    """Products of float32 in float32."""
    backends = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [backend.allow_tf32 for backend in backends]
    try:
        for backend in backends:
            backend.allow_tf32 = False
        yield
    finally:
        for backend, allowed in zip(backends, before, strict=True):
            backend.allow_tf32 = allowed
