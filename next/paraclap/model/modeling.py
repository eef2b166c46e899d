"""ParaCLAP as a transformers ``PreTrainedModel``: two encoders, two projection heads, one space.

The cosine similarity of an utterance and a query in that space, times a learned temperature, says
how well the query fits. Conventions: ``input_values (batch, samples)`` float32; masks are 1 on
signal and 0 on padding at the end; embeddings ``(batch, projection_dim)``; ``logits_per_audio
(audio, text)``. Chapter 4. Source: ParaCLAP (Jing et al., 2024), section 2.1.
"""

from __future__ import annotations

import errno
import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from huggingface_hub import ModelCard
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel, BatchFeature, PreTrainedModel
from transformers.utils import ModelOutput

from .configuration import ParaCLAPConfig
from .functionals import output_size
from .layers import Mask, Projection, cosine_logits, is_exact_with_mask, mean_pool, pool_audio
from .loading import check_weights, quiet
from .processing import ParaCLAPProcessor, saved_processor

__all__ = ["ParaCLAP", "ParaCLAPOutput", "Projection", "is_exact_with_mask", "pool_audio"]
HUB = {"cache_dir", "force_download", "local_files_only", "proxies", "revision", "subfolder"}


@dataclass
class ParaCLAPOutput(ModelOutput):  # type: ignore[misc]  # transformers is untyped here
    """Loss (if asked for), logits ``(audio, text)`` and ``(text, audio)``, unit embeddings."""

    loss: Tensor | None = None
    logits_per_audio: Tensor | None = None
    logits_per_text: Tensor | None = None
    text_embeds: Tensor | None = None
    audio_embeds: Tensor | None = None


