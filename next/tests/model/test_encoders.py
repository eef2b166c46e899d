"""The encoders that a model starts from."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertModel,
    Wav2Vec2Config,
    Wav2Vec2ForPreTraining,
    Wav2Vec2Model,
    WhisperConfig,
)

from paraclap.model import ParaCLAP, ParaCLAPFeatureExtractor, build
from paraclap.model.encoders import (
    load_audio_encoder,
    load_text_encoder,
    minilm_folder,
    read_config,
    read_tokenizer,
)

SMALL_AUDIO = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (8, 8),
    "conv_kernel": (10, 4),
    "conv_stride": (5, 4),
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
}
SMALL_TEXT = {"hidden_size": 12, "num_attention_heads": 2, "intermediate_size": 20}
SMALL_TEXT |= {"num_hidden_layers": 1, "vocab_size": 40, "max_position_embeddings": 16}
EMOTION = SMALL_AUDIO | {
    "_name_or_path": "torch",
    "apply_spec_augment": True,
    "architectures": ["Wav2Vec2ForSpeechClassification"],
    "do_stable_layer_norm": True,
    "feat_extract_norm": "layer",
    "finetuning_task": "wav2vec2_reg",
    "gradient_checkpointing": False,
    "hidden_dropout_prob": 0.1,
    "id2label": {"0": "arousal", "1": "dominance", "2": "valence"},
    "label2id": {"arousal": 0, "dominance": 1, "valence": 2},
    "layerdrop": 0.1,
    "mask_time_prob": 0.05,
    "model_type": "wav2vec2",
    "pooling_mode": "mean",
    "problem_type": "regression",
    "torch_dtype": "float32",
    "transformers_version": "4.17.0.dev0",
    "vocab_size": None,
}
Tensors = dict[str, torch.Tensor]


def same(encoder: torch.nn.Module, source: torch.nn.Module) -> bool:
    expected, found = source.state_dict(), encoder.state_dict()
    equal = (torch.equal(value, expected[name]) for name, value in found.items())
    return found.keys() == expected.keys() and all(equal)


# --- made here ---------------------------------------------------------------------------------


def test_the_small_encoder_is_small_and_starts_as_a_filterbank() -> None:
    encoder, extractor = load_audio_encoder("small")
    assert sum(weight.numel() for weight in encoder.parameters()) < 400_000
    assert not extractor.do_normalize
    front = encoder.feature_extractor.conv_layers[0].conv.weight[:, 0]
    hertz = torch.fft.rfft(front, n=16_000).abs().argmax(1)
    assert torch.all(hertz[:63].diff() >= 0)
    assert math.isclose(hertz[63].item(), 7600, rel_tol=0.02)


def test_a_model_is_the_same_for_the_same_seed() -> None:
    first, again, other = (
        build("smoke", "smoke", 8, 0.0, "cls", seed=seed).state_dict() for seed in (3, 3, 4)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_minilm_is_the_pretrained_encoder() -> None:
    model, tokenizer = load_text_encoder("minilm")
    model.eval()
    with torch.inference_mode():
        happy, joyful, table = (
            model(**tokenizer(word, return_tensors="pt")).last_hidden_state.mean(1)
            for word in ("happy", "joyful", "table")
        )
    near, far = (torch.cosine_similarity(happy, other) for other in (joyful, table))
    assert near > far + 0.1


# --- from folders ------------------------------------------------------------------------------


def emotion_weights(source: Wav2Vec2Model, old: bool = False) -> Tensors:
    state = {f"wav2vec2.{name}": value.clone() for name, value in source.state_dict().items()}
    for name, layer in {
        "dense": torch.nn.Linear(16, 16),
        "out_proj": torch.nn.Linear(16, 3),
    }.items():
        values = layer.state_dict().items()
        state |= {f"classifier.{name}.{part}": value for part, value in values}
    if not old:
        return state
    names = {"parametrizations.weight.original0": "weight_g"}
    names |= {"parametrizations.weight.original1": "weight_v"}
    for new, before in names.items():
        state = {key.replace(new, before): value for key, value in state.items()}
    return state


def emotion_folder(folder: Path, state: Tensors, kind: str = "bin") -> str:
    """A folder laid out as audEERING's dimensional emotion model on the hub."""
    (folder / "config.json").write_text(json.dumps(EMOTION))
    extractor = {"do_normalize": True, "feature_extractor_type": "Wav2Vec2FeatureExtractor"}
    extractor |= {"feature_size": 1, "padding_side": "right", "padding_value": 0.0}
    extractor |= {"return_attention_mask": True, "sampling_rate": 16000}
    (folder / "preprocessor_config.json").write_text(json.dumps(extractor))
    if kind == "bin":
        torch.save(state, folder / "pytorch_model.bin")
    else:
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    return str(folder)


