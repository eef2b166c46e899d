"""A model behind the interface of audinterface: features of signals, files and indices.

What works with :class:`audinterface.Feature` works with these: ``process_signal``,
``process_file``, ``process_files``, ``process_folder``, ``process_index`` and their frames.
``process_index`` hears voices of like length together, the others hear them one at a time.

Conventions: channels are averaged and other sampling rates converted by soxr (quality HQ), as in
:mod:`paraclap.audio`; a frame has one row per segment on the audformat index, float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import audformat
import audinterface
import numpy as np
import numpy.typing as npt
import pandas as pd
import soxr

from paraclap import audio, zeroshot
from paraclap.inference import Embeddings, Listener, listen
from paraclap.model import ParaCLAP

Values = npt.NDArray[np.float32]


class Voices(audinterface.Feature):  # type: ignore[misc]  # audinterface is untyped here
    """Values that a model gives to voices, see :func:`embeddings` and :func:`probabilities`."""

    def __init__(
        self,
        names: Sequence[str],
        listener: Listener,
        values: Callable[[Embeddings], Values],
        name: str,
        **settings: Any,
    ) -> None:
        """Serve a model.

        Args:
            names: Of the columns.
            listener: What embeds voices.
            values: From embeddings ``(n, projection_dim)`` to ``(n, names)``.
            name: Of the set of values.
            settings: Further arguments of ``audinterface.Feature``, such as ``win_dur``.
        """
        self.listener, self.values = listener, values
        settings = {"channels": None, "mixdown": True} | settings  # None: all channels
        super().__init__(list(names), name=name, process_func=self._hear, **settings)

    def _hear(self, signal: audio.Signal, sampling_rate: int) -> Values:
        mono = np.atleast_2d(signal).mean(axis=0, dtype=np.float32)
        if not len(mono) or not np.isfinite(mono).all():
            raise audio.AudioError(
                f"Got a signal of {len(mono)} samples, expected at least one and finite values."
            )
        if sampling_rate != audio.SAMPLING_RATE:
            mono = soxr.resample(mono, sampling_rate, audio.SAMPLING_RATE, quality="HQ")
        values: Values = self.values(self.listener([mono]))[0]
        return values

    def process_index(
        self,
        index: pd.Index,
        *,
        preserve_index: bool = False,
        root: str | None = None,
        **settings: Any,
    ) -> pd.DataFrame:
        """Values of all segments of an index, voices of like length heard together.

        Args:
            index: An audformat index.
            preserve_index: Whether a filewise index stays one.
            root: Folder of relative files.
            settings: Further arguments of ``audinterface.Feature.process_index``; with any of
                them, with windows or a segmenter voices are heard one at a time.

        Raises:
            AudioError: If a segment cannot be heard.
        """
        alone = self.win_dur is not None or self.process.segment is not None
        if alone or any(value is not None for value in settings.values()) or not len(index):
            frame: pd.DataFrame = super().process_index(
                index, preserve_index=preserve_index, root=root, **settings
            )
            return frame
        whole = _with_ends(index, root)
        there = whole if root is None else audformat.utils.expand_file_path(whole, root)
        found, reasons = listen(there, self.listener)
        if failed := [reason for reason in reasons if reason]:
            raise audio.AudioError(f"{len(failed)} segments cannot be heard: {failed[:5]}.")
        return pd.DataFrame(
            self.values(found),
            index=index if preserve_index else whole,
            columns=self.column_names,
        )


def _with_ends(index: pd.Index, root: str | None) -> pd.MultiIndex:
    """The segments of an index, an open end replaced by the length of the file."""
    segmented: pd.MultiIndex = audformat.utils.to_segmented_index(index, allow_nat=True)
    ends = [
        pd.Timedelta(seconds=audio.duration(Path(root or "") / file)) if pd.isna(end) else end
        for file, _, end in segmented
    ]
    files, starts = (segmented.get_level_values(level) for level in ("file", "start"))
    whole: pd.MultiIndex = audformat.segmented_index(files, starts, ends)
    return whole


def embeddings(
    model: ParaCLAP, precision: str = "float32", compiled: bool = False, **settings: Any
) -> Voices:
    """Embeddings of unit length as features, columns ``embedding-0``, ``embedding-1``, ...

    Args:
        model: A trained model with its processor; it is not changed.
        precision: See :class:`paraclap.inference.Listener`.
        compiled: Likewise.
        settings: Further arguments of ``audinterface.Feature``, such as ``win_dur``.
    """
    listener = Listener(model, precision, compiled)
    names = [f"embedding-{number}" for number in range(listener.size)]
    return Voices(names, listener, lambda found: found, "paraclap-embeddings", **settings)


def probabilities(
    model: ParaCLAP,
    candidates: zeroshot.Candidates,
    template: str = "{}",
    precision: str = "float32",
    compiled: bool = False,
    **settings: Any,
) -> Voices:
    """Probabilities of candidates as features, one column each; ``idxmax(axis=1)`` is the answer.

    Args:
        model: A trained model with its processor; it is not changed.
        candidates: Words, or a mapping from label to word.
        template: Sentence with a slot for the word.
        precision: See :class:`paraclap.inference.Listener`.
        compiled: Likewise.
        settings: Further arguments of ``audinterface.Feature``, such as ``win_dur``.
    """
    listener = Listener(model, precision, compiled)
    question = zeroshot.Question.of(model, candidates, template)

    def values(found: Embeddings) -> Values:
        return question.answer(found)[question.labels].to_numpy(np.float32)

    return Voices(question.labels, listener, values, "paraclap-probabilities", **settings)
