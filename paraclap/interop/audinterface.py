"""A model as features of audinterface: of signals, files, folders and indices.

    from paraclap.interop.audinterface import embeddings
    embeddings(model).process_index(index)

Frames have one row per segment on the audformat index, with the ends that openSMILE gives, so that
tables can be joined. Files are embedded one at a time; for many, :func:`paraclap.embed_audio` is
faster. A ``cache_root`` knows the index alone: give each model and question its own folder.
"""

from __future__ import annotations

from typing import Any

import audinterface
import numpy as np

from paraclap.audio import SAMPLING_RATE
from paraclap.evaluation.zeroshot import Given, answer, encode_candidates
from paraclap.interop import embed_signals
from paraclap.model import ParaCLAP


def embeddings(model: ParaCLAP, **settings: Any) -> audinterface.Feature:
    """Embeddings of unit length as features, columns ``embedding-0``, ``embedding-1``, ...

    ``settings`` are further arguments of ``audinterface.Feature``, such as ``win_dur``.
    """
    names = [f"embedding-{number}" for number in range(model.config.projection_dim)]

    def process(signal: np.ndarray, sampling_rate: int) -> Any:
        return embed_signals(model, [signal], [sampling_rate])[0]

    return _feature(names, "paraclap-embeddings", process, settings)


def probabilities(
    model: ParaCLAP, candidates: Given, template: str = "{}", **settings: Any
) -> audinterface.Feature:
    """Probabilities of candidates as features; ``idxmax(axis=1)`` is the answer.

    Arguments as in :func:`paraclap.classify` and :func:`embeddings`; a ValueError if they are bad.
    """
    question = encode_candidates(model, candidates, template)
    names = list(question.labels)

    def process(signal: np.ndarray, sampling_rate: int) -> Any:
        found = answer(question, embed_signals(model, [signal], [sampling_rate]))
        return found[names].to_numpy(np.float32)[0]

    return _feature(names, "paraclap-probabilities", process, settings)


def _feature(names: list[str], name: str, process: Any, settings: Any) -> audinterface.Feature:
    usual = {"channels": None, "mixdown": True, "sampling_rate": SAMPLING_RATE, "resample": True}
    return audinterface.Feature(names, name=name, process_func=process, **(usual | settings))
