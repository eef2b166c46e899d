"""What does a model for general sounds hear of a voice? Always the same part, of a set length.

These models want 44.1 or 48 kHz and, the ones of Microsoft, exactly 5 or 7 seconds. Their own code
cuts long sounds at a random place; here the *first* seconds are heard, so that the same file always
gives the same answer. Short ones are repeated until they fill the length, as in their own code.

Conventions: a signal is float32, mono, shape ``(samples,)``; channels are averaged, other sampling
rates converted by soxr (quality HQ). Sources: the packages ``msclap`` (``load_audio_into_tensor``)
and ``transformers`` (``ClapFeatureExtractor``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import audinterface
import numpy as np
import torch
from torch.nn import functional

from paraclap import audio, progress, zeroshot

BATCH = 8  # voices heard at once: changes speed and memory, not the result


def read(file: str | Path, start: Any, end: Any, sampling_rate: int) -> audio.Signal:
    """Signal of a segment at any sampling rate; nothing above 8 kHz is lost on the way.

    Args:
        file: path of an audio file
        start: where the segment starts, as timedelta
        end: where it ends; the end of the file if NaT
        sampling_rate: in Hz

    Raises:
        AudioError: if the file is not there, no audio, empty, cut short or not finite
    """
    if sampling_rate == audio.SAMPLING_RATE:
        return audio.read(file, start, end)
    audio.duration(file)  # says what is wrong with a file
    channels, rate = audinterface.utils.read_audio(str(file), start=start, end=end)
    if not channels.size or not np.isfinite(channels).all():
        what = "NaN or infinite values" if channels.size else "no samples"
        msg = f"{Path(file).name!r} holds {what} in the segment from {start}, expected a signal."
        raise audio.AudioError(msg)
    return _resampled(channels.mean(axis=0, dtype=np.float32), rate, sampling_rate)


def _resampled(signal: audio.Signal, rate: int, wanted: int) -> audio.Signal:
    import soxr

    resampled = signal if rate == wanted else soxr.resample(signal, rate, wanted, quality="HQ")
    return np.ascontiguousarray(resampled, dtype=np.float32)


def fill(signal: audio.Signal, samples: int) -> audio.Signal:
    """First part of a signal; a shorter one is repeated until it fills the length.

    >>> fill(np.float32([1, 2, 3]), 5), fill(np.float32([1, 2, 3]), 2)
    (array([1., 2., 3., 1., 2.], dtype=float32), array([1., 2.], dtype=float32))
    """
    return np.resize(signal, samples) if len(signal) < samples else signal[:samples]


def signals(files: zeroshot.Files, sampling_rate: int) -> Iterator[audio.Signal]:
    """Signals of files or segments, one after the other.

    Raises:
        AudioError: if a file cannot be read
        ValueError: if there is no file, or the index is of another form
    """
    index = zeroshot.segments(files)
    with progress.bar("hearing voices", len(index)) as bar:
        for segment in index:
            file, start, end = segment
            yield read(file, start, end, sampling_rate)
            bar.update(1)


def batches(parts: Iterator[Any], size: int = BATCH) -> Iterator[list[Any]]:
    """Lists of at most `size` parts.

    >>> list(batches(iter("abc"), 2))
    [['a', 'b'], ['c']]
    """
    while batch := [part for _, part in zip(range(size), parts, strict=False)]:
        yield batch


def embedded(
    parts: Iterator[Any], features: Callable[[list[Any]], torch.Tensor]
) -> zeroshot.Embeddings:
    """Unit-length embeddings of signals or queries, float32, shape ``(n, d)``.

    Args:
        parts: signals or queries
        features: embeddings of a batch of them, shape ``(batch, d)``
    """
    with torch.inference_mode():
        found = [functional.normalize(features(batch).float(), dim=-1) for batch in batches(parts)]
    embeddings: zeroshot.Embeddings = torch.cat(found).cpu().numpy()
    return embeddings


def check_queries(queries: str | Sequence[str]) -> list[str]:
    """Queries as a list.

    Raises:
        ValueError: if there is none or one is empty
    """
    given = [queries] if isinstance(queries, str) else list(queries)
    if not given or not all(query.strip() for query in given):
        raise ValueError(f"Bad queries {given[:5]}, expected at least one and none empty.")
    return given
