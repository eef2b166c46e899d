"""Pengi: a language model that describes a voice, and which query comes closest to its words.

HTSAT hears the voice, CLIP's text tower reads what is wanted of it ("generate metadata"), two
mapping networks turn both into 40 tokens each, and GPT-2 goes on from there. What it says is
compared with the queries in the space of CLIP's text tower, which lies in the published file.

Conventions: 44.1 kHz, the first 7 seconds; both embeddings are normalised before they are mapped,
as in training. Nothing was learned for the cosines of two texts, so the temperature is 1: the
answer is to be read, the probabilities are not. Source: Deshmukh et al., "Pengi: an audio language
model for audio tasks", NeurIPS 2023, and its release, https://github.com/microsoft/Pengi.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional
from transformers import DynamicCache, GPT2LMHeadModel, PreTrainedConfig

from paraclap import audio, zeroshot
from paraclap.systems import beams, catalogue, checkpoints, hearing, parts
from paraclap.zeroshot import Embeddings, Files

TOKENS = 40  # that stand for the voice, and as many for what is wanted
LAYERS = 4  # of each mapping network
WANTED = "generate metadata"


class Speaker(nn.Module):
    """GPT-2 and the mapping networks before it, under the names of the published file."""

    def __init__(self, config: PreTrainedConfig) -> None:
        """Build it with random weights."""
        super().__init__()
        self.gpt = GPT2LMHeadModel(config)
        self.audio_project = parts.mapping(config.hidden_size, TOKENS, LAYERS)
        self.text_project = parts.mapping(config.hidden_size, TOKENS, LAYERS)


class Model(nn.Module):
    """All of Pengi, under the names of the published file."""

    def __init__(self, text: PreTrainedConfig, speaker: PreTrainedConfig) -> None:
        """Build it with random weights.

        Args:
            text: Configuration of CLIP's text tower.
            speaker: Configuration of GPT-2.
        """
        super().__init__()
        self.audio_encoder = parts.audio_tower(parts.HTSAT)
        self.caption_encoder = parts.Texts(text)
        self.caption_decoder = Speaker(speaker)

    def prefix(self, signals: torch.Tensor, wanted: dict[str, torch.Tensor]) -> torch.Tensor:
        """Tokens that GPT-2 goes on from.

        Args:
            signals: Shape ``(batch, samples)``.
            wanted: One text, its tokens of shape ``(1, tokens)``.

        Returns:
            Shape ``(batch, 80, units)``.
        """
        heard = functional.normalize(self.audio_encoder(signals)[0], dim=-1)
        read = functional.normalize(self.caption_encoder(wanted), dim=-1)
        before = self.caption_decoder.audio_project(heard)
        after = self.caption_decoder.text_project(read).expand(len(heard), -1, -1)
        return torch.cat([before, after], dim=1)


class Pengi:
    """A system, see :class:`paraclap.systems.System`.

    Attributes:
        described: What has been said of the voices embedded last, on their index.
    """

    name = "pengi"
    temperature = 1.0
    sampling_rate = parts.HTSAT.sampling_rate

    def __init__(
        self,
        model: Model,
        words: parts.Words,
        spoken: parts.Words,
        width: int = 3,
        longest: int = 30,
    ) -> None:
        """Serve a model.

        Args:
            model: With its weights.
            words: Tokenizer of CLIP.
            spoken: Tokenizer of GPT-2.
            width: Beams of the search.
            longest: Tokens of a description.
        """
        self.model, self.words, self.spoken = model.eval(), words, spoken
        self.width, self.longest = width, longest
        self.described = pd.Series(dtype="str")
        ends = [spoken.tokenizer(parts.END)["input_ids"][0], spoken.tokenizer.eos_token_id]
        self.stops = torch.tensor(ends)

    def describe(self, files: Files) -> pd.Series:
        """What the model says of voices, on the audformat index.

        Raises:
            AudioError: If a file cannot be read.
        """
        signals = hearing.signals(files, self.sampling_rate)
        with torch.inference_mode():
            said = [text for batch in hearing.batches(signals) for text in self._say(batch)]
        self.described = pd.Series(said, zeroshot.segments(files), dtype="str", name="description")
        return self.described

    def embed_audio(self, files: Files) -> Embeddings:
        """Embed what is said of voices, shape ``(n, 512)``."""
        return hearing.embedded(iter(self.describe(files)), self._read)

    def embed_text(self, queries: Sequence[str]) -> Embeddings:
        """Embed queries, shape ``(m, 512)``."""
        return hearing.embedded(iter(hearing.check_queries(queries)), self._read)

    def _read(self, texts: list[str]) -> torch.Tensor:
        return self.model.caption_encoder.pooled(self.words(texts))

    def _say(self, signals: list[audio.Signal]) -> list[str]:
        filled = np.stack([hearing.fill(signal, parts.HTSAT.samples) for signal in signals])
        prefixes = self.model.prefix(torch.from_numpy(filled), self.words([WANTED]))
        return [self._sentence(prefix) for prefix in prefixes]

    def _sentence(self, prefix: torch.Tensor) -> str:
        """Text that follows the tokens ``(80, units)``."""
        cache = DynamicCache()
        gpt = self.model.caption_decoder.gpt

        def step(rows: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
            cache.reorder_cache(rows)
            logits: torch.Tensor = gpt(words.unsqueeze(1), past_key_values=cache).logits
            return logits[:, -1]

        first = gpt(inputs_embeds=prefix.unsqueeze(0), past_key_values=cache).logits[0, -1]
        tokens = beams.search(first, step, self.width, self.longest, self.stops)
        return str(self.spoken.tokenizer.decode(tokens, skip_special_tokens=True)).strip()


def load(weights: str | Path | None = None) -> Pengi:
    """Read the published model.

    Args:
        weights: Folder or file, see :func:`paraclap.systems.load`.

    Raises:
        OSError: If something is not there or cannot be read.
        ValueError: If the weights are not those of the model.
    """
    origin = catalogue.source(Pengi.name)
    path = catalogue.place(origin, weights)
    text, spoken = (parts.text_part(origin, path, number) for number in (0, 1))
    model = Model(text.config, spoken.config)
    checkpoints.fit(model, checkpoints.read(path), path.name)
    return Pengi(model, parts.Words(text.name, TOKENS), parts.Words(spoken.name, 77))
