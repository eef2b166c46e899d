"""Other systems answer as the packages they come from do; their weights here are random."""

from __future__ import annotations

import itertools
from pathlib import Path

import huggingface_hub
import msclap.models.clap as clap
import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from torch.nn import functional
from transformers import (
    BertConfig,
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    CLIPTextConfig,
    GPT2Config,
    GPT2Model,
    PreTrainedTokenizerFast,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
)

from paraclap import audio, dimensional, evaluation, systems, tables, zeroshot
from paraclap.systems import (
    beams,
    checkpoints,
    hearing,
    laion,
    microsoft,
    parts,
    pengi,
    ratings,
    system,
)

QUERIES = ["speaker is angry", "sad", "speaker is very happy today"]
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
HEADS = {"num_attention_heads": 2}
WIDE = {"initializer_range": 0.3}  # so that random towers tell texts apart
SPEAKS = GPT2Config(vocab_size=260, n_embd=16, n_layer=2, n_head=2, n_positions=128, **WIDE)


def write_tokenizer(folder: Path, start: str | None = None) -> str:
    """A byte-level tokenizer whose texts end as those of GPT-2 or of CLIP do."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    found = Tokenizer(models.BPE({sign: n for n, sign in enumerate(alphabet)}, []))
    found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    found.decoder = decoders.ByteLevel()
    end = "<|endoftext|>"
    found.add_special_tokens([end] if start is None else [start, end])
    if start:
        ids = [(sign, found.token_to_id(sign)) for sign in (start, end)]
        found.post_processor = processors.TemplateProcessing(f"{start} $A {end}", None, ids)
    signs = {"bos_token": start or end, "eos_token": end, "unk_token": end}
    signs |= {"pad_token": end} if start else {}
    PreTrainedTokenizerFast(tokenizer_object=found, **signs).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Configurations and tokenizers of tiny text towers, in the subfolders that `load` reads."""
    root = tmp_path_factory.mktemp("weights")
    write_tokenizer(root / "gpt2")
    write_tokenizer(root / "bert-base-uncased", "[CLS]")
    write_tokenizer(root / "clip-vit-base-patch16", "<|startoftext|>")
    SPEAKS.save_pretrained(root / "gpt2")
    bert = BertConfig(vocab_size=260, **SMALL, **HEADS, **WIDE)
    bert.save_pretrained(root / "bert-base-uncased")
    text = CLIPTextConfig(
        vocab_size=258, projection_dim=12, bos_token_id=256, eos_token_id=257, **SMALL, **HEADS
    )
    text.save_pretrained(root / "clip-vit-base-patch16")
    return root


@pytest.fixture(scope="module")
def three(voices: pd.DataFrame) -> pd.DataFrame:
    """Three voices of different lengths."""
    return voices.iloc[[0, 21, 52]]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory) -> list[str]:
    """A tone of half a second and one of eight, at 48 kHz."""
    root = tmp_path_factory.mktemp("sounds")
    for name, seconds in (("short", 0.5), ("long", 8)):
        time = np.arange(round(48_000 * seconds)) / 48_000
        soundfile.write(root / f"{name}.wav", np.sin(2000 * time * (1 + time)) / 3, 48_000)
    return [str(root / "short.wav"), str(root / "long.wav")]


def texts(folder: Path, name: str) -> parts.Texts:
    return parts.Texts(parts.text_config(str(folder / name)))


@pytest.fixture(scope="module")
def clap2022(folder: Path) -> microsoft.MicrosoftCLAP:
    torch.manual_seed(1)
    name = "bert-base-uncased"
    model = microsoft.Model(parts.CNN14, texts(folder, name))
    return microsoft.MicrosoftCLAP("clap-2022", model, parts.Words(str(folder / name), 100))


