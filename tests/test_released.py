import io
import json
import logging
import pickle
from pathlib import Path

import clap_reference as reference
import huggingface_hub
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch.nn.functional import normalize
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertModel,
    Wav2Vec2Config,
    Wav2Vec2ForPreTraining,
    Wav2Vec2Model,
)

from paraclap import pretrained, released, weights
from paraclap.loss import contrastive
from paraclap.model import ParaCLAP
from paraclap.processor import ParaCLAPFeatureExtractor
from paraclap.towers import audio_tower, build, minilm_folder, text_tower

DATA = Path(__file__).parent / "data" / "official-tiny"
AUDIO_CONFIG, TEXT_CONFIG = DATA / "audio_config.json", DATA / "text_config.json"
OLD_NAMES = {"parametrizations.weight.original0": "weight_g"}
OLD_NAMES |= {"parametrizations.weight.original1": "weight_v"}
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
SMALL_TEXT = {
    "hidden_size": 12,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "vocab_size": 40,
    "max_position_embeddings": 16,
}


@pytest.fixture(scope="module")
def given_io() -> dict[str, torch.Tensor]:
    with np.load(DATA / "io.npz") as file:
        return {name: torch.from_numpy(file[name]) for name in file}


@pytest.fixture
def model() -> ParaCLAP:
    return ParaCLAP.from_released(DATA / "best.pth.tar", AUDIO_CONFIG, TEXT_CONFIG)


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    return torch.load(DATA / "best.pth.tar", weights_only=True)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


def load(path: Path, **changes: object) -> ParaCLAP:
    configs = {"audio_config": AUDIO_CONFIG, "text_config": TEXT_CONFIG} | changes
    return ParaCLAP.from_released(path, **configs)


def saved(state: object, folder: Path) -> Path:
    torch.save(state, folder / "best.pth.tar")
    return folder / "best.pth.tar"


