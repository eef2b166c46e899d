"""Data never run as code, never leave their folder, never become a part of a page, never call out.

What the source may not say is read with `ast`, in the package, its benchmarks and the book; the few
exceptions are listed with their reason. What it does is watched by an audit hook.
"""

from __future__ import annotations

import ast
import html
import json
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import fuzz_kinds
import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import RATE, tone
from transformers import AutoConfig, AutoModel, PreTrainedConfig, pipeline

from paraclap import (
    audio,
    card,
    corpora,
    evaluation,
    features,
    leakage,
    levels,
    pretrained,
    released,
    tables,
    towers,
    training,
    zeroshot,
)
from paraclap.corpora import disk
from paraclap.figures import ablation, scaling, style
from paraclap.model import ParaCLAP
from paraclap.queries import Pool
from paraclap.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path for folder in ("paraclap", "benchmarks", "book") for path in (ROOT / folder).rglob("*.py")
)

# --- what the source may not say ---------------------------------------------------------------

IMPORTS = ("pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "pty", "telnetlib")
NETWORK = ("socket", "urllib.request", "requests", "httpx", "ftplib", "smtplib", "http.client")
NAMES = ("eval", "exec", "__import__")  # as functions of their own: model.eval() is none
CALLS = (
    *("os.system", "os.popen", "joblib.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load"),
    *(
        "pd.read_pickle",
        "pandas.read_pickle",
        "torch.hub.load",
        "torch.jit.load",
        "torch.export.load",
    ),
    *(
        "shutil.unpack_archive",
        "zipfile.ZipFile",
        "tarfile.open",
        "yaml.Loader",
        "yaml.UnsafeLoader",
    ),
)
METHODS = ("to_pickle", "extractall")

ALLOWED = {  # file: what it says, and why it may
    "paraclap/weights.py": {"pickle": "the error that torch raises when it refuses a pickle"},
}


def dotted(node: ast.AST) -> str:
    """Name such as `os.path.join`, empty if it is none."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def forbidden(source: str) -> list[str]:
    """What a source says that it may not."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            own = [one.name for one in node.names]
            modules = own if isinstance(node, ast.Import) else [node.module or ""]
            found += [name for name in modules if name.split(".")[0] in IMPORTS or name in NETWORK]
        elif isinstance(node, ast.Call):
            found += _calls(dotted(node.func), node)
        elif isinstance(node, ast.Attribute) and dotted(node) in CALLS:
            found.append(dotted(node))
    return found


def _calls(name: str, node: ast.Call) -> list[str]:
    given = {word.arg: word.value for word in node.keywords}

    def says(word: str, value: object) -> bool:
        return isinstance(given.get(word), ast.Constant) and given[word].value is value

    wrong = {
        name: name in NAMES or name.rsplit(".", 1)[-1] in METHODS,
        "torch.load without weights_only=True": name == "torch.load"
        and not says("weights_only", True),
        "shell=True": "shell" in given and not says("shell", False),
        "allow_pickle": "allow_pickle" in given and not says("allow_pickle", False),
        "trust_remote_code": "trust_remote_code" in given and not says("trust_remote_code", False),
        "escape=False": says("escape", False),
        "code beside a model": _loads_a_model(name) and not _says_no_code(node),
    }
    return [what for what, is_wrong in wrong.items() if is_wrong]


def _loads_a_model(name: str) -> bool:
    """Whether transformers would ask on the terminal if code beside a model is to be run."""
    owner, _, method = name.rpartition(".")
    return owner.startswith("Auto") and method in ("from_pretrained", "from_config")


def _says_no_code(node: ast.Call) -> bool:
    said = {word.arg or dotted(word.value) for word in node.keywords}
    kinds = {"trust_remote_code", "NO_CODE", "pretrained.NO_CODE"}  # True is found elsewhere
    return bool(said & kinds)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_runs_data_or_calls_out(path):
    found = forbidden(path.read_text(encoding="utf-8"))
    assert set(found) <= set(ALLOWED.get(str(path.relative_to(ROOT)), {}))


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import pickle", "pickle"),
        ("from marshal import loads", "marshal"),
        ("import urllib.request", "urllib.request"),
        ("eval('1')", "eval"),
        ("os.system('ls')", "os.system"),
        ("subprocess.run('ls', shell=True)", "shell=True"),
        ("subprocess.run('ls', shell=flag)", "shell=True"),
        ("yaml.load(text, Loader=yaml.Loader)", "yaml.load"),
        ("torch.load(path)", "torch.load without weights_only=True"),
        ("torch.load(path, weights_only=False)", "torch.load without weights_only=True"),
        ("np.load(path, allow_pickle=True)", "allow_pickle"),
        ("AutoModel.from_pretrained(name, trust_remote_code=True)", "trust_remote_code"),
        ("AutoModel.from_config(config)", "code beside a model"),
        ("AutoTokenizer.from_pretrained(name, **options)", "code beside a model"),
        ("archive.extractall(folder)", "archive.extractall"),
        ("table.to_html(escape=False)", "escape=False"),
    ],
)
def test_the_reader_of_sources_finds_what_it_should(source, what):
    assert what in forbidden(source)


