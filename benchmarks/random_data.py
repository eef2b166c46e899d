"""A corpus of noise and encoders of random weights: what speed needs, with nothing to download.

Files are 16-bit WAV at 16 kHz; levels, emotions and genders are drawn; the tokenizer knows the
words of the queries, one token each.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import tokenizers
import transformers

import paraclap  # noqa: F401  (before the classes of transformers, which need its torchaudio)
from paraclap import tables
from paraclap.audio import SAMPLING_RATE
from paraclap.queries import FEATURES, LEVELS, QueryPool

EMOTIONS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
LARGE = {"hidden_size": 1024, "num_hidden_layers": 12, "num_attention_heads": 16}
TINY = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def corpus(folder: Path, count: int, least: float, most: float, seed: int = 0) -> pd.DataFrame:
    """Write files of noise of so many seconds, every tenth of a second at a level of its own.

    Returns their labels: every tenth file is of the dev split, the others of the train split.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    paths, tenth = [folder.absolute() / f"{number:05d}.wav" for number in range(count)], 1600
    for path in paths:
        tenths = round(10 * rng.uniform(least, most))
        level = rng.uniform(0.005, 0.1, tenths).repeat(tenth)
        signal = rng.standard_normal(tenths * tenth) * level
        soundfile.write(path, signal.clip(-1, 1), SAMPLING_RATE, subtype="PCM_16")
    labels = pd.DataFrame(index=tables.segments(paths), columns=list(tables.LABELS))
    labels["corpus"] = "noise"
    labels["split"] = np.where(np.arange(count) % 10, "train", "dev")
    labels["emotion"] = rng.choice(EMOTIONS, count)
    labels["gender"] = rng.choice(tables.GENDERS, count)
    return labels


def pool(labels: pd.DataFrame, seed: int = 0) -> QueryPool:
    """Queries of a table: its emotions and genders, and levels that are drawn."""
    drawn = np.random.default_rng(seed).choice(LEVELS, (len(labels), len(FEATURES)))
    levels = pd.DataFrame(drawn, labels.index, list(FEATURES))
    return QueryPool(levels.join(labels[["emotion", "gender"]]))


def encoders(folder: Path, vocabulary: list[str], tiny: bool = False) -> tuple[str, str]:
    """Write encoders of random weights, as :func:`paraclap.model.build` reads them; their folders.

    They are a wav2vec2-large of 12 layers and a BERT base, or tiny; the tokenizer knows the words
    of the queries in ``vocabulary``.
    """
    small = {"conv_dim": (8,) * 7, "num_conv_pos_embedding_groups": 4, "intermediate_size": 32}
    sizes = TINY | small if tiny else LARGE | {"intermediate_size": 4096}
    form = {"feat_extract_norm": "layer", "conv_bias": True, "do_stable_layer_norm": True}
    form |= {"mask_time_prob": 0.0 if tiny else 0.05, "layerdrop": 0.0}
    config = transformers.Wav2Vec2Config(**sizes, **form)
    audio, text = folder / "audio", folder / "text"
    transformers.Wav2Vec2Model(config).save_pretrained(audio)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=False).save_pretrained(audio)
    words = tokenizer(vocabulary)
    tokens = TINY | {"intermediate_size": 32} if tiny else {}
    transformers.BertModel(transformers.BertConfig(**tokens)).save_pretrained(text)
    words.save_pretrained(text)
    return str(audio), str(text)


def tokenizer(queries: list[str]) -> transformers.PreTrainedTokenizerFast:
    """A tokenizer of the words of some queries, and of the word that joins them."""
    words = sorted({word for query in [*queries, "and"] for word in query.split()})
    numbers = {word: number for number, word in enumerate([*SPECIAL, *words])}
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel(numbers, unk_token="[UNK]"))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), SPECIAL, strict=True))
    options = {"tokenizer_object": backend, "model_max_length": 512}
    return transformers.PreTrainedTokenizerFast(**options, **names)