def waves(given_io: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    return [given_io[f"wave_{number}"] for number in range(5)]


def padded(signals: list[torch.Tensor]) -> dict[str, torch.Tensor]:
    batch = torch.nn.utils.rnn.pad_sequence(signals, batch_first=True)
    lengths = torch.tensor([len(signal) for signal in signals])
    mask = (torch.arange(batch.shape[1]) < lengths.unsqueeze(1)).long()
    return {"input_values": batch, "audio_attention_mask": mask}


def alone(model: ParaCLAP, signals: list[torch.Tensor]) -> torch.Tensor:
    with torch.inference_mode():
        return torch.cat([model.get_audio_features(signal[None]) for signal in signals])


def close(got: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(got.double(), expected.double(), atol=tolerance, rtol=0)


# --- the numbers of the authors' code ----------------------------------------------------------


def test_embeddings_are_those_of_the_authors(model, given_io):
    with torch.inference_mode():
        text = model.get_text_features(given_io["input_ids"], given_io["attention_mask"])
    audio = alone(model, waves(given_io))
    close(audio, given_io["audio_embedding"])
    close(text, given_io["text_embedding"])
    close(normalize(audio, dim=-1), normalize(given_io["audio_embedding"], dim=-1))
    close(normalize(text, dim=-1), normalize(given_io["text_embedding"], dim=-1))


def test_similarity_and_temperature_are_those_of_the_authors(model, given_io):
    assert not model.training
    close(model.temperature.detach(), given_io["logit_scale_exp"])
    with torch.inference_mode():
        text = model.get_text_features(given_io["input_ids"], given_io["attention_mask"])
        output = model.compare(alone(model, waves(given_io)), text)
    close(output.logits_per_audio, given_io["similarity"])
    close(output.logits_per_text, given_io["similarity"].T)


def test_both_losses_are_those_of_the_authors(model, given_io):
    with torch.inference_mode():
        audio = alone(model, waves(given_io))
        text = model.get_text_features(given_io["input_ids"], given_io["attention_mask"])
        cosine = model.compare(audio, text, return_loss=True).loss
        plain = contrastive(model.temperature * audio @ text.T)
    close(cosine, given_io["loss_cosine"])
    close(plain, given_io["loss_unnormalised"])


def test_a_padded_batch_gives_what_the_authors_got_one_by_one(model, given_io):
    texts = {name: given_io[name] for name in ("input_ids", "attention_mask")}
    with torch.inference_mode():
        output = model(**texts, **padded(waves(given_io)), return_loss=True)
    close(output.audio_embeds, normalize(given_io["audio_embedding"], dim=-1), 1e-4)
    close(output.logits_per_audio, given_io["similarity"], 1e-4)
    close(output.loss, given_io["loss_cosine"], 1e-4)


# --- other sizes against plain torch -----------------------------------------------------------


def random_release(audio: Wav2Vec2Config, text: BertConfig, size: int, seed: int) -> dict:
    """A state dict in the naming of the release, every weight random."""
    torch.manual_seed(seed)
    heads = {}
    for name, inputs in (("audio", audio.hidden_size), ("text", text.hidden_size)):
        heads[f"{name}_projection.linear1.weight"] = torch.empty(size, inputs)
        heads[f"{name}_projection.linear2.weight"] = torch.empty(size, size)
        heads[f"{name}_projection.layer_norm.weight"] = torch.empty(size)
        heads[f"{name}_projection.layer_norm.bias"] = torch.empty(size)
    state = {"logit_scale": torch.empty(()), **heads}
    state |= {f"audio_branch.base.{k}": v for k, v in Wav2Vec2Model(audio).state_dict().items()}
    state |= {f"text_branch.base.{k}": v for k, v in BertModel(text).state_dict().items()}
    return {name: 0.5 * torch.randn(value.shape) for name, value in state.items()}


def renamed(state: dict, names: dict[str, str]) -> dict:
    for new, old in names.items():
        state = {key.replace(new, old): value for key, value in state.items()}
    return state


@given(
    heads=st.sampled_from([1, 2, 4]),
    layers=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    size=st.integers(2, 24),
    norm=st.sampled_from(["layer", "group"]),
    stable=st.booleans(),
    bias=st.booleans(),
    width=st.sampled_from([3, 8]),
    masks=st.sampled_from([0.0, 0.05]),
    old=st.booleans(),
    buffers=st.booleans(),
    parallel=st.booleans(),
    seed=st.integers(0, 99),
)
@settings(max_examples=20, deadline=None)
def test_any_size_equals_plain_torch(
    tmp_path_factory,
    heads,
    layers,
    size,
    norm,
    stable,
    bias,
    width,
    masks,
    old,
    buffers,
    parallel,
    seed,
):
    audio = SMALL_AUDIO | {"num_attention_heads": heads, "num_hidden_layers": layers[0]}
    audio |= {"feat_extract_norm": norm, "do_stable_layer_norm": stable, "conv_bias": bias}
    audio = Wav2Vec2Config(**audio | {"num_conv_pos_embeddings": width, "mask_time_prob": masks})
    text = BertConfig(**SMALL_TEXT | {"num_hidden_layers": layers[1]})
    state = random_release(audio, text, size, seed)
    state = renamed(state, OLD_NAMES) if old else state
    signals = [torch.randn(length) for length in (900, 400, 1501)]
    tokens = [torch.randint(1, 40, (length,)) for length in (3, 1, 7)]
    logits, *embeds = reference.similarity(signals, tokens, state, audio.to_dict(), text.to_dict())
    if buffers:
        state["text_branch.base.embeddings.position_ids"] = torch.arange(16)[None]
    if parallel:
        state = {f"module.{key}": value for key, value in state.items()}
    path = saved(state, tmp_path_factory.mktemp("release"))
    model = ParaCLAP.from_released(path, audio, text)
    with torch.inference_mode():
        voices = normalize(alone(model, signals), dim=-1)
        texts = torch.cat([model.get_text_features(row[None]) for row in tokens])
    close(voices, embeds[0])
    close(normalize(texts, dim=-1), embeds[1])
    ids = torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True)
    with torch.inference_mode():
        output = model(input_ids=ids, attention_mask=(ids > 0).long(), **padded(signals))
    close(output.logits_per_audio, logits, 1e-4 * max(1.0, model.temperature.item()))


def test_the_reference_gives_the_numbers_of_the_authors(given_io, state):
    configs = [json.loads(path.read_text()) for path in (AUDIO_CONFIG, TEXT_CONFIG)]
    rows = zip(given_io["input_ids"], given_io["attention_mask"].bool(), strict=True)
    tokens = [row[mask] for row, mask in rows]
    logits, _, _ = reference.similarity(waves(given_io), tokens, state, *configs)
    close(logits, given_io["similarity"])


# --- what may be given -------------------------------------------------------------------------


def test_a_folder_and_the_state_dict_of_a_training_checkpoint_are_read(model, state, tmp_path):
    assert load(DATA).state_dict().keys() == model.state_dict().keys()
    training = {"epoch": 3, "state_dict": state, "optimizer": {"lr": 1e-3}}
    again = load(saved(training, tmp_path)).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in model.state_dict().items())


