"""A corpus of noise and a model of random weights: what speed needs, with nothing to download.

Files are 16-bit WAV at 16 kHz, written by Python itself; levels, emotions and genders are drawn;
the tokenizer knows the words of the queries, one token each.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import tokenizers
import torch
import transformers

from paraclap import levels, tables
from paraclap.audio import SAMPLING_RATE
from paraclap.configuration import ParaCLAPConfig
from paraclap.model import ParaCLAP
from paraclap.processor import ParaCLAPFeatureExtractor, ParaCLAPProcessor
from paraclap.queries import Pool
from paraclap.store import index_path
from paraclap.towers import frame

EMOTIONS = ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
SHARD = 256  # signals in one
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
FULL_AUDIO = {
    "hidden_size": 1024,
    "num_hidden_layers": 12,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
}
TINY = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}


def config(tiny: bool = False) -> ParaCLAPConfig:
    """The published towers: wav2vec2-large cut to 12 layers, BERT base; or tiny ones.

    Frames are masked while learning as in audEERING's configuration; whole layers are not.
    """
    small: dict[str, Any] = {"conv_dim": (8,) * 7} if tiny else {}
    small |= {"num_conv_pos_embedding_groups": 4} if tiny else {}
    audio = transformers.Wav2Vec2Config(
        **(TINY if tiny else FULL_AUDIO),
        **small,
        feat_extract_norm="layer",
        conv_bias=True,
        do_stable_layer_norm=True,
        mask_time_prob=0.05,
        layerdrop=0.0,
    )
    text = transformers.BertConfig(**(TINY if tiny else {}))
    return ParaCLAPConfig(audio_config=audio, text_config=text, projection_dim=32 if tiny else 768)


def model(config: ParaCLAPConfig, vocabulary: list[str], seed: int = 0) -> ParaCLAP:
    """A model of random weights with a processor for some queries."""
    torch.manual_seed(seed)
    made = ParaCLAP(config)
    extractor = ParaCLAPFeatureExtractor(frame(config.audio_config), do_normalize=False)
    made.processor = ParaCLAPProcessor(extractor, tokenizer(vocabulary))
    return made


def tokenizer(queries: list[str]) -> Any:
    """A tokenizer of whole words: those of some queries, and the word that joins them."""
    words = sorted({word for query in [*queries, "and"] for word in query.split()})
    numbers = {word: number for number, word in enumerate([*SPECIAL, *words])}
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel(numbers, unk_token="[UNK]"))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=512,
    )


def files(folder: Path, count: int, seconds: float) -> pd.MultiIndex:
    """Write files of noise.

    Returns:
        audformat index (file, start, end)
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:05d}.wav" for number in range(count)]
    for number, path in enumerate(paths):
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLING_RATE)
            file.writeframes(_samples(number, seconds).tobytes())
    return tables.segments([str(path) for path in paths])


def store(folder: Path, count: int, seconds: float) -> pd.MultiIndex:
    """Write an audio store of noise, as :func:`paraclap.store.build` would from :func:`files`.

    Building one needs the files and libraries that read them; a store whose files are not on this
    machine is taken as it is.

    Returns:
        audformat index of the files that there could be
    """
    folder.mkdir(parents=True, exist_ok=True)
    length, rows = round(seconds * SAMPLING_RATE), []
    for first in range(0, count, SHARD):
        numbers = range(first, min(first + SHARD, count))
        shard = f"{first:016x}.int16"
        with (folder / shard).open("wb") as stream:
            for place, number in enumerate(numbers):
                stream.write(_samples(number, seconds).tobytes())
                rows.append((shard, place * length))
    paths = [str(folder.absolute() / f"{number:05d}.wav") for number in range(count)]
    table = pd.DataFrame(rows, tables.segments(paths), ["shard", "offset"])
    table = table.assign(length=length, seconds=float(seconds), size=0, mtime_ns=0, sha256="")
    tables.write_table(table, index_path(folder))
    return table.index


def _samples(number: int, seconds: float) -> npt.NDArray[np.int16]:
    """Noise, every tenth of a second at a level of its own."""
    rng = np.random.default_rng(number)
    length, tenth = round(seconds * SAMPLING_RATE), SAMPLING_RATE // 10
    levels = rng.integers(100, 3000, -(-length // tenth)).repeat(tenth)[:length]
    return (rng.standard_normal(length, np.float32) * levels).astype("<i2")


def pool(count: int, seed: int = 0) -> Pool:
    """Queries of voices whose features, emotions and genders are drawn."""
    rng = np.random.default_rng(seed)
    columns = list(levels.FEATURES.values())
    features = pd.DataFrame(rng.standard_normal((count, len(columns))), columns=columns)
    emotion = pd.Series(rng.choice(EMOTIONS, count), dtype="str")
    gender = pd.Series(rng.choice(tables.GENDERS, count), dtype="str")
    return Pool.build(levels.assign(features, levels.fit(features)), emotion, gender)