class ParaCLAP(PreTrainedModel):  # type: ignore[misc]  # transformers is untyped here
    """Utterances and queries in one space.

    ``model.processor`` is saved and loaded with the model; without one it reads tensors only.
    """

    config_class = ParaCLAPConfig
    base_model_prefix = ""
    main_input_name = "input_ids"
    supports_gradient_checkpointing = True
    _supports_sdpa = _supports_flash_attn = True
    processor: ParaCLAPProcessor | None = None

    def __init__(self, config: ParaCLAPConfig) -> None:
        """Build both encoders from their configurations, with random weights."""
        super().__init__(config)
        audio, text = config.audio_config, config.text_config
        size, dropout = config.projection_dim, config.projection_dropout
        self.audio_model = AutoModel.from_config(audio, trust_remote_code=False)
        self.text_model = AutoModel.from_config(text, trust_remote_code=False)
        self.audio_projection = Projection(output_size(audio), size, dropout)
        self.text_projection = Projection(text.hidden_size, size, dropout)
        self.logit_scale = nn.Parameter(torch.tensor(float(config.logit_scale_init)))
        bias = config.logit_bias_init
        self.logit_bias = None if bias is None else nn.Parameter(torch.tensor(float(bias)))
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Heads and temperature keep the values that they are made with."""

    @classmethod
    def from_encoders(
        cls,
        audio_model: PreTrainedModel,
        text_model: PreTrainedModel,
        processor: ParaCLAPProcessor,
        **settings: Any,
    ) -> Self:
        """Put new projection heads on two encoders of transformers, weights included.

        ``settings`` are further arguments of :class:`ParaCLAPConfig`.
        """
        configs = {"audio_config": audio_model.config, "text_config": text_model.config}
        model = cls(ParaCLAPConfig(**configs, **settings))
        model.audio_model, model.text_model = audio_model, text_model
        model.processor = processor
        return model

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | Path | None, *args: Any, **kwargs: Any
    ) -> Any:
        """Load a model with its processor from a folder or the hub, in evaluation mode.

        Arguments are those of transformers; those of the hub reach every part.

        Raises:
            OSError: If there is no model or its weights cannot be read.
            ValueError: If it is the model of another architecture or weights do not fit.
        """
        name = pretrained_model_name_or_path and str(pretrained_model_name_or_path)
        with_info = kwargs.pop("output_loading_info", False)
        kwargs = {"ignore_mismatched_sizes": True} | kwargs | {"output_loading_info": True}
        try:
            with quiet():  # what would be reported is checked below
                model, info = super().from_pretrained(name, *args, **kwargs)
        except (OSError, SafetensorError) as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise OSError(
                f"No model that can be read at {name!r} ({reason}), expected config.json and "
                "model.safetensors in a folder, or a hub id that can be reached: give the folder "
                "model/ of a finished run, or copy it again."
            ) from error
        check_weights(model, info)
        if name:
            hub = {key: kwargs[key] for key in HUB | {"token"} if key in kwargs}
            model.processor = saved_processor(name, model.config, **hub)
        return (model, info) if with_info else model

    @classmethod
    def from_released(cls, checkpoint: str | Path, *args: Any, **kwargs: Any) -> ParaCLAP:
        """Read the authors' checkpoint, see :func:`paraclap.model.checkpoint.load_released`."""
        # By name: a model folder that carries this file has no use for that one.
        module = importlib.import_module("paraclap.model.checkpoint")
        model: ParaCLAP = module.load_released(checkpoint, *args, **kwargs)
        return model

    def save_pretrained(self, save_directory: str | Path, **kwargs: Any) -> None:
        """Write weights, configuration, processor and the code of the classes; OSError if not."""
        if self.processor is not None:
            self.processor.save_pretrained(save_directory)
        try:
            with quiet():
                super().save_pretrained(save_directory, **kwargs)
        except SafetensorError as error:
            msg = f"Cannot write the weights to {Path(save_directory).name!r} ({error}): free space"
            raise OSError(errno.EIO, f"{msg} or choose another folder, then run again") from error
        os.umask(mask := os.umask(0))  # safetensors writes files that nobody else may read
        for file in Path(save_directory).glob("*.safetensors"):
            file.chmod(0o666 & ~mask)

    def push_to_hub(self, repo_id: str, **options: Any) -> str:
        """Upload the model with its code and the model card of the folder it was loaded from."""
        url: str = super().push_to_hub(repo_id, **options)
        card = Path(self.name_or_path, "README.md")
        if card.is_file():
            ModelCard.load(card).push_to_hub(repo_id, token=options.get("token"))
        return url

    def require_processor(self) -> ParaCLAPProcessor:
        """The processor; ValueError if the model has none."""
        if self.processor is None:
            raise ValueError(
                "This model has no tokenizer and no feature extractor, expected both in "
                "model.processor: load it with from_released(..., tokenizer=...), or set "
                "model.processor = paraclap.model.checkpoint.processor(model, tokenizer)."
            )
        return self.processor

    def prepare(self, **inputs: Any) -> BatchFeature:
        """What :meth:`forward` takes, on the device of the model; no mask where nothing is padded.

        ``inputs`` are those of :class:`ParaCLAPProcessor`: ``text``, ``audio`` and so on.
        """
        batch = self.require_processor()(**inputs)
        if "audio_attention_mask" in batch and batch["audio_attention_mask"][:, -1].all():
            del batch["audio_attention_mask"]
        return batch.to(self.device, self.dtype)

    @property
    def temperature(self) -> Tensor:
        """Factor of the cosine similarities, a scalar: exp(logit_scale)."""
        return self.logit_scale.exp()

    def get_input_embeddings(self) -> nn.Module:
        """The embeddings of tokens, for libraries that ask for them."""
        module: nn.Module = self.text_model.get_input_embeddings()
        return module

    def get_audio_features(self, input_values: Tensor, audio_attention_mask: Mask = None) -> Tensor:
        """Embed utterances: ``(batch, samples)`` to ``(batch, projection_dim)``, not normalised."""
        pooled = pool_audio(self.audio_model, input_values, audio_attention_mask)
        features: Tensor = self.audio_projection(pooled)
        return features

    def pool_text(
        self, input_ids: Tensor, attention_mask: Mask = None, token_type_ids: Mask = None
    ) -> Tensor:
        """Output of the text encoder before its projection, shape ``(batch, hidden_size)``."""
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        output = self.text_model(input_ids, attention_mask=attention_mask, **types)
        hidden: Tensor = output.last_hidden_state
        is_cls = self.config.text_pooling == "cls"
        return hidden[:, 0] if is_cls else mean_pool(hidden, attention_mask)

    def get_text_features(
        self, input_ids: Tensor, attention_mask: Mask = None, token_type_ids: Mask = None
    ) -> Tensor:
        """Embed queries: ``(batch, tokens)`` to ``(batch, projection_dim)``, not normalised."""
        pooled = self.pool_text(input_ids, attention_mask, token_type_ids)
        features: Tensor = self.text_projection(pooled)
        return features

    def compare(
        self, audio_features: Tensor, text_features: Tensor, return_loss: bool = False
    ) -> ParaCLAPOutput:
        """Logits of two sets of features, and the loss if row ``i`` of both is a pair."""
        logits, loss = cosine_logits(audio_features, text_features, self.temperature), None
        if return_loss:
            pairs = torch.arange(len(logits), device=logits.device)
            loss = sum(functional.cross_entropy(one, pairs) for one in (logits, logits.T)) / 2
        audio, text = (functional.normalize(one, dim=-1) for one in (audio_features, text_features))
        return ParaCLAPOutput(loss, logits, logits.T, text, audio)

    def forward(
        self,
        input_ids: Tensor,
        input_values: Tensor,
        attention_mask: Mask = None,
        audio_attention_mask: Mask = None,
        token_type_ids: Mask = None,
        return_loss: bool = False,
        return_dict: bool | None = None,
    ) -> ParaCLAPOutput | tuple[Tensor, ...]:
        """Compare every utterance with every query.

        Args:
            input_ids: Tokens of the queries, shape ``(text, tokens)``.
            input_values: Signals, shape ``(audio, samples)``.
            attention_mask: Mask of the tokens; None: no padding.
            audio_attention_mask: Mask of the signals; None: no padding.
            token_type_ids: As the tokenizer gives them.
            return_loss: Whether query ``i`` is a pair with utterance ``i`` and the loss is wanted.
            return_dict: False: a tuple; None: as the configuration says.
        """
        audio = self.get_audio_features(input_values, audio_attention_mask)
        text = self.get_text_features(input_ids, attention_mask, token_type_ids)
        output = self.compare(audio, text, return_loss)
        as_tuple = not (self.config.return_dict if return_dict is None else return_dict)
        return tuple(output.to_tuple()) if as_tuple else output


ParaCLAPConfig.register_for_auto_class()
ParaCLAP.register_for_auto_class("AutoModel")
