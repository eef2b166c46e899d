"""An audio tower that reads what openSMILE has measured, alone or beside an encoder of waveforms.

The functionals of eGeMAPS and the duration describe a whole voice in 89 numbers, chosen by decades
of research on how people sound. Here they are standardised and stand in front of the samples of a
signal (:meth:`paraclap.processor.ParaCLAPFeatureExtractor.heard`). The tower hands them on to the
projection head as if they were the output of an encoder: as the only frame of a voice, or as
further units of every frame of a waveform encoder, so that the mean over time keeps them.

Conventions: ``input_values (batch, functionals + samples)``; without an encoder there are no
samples. Source: Eyben et al. 2016 (the functionals); the paper, section 2.2, says them in words
and leaves it to the encoder of waveforms to hear them.
"""

from __future__ import annotations

from typing import Any

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
import torch
from torch import nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

FUNCTIONALS = 89  # of eGeMAPSv02, and the duration
PREFIX = "egemaps"  # of the names of such towers: egemaps, egemaps+small


class MeasuredConfig(PreTrainedConfig):  # type: ignore[misc]  # transformers is untyped here
    """Configuration of :class:`MeasuredTower`.

    Args:
        encoder: Configuration of the encoder of waveforms, an object or its dictionary; None:
            there is none.
        functionals: Numbers in front of the samples.
    """

    model_type = "paraclap-measured"

    encoder: Any = None
    functionals: int = FUNCTIONALS

    def __post_init__(self, **kwargs: Any) -> None:
        """Turn a dictionary into a configuration object; what follows from both is set here."""
        if isinstance(self.encoder, dict):
            self.encoder = AutoConfig.for_model(**self.encoder)
        units = self.encoder.hidden_size if self.encoder else 0
        kwargs.pop("hidden_size", None)
        kwargs.pop("feat_extract_norm", None)
        super().__post_init__(**kwargs)
        self.hidden_size = units + self.functionals
        self.feat_extract_norm = getattr(self.encoder, "feat_extract_norm", "layer")


class MeasuredTower(PreTrainedModel):  # type: ignore[misc]  # transformers is untyped here
    """Hands on functionals, with the frames of an encoder of waveforms if it has one."""

    config_class = MeasuredConfig
    main_input_name = "input_values"
    _supports_sdpa = True
    _supports_flash_attn = True

    def __init__(self, config: MeasuredConfig) -> None:
        """Build the encoder, if there is one, with random weights."""
        super().__init__(config)
        self.encoder = None
        if config.encoder:
            self.encoder = AutoModel.from_config(config.encoder, trust_remote_code=False)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if self.encoder is not None:
            self.encoder._init_weights(module)

    def forward(
        self, input_values: torch.Tensor, attention_mask: torch.Tensor | None = None, **_: Any
    ) -> BaseModelOutput:
        """Frames of voices.

        Args:
            input_values: Shape ``(batch, functionals + samples)``.
            attention_mask: 1 on what is read, 0 on padding, same shape; None: no padding.

        Returns:
            ``last_hidden_state (batch, frames, hidden_size)``; one frame without an encoder.
        """
        count = self.config.functionals
        measured = input_values[:, :count].unsqueeze(1)
        if self.encoder is None:
            return BaseModelOutput(last_hidden_state=measured)
        mask = None if attention_mask is None else attention_mask[:, count:]
        frames = self.encoder(input_values[:, count:], attention_mask=mask).last_hidden_state
        repeated = measured.expand(-1, frames.shape[1], -1).to(frames.dtype)
        return BaseModelOutput(last_hidden_state=torch.cat([frames, repeated], dim=-1))

    def _get_feat_extract_output_lengths(self, lengths: torch.Tensor) -> torch.Tensor:
        if self.encoder is None:
            return torch.ones_like(lengths)
        frames: torch.Tensor = self.encoder._get_feat_extract_output_lengths(
            lengths - self.config.functionals
        )
        return frames


def reads_functionals(name: str) -> bool:
    """Whether an audio encoder of this name reads what openSMILE measures.

    >>> reads_functionals("egemaps"), reads_functionals("egemaps+small"), reads_functionals("small")
    (True, True, False)
    """
    return name.split("+")[0] == PREFIX


def waveform_encoder(tower: Any) -> Any:
    """The part of an audio tower that hears waveforms: itself, its encoder, or None."""
    return tower.encoder if isinstance(tower, MeasuredTower) else tower


AutoConfig.register(MeasuredConfig.model_type, MeasuredConfig, exist_ok=True)
AutoModel.register(MeasuredConfig, MeasuredTower, exist_ok=True)
