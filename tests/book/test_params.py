"""Parameters: declared by chapters, changed by files and by the command line."""

from pathlib import Path

import pytest
import toy_book as toy

from paraclap.book import notebooks
from paraclap.book.params import declared, read_params


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARACLAP_HOME", str(home))
        toy.write(home)
        notebooks.write_pairs()
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
    assert values("count: 7", "count=8", "power=1e-5") | {"x": 0} == values("count: 8") | {
        "power": 1e-5,
        "x": 0,
    }


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


# Section 3.3 of the paper, and its rows of Table 1; typed here, so that a changed file is noticed.
PAPER = {
    "audio_encoder": "audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim",
    "text_encoder": "bert-base-uncased",
    "freeze_audio": False,
    "freeze_text": False,
    "similarity": "cosine",
    "optimizer": "adam",
    "audio_lr": 1e-5,
    "text_lr": 1e-5,
    "head_lr": 1e-3,
    "schedule": "constant",
    "batch": 64,
    "epochs": 50,
    "steps": 0,
    "crop_seconds": 5.0,
    "pad": "crop",
    "low_quantile": 0.3,
    "high_quantile": 0.7,
    "agreed_only": True,
    "templates": "paper",
    "learn_from": "msp-podcast",
}
RELEASED = {
    "freeze_audio": True,
    "freeze_text": True,
    "similarity": "dot",
    "join": "all",
    "batch": 32,
    "epochs": 100,
    "head_lr": 1e-3,
    "logit_scale_max": 100.0,
    "crop_seconds": 5.0,
    "templates": "released-fixed",
    "candidates": "released",
}
VARIANTS = {
    "rand5": {"rand": 5, "emotion": "always", "only_emotion": False},
    "rand1": {"rand": 1, "emotion": "pool", "only_emotion": False},
    "only_emo": {"emotion": "always", "only_emotion": True},
    "no_emo_rand5": {"rand": 5, "emotion": "never", "only_emotion": False},
}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [*((name, {**PAPER, **own}) for name, own in VARIANTS.items()), ("released", RELEASED)],
)
def test_the_files_of_the_paper_hold_the_numbers_of_the_paper(name, wanted):
    root = Path(__file__).resolve().parent.parent.parent
    pairs = sorted((root / "book").glob("[0-9]*.ipynb"))
    values = read_params(root / "params" / "paper" / f"{name}.yaml", (), pairs)
    assert {key: values[key] for key in wanted} == wanted
    defaults = read_params_of_nothing(pairs)
    paper = {key: PAPER[key] for key in PAPER if key not in ("learn_from", "templates")}
    assert {key: defaults[key] for key in paper} == paper


def read_params_of_nothing(pairs):
    return {name: default for pair in pairs for name, (_, default) in declared(pair).items()}
