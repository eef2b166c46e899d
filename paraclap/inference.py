"""The audio side of a model, made for hearing many voices fast, and in which batches they come.

Weights are copied in the precision that the device is good at, the weight norm of the positional
convolution is multiplied out, a processor convolves without moving memory about (see
:mod:`paraclap.folding`), and attention gets no mask where nothing is padded. The model that
it was made from is left as it is. Means over time, projection and normalisation stay in float32.

Conventions: signals mono float32 at the sampling rate of the model; embeddings
``(n, projection_dim)`` float32 of unit length.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch.nn import functional

from paraclap import audio, tables
from paraclap.folding import folded, framed
from paraclap.machine import CHOICES, has_fast_bf16
from paraclap.measured import waveform_encoder
from paraclap.model import ParaCLAP
from paraclap.pooling import pool_voices
from paraclap.processor import ParaCLAPFeatureExtractor, Signal

LONGEST = 600  # seconds heard at once: the memory that the towers take grows with them
BATCH_SECONDS = {"cpu": 4.0, "cuda": 320.0}  # a processor gains nothing from larger batches
READERS = min(8, os.cpu_count() or 1)  # threads; reading waits for the disk most of the time

Embeddings = npt.NDArray[np.float32]
Packed = tuple[list[int], torch.Tensor, torch.Tensor | None]


def inference_dtype(precision: str, device: torch.device) -> torch.dtype:
    """What scoring multiplies in: ``"auto"`` is bfloat16 where the device is fast in it.

    Raises:
        ValueError: If there is no such precision.
    """
    if precision not in CHOICES["precision"]:
        raise ValueError(f"Bad precision {precision!r}, expected one of {CHOICES['precision']}.")
    bf16 = precision == "bf16" or (precision == "auto" and has_fast_bf16(device))
    return torch.bfloat16 if bf16 else torch.float32


class Listener:
    """Embeds voices with a copy of the audio side of a model.

    Attributes:
        device: Where it computes, the device of the model.
        dtype: What the audio tower computes in.
        size: Values of an embedding.
        extractor: The feature extractor of the model.
    """

    def __init__(self, model: ParaCLAP, precision: str = "auto", compiled: bool = False) -> None:
        """Copy the audio side of a model.

        Args:
            model: A trained model with its processor; it is not changed.
            precision: ``"float32"``, ``"bf16"``, or ``"auto"``: bf16 where that is fast.
            compiled: Whether ``torch.compile`` translates the tower. It needs a C++ compiler and
                a minute or more at the first voices, so it pays for long lists.

        Raises:
            ValueError: If the model has no feature extractor, or the precision is another one.
        """
        if model.processor is None:
            raise ValueError(
                "This model has no feature extractor, expected one in model.processor to read "
                "signals: set model.processor = paraclap.released.processor(model, tokenizer)."
            )
        self.extractor: ParaCLAPFeatureExtractor = model.processor.feature_extractor
        self.device = model.device
        self.size: int = model.config.projection_dim
        self.dtype = inference_dtype(precision, self.device)
        tower = folded(copy.deepcopy(model.audio_model)).eval().to(self.dtype)
        encoder = waveform_encoder(tower)
        if self.device.type == "cpu" and encoder is not None:
            framed(encoder)
        self.tower = tower
        self.projection = copy.deepcopy(model.audio_projection).eval().float()
        self.pool = torch.compile(pool_voices, dynamic=True) if compiled else pool_voices

    def __call__(self, signals: Sequence[Signal]) -> Embeddings:
        """Embed signals of any lengths, each ``(samples,)``."""
        heard = [self.extractor.heard(signal) for signal in signals]
        found: Embeddings = self.embed(*self.pack(heard)).cpu().numpy()
        return found

    def pack(self, signals: Sequence[Signal]) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Values and mask ``(n, samples)`` for :meth:`embed`, still on the host.

        Args:
            signals: As the ``heard`` of the extractor gives them.
        """
        values, mask = self.extractor.pack(signals)
        values = values.to(self.dtype)
        if self.device.type != "cuda":
            return values, mask
        # memory from which the GPU copies while it computes
        return values.pin_memory(), mask if mask is None else mask.pin_memory()  # pragma: gpu

    @torch.inference_mode()
    def embed(self, values: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Embeddings of what was packed, on the device; nobody waits for them.

        Args:
            values: Shape ``(n, samples)``.
            mask: Same shape, 0 on padding; None: no padding.
        """
        values = values.to(self.device, non_blocking=True)
        mask = mask if mask is None else mask.to(self.device, non_blocking=True)
        pooled = self.pool(self.tower, values, mask, torch.float32)
        return functional.normalize(self.projection(pooled), dim=-1)


def listen(
    segments: pd.MultiIndex,
    listener: Listener,
    batch_seconds: float | None = None,
    read: Callable[..., Signal] | None = None,
) -> tuple[Embeddings, list[str | None]]:
    """Embed segments, voices of like length together.

    Args:
        segments: On the audformat index.
        listener: What embeds them.
        batch_seconds: Most seconds of padded audio in a batch; None suits the device.
        read: Gives the signal of a segment; None reads the file.

    Returns:
        Embeddings ``(segments, projection_dim)``, zero for a segment that cannot be heard, and for
        each segment None or the reason why not.
    """
    on_cpu = BATCH_SECONDS["cpu"]
    seconds = batch_seconds or BATCH_SECONDS.get(listener.device.type, on_cpu)
    reasons: list[str | None] = [None] * len(segments)
    found = np.zeros((len(segments), listener.size), np.float32)
    batches = _batches(list(segments), listener, seconds, reasons, read or audio.read)
    done = [(rows, listener.embed(values, mask)) for rows, values, mask in _ahead(batches)]
    for rows, embeddings in done:  # only now, so that a GPU never waits
        found[rows] = embeddings.cpu().numpy()
    return found, reasons


def _batches(
    segments: Sequence[tuple[Any, ...]],
    listener: Listener,
    seconds: float,
    reasons: list[str | None],
    read: Callable[..., Signal],
) -> Iterator[Packed]:
    """Rows that are heard together, longest first, with their packed signals."""

    def attempt(what: Callable[..., Any], row: int) -> Any:
        try:
            return what(*segments[row])
        except audio.AudioError as error:
            reasons[row] = str(error)
            return None

    def hear(*segment: Any) -> Signal:
        return listener.extractor.heard(read(*segment))

    with ThreadPoolExecutor(READERS) as readers:
        found = readers.map(functools.partial(attempt, _seconds), range(len(segments)))
        lengths = {row: length for row, length in enumerate(found) if length is not None}
        order = sorted(lengths, key=lambda row: -lengths[row])
        for rows in cut(order, [lengths[row] for row in order], seconds):
            heard = readers.map(functools.partial(attempt, hear), rows)
            signals = {row: one for row, one in zip(rows, heard, strict=True) if one is not None}
            if signals:
                yield list(signals), *listener.pack(list(signals.values()))


def cut(order: Sequence[int], lengths: Sequence[float], seconds: float) -> Iterator[list[int]]:
    """Cut rows, longest first, into batches of at most ``seconds`` with their padding.

    Examples:
        >>> list(cut([7, 3, 5, 1], [9, 4, 4, 2], 8))
        [[7], [3, 5], [1]]
    """
    first = 0
    while first < len(order):
        many = max(1, int(seconds // max(lengths[first], 1e-3)))
        yield list(order[first : first + many])
        first += many


def _seconds(file: str, start: pd.Timedelta, end: Any) -> float:
    """Length of a segment.

    Raises:
        AudioError: If the file cannot be read or the segment is too long to be heard at once.
    """
    last = audio.duration(file) if pd.isna(end) else end.total_seconds()
    seconds = float(last - start.total_seconds())
    if seconds > LONGEST:
        name = Path(file).name
        msg = f"{name!r}: {seconds:.0f} s at once, expected at most {LONGEST} s: set a window."
        raise audio.AudioError(msg)
    return seconds


def _ahead(batches: Iterator[Packed]) -> Iterator[Packed]:
    """The same batches, the next one read while the last one is heard."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def content(model: ParaCLAP) -> str:
    """Hex digits that change when weights or configuration of a model do."""
    digest = hashlib.sha256()
    config = model.config.to_dict()
    for name in ("_name_or_path", "transformers_version"):  # where it lies says not what it is
        config.pop(name, None)
    digest.update(tables.fingerprint(str(config)).encode())
    for name, values in model.state_dict().items():
        digest.update(f"{name} {tuple(values.shape)} {values.dtype}".encode())
        plain = values.detach().cpu().contiguous().reshape(-1)
        digest.update(plain.view(torch.uint8).numpy())
    return digest.hexdigest()
