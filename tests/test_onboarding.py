"""A newcomer's path as the README tells it, and the same elsewhere: each step is one there is."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from packaging.requirements import Requirement
from PIL import Image
from typer.testing import CliRunner

from benchmarks import first_answer
from paraclap import command, params, sources, training, zeroshot
from paraclap.machine import Machine
from paraclap.model import ParaCLAP
from paraclap.queries import Pool
from paraclap.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
PATH = first_answer.commands(README)
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
BINDER = ROOT / "binder"
COLAB = nbformat.read(BINDER / "colab.ipynb", as_version=4)
# What a workflow may run besides the targets of the Makefile: Chrome under the name looked for.
PREPARES = {'sudo ln --symbolic "$(command -v google-chrome)" /usr/local/bin/chromium'}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh clone, with a recording of the newcomer's own in it."""
    soundfile.write(tmp_path / "my.wav", np.random.default_rng(0).normal(0, 0.1, 16_000), 16_000)
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ask() -> Any:
    """Do what the last line of the README's path says."""
    program, *arguments = shlex.split(PATH[-1])
    assert program == ".venv/bin/paraclap"
    return CliRunner().invoke(command.app, arguments)


# --- the path of the README --------------------------------------------------------------------


def test_the_path_is_clone_install_train_ask():
    clone, enter, install, train, asked = PATH
    assert clone == "git clone URL paraclap" and enter == "cd paraclap"
    assert (install, train) == ("make env", "make model")
    assert asked.startswith(".venv/bin/paraclap score my.wav --candidates ")


def test_before_there_is_a_model_the_answer_is_how_to_make_one(home):
    done = ask()
    assert (done.exit_code, done.stdout) == (1, "")
    named = set(re.findall(r"`make (\w+)`", done.stderr))
    assert "model" in named <= TARGETS
    assert len(done.stderr.splitlines()) == 1


def test_then_a_voice_is_answered_and_it_is_said_by_whom(home, model):
    for run in ("quick", "demo"):  # the larger one is asked as soon as it is there
        model.save_pretrained(home / "runs" / run / "model")
        (home / "runs" / run / "corpus").mkdir()
        done = ask()
        assert done.exit_code == 0, done.stderr
        assert done.stdout.split()[-1] in ("happy", "sad", "angry")
        assert f"Asked: runs/{run}/model, which learned from synthetic speech" in done.stderr


def test_a_model_of_other_speech_is_not_called_synthetic(home, model):
    model.save_pretrained(home / "runs" / "demo" / "model")
    assert "Asked: runs/demo/model.\n" in ask().stderr


def test_make_model_runs_the_chapters_up_to_training_with_a_small_file():
    given = params.of_run(ROOT / "params" / "quick.yaml")
    assert given["run"] == "quick" and str(command.RUNS[1]) == "runs/quick"
    recipe = MAKEFILE.partition("\nmodel:")[2].partition("\n\n")[0]
    assert "paraclap.book params/quick.yaml --only 01-04 --no-html" in recipe
    assert ".venv" not in PATH[3] and "env" in TARGETS
    demo = params.of_run(ROOT / "params" / "demo.yaml")
    assert all(given[name] < demo[name] for name in ("voices", "held_out", "steps"))
    assert Settings.of(given).audio_encoder == "egemaps"


def test_chapter_4_hears_the_untrained_towers_whatever_they_read(voices, pool: Pool, tmp_path):
    table = pd.DataFrame(
        np.random.default_rng(0).normal(size=(len(voices), 89)), index=voices.index
    )
    small = {"audio_encoder": "egemaps", "text_encoder": "smoke", "text_pooling": "mean"}
    settings = Settings(**small, freeze_text=True, projection_dim=8, batch=8, steps=2, pad="batch")
    model = training.train(voices, pool, tmp_path, settings, Machine(jobs=1), None, table)
    cells = sources.code(ROOT / "book" / "04_training.py")
    cell = next(cell for cell in cells if "training.start(" in cell)
    names: dict[str, Any] = {"training": training, "settings": settings, "model": model}
    exec("\n".join(line for line in cell.splitlines() if line.startswith("start")), names)
    assert isinstance(names["start"], ParaCLAP)
    assert np.isfinite(zeroshot.embed_audio(names["start"], voices.iloc[:2])).all()


