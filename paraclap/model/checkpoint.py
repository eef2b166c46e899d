"""Checkpoints of others, read as data: the model that the authors of ParaCLAP published.

Their file, ``best.pth.tar`` at the hub id ``KeiKinn/paraclap``, is a bare state dict: a wav2vec2
(``audio_branch.base.``), a BERT (``text_branch.base.``), two projection heads, ``logit_scale``.
Signals are not normalised, as in the authors' evaluation. Chapter 7. Source: ``KeiKinn/ParaCLAP``.
"""

import contextlib
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import constants, get_session, hf_hub_download, hf_hub_url
from huggingface_hub.errors import LocalEntryNotFoundError
from transformers import PreTrainedConfig

from paraclap.model.configuration import ParaCLAPConfig
from paraclap.model.encoders import frame_samples, read_config, read_tokenizer
from paraclap.model.modeling import ParaCLAP
from paraclap.model.processing import ParaCLAPFeatureExtractor, ParaCLAPProcessor
from paraclap.tables import atomic, short_name

NAMES, FILE = ("KeiKinn/paraclap", "released"), "best.pth.tar"
ADDRESS = f"https://huggingface.co/{NAMES[0]}/resolve/main/{FILE}"
AUDIO_ENCODER = "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"
TEXT_ENCODER = "bert-base-uncased"
WIDTH = "audio_projection.linear1.weight"


def load_released(
    checkpoint: str | Path,
    audio_config: Any = AUDIO_ENCODER,
    text_config: Any = TEXT_ENCODER,
    tokenizer: Any = None,
) -> ParaCLAP:
    """Read the published checkpoint, in float32 and evaluation mode.

    OSError if something cannot be read; ValueError or RuntimeError if it is no such model.

    Args:
        checkpoint: A state dict such as ``best.pth.tar``, its folder, or a hub id.
        audio_config: Of the audio encoder: an object, its JSON file or folder, or a hub id.
        text_config: Likewise of the text encoder.
        tokenizer: An object, a folder or a hub id; None: the one of the folder or hub id
            ``text_config``, else none, and the model has no processor.
    """
    path = _find(checkpoint)
    weights = {  # under our names, without a buffer of older versions of transformers
        re.sub(r"^(audio|text)_branch\.base\.", r"\1_model.", name): value
        for name, value in read_weights(path).items()
        if not name.endswith(".position_ids")
    }
    if WIDTH not in weights:
        got = f"got {sorted(weights)[:5]}, expected {WIDTH!r} among its weights"
        raise ValueError(f"Bad checkpoint {path.name}: {got}: it is not one of a ParaCLAP model.")
    given = {"audio_config": audio_config, "text_config": text_config}
    for name, one in given.items():
        one = one if isinstance(one, PreTrainedConfig) else read_config(one)
        given[name] = one.to_dict() | {"dtype": "float32"}
    model: ParaCLAP = ParaCLAP(ParaCLAPConfig(**given, projection_dim=len(weights[WIDTH])))
    model.load_state_dict(weights)
    is_place = isinstance(text_config, str | Path) and not Path(text_config).is_file()
    tokenizer = text_config if tokenizer is None and is_place else tokenizer
    if tokenizer is not None:
        words = read_tokenizer(tokenizer) if isinstance(tokenizer, str | Path) else tokenizer
        samples = frame_samples(model.config.audio_config)
        extractor = ParaCLAPFeatureExtractor(samples, do_normalize=False)
        model.processor = ParaCLAPProcessor(extractor, words)
    model.eval()
    return model


def released_folder() -> Path:
    """Folder of the published model in the cache of the hub, fetched and converted if need be.

    OSError if it is not there and the hub cannot be reached.
    """
    folder = Path(constants.HF_HOME, "paraclap", "released")
    if not (folder / "config.json").is_file():
        model = load_released(NAMES[0], AUDIO_ENCODER, TEXT_ENCODER)
        with atomic(folder) as part:
            model.save_pretrained(part)
    return folder


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict, bare or under ``state_dict`` or ``model``; no code in it is run.

    OSError if the file is damaged or holds more than data, ValueError if not names and tensors.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # of pickles, whose code is refused
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # zip, pickle, end of file: each has its own kinds
        msg = "it is cut short, damaged, or holds code. Nothing in it was run: download it again."
        raise OSError(f"Refused checkpoint {path.name}: {msg}") from error
    for key in ("state_dict", "model"):  # where training code keeps it
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
    given = found.items() if isinstance(found, Mapping) else ()
    state = {str(name).removeprefix("module."): value for name, value in given}  # of many GPUs
    finite = (isinstance(one, torch.Tensor) and one.isfinite().all() for one in state.values())
    if not state or not all(finite):
        got = sorted(state)[:5] or type(found).__name__
        msg = f"Bad checkpoint {path.name}: got {got}, expected names and finite tensors"
        raise ValueError(f"{msg}: save model.state_dict() alone, or download it again.")
    return state


def _find(checkpoint: str | Path) -> Path:
    """File of a checkpoint: itself, the one in its folder, or the one fetched from the hub."""
    path = Path(checkpoint, FILE) if Path(checkpoint).is_dir() else Path(checkpoint)
    try:
        if path.is_file():
            return path
        with contextlib.suppress(LocalEntryNotFoundError):
            return Path(hf_hub_download(str(checkpoint), FILE, local_files_only=True))
        get_session().head(hf_hub_url(str(checkpoint), FILE), timeout=10)  # once: downloads retry
        return Path(hf_hub_download(str(checkpoint), FILE))
    except Exception as error:  # name, connection, repository and file: each has its own kinds
        got = f"No checkpoint at {short_name(path)!r} ({type(error).__name__})"
        msg = f"{got}, expected a state dict, its folder or a hub id: download {ADDRESS}."
        raise OSError(msg) from error
