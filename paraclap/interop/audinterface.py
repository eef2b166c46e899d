"""A model as features of audinterface: of signals, files, folders and indices.

    from paraclap.interop.audinterface import embeddings
    embeddings(model).process_index(index)

Rows and their ends are those of openSMILE, so that tables can be joined. Files are embedded one at
a time. A ``cache_root`` knows the index alone: give each model and question its own folder.
"""

from typing import Any

import audinterface
import numpy as np

from paraclap.audio import SAMPLING_RATE
from paraclap.evaluation.zeroshot import Given, answer, encode_candidates
from paraclap.interop import embed_signals
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings


def embeddings(model: ParaCLAP, **settings: Any) -> audinterface.Feature:
    """Embeddings of unit length as features, columns ``embedding-0``, ``embedding-1``, ...

    ``settings`` are further arguments of ``audinterface.Feature``, such as ``win_dur``.
    """
    names = [f"embedding-{number}" for number in range(model.config.projection_dim)]
    return _feature(model, names, "paraclap-embeddings", np.asarray, settings)


def probabilities(
    model: ParaCLAP, candidates: Given, template: str = "{}", **settings: Any
) -> audinterface.Feature:
    """Probabilities of candidates as features; ``idxmax(axis=1)`` is the answer.

    Arguments as in :func:`paraclap.classify` and :func:`embeddings`; a ValueError if they are bad.
    """
    question = encode_candidates(model, candidates, template)
    names = list(question.labels)

    def ask(embedded: Embeddings) -> Any:
        return answer(question, embedded)[names].to_numpy(np.float32)

    return _feature(model, names, "paraclap-probabilities", ask, settings)


def _feature(model: ParaCLAP, names: Any, name: str, finish: Any, settings: Any) -> Any:
    def process(signal: np.ndarray, sampling_rate: int) -> Any:
        return finish(embed_signals(model, [signal], [sampling_rate]))[0]

    usual = {"channels": None, "mixdown": True, "sampling_rate": SAMPLING_RATE, "resample": True}
    return audinterface.Feature(names, name=name, process_func=process, **(usual | settings))
