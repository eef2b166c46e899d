"""Embeddings of utterances and queries, ``(n, projection_dim)`` float32 of unit length. Chapter 5.

Utterances are read without crops; padding changes nothing, so that an utterance gets the same
embedding alone and in a batch.
"""

import contextlib
import copy
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch.nn import functional
from tqdm import tqdm

from paraclap import audio, tables
from paraclap.model.layers import Mask, encode_audio
from paraclap.model.modeling import ParaCLAP

LONGEST = 600  # seconds embedded at once: the memory that the encoders take grows with them
READERS = 8  # threads; reading mostly waits for the disk
PRECISIONS = ("auto", "float32", "bf16")
Embeddings = NDArray[np.float32]


def embed_audio(
    model: ParaCLAP,
    files: tables.Files | pd.Index,
    *,
    batch_seconds: float = 0,
    functionals: pd.DataFrame | None = None,
    signals: Any = None,
    precision: str = "float32",
) -> Embeddings:
    """Embed utterances: unit length, in the order of ``files``, shape ``(n, projection_dim)``.

    Args:
        model: A model with its processor; its train or eval mode stays as it is.
        files: Paths, an audformat index, or a table with such an index.
        batch_seconds: Most seconds of padded audio in a batch; changes speed and memory only.
            0: 240 on a GPU, 12 elsewhere.
        functionals: Their features table, where an encoder reads one; None: openSMILE computes it.
        signals: Decoded signals, with ``read(row)`` and ``seconds()``; None: the files are read.
        precision: ``"float32"``, ``"bf16"``, or ``"auto"``: bf16 where the device is fast in it.

    AudioError if a file cannot be read, is too long, or gives no functionals; ValueError if the
    model has no processor or there is no such precision.
    """
    index, extractor = tables.as_index(files), model.require_processor().feature_extractor
    segments, given = list[Any](index), None
    if extractor.functionals and functionals is not None:
        given = functionals.loc[index].to_numpy(float)
    encoder = model.audio_model
    if uses_bf16(precision, model.device) and not extractor.functionals_only:
        encoder = copy.deepcopy(encoder).to(torch.bfloat16)
    bar = tqdm(total=len(index), desc="embedding audio", disable=None, leave=False)
    with ThreadPoolExecutor(READERS) as readers, _inference(model, encoder), bar:
        if given is not None and extractor.functionals_only:
            read, seconds = (lambda _: np.zeros(0, np.float32)), np.zeros(len(index))
        elif signals is not None:
            read, seconds = signals.read, signals.seconds()
        else:
            read = lambda row: audio.read(*segments[row])  # noqa: E731  (one of three)
            seconds = np.array(list(readers.map(_seconds, segments)))
        most = batch_seconds or (240 if model.device.type == "cuda" else 12)
        found, plan = [], cut(seconds, most)
        coming = readers.map(read, plan[0])
        for rows, following in zip(plan, [*plan[1:], plan[0][:0]], strict=True):
            batch, coming = list(coming), readers.map(read, following)  # while this is embedded
            inputs = model.prepare(audio=batch, functionals=None if given is None else given[rows])
            found.append(_embed(model, encoder, *inputs.values()))
            bar.update(len(rows))
    return torch.cat(found).cpu().numpy()[np.argsort(np.concatenate(plan))]


def embed_text(model: ParaCLAP, queries: Sequence[str], *, batch: int = 256) -> Embeddings:
    """Embed queries, ``batch`` at once; ValueError if there are none or there is no processor."""
    queries = [queries] if isinstance(queries, str) else list(queries)
    if not queries or not all(isinstance(one, str) and one.strip() for one in queries):
        raise ValueError(f"Bad queries {queries[:5]}, expected at least one text and none empty.")
    order = np.argsort([-len(query) for query in queries], kind="stable")
    found = []
    with _inference(model):
        for start in range(0, len(queries), batch):
            texts = [queries[row] for row in order[start : start + batch]]
            found.append(model.get_text_features(**model.prepare(text=texts)).pooler_output)
    return torch.cat(found).cpu().numpy()[np.argsort(order)]


def _seconds(segment: Any) -> float:
    file, start, end = segment
    last = audio.duration(file) if pd.isna(end) else end.total_seconds()
    seconds = float(last - start.total_seconds())
    if seconds > LONGEST:
        got = f"{tables.short_name(file)!r}: {seconds:.0f} s"
        raise audio.AudioError(f"{got}, expected at most {LONGEST} s: embed segments of it.")
    return seconds


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


def _embed(model: ParaCLAP, encoder: Any, values: torch.Tensor, mask: Mask = None) -> torch.Tensor:
    """Unit-length embeddings; the projection head works in the precision of the model."""
    if encoder is not model.audio_model:  # but a copy in bfloat16
        values = values.to(torch.bfloat16)
    _, pooled = encode_audio(encoder, values, mask)
    return functional.normalize(model.audio_projection(pooled.to(model.dtype)).float(), dim=-1)


def uses_bf16(precision: str, device: torch.device) -> bool:
    """Whether the audio encoder multiplies in bfloat16; ValueError for an unknown precision."""
    if precision not in PRECISIONS:
        raise ValueError(tables.unknown("precision", precision, PRECISIONS))
    if precision == "auto" and device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if precision == "auto" and device.type == "cpu":  # an x86 processor that has such products
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return precision == "bf16"


@contextlib.contextmanager
def _inference(model: ParaCLAP, *copies: Any) -> Iterator[None]:
    """No dropout and no gradients; every part gets its mode back."""
    modes = [(part, part.training) for part in model.modules()]
    for one in (model, *copies):
        one.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for part, mode in modes:
            part.training = mode
