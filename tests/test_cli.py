import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sounds import buzz, write
from typer.testing import CliRunner, Result

from paraclap import cli, features, tables
from paraclap.evaluation.zeroshot import classify
from paraclap.model import ParaCLAP
from paraclap.queries import describe, fit_levels
from paraclap.queries.levels import save_edges

ASKED = ["--candidates", "happy,sad,angry"]


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def measured(labels: pd.DataFrame) -> pd.DataFrame:
    return features.extract(labels, jobs=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "voices"
    for number in range(5):
        signal = buzz(0.4 + 0.1 * number, 100 + 60 * number, 0.05 + 0.1 * number, number)
        write(root / f"{number}.wav", 0.5 * signal)
    (root / "text.wav").write_text("no audio")
    return root


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(tmp_path / "hub"))
    return tmp_path / "home"


def test_a_voice_alone_is_scored_by_the_demo_model(home, model_folder, folder, labels):
    demo = home / "runs" / "demo"
    shutil.copytree(model_folder, demo / "model")
    tables.write_table(labels.assign(synthetic=True), demo / "labels.parquet")
    done = call("score", folder / "2.wav", *ASKED)
    assert done.exit_code == 0, done.stderr
    header, row = done.stdout.splitlines()
    assert header.split() == ["file", "happy", "sad", "angry", "prediction"]
    words, model = ["happy", "sad", "angry"], ParaCLAP.from_pretrained(model_folder)
    expected = classify(model, [folder / "2.wav"], words, "speaker is {}").iloc[0]
    name, *numbers, answer = row.split()
    assert (name, answer) == ("voices/2.wav", expected["prediction"])
    np.testing.assert_allclose([float(n) for n in numbers], expected[words].tolist(), atol=5e-3)
    little = "which learned from synthetic speech: its answers say little about people"
    assert done.stderr.startswith(f"Model: {demo}/model, {little}. `--model released` fetches")


def test_models_at_hand_are_listed_and_the_published_one_comes_first(
    home, model_folder, folder, labels
):
    demo = home / "runs" / "demo"
    shutil.copytree(model_folder, demo / "model")
    tables.write_table(labels.assign(synthetic=True, split="train"), demo / "labels.parquet")
    first, second = call("models").stdout.splitlines()
    assert first == "released: not here, `--model released` fetches it"
    assert second.startswith("demo: learned from ") and f"(synthetic speech); {demo}" in second
    released = home.parent / "hub" / "paraclap" / "released"
    shutil.copytree(model_folder, released)
    assert call("models").stdout.startswith(f"released: learned from MSP-Podcast; {released}, ")
    done = call("score", folder / "2.wav", *ASKED)
    assert done.stderr == f"Model: {released}, which the authors published.\n"


@pytest.mark.parametrize("out", ["-", "answers.csv", "answers.parquet"])
def test_answers_are_tables_that_other_tools_read(model_folder, folder, tmp_path, out):
    target = out if out == "-" else tmp_path / out
    files = [folder / name for name in ("3.wav", "gone.wav", "1.wav")]
    options = ["--model", model_folder, *ASKED, "--out", target, "--precision", "float32"]
    done = call("score", *files, *options)
    assert done.exit_code == 0, done.stderr
    read = pd.read_parquet if out.endswith("parquet") else pd.read_csv
    table = read(io.StringIO(done.stdout) if out == "-" else target)
    assert list(table) == [*tables.INDEX, "happy", "sad", "angry", "prediction"]
    assert [Path(file).name for file in table["file"]] == ["3.wav", "1.wav"]
    np.testing.assert_allclose(table[["happy", "sad", "angry"]].sum(axis=1), 1, atol=1e-5)
    failed = "1 segments could not be read:\n  'voices/gone.wav' cannot be opened (No such file"
    assert done.stderr.startswith(failed)
    if out != "-":
        assert done.stdout == ""
        assert len(pd.read_csv(tmp_path / "answers_failed.csv")) == 1


