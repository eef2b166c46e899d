"""The configuration of a ParaCLAP model: two encoders and the heads that join them. Chapter 4."""

import math
from typing import Any

from transformers import AutoConfig, PreTrainedConfig

from .functionals import MODEL_TYPE as READS_FUNCTIONALS

CHOICES = {"text_pooling": ("cls", "mean"), "projection": ("released", "paper")}
READS = {
    "audio": "waveforms, such as wav2vec2, hubert, wavlm or data2vec-audio",
    "text": "tokens and has no decoder, such as bert, roberta or distilbert",
}


class ParaCLAPConfig(PreTrainedConfig):  # type: ignore[misc]  # transformers is untyped here
    """Configuration of :class:`ParaCLAP`; ValueError if an encoder is of another kind."""

    model_type = "paraclap"
    sub_configs = {"audio_config": AutoConfig, "text_config": AutoConfig}  # noqa: RUF012  (theirs)

    audio_config: Any = None  # of the audio encoder, an object or its dictionary
    text_config: Any = None  # of the text encoder, likewise
    projection_dim: int = 768  # size of the shared space
    projection_dropout: float = 0.5  # probability inside both projection heads
    projection: str = "released"  # both heads as in the authors' code, or as the "paper" says
    text_pooling: str = "cls"  # the first token, as in the paper; or "mean" over the tokens
    logit_scale_init: float = math.log(1 / 0.07)  # logarithm of the temperature at the start
    logit_bias_init: float | None = None  # of the sigmoid objective; None: no bias

    def __post_init__(self, **kwargs: Any) -> None:
        """Check the values and turn dictionaries into configuration objects."""
        for name, choices in CHOICES.items():
            if (value := getattr(self, name)) not in choices:
                raise ValueError(f"Bad {name} {value!r}, expected one of {choices}.")
        for kind, default in (("audio", "wav2vec2"), ("text", "bert")):
            config = getattr(self, f"{kind}_config")
            if not isinstance(config, PreTrainedConfig):
                config = AutoConfig.for_model(**{"model_type": default, **(config or {})})
            setattr(self, f"{kind}_config", check_encoder(config, kind))
        super().__post_init__(**kwargs)


def check_encoder(config: PreTrainedConfig, kind: str) -> PreTrainedConfig:
    """The same configuration; ValueError if it is of no ``"audio"`` or ``"text"`` encoder."""
    inner = config.encoder if config.model_type == READS_FUNCTIONALS else config
    audio = inner is None or hasattr(inner, "conv_stride")
    text = hasattr(config, "vocab_size") and hasattr(config, "hidden_size") and not audio
    if not (audio if kind == "audio" else text) or getattr(config, "is_encoder_decoder", False):
        msg = f"Bad {kind} encoder {config.model_type!r}, expected one that reads {READS[kind]}."
        raise ValueError(msg)
    return config
