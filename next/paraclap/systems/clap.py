"""CLAP of Microsoft (2022: CNN14 and BERT; 2023: HTSAT and GPT-2) and of LAION, asked about speech.

The audio encoders and projections of Microsoft's models are the classes of the package ``msclap``;
the text encoder is built from its configuration, because its weights are in the published file.
``msclap`` takes many seconds to import, so it is imported when a model is built. LAION's model is
``ClapModel`` of transformers.

The models take exactly 5 or 7 seconds (Microsoft) or at most 10 (LAION). Their own code cuts longer
signals at a random place; here the *first* seconds are taken, so that a file always gets the same
answer. Shorter signals are repeated, as in their own code.

Conventions: signals mono float32; names of weights are those of the published files. Chapter 10.
Source: Elizalde et al., ICASSP 2023 and 2024 (msclap 1.3.4); Wu et al., ICASSP 2023.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from transformers import AutoFeatureExtractor, AutoModel, ClapModel, PreTrainedConfig

from paraclap.audio import Signal
from paraclap.model.encoders import read_config, read_encoder, read_tokenizer
from paraclap.systems import weights
from paraclap.systems.interface import System

DIMENSION = 1024  # of the space that both encoders of Microsoft are projected to
EVENTS = 527  # classes of AudioSet, of a head that is in the files and not used
END = " <|endoftext|>"  # behind each query for GPT-2


class Settings(NamedTuple):
    """What the encoders of a model of Microsoft take."""

    encoder: str  # class in msclap.models.audio
    units: int  # values of its output
    seconds: int  # of every signal
    fmax: int  # Hz
    tokens: int  # of a query, at most
    sampling_rate: int = 44_100

    def fit(self, signals: Sequence[Signal]) -> torch.Tensor:
        """The first seconds of signals, shorter ones repeated, shape ``(batch, samples)``."""
        samples = self.seconds * self.sampling_rate
        return torch.from_numpy(np.stack([np.resize(one[:samples], samples) for one in signals]))


SETTINGS = {
    "clap-2022": Settings("Cnn14", 2048, seconds=5, fmax=14_000, tokens=100),
    "clap-2023": Settings("HTSAT", 768, seconds=7, fmax=8_000, tokens=77),
}


def msclap() -> tuple[Any, Any]:
    """Two modules of the package ``msclap``; an ImportError says how to get it."""
    try:
        from msclap.models import clap, mapper
    except ImportError as error:
        raise ImportError(
            f"The models of Microsoft need the package 'msclap' ({error}): pip install --no-deps "
            "msclap==1.3.4 torchlibrosa==0.1.0, and librosa."
        ) from error
    return clap, mapper


def audio_encoder(settings: Settings) -> nn.Module:
    """Audio encoder and projection with random weights."""
    sizes = (settings.encoder, settings.units, DIMENSION, settings.sampling_rate)
    mels = (1024, 320, 64, 50, settings.fmax)  # window, hop, bands, lowest and highest Hz
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "torch.meshgrid")  # how msclap calls it
        encoder: nn.Module = msclap()[0].AudioEncoder(*sizes, *mels, EVENTS)
    return encoder


class TextEncoder(nn.Module):
    """A text encoder and its projection: BERT at its first token, GPT-2 and CLIP at their last."""

    def __init__(self, config: PreTrainedConfig) -> None:
        """Build it with random weights, under the names of Microsoft's files."""
        super().__init__()
        self.kind = str(config.model_type)
        self.base = AutoModel.from_config(config, trust_remote_code=False)
        units = config.hidden_size
        if self.kind.startswith("clip"):
            units = config.projection_dim
            self.clip_text_projection = nn.Linear(config.hidden_size, units, bias=False)
        self.projection = msclap()[0].Projection(units, DIMENSION)

    def pooled(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Texts before the projection to the common space, ``(batch, units)``."""
        output = self.base(**inputs)
        if self.kind.startswith("clip"):
            projected: torch.Tensor = self.clip_text_projection(output.pooler_output)
            return projected
        hidden: torch.Tensor = output.last_hidden_state
        last = inputs["attention_mask"].sum(1) - 1 if self.kind == "gpt2" else 0
        return hidden[torch.arange(len(hidden)), last]

    def forward(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Embeddings of texts, ``(batch, DIMENSION)``."""
        embedded: torch.Tensor = self.projection(self.pooled(inputs))
        return embedded


class Tokens:
    """The tokenizer of a text encoder, used as in Microsoft's code."""

    def __init__(self, name: str, longest: int) -> None:
        """Read a tokenizer from a folder or the hub; texts are cut after `longest` tokens."""
        self.tokenizer, self.longest = read_tokenizer(name), longest
        start, end = self.tokenizer.bos_token, self.tokenizer.eos_token
        self.end = END if start and start == end else ""
        self.tokenizer.pad_token = self.tokenizer.pad_token or end
        self.tokenizer.padding_side = "right"

    def __call__(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """Tokens of texts, each ``(batch, tokens)``."""
        ended = [text + self.end for text in texts]
        limits = {"padding": True, "truncation": True, "max_length": self.longest}
        return dict(self.tokenizer(ended, return_tensors="pt", **limits))


class MicrosoftCLAP(System, nn.Module):
    """CLAP of Microsoft, embeddings of 1024 values."""

    def __init__(self, name: str, config: PreTrainedConfig, tokens: Tokens) -> None:
        """Build `clap-2022` or `clap-2023` with random weights, under the published names."""
        super().__init__()
        self.name, self.settings, self.tokens = name, SETTINGS[name], tokens
        self.sampling_rate = self.settings.sampling_rate
        self.audio_encoder = audio_encoder(self.settings)
        self.caption_encoder = TextEncoder(config)
        self.logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log())

    @property
    def scale(self) -> float:  # type: ignore[override]
        """The learned factor of cosines."""
        return float(self.logit_scale.detach().exp())

    def encode_audio(self, signals: list[Signal]) -> torch.Tensor:
        """See :class:`System`."""
        embedded: torch.Tensor = self.audio_encoder(self.settings.fit(signals))[0]
        return embedded

    def encode_text(self, queries: list[str]) -> torch.Tensor:
        """See :class:`System`."""
        embedded: torch.Tensor = self.caption_encoder(self.tokens(queries))
        return embedded


class LaionCLAP(System):
    """CLAP of LAION, embeddings of 512 values."""

    name = "laion-clap"

    def __init__(self, model: ClapModel, extractor: Any, tokenizer: Any) -> None:
        """Wrap a ``ClapModel`` with its feature extractor and tokenizer."""
        self.model, self.scale = model.eval(), float(model.logit_scale_a.detach().exp())
        self.extractor, self.tokenizer = extractor, tokenizer
        self.sampling_rate = int(extractor.sampling_rate)

    def encode_audio(self, signals: list[Signal]) -> torch.Tensor:
        """See :class:`System`."""
        cut = [signal[: self.extractor.nb_max_samples] for signal in signals]
        inputs = self.extractor(cut, sampling_rate=self.sampling_rate, return_tensors="pt")
        # where nothing is longer, the extractor draws a signal at random and calls it longer
        inputs["is_longer"] = torch.zeros(len(cut), 1, dtype=torch.bool)
        embedded: torch.Tensor = self.model.get_audio_features(**inputs).pooler_output
        return embedded

    def encode_text(self, queries: list[str]) -> torch.Tensor:
        """See :class:`System`."""
        inputs = self.tokenizer(queries, padding=True, truncation=True, return_tensors="pt")
        embedded: torch.Tensor = self.model.get_text_features(**inputs).pooler_output
        return embedded


def load_microsoft(name: str, place: str | Path | None = None) -> MicrosoftCLAP:
    """Read `clap-2022` or `clap-2023`, see :func:`paraclap.systems.load`."""
    path = weights.find(name, place)
    with weights.explained(name, path):
        text = weights.text_encoders(name, path)[0]
        config, tokens = read_config(text), Tokens(text, SETTINGS[name].tokens)
    return weights.fill(MicrosoftCLAP(name, config, tokens), path)


def load_laion(place: str | Path | None = None) -> LaionCLAP:
    """Read a ``ClapModel`` from a folder or the hub, see :func:`paraclap.systems.load`."""
    name = str(place or weights.source(LaionCLAP.name)["repository"])
    with weights.explained(LaionCLAP.name, name):
        model = read_encoder(name, read_config(name))
        extractor = AutoFeatureExtractor.from_pretrained(name, trust_remote_code=False)
        return LaionCLAP(model, extractor, read_tokenizer(name))
