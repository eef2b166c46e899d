"""The authors' checkpoint: the same numbers, and nothing in a file is run."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from typing import Any

import clap_reference as reference
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize
from transformers import AutoTokenizer, BertConfig, BertModel, Wav2Vec2Config, Wav2Vec2Model

from paraclap.model import ParaCLAP
from paraclap.model.checkpoint import WIDTH, processor, read_weights
from paraclap.model.encoders import minilm_folder

DATA = Path(__file__).parents[1] / "data" / "official-tiny"
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
Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def numbers() -> Tensors:
    """Inputs and outputs of the authors' code."""
    with np.load(DATA / "io.npz") as file:
        return {name: torch.from_numpy(file[name]) for name in file}


@pytest.fixture
def model() -> ParaCLAP:
    return ParaCLAP.from_released(DATA / "best.pth.tar", AUDIO_CONFIG, TEXT_CONFIG)


@pytest.fixture
def state() -> Tensors:
    return read_weights(DATA / "best.pth.tar")


def load(path: Path, **changes: Any) -> ParaCLAP:
    configs = {"audio_config": AUDIO_CONFIG, "text_config": TEXT_CONFIG} | changes
    return ParaCLAP.from_released(path, **configs)


def saved(state: object, folder: Path) -> Path:
    torch.save(state, folder / "best.pth.tar")
    return folder / "best.pth.tar"


def waves(numbers: Tensors) -> list[torch.Tensor]:
    return [numbers[f"wave_{number}"] for number in range(5)]


def padded(signals: list[torch.Tensor]) -> Tensors:
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


def test_embeddings_logits_and_losses_are_those_of_the_authors(
    model: ParaCLAP, numbers: Tensors
) -> None:
    assert not model.training
    close(model.temperature.detach(), numbers["logit_scale_exp"])
    audio = alone(model, waves(numbers))
    with torch.inference_mode():
        text = model.get_text_features(numbers["input_ids"], numbers["attention_mask"])
        output = model.compare(audio, text, return_loss=True)
    close(audio, numbers["audio_embedding"])
    close(text, numbers["text_embedding"])
    close(output.audio_embeds, normalize(numbers["audio_embedding"], dim=-1))
    close(output.logits_per_audio, numbers["similarity"])
    close(output.logits_per_text, numbers["similarity"].T)
    close(output.loss, numbers["loss_cosine"])


def test_a_padded_batch_gives_what_the_authors_got_one_by_one(
    model: ParaCLAP, numbers: Tensors
) -> None:
    texts = {name: numbers[name] for name in ("input_ids", "attention_mask")}
    with torch.inference_mode():
        output = model(**texts, **padded(waves(numbers)), return_loss=True)
    close(output.audio_embeds, normalize(numbers["audio_embedding"], dim=-1), 1e-4)
    close(output.logits_per_audio, numbers["similarity"], 1e-4)
    close(output.loss, numbers["loss_cosine"], 1e-4)


# --- other sizes against plain torch -----------------------------------------------------------


def random_release(audio: Wav2Vec2Config, text: BertConfig, size: int, seed: int) -> Tensors:
    """A state dict in the naming of the release, every weight random."""
    torch.manual_seed(seed)
    state = {"logit_scale": torch.empty(())}
    for name, inputs in (("audio", audio.hidden_size), ("text", text.hidden_size)):
        state[f"{name}_projection.linear1.weight"] = torch.empty(size, inputs)
        state[f"{name}_projection.linear2.weight"] = torch.empty(size, size)
        state[f"{name}_projection.layer_norm.weight"] = torch.empty(size)
        state[f"{name}_projection.layer_norm.bias"] = torch.empty(size)
    state |= {f"audio_branch.base.{k}": v for k, v in Wav2Vec2Model(audio).state_dict().items()}
    state |= {f"text_branch.base.{k}": v for k, v in BertModel(text).state_dict().items()}
    return {name: 0.5 * torch.randn(value.shape) for name, value in state.items()}


def renamed(state: Tensors, names: dict[str, str]) -> Tensors:
    for new, old in names.items():
        state = {key.replace(new, old): value for key, value in state.items()}
    return state


@given(
    heads=st.sampled_from([1, 2, 4]),
    layers=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    size=st.integers(2, 24),
    norm=st.sampled_from(["layer", "group"]),
    stable=st.booleans(),
    width=st.sampled_from([3, 8]),
    masks=st.sampled_from([0.0, 0.05]),
    old=st.booleans(),
    buffers=st.booleans(),
    parallel=st.booleans(),
    seed=st.integers(0, 99),
)
@settings(max_examples=20, deadline=None)
def test_any_size_equals_plain_torch(
    tmp_path_factory, heads, layers, size, norm, stable, width, masks, old, buffers, parallel, seed
):
    audio = SMALL_AUDIO | {"num_attention_heads": heads, "num_hidden_layers": layers[0]}
    audio |= {"feat_extract_norm": norm, "do_stable_layer_norm": stable, "conv_bias": old}
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
        texts = torch.cat([model.get_text_features(row[None]) for row in tokens])
    close(normalize(alone(model, signals), dim=-1), embeds[0])
    close(normalize(texts, dim=-1), embeds[1])
    ids = torch.nn.utils.rnn.pad_sequence(tokens, batch_first=True)
    with torch.inference_mode():
        output = model(input_ids=ids, attention_mask=(ids > 0).long(), **padded(signals))
    close(output.logits_per_audio, logits, 1e-4 * max(1.0, model.temperature.item()))


