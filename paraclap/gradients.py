"""Batches larger than memory: the gradient of an encoder, chunk by chunk.

All chunks are encoded without keeping what a gradient needs; the loss over the whole batch gives
the gradient of each encoding; each chunk is then encoded once more, with the same random numbers,
and its gradient passed on. That is one more forward pass for memory that no longer grows with the
batch, and negatives are all there. Source: Gao et al. 2021, "Scaling deep contrastive learning
batch size under memory limited setup".
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

Inputs = Mapping[str, torch.Tensor]


def chunks(inputs: Inputs, size: int) -> list[dict[str, torch.Tensor]]:
    """Rows of some inputs, at most ``size`` at a time; 0 leaves them together."""
    rows = len(next(iter(inputs.values())))
    step = size or rows
    return [
        {name: values[first : first + step] for name, values in inputs.items()}
        for first in range(0, rows, step)
    ]


def encode(
    encoder: nn.Module, parts: Sequence[Inputs], learns: bool, alike: bool = False
) -> tuple[torch.Tensor, Callable[[], None]]:
    """Encode the chunks of a batch.

    Args:
        encoder: Called with the tensors of one chunk by name, gives ``(rows, units)``.
        parts: The chunks; a single one is passed plainly.
        learns: Whether the encoder has anything to learn.
        alike: Whether a single chunk is passed as several would be. Processes that differ in the
            number of their chunks have to meet in the same order.

    Returns:
        Encodings of all rows, ``(rows, units)``, and what is to be called after the gradient of
        the loss is known: it passes the gradient of the encodings on to the encoder.
    """
    if not learns:
        with torch.no_grad():
            return torch.cat([encoder(**part) for part in parts]), _nothing
    if len(parts) == 1 and not alike:
        return encoder(**parts[0]), _nothing
    randoms, encoded = [], []
    with torch.no_grad():
        for part in parts:
            randoms.append(_random_state(part))
            encoded.append(encoder(**part))
    whole = torch.cat(encoded).requires_grad_()

    def pass_on() -> None:
        assert whole.grad is not None
        gradients = whole.grad.split([len(one) for one in encoded])
        for place, (part, random, gradient) in enumerate(
            zip(parts, randoms, gradients, strict=True)
        ):
            _set_random_state(random)
            with _apart(encoder, place < len(parts) - 1):
                torch.autograd.backward(encoder(**part), gradient)

    return whole, pass_on


def _nothing() -> None:
    """Nothing is left to be passed on."""


def _apart(encoder: nn.Module, alone: bool) -> contextlib.AbstractContextManager[Any]:
    """Keep gradients to this process until the last chunk, where there are several processes."""
    if alone and isinstance(encoder, nn.parallel.DistributedDataParallel):
        manager: contextlib.AbstractContextManager[Any] = encoder.no_sync()
        return manager
    return contextlib.nullcontext()


RandomState = tuple[torch.Tensor, torch.device, torch.Tensor | None]


def _random_state(part: Inputs) -> RandomState:
    device = next(iter(part.values())).device
    gpu = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    return torch.get_rng_state(), device, gpu


def _set_random_state(state: RandomState) -> None:
    cpu, device, gpu = state
    torch.set_rng_state(cpu)
    if gpu is not None:  # pragma: gpu
        torch.cuda.set_rng_state(gpu, device)
