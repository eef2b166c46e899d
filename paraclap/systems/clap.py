"""CLAP of Microsoft (2022: CNN14 and BERT; 2023: HTSAT and GPT-2) and of LAION, asked about speech.

Microsoft's classes come from the package ``msclap``, which takes seconds to import; LAION's is
``ClapModel`` of transformers. Their own code takes 5, 7 or 10 seconds at a random place of a longer
signal; here the *first* are taken, so that a file always gets the same answer. Shorter signals are
repeated. Chapter 10. Source: Elizalde et al., ICASSP 2023 and 2024; Wu et al., ICASSP 2023.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import AutoFeatureExtractor, AutoModel, ClapModel, PreTrainedConfig

from paraclap.audio import Signal
from paraclap.model.encoders import read_config, read_encoder, read_tokenizer
from paraclap.systems.interface import System, catalogue, fill, find

Tokens = Callable[[Sequence[str]], dict[str, torch.Tensor]]  # texts → tensors (texts, tokens)
DIMENSION = 1024  # of the space that both encoders of Microsoft are projected to
END = " <|endoftext|>"  # behind each query for GPT-2


def msclap() -> tuple[Any, Any]:
    """Two modules of the package ``msclap``; an ImportError says how to get it."""
    try:
        from msclap.models import clap, mapper
    except ImportError as error:
        remedy = "pip install --no-deps msclap==1.3.4 torchlibrosa==0.1.0, and librosa"
        raise ImportError(f"Microsoft's models need 'msclap' ({error}): {remedy}.") from error
    return clap, mapper


def audio_encoder(name: str) -> Any:
    """Audio encoder and projection of a system, with random weights."""
    row = catalogue().T[name]
    sizes = (row["audio_encoder"], row["units"], DIMENSION, row["sampling_rate"])
    mels = (1024, 320, 64, 50, row["fmax"])  # window, hop, bands, lowest and highest Hz
    with warnings.catch_warnings(action="ignore"):  # of how msclap calls torch
        return msclap()[0].AudioEncoder(*sizes, *mels, 527)  # a head of 527 classes is not used


def fit(name: str, signals: Sequence[Signal]) -> torch.Tensor:
    """The first seconds of signals, shorter ones repeated, shape ``(batch, samples)``."""
    samples = catalogue()["seconds"][name] * catalogue()["sampling_rate"][name]
    return torch.from_numpy(np.stack([np.resize(one[:samples], samples) for one in signals]))


class TextEncoder(nn.Module):
    """A text encoder and its projection: BERT at its first token, GPT-2 and CLIP at their last."""

    def __init__(self, config: PreTrainedConfig) -> None:
        """Build it with random weights, under the names of Microsoft's files."""
        super().__init__()
        self.kind = str(config.model_type)
        self.base = AutoModel.from_config(config, trust_remote_code=False)
        units = getattr(config, "projection_dim", config.hidden_size)
        if self.kind.startswith("clip"):
            self.clip_text_projection = nn.Linear(config.hidden_size, units, bias=False)
        self.projection = msclap()[0].Projection(units, DIMENSION)

    def pooled(self, inputs: Mapping[str, torch.Tensor]) -> Any:
        """Texts before the projection to the common space, ``(batch, units)``."""
        output = self.base(**inputs)
        if self.kind.startswith("clip"):
            return self.clip_text_projection(output.pooler_output)
        last = inputs["attention_mask"].sum(1) - 1 if self.kind == "gpt2" else 0
        return output.last_hidden_state[torch.arange(len(output.last_hidden_state)), last]

    def forward(self, inputs: Mapping[str, torch.Tensor]) -> Any:
        """Embeddings of texts, ``(batch, DIMENSION)``."""
        return self.projection(self.pooled(inputs))


def read_tokens(name: str, longest: int) -> Tokens:
    """A tokenizer as Microsoft's code uses it; texts are cut after `longest` tokens."""
    tokenizer = read_tokenizer(name)
    start, end = tokenizer.bos_token, tokenizer.eos_token
    suffix = END if start and start == end else ""
    tokenizer.pad_token, tokenizer.padding_side = tokenizer.pad_token or end, "right"
    limits = {"padding": True, "truncation": True, "max_length": longest, "return_tensors": "pt"}
    return lambda texts: dict(tokenizer([text + suffix for text in texts], **limits))


class MicrosoftCLAP(System, nn.Module):
    """CLAP of Microsoft, embeddings of 1024 values."""

    def __init__(self, name: str, config: PreTrainedConfig, tokens: Tokens) -> None:
        """Build `clap-2022` or `clap-2023` with random weights, under the published names."""
        super().__init__()
        self.name, self.tokens = name, tokens
        self.sampling_rate = int(catalogue()["sampling_rate"][name])
        self.audio_encoder = audio_encoder(name)
        self.caption_encoder = TextEncoder(config)
        self.scale = 1 / 0.07  # until weights are read
        self.logit_scale = nn.Parameter(torch.tensor(self.scale).log())

    def encode_audio(self, signals: list[Signal]) -> Any:
        """See :class:`System`."""
        return self.audio_encoder(fit(self.name, signals))[0]

    def encode_text(self, queries: list[str]) -> Any:
        """See :class:`System`."""
        return self.caption_encoder(self.tokens(queries))


class LaionCLAP(System):
    """CLAP of LAION, embeddings of 512 values."""

    def __init__(self, model: ClapModel, extractor: Any, tokenizer: Any) -> None:
        """Wrap a ``ClapModel`` with its feature extractor and tokenizer."""
        self.model, self.scale = model.eval(), float(model.logit_scale_a.detach().exp())
        self.extractor, self.tokenizer = extractor, tokenizer
        self.name, self.sampling_rate = "laion-clap", extractor.sampling_rate

    def encode_audio(self, signals: list[Signal]) -> Any:
        """See :class:`System`."""
        cut = [signal[: self.extractor.nb_max_samples] for signal in signals]
        inputs = self.extractor(cut, sampling_rate=self.sampling_rate, return_tensors="pt")
        # where nothing is longer, the extractor draws a signal at random and calls it longer
        inputs["is_longer"] = torch.zeros(len(cut), 1, dtype=torch.bool)
        return self.model.get_audio_features(**inputs).pooler_output

    def encode_text(self, queries: list[str]) -> Any:
        """See :class:`System`."""
        inputs = self.tokenizer(queries, padding=True, truncation=True, return_tensors="pt")
        return self.model.get_text_features(**inputs).pooler_output


def load_microsoft(name: str, place: str = "") -> Any:
    """Read `clap-2022` or `clap-2023`, see :func:`paraclap.systems.load`."""
    path, (text,) = find(name, place)
    tokens = read_tokens(text, catalogue()["tokens"][name])
    model = fill(MicrosoftCLAP(name, read_config(text), tokens), path)
    model.scale = float(model.logit_scale.detach().exp())
    return model


def load_laion(name: str, place: str = "") -> Any:
    """Read a ``ClapModel`` from a folder or the hub, see :func:`paraclap.systems.load`."""
    place = place or catalogue()["repository"][name]
    extractor = AutoFeatureExtractor.from_pretrained(place, trust_remote_code=False)
    model = read_encoder(place, read_config(place))
    return LaionCLAP(model, extractor, read_tokenizer(place))
