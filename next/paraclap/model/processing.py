"""Signals and queries as the encoders read them: feature extractor and tokenizer in one.

Conventions: signals are mono float32 at ``sampling_rate`` Hz; their mask is called
``audio_attention_mask``, so that it never meets the ``attention_mask`` of the tokens. Chapter 4.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoTokenizer, BatchFeature, ProcessorMixin, Wav2Vec2FeatureExtractor

Signal = NDArray[np.float32]
Functionals = NDArray[np.float64] | None


class ParaCLAPFeatureExtractor(Wav2Vec2FeatureExtractor):  # type: ignore[misc]  # untyped
    """Pads signals to the longest and marks the padding; crops nothing.

    Silence extends a signal shorter than ``min_samples``, one frame of the audio encoder, and
    counts as signal. For encoders of :mod:`.functionals`, standardised functionals stand before the
    samples, or in their place.
    """

    model_input_names = ["input_values", "audio_attention_mask"]  # noqa: RUF012  (theirs)

    def __init__(
        self,
        min_samples: int = 400,
        functionals: int = 0,
        functionals_only: bool = False,
        scaling: Sequence[Sequence[float]] = (),
        **kwargs: Any,
    ) -> None:
        """Make an extractor.

        Args:
            min_samples: Samples that a signal has at least.
            functionals: Number of functionals before the samples; 0 for none.
            functionals_only: Whether the encoder reads nothing else.
            scaling: Low end, high end, mean and spread of each functional, see :meth:`fit`.
            kwargs: As in ``Wav2Vec2FeatureExtractor``.
        """
        super().__init__(**kwargs)
        self.min_samples = min_samples
        self.functionals, self.functionals_only = functionals, functionals_only
        self.scaling = [[float(value) for value in row] for row in scaling]

    def fit(self, functionals: NDArray[np.float64]) -> None:
        """Learn to scale functionals ``(utterances, functionals)``; outer half percents are cut."""
        low, high = np.quantile(functionals, (0.005, 0.995), axis=0)
        cut = functionals.clip(low, high)
        spread = cut.std(axis=0)
        values = np.column_stack([low, high, cut.mean(axis=0), np.where(spread > 0, spread, 1)])
        self.scaling = values.tolist()

    def __call__(
        self,
        raw_speech: Any,
        sampling_rate: int | None = None,
        functionals: Functionals = None,
        *,
        padding: bool | str = True,
        max_length: int | None = None,
        **options: Any,
    ) -> BatchFeature:
        """Prepare signals.

        Args:
            raw_speech: One signal ``(samples,)`` or several of any lengths: arrays, tensors, lists.
            sampling_rate: Their sampling rate in Hz, checked against the model's.
            functionals: Shape ``(batch, functionals)``; None: openSMILE computes them, if the
                encoder reads any.
            padding: As in transformers; ``True`` pads to the longest.
            max_length: In samples.
            options: ``truncation``, ``pad_to_multiple_of``, ``return_tensors``, as in transformers.

        Returns:
            ``input_values`` and ``audio_attention_mask``, both ``(batch, samples)``.

        Raises:
            ValueError: If a signal has another rate, several channels, or values not finite.
        """
        if sampling_rate not in (None, self.sampling_rate):
            msg = f"Bad sampling_rate {sampling_rate}, expected {self.sampling_rate} Hz: resample."
            raise ValueError(msg)
        signals = [_checked(signal) for signal in _several(raw_speech)]
        given = [None] * len(signals) if functionals is None else list(np.atleast_2d(functionals))
        values = [self._prepare(*one) for one in zip(signals, given, strict=True)]
        length = None if max_length is None else max_length + self.functionals
        options |= {"padding": padding, "max_length": length, "return_attention_mask": True}
        batch = self.pad(BatchFeature({"input_values": values}), **options)
        batch["audio_attention_mask"] = batch.pop("attention_mask")
        return batch

    def _prepare(self, signal: Signal, functionals: Functionals) -> Signal:
        """Functionals and samples of one utterance."""
        parts = [self._scaled(signal, functionals)] if self.functionals else []
        if not self.functionals_only:
            samples = [np.pad(signal, (0, max(0, self.min_samples - len(signal))))]
            parts += self.zero_mean_unit_var_norm(samples, None) if self.do_normalize else samples
        values: Signal = np.concatenate(parts).astype(np.float32, copy=False)
        return values

    def _scaled(self, signal: Signal, functionals: Functionals) -> Signal:
        if not self.scaling:
            msg = "The scaling of the functionals is missing: train the model, or call "
            raise ValueError(f"{msg}feature_extractor.fit(functionals of training utterances).")
        values = compute_functionals(signal) if functionals is None else functionals
        low, high, mean, spread = np.array(self.scaling).T
        scaled: Signal = ((np.clip(values, low, high) - mean) / spread).astype(np.float32)
        return scaled


def _several(signals: Any) -> list[Any]:
    """Signals one by one; a list of numbers is one signal."""
    if isinstance(signals, np.ndarray | torch.Tensor):
        return [signals] if signals.ndim == 1 else list(signals)
    return [signals] if len(signals) and np.ndim(signals[0]) == 0 else list(signals)


def _checked(signal: Any) -> Signal:
    found = np.asarray(signal, dtype=np.float32)
    if found.ndim != 1:
        msg = f"Bad signal of shape {found.shape}, expected mono (samples,): give the mean of the "
        raise ValueError(f"{msg}channels, or one of them.")
    if not np.isfinite(found).all():
        raise ValueError(f"NaN or infinite values in a signal of {len(found)} samples.")
    return found


def compute_functionals(signal: Signal) -> NDArray[np.float64]:
    """Functionals of a signal by openSMILE, see :func:`paraclap.features.functionals`."""
    try:
        features = importlib.import_module("paraclap.features")
    except ImportError as error:
        msg = "This model reads functionals: install the package paraclap, which computes them, or "
        raise ImportError(f"{msg}give them as functionals=.") from error
    values: NDArray[np.float64] = features.functionals(signal)
    return values


class ParaCLAPProcessor(ProcessorMixin):  # type: ignore[misc]  # transformers is untyped here
    """Feature extractor and tokenizer in one."""

    def __init__(self, feature_extractor: ParaCLAPFeatureExtractor, tokenizer: Any) -> None:
        """Join a feature extractor and a tokenizer."""
        tokenizer.model_input_names = ["input_ids", "attention_mask"]
        super().__init__(feature_extractor, tokenizer)

    def __call__(
        self,
        text: str | Sequence[str] | None = None,
        audio: Any = None,
        sampling_rate: int | None = None,
        functionals: Functionals = None,
        **options: Any,
    ) -> BatchFeature:
        """Prepare queries, signals or both for the model, as tensors.

        Args:
            text: Queries.
            audio: Signals, see :class:`ParaCLAPFeatureExtractor`.
            sampling_rate: Of the signals, in Hz.
            functionals: Of the signals, shape ``(audio, functionals)``.
            options: ``text_kwargs``, ``audio_kwargs`` and ``common_kwargs`` as in transformers;
                others, such as ``padding`` or ``max_length``, are for the text if there is one.

        Raises:
            ValueError: If neither text nor audio is given.
        """
        if text is None and audio is None:
            raise ValueError("Got neither text nor audio, expected at least one of them.")
        parts = ("text", "audio", "common", "images", "videos")  # transformers passes all of them
        given = {part: options.pop(f"{part}_kwargs", None) or {} for part in parts}
        tensors = {"return_tensors": options.pop("return_tensors", "pt")} | given["common"]
        batch = BatchFeature()
        if text is not None:
            padded = {"padding": True, "truncation": True}
            batch.update(self.tokenizer(text, **(padded | tensors | given["text"] | options)))
        if audio is not None:
            read = {"sampling_rate": sampling_rate, "functionals": functionals} | tensors
            read |= given["audio"] | (options if text is None else {})
            batch.update(self.feature_extractor(audio, **read))
        return batch


def saved_processor(folder: str, config: Any, **hub: Any) -> ParaCLAPProcessor | None:
    """The processor of a saved model; None if there is none, OSError if it cannot be read."""
    place = Path(folder, hub.get("subfolder") or "")
    if place.is_dir() and not [*place.glob("*processor_config.json"), *place.glob("tokenizer*")]:
        return None
    try:
        extractor = ParaCLAPFeatureExtractor.from_pretrained(folder, **hub)
        trust = {"config": config, "trust_remote_code": False}
        tokenizer = AutoTokenizer.from_pretrained(folder, **trust, **hub)
    except Exception as error:  # each of their files has its own kinds
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
        msg = f"Unreadable tokenizer or preprocessing in {folder!r} ({reason}), expected the files "
        raise OSError(f"{msg}that the model was saved with: copy the folder again.") from error
    return ParaCLAPProcessor(extractor, tokenizer)


ParaCLAPFeatureExtractor.register_for_auto_class()
ParaCLAPProcessor.register_for_auto_class()
