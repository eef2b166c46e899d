"""From signals and queries to what the towers read: feature extractor and tokenizer in one.

Conventions: the mask of the signals is called ``audio_attention_mask``, so that it never collides
with the ``attention_mask`` of the tokens; signals are mono float32 at ``sampling_rate`` Hz.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoTokenizer, BatchFeature, ProcessorMixin, Wav2Vec2FeatureExtractor

Signal = NDArray[np.float32]


class ParaCLAPFeatureExtractor(Wav2Vec2FeatureExtractor):  # type: ignore[misc]  # untyped
    """Pads signals to the longest and says where the padding is; crops nothing.

    A signal shorter than ``shortest`` samples, one frame of the audio tower, is extended with
    silence that counts as signal. For towers of :mod:`paraclap.measured` what openSMILE measures
    of a voice, standardised, stands in front of its samples, or in their place.
    """

    model_input_names = ["input_values", "audio_attention_mask"]  # noqa: RUF012  (theirs)

    def __init__(
        self,
        shortest: int = 400,
        functionals: int = 0,
        functionals_only: bool = False,
        bounds: Sequence[Sequence[float]] = (),
        **kwargs: Any,
    ) -> None:
        """Make an extractor.

        Args:
            shortest: Samples that a signal has at least.
            functionals: How many of them stand in front of the samples; 0 for none.
            functionals_only: Whether nothing else is read of a voice.
            bounds: Of each functional low end, high end, mean and spread, see :meth:`fit`.
            kwargs: As in ``Wav2Vec2FeatureExtractor``.
        """
        kwargs.pop("auto_map", None)  # of the folder it was read from, see paraclap.carrying
        super().__init__(**kwargs)
        self.shortest = shortest
        self.functionals, self.functionals_only = functionals, functionals_only
        self.bounds = [[float(value) for value in row] for row in bounds]

    def fit(self, measured: NDArray[np.float64]) -> None:
        """Standardise functionals by those of training voices; ends are cut at half a percent.

        Args:
            measured: Shape ``(voices, functionals)``.
        """
        low, high = np.quantile(measured, (0.005, 0.995), axis=0)
        cut = measured.clip(low, high)
        spread = cut.std(axis=0)
        values = np.column_stack([low, high, cut.mean(axis=0), np.where(spread > 0, spread, 1)])
        self.bounds = values.tolist()

    def heard(self, signal: Signal, measured: NDArray[np.float64] | None = None) -> Signal:
        """What a tower reads of a voice: its signal, and its functionals if it asks for them.

        Args:
            signal: Shape ``(samples,)``.
            measured: Its functionals as :func:`paraclap.features.measure` gives them, shape
                ``(functionals,)``; None: they are measured here, by openSMILE.

        Returns:
            Shape ``(samples,)``, ``(functionals + samples,)``, or ``(functionals,)``.

        Raises:
            AudioError: If functionals are wanted of a signal that is too short or silent.
            ValueError: If the extractor has not been fitted.
        """
        if not self.functionals:
            return signal
        if not self.bounds:
            raise ValueError(
                "This model has never been trained: expected the spread of its functionals in "
                "training. Train it, or call extractor.fit(functionals of training voices)."
            )
        if measured is None:
            from paraclap import features  # here: openSMILE is needed for such towers alone

            measured = features.measure(signal)
        low, high, mean, spread = np.array(self.bounds).T
        standard = ((np.clip(measured, low, high) - mean) / spread).astype(np.float32)
        samples = signal[: 0 if self.functionals_only else None]
        return np.concatenate([standard, samples.astype(np.float32)])

    def __call__(
        self,
        signals: Signal | Sequence[Signal],
        sampling_rate: int | None = None,
        measured: NDArray[np.float64] | None = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare signals.

        Args:
            signals: One signal ``(samples,)`` or several of any lengths.
            sampling_rate: Their sampling rate in Hz, checked against the model's.
            measured: Their functionals, shape ``(batch, functionals)``, see :meth:`heard`.
            kwargs: As in ``Wav2Vec2FeatureExtractor``, such as ``return_tensors="pt"``.

        Returns:
            ``input_values`` and ``audio_attention_mask``, both ``(batch, samples)``.
        """
        if self.functionals:
            return self._measured(_several(signals), sampling_rate, measured)
        kwargs |= {"padding": True, "return_attention_mask": True}
        signals = [self._extend(signal) for signal in _several(signals)]
        names, self.model_input_names = self.model_input_names, ["input_values", "attention_mask"]
        try:
            batch = super().__call__(
                signals, sampling_rate=sampling_rate or self.sampling_rate, **kwargs
            )
        finally:
            self.model_input_names = names
        batch["audio_attention_mask"] = batch.pop("attention_mask")
        return batch

    def pack(self, signals: Sequence[Signal]) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The same as a call, without a mask where there is no padding, and several times faster.

        Args:
            signals: Each ``(samples,)`` at the sampling rate of the model, as :meth:`heard` gives
                them.

        Returns:
            Values ``(batch, samples)`` float32 and their mask of the same shape; None where all
            signals are of one length.
        """
        lengths = np.array([max(self.shortest, len(signal)) for signal in signals])
        values = np.zeros((len(signals), lengths.max()), np.float32)
        for row, length, signal in zip(values, lengths, signals, strict=True):
            row[: len(signal)] = signal
            if self.do_normalize:
                samples = row[self.functionals : length]
                samples[:] = self.zero_mean_unit_var_norm([samples], None)[0]
        if (lengths == lengths.max()).all():
            return torch.from_numpy(values), None
        mask = np.arange(values.shape[1]) < lengths[:, None]
        return torch.from_numpy(values), torch.from_numpy(mask.astype(np.int64))

    def _measured(
        self,
        signals: Sequence[Signal],
        sampling_rate: int | None,
        measured: NDArray[np.float64] | None,
    ) -> BatchFeature:
        """Signals with their functionals, packed."""
        if sampling_rate not in (None, self.sampling_rate):
            raise ValueError(
                f"Bad sampling_rate {sampling_rate}, expected {self.sampling_rate} Hz: resample."
            )
        known = [None] * len(signals) if measured is None else list(measured)
        heard = [self.heard(*one) for one in zip(signals, known, strict=True)]
        values, mask = self.pack(heard)
        whole = torch.ones(values.shape, dtype=torch.int64)
        mask = whole if mask is None else mask
        return BatchFeature({"input_values": values, "audio_attention_mask": mask})

    def _extend(self, signal: Signal) -> Signal:
        return np.pad(signal, (0, max(0, self.shortest - len(signal))))


def _several(signals: Signal | Sequence[Signal]) -> list[Signal]:
    one = isinstance(signals, np.ndarray) and signals.ndim == 1
    return [np.asarray(signals)] if one else list(signals)


class ParaCLAPProcessor(ProcessorMixin):  # type: ignore[misc]  # transformers is untyped here
    """Feature extractor and tokenizer under one roof."""

    def __init__(self, feature_extractor: ParaCLAPFeatureExtractor, tokenizer: Any) -> None:
        """Join a feature extractor and a tokenizer."""
        tokenizer.model_input_names = ["input_ids", "attention_mask"]
        super().__init__(feature_extractor, tokenizer)

    @property
    def measures(self) -> bool:
        """Whether voices are measured by openSMILE before the audio tower reads them."""
        return bool(self.feature_extractor.functionals)

    @property
    def measures_only(self) -> bool:
        """Whether the audio tower reads nothing but what openSMILE measured."""
        return bool(self.feature_extractor.functionals_only)

    def __call__(
        self,
        text: str | Sequence[str] | None = None,
        audio: Signal | Sequence[Signal] | None = None,
        sampling_rate: int | None = None,
        return_tensors: str = "pt",
        measured: NDArray[np.float64] | None = None,
    ) -> BatchFeature:
        """Prepare queries, signals or both for the model.

        Args:
            text: Queries.
            audio: Signals.
            sampling_rate: Of the signals, in Hz.
            return_tensors: As in transformers.
            measured: What is known of the functionals of the signals, ``(audio, functionals)``.

        Raises:
            ValueError: If neither is given.
        """
        if text is None and audio is None:
            raise ValueError("Got neither text nor audio, expected at least one of them.")
        batch = BatchFeature()
        if text is not None:
            batch.update(
                self.tokenizer(text, padding=True, truncation=True, return_tensors=return_tensors)
            )
        if audio is not None:
            batch.update(
                self.feature_extractor(
                    audio, sampling_rate, measured=measured, return_tensors=return_tensors
                )
            )
        return batch


def saved_processor(folder: str, config: Any = None) -> ParaCLAPProcessor | None:
    """The processor in a model folder; None if the model was saved without one.

    Args:
        folder: Of a model, or its hub id.
        config: Its configuration if it is known, which is read again otherwise.
    """
    saved = Path(folder)
    if saved.is_dir() and not [*saved.glob("*processor_config.json"), *saved.glob("tokenizer*")]:
        return None
    try:
        extractor = ParaCLAPFeatureExtractor.from_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder, config=config, trust_remote_code=False)
        return ParaCLAPProcessor(extractor, tokenizer)
    except Exception as error:  # each of their files has its own kinds
        raise OSError(
            f"Unreadable tokenizer or preprocessing in {folder!r} ({type(error).__name__}: "
            f"{' '.join(str(error).split())[:160]}), expected the files that the model was saved "
            "with: copy the folder again."
        ) from error
