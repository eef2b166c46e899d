"""Spans of frames and of units that an audio encoder does not hear while it learns.

The encoders of the wav2vec2 family draw them with numpy on the host, from one stream for the whole
program, and look them up on the device, which then has to wait. Here the same spans are drawn on
the device from torch's generator: a step depends on its own seed alone, and nothing waits.
Source: Baevski et al. 2020, "wav2vec 2.0", section 3 and appendix B (which follows SpecAugment).
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch


def spans(lengths: torch.Tensor, width: int, share: float, span: int, least: int) -> torch.Tensor:
    """Draw spans of consecutive places; they may overlap.

    Args:
        lengths: How many places of each row there are, shape ``(rows,)``.
        width: Places of the longest row.
        share: Of the places that would be masked if no spans overlapped.
        span: Places in a span.
        least: Spans that every row has at least.

    Returns:
        True where a span lies, shape ``(rows, width)``. A row shorter than a span has none.
    """
    device = lengths.device
    wanted = (share * lengths / span + torch.rand(1, device=device)).floor().clamp(min=least)
    wanted = torch.minimum(wanted.clamp(max=width // span), lengths - span + 1)
    most = min(max(int(share * width / span) + 1, least), width // span)
    if most == 0:
        return torch.zeros(len(lengths), width, dtype=torch.bool, device=device)
    order = torch.rand(len(lengths), width - span + 1, device=device)
    there = torch.arange(width - span + 1, device=device) <= (lengths - span).unsqueeze(1)
    begins = order.where(there, -1.0).topk(most).indices
    taken = torch.arange(most, device=device) < wanted.unsqueeze(1)
    places = torch.arange(width, device=device)
    inside = (places >= begins.unsqueeze(2)) & (places < begins.unsqueeze(2) + span)
    return (inside & taken.unsqueeze(2)).any(1)


def draw_on_device(encoder: Any) -> None:
    """Have an encoder of the wav2vec2 family draw its masks with :func:`spans`.

    Nothing changes for encoders that mask nothing, nor in evaluation.
    """
    if hasattr(encoder, "_mask_hidden_states") and encoder.config.apply_spec_augment:
        encoder._mask_hidden_states = MethodType(_mask, encoder)


def _mask(
    encoder: Any,
    hidden_states: torch.Tensor,
    mask_time_indices: torch.Tensor | None = None,
    attention_mask: torch.Tensor | None = None,
) -> torch.Tensor:
    """Hidden states ``(rows, frames, units)`` with some frames and units masked."""
    config: Any = encoder.config
    rows, frames, units = hidden_states.shape
    if not encoder.training:
        return hidden_states
    if config.mask_time_prob > 0:
        lengths = torch.full((rows,), frames, device=hidden_states.device)
        if attention_mask is not None:
            lengths = attention_mask.sum(1)
        settings = config.mask_time_prob, config.mask_time_length, config.mask_time_min_masks
        masked = spans(lengths, frames, *settings).unsqueeze(2)
        instead = encoder.masked_spec_embed.to(hidden_states.dtype)
        hidden_states = torch.where(masked, instead, hidden_states)
    if config.mask_feature_prob > 0:
        lengths = torch.full((rows,), units, device=hidden_states.device)
        settings = (
            config.mask_feature_prob,
            config.mask_feature_length,
            config.mask_feature_min_masks,
        )
        hidden_states = hidden_states.masked_fill(spans(lengths, units, *settings).unsqueeze(1), 0)
    return hidden_states
