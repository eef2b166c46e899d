"""Checkpoints of others, read as data: the model that the authors of ParaCLAP published.

Their file, ``best.pth.tar`` at the hub id ``KeiKinn/paraclap``, is a bare state dict (and no tar
archive): a wav2vec2 (``audio_branch.base.``), a BERT (``text_branch.base.``), two projection heads
and ``logit_scale``. The sizes of the encoders do not stand in it and come from configurations.

Conventions: code in a file is refused, never run; mono signals at 16 kHz, not normalised, no crops,
as in the authors' evaluation. Chapter 7. Source: ParaCLAP (Jing et al., 2024) and the authors'
repository ``KeiKinn/ParaCLAP``.
"""

from __future__ import annotations

import copy
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import huggingface_hub
import torch
from transformers import PreTrainedConfig

from paraclap.audio import SAMPLING_RATE
from paraclap.model.configuration import ParaCLAPConfig
from paraclap.model.encoders import frame_samples, read_config, read_tokenizer
from paraclap.model.modeling import ParaCLAP
from paraclap.model.processing import ParaCLAPFeatureExtractor, ParaCLAPProcessor
from paraclap.tables import short_name

FILE = "best.pth.tar"
AUDIO_ENCODER = "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"
TEXT_ENCODER = "bert-base-uncased"
HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*(?<!\.tar)(?<!\.pth)(?<!\.pt)")
# Their names and ours; then weight norm before and after torch 2.0.
NAMES = {
    r"^audio_branch\.base\.": "audio_model.",
    r"^text_branch\.base\.": "text_model.",
    r"\.weight_g$": ".parametrizations.weight.original0",
    r"\.weight_v$": ".parametrizations.weight.original1",
}
WIDTH = "audio_projection.linear1.weight"
WRAPPERS = ("state_dict", "model")  # keys under which training code keeps a state dict

Weights = dict[str, torch.Tensor]
Encoder = Any  # a configuration, its JSON file, the folder of its config.json, or a hub id


def load_released(
    checkpoint: str | Path,
    audio_config: Encoder | None = None,
    text_config: Encoder | None = None,
    tokenizer: Any = None,
) -> ParaCLAP:
    """Read the published checkpoint.

    Args:
        checkpoint: A state dict such as ``best.pth.tar``, its folder, or a hub id.
        audio_config: Configuration of the audio encoder: an object, its JSON file, the folder of
            its ``config.json``, or a hub id; None: the one of the paper.
        text_config: Likewise for the text encoder.
        tokenizer: An object, a folder or a hub id; None: the one beside ``text_config``. If there
            is none, as with an object or a JSON file, the model has no processor.

    Returns:
        The model in evaluation mode, weights float32.

    Raises:
        OSError: If something is not there or cannot be read.
        ValueError: If the checkpoint is no state dict or not that of such a model.
    """
    path = _find(checkpoint)
    weights = _rename(read_weights(path))
    if getattr(weights.get(WIDTH), "ndim", 0) != 2:
        msg = f"Bad checkpoint {path.name}: got {sorted(weights)[:5]}, expected a matrix {WIDTH!r} "
        raise ValueError(f"{msg}among its weights: it is not one of a ParaCLAP model.")
    text = TEXT_ENCODER if text_config is None else text_config
    config = ParaCLAPConfig(
        audio_config=_configuration(AUDIO_ENCODER if audio_config is None else audio_config),
        text_config=_configuration(text),
        projection_dim=len(weights[WIDTH]),
    )
    model: ParaCLAP = ParaCLAP(config).eval()
    _fill(model, weights, path.name)
    tokenizer = _tokenizer_beside(text) if tokenizer is None else tokenizer
    if tokenizer is not None:
        model.processor = processor(model, tokenizer)
    return model


def processor(model: ParaCLAP, tokenizer: Any) -> ParaCLAPProcessor:
    """What the published model reads: signals as they are, tokens of its text encoder.

    ``tokenizer`` is an object, a folder or a hub id; ValueError if it has too many tokens.
    """
    if isinstance(tokenizer, str | Path):
        tokenizer = read_tokenizer(tokenizer)
    if len(tokenizer) > (most := model.config.text_config.vocab_size):
        raise ValueError(
            f"Bad tokenizer with {len(tokenizer)} tokens, expected at most the {most} of the text "
            "encoder: give the tokenizer that the encoder was trained with."
        )
    extractor = ParaCLAPFeatureExtractor(
        frame_samples(model.config.audio_config), do_normalize=False, sampling_rate=SAMPLING_RATE
    )
    return ParaCLAPProcessor(extractor, tokenizer)