@pytest.fixture(scope="module")
def clap2023(folder: Path) -> microsoft.MicrosoftCLAP:
    """Written as Microsoft publishes it, and read by name."""
    torch.manual_seed(2)
    model = microsoft.Model(parts.HTSAT, texts(folder, "gpt2"))
    weights = {f"module.{key}": value for key, value in model.state_dict().items()}
    weights["module.caption_encoder.base.h.0.attn.bias"] = torch.ones(1)
    torch.save({"model": weights, "epoch": 3}, folder / "CLAP_weights_2023.pth")
    found = systems.load("clap-2023", folder)
    assert isinstance(found, microsoft.MicrosoftCLAP)
    for key, value in found.model.state_dict().items():
        assert torch.equal(value, model.state_dict()[key])
    return found


@pytest.fixture(scope="module")
def described(folder: Path) -> pengi.Pengi:
    """Written as Microsoft publishes it, and read by name."""
    torch.manual_seed(3)
    clip = parts.text_config(str(folder / "clip-vit-base-patch16"))
    model = pengi.Model(clip, SPEAKS)
    torch.save({"model": model.state_dict()}, folder / "base.pth")
    found = systems.load("pengi", folder / "base.pth")
    assert isinstance(found, pengi.Pengi)
    found.longest = 6
    return found


@pytest.fixture(scope="module")
def laions(tmp_path_factory) -> laion.LaionCLAP:
    """Written as LAION publishes it, and read by name."""
    folder = tmp_path_factory.mktemp("laion")
    write_tokenizer(folder, "<s>")
    text = {"vocab_size": 260, "pad_token_id": 257, "max_position_embeddings": 300}
    heard = {
        "patch_embeds_hidden_size": 8,
        "depths": [1, 1, 1, 1],
        "num_attention_heads": [1, 1, 2, 2],
        "hidden_size": 64,
    }
    torch.manual_seed(6)
    model = ClapModel(ClapConfig(text_config={**text, **SMALL, **HEADS}, audio_config=heard))
    model.save_pretrained(folder)
    ClapFeatureExtractor(truncation="rand_trunc", padding="repeatpad").save_pretrained(folder)
    found = systems.load("laion-clap", folder)
    assert isinstance(found, laion.LaionCLAP)
    return found


@pytest.fixture(params=["clap2022", "clap2023", "described", "laions"])
def one(request) -> systems.System:
    return request.getfixturevalue(request.param)