def test_windows_labels_templates_and_tables_are_passed_on(model_folder, folder, tmp_path):
    (tmp_path / "t.csv").write_text("file;start;end\nvoices/4.wav;0,1;00:00:00,800\n")
    options = ["--template", "{}", "--window", 0.2, "--hop", 0.1, "--device", "cpu"]
    asked = ["--model", model_folder, "--candidates", "a=angry,s=sad", *options]
    done = call("score", tmp_path / "t.csv", *asked)
    assert done.exit_code == 0, done.stderr
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["file", "start", "end", "a", "s", "prediction"]
    assert [row.split()[1:3] for row in rows[:2]] == [["0.100", "0.300"], ["0.200", "0.400"]]
    assert len(rows) == 6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"files": "no.wav"}, "Nothing at 'no.wav', expected a folder, a table or an audio file."),
        ({"files": "text.wav"}, "None of the segments can be read ('voices/text.wav' cannot be"),
        ({"--model": "no/such/model"}, "No 'no/such/model/config.json': give --model"),
        ({"--model": ""}, "No '/home/runs/demo/model/config.json': give --model"),
        ({"--candidates": "happy"}, "Got candidates ['happy'], expected two or more"),
        ({"--template": "is"}, "Bad template 'is'"),
        ({"--window": "0"}, "Bad window 0.0 s"),
        ({"--precision": "half"}, "Unknown precision 'half'"),
        ({"--out": "a.xlsx"}, "Bad --out 'a.xlsx', expected a name in .parquet or .csv"),
    ],
)
def test_what_is_wrong_is_one_line(model_folder, folder, monkeypatch, change, message):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PARACLAP_HOME", "/home")
    given = {"--candidates": "a,b", "--model": str(model_folder), "files": "0.wav"} | change
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
    ],
)
def test_a_misspelt_command_has_status_2(arguments, message):
    done = call(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_features_are_those_of_the_package(folder, tmp_path):
    done = call("features", folder, "--jobs", 1, "--out", tmp_path / "f.parquet")
    assert done.exit_code == 0, done.stderr
    found = tables.read_table(tmp_path / "f.parquet")
    pd.testing.assert_frame_equal(found, features.extract(found.index, jobs=1))
    assert len(features.failed(tmp_path / "f.parquet")) == 1
    assert "text.wav" in done.stderr
    lines = call("features", folder / "1.wav", "--jobs", 1).stdout.splitlines()
    shown = dict(line.split() for line in lines)  # many columns stand below each other
    assert (shown["file"], float(shown["duration"]), len(shown)) == ("voices/1.wav", 0.5, 90)


def test_a_folder_is_listed_with_what_is_left_out(folder):
    for name in ("a.m4a", "b.M4A", "c", "._0.wav", ".hidden/x.wav", "notes.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("x")
    odd = folder / os.fsdecode(b"M\xfcller")
    odd.mkdir()
    shutil.copy(folder / "0.wav", odd)
    done = call("features", odd / "0.wav", folder / "0.wav", "--jobs", 1, "--out", "-")
    assert (done.exit_code, len(done.stdout.splitlines())) == (0, 2), done.stderr
    done = call("features", folder, "--jobs", 1, "--out", "-")
    assert done.exit_code == 0, done.stderr
    table = pd.read_csv(io.StringIO(done.stdout))
    assert [Path(file).name for file in table["file"]] == [f"{n}.wav" for n in range(5)]
    assert done.stderr.splitlines()[0] == "3 files of other kinds not read: .m4a 2, no suffix 1."
    assert "2 segments could not be read:" in done.stderr
    assert "ller/0.wav' cannot be opened" in done.stderr and "rename it in UTF-8" in done.stderr


def test_queries_are_those_of_the_package(measured, labels, tmp_path):
    table = tables.write_table(measured, tmp_path / "f.parquet")
    tables.write_table(labels, tmp_path / "labels.parquet")
    asked = ["queries", table, "--labels", tmp_path / "labels.parquet"]
    done = call(*asked, "--out", tmp_path / "q.parquet")
    assert done.exit_code == 0, done.stderr
    expected = describe(measured, labels=labels)["queries"]
    found = tables.read_table(tmp_path / "q.parquet")["queries"]
    assert found.map(list).tolist() == expected.map(list).tolist()
    rows = pd.read_csv(io.StringIO(call(*asked, "--out", "-").stdout))
    assert list(rows) == [*tables.INDEX, "query"]
    assert rows["query"].tolist() == expected.explode().tolist()


def test_a_voice_is_compared_with_those_of_a_run(home, folder, measured):
    asked = ["queries", folder / "4.wav", folder / "0.wav", "--jobs", 1]
    done = call(*asked)
    assert done.exit_code == 1
    assert f"No '{home}/runs/demo/edges.json': give --edges FILE" in done.stderr
    (home / "runs" / "quick").mkdir(parents=True)
    (home / "Makefile").touch()
    make = "run `make model` or `make book`, or give --edges FILE"
    assert make in call(*asked, "--edges", "no.json").stderr
    save_edges(fit_levels(measured), home / "runs" / "quick" / "edges.json")
    done = call(*asked)
    assert done.exit_code == 0, done.stderr
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines()[1:]]
    assert ["voices/4.wav", "has a high pitch"] in rows
    assert ["voices/0.wav", "has a low pitch"] in rows
    (folder / "own.csv").write_text("file,emotion\n4.wav,hap\n0.wav,0\n")
    wrong = call(*asked, "--labels", folder / "own.csv")
    assert wrong.stderr.startswith("Bad emotion '0' in own.csv (1 rows, first: 'voices/0.wav')")


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


def test_sweep_runs_a_grid_and_an_error_of_the_book_is_a_sentence(home, monkeypatch):
    from paraclap.book import run as runner

    monkeypatch.setattr(runner, "sweep", lambda params, grid: Path(f"/{params} {grid}"))
    done = call("sweep", "x.yaml", "--grid", "rand=1,3", "--grid", "seed=0")
    assert done.stdout.strip() == "/x.yaml {'rand': ['1', '3'], 'seed': ['0']}"
    for wrong in (["rand"], ["=1"], ["rand=1,,2"], ["rand=1", "--grid", "rand=2"]):
        done = call("sweep", "x.yaml", "--grid", *wrong)
        assert done.exit_code == 1
        assert "expected NAME=VALUE,VALUE, each name once" in done.stderr
    (home / "book").mkdir(parents=True)
    done = call("train", "x.yaml")
    assert done.exit_code == 1
    assert done.stderr.startswith(f"No chapters in {home}/book: the book comes with the project")
    monkeypatch.setitem(sys.modules, "grimp", None)
    monkeypatch.delitem(sys.modules, "paraclap.book.run")
    done = call("book", "x.yaml")
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
    assert "grimp" in done.stderr and "pip install 'paraclap[book" in done.stderr


def test_help_lists_the_commands_and_loads_nothing_heavy():
    command = [sys.executable, "-X", "importtime", "-m", "paraclap.cli", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in loaded and loaded.isdisjoint({"torch", "pandas", "transformers", "sklearn"})
    text = done.stdout.splitlines()
    names = [line.split()[0] for line in text[text.index("Commands:") + 1 :]]
    assert names == ["score", "models", "export", "features", "queries", "train", "book", "sweep"]