def test_the_reader_of_sources_finds_nothing_in_what_is_safe():
    safe = "model.eval(); yaml.safe_load(t); torch.load(p, weights_only=True); np.load(p)"
    safe += "; AutoModel.from_pretrained(p, **NO_CODE); ParaCLAP.from_pretrained(p)"
    assert forbidden(safe) == []


def test_each_exception_is_still_needed():
    for name, words in ALLOWED.items():
        assert set(words) <= set(forbidden((ROOT / name).read_text(encoding="utf-8")))


def test_no_file_of_the_project_says_whose_machine_it_was_written_on():
    private = re.compile(r"/home/[a-z]\w+/|/Users/[A-Za-z]\w+/|[A-Z]:\\Users\\|/root/")
    kinds = ("*.py", "*.ipynb", "*.md", "*.txt", "*.yaml", "*.json", "*.csv", "*.toml", "*.cff")
    folders = [ROOT / name for name in ("paraclap", "book", "benchmarks", "params")]
    found = [
        path.name
        for folder in folders
        for kind in kinds
        for path in folder.rglob(kind)
        if private.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_code_beside_weights_is_refused_and_nobody_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("somebody was asked"))
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'pwned')!r}, 'w')\n")
    classes = ("AutoConfig", "AutoModel", "AutoTokenizer", "AutoFeatureExtractor")
    for name in ("config.json", "preprocessor_config.json", "tokenizer_config.json"):
        values = {"model_type": "mine", "auto_map": dict.fromkeys(classes, "mine.Mine")}
        (tmp_path / name).write_text(json.dumps(values))
    for read in (pretrained.config, pretrained.preprocessing, pretrained.tokenizer):
        with pytest.raises(OSError, match=r"at .*, expected"):
            read(tmp_path)
    with pytest.raises(OSError, match=r"config\.json"):
        pretrained.encoder(tmp_path, towers.small_audio_tower("smoke").config)
    assert not (tmp_path / "pwned").exists()


# --- a model folder from a stranger ------------------------------------------------------------

