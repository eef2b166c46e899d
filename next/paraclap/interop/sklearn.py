"""Utterances in scikit-learn: zero-shot answers as a classifier, embeddings as features.

    >>> from paraclap import ZeroShotClassifier
    >>> asked = ZeroShotClassifier(["happy", "sad"], template="speaker is {}")
    >>> asked.classes_.tolist(), asked.get_params()["template"]
    (['happy', 'sad'], 'speaker is {}')

A row of ``X`` is an utterance: a path in a list, an array ``(n,)`` or ``(n, 1)``, a Series or a
column of a DataFrame, or a row of a table on the audformat index (file, start, end). A model is its
folder, or one that is loaded. An utterance is embedded once per model: embeddings are kept in
memory and shared by clones, such as those of a grid search, until a file or the weights in the
folder change. With ``n_jobs`` every process embeds for itself.

Source: the interfaces, Buitinck et al. 2013, "API design for machine learning software".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

from paraclap import tables
from paraclap.evaluation.zeroshot import encode_candidates
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings, embed_audio

DEMO = "runs/demo/model"
Model = str | Path | ParaCLAP
_CACHE: WeakKeyDictionary[ParaCLAP, dict[Any, Any]] = WeakKeyDictionary()


@lru_cache(maxsize=2)
def _load(folder: str, _weights: tuple[tuple[str, int], ...]) -> ParaCLAP:
    model: ParaCLAP = ParaCLAP.from_pretrained(folder)
    return model


def _model(given: Model) -> ParaCLAP:
    """The model; a relative folder that is not here is looked for in the project."""
    if isinstance(given, ParaCLAP):
        return given
    here, inside = Path(given).expanduser(), tables.project_folder() / given
    folder = here if here.is_dir() or not inside.is_dir() else inside
    weights = sorted(folder.glob("*.safetensors"))
    return _load(str(folder), tuple((file.name, file.stat().st_mtime_ns) for file in weights))


def _index(rows: Any) -> pd.MultiIndex:
    """Rows of scikit-learn on the audformat index; a ValueError for several columns or numbers."""
    if isinstance(rows, pd.DataFrame) and list(rows.index.names) not in (["file"], tables.INDEX):
        rows = rows.to_numpy(object)
    if isinstance(rows, np.ndarray):
        if rows.ndim > 2 or rows[:1].size > 1 or rows.dtype.kind not in "OUT":
            raise ValueError(
                f"Bad array of utterances, shape {rows.shape} of {rows.dtype}, expected paths in "
                "one column: choose that column, or give a table on (file, start, end)."
            )
        rows = [str(file) for file in rows.ravel()]
    return tables.as_index(rows)


def _key(file: str, start: pd.Timedelta, end: pd.Timedelta) -> Any:
    """A segment and the state of its file; a missing file is reported when it is read."""
    status = Path(file).stat() if Path(file).is_file() else None
    return file, start.value, end.value, status and (status.st_size, status.st_mtime_ns)


class _Embedding(BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped here
    """Embeds utterances; nothing is learned."""

    model: Model

    def fit(self, X: Any = None, y: Any = None) -> Self:  # noqa: N803  (theirs)
        """Learn nothing; ``X`` and ``y`` are not read."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array, tags.input_tags.string = False, True
        return tags

    def __sklearn_clone__(self) -> Self:
        new = object.__new__(type(self))
        for name, value in vars(self).items():
            setattr(new, name, value if name == "model" else deepcopy(value))
        return new

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        if isinstance(self.model, ParaCLAP):  # torch pickles the weights, not the modules
            parts = (self.model.config, self.model.state_dict(), self.model.processor)
            state = state | {"model": parts}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(state["model"], tuple):
            config, weights, processor = state["model"]
            model: ParaCLAP = ParaCLAP(config).eval()
            model.load_state_dict(weights)
            model.processor = processor
            state = state | {"model": model}
        super().__setstate__(state)

    def _embed(self, rows: Any) -> Embeddings:
        index, model = _index(rows), _model(self.model)
        cache = _CACHE.setdefault(model, {})
        keys = [_key(*segment) for segment in index]
        new = [row for row, key in enumerate(keys) if key not in cache]
        if new:
            found = embed_audio(model, index[new])
            cache.update(zip([keys[row] for row in new], found, strict=True))
        return np.stack([cache[key] for key in keys])


class ZeroShotClassifier(ClassifierMixin, _Embedding):  # type: ignore[misc]  # untyped
    """Gives the candidate that fits an utterance best, without training.

    Args:
        candidates: Words, or a mapping from label (text or number) to word; two or more.
        model: Folder of a model, or a loaded one.
        template: Sentence with a slot for the word.
    """

    def __init__(
        self,
        candidates: Iterable[str] | Mapping[Any, str],
        model: Model = DEMO,
        template: str = "{}",
    ) -> None:
        """Keep the parameters; the model is loaded when it is first needed."""
        self.candidates, self.model, self.template = candidates, model, template

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels, sorted as scorers expect: the columns of `predict_proba`."""
        return np.unique(np.array(list(self.candidates)))

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803  (theirs)
        """Logarithms of `predict_proba`."""
        given = self.candidates
        words = list(given.values()) if isinstance(given, Mapping) else given
        question = encode_candidates(_model(self.model), words, self.template)
        cosines = self._embed(X).astype(float) @ question.embeddings.T
        order = np.argsort(np.array(list(given)), kind="stable")
        found: NDArray[np.float64] = log_softmax(question.logit_scale * cosines[:, order], axis=1)
        return found

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803  (theirs)
        """Probabilities of the candidates, shape ``(n, candidates)``, columns as in `classes_`.

        Args:
            X: Utterances, see above.

        Raises:
            AudioError: If a file cannot be read.
            ValueError: If candidates or template are bad.
        """
        return np.exp(self.predict_log_proba(X))

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803  (theirs)
        """Label of the candidate that fits best, shape ``(n,)``; see `predict_proba`."""
        answers: NDArray[Any] = self.classes_[self.predict_log_proba(X).argmax(axis=1)]
        return answers


class VoiceEmbeddings(TransformerMixin, _Embedding):  # type: ignore[misc]  # untyped
    """Turns utterances into embeddings of unit length, for what learns from numbers.

    Args:
        model: Folder of a model, or a loaded one.
    """

    def __init__(self, model: Model = DEMO) -> None:
        """Keep the parameter; the model is loaded when it is first needed."""
        self.model = model

    def transform(self, X: Any) -> Embeddings:  # noqa: N803  (theirs)
        """Embed utterances, shape ``(n, projection_dim)``; arguments and errors as above."""
        return self._embed(X)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns: ``embedding-0``, ..., as in the module for audinterface."""
        size = _model(self.model).config.projection_dim
        return np.array([f"embedding-{number}" for number in range(size)], dtype=object)
