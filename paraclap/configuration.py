"""The configuration of a ParaCLAP model: two encoders and what joins them."""

from __future__ import annotations

import math
from typing import Any

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
from transformers import AutoConfig, PreTrainedConfig

from paraclap import measured  # noqa: F401  (so that transformers knows its towers)
from paraclap.foreign import refuse_requests

POOLINGS = ("cls", "mean")
ENCODERS = {"audio_config": "wav2vec2", "text_config": "bert"}  # where a dictionary does not say


class ParaCLAPConfig(PreTrainedConfig):  # type: ignore[misc]  # transformers is untyped here
    """Configuration of :class:`ParaCLAP`.

    Args:
        audio_config: Configuration of the audio encoder, an object or its dictionary.
        text_config: Configuration of the text encoder, an object or its dictionary.
        projection_dim: Size of the shared space.
        projection_dropout: Dropout probability inside both projection heads.
        text_pooling: ``"cls"`` (first token, as in the paper) or ``"mean"`` over the tokens.
        logit_scale_init: Natural logarithm of the temperature at the start.
        logit_bias_init: What is added to all logits at the start; None: the model has no bias.
            Only training with the sigmoid objective uses it: it changes no answer.
    """

    model_type = "paraclap"
    # How transformers finds them; what builds them differs between its releases, so that is below.
    sub_configs = {"audio_config": AutoConfig, "text_config": AutoConfig}  # noqa: RUF012  (theirs)

    audio_config: Any = None
    text_config: Any = None
    projection_dim: int = 768
    projection_dropout: float = 0.5
    text_pooling: str = "cls"
    logit_scale_init: float = math.log(1 / 0.07)
    logit_bias_init: float | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        """Check the values and turn dictionaries into configuration objects."""
        if self.text_pooling not in POOLINGS:
            raise ValueError(f"Bad text_pooling {self.text_pooling!r}, expected one of {POOLINGS}.")
        for name, model_type in ENCODERS.items():
            values = getattr(self, name)
            if not isinstance(values, PreTrainedConfig):
                values = {"model_type": model_type} | (values or {})
                setattr(self, name, AutoConfig.for_model(**values))
        super().__post_init__(**kwargs)

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Make a configuration from the values of a ``config.json``.

        Raises:
            ValueError: If they ask for code, see :mod:`paraclap.foreign`.
        """
        refuse_requests(config_dict, str(config_dict.get("_name_or_path") or cls.model_type))
        return super().from_dict(config_dict, **kwargs)


def read_config(folder: str) -> ParaCLAPConfig:
    """Read the config.json of a model folder.

    Raises:
        OSError: If there is none.
        ValueError: If it is that of another architecture or asks for code.
    """
    try:
        values, _ = PreTrainedConfig.get_config_dict(folder)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise OSError(
            f"No model at {folder!r}, expected a folder with a config.json, or a hub id that can "
            "be reached: give the folder model/ of a finished run."
        ) from error
    if values.get("model_type") != ParaCLAPConfig.model_type:
        raise ValueError(
            f"Bad model_type {values.get('model_type')!r} in the config.json of {folder!r}, "
            f"expected {ParaCLAPConfig.model_type!r}: give the folder of a saved ParaCLAP model."
        )
    refuse_requests(values, folder)
    try:
        config: ParaCLAPConfig = ParaCLAPConfig.from_dict(values)
    except Exception as error:  # each configuration checks its values in its own way
        raise ValueError(
            f"Bad config.json in {folder!r} ({' '.join(str(error).split())[:200]}), expected the "
            "values that a saved model has there: copy the folder again."
        ) from error
    return config
