"""The parts that Microsoft's CLAP and Pengi share: an audio tower, a text tower, projections.

The audio towers, the projection and the mapping network are the classes of the package ``msclap``,
so that its published weights fit. The text tower is built here from a configuration, as the weights
are in the published file anyway; ``msclap`` would fetch them a second time.

Conventions: names of weights are those of the published files. Sources: Elizalde et al., "CLAP:
learning audio concepts from natural language supervision", ICASSP 2023, and "Natural language
supervision for general-purpose audio representations", ICASSP 2024; package ``msclap`` 1.3.4.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
import torch
from torch import nn
from transformers import AutoModel, PreTrainedConfig, PreTrainedTokenizerBase

from paraclap import pretrained
from paraclap.systems import catalogue

WIDTH = 1024  # of the space that both towers are projected to
EVENTS = 527  # classes of AudioSet, of a head that is in the files and never asked
END = " <|endoftext|>"  # said behind each query of GPT-2


@dataclass(frozen=True)
class Sound:
    """How an audio tower of Microsoft hears.

    Attributes:
        tower: Class in ``msclap.models.audio``.
        units: Values of its output.
        seconds: Length of every signal.
        top: Highest frequency in Hz. HTSAT has its own, whatever is said here.
    """

    tower: str
    units: int
    seconds: int
    top: int
    sampling_rate: int = 44_100
    window: int = 1024
    hop: int = 320
    mels: int = 64
    bottom: int = 50

    @property
    def samples(self) -> int:
        """Length of every signal."""
        return self.seconds * self.sampling_rate


CNN14 = Sound("Cnn14", 2048, 5, 14_000)
HTSAT = Sound("HTSAT", 768, 7, 8_000)


def audio_tower(sound: Sound) -> nn.Module:
    """Audio tower and projection, with random weights.

    Raises:
        ImportError: If the package ``msclap`` is not installed.
    """
    spectrogram = (sound.window, sound.hop, sound.mels, sound.bottom, sound.top)
    settings = (sound.tower, sound.units, WIDTH, sound.sampling_rate, *spectrogram, EVENTS)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.meshgrid")  # what msclap calls it with
        tower: nn.Module = _msclap().AudioEncoder(*settings)
    return tower


def mapping(units: int, tokens: int, layers: int) -> nn.Module:
    """Network that turns an embedding into the first tokens of a language model.

    Args:
        units: Of the language model.
        tokens: How many come out, shape ``(batch, tokens, units)``.
        layers: Of its transformer.
    """
    _msclap()
    from msclap.models.mapper import TransformerMapper

    network: nn.Module = TransformerMapper(WIDTH, units, tokens, tokens, layers)
    return network


def _msclap() -> Any:
    try:
        import msclap.models.clap as clap
    except ImportError as error:
        raise ImportError(
            f"The audio tower needs the package 'msclap' ({error}): pip install --no-deps "
            "msclap==1.3.4 torchlibrosa==0.1.0, and librosa."
        ) from error
    return clap


class Texts(nn.Module):
    """A text tower and its projection, under the names of Microsoft's files.

    BERT speaks by its first token, GPT-2 by its last, CLIP by its last and a projection.
    """

    def __init__(self, config: PreTrainedConfig) -> None:
        """Build it with random weights."""
        super().__init__()
        self.kind = str(config.model_type)
        self.base = AutoModel.from_config(config, trust_remote_code=False)
        if self.kind.startswith("clip"):
            units = config.projection_dim
            self.clip_text_projection = nn.Linear(config.hidden_size, units, bias=False)
        else:
            units = config.hidden_size
        self.projection = _msclap().Projection(units, WIDTH)

    def pooled(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """What the tower says of texts, before the projection of CLAP, ``(batch, units)``."""
        said = self.base(**inputs)
        if self.kind.startswith("clip"):
            projected: torch.Tensor = self.clip_text_projection(said.pooler_output)
            return projected
        hidden: torch.Tensor = said.last_hidden_state
        if self.kind != "gpt2":
            return hidden[:, 0]
        last = inputs["attention_mask"].sum(1) - 1
        return hidden[torch.arange(len(hidden)), last]

    def forward(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Embeddings of texts, ``(batch, WIDTH)``, not normalised."""
        embedded: torch.Tensor = self.projection(self.pooled(inputs))
        return embedded


class Words:
    """The tokenizer of a text tower, used as in Microsoft's code."""

    def __init__(self, name: str, longest: int) -> None:
        """Read a tokenizer.

        Args:
            name: Folder or hub id.
            longest: Tokens of a text; what is longer is cut.

        Raises:
            OSError: If there is none.
        """
        self.tokenizer: PreTrainedTokenizerBase = pretrained.tokenizer(name)
        self.ends = self.tokenizer.bos_token is not None and (
            self.tokenizer.bos_token == self.tokenizer.eos_token
        )
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self.tokenizer.padding_side = "right"
        self.longest = longest

    def __call__(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """Tokens of texts, each ``(batch, tokens)``."""
        said = [text + END for text in texts] if self.ends else list(texts)
        inputs = self.tokenizer(
            said,
            padding=True,
            truncation=True,
            max_length=self.longest,
            return_tensors="pt",
        )
        return dict(inputs)


class TextPart(NamedTuple):
    """Where the tokenizer of a text tower is, and the configuration of the tower."""

    name: str
    config: PreTrainedConfig


def text_part(origin: catalogue.Source, path: Path, number: int = 0) -> TextPart:
    """Text tower that a published file takes for granted.

    Args:
        origin: Of the system.
        path: The published file; the folder of the text tower may be beside it.
        number: Which of the text towers.

    Raises:
        FileNotFoundError: If it is neither beside the file nor on the hub, with the commands that
            fetch it.
    """
    name = catalogue.text_files(origin, path, number)
    try:
        return TextPart(name, text_config(name))
    except OSError as error:
        raise FileNotFoundError(origin.absent(name, "no configuration")) from error


def text_config(name: str) -> PreTrainedConfig:
    """Configuration of a text tower; of a model of pictures and texts, its text part.

    Raises:
        OSError: If there is none.
    """
    config: PreTrainedConfig = pretrained.config(name).get_text_config()
    return config
