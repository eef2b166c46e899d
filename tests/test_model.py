import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    AutoFeatureExtractor,
    AutoModel,
    AutoProcessor,
    BertConfig,
    BertModel,
    HubertConfig,
    Wav2Vec2Config,
    Wav2Vec2Model,
    WavLMConfig,
    pipeline,
)

from paraclap.configuration import ParaCLAPConfig
from paraclap.loss import contrastive
from paraclap.model import ParaCLAP, Projection
from paraclap.processor import ParaCLAPFeatureExtractor
from paraclap.towers import audio_tower, build, text_tower

TINY = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (8, 8),
    "conv_kernel": (10, 4),
    "conv_stride": (5, 4),
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
    "mask_time_prob": 0.0,
    "layerdrop": 0.0,
}


def signals(*samples: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.normal(0, 0.1, n).astype(np.float32) for n in samples]


def embed(model: ParaCLAP, batch: list[np.ndarray]) -> torch.Tensor:
    with torch.inference_mode():
        inputs = model.processor(audio=batch, sampling_rate=16_000)
        return torch.nn.functional.normalize(model.get_audio_features(**inputs), dim=-1)


def alone(model: ParaCLAP, batch: list[np.ndarray]) -> torch.Tensor:
    return torch.cat([embed(model, [signal]) for signal in batch])


