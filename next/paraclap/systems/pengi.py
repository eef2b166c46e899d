"""Pengi: a language model that describes an utterance, and which query is closest to its words.

HTSAT encodes the utterance, CLIP's text encoder the instruction ("generate metadata"), two mapping
networks turn each embedding into 40 tokens, and GPT-2 continues from there. Its description is
compared with the queries in the space of CLIP's text encoder, which lies in the published file.

Conventions: 44.1 kHz, the first 7 seconds; both embeddings are normalised before they are mapped,
as in training. Nothing was learned for the cosines of two texts, so the scale is 1: the answer can
be used, the probabilities cannot. Chapter 10. Source: Deshmukh et al., "Pengi: an audio language
model for audio tasks", NeurIPS 2023, and its release, https://github.com/microsoft/Pengi.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn
from torch.nn import functional
from transformers import GPT2LMHeadModel, PreTrainedConfig

from paraclap import tables
from paraclap.audio import Signal
from paraclap.model.encoders import read_config
from paraclap.systems import weights
from paraclap.systems.clap import (
    DIMENSION,
    END,
    SETTINGS,
    TextEncoder,
    Tokens,
    audio_encoder,
    msclap,
)
from paraclap.systems.interface import Embeddings, System

HTSAT = SETTINGS["clap-2023"]
TOKENS = 40  # that stand for the utterance, and as many for the instruction
LAYERS = 4  # of each mapping network
INSTRUCTION = "generate metadata"


class Decoder(nn.Module):
    """GPT-2 and the mapping networks before it, under the names of the published file."""

    def __init__(self, config: PreTrainedConfig) -> None:
        """Build it with random weights."""
        super().__init__()
        sizes = (DIMENSION, config.hidden_size, TOKENS, TOKENS, LAYERS)
        mapper = msclap()[1].TransformerMapper
        self.gpt = GPT2LMHeadModel(config)
        self.audio_project = mapper(*sizes)
        self.text_project = mapper(*sizes)


class Pengi(System, nn.Module):
    """Pengi, embeddings of 512 values.

    Attributes:
        descriptions: Of the utterances embedded last, on their index.
    """

    name, scale, sampling_rate = "pengi", 1.0, HTSAT.sampling_rate

    def __init__(self, clip: PreTrainedConfig, gpt: PreTrainedConfig, *tokens: Tokens) -> None:
        """Build it with random weights, under the names of the published file.

        Args:
            clip: Configuration of CLIP's text encoder.
            gpt: Configuration of GPT-2.
            tokens: The tokenizers of both.
        """
        super().__init__()
        self.tokens, self.decoder = tokens
        self.audio_encoder = audio_encoder(HTSAT)
        self.caption_encoder = TextEncoder(clip)
        self.caption_decoder = Decoder(gpt)
        end = self.decoder.tokenizer.eos_token_id
        self.search = {"num_beams": 3, "max_new_tokens": 30, "pad_token_id": end}
        self.search["eos_token_id"] = [self.decoder.tokenizer(END)["input_ids"][0], end]
        self.descriptions = pd.Series(dtype="str")

    def prefix(self, signals: list[Signal]) -> torch.Tensor:
        """Token embeddings that GPT-2 continues, ``(batch, 80, units)``."""
        audio = functional.normalize(self.audio_encoder(HTSAT.fit(signals))[0], dim=-1)
        text = functional.normalize(self.caption_encoder(self.tokens([INSTRUCTION])), dim=-1)
        before = self.caption_decoder.audio_project(audio)
        after = self.caption_decoder.text_project(text).expand(len(audio), -1, -1)
        return torch.cat([before, after], dim=1)

    def describe(self, signals: list[Signal]) -> list[str]:
        """Describe signals in words, by beam search."""
        prefix = self.prefix(signals)
        mask = torch.ones(prefix.shape[:2], dtype=torch.long)
        gpt, tokenizer = self.caption_decoder.gpt, self.decoder.tokenizer
        ids = gpt.generate(inputs_embeds=prefix, attention_mask=mask, **self.search)
        return [text.strip() for text in tokenizer.batch_decode(ids, skip_special_tokens=True)]

    def embed_audio(self, files: Any) -> Embeddings:
        """Describe utterances, and embed their descriptions; see :class:`System`."""
        self._described: list[str] = []
        embeddings = super().embed_audio(files)
        self.descriptions = pd.Series(self._described, tables.as_index(files), dtype="str")
        return embeddings

    def encode_audio(self, signals: list[Signal]) -> torch.Tensor:
        """See :class:`System`."""
        texts = self.describe(signals)
        self._described += texts
        return self.encode_text(texts)

    def encode_text(self, queries: list[str]) -> torch.Tensor:
        """See :class:`System`."""
        return self.caption_encoder.pooled(self.tokens(queries))


def load_pengi(place: str | Path | None = None) -> Pengi:
    """Read the published model, see :func:`paraclap.systems.load`."""
    path = weights.find(Pengi.name, place)
    with weights.explained(Pengi.name, path):
        clip, gpt = weights.text_encoders(Pengi.name, path)
        configs = read_config(clip).get_text_config(), read_config(gpt)
        tokens = Tokens(clip, TOKENS), Tokens(gpt, HTSAT.tokens)
    return weights.fill(Pengi(*configs, *tokens), path)
