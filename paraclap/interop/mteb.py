"""A model behind the encoder protocol of mteb, the benchmark of embeddings.

    import mteb
    from paraclap.interop.mteb import MtebEncoder

    mteb.evaluate(MtebEncoder(model), mteb.get_tasks(tasks=["CREMA_D"]))

Its audio data sets come from the hub and are decoded by torchcodec. Needs the package mteb (`pip
install paraclap[mteb]`). Embeddings are of unit length; those of an item with both text and audio
are the sum of both, as in mteb's own encoders. Source: mteb 2.26.
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from mteb.models.abs_encoder import AbsEncoder
from mteb.models.model_meta import ModelMeta, ScoringFunction

from paraclap.evaluation.zeroshot import fill
from paraclap.interop import embed_signals
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings, embed_text


class MtebEncoder(AbsEncoder):
    """A model as mteb wants one: ``encode``, ``similarity``, and its description."""

    def __init__(
        self,
        model: ParaCLAP,
        name: str = "paraclap/paraclap",
        template: str = "{}",
        revision: str = "unknown",
        training_datasets: Collection[str] | None = None,
    ) -> None:
        """Wrap a trained model with its processor; the template has a slot for a task's texts.

        mteb keeps the scores under the name (``owner/name``) and the revision of the weights.
        ``training_datasets`` are those of its tasks that were trained on; None: unknown.
        """
        self.encoder, self.template = model, template
        values = {
            "name": name,
            "revision": revision,
            "n_parameters": sum(part.numel() for part in model.parameters()),
            "embed_dim": model.config.projection_dim,
            "modalities": ["audio", "text"],
            "framework": ["PyTorch", "Transformers"],
            "similarity_fn_name": ScoringFunction.COSINE,
            "use_instructions": False,
            "license": "https://github.com/audeering/opensmile/blob/master/LICENSE",
            "training_datasets": training_datasets and set(training_datasets),
        }
        self.mteb_model_meta = ModelMeta.create_empty(values)

    def encode(self, inputs: Any, **_: Any) -> Embeddings:
        """Embed batches of mteb, shape ``(items, projection_dim)``, in their order.

        A batch has ``text`` (sentences), ``audio`` (items of ``array``, ``sampling_rate``) or both.
        """
        return np.concatenate([self._embed(batch) for batch in inputs])

    def _embed(self, batch: Mapping[str, Any]) -> Any:
        parts = []
        if batch.get("text") is not None:
            texts = [fill(self.template, one) for one in batch["text"]]
            parts.append(embed_text(self.encoder, texts))
        if batch.get("audio") is not None:
            signals = [item["array"] for item in batch["audio"]]
            rates = [item["sampling_rate"] for item in batch["audio"]]
            parts.append(embed_signals(self.encoder, signals, rates))
        if not parts:
            raise ValueError(f"Got {sorted(batch)} from mteb, expected 'audio', 'text', or both.")
        return np.sum(parts, axis=0, dtype=np.float32)
