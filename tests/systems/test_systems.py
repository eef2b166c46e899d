"""Other systems answer as the packages they come from do; their weights here are random."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import transformers
from torch.nn import functional
from transformers import BertConfig, ClapConfig, ClapModel, GPT2Config

from paraclap import audio, systems, tables
from paraclap.model.encoders import read_config, read_tokenizer
from paraclap.systems import clap, interface, pengi
from paraclap.systems.interface import read_signals

QUERIES = ["speaker is angry", "sad", "speaker is very happy today"]
TASKS = {"tones": {"anger": "angry", "sadness": "sad"}}
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
HEADS = {"num_attention_heads": 2}
# Configurations and byte-level tokenizers of tiny text encoders, in the subfolders `load` reads.
DATA = Path(__file__).parents[1] / "data" / "systems"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return shutil.copytree(DATA, tmp_path_factory.mktemp("weights") / "systems")


@pytest.fixture(scope="module")
def three(labels):
    """Three utterances of different lengths."""
    return labels.iloc[[0, 21, 52]]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Sweeps of 0.5, 8 and 10.1 seconds at 48 kHz."""
    root, time = tmp_path_factory.mktemp("sounds"), np.arange(0, 10.1, 1 / 48_000)
    files = {root / f"{seconds}.wav": seconds for seconds in (0.5, 8, 10.1)}
    for file, seconds in files.items():
        sweep = np.sin(2000 * time * (1 + time))[time < seconds]
        soundfile.write(file, sweep / 3, 48_000)
    return list(map(str, files))


@pytest.fixture(scope="module")
def clap2022(folder):
    torch.manual_seed(1)
    name = str(folder / "bert-base-uncased")
    return clap.MicrosoftCLAP("clap-2022", read_config(name), clap.read_tokens(name, 100)).eval()


@pytest.fixture(scope="module")
def clap2023(folder):
    """Written as Microsoft publishes it, and read by name."""
    torch.manual_seed(2)
    tokens = clap.read_tokens(str(folder / "gpt2"), 77)
    model = clap.MicrosoftCLAP("clap-2023", read_config(folder / "gpt2"), tokens)
    state = {f"module.{key}": value for key, value in model.state_dict().items()}
    state["module.caption_encoder.base.h.0.attn.bias"] = torch.ones(1)
    torch.save({"model": state, "epoch": 3}, folder / "CLAP_weights_2023.pth")
    found = systems.load(f"clap-2023={folder}")
    for key, value in found.state_dict().items():
        assert torch.equal(value, model.state_dict()[key])
    return found


@pytest.fixture(scope="module")
def described(folder):
    """Written as Microsoft publishes it, and read by name."""
    torch.manual_seed(3)
    clip, gpt = folder / "clip-vit-base-patch16", folder / "gpt2"
    tokens = clap.read_tokens(str(clip), 40), read_tokenizer(gpt)
    model = pengi.Pengi(read_config(clip).get_text_config(), read_config(gpt), *tokens)
    torch.save({"model": model.state_dict()}, folder / "base.pth")
    found = systems.load(f"pengi={folder / 'base.pth'}")
    found.search["max_new_tokens"] = 6
    return found


@pytest.fixture(scope="module")
def laions(folder):
    """Written as LAION publishes it, and read by name."""
    folder = folder / "laion"
    text = {"vocab_size": 260, "pad_token_id": 257, "max_position_embeddings": 300}
    sizes = {"patch_embeds_hidden_size": 8, "hidden_size": 64, "depths": [1, 1, 1, 1]}
    sizes["num_attention_heads"] = [1, 1, 2, 2]
    torch.manual_seed(6)
    model = ClapModel(ClapConfig(text_config={**text, **SMALL, **HEADS}, audio_config=sizes))
    model.save_pretrained(folder)
    extractor = transformers.ClapFeatureExtractor(truncation="rand_trunc", padding="repeatpad")
    extractor.save_pretrained(folder)
    return systems.load(f"laion-clap={folder}")


@pytest.fixture(params=["clap2022", "clap2023", "described", "laions"])
def one(request):
    return request.getfixturevalue(request.param)


