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
import numpy.typing as npt
import torch
from transformers import BatchFeature, ProcessorMixin, Wav2Vec2FeatureExtractor

Signal = npt.NDArray[np.float32]


class ParaCLAPFeatureExtractor(Wav2Vec2FeatureExtractor):  # type: ignore[misc]  # untyped
    """Pads signals to the longest and says where the padding is; crops nothing.

    A signal shorter than ``shortest`` samples, one frame of the audio tower, is extended with
    silence that counts as signal.
    """

    model_input_names = ["input_values", "audio_attention_mask"]  # noqa: RUF012  (theirs)

    def __init__(self, shortest: int = 400, **kwargs: Any) -> None:
        """Make an extractor; ``kwargs`` as in ``Wav2Vec2FeatureExtractor``."""
        super().__init__(**kwargs)
        self.shortest = shortest

    def __call__(
        self, signals: Signal | Sequence[Signal], sampling_rate: int | None = None, **kwargs: Any
    ) -> BatchFeature:
        """Prepare signals.

        Args:
            signals: One signal ``(samples,)`` or several of any lengths.
            sampling_rate: Their sampling rate in Hz, checked against the model's.
            kwargs: As in ``Wav2Vec2FeatureExtractor``, such as ``return_tensors="pt"``.

        Returns:
            ``input_values`` and ``audio_attention_mask``, both ``(batch, samples)``.
        """
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
            signals: Each ``(samples,)`` at the sampling rate of the model.

        Returns:
            Values ``(batch, samples)`` float32 and their mask of the same shape; None where all
            signals are of one length.
        """
        lengths = np.array([max(self.shortest, len(signal)) for signal in signals])
        values = np.zeros((len(signals), lengths.max()), np.float32)
        for row, length, signal in zip(values, lengths, signals, strict=True):
            row[: len(signal)] = signal
            if self.do_normalize:
                row[:length] = self.zero_mean_unit_var_norm([row[:length]], None)[0]
        if (lengths == lengths.max()).all():
            return torch.from_numpy(values), None
        mask = np.arange(values.shape[1]) < lengths[:, None]
        return torch.from_numpy(values), torch.from_numpy(mask.astype(np.int64))

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

    def __call__(
        self,
        text: str | Sequence[str] | None = None,
        audio: Signal | Sequence[Signal] | None = None,
        sampling_rate: int | None = None,
        return_tensors: str = "pt",
    ) -> BatchFeature:
        """Prepare queries, signals or both for the model.

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
                self.feature_extractor(audio, sampling_rate, return_tensors=return_tensors)
            )
        return batch


def saved_processor(folder: str) -> ParaCLAPProcessor | None:
    """The processor in a model folder; None if the model was saved without one."""
    saved = Path(folder)
    if saved.is_dir() and not [*saved.glob("*processor_config.json"), *saved.glob("tokenizer*")]:
        return None
    processor: ParaCLAPProcessor = ParaCLAPProcessor.from_pretrained(folder)
    return processor