def test_the_timed_path_is_told_in_steps_and_in_sum():
    step = {"command": "make model", "seconds": 100.0, "printed": "a\n"}
    told = first_answer.page([step, {**step, "seconds": 201.0}])
    assert "all of it: 301 s, above the 300 s" in told
    assert first_answer.measure("echo $((6 * 7))", ROOT)["printed"] == "42\n"


def test_a_machine_without_the_right_python_is_told_so(tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "hashes.txt"):
        shutil.copy(ROOT / name, tmp_path)
    for python, said in (
        ("", "No python3 found: install Python 3.11"),
        ("false", "is not Python"),
    ):
        asked = ["make", f"PYTHON={python}", "env"]
        done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 2 and said in done.stderr
        assert not (tmp_path / ".venv").exists()


def test_in_the_lab_a_double_click_opens_a_chapter():
    recipe = MAKEFILE.partition("\nlab:")[2].partition("\n\n")[0]
    assert "JUPYTER_CONFIG_PATH=$(CURDIR)/.jupyter $(BIN)/jupyter lab book" in recipe
    told = json.loads(
        (ROOT / ".jupyter/labconfig/default_setting_overrides.json").read_text("utf-8")
    )
    viewers = told["@jupyterlab/docmanager-extension:plugin"]["defaultViewers"]
    assert viewers == {"python": "Jupytext Notebook"}


# --- what the README shows ---------------------------------------------------------------------


def test_the_picture_is_of_the_book_and_light():
    (alt, path), *others = re.findall(r"!\[(.*?)\]\((.*?)\)", README)
    assert not others and len(alt) > 20
    with Image.open(ROOT / path) as picture:
        assert picture.width == 1200
    assert (ROOT / path).stat().st_size < 200_000


def test_all_that_the_readme_names_is_there():
    table = README.partition("\n## What is where\n")[2].partition("\n## ")[0]
    first = "".join(line.split("|")[1] for line in table.splitlines() if line.startswith("|"))
    named = set(re.findall(r"`([a-z.]+)/`", first))
    elsewhere = {"binder", ".github"}
    assert named == elsewhere | {"book", "paraclap", "params", "tests", "benchmarks", "versions"}
    assert all((ROOT / name).is_dir() for name in named)
    kinds = {path.stem for path in (ROOT / "params").glob("*.yaml")}
    row = next(line for line in table.splitlines() if line.startswith("| `params/`"))
    assert kinds == set(re.findall(r"`(\w+)`", row))
    assert set(re.findall(r"`make ([a-z]+)", README)) <= TARGETS
    assert set(re.findall(r"^make ([a-z]+)", README, re.MULTILINE)) <= TARGETS


def test_links_within_the_readme_have_a_goal():
    titles = re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    goals = re.findall(r"\]\((?!http)([^)]+)\)", README)
    assert {goal[1:] for goal in goals if goal[0] == "#"} <= anchors
    assert all((ROOT / goal).exists() for goal in goals if goal[0] != "#")


# --- GitHub ------------------------------------------------------------------------------------


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request: pytest.FixtureRequest) -> dict[Any, Any]:
    """A workflow of GitHub; YAML reads its `on` as True."""
    return yaml.safe_load(request.param.read_text("utf-8"))


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    """Steps of all jobs."""
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_workflows_do_what_make_does(workflow):
    commands = {step["run"].partition(" PYTHON=")[0] for step in steps(workflow) if "run" in step}
    commands -= PREPARES
    assert commands and commands <= {f"make {target}" for target in TARGETS}


def test_workflows_may_do_no_more_than_they_have_to(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    rights = {name: job.get("permissions") for name, job in workflow["jobs"].items()}
    assert {name for name, right in rights.items() if right} <= {"publish"}
    assert all(
        "timeout-minutes" in job for name, job in workflow["jobs"].items() if name != "publish"
    )
    assert "group" in workflow["concurrency"] and "main" in workflow[True]["push"]["branches"]


def test_workflows_name_actions_by_their_major_version(workflow):
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", name) for name in used)


def test_workflows_take_pythons_of_the_project_and_the_tests_all_of_them(workflow):
    taken = [
        step["with"]["python-version"] for step in steps(workflow) if "setup-python" in str(step)
    ]
    matrix = workflow["jobs"].get("test", {}).get("strategy", {}).get("matrix", {})
    kinds = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["classifiers"]
    pythons = [kind.rpartition(" ")[2] for kind in kinds if ":: 3." in kind]
    assert (taken, matrix.get("python")) in (
        (["3.11"], None),
        (["${{ matrix.python }}"], pythons),
    )


def test_the_book_is_published_from_where_it_is_built():
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "book.yml").read_text("utf-8"))["jobs"]
    upload = jobs["build"]["steps"][-1]
    assert upload["with"]["path"] == "_build/html"
    assert jobs["publish"]["needs"] == "build"
    assert jobs["publish"]["permissions"] == {"pages": "write", "id-token": "write"}


