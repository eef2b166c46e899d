"""Voices in scikit-learn: zero-shot answers as a classifier, embeddings as features.

    >>> from paraclap import ZeroShotClassifier
    >>> asked = ZeroShotClassifier(["happy", "sad"], template="speaker is {}")
    >>> asked.classes_.tolist(), asked.get_params()["template"]
    (['happy', 'sad'], 'speaker is {}')

What a row is of the ``X`` of scikit-learn is a voice here: a path in a list or in an array
``(n,)`` or ``(n, 1)``, or a row of a table on the audformat index (file, start, end). A model is
the folder of one, or one that is loaded. Every voice is heard once: embeddings are kept in memory,
and clones, such as those that a grid search makes, share them and the model. They are heard anew
when a file or the parameter ``model`` changes; a loaded model whose weights change in place goes
unnoticed. With ``n_jobs`` every process hears for itself, once if the model is named by its folder.

Source: the interfaces, Buitinck et al. 2013, "API design for machine learning software".
"""

from __future__ import annotations

from copy import deepcopy
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone

from paraclap import zeroshot
from paraclap.model import ParaCLAP
from paraclap.tables import project_folder

Model = str | Path | ParaCLAP
Voice = tuple[str, Any, Any, int, int]  # file, start, end, size, time of change

DEMO = "runs/demo/model"
KEPT_BY_CLONES = {"_metadata_request", "_sklearn_output_config"}  # besides parameters, as theirs


class Heard:
    """A model, and the voices that it has heard.

    Attributes:
        given: What the model was named by, or the model itself.
    """

    def __init__(self, given: Model) -> None:
        """Name a model; a relative folder that is not here is looked for in the project."""
        self.given = given
        self._known: dict[Voice, zeroshot.Embeddings] = {}

    @cached_property
    def model(self) -> ParaCLAP:
        """The model, loaded when it is first asked for."""
        named = self.given
        return named if isinstance(named, ParaCLAP) else ParaCLAP.from_pretrained(_at(named))

    def embed(self, files: zeroshot.Files, batch: int) -> zeroshot.Embeddings:
        """Unit-length embeddings ``(n, projection_dim)``; only new voices are heard."""
        index = zeroshot.segments(files)
        voices = [_voice(*segment) for segment in index]
        new = [row for row, voice in enumerate(voices) if voice not in self._known]
        if new:
            found = zeroshot.embed_audio(self.model, index[new], batch)
            self._known |= {voices[row]: one for row, one in zip(new, found, strict=True)}
        return np.stack([self._known[voice] for voice in voices])


@lru_cache(maxsize=2)  # kept for the next task of a process that works for scikit-learn
def _shared(folder: str, _weights: tuple[tuple[str, int], ...]) -> Heard:
    return Heard(folder)


def _hearing_of(model: Model) -> Heard:
    """What hears with a model; the same as before for the same folder with the same weights."""
    if isinstance(model, ParaCLAP):
        return Heard(model)
    weights = sorted(Path(_at(model)).glob("*.safetensors"))
    return _shared(str(model), tuple((file.name, file.stat().st_mtime_ns) for file in weights))


def _at(folder: str | Path) -> str:
    here = Path(folder).expanduser()
    inside = project_folder() / here
    return str(inside if inside.is_dir() and not here.is_dir() else folder)


def _voice(file: str, start: pd.Timedelta, end: pd.Timedelta) -> Voice:
    """A voice and the state of its file; a missing file is reported by who reads it."""
    last = None if pd.isna(end) else end
    if not Path(file).is_file():
        return file, start, last, -1, -1
    status = Path(file).stat()
    return file, start, last, status.st_size, status.st_mtime_ns


def _files(voices: Any) -> zeroshot.Files:
    """Voices as scikit-learn hands them over, as zero-shot calls take them.

    Raises:
        ValueError: If an array has several columns or holds no paths.
    """
    if not isinstance(voices, np.ndarray):
        files: zeroshot.Files = voices
        return files
    if voices.ndim > 2 or voices[:1].size > 1 or voices.dtype.kind not in "OUT":
        raise ValueError(
            f"Bad array of voices, shape {voices.shape} of {voices.dtype}, expected paths of audio "
            "files in one column: choose that column, or give a table on (file, start, end)."
        )
    return [str(file) for file in voices.ravel()]


def _packed(model: Model) -> Any:
    """A model as other processes can be sent it: torch sends the weights, not the modules."""
    if not isinstance(model, ParaCLAP):
        return model
    return model.config, model.state_dict(), model.processor


