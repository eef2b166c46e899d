"""Signals and queries as the encoders read them: feature extractor and tokenizer in one.

Signals are mono float32 at ``sampling_rate`` Hz; their mask is ``audio_attention_mask``, as the
``attention_mask`` is that of the tokens. Chapter 4.
"""

import importlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import AutoTokenizer, BatchFeature, ProcessorMixin, Wav2Vec2FeatureExtractor
from transformers.processing_utils import AudioKwargs, TextKwargs
from transformers.utils import cached_file

Signal = NDArray[np.float32]
LOUDEST = 8.0  # a peak beyond it is that of integers, not of samples from -1 to 1
PARTS = {"text_kwargs", "audio_kwargs", "common_kwargs", "images_kwargs", "videos_kwargs"}
FILES = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")


class ParaCLAPFeatureExtractor(Wav2Vec2FeatureExtractor):  # type: ignore[misc]  # untyped
    """Pads signals to the longest and marks the padding; crops nothing.

    Silence extends a signal to ``min_samples``, one frame of the encoder, and counts as signal. For
    encoders of :mod:`.functionals`, so many standardised ``functionals`` stand before the samples,
    or in their place (``functionals_only``).
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
        """Make an extractor; ``scaling`` as :meth:`fit` finds it, ``kwargs`` as in transformers."""
        super().__init__(**kwargs)
        self.min_samples = min_samples
        self.functionals, self.functionals_only = functionals, functionals_only
        self.scaling = [list(row) for row in scaling]

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
        functionals: Any = None,
        **options: Any,
    ) -> BatchFeature:
        """Prepare signals: ``input_values`` and ``audio_attention_mask (batch, samples)``.

        Args:
            raw_speech: One signal ``(samples,)`` or several of any lengths: arrays, tensors, lists.
            sampling_rate: Their sampling rate in Hz, checked against the model's.
            functionals: Shape ``(batch, functionals)``; None: openSMILE computes those needed.
            options: As in transformers.

        ValueError if a signal has another rate, several channels, or values not finite.
        """
        if sampling_rate not in (None, self.sampling_rate):
            msg = f"Bad sampling_rate {sampling_rate}, expected {self.sampling_rate} Hz: resample."
            raise ValueError(msg)
        several = len(raw_speech) and np.ndim(raw_speech[0])  # a list of numbers is one signal
        signals = [_checked(one) for one in (raw_speech if several else [raw_speech])]
        values = [self._samples(signal) for signal in signals]
        if self.functionals:
            scaled = self._scaled(signals, functionals)
            values = [np.concatenate(one) for one in zip(scaled, values, strict=True)]
        options = {"padding": True, "return_attention_mask": True} | options
        batch = self.pad(BatchFeature({"input_values": values}), **options)
        if "attention_mask" in batch:
            batch["audio_attention_mask"] = batch.pop("attention_mask")
        return batch

    def _samples(self, signal: Signal) -> Signal:
        if self.functionals_only:
            return signal[:0]
        samples = np.pad(signal, (0, max(0, self.min_samples - len(signal))))
        return self.zero_mean_unit_var_norm([samples], None)[0] if self.do_normalize else samples

    def _scaled(self, signals: Sequence[Signal], functionals: Any) -> Signal:
        if functionals is None:  # by name: a folder of a model carries this file, not that module
            compute = importlib.import_module("paraclap.features").functionals
            with ThreadPoolExecutor() as threads:
                functionals = list(threads.map(compute, signals))
        if not self.scaling:
            hint = "train the model, or call feature_extractor.fit(functionals of training)"
            raise ValueError(f"No scaling of the functionals: {hint}.")
        low, high, mean, spread = np.array(self.scaling).T
        return np.asarray((np.atleast_2d(functionals).clip(low, high) - mean) / spread, np.float32)


def _checked(signal: Any) -> Signal:
    found = np.asarray(signal, dtype=np.float32)
    peak = np.abs(found).max(initial=0)  # NaN if one value is
    if found.ndim != 1 or not peak <= LOUDEST:
        got = f"shape {found.shape}, peak {peak:g}, {(~np.isfinite(found)).sum()} values not finite"
        wanted = f"one channel (samples,) and values from -1 to 1 (at most {LOUDEST:g})"
        raise ValueError(f"Bad signal: {got}, expected {wanted}: mix it down or divide it.")
    return found


class ParaCLAPProcessor(ProcessorMixin):  # type: ignore[misc]  # transformers is untyped here
    """Feature extractor and tokenizer in one."""

    def __init__(self, feature_extractor: ParaCLAPFeatureExtractor, tokenizer: Any) -> None:
        """Join a feature extractor and a tokenizer."""
        tokenizer.model_input_names = ["input_ids", "attention_mask"]  # and so in the saved one
        tokenizer.init_kwargs["model_input_names"] = tokenizer.model_input_names
        tokenizer.padding_side = "right"  # where the model takes it to be
        self.auto_map = {"AutoProcessor": "processing.ParaCLAPProcessor"}  # as saving sets it
        super().__init__(feature_extractor, tokenizer)

    def __call__(
        self,
        text: str | Sequence[str] | None = None,
        audio: Any = None,
        *,
        functionals: Any = None,
        **options: Any,
    ) -> BatchFeature:
        """Prepare queries, signals or both for the model, as tensors.

        Options are as in transformers (``sampling_rate`` of the signals, ``padding``, …); those
        outside ``text_kwargs``, ``audio_kwargs`` and ``common_kwargs`` are for the text if there
        is one. ValueError without text and audio or for an option that comes twice, TypeError
        for an unknown one.
        """
        if text is None and audio is None:
            raise ValueError("Got neither text nor audio, expected at least one of them.")
        given = {part: dict(options.pop(part, None) or {}) for part in PARTS}
        tensors = {"return_tensors": options.pop("return_tensors", "pt")} | given["common_kwargs"]
        rate = {key: options.pop(key) for key in ("sampling_rate",) if key in options}
        batch, made = BatchFeature(), self.tokenizer.init_kwargs
        if text is not None:
            usual = {"padding": True, "truncation": True}
            usual |= {key: made[key] for key in ("padding", "max_length") if key in made} | tensors
            chosen = _chosen(given["text_kwargs"], options, TextKwargs)
            batch.update(self.tokenizer(text, **usual | chosen))
        if audio is not None:
            rate |= options if text is None else {}
            chosen = tensors | _chosen(given["audio_kwargs"], rate, AudioKwargs)
            batch.update(self.feature_extractor(audio, functionals=functionals, **chosen))
        return batch


def _chosen(part: dict[str, Any], flat: dict[str, Any], known: Any) -> dict[str, Any]:
    if twice := part.keys() & flat.keys():
        raise ValueError(f"Got {sorted(twice)} twice, in a dictionary and by itself: give it once.")
    if unknown := (part | flat).keys() - known.__annotations__.keys():
        raise TypeError(f"Unknown options {sorted(unknown)} of a processor: see transformers.")
    return part | flat


def saved_processor(folder: str, config: Any, **hub: Any) -> ParaCLAPProcessor | None:
    """The processor of a saved model; None if there is none, OSError if it cannot be read."""
    hub["subfolder"] = hub.get("subfolder") or ""
    there = {"_raise_exceptions_for_missing_entries": False}
    if not any(cached_file(folder, file, **there, **hub) for file in FILES):
        return None
    try:
        extractor = ParaCLAPFeatureExtractor.from_pretrained(folder, **hub)
        trust = {"config": config, "trust_remote_code": False}
        tokenizer = AutoTokenizer.from_pretrained(folder, **trust, **hub)
    except Exception as error:  # each of their files has its own kinds
        msg = f"Unreadable tokenizer or preprocessing in {folder!r} ({error}): copy it again."
        raise OSError(msg) from error
    return ParaCLAPProcessor(extractor, tokenizer)


ParaCLAPFeatureExtractor.register_for_auto_class()
ParaCLAPProcessor.register_for_auto_class()
