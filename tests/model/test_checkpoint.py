"""The authors' checkpoint: the same numbers, and nothing in a file is run."""

import io
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hub import serve
from huggingface_hub import constants
from torch.nn.functional import normalize
from transformers import AutoTokenizer, BertConfig, Wav2Vec2Config

from paraclap.model import ParaCLAP, checkpoint
from paraclap.model.checkpoint import WIDTH, read_weights
from paraclap.model.encoders import minilm_folder
from paraclap.model.layers import encode_audio
from paraclap.training import contrastive_loss, scaled_similarity

DATA = Path(__file__).parents[1] / "data" / "official-tiny"
AUDIO_CONFIG, TEXT_CONFIG = DATA / "audio_config.json", DATA / "text_config.json"


@pytest.fixture(scope="module")
def numbers():
    """Inputs and outputs of the authors' code."""
    with np.load(DATA / "io.npz") as file:
        return {name: torch.from_numpy(file[name]) for name in file}


@pytest.fixture
def model():
    return load(DATA / "best.pth.tar")


@pytest.fixture
def state():
    return read_weights(DATA / "best.pth.tar")


def load(path, **changes):
    configs = {"audio_config": AUDIO_CONFIG, "text_config": TEXT_CONFIG} | changes
    return ParaCLAP.from_released(path, **configs)


def saved(state, folder):
    torch.save(state, folder / "best.pth.tar")
    return folder / "best.pth.tar"


def waves(numbers):
    return [numbers[f"wave_{number}"] for number in range(5)]


def close(got, expected, tolerance=1e-5):
    torch.testing.assert_close(got.double(), expected.double(), atol=tolerance, rtol=0)


def test_embeddings_logits_and_losses_are_those_of_the_authors(model, numbers):
    assert not model.training
    close(model.temperature.detach(), numbers["logit_scale_exp"])
    with torch.inference_mode():
        pooled = [encode_audio(model.audio_model, signal[None])[1] for signal in waves(numbers)]
        audio = model.audio_projection(torch.cat(pooled))
        pooled = model.pool_text(numbers["input_ids"], numbers["attention_mask"])
        text = model.text_projection(pooled)
        logits = scaled_similarity(audio, text, model.temperature)
    close(audio, numbers["audio_embedding"])
    close(text, numbers["text_embedding"])
    close(logits, numbers["similarity"])
    close(contrastive_loss(logits), numbers["loss_cosine"])


def test_a_padded_batch_gives_what_the_authors_got_one_by_one(model, numbers):
    signals = waves(numbers)
    batch = torch.nn.utils.rnn.pad_sequence(signals, batch_first=True)
    lengths = torch.tensor([len(signal) for signal in signals])
    mask = (torch.arange(batch.shape[1]) < lengths.unsqueeze(1)).long()
    texts = {name: numbers[name] for name in ("input_ids", "attention_mask")}
    with torch.inference_mode():
        output = model(**texts, input_values=batch, audio_attention_mask=mask)
    close(output.audio_embeds, normalize(numbers["audio_embedding"], dim=-1), 1e-4)
    close(output.logits_per_text, numbers["similarity"].T, 1e-4)


@pytest.mark.parametrize("kind", ["state_dict", "model", "older torch", "parallel"])
def test_a_checkpoint_may_come_in_other_wrappings(model, state, tmp_path, kind):
    if kind == "older torch":
        for new, old in (("original0", "weight_g"), ("original1", "weight_v")):
            new = f"parametrizations.weight.{new}"
            state = {key.replace(new, old): value for key, value in state.items()}
        state["text_branch.base.embeddings.position_ids"] = torch.arange(16)[None]
    elif kind == "parallel":
        state = {f"module.{key}": value for key, value in state.items()}
    else:
        state = {"epoch": 3, kind: state, "optimizer": {"lr": 1e-3}}
    file = tmp_path / "best.pth.tar"  # of the folder that is given
    torch.save(state, file, _use_new_zipfile_serialization=kind != "older torch")
    again = load(tmp_path)
    expected = model.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in again.state_dict().items())


