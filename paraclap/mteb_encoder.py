"""How does a model do in mteb, the benchmark of embeddings? A model behind mteb's encoder protocol.

    import mteb
    from paraclap import ParaCLAP, mteb_encoder

    model = ParaCLAP.from_pretrained("runs/demo/model")
    mteb.evaluate(mteb_encoder.MtebEncoder(model), mteb.get_tasks(tasks=["CREMA_D"]))

mteb gives batches of texts, of audio, or of both, and compares the embeddings that it gets back: in
zero-shot classification of audio with texts, in classification by a linear probe, in clustering,
and in retrieval from one to the other. Audio is heard whole; channels are averaged and other
sampling rates converted by soxr (quality HQ), as in :mod:`paraclap.audio`.

mteb is no part of the environment of everybody (`pip install paraclap[mteb]`), and imported only
to describe the model. Its own audio data sets are fetched from the hub, and decoded by torchcodec.

Conventions: embeddings ``(n, projection_dim)`` float32 of unit length; those of an item that has
both a text and audio are the sum of both, as in mteb's own encoders. Source: mteb 2.26,
``mteb.models.models_protocols.EncoderProtocol``.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import soxr
import torch
from torch.nn import functional

from paraclap import audio, zeroshot
from paraclap.inference import Embeddings, Listener
from paraclap.model import ParaCLAP

LICENCE = "https://github.com/audeering/opensmile/blob/master/LICENSE"
MISSING = "No package mteb, expected it to describe a model to mteb: pip install 'paraclap[mteb]'."
Array = Embeddings | torch.Tensor


class MtebEncoder:
    """A model as mteb asks for one: ``encode``, ``similarity``, and what it is.

    Attributes:
        name: ``owner/name``, under which mteb keeps the scores.
        template: Sentence with a slot; texts of a task are put into it.
    """

    def __init__(
        self,
        model: ParaCLAP,
        name: str = "paraclap/paraclap",
        template: str = "{}",
        revision: str = "unknown",
        training_datasets: Sequence[str] | None = None,
    ) -> None:
        """Serve a model.

        Args:
            model: A trained model with its processor; it is not changed.
            name: ``owner/name``.
            template: ``"{}"`` leaves texts as the task gives them.
            revision: Of the weights, such as ``origin.model_hash`` gives it.
            training_datasets: Names of mteb's tasks whose data the model was trained on, so that
                mteb can tell what is not zero-shot; None if nobody knows.

        Raises:
            ValueError: If the name has no owner, the template no slot, or the model no feature
                extractor.
        """
        if name.count("/") != 1 or not all(name.split("/")):
            raise ValueError(f"Bad name {name!r}, expected owner/name, as in 'paraclap/demo'.")
        zeroshot.fill(template, "word")
        self.model, self.listener = model, Listener(model, "float32")
        self.name, self.template, self.revision = name, template, revision
        self.training_datasets = training_datasets

    def encode(
        self,
        inputs: Any,
        *,
        task_metadata: Any = None,
        hf_split: str = "",
        hf_subset: str = "",
        prompt_type: Any = None,
        **kwargs: Any,
    ) -> Embeddings:
        """Embed what mteb gives.

        Args:
            inputs: A data loader whose batches are mappings: ``text``, a list of sentences, and
                ``audio``, a list of items with ``array`` (``(samples,)`` or
                ``(channels, samples)``) and ``sampling_rate``; at least one of the two.
            task_metadata: Of the task; it changes nothing here, nor do the others.
            hf_split: Likewise.
            hf_subset: Likewise.
            prompt_type: Likewise.
            kwargs: Likewise.

        Returns:
            Shape ``(items, projection_dim)``, in their order.

        Raises:
            ValueError: If there is no batch, or one holds neither text nor audio.
            AudioError: If a signal is empty or not finite.
        """
        batches = [self._embed(batch) for batch in inputs]
        if not batches:
            raise ValueError(
                "Got no batch from mteb, expected at least one: its data set is empty."
            )
        return np.concatenate(batches)

    def _embed(self, batch: Mapping[str, Any]) -> Embeddings:
        parts = []
        if batch.get("text") is not None:
            texts = [zeroshot.fill(self.template, text) for text in batch["text"]]
            parts.append(zeroshot.embed_text(self.model, texts))
        if batch.get("audio") is not None:
            parts.append(self.listener([mono(item) for item in batch["audio"]]))
        if not parts:
            raise ValueError(f"Got {sorted(batch)} from mteb, expected 'audio', 'text', or both.")
        found: Embeddings = np.sum(parts, axis=0, dtype=np.float32)
        return found

    def similarity(self, embeddings1: Array, embeddings2: Array) -> torch.Tensor:
        """Cosines of all with all, shape ``(n, m)``."""
        return _unit(embeddings1) @ _unit(embeddings2).T

    def similarity_pairwise(self, embeddings1: Array, embeddings2: Array) -> torch.Tensor:
        """Cosines of each with its like, shape ``(n,)``."""
        return (_unit(embeddings1) * _unit(embeddings2)).sum(-1)

    @property
    def mteb_model_meta(self) -> Any:
        """What mteb notes of the model, a ``ModelMeta``.

        Raises:
            ModuleNotFoundError: If mteb is not installed.
        """
        try:
            module = importlib.import_module("mteb.models.model_meta")
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(MISSING) from error
        known = self.training_datasets
        overwrites = {
            "name": self.name,
            "revision": self.revision,
            "n_parameters": sum(part.numel() for part in self.model.parameters()),
            "embed_dim": self.listener.size,
            "modalities": ["audio", "text"],
            "framework": ["PyTorch", "Transformers"],
            "similarity_fn_name": module.ScoringFunction.COSINE,
            "use_instructions": False,
            "license": LICENCE,
            "training_datasets": None if known is None else set(known),
        }
        return module.ModelMeta.create_empty(overwrites)


def mono(item: Mapping[str, Any]) -> audio.Signal:
    """The signal of an item of mteb, mono at 16 kHz.

    Args:
        item: With ``array`` and ``sampling_rate``.

    Raises:
        AudioError: If it is empty or not finite.
    """
    signal = np.atleast_2d(np.asarray(item["array"], dtype=np.float32)).mean(axis=0)
    if not len(signal) or not np.isfinite(signal).all():
        raise audio.AudioError(
            f"Got a signal of {len(signal)} samples, expected at least one and finite values."
        )
    if item["sampling_rate"] == audio.SAMPLING_RATE:
        return np.asarray(signal, np.float32)
    converted: audio.Signal = soxr.resample(
        signal, item["sampling_rate"], audio.SAMPLING_RATE, quality="HQ"
    )
    return converted


def _unit(embeddings: Array) -> torch.Tensor:
    return functional.normalize(torch.as_tensor(embeddings).float(), dim=-1)