def test_the_reference_gives_the_numbers_of_the_authors(numbers: Tensors, state: Tensors) -> None:
    configs = [json.loads(path.read_text()) for path in (AUDIO_CONFIG, TEXT_CONFIG)]
    rows = zip(numbers["input_ids"], numbers["attention_mask"].bool(), strict=True)
    tokens = [row[mask] for row, mask in rows]
    logits, _, _ = reference.similarity(waves(numbers), tokens, state, *configs)
    close(logits, numbers["similarity"])


# --- what may be given -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["folder", "state_dict", "model", "older torch"])
def test_a_checkpoint_may_come_in_other_wrappings(
    model: ParaCLAP, state: Tensors, tmp_path: Path, kind: str
) -> None:
    if kind == "folder":
        again = load(DATA)
    elif kind == "older torch":
        torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
        again = load(tmp_path / "old.pth")
    else:
        again = load(saved({"epoch": 3, kind: state, "optimizer": {"lr": 1e-3}}, tmp_path))
    expected = model.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in again.state_dict().items())


def test_configurations_may_be_objects_files_or_folders_and_stay_as_they_were(
    state: Tensors, tmp_path: Path
) -> None:
    audio = Wav2Vec2Config(**json.loads(AUDIO_CONFIG.read_text()), dtype="float16")
    text = BertConfig(**json.loads(TEXT_CONFIG.read_text()))
    before = audio.to_json_string(), text.to_json_string()
    text.save_pretrained(tmp_path / "text")
    model = ParaCLAP.from_released(saved(state, tmp_path), audio, tmp_path / "text")
    assert model.processor is None  # a folder without a tokenizer
    assert {value.dtype for value in model.state_dict().values()} == {torch.float32}
    assert (audio.to_json_string(), text.to_json_string()) == before
    assert model.config.projection_dim == 40


def test_a_mask_vector_without_use_is_left_out(numbers: Tensors, tmp_path: Path) -> None:
    values = json.loads(AUDIO_CONFIG.read_text()) | {"mask_time_prob": 0.0}
    (tmp_path / "audio.json").write_text(json.dumps(values))
    model = load(DATA, audio_config=tmp_path / "audio.json")
    close(alone(model, waves(numbers)), numbers["audio_embedding"])


# --- tokenizer, feature extractor, folder ------------------------------------------------------


@pytest.fixture
def with_words(tmp_path: Path) -> tuple[Path, Wav2Vec2Config, Path]:
    """A release whose text encoder has the vocabulary of MiniLM, and the folder of that encoder."""
    audio = Wav2Vec2Config(**SMALL_AUDIO, feat_extract_norm="layer")
    text = BertConfig(**SMALL_TEXT | {"vocab_size": 30522})
    text.save_pretrained(tmp_path / "bert")
    AutoTokenizer.from_pretrained(minilm_folder()).save_pretrained(tmp_path / "bert")
    return saved(random_release(audio, text, 8, 0), tmp_path), audio, tmp_path / "bert"


Words = tuple[Path, Wav2Vec2Config, Path]


def test_signals_are_read_as_they_are_and_words_by_the_tokenizer(with_words: Words) -> None:
    model = ParaCLAP.from_released(*with_words)
    signal = np.linspace(0.1, 0.7, 2000, dtype=np.float32)
    inputs = model.prepare(text=["angry"], audio=[signal])
    np.testing.assert_array_equal(inputs["input_values"][0].numpy(), signal)
    assert model.processor.feature_extractor.min_samples == 25
    assert model.processor.tokenizer.decode(inputs["input_ids"][0]) == "[CLS] angry [SEP]"


@pytest.mark.parametrize("kind", ["object", "folder", "path"])
def test_a_tokenizer_may_be_an_object_or_a_folder(with_words: Words, kind: str) -> None:
    path, audio, text = with_words
    tokenizer = {"object": AutoTokenizer.from_pretrained(text), "folder": str(text), "path": text}
    model = ParaCLAP.from_released(path, audio, text / "config.json", tokenizer[kind])
    assert len(model.prepare(text="happy")["input_ids"][0]) == 3
    mute = ParaCLAP.from_released(path, audio, text / "config.json")
    assert mute.processor is None
    mute.processor = processor(mute, text)
    assert len(mute.prepare(text="happy")["input_ids"][0]) == 3


