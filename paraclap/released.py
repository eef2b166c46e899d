"""The model that the authors of ParaCLAP published, read into ours.

Their checkpoint, ``best.pth.tar`` at the hub repository ``KeiKinn/paraclap``, is a bare state
dict: a wav2vec2 tower (``audio_branch.base.``), a BERT tower (``text_branch.base.``), a projection
head for each and ``logit_scale``. What the towers look like does not stand in it and comes from
their configurations. The file is read as data: code in it is refused, never run. Saved once with
:meth:`ParaCLAP.save_pretrained`, it is a model like any other::

    python -m paraclap.released KeiKinn/paraclap models/released

Conventions: mono signals at 16 kHz, not normalised, whole clips, as in the authors' evaluation;
the [CLS] token stands for a text; the model is in evaluation mode. Source: ParaCLAP (Jing et al.,
2024), section 2.1, and the authors' repository ``KeiKinn/ParaCLAP``.
"""

from __future__ import annotations

import argparse
import copy
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
import torch
from transformers import PreTrainedConfig

from paraclap import pretrained
from paraclap.audio import SAMPLING_RATE
from paraclap.configuration import ParaCLAPConfig
from paraclap.model import ParaCLAP
from paraclap.processor import ParaCLAPFeatureExtractor, ParaCLAPProcessor
from paraclap.settings import Settings
from paraclap.towers import frame
from paraclap.weights import FILE, Weights, find, first, read

# Their names and ours; then weight norm before and after torch 2.0.
NAMES = {
    r"^audio_branch\.base\.": "audio_model.",
    r"^text_branch\.base\.": "text_model.",
    r"\.weight_g$": ".parametrizations.weight.original0",
    r"\.weight_v$": ".parametrizations.weight.original1",
}
WIDTH = "audio_projection.linear1.weight"

Encoder: TypeAlias = PreTrainedConfig | str | Path


def load(
    checkpoint: str | Path,
    audio_config: Encoder | None = None,
    text_config: Encoder | None = None,
    tokenizer: Any = None,
) -> ParaCLAP:
    """Read a published checkpoint.

    Args:
        checkpoint: A state dict such as ``best.pth.tar``, a folder that holds a file of this
            name, or the hub id of one, such as ``KeiKinn/paraclap``.
        audio_config: Configuration of the audio tower: an object, its JSON file, the folder of
            its ``config.json``, or a hub id; None: the one of the paper.
        text_config: Likewise for the text tower.
        tokenizer: An object, a folder or a hub id; None: the one beside ``text_config``. If
            there is none, as with an object or a JSON file, the model has no processor.

    Returns:
        The model in evaluation mode, weights float32.

    Raises:
        OSError: If something is not there or cannot be read.
        ValueError: If the checkpoint is no state dict or not that of such a model.
    """
    path = find(checkpoint)
    weights = rename(read(path), path.name)
    text = Settings.text_encoder if text_config is None else text_config
    audio = Settings.audio_encoder if audio_config is None else audio_config
    config = ParaCLAPConfig(
        audio_config=_configuration(audio),
        text_config=_configuration(text),
        projection_dim=_width(weights, path.name),
    )
    model: ParaCLAP = ParaCLAP(config).eval()
    model.load_state_dict(_fitting(model, weights, path.name))
    tokenizer = tokenizer_of(text) if tokenizer is None else tokenizer
    if tokenizer is not None:
        model.processor = processor(model, tokenizer)
    return model


def rename(weights: Weights, file: str = FILE) -> Weights:
    """The authors' names of weights turned into ours.

    The prefix of ``DataParallel`` goes; so does ``position_ids``, a buffer of older transformers
    that counts from 0 and holds nothing learned.

    Raises:
        ValueError: If two weights get the same name.
    """
    parallel = all(key.startswith("module.") for key in weights)
    renamed: Weights = {}
    for key, value in weights.items():
        name = key.removeprefix("module.") if parallel else key
        for theirs, ours in NAMES.items():
            name = re.sub(theirs, ours, name)
        if name in renamed:
            raise ValueError(f"Bad checkpoint {file}: two weights for {name!r}, expected one.")
        if not name.endswith(".position_ids"):
            renamed[name] = value
    return renamed


