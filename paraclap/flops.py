"""How much arithmetic a voice and its query cost, and how much of it a device could do.

Conventions: model FLOPs, two for a multiplication with its addition; only matrix products and
convolutions count, as everything else is small beside them. They follow from configurations alone:
the towers are built without memory (on torch's meta device), and torch counts what passes through
them. What is computed a second time to save memory does not count: a run that does so is slower,
not more useful.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from paraclap.configuration import ParaCLAPConfig
from paraclap.model import ParaCLAP
from paraclap.settings import Settings

if TYPE_CHECKING:
    from paraclap.pairs import Batch

SIZES = {"cuda": 8192, "cpu": 1024}  # of the matrices that show what a device can do
PRODUCTS = {"cuda": 8, "cpu": 1}  # between two looks at the clock
TENTH = 1600  # samples in a tenth of a second
CONVOLUTION = torch.ops.aten.convolution_backward


def forward_flops(config: ParaCLAPConfig, samples: int = 0, tokens: int = 0) -> int:
    """FLOPs to embed one voice, one query or both, projection heads included.

    Args:
        config: Of the model; nothing else is needed.
        samples: Length of the voice; 0 for none.
        tokens: Length of the query; 0 for none.
    """
    said = _said(config)
    voice = _voice(said, samples, None) if samples else 0
    return voice + (_query(said, tokens, None) if tokens else 0)


def training_flops(
    config: ParaCLAPConfig,
    samples: int,
    tokens: int,
    freeze_audio: bool = False,
    freeze_text: bool = False,
    texts: float = 1.0,
) -> float:
    """FLOPs to learn from one pair, forward and backward.

    What learns costs about three times its forward pass: the backward pass computes a gradient
    of the weights and one of the inputs. A frozen tower costs its forward pass only, since
    nothing below it learns; the lowest layer that learns needs no gradient of its inputs. The
    comparison of a pair with all others of its batch is not counted.

    Args:
        config: Of the model.
        samples: Length of the voice.
        tokens: Length of the query.
        freeze_audio: Whether the audio tower keeps its weights.
        freeze_text: Whether the text tower keeps its weights.
        texts: Queries that are encoded for each pair: fewer than 1 where pairs of a batch share
            a text that is encoded once; 0 where the outputs of a frozen tower are kept.
    """
    said = _said(config)
    voice = _voice(said, samples, freeze_audio)
    return voice + texts * _query(said, tokens, freeze_text)


def of_batch(config: ParaCLAPConfig, settings: Settings, batch: Batch) -> float:
    """FLOPs to learn from a batch, as it was padded; each of its distinct texts counts once.

    Lengths are rounded up to a tenth of a second and to eight tokens, so that few are counted.

    Args:
        config: Of the model.
        settings: What of it is frozen.
        batch: Where it brings no tokens the text tower has nothing to do.
    """
    voices, samples = batch.signals["input_values"].shape
    said = _said(config)
    work = voices * _voice(said, _up(samples, TENTH), settings.freeze_audio)
    if not batch.tokens:
        return work
    texts, tokens = batch.tokens["input_ids"].shape
    return work + texts * _query(said, _up(tokens, 8), settings.freeze_text)


def peak_flops(
    device: torch.device | str, dtype: torch.dtype = torch.float32, seconds: float = 0.3
) -> float:
    """FLOPs a second that a device reaches in square matrix products, measured now.

    The best of many short rounds: what else the device does meanwhile makes the others slower.

    Args:
        device: Where to measure.
        dtype: What is multiplied, such as ``torch.bfloat16``.
        seconds: How long to measure.
    """
    device = torch.device(device)
    size, products = SIZES.get(device.type, 1024), PRODUCTS.get(device.type, 1)
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    out = torch.empty_like(left)

    def round_of_products() -> float:
        begin = time.perf_counter()
        for _ in range(products):
            torch.mm(left, right, out=out)
        if device.type == "cuda":  # pragma: gpu
            torch.cuda.synchronize(device)
        return time.perf_counter() - begin

    round_of_products()  # loads the library
    end, best = time.perf_counter() + seconds, round_of_products()
    while time.perf_counter() < end:
        best = min(best, round_of_products())
    return products * 2 * size**3 / best


def utilisation(flops: float, seconds: float, peak: float) -> float:
    """Share of what a device could do that was done.

    Args:
        flops: Model FLOPs that were done.
        seconds: How long it took.
        peak: FLOPs a second that the device can do, see :func:`peak_flops`.

    Raises:
        ValueError: If time or peak are not above 0.

    Examples:
        >>> utilisation(flops=3e12, seconds=2, peak=6e12)
        0.25
    """
    if seconds <= 0 or peak <= 0:
        raise ValueError(f"Bad seconds {seconds} or peak {peak}, expected both above 0.")
    return flops / (seconds * peak)


def _up(length: int, step: int) -> int:
    return -(-length // step) * step


def _said(config: ParaCLAPConfig) -> str:
    """A configuration as what can be compared: equal ones are counted once."""
    return json.dumps(config.to_dict(), sort_keys=True)


@cache
def _model(config: str) -> ParaCLAP:
    """The model without memory; each matrix product of its attention is a step of its own."""
    own = ParaCLAPConfig.from_dict(json.loads(config))
    own._attn_implementation = "eager"
    with torch.device("meta"):
        model = ParaCLAP(own)
    model.eval()
    return model


@cache
def _voice(config: str, samples: int, frozen: bool | None) -> int:
    """Of one voice; ``frozen`` of None means that nothing is learned."""
    model = _model(config)
    signals = torch.empty(1, samples, device="meta")

    def embed(model: ParaCLAP) -> torch.Tensor:
        features: torch.Tensor = model.audio_model(signals).last_hidden_state.mean(1)
        return model.audio_projection(features)  # type: ignore[no-any-return]  # untyped call

    return _counted(model, model.audio_model, embed, frozen)


@cache
def _query(config: str, tokens: int, frozen: bool | None) -> int:
    """Of one query, as for a voice."""
    model = _model(config)
    ids = torch.zeros(1, tokens, dtype=torch.long, device="meta")

    def embed(model: ParaCLAP) -> torch.Tensor:
        features: torch.Tensor = model.text_model(ids).last_hidden_state[:, 0]
        return model.text_projection(features)  # type: ignore[no-any-return]  # untyped call

    return _counted(model, model.text_model, embed, frozen)


def _counted(
    model: ParaCLAP,
    tower: torch.nn.Module,
    embed: Callable[[ParaCLAP], torch.Tensor],
    frozen: bool | None,
) -> int:
    tower.requires_grad_(not frozen)
    counter = FlopCounterMode(display=False, custom_mapping={CONVOLUTION: _convolution_backward})
    with counter, torch.set_grad_enabled(frozen is not None):
        features = embed(model)
        if frozen is not None:
            features.sum().backward()
    model.zero_grad(set_to_none=True)
    return int(counter.get_total_flops())


def _convolution_backward(
    gradient: Sequence[int],
    inputs: Sequence[int],
    weight: Sequence[int],
    *others: Any,
    **_: Any,
) -> int:
    """Each gradient of a convolution costs what the convolution itself did.

    Torch's own formula forgets that a grouped convolution, such as the one that tells wav2vec2
    the position, connects each channel with those of its group only.
    """
    wanted = sum(others[-1][:2])  # of the inputs, of the weights
    return int(wanted) * 2 * gradient[0] * math.prod(gradient[2:]) * math.prod(weight)
