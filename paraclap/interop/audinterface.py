"""A model as features of audinterface: of signals, files, folders and indices.

    from paraclap.interop.audinterface import embeddings
    embeddings(model).process_index(index)

Rows and their ends are those of openSMILE, so that tables can be joined. Files are embedded one at
a time. In a ``cache_root`` each model, question and choice of settings has a folder of its own.
"""

import multiprocessing
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4
from weakref import WeakValueDictionary

import audinterface
import joblib
import numpy as np
import torch

from paraclap.audio import SAMPLING_RATE
from paraclap.evaluation.scoring import content
from paraclap.evaluation.zeroshot import Candidates, Given, answer, encode_candidates
from paraclap.interop import embed_signals
from paraclap.model import ParaCLAP

_MADE: WeakValueDictionary[str, Any] = WeakValueDictionary()  # processes that fork have it, too


def embeddings(model: ParaCLAP, **settings: Any) -> audinterface.Feature:
    """Embeddings of unit length as features, columns ``embedding-0``, ``embedding-1``, ...

    ``settings`` are further arguments of ``audinterface.Feature``, such as ``win_dur``.
    """
    names = [f"embedding-{number}" for number in range(model.config.projection_dim)]
    return _Feature(names, model, None, {"name": "paraclap-embeddings"} | settings)


def probabilities(
    model: ParaCLAP, candidates: Given, template: str = "{}", **settings: Any
) -> audinterface.Feature:
    """Probabilities of candidates as features; ``idxmax(axis=1)`` is the answer.

    Arguments as in :func:`paraclap.classify` and :func:`embeddings`; a ValueError if they are bad.
    """
    question, name = encode_candidates(model, candidates, template), "paraclap-probabilities"
    return _Feature(list(question.labels), model, question, {"name": name} | settings)


class _Feature(audinterface.Feature):  # type: ignore[misc]  # audinterface is untyped here
    def __init__(
        self, names: list[str], model: ParaCLAP, question: Candidates | None, settings: Any
    ) -> None:
        channels = None if settings.get("mixdown", True) else 0  # all of them, or the first
        usual = {"channels": channels, "mixdown": True, "process_func_is_mono": True}
        usual |= {"sampling_rate": SAMPLING_RATE, "resample": True}
        self.model, self.question, self.settings = model, question, usual | settings
        _MADE[key := str(uuid4())] = self
        super().__init__(names, process_func=partial(_process, key), **self.settings)

    def process_index(self, index: Any, *, cache_root: Any = None, **options: Any) -> Any:
        if cache_root is not None:
            about = content(self.model), self.question, self.settings, options
            cache_root = Path(cache_root, str(joblib.hash(about)))
        return super().process_index(index, cache_root=cache_root, **options)


def _process(key: str, signal: np.ndarray, sampling_rate: int) -> Any:
    """What is done with each signal, here and in other processes."""
    if key not in _MADE:
        raise RuntimeError("The model is not in this process: use threads, or processes that fork.")
    if multiprocessing.parent_process():
        torch.set_num_threads(1)  # the others did not come along
    feature, embedded = _MADE[key], embed_signals(_MADE[key].model, [signal], [sampling_rate])
    if feature.question is None:
        return embedded[0]
    return answer(feature.question, embedded).to_numpy()[0, :-1].astype(np.float32)
