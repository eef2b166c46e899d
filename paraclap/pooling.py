"""From what an encoder says of every frame or token to one vector of the whole.

Conventions: `hidden (batch, time, units)`; masks are 1 on signal and 0 on padding, which counts for
nothing: a voice gets the same vector alone and in a batch.
"""

from __future__ import annotations

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
import torch
from transformers import PreTrainedModel


def masked_mean(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over time of ``hidden (batch, time, units)`` where ``mask (batch, time)`` is 1."""
    weights = mask.to(hidden.dtype).unsqueeze(-1)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


def as_it_is(encoder: PreTrainedModel, mask: torch.Tensor | None) -> torch.Tensor | None:
    """A mask of tokens in the form that attention uses.

    transformers would first look whether anything is masked at all, and a look at what is on a
    GPU waits for everything before it.

    Args:
        encoder: Such as BERT.
        mask: Shape ``(batch, tokens)``.

    Returns:
        Shape ``(batch, 1, 1, tokens)`` where the encoder takes it, else the mask itself.
    """
    if mask is None or encoder.config._attn_implementation != "sdpa":
        return mask
    return mask[:, None, None, :].bool()


def pool_voices(
    encoder: PreTrainedModel,
    signals: torch.Tensor,
    mask: torch.Tensor | None = None,
    dtype: torch.dtype | None = None,
) -> torch.Tensor:
    """Mean over time of the last hidden state of an encoder of waveforms.

    Args:
        encoder: Such as wav2vec2. One that normalises its first layer over time would hear the
            padding, so it encodes each length apart.
        signals: Shape ``(batch, samples)``, padded at the end.
        mask: Same shape; None: no padding, which attention computes faster.
        dtype: What the mean is computed in; None: what the encoder computes in.

    Returns:
        Shape ``(batch, units)``.
    """
    if mask is None or getattr(encoder.config, "feat_extract_norm", "layer") != "group":
        return _pool(encoder, signals, mask, dtype)
    lengths = mask.sum(1)
    rows = [torch.nonzero(lengths == length).squeeze(1) for length in lengths.unique()]
    parts = [signals[own, : int(lengths[own[0]])] for own in rows]
    pooled = torch.cat([_pool(encoder, part, None, dtype) for part in parts])
    return pooled[torch.argsort(torch.cat(rows))]


def _pool(
    encoder: PreTrainedModel,
    signals: torch.Tensor,
    mask: torch.Tensor | None,
    dtype: torch.dtype | None,
) -> torch.Tensor:
    hidden: torch.Tensor = encoder(signals, attention_mask=mask).last_hidden_state
    hidden = hidden.to(dtype or hidden.dtype)
    if mask is None:
        return hidden.mean(1)
    frames = encoder._get_feat_extract_output_lengths(mask.sum(1))
    time = torch.arange(hidden.shape[1], device=hidden.device)
    return masked_mean(hidden, time < frames.unsqueeze(1))
