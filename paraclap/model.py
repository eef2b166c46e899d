"""Two towers and one space: the ParaCLAP model as a transformers ``PreTrainedModel``.

An audio encoder and a text encoder of transformers are each followed by a projection head; the
cosine similarity of their outputs, times a learned temperature, answers how well a query fits a
voice. Source: ParaCLAP (Jing et al., 2024), section 2.1.

Conventions: ``input_values (batch, samples)`` float32 at the sampling rate of the feature
extractor; masks are 1 on signal and 0 on padding; embeddings ``(batch, projection_dim)`` are of
unit length; ``logits_per_audio (audio, text)``.
"""

from __future__ import annotations

import errno
import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
import torch
from safetensors import SafetensorError
from torch import nn
from torch.nn import functional
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModel,
    AutoProcessor,
    BatchFeature,
    PreTrainedModel,
)
from transformers.utils import ModelOutput

from paraclap.configuration import ParaCLAPConfig, read_config
from paraclap.foreign import refuse_shards
from paraclap.loss import contrastive, scaled_similarity
from paraclap.pooling import as_it_is, masked_mean, pool_voices
from paraclap.pretrained import in_memory
from paraclap.processor import ParaCLAPFeatureExtractor, ParaCLAPProcessor, saved_processor


@dataclass
class ParaCLAPOutput(ModelOutput):  # type: ignore[misc]  # transformers is untyped here
    """What a forward pass returns.

    Attributes:
        loss: Symmetric cross entropy, a scalar; None unless ``return_loss``.
        logits_per_audio: Shape ``(audio, text)``.
        logits_per_text: Shape ``(text, audio)``.
        text_embeds: Unit-length query embeddings, shape ``(text, projection_dim)``.
        audio_embeds: Unit-length voice embeddings, shape ``(audio, projection_dim)``.
    """

    loss: torch.Tensor | None = None
    logits_per_audio: torch.Tensor | None = None
    logits_per_text: torch.Tensor | None = None
    text_embeds: torch.Tensor | None = None
    audio_embeds: torch.Tensor | None = None


