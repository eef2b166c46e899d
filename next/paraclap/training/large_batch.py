"""The gradient of a whole batch, wherever its pairs are: in chunks, and on several processes.

Chunks: a batch is encoded chunk by chunk, and only the features are kept. The loss compares all of
them. On the way back each chunk is encoded again, with the same random numbers, and passes its
gradient on: a second forward pass instead of memory that grows with the batch. Gradients that are
accumulated over small batches are no substitute, as each of those has few negatives.

Processes: each computes the loss of all pairs; the mean of their gradients is that of this loss.

Chapters 4 and 9. Source: Gao et al. 2021, "Scaling deep contrastive learning batch size under
memory limited setup" (GradCache); ``torch.utils.checkpoint`` does the second pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.distributed.nn.functional import all_gather
from torch.utils.checkpoint import checkpoint

Encode = Callable[[dict[str, Any]], tuple[Tensor, Tensor]]


def in_chunks(encode: Encode, batch: dict[str, Any], chunk: int) -> tuple[Tensor, Tensor]:
    """Encode a batch in the memory of ``chunk`` pairs; 0 encodes all of them at once.

    Args:
        encode: Gives the features of utterances and of captions, both ``(pairs, d)``.
        batch: Tensors by name, a row is a pair.
        chunk: Pairs.
    """
    pairs = len(batch["input_values"])
    if not 0 < chunk < pairs:
        return encode(batch)
    parts = [
        {name: values[first : first + chunk] for name, values in batch.items()}
        for first in range(0, pairs, chunk)
    ]
    found = [checkpoint(encode, part, use_reentrant=False) for part in parts]
    audio, text = (torch.cat(side) for side in zip(*found, strict=True))
    return audio, text


def gather(rows: Tensor) -> Tensor:
    """Rows of all processes, in their order; gradients find their way back."""
    return torch.cat(all_gather(rows)) if distributed.is_initialized() else rows


def average_gradients(model: nn.Module) -> None:
    """Replace each gradient by its mean over the processes."""
    if distributed.is_initialized():
        for gradient in (one.grad for one in model.parameters() if one.grad is not None):
            distributed.all_reduce(gradient)
            gradient /= distributed.get_world_size()