@given(st.lists(st.integers(300, 20_000), min_size=2, max_size=5), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_batch_of_many_equals_batches_of_one(samples: list[int], seed: int) -> None:
    model = build("smoke", "smoke", 16, 0.0, "mean", seed=1).eval()
    batch = signals(*samples, seed=seed)
    torch.testing.assert_close(embed(model, batch), alone(model, batch), atol=1e-4, rtol=0)


# torch warns of the two kinds of mask that transformers' WavLM passes to it
@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask:UserWarning")
@pytest.mark.parametrize("config", [Wav2Vec2Config, HubertConfig, WavLMConfig])
@pytest.mark.parametrize("norm", ["layer", "group"])
def test_padding_is_not_heard_by_any_family_of_towers(config: type, norm: str) -> None:
    torch.manual_seed(0)
    audio = AutoModel.from_config(config(**TINY, feat_extract_norm=norm))
    model = build("smoke", "smoke", 16, 0.0, "mean", seed=1)
    model = ParaCLAP.from_towers(audio, model.text_model, model.processor, projection_dim=8).eval()
    batch = signals(5000, 900, 5000, 3333)
    torch.testing.assert_close(embed(model, batch), alone(model, batch), atol=1e-4, rtol=0)


def test_padded_queries_equal_single_ones(model: ParaCLAP) -> None:
    queries = ["is loud", "has a low pitch and is of average duration and speaker is angry"]
    with torch.inference_mode():
        many = model.get_text_features(**model.processor(text=queries))
        one = torch.cat([model.get_text_features(**model.processor(text=q)) for q in queries])
    torch.testing.assert_close(many, one, atol=1e-4, rtol=0)


def test_forward_returns_what_clap_returns(model: ParaCLAP) -> None:
    inputs = model.processor(text=["is loud", "is quiet"], audio=signals(4000, 3000))
    output = model(**inputs, return_loss=True)
    assert list(output) == [
        "loss",
        "logits_per_audio",
        "logits_per_text",
        "text_embeds",
        "audio_embeds",
    ]
    cosine = output.audio_embeds @ output.text_embeds.T
    torch.testing.assert_close(output.logits_per_audio, cosine / 0.07, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(output.logits_per_audio, output.logits_per_text.T)
    torch.testing.assert_close(output.audio_embeds.norm(dim=-1), torch.ones(2))
    assert output.loss.item() == pytest.approx(contrastive(output.logits_per_audio).item())
    assert model(**inputs).loss is None


def test_projection_is_that_of_the_paper() -> None:
    torch.manual_seed(0)
    head = Projection(6, 4, 0.5).eval()
    hidden = torch.randn(3, 6)
    first = hidden @ head.linear1.weight.T
    inner = first + torch.nn.functional.gelu(first) @ head.linear2.weight.T
    expected = (inner - inner.mean(1, keepdim=True)) / (
        inner.var(1, unbiased=False, keepdim=True) + 1e-5
    ).sqrt()
    torch.testing.assert_close(head(hidden), expected)


def test_pooling_is_cls_or_mean() -> None:
    for pooling in ("cls", "mean"):
        model = build("smoke", "smoke", 8, 0.0, pooling, seed=0).eval()
        inputs = model.processor(text=["is loud", "has a high pitch and is short"])
        with torch.inference_mode():
            hidden = model.text_model(**inputs).last_hidden_state
            pooled = model.pool_text(**inputs)
        first = hidden[0, 0] if pooling == "cls" else hidden[0, :4].mean(0)
        torch.testing.assert_close(pooled[0], first)
    with pytest.raises(ValueError, match="Bad text_pooling 'max'"):
        ParaCLAPConfig(text_pooling="max")


def test_save_and_load_keep_every_bit(model: ParaCLAP, saved: Path) -> None:
    batch = signals(4000, 9000)
    again = ParaCLAP.from_pretrained(saved)
    assert not again.training
    assert (saved / "model.safetensors").exists()
    assert torch.equal(embed(model, batch), embed(again, batch))
    auto = AutoModel.from_pretrained(saved)
    auto.processor = AutoProcessor.from_pretrained(saved)
    assert torch.equal(embed(model, batch), embed(auto, batch))
    assert isinstance(AutoFeatureExtractor.from_pretrained(saved), ParaCLAPFeatureExtractor)


def test_same_input_gives_the_same_bits(model: ParaCLAP) -> None:
    batch = signals(4000, 200_000)
    assert torch.equal(embed(model, batch), embed(model, batch))


def test_transformers_pipeline_agrees_with_the_model(model: ParaCLAP, saved: Path) -> None:
    signal = signals(8000)[0]
    ask = pipeline("zero-shot-audio-classification", model=str(saved))
    answers = ask(signal, candidate_labels=["angry", "sad"], hypothesis_template="speaker is {}")
    inputs = model.processor(text=["speaker is angry", "speaker is sad"], audio=[signal])
    with torch.inference_mode():
        expected = model(**inputs).logits_per_audio.softmax(-1)[0]
    got = {answer["label"]: answer["score"] for answer in answers}
    assert got["angry"] == pytest.approx(expected[0].item(), abs=1e-5)


def test_the_level_of_a_signal_is_heard(model: ParaCLAP) -> None:
    loud = signals(8000)[0]
    assert (embed(model, [loud]) - embed(model, [loud / 30])).abs().max() > 1e-3


def test_towers_are_the_same_for_the_same_seed() -> None:
    first, again, other = (
        build("smoke", "smoke", 8, 0.0, "cls", seed=seed).state_dict() for seed in (3, 3, 4)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_pretrained_towers_keep_their_weights(tmp_path: Path) -> None:
    audio = Wav2Vec2Model(Wav2Vec2Config(**TINY, feat_extract_norm="layer"))
    text, tokenizer = text_tower("smoke")
    for part in (audio, ParaCLAPFeatureExtractor(do_normalize=True)):
        part.save_pretrained(tmp_path / "audio")
    for part in (text, tokenizer):
        part.save_pretrained(tmp_path / "text")
    model = build(str(tmp_path / "audio"), str(tmp_path / "text"), 8, 0.5, "cls", seed=0)
    assert model.processor.feature_extractor.do_normalize
    assert model.processor.feature_extractor.shortest == 25  # (4 - 1) * 5 + 10
    for tower, source in ((model.audio_model, audio), (model.text_model, text)):
        expected = source.state_dict()
        assert all(torch.equal(value, expected[name]) for name, value in tower.state_dict().items())


def test_minilm_is_the_pretrained_encoder() -> None:
    model, tokenizer = text_tower("minilm")
    model.eval()
    with torch.inference_mode():
        happy, joyful, table = (
            model(**tokenizer(word, return_tensors="pt")).last_hidden_state.mean(1)
            for word in ("happy", "joyful", "table")
        )
    near, far = (torch.cosine_similarity(happy, other) for other in (joyful, table))
    assert near > far + 0.1


def test_tower_that_reads_no_waveform_is_refused() -> None:
    audio = BertModel(BertConfig(hidden_size=8, num_attention_heads=2, num_hidden_layers=1))
    model = build("smoke", "smoke", 8, 0.0, "cls", seed=0)
    with pytest.raises(ValueError, match="Bad audio encoder 'bert', expected one that reads wave"):
        ParaCLAP.from_towers(audio, model.text_model, model.processor)


def test_signal_shorter_than_a_frame_is_extended_not_refused() -> None:
    model = build("smoke", "smoke", 8, 0.0, "cls", seed=0).eval()
    assert torch.isfinite(embed(model, signals(3))).all()


def test_wrong_sampling_rate_is_refused(model: ParaCLAP) -> None:
    with pytest.raises(ValueError, match="16000"):
        model.processor(audio=signals(4000), sampling_rate=8000)


def test_unreadable_weights_are_an_error(saved: Path) -> None:
    weights = saved / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(OSError, match=r"Unreadable weights in .*: copy the folder again"):
        ParaCLAP.from_pretrained(saved)


def test_model_of_another_architecture_is_refused(saved: Path) -> None:
    config = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps(config | {"model_type": "clap"}))
    with pytest.raises(ValueError, match=r"Bad model_type 'clap' .* expected 'paraclap'"):
        ParaCLAP.from_pretrained(saved)


def test_weights_of_another_shape_are_refused(saved: Path) -> None:
    config = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps(config | {"projection_dim": 32}))
    with pytest.raises(ValueError, match=r"mismatched keys|size mismatch"):
        ParaCLAP.from_pretrained(saved)


def test_weights_that_lack_a_tower_are_refused(model: ParaCLAP, saved: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(saved / "model.safetensors")
    kept = {name: value for name, value in weights.items() if "audio_model" not in name}
    save_file(kept, saved / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"missing keys .*audio_model"):
        ParaCLAP.from_pretrained(saved)


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No model at '.*nowhere', expected a folder"):
        ParaCLAP.from_pretrained(tmp_path / "nowhere")


def test_small_tower_is_small_and_starts_as_a_filterbank() -> None:
    tower, extractor = audio_tower("small")
    assert sum(weight.numel() for weight in tower.parameters()) < 400_000
    assert not extractor.do_normalize
    front = tower.feature_extractor.conv_layers[0].conv.weight[:, 0]
    hertz = torch.fft.rfft(front, n=16_000).abs().argmax(1)
    assert torch.all(hertz[:63].diff() >= 0)
    assert math.isclose(hertz[63].item(), 7600, rel_tol=0.02)
