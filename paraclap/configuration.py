"""The configuration of a ParaCLAP model: two encoders and what joins them."""

from __future__ import annotations

import math
from typing import Any

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
from transformers import AutoConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

POOLINGS = ("cls", "mean")


class ParaCLAPConfig(PreTrainedConfig):  # type: ignore[misc]  # transformers is untyped here
    """Configuration of :class:`ParaCLAP`.

    Args:
        audio_config: Configuration of the audio encoder, an object or its dictionary.
        text_config: Configuration of the text encoder, an object or its dictionary.
        projection_dim: Size of the shared space.
        projection_dropout: Dropout probability inside both projection heads.
        text_pooling: ``"cls"`` (first token, as in the paper) or ``"mean"`` over the tokens.
        logit_scale_init: Natural logarithm of the temperature at the start.
    """

    model_type = "paraclap"
    sub_configs_defaults = {  # noqa: RUF012  (declared so by transformers)
        "audio_config": SubConfigSpec(config_class=AutoConfig, model_type="wav2vec2"),
        "text_config": SubConfigSpec(config_class=AutoConfig, model_type="bert"),
    }

    audio_config: Any = None
    text_config: Any = None
    projection_dim: int = 768
    projection_dropout: float = 0.5
    text_pooling: str = "cls"
    logit_scale_init: float = math.log(1 / 0.07)

    def __post_init__(self, **kwargs: Any) -> None:
        """Check the values and turn dictionaries into configuration objects."""
        if self.text_pooling not in POOLINGS:
            raise ValueError(f"Bad text_pooling {self.text_pooling!r}, expected one of {POOLINGS}.")
        super().__post_init__(**kwargs)


def read_config(folder: str) -> ParaCLAPConfig:
    """Read the config.json of a model folder.

    Raises:
        OSError: If there is none.
        ValueError: If it is that of another architecture.
    """
    try:
        values, _ = PreTrainedConfig.get_config_dict(folder)
    except OSError as error:
        raise OSError(
            f"No model at {folder!r}, expected a folder with a config.json, or a hub id that can "
            "be reached: give the folder model/ of a finished run."
        ) from error
    if values.get("model_type") != ParaCLAPConfig.model_type:
        raise ValueError(
            f"Bad model_type {values.get('model_type')!r} in the config.json of {folder!r}, "
            f"expected {ParaCLAPConfig.model_type!r}: give the folder of a saved ParaCLAP model."
        )
    config: ParaCLAPConfig = ParaCLAPConfig.from_dict(values)
    return config