class Projection(nn.Module):
    """The projection head: two linear layers with a skip, GELU, dropout and layer norm."""

    def __init__(self, inputs: int, outputs: int, dropout: float) -> None:
        """Make a head from ``inputs`` to ``outputs`` units."""
        super().__init__()
        self.linear1 = nn.Linear(inputs, outputs, bias=False)
        self.linear2 = nn.Linear(outputs, outputs, bias=False)
        self.layer_norm = nn.LayerNorm(outputs)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Map ``(batch, inputs)`` to ``(batch, outputs)``."""
        first = self.linear1(hidden)
        second = self.dropout(self.linear2(functional.gelu(first)))
        projected: torch.Tensor = self.layer_norm(first + second)
        return projected


class ParaCLAP(PreTrainedModel):  # type: ignore[misc]  # transformers is untyped here
    """Voices and queries in one space.

    ``model.processor`` holds tokenizer and feature extractor; ``save_pretrained`` and
    ``from_pretrained`` carry it in the same folder. Without one (None) only tensors are read.
    """

    config_class = ParaCLAPConfig
    base_model_prefix = ""
    main_input_name = "input_values"
    _supports_sdpa = True
    _supports_flash_attn = True
    processor: ParaCLAPProcessor | None = None

    def __init__(self, config: ParaCLAPConfig) -> None:
        """Build both towers from their configurations, with random weights."""
        super().__init__(config)
        self.audio_model = AutoModel.from_config(config.audio_config, trust_remote_code=False)
        self.text_model = AutoModel.from_config(config.text_config, trust_remote_code=False)
        size, dropout = config.projection_dim, config.projection_dropout
        self.audio_projection = Projection(config.audio_config.hidden_size, size, dropout)
        self.text_projection = Projection(config.text_config.hidden_size, size, dropout)
        self.logit_scale = nn.Parameter(torch.tensor(float(config.logit_scale_init)))
        bias = config.logit_bias_init
        self.logit_bias = None if bias is None else nn.Parameter(torch.tensor(float(bias)))
        if not hasattr(self.audio_model, "_get_feat_extract_output_lengths"):
            raise ValueError(
                f"Bad audio encoder {config.audio_config.model_type!r}, expected one that reads "
                "waveforms, such as wav2vec2, hubert, wavlm or data2vec-audio."
            )
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5))
        elif isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, ParaCLAP):
            nn.init.constant_(module.logit_scale, module.config.logit_scale_init)
            if module.logit_bias is not None:
                nn.init.constant_(module.logit_bias, module.config.logit_bias_init)

    @classmethod
    def from_towers(
        cls,
        audio_model: PreTrainedModel,
        text_model: PreTrainedModel,
        processor: ParaCLAPProcessor,
        **settings: Any,
    ) -> Self:
        """Join two encoders, weights included, under new projection heads.

        Args:
            audio_model: A transformers encoder of waveforms.
            text_model: A transformers encoder of tokens.
            processor: The tokenizer and feature extractor that belong to them.
            settings: Further arguments of :class:`ParaCLAPConfig`.
        """
        config = ParaCLAPConfig(
            audio_config=audio_model.config, text_config=text_model.config, **settings
        )
        model = cls(config)
        model.audio_model, model.text_model = audio_model, text_model
        model.processor = processor
        return model

    @classmethod
    def from_pretrained(cls, folder: str | Path, *args: Any, **kwargs: Any) -> Self:
        """Load a model with its processor from a folder or the hub, in evaluation mode.

        Raises:
            OSError: If there is no model at ``folder`` or its weights cannot be read.
            ValueError: If it is the model of another architecture, weights do not fit, or it asks
                for code.
        """
        folder = str(folder)
        refuse_shards(folder)
        config = kwargs.pop("config", None) or read_config(folder)
        kwargs |= {"output_loading_info": True, "ignore_mismatched_sizes": True}
        try:
            model, info = super().from_pretrained(folder, *args, config=config, **kwargs)
        except (OSError, ImportError):
            raise
        except Exception as error:
            raise OSError(
                f"Unreadable weights in {folder!r} ({type(error).__name__}: {error}): "
                "copy the folder again or train the model anew."
            ) from error
        _refuse_misfits(folder, info)
        in_memory(model)
        model.processor = saved_processor(folder, model.config)
        loaded: Self = model
        return loaded

    @classmethod
    def from_released(
        cls,
        checkpoint: str | Path,
        audio_config: Any = None,
        text_config: Any = None,
        tokenizer: Any = None,
    ) -> ParaCLAP:
        """Read the checkpoint that the authors published, see :func:`paraclap.released.load`."""
        from paraclap import released

        return released.load(checkpoint, audio_config, text_config, tokenizer)

    def save_pretrained(self, save_directory: str | Path, **kwargs: Any) -> None:
        """Write safetensors weights, configuration, tokenizer and preprocessing to a folder.

        Raises:
            OSError: If it cannot be written, for example because the disk is full.
        """
        if self._auto_class is None:  # the code beside the weights, if any, is not saved with them
            self.config.__dict__.pop("auto_map", None)
        try:
            super().save_pretrained(save_directory, **kwargs)
        except SafetensorError as error:
            raise OSError(
                errno.EIO,
                f"Cannot write the weights to {Path(save_directory).name!r} ({error}): "
                "free some space or choose another folder, then run again",
            ) from error
        if self.processor is not None:
            self.processor.save_pretrained(save_directory)

    def push_to_hub(self, repo_id: str, **options: Any) -> str:
        """Upload the model with the card of the folder it was loaded from, and with its code.

        Args:
            repo_id: ``"you/name"``.
            options: See :func:`paraclap.publishing.push_model`.

        Raises:
            FileNotFoundError: If there is no card.
            ValueError: If the card is of other weights.
        """
        # by name, as it comes later than the model and a change there changes no training
        publishing = importlib.import_module("paraclap.publishing")
        return str(publishing.push_model(self, repo_id, **options))

    def prepare(self, **inputs: Any) -> BatchFeature:
        """Queries and signals as the towers read them, on the device of the model.

        Args:
            inputs: As in :class:`ParaCLAPProcessor`: ``text``, ``audio``, ``sampling_rate``.

        Raises:
            ValueError: If the model has no tokenizer and feature extractor.
        """
        if self.processor is None:
            raise ValueError(
                "This model has no tokenizer and no feature extractor, expected both in "
                "model.processor to read queries and signals: load it with "
                "from_released(..., tokenizer=...), or set model.processor = "
                "paraclap.released.processor(model, tokenizer)."
            )
        return self.processor(**inputs).to(self.device)

    @property
    def temperature(self) -> torch.Tensor:
        """What cosine similarities are multiplied with, a scalar."""
        return self.logit_scale.exp()

    def get_audio_features(
        self, input_values: torch.Tensor, audio_attention_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Embed voices.

        Args:
            input_values: Signals, shape ``(batch, samples)``, padded at the end.
            audio_attention_mask: 1 on signal, 0 on padding, same shape; None: no padding.

        Returns:
            Embeddings before normalisation, shape ``(batch, projection_dim)``.
        """
        pooled = pool_voices(self.audio_model, input_values, audio_attention_mask)
        features: torch.Tensor = self.audio_projection(pooled)
        return features

    def pool_text(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Output of the text encoder before its projection, shape ``(batch, hidden_size)``."""
        mask = as_it_is(self.text_model, attention_mask)
        hidden: torch.Tensor = self.text_model(input_ids, attention_mask=mask).last_hidden_state
        if self.config.text_pooling == "cls":
            return hidden[:, 0]
        return hidden.mean(1) if attention_mask is None else masked_mean(hidden, attention_mask)

    def get_text_features(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Embed queries: ``(batch, tokens)`` to ``(batch, projection_dim)``, not normalised."""
        features: torch.Tensor = self.text_projection(self.pool_text(input_ids, attention_mask))
        return features

    def compare(
        self, audio_features: torch.Tensor, text_features: torch.Tensor, return_loss: bool = False
    ) -> ParaCLAPOutput:
        """Scaled cosine similarity of two sets of features, and the loss if they are pairs."""
        audio_embeds = functional.normalize(audio_features, dim=-1)
        text_embeds = functional.normalize(text_features, dim=-1)
        logits = scaled_similarity(audio_embeds, text_embeds, self.temperature, "dot")
        return ParaCLAPOutput(
            loss=contrastive(logits) if return_loss else None,
            logits_per_audio=logits,
            logits_per_text=logits.T,
            text_embeds=text_embeds,
            audio_embeds=audio_embeds,
        )

    def forward(
        self,
        input_ids: torch.Tensor,
        input_values: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        audio_attention_mask: torch.Tensor | None = None,
        return_loss: bool = False,
        **_: Any,
    ) -> ParaCLAPOutput:
        """Compare every voice with every query.

        Args:
            input_ids: Tokens of the queries, shape ``(text, tokens)``.
            input_values: Signals, shape ``(audio, samples)``.
            attention_mask: Mask of the tokens; None: no padding.
            audio_attention_mask: Mask of the signals; None: no padding.
            return_loss: Whether query ``i`` is a pair with voice ``i`` and the loss is wanted.
        """
        return self.compare(
            self.get_audio_features(input_values, audio_attention_mask),
            self.get_text_features(input_ids, attention_mask),
            return_loss,
        )


def _refuse_misfits(folder: str, info: Mapping[str, Any]) -> None:
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if keys := sorted(map(str, info.get(what, ()))):
            raise ValueError(
                f"{len(keys)} {what.replace('_', ' ')} in the weights of {folder!r} "
                f"(first: {keys[:5]}), expected those of its config.json: "
                "weights and configuration are of different models."
            )


AutoConfig.register(ParaCLAPConfig.model_type, ParaCLAPConfig)
AutoModel.register(ParaCLAPConfig, ParaCLAP)
AutoProcessor.register(ParaCLAPConfig, ParaCLAPProcessor)
AutoFeatureExtractor.register(ParaCLAPConfig, ParaCLAPFeatureExtractor)
