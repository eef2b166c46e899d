"""The same audio tower in a form that computes faster and learns no more.

Conventions: the functions change the tower they are given, so give them a copy; its outputs stay
the same up to rounding.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrize


def folded(module: nn.Module) -> nn.Module:
    """The same module with the weight norm of its convolutions multiplied out.

    The convolutions are made anew: a copy shares the class of what it was copied from, and
    removing the norm from it would take it from both.
    """
    for part in list(module.modules()):
        for name, child in part.named_children():
            if isinstance(child, nn.Conv1d) and parametrize.is_parametrized(child, "weight"):
                setattr(part, name, _plain(child))
    return module


def _plain(conv: nn.Conv1d) -> nn.Conv1d:
    plain = nn.Conv1d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size[0],
        conv.stride[0],
        conv.padding,  # type: ignore[arg-type]  # torch types it wider than what it takes
        conv.dilation[0],
        conv.groups,
        conv.bias is not None,
        conv.padding_mode,
        device=conv.weight.device,
        dtype=conv.weight.dtype,
    )
    with torch.no_grad():
        plain.weight.copy_(conv.weight)
        if conv.bias is not None and plain.bias is not None:
            plain.bias.copy_(conv.bias)
    return plain


def framed(tower: nn.Module) -> nn.Module:
    """The same tower with its convolutions over the signal as products of matrices.

    Only those of a front end with layer norms in a list ``feature_extractor.conv_layers`` are
    changed. Convolutions want time last and the norms want it first, so half of the time there
    goes into moving memory; here channels are last all the way.
    """
    layers = getattr(getattr(tower, "feature_extractor", None), "conv_layers", [])
    for number, layer in enumerate(layers):
        if isinstance(getattr(layer, "layer_norm", None), nn.LayerNorm):
            layers[number] = _Framed(layer)
    return tower


class _Framed(nn.Module):
    """A convolution, layer norm and activation; ``(batch, channels, time)`` in and out."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        conv = layer.conv
        assert isinstance(conv, nn.Conv1d)
        self.width, self.stride = conv.kernel_size[0], conv.stride[0]
        weight = conv.weight.detach().permute(0, 2, 1).reshape(conv.out_channels, -1)
        self.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
        self.bias = conv.bias
        self.layer_norm: Any = layer.layer_norm
        self.activation: Any = layer.activation

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        hidden = hidden.transpose(1, 2).contiguous()  # moves nothing after the first layer
        batch, time, channels = hidden.shape
        frames = (time - self.width) // self.stride + 1
        shape = (batch, frames, self.width * channels)
        windows = hidden.as_strided(shape, (time * channels, self.stride * channels, 1))
        out = functional.linear(windows, self.weight, self.bias)
        normed: torch.Tensor = self.activation(self.layer_norm(out))
        return normed.transpose(1, 2)