def test_saved_once_it_is_a_model_like_any_other(with_words: Words, tmp_path: Path) -> None:
    model = ParaCLAP.from_released(*with_words)
    model.save_pretrained(tmp_path / "ours")
    again = ParaCLAP.from_pretrained(tmp_path / "ours")
    signal = np.random.default_rng(0).normal(0, 0.1, 3000).astype(np.float32)
    with torch.inference_mode():
        first, second = (
            m(**m.prepare(text=["happy", "sad"], audio=[signal])) for m in (model, again)
        )
    assert torch.equal(first.logits_per_audio, second.logits_per_audio)
    assert not again.processor.feature_extractor.do_normalize


def test_a_tokenizer_with_more_words_than_the_encoder_is_refused() -> None:
    message = "Bad tokenizer with 30522 tokens, expected at most the 120"
    with pytest.raises(ValueError, match=message):
        load(DATA, tokenizer=minilm_folder())


# --- what is refused ---------------------------------------------------------------------------


class Code:
    """Creates a file when a careless reader unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("kind", ["zip", "old", "pickle", "beside weights"])
def test_code_in_a_checkpoint_is_refused_and_never_run(
    state: Tensors, tmp_path: Path, kind: str
) -> None:
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


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.999])
def test_a_cut_file_is_refused(state: Tensors, tmp_path: Path, new: bool, share: float) -> None:
    stream = io.BytesIO()
    torch.save(state, stream, _use_new_zipfile_serialization=new)
    content = stream.getvalue()
    (tmp_path / "best.pth.tar").write_bytes(content[: int(share * len(content))])
    with pytest.raises(OSError, match=r"Refused checkpoint best\.pth\.tar.* download it again"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "got list, expected a state dict"),
        (torch.zeros(3), "got Tensor, expected a state dict"),
        ({}, "got dict, expected a state dict"),
        ({"epoch": 3, "weights": {}}, r"got no finite tensor in 2 entries \(first: \['epoch', 'we"),
        ({"conv.weight": torch.zeros(3)}, r"got \['conv.weight'\], expected a matrix 'audio_proj"),
        (
            {"x": torch.tensor([1, float("nan")])},
            r"got no finite tensor in 1 entries \(first: \['x",
        ),
        ({WIDTH: torch.zeros(3)}, r"got \['audio_proj.*'\], expected a matrix 'audio_proj"),
    ],
)
def test_what_is_no_state_dict_of_such_a_model_is_refused(
    tmp_path: Path, content: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=rf"Bad checkpoint best\.pth\.tar: {message}"):
        load(saved(content, tmp_path))


@pytest.mark.parametrize(
    ("lost", "more", "message"),
    [
        ("audio_branch.base.masked", {}, r'Missing key.*"audio_model\.masked_spec_embed"'),
        ("text_branch.base.pooler", {}, r'Missing key.*"text_model\.pooler\.dense\.weight"'),
        ("-", {"extra.0": torch.zeros(1)}, r'Unexpected key.*"extra\.0"'),
        ("-", {"text_projection.layer_norm.bias": torch.zeros(2)}, r"\[2\]\) from checkpoint"),
    ],
)
def test_weights_that_are_not_exactly_those_of_the_model_are_named(
    state: Tensors, tmp_path: Path, lost: str, more: Tensors, message: str
) -> None:
    kept = {name: value for name, value in state.items() if not name.startswith(lost)} | more
    with pytest.raises(ValueError, match=rf"Bad checkpoint best\.pth\.tar .*{message}") as error:
        load(saved(kept, tmp_path))
    assert len(str(error.value)) < 700


def test_a_checkpoint_that_is_not_there_is_an_error_that_says_what_is_expected(
    tmp_path: Path,
) -> None:
    with pytest.raises(FileNotFoundError, match=r"No checkpoint at '.*/nowhere\.pth', expected a"):
        load(tmp_path / "nowhere.pth")
    with pytest.raises(FileNotFoundError, match=r"No checkpoint at '.*/best\.pth\.tar', expected"):
        load(tmp_path)


def test_without_a_network_the_message_names_what_to_download_by_hand() -> None:
    address = r"https://huggingface\.co/KeiKinn/paraclap/resolve/main/best\.pth\.tar"
    with pytest.raises(OSError, match=rf"No checkpoint at 'KeiKinn/paraclap'.*{address}"):
        load(Path("KeiKinn/paraclap"))
    nothing = "No configuration of an encoder at"
    with pytest.raises(OSError, match=f"{nothing} 'audeering/wav2vec2-large"):
        ParaCLAP.from_released(DATA)
    with pytest.raises(OSError, match=f"{nothing} 'bert-base-uncased'"):
        ParaCLAP.from_released(DATA, AUDIO_CONFIG)
    with pytest.raises(OSError, match="No tokenizer at 'bert-base-uncased'"):
        load(DATA, tokenizer="bert-base-uncased")


@pytest.mark.parametrize("text", ["{", '{"model_type": "unheard-of"}', '{"hidden_size": 3}'])
def test_a_configuration_that_cannot_be_read_is_named_without_its_path(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "audio.json").write_text(text)
    message = rf"No configuration of an encoder at '{tmp_path.name}/audio\.json'"
    with pytest.raises(OSError, match=message) as error:
        load(DATA, audio_config=tmp_path / "audio.json")
    assert str(tmp_path.parent) not in str(error.value)
