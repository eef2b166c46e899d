"""What are the steps of a run, and which of them are finished?

Each notebook is a step. Its key is made from its code cells, the values of the parameters it
declares, the modules of the package it imports (directly or not), what lies at the paths given
as parameters, and the key of the step before it. A step is finished when its executed copy, in
``runs/<run>/notebooks``, carries this key, and what it made is still there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from paraclap import manifest, params, sources, tables
from paraclap.pages import BookError

# These say where and by how many processes something is made, not what.
NOT_COUNTED = ("runs", "jobs", "engine", "workers", "processes", "keep")


class Step(NamedTuple):
    """A notebook to be run: its source, key, changed values, and executed copy."""

    notebook: Path
    key: str
    values: dict[str, Any]
    executed: Path

    @property
    def name(self) -> str:
        """Name for messages, such as ``03 queries``."""
        return self.notebook.stem.replace("_", " ")


def notebooks(folder: Path) -> list[Path]:
    """Notebooks of a book in the order of their numbers.

    Args:
        folder: holds ``NN_name.py`` files

    Raises:
        BookError: if there is none
    """
    found = sorted(folder.glob("[0-9][0-9]_*.py"))
    if not found:
        msg = f"No notebook in {folder}, expected files such as 01_corpora.py."
        raise BookError(msg)
    return found


def plan(files: Sequence[Path], values: Mapping[str, Any], run_folder: Path) -> list[Step]:
    """Steps with their keys.

    Args:
        files: the notebooks, in order
        values: of all parameters, by name
        run_folder: folder of the run
    """
    steps: list[Step] = []
    key = ""
    for file in files:
        declared = params.declared(file)
        taken = {name: values[name] for name in declared}
        key = _key(file, {k: v for k, v in taken.items() if k not in NOT_COUNTED}, key)
        changed = {name: v for name, v in taken.items() if v != declared[name].default}
        steps.append(Step(file, key, changed, run_folder / "notebooks" / f"{file.stem}.ipynb"))
    return steps


def _key(notebook: Path, values: Mapping[str, Any], before: str) -> str:
    """Key of a step, from everything that its result depends on."""
    code = sources.code(notebook)
    package = sources.PACKAGE
    files = sorted(sources.modules("\n".join(code), package))
    made_from = {str(file.relative_to(package)): sources.digest(file) for file in files}
    inputs = {
        name: sources.listing(value, tables.project_folder())
        for name, value in values.items()
        if name != "run"
    }
    return tables.fingerprint(code, dict(values), made_from, inputs, before)


def is_finished(step: Step) -> bool:
    """Whether a step was executed with this key, what it made is noted, and is still there."""
    if _metadata(step.executed).get("key") != step.key:
        return False
    run_folder = step.executed.parent.parent
    noted = manifest.read(run_folder)["steps"].get(step.notebook.stem, {})
    there = (run_folder / name for name in artefacts(step))
    return noted.get("key") == step.key and all(path.exists() for path in there)


def state(run_folder: Path) -> dict[str, int]:
    """Artefacts of a run with the time of their last change in ns."""
    own = {"notebooks", "params.yaml"}
    paths = [p for p in run_folder.iterdir() if p.name not in own and p.name[0] != "."]
    return {
        path.name: max(part.stat().st_mtime_ns for part in (path, *path.glob("*")))
        for path in paths
        if path.suffix != ".shards"
    }


def artefacts(step: Step) -> list[str]:
    """Names of what a finished step has made, below the folder of its run."""
    return list(_metadata(step.executed).get("artefacts", ()))


def made(step: Step, before: Mapping[str, int]) -> list[str]:
    """Names of what a step made: now, or earlier and found current now.

    Args:
        step: that has just run
        before: state of the folder of the run before that
    """
    run_folder = step.executed.parent.parent
    new = {name for name, time in state(run_folder).items() if before.get(name) != time}
    old = {name for name in artefacts(step) if name in before}
    return sorted(new | old)


def _metadata(executed: Path) -> dict[str, Any]:
    try:
        notebook = json.loads(executed.read_text("utf-8"))
        return dict(notebook["metadata"]["paraclap"])
    except (OSError, ValueError, KeyError):
        return {}
