"""Execute the chapters of the book that are not up to date, with papermill and doit.

A chapter is up to date as long as its notebook, the modules that it imports, the files that it
reads, its inputs and its own parameters are what they were; doit keeps their hashes in the run's
folder. An executed chapter appears whole or not at all, below `runs/<run>/notebooks/`; one that
fails is left beside it as `<name>.failed.ipynb`.
"""

import itertools
import os
import re
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import grimp
import joblib
import nbformat
import pandas as pd
import papermill
import yaml
from doit.cmd_base import ModuleTaskLoader
from doit.doit_cmd import DoitMain
from doit.exceptions import TaskFailed
from doit.reporter import ZeroReporter
from doit.tools import config_changed
from nbclient.exceptions import DeadKernelError
from traitlets.config import Config

from paraclap import tables
from paraclap.book import build, notebooks
from paraclap.book.notebooks import BookError
from paraclap.book.params import declared, read_params

EVALUATION = "1-5"  # chapters up to the scores
MODEL = ("model/config.json", "model/model.safetensors")


def run(
    params_file: str | Path,
    only: str = "",
    overrides: Sequence[str] = (),
    html: bool = True,
    fresh: bool = False,
    site: Path | None = None,
) -> Path:
    """Bring a run up to date, its chapters, then its pages if all chapters are; its folder.

    Chapters are chosen as by `notebooks.select`; `overrides` are `name=value` each; with `fresh`
    all of them are executed again; `site`, the folder of the pages, is `_build` if left out.
    ValueError if parameters are wrong, BookError if a chapter fails or pages cannot be built.
    """
    chosen = notebooks.select(only)
    if complaints := notebooks.check_pairs():
        raise BookError("\n".join(complaints))
    pairs = [one.with_suffix(".ipynb") for one in notebooks.chapters()]
    values = read_params(params_file, overrides, pairs)
    folder = tables.run_folder(values["run"], values["runs"])
    if not os.access(os.environ.get("HOME", ""), os.W_OK | os.X_OK):  # in a container, say
        for name in ("IPYTHONDIR", "MPLCONFIGDIR"):
            os.environ.setdefault(name, str(folder / ".cache"))
    with tables.lock(folder / "run", f"Another process works on {folder}: wait for it."):
        made = [_task(one, folder, values) for one in chosen]
        _check_inputs(made, folder)
        _say_changes(folder, values)
        for file in (Path(one) for task in made * fresh for one in task["targets"]):
            if file.name == "settings.json":  # else the chapter would load the model that it has
                file.unlink(missing_ok=True)
                shutil.rmtree(file.with_name("checkpoints"), ignore_errors=True)
        with tables.atomic(folder / "params.yaml") as part:
            part.write_text(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), "utf-8")
        _execute_all(made, folder, fresh)
        if html and not only:
            executed = [folder / "notebooks" / pair.name for pair in pairs]
            print(build.build(executed, folder.name, site or tables.project_folder() / "_build"))
    return folder


def sweep(params_file: str | Path, grid: Mapping[str, Sequence[str]]) -> Path:
    """Run the chapters up to evaluation for every combination of the values of parameters.

    `runs/<name>-sweep.csv`, which is returned, has a row a run and task, with the values.
    """
    rows = []
    for values in itertools.product(*grid.values()):
        changes = [f"{name}={value}" for name, value in zip(grid, values, strict=True)]
        name = f"{Path(params_file).stem}-{'-'.join(changes)}".replace("/", "_")
        folder = run(params_file, EVALUATION, [*changes, f"run={name}"], html=False)
        own = dict(zip(grid, values, strict=True))
        rows.append(pd.read_csv(folder / "scores.csv").assign(**own))
    out = folder.parent / f"{Path(params_file).stem}-sweep.csv"
    return tables.write_table(pd.concat(rows), out)


def _say_changes(folder: Path, values: Mapping[str, Any]) -> None:
    """Print which parameters have other values than the last time."""
    file = folder / "params.yaml"
    old = yaml.safe_load(file.read_text("utf-8")) if file.is_file() else values
    new = [f"{n} {old.get(n)!r} → {one!r}" for n, one in values.items() if old.get(n) != one]
    if new:
        print(f"Changed: {', '.join(new)}. A file stays until the new one is complete.")


