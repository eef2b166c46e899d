"""Does a run come out the same when it is made again? In a folder of its own, with other files.

All steps that were noted are made once more, by the same notebooks and parameters, in a project
folder for the purpose, with links to all of the real one but its runs: so tables name the same
files, and nothing in the run is changed. What is compared, and how, says :mod:`paraclap.sameness`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from paraclap import book, manifest, sameness, sources, tables
from paraclap.kernel import environment


def values(run_folder: Path) -> dict[str, Any]:
    """The parameters of a run.

    Args:
        run_folder: folder of the run

    Raises:
        FileNotFoundError: if they are not there
    """
    file = run_folder / "params.yaml"
    if not file.is_file():
        msg = f"No params.yaml in {tables.short(run_folder)!r}, expected the folder of a run."
        raise FileNotFoundError(msg)
    found: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return found


def again(run_folder: Path, folder: Path | None = None) -> pd.DataFrame:
    """Make the steps of a run again, elsewhere, and compare the content of all files.

    Args:
        run_folder: folder of the run
        folder: of the notebooks, ``book/`` of the project if left out

    Returns:
        a row per file: `file, again`, which is one of :data:`paraclap.sameness.OUTCOMES`

    Raises:
        BookError: if a step fails
    """
    folder = (folder or tables.project_folder() / "book").resolve()
    made = [step[:2] for step in manifest.read(run_folder)["steps"]]
    given = values(run_folder)
    place = (
        tables.project_folder() / given.get("runs", "runs") / run_folder.name
    )  # when it was made
    with _elsewhere(given, run_folder) as runs:
        other = book.run(
            run_folder / "params.yaml",
            folder=folder,
            overrides=[f"run={run_folder.name}", f"runs={runs}"],
            only=",".join(made),
        )
        names = sorted({*manifest.files(run_folder), *manifest.files(other)})
        found = {name: sameness.compare(name, run_folder, other, place) for name in names}
    return pd.DataFrame({"file": found.keys(), "again": found.values()})


@contextmanager
def _elsewhere(given: Mapping[str, Any], run_folder: Path) -> Iterator[str]:
    """A project folder for a while, with links to all of the real one but its runs.

    Yields:
        folder of all runs in it: the same relative one, so that tables name the same files
    """
    home = tables.project_folder()
    runs = Path(given.get("runs", "runs"))
    inside = run_folder.resolve().is_relative_to(home) and not runs.is_absolute()
    with tempfile.TemporaryDirectory(prefix="paraclap-") as name:
        there = Path(name).resolve() / "project"
        there.mkdir()
        hidden = {".git", runs.parts[0] if inside else ""}
        for path in home.iterdir():
            if path.name not in hidden:
                (there / path.name).symlink_to(path)
        own = str(sources.PACKAGE.parent)
        known = os.environ.get("PYTHONPATH")
        path_there = f"{own}{os.pathsep}{known}" if known else own
        with environment(PARACLAP_HOME=str(there), PYTHONPATH=path_there):
            yield str(runs) if inside else str(there.with_name("runs"))
