"""papermill by itself: every chapter says what can be set, and runs from wherever one stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest

from paraclap import params
from paraclap.pages import from_source

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted((ROOT / "book").glob("[0-9][0-9]_*.py"))
WIDEST = 100  # characters of a comment that a terminal shows in one line
TINY = """# %% tags=["parameters"]
run: str = "demo"  # name of the run
runs: str = "runs"  # folder of all runs
rand: int = 1  # some number

# %%
from paraclap.provenance import project_folder
folder = project_folder() / runs / run
folder.mkdir(parents=True)
(folder / "made").write_text(str(rand))
"""


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_papermill_reads_type_default_and_comment_of_every_parameter(
    chapter: Path, tmp_path: Path
) -> None:
    nbformat.write(from_source(chapter), tmp_path / "chapter.ipynb")
    told = papermill.inspect_notebook(tmp_path / "chapter.ipynb")
    declared = params.declared(chapter)
    assert list(told) == list(declared)
    for name, parameter in declared.items():
        assert told[name]["inferred_type_name"] == parameter.kind
        assert told[name]["help"] == parameter.comment
        assert 8 <= len(parameter.comment) <= WIDEST or name == "jobs", parameter
        assert not parameter.comment.startswith(("or ", "of these", "that ", "and "))


@pytest.mark.parametrize("where", ["book", "elsewhere"])
def test_papermill_writes_to_the_runs_of_the_project_from_any_folder(
    where: str, tmp_path: Path
) -> None:
    project, here = tmp_path / "project", tmp_path / "project" / where
    (project / "book").mkdir(parents=True)
    if where == "elsewhere":
        here = tmp_path / where
    here.mkdir(exist_ok=True)
    (project / "book" / "01_tiny.py").write_text(TINY)
    notebook = project / "book" / "01_tiny.ipynb"
    nbformat.write(from_source(notebook.with_suffix(".py")), notebook)
    (project / "tiny.yaml").write_text("rand: 5\n")
    names = [os.path.relpath(path, here) for path in (notebook, project / "tiny.yaml")]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "papermill",
            names[0],
            "out.ipynb",
            "-f",
            names[1],
            "-p",
            "run",
            "x",
        ],
        cwd=here,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PARACLAP_HOME": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (project / "runs" / "x" / "made").read_text() == "5"
