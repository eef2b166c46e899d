import io
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sounds import buzz, write
from typer.testing import CliRunner, Result

from paraclap import cli, features, tables
from paraclap.evaluation.zeroshot import classify
from paraclap.model import ParaCLAP, build
from paraclap.queries import describe, fit_levels
from paraclap.queries.levels import save_edges

ROOT = Path(__file__).resolve().parent.parent
ASKED = ["--candidates", "happy,sad,angry"]


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, not trained."""
    folder = tmp_path_factory.mktemp("saved") / "model"
    build("smoke", "smoke", projection_dim=16, dropout=0.0).save_pretrained(folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five buzzes and a text that is called .wav."""
    root = tmp_path / "voices"
    for number in range(5):
        signal = buzz(0.4 + 0.1 * number, 100 + 60 * number, 0.05 + 0.1 * number, number)
        write(root / f"{number}.wav", 0.5 * signal)
    (root / "text.wav").write_text("no audio")
    return root


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder in which nothing has been run yet."""
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def demo(home: Path, saved: Path, labels: pd.DataFrame) -> Path:
    """A project folder with a demo run, as far as commands need one."""
    run = home / "runs" / "demo"
    shutil.copytree(saved, run / "model")
    tables.write_table(labels.assign(synthetic=True), run / "labels.parquet")
    save_edges(fit_levels(features.extract(labels, jobs=1)), run / "edges.json")
    return run


# --- score ---------------------------------------------------------------------------------------


def test_a_voice_is_scored_by_the_demo_model_without_further_options(demo, folder):
    done = call("score", folder / "2.wav", *ASKED)
    assert done.exit_code == 0, done.stderr
    header, row = done.stdout.splitlines()
    assert header.split() == ["file", "happy", "sad", "angry", "prediction"]
    model = ParaCLAP.from_pretrained(demo / "model")
    words = ["happy", "sad", "angry"]
    expected = classify(model, [folder / "2.wav"], words, "speaker is {}").iloc[0]
    name, *numbers, answer = row.split()
    assert (name, answer) == ("voices/2.wav", expected["prediction"])
    np.testing.assert_allclose([float(n) for n in numbers], expected[words].tolist(), atol=5e-3)
    assert done.stderr.splitlines() == [
        f"Model: {demo}/model, which learned from synthetic speech: its answers say little about "
        "people."
    ]


@pytest.mark.parametrize("out", ["-", "answers.csv", "answers.parquet"])
def test_answers_are_tables_that_other_tools_read(saved, folder, tmp_path, out):
    target = out if out == "-" else tmp_path / out
    options = ["--model", saved, *ASKED, "--out", target, "--precision", "float32"]
    done = call("score", folder, *options)
    assert done.exit_code == 0, done.stderr
    read = pd.read_parquet if out.endswith("parquet") else pd.read_csv
    table = read(io.StringIO(done.stdout) if out == "-" else target)
    assert list(table) == [*tables.INDEX, "happy", "sad", "angry", "prediction"]
    assert [Path(file).name for file in table["file"]] == [f"{n}.wav" for n in range(5)]
    np.testing.assert_allclose(table[["happy", "sad", "angry"]].sum(axis=1), 1, atol=1e-5)
    assert "text.wav' cannot be read as audio" in done.stderr
    if out != "-":
        assert done.stdout == ""
        assert f"Written: {target}" in done.stderr
        assert len(pd.read_csv(tmp_path / "answers_failed.csv")) == 1


def test_windows_labels_and_templates_are_passed_on(saved, folder):
    options = ["--template", "{}", "--window", 0.2, "--hop", 0.1, "--device", "cpu"]
    asked = ["--model", saved, "--candidates", "a=angry,s=sad", *options]
    done = call("score", folder / "4.wav", *asked)
    assert done.exit_code == 0, done.stderr
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["file", "start", "end", "a", "s", "prediction"]
    assert [row.split()[1:3] for row in rows[:2]] == [["0.000", "0.200"], ["0.100", "0.300"]]
    assert len(rows) == 7  # of 0.8 s


def test_several_files_are_taken_and_a_missing_one_is_named(saved, folder):
    files = [folder / "0.wav", folder / "gone.wav", folder / "1.wav"]
    done = call("score", *files, "--model", saved, *ASKED)
    assert done.exit_code == 0, done.stderr
    rows = done.stdout.splitlines()[1:]
    assert [row.split()[0] for row in rows] == ["voices/0.wav", "voices/1.wav"]
    assert done.stderr.startswith(
        "1 segments could not be read:\n  'voices/gone.wav' is not there, expected an audio file"
    )


def test_a_segment_table_with_decimal_commas_is_read(saved, folder, tmp_path):
    (tmp_path / "t.csv").write_text("file;start;end\nvoices/4.wav;0,25;00:00:00,750\n")
    done = call("score", tmp_path / "t.csv", "--model", saved, *ASKED)
    assert done.stdout.splitlines()[1].split()[:3] == ["voices/4.wav", "0.250", "0.750"]


def test_where_there_is_no_model_yet_the_ways_to_one_are_named(home, folder):
    done = call("score", folder / "0.wav", *ASKED)
    assert (done.exit_code, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    for words in (f"'{home}/runs/demo/model", "make book", "--model", "ParaCLAP.from_released"):
        assert words in done.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"files": "no.wav"}, "Nothing at 'no.wav', expected a folder, a table or an audio file."),
        ({"files": "text.wav"}, "None of the segments can be read ('text.wav' cannot be"),
        ({"--model": "no/such/model"}, "No model at 'no/such/model': make one with"),
        ({"--model": "."}, "No model at '.': make one with"),
        ({"--candidates": "happy"}, "Got candidates ['happy'], expected two or more"),
        ({"--candidates": "a,b,a"}, "Bad candidates 'a,b,a', expected each label once"),
        ({"--candidates": "a=x,a=y"}, "Bad candidates 'a=x,a=y', expected each label once."),
        ({"--candidates": "a,,b"}, "Empty candidate in 'a,,b', expected such as happy,sad."),
        ({"--template": "is"}, "Bad template 'is'"),
        ({"--window": "0"}, "Bad window 0.0 s"),
        ({"--precision": "half"}, "Unknown precision 'half'"),
        ({"--out": "a.xlsx"}, "Bad --out 'a.xlsx', expected a name in .parquet or .csv"),
        ({"--out": "no/a.csv"}, "No folder 'no' for --out: make it."),
    ],
)
def test_what_is_wrong_is_one_line(saved, folder, monkeypatch, change, message):
    monkeypatch.chdir(folder)
    given = {"--candidates": "a,b", "--model": str(saved), "files": "0.wav"} | change
    options = [part for name, value in given.items() if name[0] == "-" for part in (name, value)]
    done = call("score", given["files"], *options)
    assert done.exit_code == 1
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "a.wav", "--candidate", "a,b"], "No such option"),
        (["score", "a.wav"], "Missing option '--candidates'"),
        (["score", *ASKED], "Missing argument"),
        (["scores"], "No such command 'scores'"),
        (["train"], "Missing argument"),
        (["book", "a.yaml", "--unknown"], "No such option"),
    ],
)
def test_a_misspelt_command_has_status_2(arguments, message):
    done = call(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr


# --- features and queries ------------------------------------------------------------------------


def test_features_are_those_of_the_package(folder, tmp_path):
    done = call("features", folder, "--jobs", 1, "--out", tmp_path / "f.parquet")
    assert done.exit_code == 0, done.stderr
    found = tables.read_table(tmp_path / "f.parquet")
    pd.testing.assert_frame_equal(found, features.extract(found.index, jobs=1))
    assert len(features.failed(tmp_path / "f.parquet")) == 1
    assert "text.wav" in done.stderr


def test_features_of_a_voice_stand_below_each_other(folder):
    done = call("features", folder / "1.wav", "--jobs", 1)
    lines = dict(line.split() for line in done.stdout.splitlines())
    assert lines["file"] == "voices/1.wav"
    assert float(lines["duration"]) == pytest.approx(0.5)
    assert len(lines) == 90


def test_a_folder_is_listed_with_what_is_left_out(folder):
    for name in ("a.m4a", "b.M4A", "c", "._0.wav", ".hidden/x.wav", "notes.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    shutil.copy(folder / "0.wav", os.fsencode(folder) + b"/M\xfcller.wav")
    done = call("features", folder, "--jobs", 1, "--out", "-")
    assert done.exit_code == 0, done.stderr
    table = pd.read_csv(io.StringIO(done.stdout))
    assert [Path(file).name for file in table["file"]] == [f"{n}.wav" for n in range(5)]
    assert done.stderr.splitlines()[0] == "3 files of other kinds not read: .m4a 2, no suffix 1."
    assert "2 segments could not be read:" in done.stderr
    assert r"ller.wav' is not there, expected an audio file: rename it in UTF-8." in done.stderr


def test_a_folder_without_audio_names_what_is_there(tmp_path):
    (tmp_path / "a.m4a").write_text("x")
    done = call("features", tmp_path)
    assert done.exit_code == 1
    assert "No audio in" in done.stderr
    assert "1 files of other kinds not read: .m4a 1" in done.stderr


def test_queries_are_those_of_the_package(labels, tmp_path):
    table = features.extract(labels, tmp_path / "f.parquet", jobs=1)
    tables.write_table(labels, tmp_path / "labels.parquet")
    asked = ["queries", tmp_path / "f.parquet", "--labels", tmp_path / "labels.parquet"]
    done = call(*asked, "--out", tmp_path / "q.parquet")
    assert done.exit_code == 0, done.stderr
    expected = describe(table, labels=labels)["queries"]
    found = tables.read_table(tmp_path / "q.parquet")["queries"]
    assert found.map(list).tolist() == expected.map(list).tolist()
    rows = pd.read_csv(io.StringIO(call(*asked, "--out", "-").stdout))
    assert list(rows) == [*tables.INDEX, "query"]
    assert rows["query"].tolist() == expected.explode().tolist()


def test_a_voice_is_compared_with_those_of_the_demo_run(demo, folder):
    done = call("queries", folder / "4.wav", folder / "0.wav", "--jobs", 1)
    assert done.exit_code == 0, done.stderr
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines()[1:]]
    assert ["voices/4.wav", "has a high pitch"] in rows
    assert ["voices/0.wav", "has a low pitch"] in rows


def test_queries_without_a_run_to_compare_with_name_the_remedy(home, folder, tmp_path):
    done = call("queries", folder / "0.wav", "--jobs", 1)
    assert done.exit_code == 1
    assert f"No '{home}/runs/demo/edges.json'" in done.stderr
    assert "--edges FILE" in done.stderr
    call("features", folder, "--jobs", 1, "--out", tmp_path / "f.parquet")
    labels = pd.DataFrame({"emotion": ["anger"]}, tables.segments([tmp_path / "other.wav"]))
    tables.write_table(labels, tmp_path / "labels.parquet")
    asked = ["queries", tmp_path / "f.parquet", "--labels", tmp_path / "labels.parquet"]
    done = call(*asked)
    assert done.exit_code == 1
    assert "No labels of 5 of 5 segments" in done.stderr


# --- train, book and sweep -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["train", "-p", "seed=1"], ("1-4", ["seed=1"], False, False)),
        (["book", "--only", "03-05", "--no-html"], ("03-05", [], False, False)),
        (["book", "--fresh", "-p", "a=1", "-p", "b=2"], ("", ["a=1", "b=2"], True, True)),
    ],
)
def test_train_and_book_run_the_chapters(monkeypatch, arguments, expected):
    from paraclap.book import run as runner

    def run(params, only="", overrides=(), html=True, fresh=False):
        assert (params, only, overrides, html, fresh) == (Path("x.yaml"), *expected)
        return Path("/runs/x")

    monkeypatch.setattr(runner, "run", run)
    command, *options = arguments
    done = call(command, "x.yaml", *options)
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == "/runs/x" + "/model" * (command == "train")


def test_sweep_runs_a_grid(monkeypatch):
    from paraclap.book import run as runner

    monkeypatch.setattr(runner, "sweep", lambda params, grid: Path(f"/{params} {grid}"))
    done = call("sweep", "x.yaml", "--grid", "rand=1,3", "--grid", "seed=0")
    assert done.stdout.strip() == "/x.yaml {'rand': ['1', '3'], 'seed': ['0']}"
    for wrong in (["rand"], ["=1"], ["rand=1,,2"], ["rand=1", "rand=2"]):
        done = call("sweep", "x.yaml", *(part for one in wrong for part in ("--grid", one)))
        assert done.exit_code == 1
        assert "expected NAME=VALUE,VALUE, each name once" in done.stderr


def test_an_error_of_the_book_is_a_sentence(home):
    done = call("book", "x.yaml")
    assert done.exit_code == 1
    assert "No chapters in" in done.stderr
    assert "Traceback" not in done.output


# --- the command itself --------------------------------------------------------------------------


def test_help_lists_the_commands_and_loads_nothing_heavy():
    code = "import sys; from paraclap.cli import app; app(['--help'], standalone_mode=False); "
    heavy = "{'torch', 'pandas', 'transformers', 'sklearn', 'pyarrow'}"
    command = [sys.executable, "-c", f"{code} print(*({heavy} & {{*sys.modules}}))"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    *text, loaded = done.stdout.splitlines()
    assert loaded == ""
    names = [line.split()[0] for line in text[text.index("Commands:") + 1 :]]
    assert names == ["score", "features", "queries", "train", "book", "sweep"]


def test_the_package_installs_the_command():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"paraclap": "paraclap.cli:app"}
    assert call("--version").stdout == f"paraclap {project['version']}\n"
