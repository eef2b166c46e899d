"""Encoders that others have trained: configuration, weights, tokenizer, from a folder or the hub.

A checkpoint brings every weight of its encoder or is refused by name; what may lie in it beside
the encoder, the head of the task it was trained for (such as the regression head of audEERING's
emotion encoder), is left out. transformers itself would fill what lacks with random numbers.

Conventions: a name is a folder or a hub id; weights are float32, whatever they were stored in.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
import torch
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModel,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from paraclap.foreign import refuse_requests, refuse_shards

# Said, as transformers would ask on the terminal whether to run code that lies beside weights.
NO_CODE: dict[str, Any] = {"trust_remote_code": False}
# Heads of other tasks, whose weights may lie beside an encoder and are left out: classification
# and regression, speech recognition, pretraining on waveforms; masked and replaced words of text.
HEADS = (
    *("classifier.", "projector.", "layer_weights", "lm_head.", "ctc_proj."),
    *("quantizer.", "project_hid.", "project_q.", "final_proj."),
    *("cls.", "pre_classifier.", "qa_outputs.", "head.", "decoder.", "predictions."),
    *("lm_predictions.", "mask_predictions.", "discriminator_predictions."),
    *("vocab_transform.", "vocab_layer_norm.", "vocab_projector."),
)
# What no embedding comes from: what stands for masked frames in training, and the pooler behind a
# text encoder, whose tokens are pooled by our model. They may be too many or lack; in the second
# case they stay random.
UNHEARD = ("masked_spec_embed", "pooler.")


def config(name: str | Path, **changes: Any) -> PreTrainedConfig:
    """Configuration of an encoder.

    Args:
        name: A folder with a ``config.json``, such a file itself, or a hub id.
        changes: Values that replace those of the file.

    Raises:
        OSError: If there is none that transformers can read.
        ValueError: If it asks for code, see :mod:`paraclap.foreign`.
    """
    try:
        with _quiet():
            values, _ = PreTrainedConfig.get_config_dict(name)
    except Exception as error:
        raise OSError(_no_config(name, error)) from error
    refuse_requests(values, named(name))
    try:
        with _quiet():
            return AutoConfig.from_pretrained(name, **NO_CODE, **changes)
    except Exception as error:
        raise OSError(_no_config(name, error)) from error


def _no_config(name: str | Path, error: Exception) -> str:
    return (
        f"No configuration of an encoder at {named(name)!r} ({_reason(name, error)}), expected "
        "a folder with a config.json, such a file, or a hub id that can be reached: without a "
        "network, download the files of the encoder elsewhere and give their folder."
    )


def encoder(name: str | Path, config: PreTrainedConfig) -> PreTrainedModel:
    """An encoder with every weight from its checkpoint, without the head trained on top.

    Args:
        name: A folder or hub id with weights, safetensors or ``pytorch_model.bin``.
        config: Its configuration.

    Raises:
        OSError: If there are no weights or they cannot be read.
        ValueError: If they are not those of the configuration.
    """
    refuse_shards(name)
    try:
        with _quiet():  # all that would be reported is checked below
            model, info = AutoModel.from_pretrained(
                name,
                config=config,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                **NO_CODE,
            )
    except Exception as error:
        raise OSError(
            f"No weights that can be read at {named(name)!r} ({_reason(name, error)}), expected "
            "model.safetensors or pytorch_model.bin, whole, of the encoder in its config.json: "
            "download them again."
        ) from error
    shapes = [f"{key} {tuple(a)} for {tuple(b)}" for key, a, b in info["mismatched_keys"]]
    _refuse(name, "missing", _without(info["missing_keys"], UNHEARD))
    _refuse(name, "unexpected", _without(info["unexpected_keys"], HEADS + UNHEARD))
    _refuse(name, "misshapen", shapes)
    in_memory(model)
    return model


def in_memory(model: PreTrainedModel) -> None:
    """Copy the weights of a model out of the file that they are mapped from, and look at them.

    In the file they lie wherever its header ends, and matrix products of unaligned weights differ
    in the last bits; nor may what is written to the file later reach the model.

    Raises:
        ValueError: If weights are NaN or infinite.
    """
    wrong = []
    for key, weight in model.named_parameters():
        weight.data = weight.data.clone()
        wrong += [] if weight.data.isfinite().all() else [key]
    if wrong:
        raise ValueError(
            f"NaN or infinite values in {len(wrong)} weights at {named(model.name_or_path)!r} "
            f"(first: {sorted(wrong)[:5]}), expected finite ones: the file is damaged or comes "
            "from a failed run; copy it again or train the model anew."
        )


def _without(keys: Iterable[str], prefixes: tuple[str, ...]) -> list[str]:
    return [key for key in keys if not key.startswith(prefixes)]


def _refuse(name: str | Path, what: str, keys: list[str]) -> None:
    if keys:
        raise ValueError(
            f"{len(keys)} {what} weights in the encoder at {named(name)!r} (first: "
            f"{sorted(keys)[:5]}), expected those of its config.json: "
            "weights and configuration are of different models."
        )


def preprocessing(name: str | Path) -> Any:
    """Feature extractor that an audio encoder was trained with.

    Raises:
        OSError: If there is none. It is not guessed: nothing else says whether the encoder hears
            normalised signals.
    """
    try:
        return AutoFeatureExtractor.from_pretrained(name, **NO_CODE)
    except Exception as error:
        raise OSError(
            f"No feature extractor at {named(name)!r} ({_reason(name, error)}), expected the "
            "preprocessor_config.json of the audio encoder, which says whether signals are "
            "normalised: copy it from where the weights come from."
        ) from error


def tokenizer(name: str | Path) -> PreTrainedTokenizerBase:
    """Tokenizer of a text encoder.

    Raises:
        OSError: If there is none.
    """
    try:
        with _quiet():
            found = AutoTokenizer.from_pretrained(name, **NO_CODE)
    except Exception as error:
        raise OSError(_no_tokenizer(name, _reason(name, error))) from error
    # of a folder with nothing but a config.json transformers makes one of special tokens alone
    if len(found) <= len(found.all_special_ids):
        raise OSError(_no_tokenizer(name, "it knows no words"))
    return found


def _no_tokenizer(name: str | Path, reason: str) -> str:
    return (
        f"No tokenizer at {named(name)!r} ({reason}), expected that of the text encoder: give "
        "the folder that has its tokenizer.json or vocab.txt, or a hub id that can be reached."
    )


def named(name: str | Path) -> str:
    """A hub id as it is, a path by its last two parts."""
    return "/".join(Path(name).parts[-2:])


def _reason(name: str | Path, error: Exception) -> str:
    said = " ".join(str(error).replace(str(name), named(name)).split())
    return f"{type(error).__name__}: {said[:160]}"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from warning."""
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)
