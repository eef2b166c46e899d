"""CONTRIBUTING.md: what it says is done, block by block, in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from followed import TEXT

from paraclap import levels, params, tables

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("paraclap", "params", "book", "tests")
FILES = ("pyproject.toml", "CONTRIBUTING.md")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project."""
    for name in COPIED:
        ignored = shutil.ignore_patterns("__pycache__", "_static")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def follow(copy: Path, title: str) -> str:
    """Do what a section says; returns all that was printed."""
    own = {"PYTHONPATH": str(copy), "PARACLAP_HOME": str(copy), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(copy / "tests" / "followed.py"), title]
    settings = {"cwd": copy, "env": {**os.environ, **own}, "text": True, "capture_output": True}
    ended = subprocess.run(command, check=False, **settings)
    assert ended.returncode == 0, f"{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"
    return ended.stdout


def test_adding_a_corpus_takes_a_module_two_lines_and_its_published_numbers(copy):
    assert " passed" in follow(copy, "Add a corpus")
    assert "studio" in params.declared(copy / "book" / "01_corpora.py")
    assert "studio: str" in (copy / "book" / "01_corpora.ipynb").read_text("utf-8")


def test_adding_a_template_set_takes_a_table(copy, voices):
    run, some = copy / "runs" / "smoke", voices.iloc[:8]
    pitch = np.linspace(1, 8, len(some))
    measured = some[[]].assign(**{levels.FEATURES["pitch"]: pitch})
    tables.write_table(measured, run / "features.parquet")
    tables.write_table(some, run / "labels.parquet")
    said = follow(copy, "Add a template set")
    assert ",a deep voice\n" in said and ",sounds angry\n" in said
    given = params.of_run(copy / "params" / "short.yaml")
    assert given["templates"] == "templates/short.csv"


def test_adding_an_objective_takes_a_function_and_its_name(copy, voices, pool):
    run = copy / "runs" / "smoke"
    tables.write_table(voices, run / "labels.parquet")
    tables.write_table(pool.table(), run / "queries.parquet")
    assert " passed" in follow(copy, "Add an objective")
    losses = tables.read_table(run / "curves.csv")["loss"]
    assert len(losses) == 20 and losses.iloc[-5:].mean() < losses.iloc[:5].mean()


def test_what_the_page_names_is_there():
    for name in re.findall(r"`((?:paraclap|tests|book|params)/[\w/.]+)`", TEXT):
        assert (ROOT / name).exists() or f"# {name}\n" in TEXT or "NN_" in name, name
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", TEXT, re.MULTILINE)) <= set(targets)