KERNEL = "kernels-community/flash-attn"
ASKING = {  # what transformers would follow into code, at the top of a config.json or in a tower
    "internal attention": {"_attn_implementation_internal": "evil/kernel"},
    "attention": {"_attn_implementation": KERNEL},
    "attention of the caller": {"attn_implementation": KERNEL},
    "paged attention": {"attn_implementation": f"paged|{KERNEL}"},
    "attention by part": {"attn_implementation": {"": "sdpa", "text_config": KERNEL}},
    "attention that is not installed": {"_attn_implementation": "flash_attention_2"},
    "experts": {"experts_implementation": "evil/kernel"},
    "trust": {"trust_remote_code": True},
    "quantised weights": {"quantization_config": {"quant_method": "gptq", "bits": 4}},
    "kernels": {"use_kernels": True},
    "another model": {"backbone": "evil/repo", "use_timm_backbone": False},
}
EVIL = dict.fromkeys(("AutoConfig", "AutoModel", "AutoProcessor", "AutoFeatureExtractor"), "evil.X")
EVIL |= {"AutoTokenizer": ["evil.X", "evil.X"]}
AWAY_FROM_HERE = {name: "evil/repo--evil.X" for name in EVIL if name != "AutoTokenizer"}
NAMING = {  # what names code or another place, and is not followed
    "code beside it": {"auto_map": EVIL},
    "code elsewhere": {"auto_map": AWAY_FROM_HERE},
    "a foreign class": {"architectures": ["LightGlueForKeypointMatching"]},
    "generation": {"custom_generate": "evil/repo"},
    "a foreign name": {"_name_or_path": "evil/repo", "_commit_hash": "0" * 40},
    "an adapter": {"peft_config": {"base_model_name_or_path": "evil/repo"}},
}


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Path:
    """A small model that we have saved."""
    folder = tmp_path_factory.mktemp("own")
    towers.build("smoke", "smoke", 16, 0.0, "mean", seed=0).save_pretrained(folder)
    return folder


@pytest.fixture
def strange(own, tmp_path, monkeypatch) -> Path:
    """The same folder from a stranger: with code beside it, and nobody to be asked."""
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("somebody was asked"))
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "strange"
    shutil.copytree(own, folder)
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'pwned')!r}, 'w')\nclass X: pass\n")
    return folder


def change(file: Path, values: dict, part: str = "") -> None:
    """Add values to a JSON file, or to a part of it."""
    content = json.loads(file.read_text())
    (content[part] if part else content).update(values)
    file.write_text(json.dumps(content))


def encoder_folder(model: Path, part: str) -> Path:
    """A folder with the configuration of one tower, as encoders come."""
    folder = model.parent / part
    folder.mkdir()
    values = json.loads((model / "config.json").read_text())[part]
    (folder / "config.json").write_text(json.dumps(values))
    return folder


@pytest.mark.parametrize("part", ["", "audio_config", "text_config"])
@pytest.mark.parametrize("values", ASKING.values(), ids=ASKING)
def test_a_model_that_asks_for_code_is_refused_on_every_road(strange, values, part):
    change(strange / "config.json", values, part)
    named = rf"Refused the config\.json of .*{next(iter(values))}.*take these entries out"
    with closed() as tried:
        for owner in (ParaCLAP, AutoModel, AutoConfig):
            with pytest.raises(ValueError, match=named):
                owner.from_pretrained(strange)
        with pytest.raises(ValueError, match=named):
            pipeline("zero-shot-audio-classification", model=str(strange))
    assert tried == []
    assert not (strange.parent / "pwned").exists()


@pytest.mark.parametrize("values", ASKING.values(), ids=ASKING)
def test_an_encoder_that_asks_for_code_is_refused_where_a_run_names_it(strange, values):
    for part, tower in (("audio_config", towers.audio_tower), ("text_config", towers.text_tower)):
        folder = encoder_folder(strange, part)
        shutil.copy(strange / "tokenizer.json", folder)
        shutil.copy(strange / "tokenizer_config.json", folder)
        change(folder / "config.json", values)
        with closed() as tried, pytest.raises(ValueError, match=r"Refused the config\.json"):
            tower(str(folder))
        assert tried == []


@pytest.mark.parametrize("values", NAMING.values(), ids=NAMING)
def test_what_a_model_names_is_neither_run_nor_fetched(strange, values):
    for part in ("", "audio_config", "text_config"):
        change(strange / "config.json", values, part)
    change(strange / "tokenizer_config.json", values)
    change(strange / "processor_config.json", values, "feature_extractor")
    with closed() as tried:
        found = ParaCLAP.from_pretrained(strange)
        assert type(found.audio_model).__module__.startswith("transformers.models.wav2vec2.")
        assert type(found.processor.tokenizer).__module__.startswith("transformers.")
        asked = pipeline("zero-shot-audio-classification", model=str(strange))
        assert type(asked.model) is ParaCLAP
    assert tried == []
    assert not (strange.parent / "pwned").exists()