def test_files_of_older_torch_are_read(model, state, tmp_path):
    path = tmp_path / "old.pth"
    torch.save(state, path, _use_new_zipfile_serialization=False)
    again = load(path).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in model.state_dict().items())


def test_configurations_may_be_objects_files_or_folders_and_stay_as_they_were(state, tmp_path):
    path = saved(state, tmp_path)
    audio = Wav2Vec2Config(**json.loads(AUDIO_CONFIG.read_text()), dtype="float16")
    text = BertConfig(**json.loads(TEXT_CONFIG.read_text()))
    before = audio.to_json_string(), text.to_json_string()
    text.save_pretrained(tmp_path / "text")
    model = ParaCLAP.from_released(path, audio, tmp_path / "text")
    assert model.processor is None  # a folder without a tokenizer
    assert {value.dtype for value in model.state_dict().values()} == {torch.float32}
    assert (audio.to_json_string(), text.to_json_string()) == before
    assert model.config.projection_dim == 40


def test_a_mask_vector_that_the_configuration_has_no_use_for_is_left_out(given_io, tmp_path):
    values = json.loads(AUDIO_CONFIG.read_text()) | {"mask_time_prob": 0.0}
    (tmp_path / "audio.json").write_text(json.dumps(values))
    model = load(DATA, audio_config=tmp_path / "audio.json")
    close(alone(model, waves(given_io)), given_io["audio_embedding"])


# --- tokenizer, feature extractor, folder ------------------------------------------------------


@pytest.fixture
def with_words(tmp_path: Path) -> tuple[Path, Wav2Vec2Config, Path]:
    """A release whose text tower has the vocabulary of MiniLM, and the folder of that tower."""
    audio = Wav2Vec2Config(**SMALL_AUDIO, feat_extract_norm="layer")
    text = BertConfig(**SMALL_TEXT | {"vocab_size": 30522})
    text.save_pretrained(tmp_path / "bert")
    AutoTokenizer.from_pretrained(minilm_folder()).save_pretrained(tmp_path / "bert")
    return saved(random_release(audio, text, 8, 0), tmp_path), audio, tmp_path / "bert"


def test_signals_are_read_as_they_are_and_words_by_the_tokenizer_of_the_tower(with_words):
    path, audio, text = with_words
    model = ParaCLAP.from_released(path, audio, text)
    signal = np.linspace(0.1, 0.7, 2000, dtype=np.float32)
    inputs = model.prepare(text=["angry"], audio=[signal])
    np.testing.assert_array_equal(inputs["input_values"][0].numpy(), signal)
    assert model.processor.feature_extractor.shortest == 25
    assert model.processor.tokenizer.decode(inputs["input_ids"][0]) == "[CLS] angry [SEP]"


@pytest.mark.parametrize("kind", ["object", "folder", "path"])
def test_a_tokenizer_may_be_an_object_or_a_folder(with_words, kind):
    path, audio, text = with_words
    given = {"object": AutoTokenizer.from_pretrained(text), "folder": str(text), "path": text}
    model = ParaCLAP.from_released(path, audio, text / "config.json", given[kind])
    assert len(model.prepare(text="happy")["input_ids"][0]) == 3
    assert ParaCLAP.from_released(path, audio, text / "config.json").processor is None


def test_save_and_load_keep_every_bit(with_words, tmp_path):
    model = ParaCLAP.from_released(*with_words)
    model.save_pretrained(tmp_path / "ours")
    assert (tmp_path / "ours" / "model.safetensors").is_file()
    again = ParaCLAP.from_pretrained(tmp_path / "ours")
    signal = np.random.default_rng(0).normal(0, 0.1, 3000).astype(np.float32)
    with torch.inference_mode():
        first, second = (
            m(**m.prepare(text=["happy", "sad"], audio=[signal])) for m in (model, again)
        )
    assert torch.equal(first.audio_embeds, second.audio_embeds)
    assert torch.equal(first.text_embeds, second.text_embeds)
    assert torch.equal(first.logits_per_audio, second.logits_per_audio)
    assert not again.processor.feature_extractor.do_normalize