def _unpacked(packed: Any) -> Model:
    if isinstance(packed, str | Path):
        return packed
    config, weights, processor = packed
    model: ParaCLAP = ParaCLAP(config).eval()
    model.load_state_dict(weights)
    model.processor = processor
    return model


class _Listening(BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped here
    """What hears voices, and does so once."""

    model: Model
    batch: int
    _heard: Heard | None = None

    def fit(self, X: Any = None, y: Any = None) -> Self:  # noqa: N803  (theirs)
        """Learn nothing.

        Args:
            X: Not looked at.
            y: Not looked at.
        """
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array, tags.input_tags.string = False, True
        return tags

    def __sklearn_clone__(self) -> Self:
        parameters = {
            name: value if name == "model" else clone(value, safe=False)
            for name, value in self.get_params(deep=False).items()
        }
        new = type(self)(**parameters)
        new._heard = (
            self._hearing()
        )  # shared, so that no clone loads the model or hears a voice again
        for name in KEPT_BY_CLONES & vars(self).keys():
            setattr(new, name, deepcopy(getattr(self, name)))
        return new

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        kept = {name: value for name, value in state.items() if name != "_heard"}
        return kept | {"model": _packed(self.model)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state | {"model": _unpacked(state["model"])})

    def _hearing(self) -> Heard:
        if self._heard is None or self._heard.given is not self.model:
            self._heard = _hearing_of(self.model)
        return self._heard

    def _embed(self, voices: Any) -> zeroshot.Embeddings:
        return self._hearing().embed(_files(voices), self.batch)


class ZeroShotClassifier(ClassifierMixin, _Listening):  # type: ignore[misc]  # untyped
    """Answers which candidate fits a voice best, with no training: `fit` learns nothing.

    Args:
        candidates: Words, or a mapping from label to word; two or more.
        model: Folder of a model, or a loaded one.
        template: Sentence with a slot for the word.
        batch: Voices embedded at once; changes speed and memory, not the result.
    """

    def __init__(
        self,
        candidates: zeroshot.Candidates,
        model: Model = DEMO,
        template: str = "{}",
        batch: int = 32,
    ) -> None:
        """Keep the parameters; the model is loaded when it is first asked."""
        self.candidates, self.model = candidates, model
        self.template, self.batch = template, batch

    @property
    def classes_(self) -> npt.NDArray[np.str_]:
        """The labels in the order of the columns of `predict_proba`: sorted, as scorers expect.

        Raises:
            ValueError: If there are fewer than two candidates, or one is given twice.
        """
        return np.unique([str(label) for label in zeroshot.words(self.candidates)])

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:  # noqa: N803  (theirs)
        """Probabilities of the candidates.

        Args:
            X: Voices, see above.

        Returns:
            The softmax over the candidates, shape ``(n, candidates)``, columns as in `classes_`.

        Raises:
            AudioError: If a file cannot be heard.
            ValueError: If candidates or template are bad.
        """
        voices = self._embed(X)
        asked = zeroshot.answer(self._hearing().model, voices, self.candidates, self.template)
        found = asked[list(self.classes_)].to_numpy(np.float64)
        rows: npt.NDArray[np.float64] = found / found.sum(axis=1, keepdims=True)  # as scorers check
        return rows

    def predict(self, X: Any) -> npt.NDArray[np.str_]:  # noqa: N803  (theirs)
        """Label of the candidate that fits best, shape ``(n,)``; see `predict_proba`."""
        answers: npt.NDArray[np.str_] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return answers


class VoiceEmbeddings(TransformerMixin, _Listening):  # type: ignore[misc]  # untyped
    """Turns voices into embeddings of unit length, for what learns from numbers.

    Args:
        model: Folder of a model, or a loaded one.
        batch: Voices embedded at once; changes speed and memory, not the result.
    """

    def __init__(self, model: Model = DEMO, batch: int = 32) -> None:
        """Keep the parameters; the model is loaded when it first hears a voice."""
        self.model, self.batch = model, batch

    def transform(self, X: Any) -> zeroshot.Embeddings:  # noqa: N803  (theirs)
        """Embed voices.

        Args:
            X: Voices, see above.

        Returns:
            Shape ``(n, projection_dim)``.

        Raises:
            AudioError: If a file cannot be heard.
        """
        return self._embed(X)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Names of the columns, ``embedding-0``, ..., as :mod:`paraclap.interfaces` has them.

        Args:
            input_features: Not looked at.
        """
        size = self._hearing().model.config.projection_dim
        return np.array([f"embedding-{number}" for number in range(size)], dtype=object)
