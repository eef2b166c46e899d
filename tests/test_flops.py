"""How much arithmetic the model asks for, against counts by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from transformers import BertConfig, Wav2Vec2Config

from paraclap import flops
from paraclap.configuration import ParaCLAPConfig
from paraclap.pairs import Batch
from paraclap.settings import Settings

UNITS, INNER, SPACE, TOKENS, SAMPLES = 24, 40, 12, 7, 6400
CHANNELS, KERNELS, STRIDES, WIDTH, GROUPS = (8, 6), (10, 4), (5, 4), 16, 4


def config(text_layers: int = 1, **changes: object) -> ParaCLAPConfig:
    layer = {"hidden_size": UNITS, "num_attention_heads": 2, "intermediate_size": INNER}
    audio = Wav2Vec2Config(
        **layer,
        num_hidden_layers=1,
        conv_dim=CHANNELS,
        conv_kernel=KERNELS,
        conv_stride=STRIDES,
        num_conv_pos_embeddings=WIDTH,
        num_conv_pos_embedding_groups=GROUPS,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
    )
    text = BertConfig(**layer, num_hidden_layers=text_layers, vocab_size=30)
    values = {"audio_config": audio, "text_config": text, "projection_dim": SPACE}
    return ParaCLAPConfig(**values | changes)


def full_size() -> ParaCLAPConfig:
    audio = Wav2Vec2Config(
        hidden_size=1024,
        num_attention_heads=16,
        intermediate_size=4096,
        feat_extract_norm="layer",
        conv_bias=True,
        do_stable_layer_norm=True,
    )
    return ParaCLAPConfig(audio_config=audio, text_config=BertConfig(), projection_dim=768)


def linear(rows: int, inputs: int, outputs: int) -> int:
    return 2 * rows * inputs * outputs


def layer(length: int) -> int:
    """Attention of four maps and two products, then a network of two layers."""
    maps = 4 * linear(length, UNITS, UNITS) + 2 * linear(length, UNITS, length)
    return maps + 2 * linear(length, UNITS, INNER)


FIRST, SECOND = linear(1, UNITS, SPACE), linear(1, SPACE, SPACE)
POOLER = linear(1, UNITS, UNITS)  # BERT's own, computed and not used


def front_end() -> tuple[int, list[int]]:
    """Frames, and the cost of each convolution over the signal."""
    length, inputs, costs = SAMPLES, 1, []
    for outputs, kernel, stride in zip(CHANNELS, KERNELS, STRIDES, strict=True):
        length = (length - kernel) // stride + 1
        costs.append(linear(length, inputs * kernel, outputs))
        inputs = outputs
    return length, costs


def voice() -> int:
    frames, costs = front_end()
    inputs = linear(frames, CHANNELS[-1], UNITS)
    places = linear(frames + 1, UNITS // GROUPS * WIDTH, UNITS)  # an even width gives one more
    return sum(costs) + inputs + places + layer(frames) + FIRST + SECOND


def test_linear_layers_alone_cost_what_a_hand_counts() -> None:
    own = config(text_layers=0)
    assert flops.forward_flops(own, tokens=TOKENS) == POOLER + FIRST + SECOND
    voice_only = flops.training_flops(own, SAMPLES, TOKENS, texts=0)
    learned = flops.training_flops(own, SAMPLES, TOKENS) - voice_only
    assert learned == POOLER + 3 * (FIRST + SECOND)
    frozen = flops.training_flops(own, SAMPLES, TOKENS, freeze_text=True) - voice_only
    assert frozen == POOLER + 2 * FIRST + 3 * SECOND


def test_a_query_costs_what_a_hand_counts() -> None:
    counted = flops.forward_flops(config(), tokens=TOKENS)
    assert counted == layer(TOKENS) + POOLER + FIRST + SECOND


def test_a_voice_costs_what_a_hand_counts() -> None:
    assert flops.forward_flops(config(), samples=SAMPLES) == voice()
    both = flops.forward_flops(config(), SAMPLES, TOKENS)
    assert both == voice() + flops.forward_flops(config(), tokens=TOKENS)


def test_learning_costs_three_forward_passes_but_for_the_gradient_of_the_signal() -> None:
    learned = flops.training_flops(config(), SAMPLES, TOKENS, texts=0)
    assert learned == 3 * voice() - front_end()[1][0]


def test_a_frozen_tower_costs_its_forward_pass() -> None:
    learned = flops.training_flops(config(), SAMPLES, TOKENS, freeze_audio=True, texts=0)
    assert learned == voice() + FIRST + 2 * SECOND


def test_a_pair_of_full_size_costs_a_third_of_a_teraflop() -> None:
    forward = flops.forward_flops(full_size(), 80_000, 40)
    learned = flops.training_flops(full_size(), 80_000, 40)
    assert learned == pytest.approx(0.34e12, rel=0.02)
    assert learned == pytest.approx(3 * forward, rel=0.001)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_the_way_to_compute_attention_changes_no_count(attention: str) -> None:
    own = config()
    own._attn_implementation = attention
    assert flops.forward_flops(own, SAMPLES, TOKENS) == flops.forward_flops(
        config(), SAMPLES, TOKENS
    )


def batch(voices: int, samples: int, texts: int, tokens: int) -> Batch:
    ids = {"input_ids": torch.zeros(texts, tokens, dtype=torch.long)} if texts else {}
    places = torch.arange(voices) % max(1, texts)
    return Batch(0, np.arange(voices), {"input_values": torch.zeros(voices, samples)}, ids, places)


def test_a_batch_counts_each_of_its_texts_once() -> None:
    settings, own = Settings(), config()
    voices = flops.of_batch(own, settings, batch(6, SAMPLES, 0, 0))
    assert voices == 6 * flops.training_flops(own, SAMPLES, 8, texts=0)
    both = flops.of_batch(own, settings, batch(6, SAMPLES, 2, 8))
    assert both == 6 * flops.training_flops(own, SAMPLES, 8, texts=2 / 6)


def test_close_lengths_count_as_one() -> None:
    settings, own = Settings(freeze_text=True), config()
    some = [flops.of_batch(own, settings, batch(2, n, 2, m)) for n, m in ((6390, 5), (6400, 8))]
    assert some[0] == some[1]
    assert flops.of_batch(own, settings, batch(2, 6401, 2, 8)) > some[0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_rate_of_a_device_is_measured(dtype: torch.dtype) -> None:
    rate = flops.peak_flops("cpu", dtype, seconds=0.1)
    assert math.isfinite(rate) and rate > 1e8
    assert flops.utilisation(rate, 2.0, rate) == 0.5


@pytest.mark.parametrize(("seconds", "peak"), [(0.0, 1.0), (1.0, 0.0)])
def test_no_time_or_no_peak_has_no_utilisation(seconds: float, peak: float) -> None:
    with pytest.raises(ValueError, match="expected both above 0"):
        flops.utilisation(1.0, seconds, peak)
