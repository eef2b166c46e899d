"""Embeddings of utterances and queries: the one way from files and words to vectors.

Utterances are read as they are, without crops. Padding changes nothing: an utterance gets the same
embedding alone and in a batch. In float32 the same input gives the same bits.

Conventions: embeddings ``(n, projection_dim)`` float32 of unit length. Chapter 5.
"""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch.nn import functional
from tqdm.auto import tqdm

from paraclap import audio, tables
from paraclap.model.layers import pool_audio
from paraclap.model.modeling import ParaCLAP
from paraclap.model.processing import compute_functionals

LONGEST = 600  # seconds embedded at once: the memory that the encoders take grows with them
READERS = 8  # threads; reading mostly waits for the disk
PRECISIONS = ("auto", "float32", "bf16")
Embeddings = NDArray[np.float32]
Read = tuple[audio.Signal, NDArray[np.float64] | None]  # a signal, and its functionals


def embed_audio(
    model: ParaCLAP,
    files: tables.Files | pd.Index,
    *,
    batch_seconds: float = 120,
    functionals: pd.DataFrame | None = None,
    signals: Any = None,
    precision: str = "float32",
) -> Embeddings:
    """Embed utterances.

    Args:
        model: A model with its processor; its train or eval mode stays as it is.
        files: Paths, an audformat index, or a table with such an index.
        batch_seconds: Most seconds of padded audio in a batch; changes speed and memory only.
        functionals: Features table of the utterances, for encoders that read functionals; None:
            openSMILE computes them.
        signals: Decoded signals, with ``read(row)`` and ``seconds()``; None: the files are read.
        precision: ``"float32"``, ``"bf16"``, or ``"auto"``: bf16 where the device is fast in it.

    Returns:
        Unit-length embeddings in the order of ``files``, shape ``(n, projection_dim)``.

    Raises:
        AudioError: If a file cannot be read, is too long, or gives no functionals.
        ValueError: If the model has no processor or there is no such precision.
    """
    source = _Utterances(model, tables.as_index(files), signals, functionals)
    device, half = model.device.type, uses_bf16(precision, model.device)
    autocast = torch.autocast(device, torch.bfloat16, enabled=half)
    found, plan = [], cut(source.seconds(), batch_seconds)
    bar = tqdm(total=len(source.segments), desc="embedding audio", disable=None, leave=False)
    with ThreadPoolExecutor(READERS) as readers, _inference(model), autocast, bar:
        coming = readers.map(source.read, plan[0])
        for following in [*plan[1:], plan[0][:0]]:  # read while this batch is embedded
            batch, coming = list(coming), readers.map(source.read, following)
            found.append(_embed(model, batch))
            bar.update(len(batch))
    return _in_order(found, np.concatenate(plan))


def embed_text(model: ParaCLAP, queries: Sequence[str], *, batch: int = 256) -> Embeddings:
    """Embed queries.

    Args:
        model: A model with its processor; its train or eval mode stays as it is.
        queries: Sentences or words.
        batch: Queries embedded at once; changes speed and memory only.

    Returns:
        Unit-length embeddings in the order of ``queries``, shape ``(n, projection_dim)``.

    Raises:
        ValueError: If there is no query, one is empty, or the model has no processor.
    """
    queries = [queries] if isinstance(queries, str) else list(queries)
    if not queries or not all(isinstance(one, str) and one.strip() for one in queries):
        raise ValueError(f"Bad queries {queries[:5]}, expected at least one text and none empty.")
    order = np.argsort([-len(query) for query in queries], kind="stable")
    found = []
    with _inference(model):
        for start in range(0, len(queries), batch):
            texts = [queries[row] for row in order[start : start + batch]]
            features = model.get_text_features(**model.prepare(text=texts))
            found.append(functional.normalize(features.float(), dim=-1))
    return _in_order(found, order)


