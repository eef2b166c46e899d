"""An audio encoder that reads eGeMAPS functionals, alone or beside an encoder of waveforms.

They stand before the samples, standardised. This encoder passes them on: as the only frame of an
utterance, or as further units of every frame of a waveform encoder, so that the mean over time
keeps them. Chapter 4. Source: Eyben et al. 2016, not the paper.
"""

from typing import Any

import torch
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from .layers import Mask

FUNCTIONALS = 89  # 88 of eGeMAPSv02, and the duration
MODEL_TYPE = "paraclap-functionals"


def output_size(config: Any) -> int:
    """Units of the last hidden state of an encoder."""
    adapted = getattr(config, "add_adapter", False)
    return int(config.output_hidden_size if adapted else config.hidden_size)


class FunctionalsConfig(PreTrainedConfig):  # type: ignore[misc]  # transformers is untyped here
    """Configuration of :class:`FunctionalsEncoder`."""

    model_type = MODEL_TYPE
    sub_configs = {"encoder": AutoConfig}  # noqa: RUF012  (theirs)

    encoder: Any = None  # of the waveform encoder, an object or its dictionary; None: there is none
    functionals: int = FUNCTIONALS  # numbers before the samples

    def __post_init__(self, **kwargs: Any) -> None:
        """Turn a dictionary into a configuration object and set the size of the output."""
        if isinstance(self.encoder, dict):
            self.encoder = AutoConfig.for_model(**self.encoder)
        kwargs.pop("hidden_size", None)
        super().__post_init__(**kwargs)
        self.hidden_size = self.functionals + (output_size(self.encoder) if self.encoder else 0)


class FunctionalsEncoder(PreTrainedModel):  # type: ignore[misc]  # transformers is untyped here
    """Passes functionals on, with the frames of a waveform encoder if there is one."""

    config_class = FunctionalsConfig
    main_input_name = "input_values"
    supports_gradient_checkpointing = True
    _supports_sdpa = _supports_flash_attn = True

    def __init__(self, config: FunctionalsConfig) -> None:
        """Build the waveform encoder, if there is one, with random weights."""
        super().__init__(config)
        inner = config.encoder
        self.encoder = AutoModel.from_config(inner, trust_remote_code=False) if inner else None
        self.post_init()

    def forward(self, input_values: Any, attention_mask: Mask = None, **layers: Any) -> Any:
        """Frames ``(batch, frames, hidden_size)`` of inputs ``(batch, functionals + samples)``."""
        count = self.config.functionals
        functionals = input_values[:, :count].unsqueeze(1)
        if self.encoder is None:
            return BaseModelOutput(last_hidden_state=functionals)
        mask = None if attention_mask is None else attention_mask[:, count:]
        found = self.encoder(input_values[:, count:], attention_mask=mask, **layers)
        frames = found.last_hidden_state
        repeated = functionals.expand(-1, frames.shape[1], -1).to(frames.dtype)
        found.last_hidden_state = torch.cat([frames, repeated], dim=-1)
        return found

    def _get_feat_extract_output_lengths(self, lengths: torch.Tensor) -> Any:
        if self.encoder is None:
            return torch.ones_like(lengths)
        return self.encoder._get_feat_extract_output_lengths(lengths - self.config.functionals)


AutoConfig.register(MODEL_TYPE, FunctionalsConfig, exist_ok=True)
AutoModel.register(FunctionalsConfig, FunctionalsEncoder, exist_ok=True)
