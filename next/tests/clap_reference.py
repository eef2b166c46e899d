"""The published model in plain torch functions: slow, one clip at a time, no transformers.

Everything is computed in float64 from a state dict under the names of the release, so that it
checks the reading of these names as well as the sums. Source: wav2vec 2.0 (Baevski et al., 2020),
BERT (Devlin et al., 2019), ParaCLAP (Jing et al., 2024), section 2.1.
"""

from __future__ import annotations

import torch
from torch.nn import functional

AUDIO, TEXT = "audio_branch.base.", "text_branch.base."


def layer_norm(hidden, weights, name, epsilon):
    mean = hidden.mean(-1, keepdim=True)
    variance = ((hidden - mean) ** 2).mean(-1, keepdim=True)
    scaled = (hidden - mean) / (variance + epsilon).sqrt()
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def linear(hidden, weights, name):
    return hidden @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def attention(hidden, weights, names, heads):
    """Multi-head attention of ``(time, units)``; ``names`` of query, key, value and output."""
    size = hidden.shape[1] // heads
    query, key, value = (linear(hidden, weights, name) for name in names[:3])
    parts = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        scores = query[:, part] @ key[:, part].T / size**0.5
        parts.append(scores.softmax(-1) @ value[:, part])
    return linear(torch.cat(parts, 1), weights, names[3])


def front_end(signal, weights, config):
    """Convolutions over the signal, shape ``(channels, time)``."""
    hidden = signal.unsqueeze(0)
    for number, stride in enumerate(config["conv_stride"]):
        name = f"{AUDIO}feature_extractor.conv_layers.{number}"
        bias = weights.get(f"{name}.conv.bias")
        hidden = functional.conv1d(hidden, weights[f"{name}.conv.weight"], bias, stride=stride)
        if config["feat_extract_norm"] == "layer":
            hidden = layer_norm(hidden.T, weights, f"{name}.layer_norm", 1e-5).T
        elif number == 0:  # each channel over time
            scaled = hidden - hidden.mean(1, keepdim=True)
            scaled = scaled / (hidden.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
            gain, shift = (weights[f"{name}.layer_norm.{part}"] for part in ("weight", "bias"))
            hidden = scaled * gain.unsqueeze(1) + shift.unsqueeze(1)
        hidden = functional.gelu(hidden)
    return hidden


def positions(hidden, weights, config):
    """The convolution that gives frames their positions; its weight is direction times length."""
    name = f"{AUDIO}encoder.pos_conv_embed.conv"
    length, direction = (
        weights.get(f"{name}.{old}", weights.get(f"{name}.parametrizations.weight.{new}"))
        for old, new in (("weight_g", "original0"), ("weight_v", "original1"))
    )
    kernel = length * direction / (direction**2).sum((0, 1), keepdim=True).sqrt()
    width, groups = kernel.shape[2], config["num_conv_pos_embedding_groups"]
    moved = functional.conv1d(
        hidden.T, kernel, weights[f"{name}.bias"], padding=width // 2, groups=groups
    )
    return functional.gelu(moved[:, : len(hidden)]).T


def embed_audio(signal, weights, config):
    """Utterance before normalisation, shape ``(projection_dim,)``."""
    epsilon, heads = config["layer_norm_eps"], config["num_attention_heads"]
    stable = config["do_stable_layer_norm"]
    name = f"{AUDIO}feature_projection"
    hidden = layer_norm(
        front_end(signal, weights, config).T, weights, f"{name}.layer_norm", epsilon
    )
    hidden = linear(hidden, weights, f"{name}.projection")
    hidden = hidden + positions(hidden, weights, config)
    if not stable:
        hidden = layer_norm(hidden, weights, f"{AUDIO}encoder.layer_norm", epsilon)
    for number in range(config["num_hidden_layers"]):
        name = f"{AUDIO}encoder.layers.{number}"
        names = [f"{name}.attention.{part}_proj" for part in ("q", "k", "v", "out")]

        def forward(x, name=name):
            inner = linear(x, weights, f"{name}.feed_forward.intermediate_dense")
            return linear(functional.gelu(inner), weights, f"{name}.feed_forward.output_dense")

        def first(x, name=name):
            return layer_norm(x, weights, f"{name}.layer_norm", epsilon)

        def final(x, name=name):
            return layer_norm(x, weights, f"{name}.final_layer_norm", epsilon)

        if stable:
            hidden = hidden + attention(first(hidden), weights, names, heads)
            hidden = hidden + forward(final(hidden))
        else:
            hidden = first(hidden + attention(hidden, weights, names, heads))
            hidden = final(hidden + forward(hidden))
    if stable:
        hidden = layer_norm(hidden, weights, f"{AUDIO}encoder.layer_norm", epsilon)
    return project(hidden.mean(0), weights, "audio_projection")


def embed_text(tokens, weights, config):
    """Text before normalisation, shape ``(projection_dim,)``."""
    epsilon, heads = config["layer_norm_eps"], config["num_attention_heads"]
    name = f"{TEXT}embeddings"
    hidden = (
        weights[f"{name}.word_embeddings.weight"][tokens]
        + weights[f"{name}.position_embeddings.weight"][: len(tokens)]
        + weights[f"{name}.token_type_embeddings.weight"][0]
    )
    hidden = layer_norm(hidden, weights, f"{name}.LayerNorm", epsilon)
    for number in range(config["num_hidden_layers"]):
        name = f"{TEXT}encoder.layer.{number}"
        parts = ("self.query", "self.key", "self.value", "output.dense")
        names = [f"{name}.attention.{part}" for part in parts]
        hidden = hidden + attention(hidden, weights, names, heads)
        hidden = layer_norm(hidden, weights, f"{name}.attention.output.LayerNorm", epsilon)
        inner = functional.gelu(linear(hidden, weights, f"{name}.intermediate.dense"))
        hidden = hidden + linear(inner, weights, f"{name}.output.dense")
        hidden = layer_norm(hidden, weights, f"{name}.output.LayerNorm", epsilon)
    return project(hidden[0], weights, "text_projection")


def project(hidden, weights, name):
    first = weights[f"{name}.linear1.weight"] @ hidden
    second = weights[f"{name}.linear2.weight"] @ functional.gelu(first)
    return layer_norm(first + second, weights, f"{name}.layer_norm", 1e-5)


def similarity(signals, texts, weights, audio_config, text_config):
    """Scaled cosine of utterances and texts, shape ``(audio, text)``, and both embeddings."""
    weights = {name: value.double() for name, value in weights.items()}
    audio = torch.stack([embed_audio(s.double(), weights, audio_config) for s in signals])
    text = torch.stack([embed_text(tokens, weights, text_config) for tokens in texts])
    audio, text = (rows / rows.norm(dim=1, keepdim=True) for rows in (audio, text))
    return weights["logit_scale"].exp() * audio @ text.T, audio, text
