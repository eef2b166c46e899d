"""Utterances in scikit-learn: zero-shot answers as a classifier, embeddings as features.

    ZeroShotClassifier(["happy", "sad"], template="speaker is {}").predict(files)

A row of ``X`` is a path (of a list, an array, or a column of pandas or polars) or a row of a table
on the audformat index. A model is its folder, or one that is loaded. Embeddings are kept in memory
and shared by clones, as in a grid search, until a file or the weights in the folder change. With
``n_jobs`` every process embeds for itself and needs the folder.
"""

from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

from paraclap import tables
from paraclap.evaluation.zeroshot import answer, encode_candidates
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings, embed_audio

Model = str | Path | ParaCLAP
_CACHE: WeakKeyDictionary[ParaCLAP, dict[Any, Any]] = WeakKeyDictionary()


@lru_cache(maxsize=2)
def _load(folder: Path, _time: int) -> Any:
    return ParaCLAP.from_pretrained(folder)


def _model(given: Model) -> Any:
    """The model; a relative folder that is not here is looked for in the project."""
    if isinstance(given, ParaCLAP):
        return given
    folder = Path(given).expanduser()
    folder = folder if folder.is_dir() else tables.project_folder() / folder
    times = [file.stat().st_mtime_ns for file in folder.glob("*.safetensors")]
    return _load(folder, max(times, default=0))


def _index(rows: Any) -> pd.MultiIndex:
    """Rows of scikit-learn on the audformat index; a ValueError for several columns."""
    table = rows.index if isinstance(rows, pd.DataFrame | pd.Series) else rows
    names = list(table.names) if isinstance(table, pd.Index) else []
    if not isinstance(rows, str | Path) and names not in (["file"], tables.INDEX):
        column = np.asarray(rows, dtype=object)  # of pandas, polars, lists
        if column[:1].size > 1:
            raise ValueError(f"Got an array of shape {column.shape}, expected one column of paths.")
        rows = [str(file) for file in column.ravel()]
    return tables.as_index(rows)


class _Embedding(BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped here
    """Embeds utterances."""

    model: Model

    def fit(self, X: Any = None, y: Any = None) -> Self:  # noqa: N803  (theirs)
        """Learn nothing."""
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

    def __sklearn_clone__(self) -> Self:
        new = object.__new__(type(self))
        new.__dict__.update(deepcopy(vars(self), {id(self.model): self.model}))  # all but the model
        return new

    def __getstate__(self) -> Any:
        if isinstance(self.model, ParaCLAP):
            raise TypeError("A loaded model is neither stored nor sent: give the folder of it.")
        return super().__getstate__()

    def _embed(self, rows: Any) -> Embeddings:
        index, model = _index(rows), _model(self.model)
        cache = _CACHE.setdefault(model, {})
        paths = map(Path, index.get_level_values("file"))  # a missing one is reported when read
        times = [path.stat().st_mtime_ns if path.is_file() else 0 for path in paths]
        keys = [(*segment, time) for segment, time in zip(index, times, strict=True)]
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
        self, candidates: Any, model: Model = "runs/demo/model", template: str = "{}"
    ) -> None:
        """Keep the parameters; the model is loaded when it is first needed."""
        self.candidates, self.model, self.template = candidates, model, template

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels, sorted as scorers expect: the columns of `predict_proba`."""
        labels = np.array(given := list(self.candidates))
        if labels.dtype == object or labels.tolist() != given:  # numpy turns 0 beside "a" into "0"
            raise ValueError(f"Bad labels {given[:5]}, expected texts or numbers, and not both.")
        return np.sort(labels)

    def predict_proba(self, X: Any) -> Any:  # noqa: N803  (theirs)
        """Probabilities, shape ``(n, candidates)``; errors as in :func:`paraclap.classify`."""
        given = self.candidates
        words = list(given.values()) if isinstance(given, Mapping) else given
        question = encode_candidates(_model(self.model), words, self.template)
        table = answer(question, self._embed(X))[list(question.labels)]
        return table.to_numpy()[:, [list(given).index(label) for label in self.classes_]]

    def predict_log_proba(self, X: Any) -> Any:  # noqa: N803  (theirs)
        """Their logarithms, shape ``(n, candidates)``."""
        return np.log(self.predict_proba(X))

    def predict(self, X: Any) -> Any:  # noqa: N803  (theirs)
        """Label of the candidate that fits best, shape ``(n,)``."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class VoiceEmbeddings(TransformerMixin, _Embedding):  # type: ignore[misc]  # untyped
    """Turns utterances into embeddings of unit length, for what learns from numbers."""

    def __init__(self, model: Model = "runs/demo/model") -> None:
        """Keep the parameter; the model is loaded when it is first needed."""
        self.model = model

    def transform(self, X: Any) -> Embeddings:  # noqa: N803  (theirs)
        """Embed utterances, shape ``(n, projection_dim)``; an AudioError if one cannot be read."""
        return self._embed(X)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns: ``embedding-0``, ..., as in the module for audinterface."""
        size = _model(self.model).config.projection_dim
        return np.array([f"embedding-{number}" for number in range(size)], dtype=object)
