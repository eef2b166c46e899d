"""The parts of the model that the paper describes: projection head, pooling, losses.

Conventions: ``hidden (batch, time, units)``; masks are 1 on signal and 0 on padding at the end.
Logits are ``(n, n)``, a row is an utterance, a column a caption, pairs lie on the diagonal.
Chapters 4, 12. Sources: ParaCLAP (Jing et al., 2024), section 2.1; SigLIP (Zhai et al., 2023).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

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


def contrastive_loss(logits: Tensor) -> Tensor:
    """Symmetric cross entropy of the paper, a scalar; ValueError if logits are not ``(n, n)``."""
    if logits.ndim != 2 or logits.shape[0] != logits.shape[1]:
        shape = tuple(logits.shape)
        raise ValueError(f"Bad logits {shape}, expected (n, n): one caption for each utterance.")
    pairs = torch.arange(len(logits), device=logits.device)  # caption i for utterance i
    to_text = functional.cross_entropy(logits, pairs)  # l_text: softmax over the captions
    to_audio = functional.cross_entropy(logits.T, pairs)  # l_audio: softmax over the utterances
    return (to_text + to_audio) / 2  # equation 2


def sigmoid_loss(logits: Tensor) -> Tensor:
    """Does this caption belong to this utterance? Every pair by itself; logits have a bias."""
    truth = torch.eye(len(logits), dtype=logits.dtype, device=logits.device)
    each = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return each.sum(1).mean()


def encode_audio(
    encoder: PreTrainedModel, signals: Tensor, mask: Mask = None, **layers: Any
) -> tuple[Any, Tensor]:
    """Output of an audio encoder, and the mean over time of its frames ``(batch, units)``.

    ``signals`` and ``mask`` have shape ``(batch, samples)``; None is no padding. Where padding
    goes past the mask of an encoder, the signals of each length are encoded apart, unpadded.
    """
    if mask is None or is_exact_with_mask(encoder.config):
        found, within = encoder(signals, attention_mask=mask, return_dict=True, **layers), None
        if mask is not None:
            frames = encoder._get_feat_extract_output_lengths(mask.sum(1))
            time = torch.arange(found.last_hidden_state.shape[1], device=signals.device)
            within = time < frames.unsqueeze(1)
        return found, mean_pool(found.last_hidden_state, within)
    lengths = mask.sum(1)
    rows = [torch.nonzero(lengths == length).squeeze(1) for length in lengths.unique()]
    parts = [encode_audio(encoder, signals[r, : int(lengths[r[0]])], **layers) for r in rows]
    order, names = torch.cat(rows).argsort(), ("last_hidden_state", "hidden_states", "attentions")
    joined = {name: _joined([found.get(name) for found, _ in parts], order) for name in names}
    return BaseModelOutput(**joined), torch.cat([pooled for _, pooled in parts])[order]


def _joined(parts: Sequence[Any], order: Tensor) -> Any:
    """Tensors, or tuples of tensors, in one, with zeros where an utterance has no more frames."""
    if not isinstance(parts[0], Tensor):
        return parts[0] and tuple(_joined(layer, order) for layer in zip(*parts, strict=True))
    sizes = [max(sizes) for sizes in zip(*(part.shape[1:] for part in parts), strict=True)]
    joined = parts[0].new_zeros(len(order), *sizes)
    for number, row in enumerate(row for part in parts for row in part):
        place: Any = (number, *map(slice, row.shape))
        joined[place] = row
    return joined[order]


def is_exact_with_mask(config: Any) -> bool:
    """Whether padding changes nothing in the frames of an audio encoder that gets a mask."""
    if hasattr(config, "functionals"):
        return config.encoder is None or is_exact_with_mask(config.encoder)
    reaches = getattr(config, "add_adapter", False) or getattr(config, "conv_pos_batch_norm", False)
    masks = config.model_type in EXACT_WITH_MASK and not reaches
    return masks and config.feat_extract_norm == "layer"