# --- Binder and Colab --------------------------------------------------------------------------


def test_binder_has_the_python_of_the_project_and_nothing_else_of_its_own():
    given = yaml.safe_load((BINDER / "environment.yml").read_text("utf-8"))
    python, *others = given["dependencies"]
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    exact = python.partition("=")[2]
    assert Requirement(f"python{wanted['requires-python']}").specifier.contains(exact)
    assert others == ["pip", "make"]


def test_binder_installs_the_pins_and_makes_the_small_model():
    script = BINDER / "postBuild"
    assert os.access(script, os.X_OK) and script.read_text("utf-8").startswith("#!/bin/bash\n")
    text = script.read_text("utf-8")
    assert "set -euo pipefail" in text and not re.search(r"[\w-]+==\d", text)
    pin = next(line for line in text.splitlines() if line.startswith("pin()"))
    found = subprocess.run(
        ["bash", "-euc", f"{pin}\npin torch"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    pins = (ROOT / "constraints.txt").read_text("utf-8").split()
    assert found.stdout.strip() in pins and found.stdout.startswith("torch==")
    made = MAKEFILE.partition("\nmodel:")[2].partition("@$(BIN)/")[2].partition("\n")[0]
    assert made in text
    subprocess.run(["bash", "-n", script], check=True)


def shells() -> list[str]:
    """What the cells of the Colab notebook have a shell do."""
    cells = [cell["source"] for cell in COLAB["cells"] if cell["cell_type"] == "code"]
    return [cell.removeprefix("%%bash\n") for cell in cells if cell.startswith("%%bash\n")]


def test_the_colab_notebook_holds_commands_and_no_results():
    nbformat.validate(COLAB)
    code = [cell for cell in COLAB["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)
    for shell in shells():
        subprocess.run(["bash", "-nc", shell], check=True)
    text = "\n".join(shells())
    assert set(re.findall(r"\bmake ([a-z]+)", text)) <= TARGETS
    known = {one.name or one.callback.__name__ for one in command.app.registered_commands}
    assert set(re.findall(r"bin/paraclap (\w+)", text)) <= known
    assert all((ROOT / name).exists() for name in re.findall(r"params/\w+\.yaml", text))


def test_the_colab_notebook_fetches_the_project_and_asks_its_model(home, model):
    source = home / "source"
    source.mkdir()
    (source / "a.txt").write_text("a")
    git = ["git", "-C", str(source), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "a"]):
        subprocess.run([*git, *arguments], check=True)
    fetch, *_ = shells()
    _run(fetch, home, REPOSITORY=str(source))
    clone = home / "paraclap"
    assert (clone / "a.txt").is_file()
    _installed(clone, model)
    for shell in shells():
        if "bin/paraclap " in shell or shell.startswith("mkdir"):
            _run(shell, home)
    assert [path.name for path in (home / "voices").iterdir()] == ["my.wav"]
    assert json.loads((home / "asked.json").read_text()) == [
        ["score", "voices"],
        ["queries", "voices"],
    ]


def _installed(clone: Path, model: ParaCLAP) -> None:
    """In place of an installation: a run, and a command that takes down what it is asked."""
    (clone / "runs" / "quick" / "corpus" / "a").mkdir(parents=True)
    shutil.copy(clone.parent / "my.wav", clone / "runs" / "quick" / "corpus" / "a")
    program = clone / ".venv" / "bin" / "paraclap"
    program.parent.mkdir(parents=True)
    lines = [
        f"#!{sys.executable}",
        "import json, pathlib, sys",
        'file = pathlib.Path("asked.json")',
        "asked = json.loads(file.read_text()) if file.exists() else []",
        "file.write_text(json.dumps([*asked, sys.argv[1:3]]))",
    ]
    program.write_text("\n".join(lines) + "\n")
    program.chmod(0o755)


def _run(shell: str, folder: Path, **env: str) -> None:
    subprocess.run(["bash", "-euc", shell], cwd=folder, env={**os.environ, **env}, check=True)