def _task(source: Path, folder: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """The task of one chapter, as doit takes it."""
    notebook = notebooks.read(source)
    mine = {name: values[name] for name in declared(source.with_suffix(".ipynb"))}
    inputs = {name: _digest(str(values[name])) for name in notebooks.files_of(notebook, "inputs")}
    out = folder / "notebooks" / f"{source.stem}.ipynb"
    reads = _below(folder, notebooks.files_of(notebook, "reads"))
    return {
        "basename": source.stem,
        "actions": [(_execute, [notebook, out, mine])],
        "file_dep": [str(source), *map(str, _code(notebook)), *map(str, reads)],
        "targets": [str(out), *map(str, _below(folder, notebooks.files_of(notebook, "writes")))],
        "uptodate": [config_changed({"params": mine, "inputs": inputs})],
        "verbosity": 2,
    }


def _below(folder: Path, names: Sequence[str]) -> list[Path]:
    """Files below the run's folder; `model` stands for the files of the model."""
    return [folder / one for name in names for one in (MODEL if name == "model" else (name,))]


def _digest(path: str) -> str:
    """Names, sizes and times of the files of the user's that a parameter points to."""
    place = tables.project_folder() / path
    if not path or not place.exists():
        return path
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    stats = [(str(one), one.stat()) for one in files if one.is_file()]
    return str(joblib.hash([(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]))


@cache
def _graph() -> Any:
    return grimp.build_graph("paraclap", cache_dir=None)


def _code(notebook: Any) -> list[Path]:
    """Files of the modules that a notebook imports, of all that they import, tables beside them."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    found = re.findall(r"^import (paraclap[\w.]*)", code, re.MULTILINE)
    for start, names in re.findall(r"^from (paraclap[\w.]*) import ([^#\n]+)", code, re.MULTILINE):
        found += [start, *(f"{start}.{name.split()[0]}" for name in names.strip("() ").split(","))]
    graph, folders, files = _graph(), set(), set()
    modules = graph.modules & {*found}
    for name in modules.union(*map(graph.find_upstream_modules, modules)) - {"paraclap"}:
        place = Path(__file__).parents[2] / name.replace(".", "/")
        folders.add(place if place.is_dir() else place.parent)
        files.add(place / "__init__.py" if place.is_dir() else place.with_suffix(".py"))
    data = {one for folder in folders for kind in ("csv", "js") for one in folder.glob(f"*.{kind}")}
    return sorted(files | data)


def _execute(notebook: Any, out: Path, values: Mapping[str, Any]) -> TaskFailed | None:
    """Execute one chapter; its copy appears whole or not at all."""
    failed = out.with_suffix(".failed.ipynb")
    short = None if len(tempfile.gettempdir()) < 60 else "/tmp"  # names of sockets have limits
    notebook.metadata.pop("jupytext", None)  # else papermill's copy would be taken for the pair
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="paraclap-", dir=short) as place:
        source, part = Path(place) / "source.ipynb", Path(place) / "executed.ipynb"
        nbformat.write(notebook, source)
        try:
            options: dict[str, Any] = {"kernel_name": "python3", "config": kernel_settings(place)}
            options |= {"cwd": str(tables.project_folder()), "progress_bar": False}
            papermill.execute_notebook(str(source), str(part), dict(values), **options)
        except papermill.PapermillExecutionError as error:
            shutil.copy(part, failed)
            return TaskFailed(f"{error}\nThe executed chapter up to there: {failed}")
        except DeadKernelError:
            return TaskFailed(f"{out.stem} stopped: its process died, most likely out of memory.")
        with tables.atomic(out) as whole:
            shutil.copy(part, whole)
    failed.unlink(missing_ok=True)
    return None


def kernel_settings(folder: str) -> Config:
    """Have a kernel talk through files in a folder of its own, so that no port is given twice."""
    sockets = {"transport": "ipc", "ip": f"{folder}/kernel"}
    quiet = {"extra_arguments": ["--IPKernelApp.log_level=50"]}  # of the interrupt that ends it
    return Config(KernelManager=sockets, NotebookClient=quiet)


def _check_inputs(tasks: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Refuse a choice of chapters that read what no chapter has written yet."""
    written = {target for task in tasks for target in task["targets"]}
    needed = {(task["basename"], file) for task in tasks for file in task["file_dep"]}
    missing = sorted((n, f) for n, f in needed if f not in written and not Path(f).exists())
    if missing:
        name, file = missing[0]
        msg = f"{name} reads {Path(file).relative_to(folder)}, which no chapter of the run "
        raise BookError(f"{msg}{folder.name!r} has written yet: run the chapters before it.")


class _Reporter(ZeroReporter):  # type: ignore[misc]  # doit is untyped
    """What doit has to say: a line a chapter with its time. The first problem is kept."""

    problem, start = "", 0.0

    def execute_task(self, task: Any) -> None:
        self.start = time.monotonic()
        print(f"{task.name} ...", flush=True)

    def add_success(self, task: Any) -> None:
        print(f"{task.name}: {time.monotonic() - self.start:.1f} s", flush=True)

    def add_failure(self, task: Any, fail: Any) -> None:
        last = "".join(fail.traceback[-1:]).strip()  # of what an action raised
        _Reporter.problem = f"{task.name}: {last}" if last else fail.message

    def skip_uptodate(self, task: Any) -> None:
        print(f"{task.name}: up to date", flush=True)


def _execute_all(tasks: Sequence[Mapping[str, Any]], folder: Path, fresh: bool) -> None:
    """Execute what is not up to date; the first chapter that fails ends it.

    One by one: doit writes down at its end what is done, and a later kill leaves that alone.
    """
    settings: dict[str, Any] = {"dep_file": str(folder / ".doit.json"), "backend": "json"}
    settings["reporter"] = _Reporter
    _Reporter.problem = ""
    for task in tasks:
        loader = ModuleTaskLoader({"task_": lambda one=task: dict(one), "DOIT_CONFIG": settings})
        status = DoitMain(loader).run(["run", *(["--always-execute"] if fresh else [])])
        if status or _Reporter.problem:
            raise BookError(_Reporter.problem or "The chapters did not end well, see above.")
