"""Pengi: a language model that describes an utterance, and which query is closest to its words.

HTSAT encodes the utterance, CLIP the instruction ("generate metadata"), two networks turn each into
40 tokens, and GPT-2 continues from there. This description is compared with the queries in the
space of CLIP. No scale was learned for such cosines, so the answer can be used, the probabilities
cannot. The first 7 seconds count. Chapter 10. Source: Deshmukh et al., NeurIPS 2023.
"""

from typing import Any, cast

import pandas as pd
import torch
from torch import nn
from torch.nn.functional import normalize
from transformers import GPT2LMHeadModel, PreTrainedConfig

from paraclap import tables
from paraclap.audio import Signal
from paraclap.model.embedding import Embeddings
from paraclap.model.encoders import read_config, read_tokenizer
from paraclap.systems import clap
from paraclap.systems.interface import System, fill, find

TOKENS = 40  # that stand for the utterance, and as many for the instruction


class Pengi(System, nn.Module):
    """Pengi, embeddings of 512 values; ``descriptions``: of the utterances embedded last."""

    name, scale, sampling_rate = "pengi", 1.0, 44_100

    def __init__(
        self, clip: PreTrainedConfig, gpt: PreTrainedConfig, tokens: clap.Tokens, decoder: Any
    ) -> None:
        """Build it with random weights, under the names of the published file."""
        super().__init__()
        self.tokens, self.decoder = tokens, decoder
        self.audio_encoder = clap.audio_encoder(self.name)
        self.caption_encoder = clap.TextEncoder(clip)
        sizes = (clap.DIMENSION, gpt.hidden_size, TOKENS, TOKENS, 4)  # layers
        names, mapper = ("audio_project", "text_project"), clap.msclap()[1].TransformerMapper
        parts = {"gpt": GPT2LMHeadModel(gpt)} | {name: mapper(*sizes) for name in names}
        self.caption_decoder = nn.ModuleDict(parts)
        end = self.decoder.eos_token_id
        self.search = {"num_beams": 3, "max_new_tokens": 30, "pad_token_id": end}
        self.search["eos_token_id"] = [self.decoder(clap.END)["input_ids"][0], end]
        self.descriptions = pd.Series(dtype="str")

    def prefix(self, signals: list[Signal]) -> torch.Tensor:
        """Token embeddings that GPT-2 continues, ``(batch, 80, units)``."""
        audio = normalize(self.audio_encoder(clap.fit(self.name, signals))[0], dim=-1)
        text = normalize(self.caption_encoder(self.tokens(["generate metadata"])), dim=-1)
        before = self.caption_decoder["audio_project"](audio)
        after = self.caption_decoder["text_project"](text).expand(len(audio), -1, -1)
        return torch.cat([before, after], dim=1)

    def embed_audio(self, files: Any) -> Embeddings:
        """Describe utterances, and embed their descriptions; see :class:`System`."""
        self.descriptions = self.descriptions[:0]
        embeddings = super().embed_audio(files)
        self.descriptions.index = tables.as_index(files)
        return embeddings

    def encode_audio(self, signals: list[Signal]) -> Any:
        """See :class:`System`; signals are described in words, by beam search."""
        prefix, gpt = self.prefix(signals), cast(Any, self.caption_decoder["gpt"])
        mask = torch.ones(prefix.shape[:2], dtype=torch.long)
        ids = gpt.generate(inputs_embeds=prefix, attention_mask=mask, **self.search)
        texts = [one.strip() for one in self.decoder.batch_decode(ids, skip_special_tokens=True)]
        self.descriptions = pd.Series([*self.descriptions, *texts], dtype="str")
        return self.encode_text(texts)

    def encode_text(self, queries: list[str]) -> Any:
        """See :class:`System`."""
        return self.caption_encoder.pooled(self.tokens(queries))


def load_pengi(name: str, place: str = "") -> Any:
    """Read the published model, see :func:`paraclap.systems.load`."""
    path, (clip, gpt) = find(name, place)
    configs = read_config(clip).get_text_config(), read_config(gpt)
    return fill(Pengi(*configs, clap.read_tokens(clip, TOKENS), read_tokenizer(gpt)), path)