@pytest.fixture
def source() -> Wav2Vec2Model:
    torch.manual_seed(0)
    return Wav2Vec2Model(Wav2Vec2Config(**EMOTION))


@pytest.mark.parametrize("kind", ["bin", "safetensors"])
@pytest.mark.parametrize("old", [True, False])
def test_the_emotion_encoder_keeps_every_bit_and_loses_its_head_without_a_word(
    source: Wav2Vec2Model,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    kind: str,
    old: bool,
) -> None:
    logging.getLogger("transformers").addHandler(caplog.handler)
    folder = emotion_folder(tmp_path, emotion_weights(source, old), kind)
    encoder, extractor = load_audio_encoder(folder, signals="encoder")
    logging.getLogger("transformers").removeHandler(caplog.handler)
    assert same(encoder, source)
    assert encoder.config.layerdrop == 0
    assert extractor.do_normalize and extractor.sampling_rate == 16_000
    assert not load_audio_encoder(folder)[1].do_normalize
    assert (caplog.text, *capfd.readouterr()) == ("", "", "")


def test_a_model_over_folders_keeps_their_weights_when_it_is_saved(
    source: Wav2Vec2Model, tmp_path: Path
) -> None:
    folder = emotion_folder(tmp_path, emotion_weights(source))
    text, tokenizer = load_text_encoder("smoke")
    for part in (text, tokenizer):
        part.save_pretrained(tmp_path / "text")
    model = build(folder, str(tmp_path / "text"), 8, signals="encoder")
    model.save_pretrained(tmp_path / "ours")
    for one in (model, ParaCLAP.from_pretrained(tmp_path / "ours")):
        assert same(one.audio_model, source) and same(one.text_model, text)
        assert one.processor.feature_extractor.do_normalize
        assert one.processor.feature_extractor.min_samples == 25  # (4 - 1) * 5 + 10


def test_a_pretraining_checkpoint_is_read_without_its_quantizer(tmp_path: Path) -> None:
    torch.manual_seed(0)
    sizes = {"codevector_dim": 8, "proj_codevector_dim": 8, "num_codevectors_per_group": 4}
    trained = Wav2Vec2ForPreTraining(Wav2Vec2Config(**SMALL_AUDIO, **sizes))
    trained.save_pretrained(tmp_path)
    ParaCLAPFeatureExtractor(do_normalize=False).save_pretrained(tmp_path)
    assert same(load_audio_encoder(str(tmp_path))[0], trained.wav2vec2)


def test_a_text_encoder_is_read_out_of_a_masked_language_model(tmp_path: Path) -> None:
    torch.manual_seed(0)
    trained = BertForMaskedLM(BertConfig(**SMALL_TEXT | {"vocab_size": 30522}))
    trained.save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(minilm_folder()).save_pretrained(tmp_path)
    encoder, tokenizer = load_text_encoder(str(tmp_path))
    found = {name: value for name, value in encoder.state_dict().items() if "pooler" not in name}
    expected = trained.bert.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in found.items())
    assert len(tokenizer) == 30522


def test_weights_in_half_precision_are_widened(source: Wav2Vec2Model, tmp_path: Path) -> None:
    state = {name: value.half() for name, value in emotion_weights(source).items()}
    encoder, _ = load_audio_encoder(emotion_folder(tmp_path, state))
    assert {value.dtype for value in encoder.state_dict().values()} == {torch.float32}
    assert same(encoder, source.half().float())