class _Utterances:
    """What the audio encoder reads of each utterance, from its file or from what is given."""

    def __init__(self, model: ParaCLAP, index: pd.MultiIndex, signals: Any, table: Any) -> None:
        extractor = model.require_processor().feature_extractor
        self.segments: list[Any] = list(index)
        self.signals, self.reads_functionals = signals, extractor.functionals > 0
        given = self.reads_functionals and table is not None
        self.table = _rows(table, index) if given else None
        self.reads_signals = not (given and extractor.functionals_only)

    def seconds(self) -> NDArray[np.float64]:
        """Length of each signal that is read; AudioError if one is too long."""
        if not self.reads_signals:
            return np.zeros(len(self.segments))
        if self.signals is not None:
            return np.asarray(self.signals.seconds())
        with ThreadPoolExecutor(READERS) as readers:
            return np.array(list(readers.map(_seconds, self.segments)))

    def read(self, row: int) -> Read:
        if not self.reads_signals:
            signal = np.zeros(0, np.float32)
        elif self.signals is not None:
            signal = self.signals.read(row)
        else:
            signal = audio.read(*self.segments[row])
        if self.table is not None:
            return signal, self.table[row]
        return signal, compute_functionals(signal) if self.reads_functionals else None


def _seconds(segment: Any) -> float:
    file, start, end = segment
    last = audio.duration(file) if pd.isna(end) else end.total_seconds()
    seconds = float(last - start.total_seconds())
    if seconds > LONGEST:
        msg = (
            f"{tables.short_name(file)!r}: {seconds:.0f} s, expected at most {LONGEST} s at once: "
        )
        raise audio.AudioError(f"{msg}embed segments of it.")
    return seconds


def _rows(table: pd.DataFrame, index: pd.MultiIndex) -> NDArray[np.float64]:
    """Functionals of utterances; ValueError if the table has no row of some of them."""
    missing = index[~index.isin(table.index)]
    if len(missing):
        first = tables.short_name(str(missing[0][0]))
        msg = f"No functionals of {len(missing)} of {len(index)} utterances (first: {first!r}), "
        raise ValueError(f"{msg}expected a row for each: extract their features.")
    values: NDArray[np.float64] = table.loc[index].to_numpy(float)
    return values


def cut(seconds: NDArray[np.float64], batch_seconds: float) -> list[NDArray[np.intp]]:
    """Rows of each batch, longest first, at most ``batch_seconds`` with their padding.

    >>> [rows.tolist() for rows in cut(np.array([2.0, 9.0, 4.0, 4.0]), 8)]
    [[1], [2, 3], [0]]
    """
    order, batches = np.argsort(-seconds, kind="stable"), []
    while len(order):
        many = max(1, int(batch_seconds // max(seconds[order[0]], 1e-3)))
        batches.append(order[:many])
        order = order[many:]
    return batches


def _embed(model: ParaCLAP, batch: Sequence[Read]) -> torch.Tensor:
    """Unit-length embeddings; the projection head works in the precision of the model."""
    signals, functionals = zip(*batch, strict=True)
    given = None if functionals[0] is None else np.stack(functionals)
    inputs = model.prepare(audio=list(signals), functionals=given)
    mask = inputs.get("audio_attention_mask")
    pooled = pool_audio(model.audio_model, inputs["input_values"], mask)
    with torch.autocast(model.device.type, enabled=False):
        features = model.audio_projection(pooled.to(model.dtype))
    return functional.normalize(features.float(), dim=-1)


def _in_order(found: list[torch.Tensor], rows: NDArray[np.intp]) -> Embeddings:
    """Embeddings on the host, only now, so that a GPU never waits for them."""
    embeddings: Embeddings = torch.cat(found).cpu().numpy()
    return embeddings[np.argsort(rows)]


def uses_bf16(precision: str, device: torch.device) -> bool:
    """Whether the audio encoder multiplies in bfloat16; ValueError for an unknown precision."""
    if precision not in PRECISIONS:
        raise ValueError(tables.unknown("precision", precision, PRECISIONS))
    return precision == "bf16" or (precision == "auto" and has_fast_bf16(device))


def has_fast_bf16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 matrices in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    # oneDNN also counts x86 processors on which it has to emulate such products.
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return bool(fast or platform.machine() not in ("x86_64", "AMD64"))


@contextlib.contextmanager
def _inference(model: ParaCLAP) -> Iterator[None]:
    """No dropout and no gradients; every part gets its mode back."""
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for part, mode in modes:
            part.training = mode