def test_without_a_tokenizer_tensors_are_read_and_words_are_refused(model, given_io, tmp_path):
    model.save_pretrained(tmp_path / "ours")
    again = ParaCLAP.from_pretrained(tmp_path / "ours")
    inputs = {name: given_io[name] for name in ("input_ids", "attention_mask")}
    inputs["input_values"] = given_io["wave_0"][None]
    with torch.inference_mode():
        first, second = model(**inputs), again(**inputs)
    assert torch.equal(first.logits_per_audio, second.logits_per_audio)
    assert again.processor is None
    for asked in ({"text": "happy"}, {"audio": given_io["wave_0"].numpy()}):
        with pytest.raises(
            ValueError, match=r"no tokenizer and no feature ext.*model\.processor ="
        ):
            again.prepare(**asked)


def test_a_processor_can_be_given_later(with_words):
    path, audio, text = with_words
    model = ParaCLAP.from_released(path, audio, text / "config.json")
    model.processor = released.processor(model, text)
    assert len(model.prepare(text="happy")["input_ids"][0]) == 3


def test_a_tokenizer_with_more_words_than_the_tower_is_refused():
    with pytest.raises(
        ValueError, match="Bad tokenizer with 30522 tokens, expected at most the 120"
    ):
        load(DATA, tokenizer=minilm_folder())


def test_a_folder_with_only_a_configuration_is_no_tokenizer(tmp_path):
    BertConfig(**SMALL_TEXT).save_pretrained(tmp_path)
    with pytest.raises(OSError, match=r"No tokenizer at .* \(it knows no words\)"):
        load(DATA, tokenizer=tmp_path)


# --- what is refused ---------------------------------------------------------------------------


