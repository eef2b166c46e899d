"""The parts of the model that the paper describes: projection head, pooling, similarity.

Conventions: ``hidden (batch, time, units)``; masks are 1 on signal and 0 on padding at the end.
Chapter 4. Source: ParaCLAP (Jing et al., 2024), section 2.1.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

Mask = Tensor | None
# Encoders with which a padded signal gives what it gives alone, if the front end normalises each
# frame by itself. In others padding goes past the mask, in convolutions or norms over time.
EXACT_WITH_MASK = ("hubert", "unispeech", "unispeech-sat", "wav2vec2", "wavlm")


class Projection(nn.Module):
    """The projection head, as the ``released`` code has it or as the ``paper`` describes it."""

    def __init__(self, inputs: int, outputs: int, dropout: float, kind: str = "released") -> None:
        """Make a head from ``inputs`` to ``outputs`` units."""
        super().__init__()
        self.has_skip = kind == "released"
        inner = outputs if self.has_skip else 2 * max(inputs, outputs)  # the paper: "larger"
        self.linear1 = nn.Linear(inputs, inner, bias=False)  # W1
        self.linear2 = nn.Linear(inner, outputs, bias=False)  # W2
        self.layer_norm = nn.LayerNorm(outputs)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        """Map the output of an encoder ``(batch, inputs)`` into the space ``(batch, outputs)``."""
        first = self.linear1(hidden)  # W1 h
        second = self.dropout(self.linear2(functional.gelu(first)))  # W2 GELU(W1 h)
        projected: Tensor = self.layer_norm(first + second if self.has_skip else second)
        return projected


def mean_pool(hidden: Tensor, mask: Mask = None) -> Tensor:
    """Mean over time of ``hidden (batch, time, units)`` where ``mask (batch, time)`` is 1."""
    if mask is None:
        return hidden.mean(1)
    weights = mask.to(hidden.dtype).unsqueeze(-1)  # m_t: padding counts for nothing
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


def cosine_logits(audio: Tensor, text: Tensor, temperature: Tensor) -> Tensor:
    """How well every utterance fits every query, ``(audio, text)``; rows need no unit length."""
    audio = functional.normalize(audio, dim=-1)  # e_a / |e_a|
    text = functional.normalize(text, dim=-1)  # e_t / |e_t|
    return temperature * audio @ text.T  # equation 1: tau (e_a . e_t)


def pool_audio(encoder: PreTrainedModel, signals: Tensor, mask: Mask = None) -> Tensor:
    """Mean over time of the last hidden state of an audio encoder, ``(batch, units)``.

    ``signals`` and ``mask`` have shape ``(batch, samples)``; None is no padding. Where padding
    goes past the mask of an encoder, the signals of each length are encoded apart, unpadded.
    """
    if mask is None:
        return mean_pool(encoder(signals).last_hidden_state)
    lengths = mask.sum(1)
    if is_exact_with_mask(encoder.config):
        hidden = encoder(signals, attention_mask=mask).last_hidden_state
        frames = encoder._get_feat_extract_output_lengths(lengths)
        time = torch.arange(hidden.shape[1], device=hidden.device)
        return mean_pool(hidden, time < frames.unsqueeze(1))
    rows = [torch.nonzero(lengths == length).squeeze(1) for length in lengths.unique()]
    parts = [pool_audio(encoder, signals[same, : int(lengths[same[0]])]) for same in rows]
    return torch.cat(parts)[torch.argsort(torch.cat(rows))]


def is_exact_with_mask(config: Any) -> bool:
    """Whether padding changes nothing in the frames of an audio encoder that gets a mask."""
    if hasattr(config, "functionals"):
        return config.encoder is None or is_exact_with_mask(config.encoder)
    reaches = getattr(config, "add_adapter", False) or getattr(config, "conv_pos_batch_norm", False)
    masks = config.model_type in EXACT_WITH_MASK and not reaches
    return masks and config.feat_extract_norm == "layer"