def test_embeddings_have_unit_length_one_row_a_voice_and_do_not_change(one, three):
    given = one.embed_audio(three)
    assert given.dtype == np.float32 and len(given) == 3
    np.testing.assert_allclose(np.linalg.norm(given, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(one.embed_audio(three), given)
    np.testing.assert_allclose(one.embed_audio(three.iloc[1:2]), given[1:2], atol=1e-4)


def test_queries_get_the_same_embedding_alone_and_together(one):
    given = one.embed_text(QUERIES)
    assert given.dtype == np.float32 and len(given) == 3
    np.testing.assert_allclose(np.linalg.norm(given, axis=1), 1, atol=1e-5)
    for query, embedding in zip(QUERIES, given, strict=True):
        np.testing.assert_allclose(one.embed_text([query])[0], embedding, atol=1e-5)
    assert abs(given[0] - given[1]).max() > 1e-3
    with pytest.raises(ValueError, match="expected at least one and none empty"):
        one.embed_text(["  "])


@pytest.mark.parametrize("name", ["clap2022", "clap2023"])
def test_microsofts_voices_are_those_of_the_package(name, request, three):
    system = request.getfixturevalue(name)
    seconds = system.sound.seconds
    theirs = []
    for file, start, end in three.index:
        signal = hearing.read(file, start, end, 44_100)
        wanted = np.tile(signal, int(np.ceil(seconds * 44_100 / len(signal))))[: seconds * 44_100]
        with torch.no_grad():
            base = system.model.audio_encoder.base(torch.from_numpy(wanted)[None])["embedding"]
            theirs.append(system.model.audio_encoder.projection(base)[0])
    wanted = functional.normalize(torch.stack(theirs), dim=-1).numpy()
    np.testing.assert_allclose(system.embed_audio(three), wanted, atol=1e-4)


def test_laions_voices_and_queries_are_those_of_transformers(laions, sounds):
    both = []
    for file in sounds:
        signal = hearing.read(file, pd.Timedelta(0), pd.NaT, 48_000)
        inputs = laions.extractor(signal, sampling_rate=48_000, return_tensors="pt")
        with torch.no_grad():
            both.append(laions.model.get_audio_features(**inputs).pooler_output[0])
    np.testing.assert_allclose(laions.embed_audio(sounds), torch.stack(both), atol=1e-4)
    with torch.no_grad():
        inputs = laions.tokenizer([QUERIES[0]], return_tensors="pt")
        wanted = laions.model.get_text_features(**inputs).pooler_output
        factor = float(laions.model.logit_scale_a.exp())
    np.testing.assert_allclose(laions.embed_text(QUERIES)[:1], wanted, atol=1e-5)
    assert laions.temperature == pytest.approx(factor)


def test_laion_hears_the_start_of_long_voices_and_draws_nothing(laions, sounds, tmp_path):
    signal, rate = soundfile.read(sounds[1])
    longer = np.concatenate([signal, signal[::-1]])
    soundfile.write(tmp_path / "longer.wav", longer, rate)
    soundfile.write(tmp_path / "cut.wav", longer[: 10 * rate], rate)
    both = laions.embed_audio([tmp_path / "longer.wav", tmp_path / "cut.wav"])
    np.testing.assert_allclose(both[0], both[1], atol=1e-6)


@pytest.mark.parametrize("name", ["gpt2", "bert-base-uncased", "clip-vit-base-patch16"])
def test_text_towers_equal_those_of_the_package(name, folder, tmp_path):
    torch.manual_seed(4)
    tower = texts(folder, name).eval()
    config = parts.text_config(str(folder / name))
    if name.startswith("clip"):
        theirs = clap.Projection(12, parts.WIDTH).eval()
        theirs.load_state_dict(tower.projection.state_dict())
        inputs = parts.Words(str(folder / name), 40)(QUERIES)
        with torch.no_grad():
            said = tower.base(**inputs).last_hidden_state
            ends = (inputs["input_ids"] == 257).int().argmax(1)
            wanted = theirs(tower.clip_text_projection(said[torch.arange(3), ends]))
    else:
        tower.base.save_pretrained(tmp_path / name)
        theirs = clap.TextEncoder(parts.WIDTH, str(tmp_path / name), 16).eval()
        theirs.load_state_dict(tower.state_dict())
        words = parts.Words(str(folder / name), 77)
        tokenizer = words.tokenizer
        padded = []
        for query in QUERIES:
            said = query + parts.END if name == "gpt2" else query
            ids = tokenizer(said)["input_ids"]
            padded.append(ids + [0] * (40 - len(ids)))
        ids = torch.tensor(padded)
        mask = ids.ne(0).long()
        with torch.no_grad():
            wanted = theirs({"input_ids": ids, "attention_mask": mask})
        inputs = words(QUERIES)
    with torch.no_grad():
        np.testing.assert_allclose(tower(inputs), wanted, atol=1e-5)
    assert config.model_type == tower.kind


def test_gpt2_speaks_by_the_token_that_ends_a_query(clap2023):
    inputs = clap2023.words(QUERIES)
    base = clap2023.model.caption_encoder.base
    assert isinstance(base, GPT2Model)
    lengths = inputs["attention_mask"].sum(1)
    assert (inputs["input_ids"][torch.arange(3), lengths - 1] == 256).all()


def test_a_signal_keeps_what_lies_above_the_band_of_speech(sounds):
    high = hearing.read(sounds[1], pd.Timedelta(7, "s"), pd.NaT, 44_100)
    assert len(high) == 44_100
    low = hearing.read(sounds[1], pd.Timedelta(7, "s"), pd.NaT, 16_000)
    power = np.abs(np.fft.rfft(high))
    assert len(low) == 16_000 and power.argmax() > 4_000


def test_only_the_first_seconds_are_heard(clap2022, sounds, tmp_path):
    signal, rate = soundfile.read(sounds[1])
    signal[round(5.1 * rate) :] = 0
    soundfile.write(tmp_path / "cut.wav", signal, rate, subtype="PCM_16")
    both = clap2022.embed_audio([sounds[1], tmp_path / "cut.wav"])
    np.testing.assert_allclose(both[0], both[1], atol=1e-5)


def test_unusable_files_are_audio_errors(tmp_path):
    soundfile.write(tmp_path / "nan.wav", np.full(100, np.nan), 8_000, subtype="FLOAT")
    for file in (tmp_path / "none.wav", tmp_path / "nan.wav"):
        with pytest.raises(audio.AudioError, match=file.name):
            list(hearing.signals([file], 44_100))


def test_pengi_says_what_gpt2_finds_likely_after_80_tokens(described, three):
    signals = list(hearing.signals(three, 44_100))
    filled = torch.from_numpy(np.stack([hearing.fill(s, 7 * 44_100) for s in signals]))
    wanted = described.words([pengi.WANTED])
    decoder = described.model.caption_decoder
    with torch.no_grad():
        prefixes = described.model.prefix(filled, wanted)
        assert prefixes.shape == (3, 80, 16)
        heard = functional.normalize(described.model.audio_encoder(filled)[0], dim=-1)
        np.testing.assert_allclose(decoder.audio_project(heard), prefixes[:, :40], atol=1e-4)
        said = described.describe(three)
        described.width = 1  # then the search is greedy, and a loop is the whole of it
        greedy = described.describe(three)
        for text, prefix in zip(greedy, prefixes, strict=True):
            assert text == _greedy(described, prefix)
    described.width = 3
    assert list(said.index) == list(three.index) and said.notna().all()
    np.testing.assert_array_equal(described.embed_audio(three), described.embed_text(list(said)))


def _greedy(described: pengi.Pengi, prefix: torch.Tensor) -> str:
    gpt, tokens = described.model.caption_decoder.gpt, []
    while len(tokens) < described.longest:
        given = torch.cat([prefix, gpt.transformer.wte(torch.tensor(tokens, dtype=torch.long))])
        tokens.append(int(gpt(inputs_embeds=given[None]).logits[0, -1].argmax()))
        if tokens[-1] in described.stops.tolist():
            tokens.pop()
            break
    return described.spoken.tokenizer.decode(tokens, skip_special_tokens=True).strip()


@pytest.mark.parametrize("seed", range(5))
def test_a_search_that_keeps_everything_finds_the_best_sentence(seed):
    """All sentences of up to three of four words, the last word ends them, by mean log odds."""
    table = torch.randn(4, 4, 4, generator=torch.Generator().manual_seed(seed))
    kept: list[list[int]] = [[]]

    def step(rows: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        kept[:] = [[*kept[row], word] for row, word in zip(rows.tolist(), words, strict=True)]
        return torch.stack([table[len(one), int(one[-1])] for one in kept])

    found = beams.search(table[0, 0], step, 100, 3, torch.tensor([3]))

    def mean(sentence: tuple[int, ...]) -> float:
        said, before = 0.0, 0
        for place, word in enumerate(sentence):
            said += float(table[place, before if place else 0].log_softmax(-1)[word])
            before = word
        return said / len(sentence)

    whole = [s for n in (1, 2, 3) for s in itertools.product(range(4), repeat=n)]
    whole = [s for s in whole if 3 not in s[:-1] and (s[-1] == 3 or len(s) == 3)]
    best = max(whole, key=mean)
    assert found == [word for word in best if word != 3]


def test_paraclap_as_a_system_gives_the_tables_of_the_evaluation(model, voices):
    asked = {"tones": {"anger": "angry", "sadness": "sad"}}
    ours = systems.Ours(model)
    wanted = evaluation.predict(model, voices, asked)
    pd.testing.assert_frame_equal(systems.predict(ours, voices, asked), wanted)
    embedded = ours.embed_audio(voices)
    template = "speaker is {}"
    pd.testing.assert_frame_equal(
        systems.answer(ours, embedded, ["angry", "sad"], template),
        zeroshot.answer(model, embedded, ["angry", "sad"], template),
    )
    table = systems.compare({"ours": ours}, voices, asked, draws=20)
    assert list(table) == system.COLUMNS and len(table) == 1
    assert systems.compare({}, voices, asked).empty


def test_every_system_answers_with_probabilities(one, voices):
    asked = {"tones": {"anger": "angry", "sadness": "sad"}}
    table = systems.predict(one, voices.iloc[:3], asked)
    np.testing.assert_allclose(table[["anger", "sadness"]].sum(axis=1), 1, rtol=1e-5)
    assert list(table)[:4] == ["corpus", "speaker", "truth", "prediction"]


def test_references_stand_beside_the_systems_where_they_could_be_asked():
    chance = {"chance": [0.5, 0.25], "n": [9, 8]}
    ours = pd.DataFrame({"task": ["a", "b"], "uar": [0.6, 0.3], **chance})
    ours = ours.assign(uar_low=0.2, uar_high=0.9)
    references = pd.DataFrame(
        {"task": ["a", "b"], "n": [9, 8], "logistic": [0.7, None], "majority": [0.5, None]}
    ).assign(logistic_low=0.6, logistic_high=0.8)
    others = ours.assign(system="pengi")[system.COLUMNS]
    table = systems.beside(ours, references, others)
    counts = table.groupby("system", sort=False)["task"].agg(list)
    assert counts["paraclap"] == counts["pengi"] == ["a", "b"]
    assert counts["logistic regression"] == counts["majority vote"] == ["a"]
    assert len(systems.beside(ours, references, others.iloc[:0])) == 4


@pytest.fixture
def rated(tmp_path) -> Path:
    """A tiny model in the layout of audEERING's."""
    torch.manual_seed(5)
    config = Wav2Vec2Config(
        **SMALL,
        **HEADS,
        conv_dim=(8, 8),
        conv_kernel=(400, 3),
        conv_stride=(160, 2),
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        id2label={0: "arousal", 1: "dominance", 2: "valence"},
    )
    model = dimensional.Regression(Wav2Vec2Model(config), 3)
    extractor = Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True)
    dimensional._save(model, extractor, tmp_path)
    return tmp_path


def test_dimensions_are_those_of_the_encoder_and_its_head_worked_by_hand(rated, three):
    system = systems.load_dimensional(rated)
    table = system.dimensions(three)
    assert list(table) == ["arousal", "dominance", "valence"]
    head = system.model.classifier
    for row, (file, start, end) in enumerate(three.index):
        signal = audio.read(file, start, end)
        values = torch.from_numpy((signal - signal.mean()) / np.sqrt(signal.var() + 1e-7))
        with torch.no_grad():
            hidden = Wav2Vec2Model.from_pretrained(rated).eval()(values[None].float())
            pooled = hidden.last_hidden_state.mean(1)
            wanted = head["out_proj"](head["dense"](pooled).tanh())[0]
        np.testing.assert_allclose(table.iloc[row], wanted, atol=1e-4)


def test_descriptions_are_kept_to_be_shown(described, three):
    assert systems.descriptions({}).empty
    said = described.describe(three)
    shown = systems.descriptions({"pengi": described}, rows=2)
    assert list(shown["description"]) == list(said[:2]) and set(shown["system"]) == {"pengi"}


def test_ratings_are_compared_only_where_their_model_is_given(rated, voices):
    assert systems.rate({"pengi": "a"}, voices).empty
    table = systems.rate({"dimensional": str(rated)}, voices)
    assert list(table["dimension"]) == list(tables.DIMENSIONS) and (table["n"] == 60).all()
    assert table["correlation"].between(-1, 1).all()


def test_outputs_are_named_by_their_configuration_and_not_guessed():
    config = Wav2Vec2Config(id2label={0: "Valence", 1: "arousal", 2: "dominance"})
    assert ratings.columns(config) == ["valence", "arousal", "dominance"]
    assert ratings.columns(Wav2Vec2Config(num_labels=3)) == list(tables.DIMENSIONS)
    with pytest.raises(ValueError, match="Bad outputs"):
        ratings.columns(Wav2Vec2Config(id2label={0: "joy", 1: "arousal", 2: "dominance"}))


def test_agreement_does_not_mind_the_scale_and_leaves_unrated_voices_out(voices):
    rated = voices[["arousal", "dominance", "valence"]] / 7 - 1
    labels = voices.assign(valence=voices["valence"].where(voices["speaker"] != "s0"))
    table = systems.agreement(rated, labels).set_index("dimension")
    np.testing.assert_allclose(table["correlation"], 1)
    assert table.loc["valence", "n"] == 50 and table.loc["arousal", "n"] == 60


@pytest.mark.parametrize("name", systems.catalogue()["name"])
def test_absent_weights_are_asked_for_with_the_command_that_fetches_them(
    name, tmp_path, monkeypatch
):
    load = systems.load_dimensional if name == "dimensional" else None
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    for weights in (tmp_path, None):
        with pytest.raises(FileNotFoundError) as error:
            load(weights) if load else systems.load(name, weights)
        said = str(error.value)
        assert f"No weights of {name!r}" in said and f"{name}=weights/{name}" in said
        assert all(command in said for command in systems.source(name).commands)
        assert "hf download" in said or "curl" in said


def test_an_absent_text_tower_is_asked_for_as_well(clap2023, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    (tmp_path / "CLAP_weights_2023.pth").symlink_to(folder / "CLAP_weights_2023.pth")
    with pytest.raises(FileNotFoundError, match="hf download openai-community/gpt2"):
        systems.load("clap-2023", tmp_path)


def test_other_weights_are_refused_by_name(tmp_path):
    model = torch.nn.Linear(2, 2)
    good = model.state_dict()
    for bad, said in (
        ({"weight": good["weight"]}, "1 missing.*bias"),
        ({**good, "more": torch.ones(1)}, "1 unknown.*more"),
        ({**good, "bias": torch.ones(3)}, "1 misshapen.*bias"),
        ({**good, "bias": torch.full((2,), torch.nan)}, "1 not finite.*bias"),
    ):
        with pytest.raises(ValueError, match=said):
            checkpoints.fit(model, bad, "base.pth")
    torch.save({"model": {"weight": 3}}, tmp_path / "odd.pth")
    with pytest.raises(ValueError, match="no tensor in"):
        checkpoints.read(tmp_path / "odd.pth")
    torch.save([torch.ones(1)], tmp_path / "list.pth")
    with pytest.raises(ValueError, match=r"Bad weights list\.pth: got list, expected names"):
        checkpoints.read(tmp_path / "list.pth")
    (tmp_path / "cut.pth").write_bytes(b"PK")
    with pytest.raises(OSError, match=r"Unreadable weights cut\.pth"):
        checkpoints.read(tmp_path / "cut.pth")


def test_systems_are_listed_by_name_and_path():
    assert systems.named(" pengi=a/b , clap-2022=c") == {"pengi": "a/b", "clap-2022": "c"}
    assert systems.load_all({"dimensional": "anywhere"}) == {}
    for bad, said in (("pengi", "name=path"), ("clip=a", "Bad system 'clip'")):
        with pytest.raises(ValueError, match=said):
            systems.named(bad)
    for bad, said in (("clip", "expected one of"), ("dimensional", "knows no words")):
        with pytest.raises(ValueError, match=said):
            systems.load(bad)


def test_the_catalogue_says_how_to_fetch_each():
    table = systems.shown()
    assert len(table) == 5 and table["fetch"].str.contains("weights/").all()
    assert not table.isna().any().any()


def test_the_catalogue_counts_the_weights_of_the_published_models(clap2022, clap2023, described):
    listed = systems.catalogue().set_index("name")["parameters"]
    with torch.device("meta"):
        speaks, reads = parts.Texts(GPT2Config()), parts.Texts(BertConfig())
        theirs = ClapModel(ClapConfig())
    for one, text in ((clap2022, reads), (clap2023, speaks)):
        assert listed[one.name] == count(one.model.audio_encoder) + count(text) + 1
    assert listed["laion-clap"] == count(theirs)
    assert listed["pengi"] > count(described.model) + count(speaks.base)


def count(model: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())