class Code:
    """Creates a file when a careless reader unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("kind", ["zip", "old", "pickle", "beside weights"])
def test_code_in_a_checkpoint_is_refused_and_never_run(state, tmp_path, kind):
    trap, path = tmp_path / "trap", tmp_path / "best.pth.tar"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Code(trap)))
    elif kind == "old":
        torch.save({"x": Code(trap)}, path, _use_new_zipfile_serialization=False)
    else:
        torch.save(Code(trap) if kind == "zip" else {**state, "x": Code(trap)}, path)
    with pytest.raises(OSError, match=r"Refused checkpoint best\.pth\.tar.* Nothing in it was run"):
        load(path)
    assert not trap.exists()


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "best.pth.tar").touch()
    with pytest.raises(OSError, match=r"Empty checkpoint best\.pth\.tar, 0 bytes: download"):
        load(tmp_path)


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("share", [0.001, 0.3, 0.9, 0.999])
def test_a_cut_file_is_refused(state, tmp_path, new, share):
    stream = io.BytesIO()
    torch.save(state, stream, _use_new_zipfile_serialization=new)
    whole = stream.getvalue()
    (tmp_path / "best.pth.tar").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(OSError, match=r"(Unreadable|Refused) checkpoint best\.pth\.tar.* download"):
        load(tmp_path)


def test_a_text_file_is_refused(tmp_path):
    (tmp_path / "best.pth.tar").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(OSError, match=r"Refused checkpoint best\.pth\.tar.* or it is damaged"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "got list, expected a state dict"),
        (torch.zeros(3), "got Tensor, expected a state dict"),
        ({}, "got an empty mapping"),
        ({"epoch": 3, "weights": {}}, r"no tensor in 2 of its entries \(first: \['epoch', 'wei"),
        ({"state_dict": {}}, "got an empty mapping"),
        ({"conv.weight": torch.zeros(3)}, r"got \['conv.weight'\], expected 'audio_projection"),
        ({"x": torch.tensor([1, float("nan")])}, r"NaN or infinite values in 1 of its weights"),
        ({released.WIDTH: torch.zeros(3)}, r"got one of shape \(3,\), expected 'audio_proj"),
    ],
)
def test_what_is_no_state_dict_of_such_a_model_is_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=rf"Bad checkpoint best\.pth\.tar: {message}"):
        load(saved(content, tmp_path))


def test_a_weight_under_both_of_its_names_is_refused(state, tmp_path):
    both = state | renamed({k: v for k, v in state.items() if "pos_conv" in k}, OLD_NAMES)
    with pytest.raises(ValueError, match=r"two weights for '.*original0', expected one"):
        load(saved(both, tmp_path))


@pytest.mark.parametrize("part", ["audio_branch.base.masked", "text_branch.base.pooler"])
def test_missing_weights_are_named(state, tmp_path, part):
    kept = {name: value for name, value in state.items() if not name.startswith(part)}
    lost = sorted(name.replace("_branch.base.", "_model.") for name in state.keys() - kept.keys())
    with pytest.raises(ValueError, match=rf"{len(lost)} missing weights in best.* \['{lost[0]}'"):
        load(saved(kept, tmp_path))


def test_unexpected_weights_are_named_five_at_most(state, tmp_path):
    more = state | {f"extra.{number}": torch.zeros(1) for number in range(7)}
    with pytest.raises(ValueError, match=r"7 unexpected weights .*'extra\.4'\]\)") as error:
        load(saved(more, tmp_path))
    assert "extra.5" not in str(error.value)


def test_weights_of_other_shapes_are_named_with_both_shapes(state, tmp_path):
    values = json.loads(TEXT_CONFIG.read_text()) | {"vocab_size": 121}
    (tmp_path / "text.json").write_text(json.dumps(values))
    expected = r"1 misshapen weights .*word_embeddings\.weight \(120, 24\) for \(121, 24\)"
    with pytest.raises(ValueError, match=expected):
        load(DATA, text_config=tmp_path / "text.json")


def test_a_checkpoint_that_is_not_there_is_an_error_that_says_what_is_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No checkpoint at '.*/nowhere\.pth', expected a"):
        load(tmp_path / "nowhere.pth")
    with pytest.raises(FileNotFoundError, match=r"No checkpoint at '.*/best\.pth\.tar', expected"):
        load(tmp_path)


@pytest.mark.usefixtures("offline")
def test_without_a_network_it_is_said_what_to_download_by_hand(tmp_path):
    address = r"https://huggingface\.co/KeiKinn/paraclap/resolve/main/best\.pth\.tar"
    with pytest.raises(OSError, match=rf"No checkpoint at 'KeiKinn/paraclap'.*{address}"):
        load("KeiKinn/paraclap")
    with pytest.raises(
        OSError, match="No configuration of an encoder at 'audeering/wav2vec2-large"
    ):
        ParaCLAP.from_released(DATA)
    with pytest.raises(OSError, match="No configuration of an encoder at 'bert-base-uncased'"):
        ParaCLAP.from_released(DATA, AUDIO_CONFIG)
    with pytest.raises(OSError, match="No tokenizer at 'bert-base-uncased'"):
        load(DATA, tokenizer="bert-base-uncased")


@pytest.mark.parametrize("text", ["{", '{"model_type": "unheard-of"}', '{"hidden_size": 3}'])
def test_a_configuration_that_cannot_be_read_is_named_without_the_whole_path(tmp_path, text):
    (tmp_path / "audio.json").write_text(text)
    named = rf"No configuration of an encoder at '{tmp_path.name}/audio\.json'"
    with pytest.raises(OSError, match=named) as error:
        load(DATA, audio_config=tmp_path / "audio.json")
    assert str(tmp_path.parent) not in str(error.value)


# --- command line ------------------------------------------------------------------------------


def test_the_command_line_converts_and_refuses_to_overwrite(with_words, tmp_path, capsys):
    path, audio, text = with_words
    audio.save_pretrained(tmp_path / "audio")
    arguments = [str(path), str(tmp_path / "ours"), "--audio-config", str(tmp_path / "audio")]
    arguments += ["--text-config", str(text)]
    assert released.main(arguments) == 0
    assert "embeddings of 8 values, reads words and signals." in capsys.readouterr().out
    model = ParaCLAP.from_pretrained(tmp_path / "ours")
    assert len(model.prepare(text="happy")["input_ids"][0]) == 3
    assert released.main(arguments) == 1
    assert "'ours/config.json' is there already" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert released.main([arguments[0], str(tmp_path / "file"), *arguments[2:]]) == 1
    assert "file' is there already, expected a new folder" in capsys.readouterr().err


def test_the_command_line_takes_a_tokenizer_and_tells_when_there_is_none(
    with_words, tmp_path, capsys
):
    path, audio, text = with_words
    audio.save_pretrained(tmp_path)
    arguments = ["--audio-config", str(tmp_path), "--text-config", str(text / "config.json")]
    assert released.main([str(path), str(tmp_path / "mute"), *arguments]) == 0
    assert "reads tensors only: give --tokenizer" in capsys.readouterr().out
    assert ParaCLAP.from_pretrained(tmp_path / "mute").processor is None
    arguments += ["--tokenizer", str(text)]
    assert released.main([str(path), str(tmp_path / "ours"), *arguments]) == 0
    assert ParaCLAP.from_pretrained(tmp_path / "ours").processor is not None


def test_the_command_line_tells_bad_input_and_writes_nothing(tmp_path, capsys):
    (tmp_path / "best.pth.tar").touch()
    assert released.main([str(tmp_path), str(tmp_path / "ours")]) == 1
    assert "Empty checkpoint best.pth.tar" in capsys.readouterr().err
    assert not (tmp_path / "ours").exists()


# --- encoders of others ------------------------------------------------------------------------

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


def emotion_weights(source: Wav2Vec2Model, old: bool) -> dict[str, torch.Tensor]:
    state = {f"wav2vec2.{name}": value.clone() for name, value in source.state_dict().items()}
    head = {"dense": torch.nn.Linear(16, 16), "out_proj": torch.nn.Linear(16, 3)}
    for name, layer in head.items():
        values = layer.state_dict().items()
        state |= {f"classifier.{name}.{part}": value for part, value in values}
    return renamed(state, OLD_NAMES) if old else state


def emotion_folder(folder: Path, state: dict[str, torch.Tensor], kind: str = "bin") -> str:
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


def same(tower: torch.nn.Module, source: torch.nn.Module) -> bool:
    expected = source.state_dict()
    found = tower.state_dict()
    return found.keys() == expected.keys() and all(
        torch.equal(value, expected[name]) for name, value in found.items()
    )


@pytest.mark.parametrize("kind", ["bin", "safetensors"])
@pytest.mark.parametrize("old", [True, False])
def test_the_emotion_encoder_keeps_every_bit_and_loses_its_head(
    source, tmp_path, caplog, kind, old
):
    logging.getLogger("transformers").addHandler(caplog.handler)
    tower, extractor = audio_tower(emotion_folder(tmp_path, emotion_weights(source, old), kind))
    logging.getLogger("transformers").removeHandler(caplog.handler)
    assert same(tower, source)
    assert tower.config.layerdrop == 0
    assert extractor.do_normalize
    assert extractor.sampling_rate == 16_000
    assert caplog.text == ""


def test_a_model_over_the_emotion_encoder_is_saved_and_loaded(source, tmp_path):
    folder = emotion_folder(tmp_path, emotion_weights(source, old=True))
    build(folder, "smoke", 8, 0.5, "cls", seed=0).save_pretrained(tmp_path / "ours")
    again = ParaCLAP.from_pretrained(tmp_path / "ours")
    assert same(again.audio_model, source)
    assert again.processor.feature_extractor.do_normalize


def test_the_emotion_folder_serves_as_audio_config_of_a_release(source, tmp_path):
    folder = emotion_folder(tmp_path, emotion_weights(source, old=True))
    text = BertConfig(**SMALL_TEXT)
    state = random_release(Wav2Vec2Config(**EMOTION), text, 8, seed=0)
    model = ParaCLAP.from_released(saved(state, tmp_path), folder, text)
    kernel = "audio_branch.base.feature_extractor.conv_layers.0.conv.weight"
    assert torch.equal(
        model.audio_model.feature_extractor.conv_layers[0].conv.weight, state[kernel]
    )


def test_weights_that_an_encoder_lacks_are_named_not_drawn(source, tmp_path):
    state = emotion_weights(source, old=False)
    del state["wav2vec2.encoder.layers.0.attention.k_proj.weight"]
    with pytest.raises(ValueError, match=r"1 missing weights .*layers\.0\.attention\.k_proj\.wei"):
        audio_tower(emotion_folder(tmp_path, state))


@pytest.mark.parametrize("name", ["wav2vec2.encoder.layers.1.layer_norm.bias", "something.bias"])
def test_weights_that_are_neither_encoder_nor_head_are_named(source, tmp_path, name):
    state = emotion_weights(source, old=False) | {name: torch.zeros(16)}
    with pytest.raises(ValueError, match=rf"1 unexpected weights .*{name}"):
        audio_tower(emotion_folder(tmp_path, state))


def test_weights_of_another_shape_than_the_encoder_are_named(source, tmp_path):
    state = emotion_weights(source, old=False)
    state["wav2vec2.encoder.layer_norm.bias"] = torch.zeros(17)
    with pytest.raises(ValueError, match=r"1 misshapen weights .*bias \(17,\) for \(16,\)"):
        audio_tower(emotion_folder(tmp_path, state))


def test_a_checkpoint_without_the_mask_vector_is_read(source, tmp_path):
    state = emotion_weights(source, old=False)
    del state["wav2vec2.masked_spec_embed"]
    tower, _ = audio_tower(emotion_folder(tmp_path, state))
    assert torch.equal(tower.encoder.layer_norm.weight, source.encoder.layer_norm.weight)


def test_a_pretraining_checkpoint_is_read_without_its_quantizer(tmp_path):
    torch.manual_seed(0)
    sizes = {"codevector_dim": 8, "proj_codevector_dim": 8, "num_codevectors_per_group": 4}
    whole = Wav2Vec2ForPreTraining(Wav2Vec2Config(**SMALL_AUDIO, **sizes))
    whole.save_pretrained(tmp_path)
    ParaCLAPFeatureExtractor(do_normalize=False).save_pretrained(tmp_path)
    tower, _ = audio_tower(str(tmp_path))
    assert same(tower, whole.wav2vec2)


def test_weights_in_half_precision_are_widened(source, tmp_path):
    state = {name: value.half() for name, value in emotion_weights(source, old=True).items()}
    tower, _ = audio_tower(emotion_folder(tmp_path, state))
    assert {value.dtype for value in tower.state_dict().values()} == {torch.float32}
    assert same(tower, source.half().float())


def test_a_missing_preprocessor_is_an_error_because_it_cannot_be_guessed(source, tmp_path):
    folder = emotion_folder(tmp_path, emotion_weights(source, old=True))
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(
        OSError, match=r"No feature extractor at .*preprocessor_config\.json of the"
    ):
        audio_tower(folder)


@pytest.mark.parametrize("kind", ["cut", "code", "none"])
def test_encoder_weights_that_cannot_be_read_are_an_error(source, tmp_path, kind):
    folder = emotion_folder(tmp_path, emotion_weights(source, old=True))
    file = tmp_path / "pytorch_model.bin"
    if kind == "cut":
        file.write_bytes(file.read_bytes()[:2000])
    elif kind == "code":
        torch.save({"wav2vec2.x": Code(tmp_path / "trap")}, file)
    else:
        file.unlink()
    with pytest.raises(OSError, match=r"No weights that can be read at .* download them again"):
        audio_tower(folder)
    assert not (tmp_path / "trap").exists()


def test_a_text_encoder_is_read_out_of_a_masked_language_model(tmp_path):
    torch.manual_seed(0)
    whole = BertForMaskedLM(BertConfig(**SMALL_TEXT | {"vocab_size": 30522}))
    whole.save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(minilm_folder()).save_pretrained(tmp_path)
    tower, tokenizer = text_tower(str(tmp_path))
    found = {name: value for name, value in tower.state_dict().items() if "pooler" not in name}
    expected = whole.bert.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in found.items())
    assert len(tokenizer) == 30522


def test_a_text_folder_without_a_tokenizer_is_refused(tmp_path):
    BertModel(BertConfig(**SMALL_TEXT)).save_pretrained(tmp_path)
    with pytest.raises(OSError, match=r"No tokenizer at .*\(it knows no words\)"):
        text_tower(str(tmp_path))


def test_errors_name_hub_ids_whole_and_paths_by_their_last_parts():
    assert pretrained.named("KeiKinn/paraclap") == "KeiKinn/paraclap"
    assert pretrained.named("/home/somebody/models/best.pth.tar") == "models/best.pth.tar"
    assert weights.first("fedcba") == list("abcde")
