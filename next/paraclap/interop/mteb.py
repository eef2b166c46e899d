"""A model behind the encoder protocol of mteb, the benchmark of embeddings.

    import mteb
    from paraclap.interop.mteb import MtebEncoder

    mteb.evaluate(MtebEncoder(model), mteb.get_tasks(tasks=["CREMA_D"]))

mteb gives batches of texts, of audio, or of both, and compares the embeddings: in zero-shot
classification, by a linear probe, in clustering, in retrieval. It is not part of the environment of
everybody (`pip install paraclap[mteb]`), and imported only to describe the model. Its audio data
sets come from the hub and are decoded by torchcodec.

Conventions: embeddings ``(n, projection_dim)`` float32 of unit length; those of an item with both
text and audio are the sum of both, as in mteb's own encoders. Source: mteb 2.26,
``mteb.models.models_protocols.EncoderProtocol``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from paraclap.evaluation.zeroshot import fill
from paraclap.interop import embed_signals
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings, embed_text

LICENCE = "https://github.com/audeering/opensmile/blob/master/LICENSE"


class MtebEncoder:
    """A model as mteb wants one: ``encode``, ``similarity``, and its description."""

    def __init__(
        self,
        model: ParaCLAP,
        name: str = "paraclap/paraclap",
        template: str = "{}",
        revision: str = "unknown",
        training_datasets: Sequence[str] | None = None,
    ) -> None:
        """Wrap a model.

        Args:
            model: A trained model with its processor; it is not changed.
            name: ``owner/name``, under which mteb keeps the scores.
            template: Sentence with a slot for the texts of a task.
            revision: Of the weights, such as ``results.model_hash`` gives it.
            training_datasets: Names of mteb's tasks that the model was trained on; None: unknown.

        Raises:
            ValueError: If the name has no owner or the template no slot.
        """
        if name.count("/") != 1 or not all(name.split("/")):
            raise ValueError(f"Bad name {name!r}, expected owner/name, as in 'paraclap/demo'.")
        fill(template, "word")
        self.model, self.name, self.template, self.revision = model, name, template, revision
        self.training_datasets = training_datasets

    def encode(self, inputs: Any, **_: Any) -> Embeddings:
        """Embed batches of mteb.

        Args:
            inputs: A data loader whose batches are mappings: ``text``, a list of sentences, and
                ``audio``, a list of items with ``array`` and ``sampling_rate``; at least one.
            _: What mteb says of the task; it changes nothing.

        Returns:
            Shape ``(items, projection_dim)``, in their order.

        Raises:
            ValueError: If there is no batch, or one has neither text nor audio.
            AudioError: If a signal is empty or not finite.
        """
        batches = [self._embed(batch) for batch in inputs]
        if not batches:
            raise ValueError("Got no batch from mteb, expected at least one: its data are empty.")
        return np.concatenate(batches)

    def _embed(self, batch: Mapping[str, Any]) -> Embeddings:
        parts = []
        if batch.get("text") is not None:
            parts.append(
                embed_text(self.model, [fill(self.template, one) for one in batch["text"]])
            )
        if batch.get("audio") is not None:
            signals = [item["array"] for item in batch["audio"]]
            rates = [item["sampling_rate"] for item in batch["audio"]]
            parts.append(embed_signals(self.model, signals, rates))
        if not parts:
            raise ValueError(f"Got {sorted(batch)} from mteb, expected 'audio', 'text', or both.")
        found: Embeddings = np.sum(parts, axis=0, dtype=np.float32)
        return found

    def similarity(self, embeddings1: Any, embeddings2: Any) -> torch.Tensor:
        """Cosines of all with all, shape ``(n, m)``."""
        return _unit(embeddings1) @ _unit(embeddings2).T

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> torch.Tensor:
        """Cosines of each pair, shape ``(n,)``."""
        return (_unit(embeddings1) * _unit(embeddings2)).sum(-1)

    @property
    def mteb_model_meta(self) -> Any:
        """The description of the model, a ``ModelMeta``; needs the package mteb."""
        module = import_module("mteb.models.model_meta")
        known = self.training_datasets
        values = {
            "name": self.name,
            "revision": self.revision,
            "n_parameters": sum(part.numel() for part in self.model.parameters()),
            "embed_dim": self.model.config.projection_dim,
            "modalities": ["audio", "text"],
            "framework": ["PyTorch", "Transformers"],
            "similarity_fn_name": module.ScoringFunction.COSINE,
            "use_instructions": False,
            "license": LICENCE,
            "training_datasets": None if known is None else set(known),
        }
        return module.ModelMeta.create_empty(values)


def _unit(embeddings: Any) -> torch.Tensor:
    return functional.normalize(torch.as_tensor(embeddings).float(), dim=-1)
