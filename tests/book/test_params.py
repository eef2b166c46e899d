"""Parameters: declared by chapters, changed by files and by the command line."""

from pathlib import Path

import pytest
import toy_book as toy
import yaml
from small_training import pool_of

from paraclap.book.params import declared, read_params
from paraclap.features import extract
from paraclap.queries import QueryPool
from paraclap.training import Settings, train

ROOT = Path(__file__).resolve().parent.parent.parent
PAIRS = sorted((ROOT / "book").glob("[0-9]*.ipynb"))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARACLAP_HOME", str(home))
        toy.write(home)
    return sorted((home / "book").glob("*.ipynb"))


@pytest.fixture
def values(pairs, tmp_path):
    def read(text="", *overrides, name="mine.yaml"):
        file = tmp_path / name
        file.write_text(text, "utf-8")
        return read_params(file, overrides, pairs)

    return read


def test_what_a_file_leaves_out_is_what_the_chapters_declare(values):
    assert values("count: 7") == {
        "run": "mine", "runs": "runs", "count": 7, "corpus": "", "power": 2.0, "sign": 1,
    }  # fmt: skip


def test_the_command_line_changes_what_the_file_says(values):
    changed = values("count: 7", "count=8", "power=1e-5")
    assert changed == values("count: 8") | {"power": 1e-5}


def test_environment_variables_are_filled_in(values, monkeypatch):
    monkeypatch.setenv("MY_CORPUS", "/data/mine")
    assert values("corpus: ${oc.env:MY_CORPUS,''}")["corpus"] == "/data/mine"
    assert values("corpus: ${oc.env:NO_SUCH_VARIABLE,''}")["corpus"] == ""


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        ("cuont: 3", (), "Unknown parameter 'cuont'.*Did you mean 'count'"),
        ("", ("siggn=1",), "Unknown parameter 'siggn'.*Did you mean 'sign'"),
        ("count: many", (), "many.*Integer"),
        ("count: 1.5", (), "Integer"),
        ("count: 1\ncount: 2", (), "duplicate key"),
        ("- count", (), "name: value"),
        ("count: [1", (), "expected"),
        ("corpus: ${oc.env:NO_SUCH_VARIABLE}", (), "NO_SUCH_VARIABLE"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(values, text, overrides, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        values(text, *overrides)


def test_a_missing_file_names_the_nearest_one(pairs, tmp_path):
    (tmp_path / "demo.yaml").write_text("")
    with pytest.raises(ValueError, match=r"No params file .*dmeo\.yaml\. Did you mean 'demo'"):
        read_params(tmp_path / "dmeo.yaml", (), pairs)


KNOWN = yaml.safe_load((ROOT / "tests" / "data" / "paper.yaml").read_text("utf-8"))
PAPER, RELEASED, VARIANTS = KNOWN["paper"], KNOWN["released"], KNOWN["variants"]
FILES = sorted((ROOT / "params").rglob("*.yaml"))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [*((name, {**PAPER, **own}) for name, own in VARIANTS.items()), ("released", RELEASED)],
)
def test_the_files_of_the_paper_hold_the_numbers_of_the_paper(name, wanted):
    values = read_params(ROOT / "params" / "paper" / f"{name}.yaml", (), PAIRS)
    assert {key: values[key] for key in wanted} == wanted
    defaults = {key: default for pair in PAIRS for key, (_, default) in declared(pair).items()}
    theirs = ("learn_from", "templates", "precision", "dev_form")
    paper = {key: PAPER[key] for key in PAPER if key not in theirs}
    assert {key: defaults[key] for key in paper} == paper


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_params_file_of_the_project_trains_in_small(file, labels, tmp_path):
    values = read_params(file, (), PAIRS)
    assert yaml.safe_load(file.read_text("utf-8")).keys() <= values.keys()
    reads = "egemaps" if values["audio_encoder"] == "egemaps" else "smoke"
    small = {"audio_encoder": reads, "text_encoder": "smoke", "device": "cpu", "batch": 8}
    settings = Settings.of(values | small | {"steps": 1, "workers": 0, "projection_dim": 16})
    pool = pool_of(labels, QueryPool, values["templates"], values["emotion_form"])
    functionals = extract(labels.index, jobs=1) if settings.reads_functionals else None
    model = train(labels, pool, tmp_path, settings, functionals)
    assert model.config.projection == values["projection"]
