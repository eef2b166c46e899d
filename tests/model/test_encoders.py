"""The encoders that a model starts from."""

import json
import logging
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel, Wav2Vec2Config, Wav2Vec2Model

from paraclap.model import ParaCLAP, build, encoders
from paraclap.model.encoders import load_audio_encoder, load_text_encoder

DATA = Path(__file__).parents[1] / "data" / "official-tiny"
EMOTION = json.loads((DATA / "audio_config.json").read_text())  # audEERING's in small
EMOTION |= {"architectures": ["Wav2Vec2ForSpeechClassification"], "model_type": "wav2vec2"}
TEXT = json.loads((DATA / "text_config.json").read_text())


def same(encoder, source):
    expected, found = source.state_dict(), encoder.state_dict()
    equal = (torch.equal(value, expected[name]) for name, value in found.items())
    return found.keys() == expected.keys() and all(equal)


def test_the_small_encoder_is_small_and_starts_as_a_filterbank():
    encoder, extractor = load_audio_encoder("small")
    assert sum(weight.numel() for weight in encoder.parameters()) < 400_000
    assert not extractor.do_normalize
    front = encoder.feature_extractor.conv_layers[0].conv.weight[:, 0]
    hertz = torch.fft.rfft(front, n=16_000).abs().argmax(1)
    assert torch.all(hertz[:63].diff() >= 0)
    assert math.isclose(hertz[63].item(), 7600, rel_tol=0.02)


def test_a_model_is_the_same_for_the_same_seed():
    models = (build("smoke", "smoke", 8, 0.0, "cls", seed=seed) for seed in (3, 3, 4))
    first, again, other = (model.state_dict() for model in models)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_minilm_is_the_pretrained_encoder():
    model, tokenizer = load_text_encoder("minilm")
    model.eval()
    with torch.inference_mode():
        happy, joyful, table = (
            model(**tokenizer(word, return_tensors="pt")).last_hidden_state.mean(1)
            for word in ("happy", "joyful", "table")
        )
    near, far = (torch.cosine_similarity(happy, other) for other in (joyful, table))
    assert near > far + 0.1


def emotion_weights(source, old=False):
    state = {f"wav2vec2.{name}": value.clone() for name, value in source.state_dict().items()}
    state |= {"classifier.dense.weight": torch.zeros(32, 32), "classifier.bias": torch.zeros(3)}
    for new, before in (("original0", "g"), ("original1", "v")) if old else ():
        new = f"parametrizations.weight.{new}"
        state = {key.replace(new, f"weight_{before}"): value for key, value in state.items()}
    return state


def emotion_folder(folder, state, kind="bin"):
    """A folder laid out as audEERING's dimensional emotion model on the hub."""
    (folder / "config.json").write_text(json.dumps(EMOTION))
    extractor = {"do_normalize": True, "feature_extractor_type": "Wav2Vec2FeatureExtractor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(extractor))
    if kind == "bin":
        torch.save(state, folder / "pytorch_model.bin")
    else:
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    return str(folder)


@pytest.fixture
def source():
    torch.manual_seed(0)
    return Wav2Vec2Model(Wav2Vec2Config(**EMOTION))


@pytest.mark.parametrize(("kind", "old"), [("bin", True), ("safetensors", False)])
def test_an_emotion_encoder_quietly_loses_only_its_head(source, tmp_path, caplog, capfd, kind, old):
    logging.getLogger("transformers").addHandler(caplog.handler)
    folder = emotion_folder(tmp_path, emotion_weights(source, old), kind)
    encoder, extractor = load_audio_encoder(folder, signals="encoder")
    logging.getLogger("transformers").removeHandler(caplog.handler)
    assert same(encoder, source)
    assert encoder.config.layerdrop == 0
    assert extractor.do_normalize and extractor.sampling_rate == 16_000
    assert not load_audio_encoder(folder)[1].do_normalize
    assert (caplog.text, *capfd.readouterr()) == ("", "", "")


def test_a_model_over_folders_keeps_their_weights_when_it_is_saved(source, tmp_path):
    folder = emotion_folder(tmp_path, emotion_weights(source))
    text, tokenizer = load_text_encoder("smoke")
    for part in (text, tokenizer):
        part.save_pretrained(tmp_path / "text")
    model = build(folder, str(tmp_path / "text"), 8, signals="encoder")
    model.save_pretrained(tmp_path / "ours")
    for one in (model, ParaCLAP.from_pretrained(tmp_path / "ours")):
        assert same(one.audio_model, source) and same(one.text_model, text)
        assert one.processor.feature_extractor.do_normalize
        assert one.processor.feature_extractor.min_samples == 400
    other = build(str(tmp_path / "ours"), str(tmp_path / "ours"), 16)  # encoders of a whole model
    assert same(other.audio_model, source) and same(other.text_model, text)
    assert other.processor.feature_extractor.min_samples == 400
    build("egemaps", "smoke", 8).save_pretrained(tmp_path / "functionals")
    with pytest.raises(ValueError, match=r"reads functionals, expected waveforms .*start"):
        load_audio_encoder(str(tmp_path / "functionals"))


KEY = "wav2vec2.encoder.layers.0.attention.k_proj.weight"
NORM = "wav2vec2.encoder.layer_norm.bias"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({KEY: None}, r"'missing': \['encoder\.layers\.0\.attention\.k_proj\.weight'\]"),
        ({NORM: torch.zeros(17)}, r"'mismatched': \[\('encoder\.layer_norm\.bias', .*17"),
        ({NORM: torch.full((32,), math.nan)}, r"'not finite': \['encoder\.layer_norm\.bias'\]"),
    ],
)
def test_weights_that_are_not_those_of_the_encoder_are_named(source, tmp_path, change, message):
    state = emotion_weights(source) | change
    state = {name: value for name, value in state.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        load_audio_encoder(emotion_folder(tmp_path, state))


def test_files_that_cannot_be_read_are_an_error(source, tmp_path):
    folder = emotion_folder(tmp_path, emotion_weights(source))
    file = tmp_path / "pytorch_model.bin"
    cut = file.read_bytes()[:2000]
    for damage in (file.write_bytes, lambda _: torch.save({"wav2vec2.x": file}, file)):
        damage(cut)  # the second is an object, whose code would be run
        with pytest.raises(OSError, match=r"Cannot read model\.safetensors or .* again"):
            load_audio_encoder(folder)
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(OSError, match=r"Cannot read preprocessor_config\.json at"):
        load_audio_encoder(folder)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path):
    BertModel(BertConfig(**TEXT)).save_pretrained(tmp_path)
    with pytest.raises(OSError, match=r"No words in the tokenizer at"):
        load_text_encoder(str(tmp_path))


def test_code_beside_weights_is_refused_and_nobody_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("somebody was asked"))
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'pwned')!r}, 'w')\n")
    classes = ("AutoConfig", "AutoModel", "AutoTokenizer", "AutoFeatureExtractor")
    for name in ("config.json", "preprocessor_config.json", "tokenizer_config.json"):
        values = {"model_type": "mine", "auto_map": dict.fromkeys(classes, "mine.Mine")}
        (tmp_path / name).write_text(json.dumps(values))
    for read in (encoders.read_config, encoders.read_tokenizer):
        with pytest.raises(OSError, match=r"Cannot read .* at .*, expected"):
            read(tmp_path)
    assert not (tmp_path / "pwned").exists()
