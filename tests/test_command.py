"""The shell: each command on tiny data, and what it says where something is wrong."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import RATE, tone
from typer.testing import CliRunner, Result

from paraclap import command, features, levels, shown, tables, zeroshot
from paraclap.model import ParaCLAP
from paraclap.queries import Pool

ROOT = Path(__file__).resolve().parent.parent
ASKED = ["--candidates", "happy,sad,angry"]


def call(*arguments: object) -> Result:
    return CliRunner().invoke(command.app, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five tones and a text that is called .wav."""
    root = tmp_path / "voices"
    root.mkdir()
    for number in range(5):
        wave = tone(100 + 60 * number, 0.05 + 0.1 * number, 0.4 + 0.1 * number, number)
        soundfile.write(root / f"{number}.wav", wave, RATE)
    (root / "text.wav").write_text("no audio")
    return root


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder in which nothing has been run yet."""
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def demo(home: Path, model: ParaCLAP, voices: pd.DataFrame) -> Path:
    """A project folder with a demo run, as far as commands need one."""
    run = home / "runs" / "demo"
    model.save_pretrained(run / "model")
    measured = features.extract(voices, run / "features.parquet", jobs=1)
    table = measured.join(voices)
    levels.save(levels.fit(table, attributes=levels.varying(table)), run / "edges.json")
    return home


# --- score -------------------------------------------------------------------------------------


def test_a_voice_is_scored_by_the_demo_model_without_further_ado(demo, folder):
    file = folder / "2.wav"
    done = call("score", file, *ASKED)
    assert done.exit_code == 0, done.stderr
    header, row = done.stdout.splitlines()
    assert header.split() == ["file", "happy", "sad", "angry", "prediction"]
    model = ParaCLAP.from_pretrained(demo / "runs" / "demo" / "model")
    expected = zeroshot.classify(model, [file], ["happy", "sad", "angry"], "speaker is {}").iloc[0]
    name, *numbers, answer = row.split()
    assert (name, answer) == ("voices/2.wav", expected["prediction"])
    np.testing.assert_allclose(
        [float(n) for n in numbers], expected.iloc[:3].astype(float), atol=5e-3
    )


@pytest.mark.parametrize("out", ["-", "answers.csv", "answers.parquet"])
def test_answers_are_tables_that_other_tools_read(saved, folder, tmp_path, out):
    target = out if out == "-" else tmp_path / out
    done = call(
        "score", folder, "--model", saved, *ASKED, "--out", target, "--precision", "float32"
    )
    assert done.exit_code == 0, done.stderr
    read = pd.read_parquet if out.endswith("parquet") else pd.read_csv
    table = read(io.StringIO(done.stdout) if out == "-" else target)
    assert list(table) == [*tables.INDEX, "happy", "sad", "angry", "prediction"]
    assert [Path(file).name for file in table["file"]] == [f"{n}.wav" for n in range(5)]
    np.testing.assert_allclose(table[["happy", "sad", "angry"]].sum(axis=1), 1, atol=1e-5)
    assert "text.wav' cannot be read as audio" in done.stderr
    if out != "-":
        assert done.stdout == ""
        assert len(pd.read_csv(tmp_path / "answers_failed.csv")) == 1


def test_what_is_asked_is_passed_on(saved, folder):
    options = ["--template", "{}", "--window", 0.2, "--hop", 0.1, "--device", "cpu"]
    done = call(
        "score", folder / "4.wav", "--model", saved, "--candidates", "a=angry,s=sad", *options
    )
    assert done.exit_code == 0, done.stderr
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["file", "start", "end", "a", "s", "prediction"]
    assert [row.split()[1:3] for row in rows[:2]] == [["0.000", "0.200"], ["0.100", "0.300"]]
    assert len(rows) == 7  # of 0.8 s


def test_several_files_are_one_question_and_a_missing_one_is_named(saved, folder):
    files = [folder / "0.wav", folder / "gone.wav", folder / "1.wav"]
    done = call("score", *files, "--model", saved, *ASKED)
    assert done.exit_code == 0, done.stderr
    assert [row.split()[0] for row in done.stdout.splitlines()[1:]] == [
        "voices/0.wav",
        "voices/1.wav",
    ]
    assert "1 segments could not be heard:\n  'voices/gone.wav' is not there" in done.stderr


def test_embeddings_are_written_to_parquet_alone(saved, folder, tmp_path):
    asked = ["score", folder / "0.wav", "--model", saved, *ASKED, "--embeddings"]
    assert call(*asked, "--out", tmp_path / "a.parquet").exit_code == 0
    assert len(pd.read_parquet(tmp_path / "a.parquet")["embedding"][0]) == 16
    refused = call(*asked)
    assert refused.exit_code == 1
    assert refused.stderr == "Embeddings need a .parquet file, got --out '': name one.\n"


def test_where_there_is_no_model_yet_it_is_said_how_to_get_one(home, folder):
    done = call("score", folder / "0.wav", *ASKED)
    assert (done.exit_code, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    for said in ("'runs/demo/model'", "make book", "--model FOLDER", "ParaCLAP.from_released"):
        assert said in done.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"files": "no.wav"}, "Nothing at 'no.wav', expected a folder, a table or an audio file."),
        ({"files": "text.wav"}, "None of 1 segments could be heard ('text.wav' cannot be"),
        ({"--model": "no/such/model"}, "No model at 'no/such/model', expected the folder"),
        ({"--model": "."}, "No model at '.', expected the folder of a trained one"),
        ({"--candidates": "happy"}, "Bad candidates ['happy'], expected two or more"),
        ({"--candidates": "a=x,a=y"}, "Bad candidates 'a=x,a=y', expected each label once."),
        ({"--template": "is"}, "Bad template 'is', expected a slot"),
        ({"--window": "0"}, "Bad window 0.0 s"),
        ({"--precision": "half"}, "Bad precision 'half'"),
        ({"--out": "a.xlsx"}, "Bad --out 'a.xlsx', expected a name that ends in .parquet or .csv"),
        ({"--out": "no/a.csv"}, "No folder 'no' for --out 'no/a.csv': make it."),
    ],
)
def test_what_is_wrong_is_said_in_a_line(saved, folder, monkeypatch, change, said):
    monkeypatch.chdir(folder)
    given = {"--candidates": "a,b", "--model": str(saved), "files": "0.wav"} | change
    options = [part for name, value in given.items() if name[0] == "-" for part in (name, value)]
    done = call("score", given["files"], *options)
    assert done.exit_code == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(said)
    assert "Traceback" not in done.output and "_failed.csv" not in last


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["score", "a.wav", "--candidate", "a,b"], "No such option"),
        (["score", "a.wav"], "Missing option '--candidates'"),
        (["score", *ASKED], "Missing argument"),
        (["scores"], "No such command 'scores'"),
        (["train"], "the following arguments are required: params"),
        (["book", "a.yaml", "--unknown"], "unrecognized arguments: --unknown"),
    ],
)
def test_a_misspelt_command_has_status_2(arguments, said):
    done = call(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr


# --- features and queries ----------------------------------------------------------------------


def test_features_are_those_of_the_features_step(folder, tmp_path):
    done = call("features", folder, "--jobs", 1, "--out", tmp_path / "f.parquet")
    assert done.exit_code == 0, done.stderr
    measured = tables.read_table(tmp_path / "f.parquet")
    expected = features.extract(measured.index, tmp_path / "again.parquet", jobs=1)
    pd.testing.assert_frame_equal(measured, expected)
    assert len(features.failed(tmp_path / "f.parquet")) == 1
    assert "Measure segments" in done.stderr and "text.wav" in done.stderr


def test_features_of_a_voice_stand_below_each_other(folder):
    done = call("features", folder / "1.wav", "--jobs", 1)
    lines = dict(line.split() for line in done.stdout.splitlines())
    assert lines["file"] == "voices/1.wav"
    assert float(lines["duration"]) == pytest.approx(0.5)
    assert len(lines) == 90


def test_queries_are_those_of_the_queries_step(voices, tmp_path):
    table = features.extract(voices, tmp_path / "f.parquet", jobs=1)
    tables.write_table(voices, tmp_path / "labels.parquet")
    asked = ["queries", tmp_path / "f.parquet", "--labels", tmp_path / "labels.parquet"]
    done = call(*asked, "--out", tmp_path / "q.parquet")
    assert done.exit_code == 0, done.stderr
    table = table.join(voices)
    level = levels.assign(table, levels.fit(table, attributes=levels.varying(table)))
    expected = Pool.build(level, table["emotion"], table["gender"]).table()
    found = tables.read_table(tmp_path / "q.parquet")
    assert found["queries"].map(list).tolist() == expected["queries"].tolist()
    rows = pd.read_csv(io.StringIO(call(*asked, "--out", "-").stdout))
    assert list(rows) == [*tables.INDEX, "query"]
    assert rows["query"].tolist() == expected["queries"].explode().tolist()


def test_a_voice_is_described_beside_those_of_the_demo_run(demo, folder):
    done = call("queries", folder / "4.wav", folder / "0.wav", "--jobs", 1)
    assert done.exit_code == 0, done.stderr
    loud, quiet = done.stdout.split("voices/0.wav\n")
    assert loud.startswith("voices/4.wav\n  has a high pitch\n")
    assert quiet.startswith("  has a low pitch\n") and "  is short\n" in quiet


def test_queries_without_a_run_to_compare_with_say_so(home, folder, tmp_path):
    done = call("queries", folder / "0.wav", "--jobs", 1)
    assert done.exit_code == 1
    assert "No edges at 'runs/demo/edges.json'" in done.stderr and "--edges FILE" in done.stderr
    call("features", folder / "0.wav", "--jobs", 1, "--out", tmp_path / "f.parquet")
    done = call("queries", tmp_path / "f.parquet")
    assert done.exit_code == 1
    assert "Nothing varies among 1 segments" in done.stderr


def test_edges_and_labels_that_do_not_fit_are_refused(folder, voices, tmp_path):
    call("features", folder, "--jobs", 1, "--out", tmp_path / "f.parquet")
    tables.write_table(voices, tmp_path / "labels.parquet")
    done = call("queries", tmp_path / "f.parquet", "--labels", tmp_path / "labels.parquet")
    assert done.exit_code == 1
    assert "No labels of 5 of 5 segments (first: ['0.wav', '1.wav'" in done.stderr
    edges = {"pitch": {"column": "unheard of", "low": 1, "high": 2}}
    content = {"version": levels.VERSION, "quantiles": [0.3, 0.7], "attributes": edges}
    (tmp_path / "edges.json").write_text(json.dumps(content))
    done = call("queries", tmp_path / "f.parquet", "--edges", tmp_path / "edges.json")
    assert done.exit_code == 1
    assert "expected any of ['unheard of']" in done.stderr


# --- train and book ----------------------------------------------------------------------------


def test_train_and_book_take_a_params_file_and_say_what_is_wrong_with_it(home, tmp_path):
    shutil.copytree(ROOT / "params", home / "params")
    shutil.copytree(ROOT / "book", home / "book", ignore=shutil.ignore_patterns("*.ipynb"))
    done = call("train", ROOT / "params" / "smoke.yaml", "-p", "run=none")
    assert done.exit_code == 1
    assert "No runs/none/labels.parquet, expected what chapters 1 to 3 make" in done.stderr
    done = call("book", ROOT / "params" / "smoke.yaml", "-p", "epoch=1", "--no-html")
    assert done.exit_code == 1
    assert "epoch" in done.stderr and "Traceback" not in done.output


def test_book_runs_the_notebooks_of_a_folder(home, tmp_path):
    book = home / "book"
    book.mkdir()
    cells = ['# %% tags=["parameters"]', 'run: str = "a"  # name', "seed: int = 0  # of draws"]
    cells += ["# %%", "print(run, seed)"]
    (book / "01_first.py").write_text("\n".join(cells) + "\n")
    (tmp_path / "mine.yaml").write_text("run: mine\n")
    done = call("book", tmp_path / "mine.yaml", "--folder", book, "--no-html")
    assert done.exit_code == 0, done.stderr
    assert (home / "runs" / "mine" / "notebooks" / "01_first.ipynb").is_file()


# --- the command itself ------------------------------------------------------------------------


def test_help_lists_the_commands_and_waits_for_nothing_heavy():
    code = "import sys; from paraclap.command import app; app(['--help'], standalone_mode=False); "
    heavy = "{'torch', 'pandas', 'transformers', 'sklearn', 'pyarrow'}"
    done = subprocess.run(
        [sys.executable, "-c", f"{code} print(*({heavy} & {{*sys.modules}}))"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    *text, loaded = done.stdout.splitlines()
    assert loaded == ""
    names = [line.split()[0] for line in text[text.index("Commands:") + 1 :]]
    assert names == ["score", "features", "queries", "train", "book", "sweep"]


def test_the_package_installs_the_command():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"paraclap": "paraclap.command:app"}
    version = call("--version")
    assert version.stdout == f"paraclap {project['version']}\n"


def test_a_new_user_comes_from_a_copy_of_the_project_to_an_answer(saved, folder, tmp_path):
    clone, site = tmp_path / "clone", tmp_path / "site"
    clone.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    shutil.copytree(ROOT / "paraclap", clone / "paraclap")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    options = ["--no-deps", "--no-build-isolation", "--no-compile", "--target", site]
    subprocess.run([*pip, *options, clone], check=True)
    own = {"PYTHONPATH": str(site), "PARACLAP_HOME": str(clone), "OMP_NUM_THREADS": "1"}
    asked = [sys.executable, site / "bin" / "paraclap", "score", folder / "1.wav", *ASKED]
    settings = {"env": {**os.environ, **own}, "cwd": tmp_path, "text": True, "capture_output": True}
    before = subprocess.run(asked, check=False, **settings)
    assert before.returncode == 1
    assert before.stderr.startswith("No model at 'runs/demo/model'")
    shutil.copytree(saved, clone / "runs" / "demo" / "model")
    after = subprocess.run(asked, check=False, **settings)
    assert after.returncode == 0, after.stderr
    assert after.stdout.split()[-1] in ("happy", "sad", "angry")


def test_a_reference_to_a_list_that_is_kept_stays(tmp_path):
    kept = tmp_path / "a_failed.csv"
    kept.touch()
    message = f"None of 2 segments could be heard (why): see '{kept}'."
    assert shown._without_lost_files(message) == message
    kept.unlink()
    assert shown._without_lost_files(message) == "None of 2 segments could be heard (why)."
