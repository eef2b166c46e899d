"""The model inside other libraries: scikit-learn, audinterface, mteb, ONNX.

Each module needs its library alone and is imported by nobody else in the package.
"""

from collections.abc import Sequence
from types import SimpleNamespace

import audresample
import numpy as np

from paraclap import audio, tables
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings, embed_audio


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
    lengths = np.array([len(signal) / audio.SAMPLING_RATE for signal in ready])
    index = tables.segments([f"signal {row}" for row in range(len(ready))], ends=lengths)
    source = SimpleNamespace(read=ready.__getitem__, seconds=lambda: lengths)
    return embed_audio(model, index, signals=source)