# --- what is refused ---------------------------------------------------------------------------

KEY = "wav2vec2.encoder.layers.0.attention.k_proj.weight"
NORM = "wav2vec2.encoder.layer_norm.bias"
OTHER = "wav2vec2.encoder.layers.1.layer_norm.bias"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({KEY: None}, r"1 missing weights .*layers\.0\.attention\.k_proj\.wei"),
        ({OTHER: torch.zeros(16)}, rf"1 unexpected weights .*{OTHER}"),
        ({NORM: torch.zeros(17)}, r"1 misshapen weights .*bias \(17,\) for \(16,\)"),
        ({NORM: torch.full((16,), math.nan)}, r"1 NaN or infinite weights"),
    ],
)
def test_weights_that_are_not_those_of_the_encoder_are_named(
    source: Wav2Vec2Model, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    state = emotion_weights(source) | change
    state = {name: value for name, value in state.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        load_audio_encoder(emotion_folder(tmp_path, state))


def test_the_mask_vector_may_be_missing(source: Wav2Vec2Model, tmp_path: Path) -> None:
    state = emotion_weights(source)
    del state["wav2vec2.masked_spec_embed"]
    encoder, _ = load_audio_encoder(emotion_folder(tmp_path, state))
    assert torch.equal(encoder.encoder.layer_norm.weight, source.encoder.layer_norm.weight)


def test_preprocessing_is_not_guessed(source: Wav2Vec2Model, tmp_path: Path) -> None:
    folder = emotion_folder(tmp_path, emotion_weights(source))
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(OSError, match=r"No feature extractor at .*preprocessor_config\.json"):
        load_audio_encoder(folder)


@pytest.mark.parametrize("kind", ["cut", "code", "none"])
def test_weights_that_cannot_be_read_are_an_error(
    source: Wav2Vec2Model, tmp_path: Path, kind: str
) -> None:
    folder = emotion_folder(tmp_path, emotion_weights(source))
    file = tmp_path / "pytorch_model.bin"
    if kind == "cut":
        file.write_bytes(file.read_bytes()[:2000])
    elif kind == "code":
        torch.save({"wav2vec2.x": Trap(tmp_path / "trap")}, file)
    else:
        file.unlink()
    with pytest.raises(OSError, match=r"No weights that can be read at .* again"):
        load_audio_encoder(folder)
    assert not (tmp_path / "trap").exists()


class Trap:
    """Creates a file when a careless reader unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    BertModel(BertConfig(**SMALL_TEXT)).save_pretrained(tmp_path)
    with pytest.raises(OSError, match=r"No tokenizer at .*\(it has no words\)"):
        load_text_encoder(str(tmp_path))


def test_other_kinds_of_models_are_refused_before_their_weights_are_read(
    model_folder: Path, tmp_path: Path
) -> None:
    WhisperConfig().save_pretrained(tmp_path)
    for name, kind in ((tmp_path, "whisper"), (model_folder, "paraclap")):
        with pytest.raises(ValueError, match=f"Bad audio encoder '{kind}', expected one that"):
            load_audio_encoder(str(name))
    with pytest.raises(ValueError, match="Bad text encoder 'paraclap', expected one that"):
        load_text_encoder(str(model_folder))


def test_code_beside_weights_is_refused_and_nobody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("somebody was asked"))
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'pwned')!r}, 'w')\n")
    classes = ("AutoConfig", "AutoModel", "AutoTokenizer", "AutoFeatureExtractor")
    for name in ("config.json", "preprocessor_config.json", "tokenizer_config.json"):
        values = {"model_type": "mine", "auto_map": dict.fromkeys(classes, "mine.Mine")}
        (tmp_path / name).write_text(json.dumps(values))
    for read in (read_config, read_tokenizer):
        with pytest.raises(OSError, match=r"No .* at .*, expected"):
            read(tmp_path)
    assert not (tmp_path / "pwned").exists()