def test_a_pipeline_of_a_stranger_is_not_run(strange):
    task = "zero-shot-audio-classification"
    change(strange / "config.json", {"custom_pipelines": {task: {"impl": "evil.X", "pt": []}}})
    with closed() as tried:
        assert ParaCLAP.from_pretrained(strange).processor is not None
        with pytest.raises(ValueError, match="trust_remote_code"):
            pipeline(task, model=str(strange))
    assert tried == []
    assert not (strange.parent / "pwned").exists()


def test_the_caller_may_choose_what_a_model_may_not(own):
    for owner in (ParaCLAP, AutoModel):
        found = owner.from_pretrained(own, attn_implementation="eager")
        assert found.audio_model.config._attn_implementation == "eager"


@pytest.mark.parametrize("kind", ["detr", "dpt", "maskformer", "chmv2"])
def test_a_tower_of_a_kind_that_asks_the_hub_for_another_model_is_refused_unasked(strange, kind):
    named = {"model_type": kind, "backbone": "evil/repo", "use_timm_backbone": False}
    with closed() as tried, pytest.raises(Exception, match="the network is closed"):
        AutoConfig.for_model(**named)  # what would happen
    assert tried
    change(strange / "config.json", {"audio_config": named})
    with closed() as tried, pytest.raises(ValueError, match=r"audio_config\.backbone: 'evil/repo'"):
        ParaCLAP.from_pretrained(strange)
    assert tried == []


class Unheard(PreTrainedConfig):
    """A kind of encoder of which transformers knows nothing but its configuration."""

    model_type = "unheard"


@pytest.mark.parametrize("part", ["audio_config", "text_config"])
def test_a_tower_that_only_its_own_code_could_build_is_refused_and_nobody_is_asked(strange, part):
    AutoConfig.register("unheard", Unheard, exist_ok=True)
    change(strange / "config.json", {part: {"model_type": "unheard", "auto_map": EVIL}})
    with closed() as tried, pytest.raises(OSError, match="trust_remote_code"):
        ParaCLAP.from_pretrained(strange)
    assert tried == []
    assert not (strange.parent / "pwned").exists()


@pytest.mark.parametrize("name", ["../secret.safetensors", "/dev/zero", "lacking.safetensors"])
def test_weights_lie_in_the_folder_of_their_model(strange, name):
    (strange / "model.safetensors").rename(strange.parent / "secret.safetensors")
    weights = {"metadata": {}, "weight_map": {"logit_scale": name}}
    (strange / "model.safetensors.index.json").write_text(json.dumps(weights))
    with pytest.raises(OSError, match=r"Refused model\.safetensors\.index\.json of 'strange'"):
        ParaCLAP.from_pretrained(strange)
    config = towers.small_audio_tower("smoke").config
    with pytest.raises(OSError, match=r"Refused model\.safetensors\.index\.json of 'strange'"):
        pretrained.encoder(strange, config)


