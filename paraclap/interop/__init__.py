"""The model inside other libraries: scikit-learn, audinterface, mteb, ONNX.

Each module needs its library alone and is imported by nobody else in the package.
"""

from __future__ import annotations

from collections.abc import Sequence

import audresample
import numpy as np

from paraclap import audio, tables
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings, embed_audio


class _Signals:
    """Signals in memory, as :func:`embed_audio` reads them."""

    def __init__(self, signals: Sequence[audio.Signal]) -> None:
        self.read = signals.__getitem__
        self.lengths = np.array([len(signal) / audio.SAMPLING_RATE for signal in signals])

    def seconds(self) -> np.ndarray:
        return self.lengths


def embed_signals(
    model: ParaCLAP, signals: Sequence[np.ndarray], sampling_rates: Sequence[int]
) -> Embeddings:
    """Embed signals ``(samples,)`` or ``(channels, samples)``, shape ``(n, projection_dim)``.

    Channels are averaged. An AudioError if a signal is empty or not finite.
    """
    ready = []
    for signal, rate in zip(signals, sampling_rates, strict=True):
        mono = np.atleast_2d(np.asarray(signal, np.float32)).mean(axis=0)
        if not len(mono) or not np.isfinite(mono).all():
            raise audio.AudioError(f"Got {len(mono)} samples, expected one or more, all finite.")
        ready.append(audresample.resample(mono, int(rate), audio.SAMPLING_RATE)[0])
    source = _Signals(ready)
    names = [f"signal {row}" for row in range(len(ready))]
    return embed_audio(model, tables.segments(names, ends=source.lengths), signals=source)