def read_weights(path: Path) -> Weights:
    """Read a state dict, bare or under ``state_dict`` or ``model``, without running code in it.

    Raises:
        OSError: If the file is damaged or holds more than data.
        ValueError: If it is no mapping of names to finite tensors.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of pickles, whose code is refused
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # zip, pickle, end of file: each has its own kinds
        raise OSError(
            f"Refused checkpoint {path.name} ({path.stat().st_size} bytes): it is cut short or "
            "damaged, or holds other things than tensors and plain values, which could run code. "
            "Nothing in it was run: download it again, or save the state dict alone where you "
            "trust the file."
        ) from error
    for key in WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    return _checked(found, path.name)


def _checked(found: Any, file: str) -> Weights:
    state = dict(found) if isinstance(found, Mapping) else {}
    tensors = {key for key, value in state.items() if isinstance(value, torch.Tensor)}
    odd = sorted(str(key) for key in state if key not in tensors or not state[key].isfinite().all())
    if odd or not state:
        got = (
            f"no finite tensor in {len(odd)} entries (first: {odd[:5]})"
            if odd
            else type(found).__name__
        )
        msg = f"Bad checkpoint {file}: got {got}, expected a state dict, names and finite tensors: "
        raise ValueError(f"{msg}save model.state_dict() alone, or download it again.")
    return state


def _find(checkpoint: str | Path) -> Path:
    """File of a checkpoint: itself, the one in its folder, or the one fetched from the hub."""
    path, name = Path(checkpoint), str(checkpoint)
    path = path / FILE if path.is_dir() else path
    if not path.exists() and HUB_ID.fullmatch(name):
        try:
            return Path(huggingface_hub.hf_hub_download(name, FILE))
        except Exception as error:  # connection, repository and file: each has its own kinds
            raise OSError(
                f"No checkpoint at {name!r}: there is no such file or folder here, and {FILE} "
                f"could not be fetched from the hub ({type(error).__name__}): download "
                f"https://huggingface.co/{name}/resolve/main/{FILE} elsewhere and give its path."
            ) from error
    if not path.is_file():
        raise FileNotFoundError(
            f"No checkpoint at {short_name(path)!r}, expected a state dict such as {FILE}, its "
            "folder, or a hub id such as 'KeiKinn/paraclap'."
        )
    return path


def _rename(weights: Weights) -> Weights:
    """The authors' names turned into ours, without ``module.`` and without ``position_ids``."""
    parallel = all(key.startswith("module.") for key in weights)
    renamed: Weights = {}
    for key, value in weights.items():
        name = key.removeprefix("module.") if parallel else key
        for theirs, ours in NAMES.items():
            name = re.sub(theirs, ours, name)
        if not name.endswith(".position_ids"):  # a buffer of older transformers, nothing learned
            renamed[name] = value
    return renamed


def _configuration(given: Encoder) -> PreTrainedConfig:
    is_object = isinstance(given, PreTrainedConfig)
    config = copy.deepcopy(given) if is_object else read_config(given)
    config.dtype = torch.float32
    return config


def _fill(model: ParaCLAP, weights: Weights, file: str) -> None:
    """Put weights into a model, if they are exactly those of it."""
    if not hasattr(model.audio_model, "masked_spec_embed"):  # nothing is masked in training
        weights.pop("audio_model.masked_spec_embed", None)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(
            f"Bad checkpoint {file} ({' '.join(str(error).split())[:400]}), expected the weights "
            "that audio_config and text_config describe: give those of the checkpoint's encoders."
        ) from error


def _tokenizer_beside(text_config: Encoder) -> Any:
    """Tokenizer that lies beside a configuration, or None; OSError if it cannot be read."""
    if isinstance(text_config, PreTrainedConfig) or Path(text_config).is_file():
        return None
    folder = Path(text_config)
    has_none = folder.is_dir() and not [*folder.glob("tokenizer*"), *folder.glob("vocab*")]
    return None if has_none else read_tokenizer(text_config)