def test_weights_in_several_files_of_their_folder_are_read(own, tmp_path):
    model = ParaCLAP.from_pretrained(own)
    model.save_pretrained(tmp_path, max_shard_size="50KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    found = ParaCLAP.from_pretrained(tmp_path).state_dict()
    assert all(found[key].equal(value) for key, value in model.state_dict().items())


@pytest.mark.parametrize("seed", range(12))
def test_a_hostile_checkpoint_is_refused_unread(tmp_path, seed):
    content = {"a": fuzz_kinds.hostile(np.random.default_rng(seed), tmp_path)}
    fuzz_kinds.torch.save(content, tmp_path / "best.pth.tar")
    with pytest.raises(OSError, match=r"Refused checkpoint best\.pth\.tar.*Nothing in it was run"):
        released.load(tmp_path)
    assert not (tmp_path / "pwned").exists()


# --- paths -------------------------------------------------------------------------------------

AWAY = ("../secret.wav", "a/../../secret.wav", "{above}/secret.wav", "/etc/hostname")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A corpus, and beside it a file that is none of its business."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for file in (folder / "0.wav", tmp_path / "secret.wav"):
        soundfile.write(file, tone(200, 0.3, 0.3), RATE)
    return folder


@pytest.mark.parametrize("path", AWAY)
def test_a_label_table_names_no_file_outside_of_its_folder(secret, path):
    path = path.format(above=secret.parent)
    (secret / "labels.csv").write_text(f"file,emotion\n0.wav,anger\n{path},anger\n")
    with pytest.raises(ValueError, match=r"1 files named in labels\.csv lie outside of 'corpus'"):
        corpora.load(secret)


@pytest.mark.parametrize("path", AWAY)
def test_a_database_names_no_file_outside_of_its_folder(secret, path):
    path = path.format(above=secret.parent)
    for name, content in fuzz_kinds.database("csv").items():
        fuzz_kinds.put(secret / name, content.replace(b"audio/1.wav", path.encode()))
    with pytest.raises(
        ValueError, match="1 files of database 'mine' in 'corpus' lie outside of it"
    ):
        corpora.load(secret)


def test_links_in_a_folder_may_lead_out_of_it_as_their_owner_put_them_there(secret):
    (secret / "linked.wav").symlink_to(secret.parent / "secret.wav")
    rows = "".join(f"{name},anger,{name},test\n" for name in ("0.wav", "linked.wav"))
    (secret / "labels.csv").write_text("file,emotion,speaker,split\n" + rows)
    assert len(corpora.load(secret, for_testing=True)) == 2


def test_a_label_file_of_a_known_corpus_finds_files_by_name_alone(secret):
    table = pd.DataFrame({"id": ["../../secret.wav", "/etc/hostname", "x/0.wav"]})
    notes: list[str] = []
    found = disk.matched(table, disk.audio([secret]), "labels.txt", notes)
    assert found["file"].tolist() == [secret / "0.wav"]
    assert "No audio for 2 utterances" in notes[0]


# --- pages -------------------------------------------------------------------------------------

ODD = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a|b", "$x$ \\frac{", "a\nb",
    "</td></tr></table>", "{{ 7 * 7 }}", "'; DROP TABLE x", "&lt;b&gt;", "`rm`",
)  # fmt: skip


class Tags(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        """Read a page."""
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep its name and its attributes' names."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


def plain(page: str) -> bool:
    """Whether a page has no tag that data could have brought."""
    found = Tags(page)
    return not {"script", "img", "iframe", "object", "svg"} & set(found.tags) and not [
        name for name in found.attributes if name.startswith("on")
    ]


@pytest.mark.parametrize("word", ODD)
def test_words_of_a_corpus_stay_words_in_tables(word):
    table = pd.DataFrame({"task": [word, "b"], word: [word, 0.5], "chance": [0.5, 0.5]})
    for styled in (style.text_table(table, word), ablation.ranked(table[["task", "chance"]])):
        page = styled.to_html()
        assert plain(page)
        assert len(Tags(page).tags) == len(Tags(page.replace(html.escape(word), "x")).tags)
        assert Tags(page).tags.count("td") % 2 == 0
    assert plain(scaling.readable(table).to_html())
    with pd.option_context("display.max_colwidth", None):
        assert plain(table._repr_html_())


@pytest.mark.parametrize("word", ODD)
def test_words_of_a_corpus_stay_words_under_a_player(tmp_path, word):
    soundfile.write(tmp_path / "0.wav", tone(200, 0.3, 0.3), RATE)
    page = style.player(str(tmp_path / "0.wav"), word)._repr_html_()
    assert plain(page)
    assert html.escape(word) in page


@pytest.mark.parametrize("word", ODD)
def test_words_of_a_corpus_stay_one_cell_in_a_card(word):
    cell = card.cell(word)
    assert "\n" not in cell
    assert not re.search(r"(?<!\\)\|", cell)
    assert Tags(cell).tags == []


def test_addresses_that_are_none_become_no_links():
    page = style.text_table(pd.DataFrame({"where": ['http://a/"onclick="x', "http://b"]})).to_html()
    assert plain(page)
    page = style.text_table(pd.DataFrame({"where": ["javascript:alert(1)", "http://b"]})).to_html()
    assert "href" not in page


def test_a_corpus_of_odd_words_goes_through_unchanged(tmp_path):
    rows = []
    for number, word in enumerate(ODD[:4] * 3):
        name = f"{number} <b>&'$.wav"
        soundfile.write(tmp_path / name, tone(150 + 20 * number, 0.3, 0.2), RATE)
        split = ("train", "dev", "test")[number // 4]
        rows.append((name, word, f"{split} {word}", split))
    table = pd.DataFrame(rows, columns=["file", "emotion", "speaker", "split"])
    table.to_csv(tmp_path / "labels.csv", index=False)
    labels = corpora.load(tmp_path)
    assert labels["emotion"].tolist() == table["emotion"].tolist()
    tables.write_table(labels, tmp_path / "labels.parquet")
    assert tables.read_table(tmp_path / "labels.parquet")["emotion"].tolist() == rows_of(rows)
    assert plain(tables.show(labels)._repr_html_())


def rows_of(rows):
    return [row[1] for row in rows]


# --- network -----------------------------------------------------------------------------------

_CLOSED = [False]
_TRIED: list[str] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    """Close all ways out while `_CLOSED` says so; those of this machine's processes stay."""
    if not _CLOSED[0]:
        return
    away = event in (
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.sendto",
        "urllib.Request",
    )
    if event == "socket.connect":
        away = not isinstance(arguments[1], str | bytes)  # a name is a socket of this machine
    if away:
        _TRIED.append(f"{event} {arguments[-1]}")
        raise ConnectionError("the network is closed")


sys.addaudithook(_watch)


@contextmanager
def closed() -> Iterator[list[str]]:
    """No way out; gives what was tried."""
    _TRIED.clear()
    _CLOSED[0] = True
    try:
        yield _TRIED
    finally:
        _CLOSED[0] = False


def test_the_network_is_closed_where_it_should_be():
    import socket

    with closed() as tried:
        with pytest.raises(ConnectionError, match="closed"):
            socket.create_connection(("127.0.0.1", 9))
        with pytest.raises(ConnectionError, match="closed"):
            socket.getaddrinfo("huggingface.co", 443)
    assert len(tried) == 2


def test_no_step_calls_out_from_a_folder_of_audio_to_scores(voices, tmp_path):
    with closed() as tried:
        measured = features.extract(voices.iloc[:6], tmp_path / "features.parquet", jobs=1)
        table = measured.join(voices)
        edges = levels.fit(table.assign(split="train"), attributes=["pitch"])
        levels.save(edges, tmp_path / "edges.json")
        shown = levels.assign(voices, levels.fit(voices))
        pool = Pool.build(shown, voices["emotion"], voices["gender"])
        found = training.train(voices, pool, tmp_path, SMALL, training.Machine(device="cpu"))
        found = ParaCLAP.from_pretrained(tmp_path / "model")
        tasks = evaluation.tasks(voices)
        predictions = evaluation.predict(found, evaluation.asked(voices), tasks)
        assert len(evaluation.score(predictions, tasks, draws=10))
        assert len(zeroshot.classify(found, voices[:2], ["angry", "sad"])) == 2
        leakage.check(voices)
    assert tried == []


SMALL = Settings(
    audio_encoder="smoke", text_encoder="smoke", text_pooling="mean", projection_dim=16,
    batch=8, epochs=1, steps=2, crop_seconds=0.5, audio_lr=1e-3, text_lr=1e-3, pad="batch",
)  # fmt: skip


def test_a_missing_model_or_corpus_is_not_looked_for_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with closed() as tried:
        for wanted in (tmp_path / "no" / "model", "./no/model", "model"):
            with pytest.raises(OSError, match="No model at"):
                ParaCLAP.from_pretrained(wanted)
        with pytest.raises(FileNotFoundError):
            corpora.load(tmp_path / "nothing")
        with pytest.raises(audio.AudioError):
            audio.read("http://example.org/a.wav")
    assert [one for one in tried if "example.org" in one] == []