def test_embeddings_have_unit_length_and_do_not_depend_on_the_batch(one, three):
    given = one.embed_audio(three[:2])
    assert given.dtype == np.float32 and len(given) == 2
    np.testing.assert_allclose(np.linalg.norm(given, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(one.embed_audio(three[1:2]), given[1:2], atol=1e-4)
    texts = one.embed_text(QUERIES)
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(one.embed_text(QUERIES[1:2]), texts[1:2], atol=1e-5)
    assert abs(texts[0] - texts[1]).max() > 1e-3
    with pytest.raises(ValueError, match="expected a list of texts, none empty"):
        one.embed_text(["  "])


def test_answers_are_closest_queries_in_the_tables_of_the_evaluation(laions, labels):
    some = labels.iloc[:4]
    table = systems.predict(laions, some, TASKS, "so {}")
    assert list(table)[:4] == ["corpus", "speaker", "truth", "prediction"]
    logits = laions.scale * laions.embed_audio(some) @ laions.embed_text(["so angry", "so sad"]).T
    wanted = functional.softmax(torch.from_numpy(logits), dim=-1)
    np.testing.assert_allclose(table[["anger", "sadness"]], wanted, atol=1e-5)


@pytest.mark.parametrize(("name", "seconds"), [("clap2022", 5), ("clap2023", 7)])
def test_microsofts_utterances_are_those_of_the_package(name, seconds, request, sounds):
    system = request.getfixturevalue(name)
    samples, theirs = seconds * 44_100, []
    for signal in read_signals(sounds[:2], 44_100):
        wanted = np.tile(signal, int(np.ceil(samples / len(signal))))[:samples]
        with torch.no_grad():
            base = system.audio_encoder.base(torch.from_numpy(wanted)[None])["embedding"]
            theirs.append(system.audio_encoder.projection(base)[0])
    wanted = functional.normalize(torch.stack(theirs), dim=-1).numpy()
    np.testing.assert_allclose(system.embed_audio(sounds[:2]), wanted, atol=1e-4)


def test_laions_utterances_and_queries_are_those_of_transformers(laions, sounds):
    with torch.no_grad():
        for file, given in zip(sounds, laions.embed_audio(sounds[:2]), strict=False):
            (signal,) = read_signals([file], 48_000)
            inputs = laions.extractor(signal, sampling_rate=48_000, return_tensors="pt")
            wanted = laions.model.get_audio_features(**inputs).pooler_output[0]
            np.testing.assert_allclose(given, wanted, atol=1e-4)
        inputs = laions.tokenizer([QUERIES[0]], return_tensors="pt")
        wanted = laions.model.get_text_features(**inputs).pooler_output
    np.testing.assert_allclose(laions.embed_text(QUERIES)[:1], wanted, atol=1e-5)
    assert laions.scale == pytest.approx(laions.model.logit_scale_a.exp().item())
    both = laions.embed_audio(tables.segments([sounds[2]] * 2, ends=[None, 10]))
    np.testing.assert_allclose(both[0], both[1], atol=1e-6)  # the start, nothing is drawn


@pytest.mark.parametrize("name", ["gpt2", "bert-base-uncased"])
def test_text_encoders_equal_those_of_the_package(name, folder, tmp_path):
    torch.manual_seed(4)
    own = clap.TextEncoder(read_config(folder / name)).eval()
    own.base.save_pretrained(tmp_path / name)
    theirs = clap.msclap()[0].TextEncoder(clap.DIMENSION, str(tmp_path / name), 16).eval()
    theirs.load_state_dict(own.state_dict())
    end = " <|endoftext|>" if name == "gpt2" else ""  # as in msclap's preprocessing
    ids = [read_tokenizer(folder / name)(query + end)["input_ids"] for query in QUERIES]
    padded = torch.tensor([row + [0] * (40 - len(row)) for row in ids])
    tokens = clap.read_tokens(str(folder / name), 77)
    with torch.no_grad():
        wanted = theirs({"input_ids": padded, "attention_mask": padded.ne(0).long()})
        np.testing.assert_allclose(own(tokens(QUERIES)), wanted, atol=1e-5)


def test_clips_text_encoder_is_read_at_its_last_token(folder):
    name = folder / "clip-vit-base-patch16"
    own = clap.TextEncoder(read_config(name).get_text_config()).eval()
    inputs = clap.read_tokens(str(name), 40)(QUERIES)
    ends = (inputs["input_ids"] == 257).int().argmax(1)
    with torch.no_grad():
        hidden = own.base(**inputs).last_hidden_state[torch.arange(3), ends]
        np.testing.assert_allclose(own.pooled(inputs), own.clip_text_projection(hidden), atol=1e-5)


def test_a_signal_keeps_what_lies_above_the_band_of_speech(sounds):
    part = tables.segments([sounds[1]], [7])
    (high,), (low,) = (list(read_signals(part, rate)) for rate in (44_100, 16_000))
    assert (len(high), len(low)) == (44_100, 16_000)
    assert np.abs(np.fft.rfft(high)).argmax() > 4_000
    with pytest.raises(audio.AudioError, match=r"none\.wav"):
        list(read_signals(["none.wav"], 44_100))


def test_pengi_continues_80_tokens_by_what_gpt2_finds_likely(described, three, monkeypatch):
    signals = list(read_signals(three, 44_100))
    monkeypatch.setitem(described.search, "num_beams", 1)  # greedy, a loop does the same
    with torch.no_grad():
        prefixes = described.prefix(signals)
        embedded = described.audio_encoder(clap.fit("pengi", signals))[0]
        project = described.caption_decoder["audio_project"]
        wanted = project(functional.normalize(embedded, dim=-1))
        np.testing.assert_allclose(wanted, prefixes[:, :40], atol=1e-4)
        greedy = [continued(described, prefix) for prefix in prefixes]
    assert prefixes.shape == (3, 80, 16)
    embedded = described.embed_audio(three)
    assert described.descriptions.index.equals(three.index)
    assert list(described.descriptions) == greedy
    np.testing.assert_allclose(embedded, described.embed_text(greedy), atol=1e-6)


def continued(system, prefix):
    gpt, tokens = system.caption_decoder["gpt"], []
    while len(tokens) < 6 and not set(tokens) & set(system.search["eos_token_id"]):
        given = torch.cat([prefix, gpt.transformer.wte(torch.tensor(tokens, dtype=torch.long))])
        tokens.append(int(gpt(inputs_embeds=given[None]).logits[0, -1].argmax()))
    ended = [token for token in tokens if token not in system.search["eos_token_id"]]
    return system.decoder.decode(ended, skip_special_tokens=True).strip()


def test_dimensions_are_those_of_the_encoder_and_its_head_worked_by_hand(tmp_path, three):
    torch.manual_seed(5)
    sizes = {"conv_dim": (8, 8), "conv_kernel": (400, 3), "conv_stride": (160, 2)}
    sizes |= {"num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}
    names = {0: "arousal", 1: "dominance", 2: "valence"}
    config = transformers.Wav2Vec2Config(**SMALL, **HEADS, **sizes, id2label=names)
    systems.Dimensional(config).save_pretrained(tmp_path)
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True)
    extractor.save_pretrained(tmp_path)
    system = systems.load(f"dimensional={tmp_path}")
    table, head = system.rate(three), system.classifier
    assert list(table) == ["arousal", "dominance", "valence"]
    base = transformers.Wav2Vec2Model.from_pretrained(tmp_path).eval()
    for row, segment in enumerate(three.index):
        signal = audio.read(*segment)
        values = torch.from_numpy((signal - signal.mean()) / np.sqrt(signal.var() + 1e-7))
        with torch.no_grad():
            pooled = base(values[None].float()).last_hidden_state.mean(1)
            wanted = head.out_proj(head.dense(pooled).tanh())[0]
        np.testing.assert_allclose(table.iloc[row], wanted, atol=1e-4)


def test_absent_weights_and_encoders_are_asked_for_with_commands(clap2023, folder, tmp_path):
    for name in systems.catalogue().index:
        for spec in (f"{name}={tmp_path}", name):
            with pytest.raises(FileNotFoundError, match=f"No weights of {name!r}") as error:
                systems.load(spec)
            assert all(command in str(error.value) for command in systems.commands(name))
    (tmp_path / "CLAP_weights_2023.pth").symlink_to(folder / "CLAP_weights_2023.pth")
    with pytest.raises(FileNotFoundError, match="hf download openai-community/gpt2"):
        systems.load(f"clap-2023={tmp_path}")


def test_other_weights_and_systems_are_refused_by_name(tmp_path):
    model, file = torch.nn.Linear(2, 2), tmp_path / "base.pth"
    good, longer = model.state_dict(), torch.ones(3)
    wrong = {"bias": longer}, {"bias_more": longer}, {"bias": torch.tensor([0, torch.nan])}
    for bad in ({"weight": good["weight"]}, *(good | one for one in wrong)):
        torch.save({"model": bad}, file)
        with pytest.raises((ValueError, RuntimeError), match="bias"):
            interface.fill(model, file)
    with pytest.raises(ValueError, match=r"Unknown system 'penguin'.* Did you mean 'pengi'"):
        systems.load("penguin=a")


def test_the_catalogue_counts_the_weights_of_the_published_models(clap2022, clap2023, described):
    listed = systems.catalogue()["parameters"]
    with torch.device("meta"):
        gpt2, bert = clap.TextEncoder(GPT2Config()), clap.TextEncoder(BertConfig())
        theirs = ClapModel(ClapConfig())
    for system, text in ((clap2022, bert), (clap2023, gpt2)):
        assert listed[system.name] == count(system.audio_encoder) + count(text) + 1
    assert listed["laion-clap"] == count(theirs)
    assert listed["pengi"] > count(described) + count(gpt2.base)


def count(model):
    return sum(weight.numel() for weight in model.parameters())