def _width(weights: Weights, file: str) -> int:
    weight = weights.get(WIDTH)
    if weight is None or weight.ndim != 2:
        got = first(weights) if weight is None else f"one of shape {tuple(weight.shape)}"
        raise ValueError(
            f"Bad checkpoint {file}: got {got}, expected {WIDTH!r}, (outputs, inputs), among its "
            "weights: it is not one of a ParaCLAP model."
        )
    return len(weight)


def _configuration(given: Encoder) -> PreTrainedConfig:
    if isinstance(given, PreTrainedConfig):
        config = copy.deepcopy(given)
    else:
        config = pretrained.config(given)
    config.dtype = torch.float32  # a model in half precision would not hear float32 signals
    return config


def _fitting(model: ParaCLAP, weights: Weights, file: str) -> Weights:
    """The weights, if they are exactly those of the model.

    ``masked_spec_embed``, which stands for masked frames in training, may be left over where the
    configuration masks nothing: no embedding comes from it.
    """
    own = model.state_dict()
    weights = {key: value for key, value in weights.items() if key in own or not _unheard(key)}
    shapes = {
        key: f"{key} {tuple(value.shape)} for {tuple(own[key].shape)}"
        for key, value in weights.items()
        if key in own and value.shape != own[key].shape
    }
    for what, keys in {
        "missing": own.keys() - weights.keys(),
        "unexpected": weights.keys() - own.keys(),
        "misshapen": shapes.values(),
    }.items():
        if keys:
            raise ValueError(
                f"{len(keys)} {what} weights in {file} (first: {first(keys)}), "
                "expected those of audio_config and text_config: give the configurations of the "
                "towers that the checkpoint was made with."
            )
    return weights


def _unheard(key: str) -> bool:
    return key == "audio_model.masked_spec_embed"


def tokenizer_of(text_config: Encoder) -> Any:
    """Tokenizer that lies beside a configuration, or None.

    Raises:
        OSError: If it should be there, but cannot be read.
    """
    if isinstance(text_config, PreTrainedConfig) or Path(text_config).is_file():
        return None
    folder = Path(text_config)
    if folder.is_dir() and not any(folder.glob("tokenizer*")) and not any(folder.glob("vocab*")):
        return None
    return pretrained.tokenizer(text_config)


def processor(model: ParaCLAP, tokenizer: Any) -> ParaCLAPProcessor:
    """What the published model reads: signals as they are, tokens of its text tower.

    Args:
        model: The model.
        tokenizer: An object, a folder or a hub id.

    Raises:
        OSError: If the tokenizer is not there or cannot be read.
        ValueError: If it has more tokens than the text tower.
    """
    if isinstance(tokenizer, str | Path):
        tokenizer = pretrained.tokenizer(tokenizer)
    known = model.config.text_config.vocab_size
    if len(tokenizer) > known:
        raise ValueError(
            f"Bad tokenizer with {len(tokenizer)} tokens, expected at most the {known} of the "
            "text tower: give the tokenizer that the tower was trained with."
        )
    extractor = ParaCLAPFeatureExtractor(
        frame(model.config.audio_config), do_normalize=False, sampling_rate=SAMPLING_RATE
    )
    return ParaCLAPProcessor(extractor, tokenizer)


def convert(model: ParaCLAP, folder: Path) -> None:
    """Write a model to a folder where there is none yet.

    Raises:
        OSError: If something else is there or it cannot be written.
    """
    taken = folder if folder.is_file() else folder / "config.json"
    if taken.exists():
        raise FileExistsError(
            f"{pretrained.named(taken)!r} is there already, expected a new folder: name another."
        )
    model.save_pretrained(folder)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m paraclap.released",
        description="Turn the authors' published checkpoint into a model folder.",
    )
    parser.add_argument("checkpoint", help=f"{FILE}, its folder, or a hub id")
    parser.add_argument("folder", type=Path, help="where to write the model")
    parser.add_argument("--audio-config", help="JSON file, folder or hub id of the audio tower")
    parser.add_argument("--text-config", help="JSON file, folder or hub id of the text tower")
    parser.add_argument("--tokenizer", help="folder or hub id; default: that of the text tower")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    args = _parser().parse_args(arguments)
    try:
        model = load(args.checkpoint, args.audio_config, args.text_config, args.tokenizer)
        convert(model, args.folder)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    reads = "words and signals" if model.processor else "tensors only: give --tokenizer for words"
    print(
        f"{pretrained.named(args.folder)}: {model.num_parameters()} weights, embeddings of "
        f"{model.config.projection_dim} values, reads {reads}."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