def test_the_published_model_is_fetched_once_by_its_name(model, tmp_path, monkeypatch):
    for name in ("HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.setattr(constants, name, str(tmp_path / name))
    monkeypatch.setattr(checkpoint, "AUDIO_ENCODER", AUDIO_CONFIG)
    monkeypatch.setattr(checkpoint, "TEXT_ENCODER", TEXT_CONFIG)
    with pytest.raises(OSError, match=r"No checkpoint at 'KeiKinn/paraclap' \(Offline.*download"):
        ParaCLAP.from_pretrained("released")
    (tmp_path / ("1" * 40)).mkdir()
    shutil.copy(DATA / "best.pth.tar", tmp_path / ("1" * 40))
    with serve({"main": "1" * 40}, tmp_path, monkeypatch) as asked:
        fetched = ParaCLAP.from_pretrained("KeiKinn/paraclap").state_dict()
        asked.clear()
        again = ParaCLAP.from_pretrained("released").state_dict()
    assert not asked
    for key, value in model.state_dict().items():
        assert value.equal(fetched[key]) and value.equal(again[key])


def test_configurations_may_be_objects_and_stay_as_they_were(state, tmp_path):
    audio = Wav2Vec2Config(**json.loads(AUDIO_CONFIG.read_text()), dtype="float16")
    text = BertConfig(**json.loads(TEXT_CONFIG.read_text()))
    before = audio.to_json_string(), text.to_json_string()
    model = ParaCLAP.from_released(saved(state, tmp_path), audio, text)
    assert model.processor is None
    assert {value.dtype for value in model.state_dict().values()} == {torch.float32}
    assert (audio.to_json_string(), text.to_json_string()) == before
    assert model.config.projection_dim == 40


@pytest.mark.parametrize("kind", ["beside", "object", "folder"])
def test_signals_are_read_as_they_are_and_words_by_the_tokenizer(state, tmp_path, kind):
    AutoTokenizer.from_pretrained(minilm_folder()).save_pretrained(tmp_path / "bert")
    text = BertConfig(**json.loads(TEXT_CONFIG.read_text()) | {"vocab_size": 30522})
    text.save_pretrained(tmp_path / "bert")
    words = "text_branch.base.embeddings.word_embeddings.weight"
    path = saved(state | {words: torch.randn(30522, state[words].shape[1])}, tmp_path)
    tokenizer = {"object": AutoTokenizer.from_pretrained(tmp_path / "bert")}
    tokenizer["folder"] = str(tmp_path / "bert")
    given = tmp_path / "bert" if kind == "beside" else text
    model = ParaCLAP.from_released(path, AUDIO_CONFIG, given, tokenizer.get(kind))
    signal = np.linspace(0.1, 0.7, 2000, dtype=np.float32)
    inputs = model.prepare(text=["angry"], audio=[signal])
    np.testing.assert_array_equal(inputs["input_values"][0].numpy(), signal)
    assert model.processor.tokenizer.decode(inputs["input_ids"][0]) == "[CLS] angry [SEP]"
    model.save_pretrained(tmp_path / "ours")
    again = ParaCLAP.from_pretrained(tmp_path / "ours")
    with torch.inference_mode():
        ours, theirs = (m(**m.prepare(text=["sad"], audio=[signal])) for m in (again, model))
    assert torch.equal(ours.logits_per_audio, theirs.logits_per_audio)


class Code:
    """Creates a file when a careless reader unpickles it."""

    def __init__(self, path):
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


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_cut_file_is_refused(state, tmp_path, new, share):
    stream = io.BytesIO()
    torch.save(state, stream, _use_new_zipfile_serialization=new)
    content = stream.getvalue()
    (tmp_path / "best.pth.tar").write_bytes(content[: int(share * len(content))])
    with pytest.raises(OSError, match=r"Refused checkpoint best\.pth\.tar.* download it again"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "got list, expected names and finite tensors"),
        ({"epoch": 3, "weights": {}}, r"got \['epoch', 'weights'\], expected names and finite"),
        ({"x": torch.tensor([1, float("nan")])}, r"got \['x'\], expected names and finite tensors"),
        ({"conv.weight": torch.zeros(3)}, rf"got \['conv.weight'\], expected '{WIDTH}'"),
    ],
)
def test_what_is_no_state_dict_of_such_a_model_is_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=rf"Bad checkpoint best\.pth\.tar: {message}"):
        load(saved(content, tmp_path))


@pytest.mark.parametrize(
    ("lost", "more", "message"),
    [
        ("text_branch.base.pooler", {}, r'Missing key.*"text_model\.pooler\.dense\.weight"'),
        ("-", {"extra.0": torch.zeros(1)}, r'Unexpected key.*"extra\.0"'),
        ("-", {"text_projection.layer_norm.bias": torch.zeros(2)}, r"\[2\]\) from checkpoint"),
    ],
)
def test_weights_that_are_not_those_of_the_model_are_named(state, tmp_path, lost, more, message):
    kept = {name: value for name, value in state.items() if not name.startswith(lost)} | more
    with pytest.raises(RuntimeError, match=message):
        load(saved(kept, tmp_path))


def test_what_is_not_there_is_an_error_that_says_what_is_expected(tmp_path):
    address = r"https://huggingface\.co/KeiKinn/paraclap/resolve/main/best\.pth\.tar"
    for place in (tmp_path / "nowhere.pth", tmp_path, Path("KeiKinn/paraclap")):
        with pytest.raises(OSError, match=rf"No checkpoint at .* expected a state .*{address}"):
            load(place)
    with pytest.raises(OSError, match=r"Cannot read config\.json at 'audeering/wav2vec2-large"):
        ParaCLAP.from_released(DATA)
    (tmp_path / "audio.json").write_text('{"model_type": "unheard-of"}')
    with pytest.raises(OSError, match=rf"at '{tmp_path.name}/audio\.json' \(ValueError"):
        load(DATA, audio_config=tmp_path / "audio.json")
