"""Run the notebooks of the book with one params file, and build the book from them.

Each notebook is a step. Its key is made from its code cells, the values of the parameters it
declares, the modules of the package it imports (directly or not), what lies at the paths given
as parameters, and the key of the step before it. A step runs unless its executed copy, in
``runs/<run>/notebooks``, carries this key; so a changed parameter runs that step and those after
it again, none before. Changed prose is carried over into the executed copy without a run.

What is executed is made from the ``.py`` side of a pair; nothing under ``book/`` is written.

    python -m paraclap.book params/demo.yaml
    python -m paraclap.book params/demo.yaml -p seed=1 -p run=demo-1 --no-html
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from paraclap import pages, params, sources, tables
from paraclap.kernel import execute
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
    """Whether a step was executed with this key and what it made is still there."""
    known = _metadata(step.executed)
    made = (step.executed.parent.parent / name for name in known.get("artefacts", ()))
    return known.get("key") == step.key and all(path.exists() for path in made)


def _state(run_folder: Path) -> dict[str, int]:
    """Artefacts of a run with the time of their last change in ns."""
    own = {"notebooks", "params.yaml"}
    paths = [p for p in run_folder.iterdir() if p.name not in own and p.name[0] != "."]
    return {
        path.name: max(part.stat().st_mtime_ns for part in (path, *path.glob("*")))
        for path in paths
        if path.suffix != ".shards"
    }


def _artefacts(step: Step, before: Mapping[str, int]) -> list[str]:
    """Names of what a step made: now, or earlier and found current now."""
    run_folder = step.executed.parent.parent
    new = {name for name, time in _state(run_folder).items() if before.get(name) != time}
    old = {name for name in _metadata(step.executed).get("artefacts", ()) if name in before}
    return sorted(new | old)


def _metadata(executed: Path) -> dict[str, Any]:
    try:
        notebook = json.loads(executed.read_text("utf-8"))
        return dict(notebook["metadata"]["paraclap"])
    except (OSError, ValueError, KeyError):
        return {}


def run(
    params_file: Path,
    *,
    folder: Path | None = None,
    runs: str = "",
    overrides: Sequence[str] = (),
    only: str = "",
    site: Path | None = None,
) -> Path:
    """Run the steps that are not up to date, then build the book.

    Args:
        params_file: YAML; its stem is the name of the run unless ``run`` is given
        folder: of the notebooks, ``book/`` of the project if left out
        runs: folder of all runs, relative to the project folder unless absolute
        overrides: ``key=value`` each, stronger than the file
        only: run at most the notebooks whose name starts with this, such as ``04``
        site: where ``_build/html`` goes; no pages are built if left out

    Returns:
        folder of the run

    Raises:
        ParamsError: if a parameter is unknown or of the wrong type
        BookError: if a notebook fails, or the pages cannot be built
    """
    folder = (folder or tables.project_folder() / "book").resolve()
    files = notebooks(folder)
    overrides = [*overrides, *([f"runs={runs}"] if runs else [])]
    values = params.of_run(params_file, overrides, files)
    run_folder = tables.run_folder(values["run"], values.get("runs", "runs"))
    with _alone(run_folder):
        _write_params(values, run_folder / "params.yaml")
        steps = plan(files, values, run_folder)
        for step in _chosen(steps, only):
            _run_step(step)
        if site is not None and not only:
            say(pages.build(folder, [step.executed for step in steps], site))
    return run_folder


def _chosen(steps: list[Step], only: str) -> list[Step]:
    chosen = [step for step in steps if step.notebook.name.startswith(only)]
    if not chosen:
        names = [step.notebook.stem for step in steps]
        msg = f"No notebook starts with {only!r}, there are {names}."
        raise BookError(msg)
    return chosen


def _run_step(step: Step) -> None:
    """Run a step unless it is up to date; say which, and how long it took."""
    if is_finished(step):
        pages.carry_over_prose(step.notebook, step.executed)
        say(f"{step.name}: up to date")
        return
    say(f"{step.name} ...")
    start = time.monotonic()
    before = _state(step.executed.parent.parent)
    execute(step.notebook, step.executed, step.values, step.key, lambda: _artefacts(step, before))
    say(f"{step.name}: {time.monotonic() - start:.1f} s")


def _write_params(values: Mapping[str, Any], file: Path) -> None:
    """Write the values of all parameters, unless they stand there already."""
    text = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)
    if not file.is_file() or file.read_text("utf-8") != text:
        with tables.atomic_path(file) as temporary:
            temporary.write_text(text, "utf-8")


@contextmanager
def _alone(run_folder: Path) -> Iterator[None]:
    """Hold the run folder, so that two processes do not write into it at once."""
    with (run_folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            msg = f"The run {run_folder.name!r} is being made by another process: wait for it."
            raise BookError(msg) from None
        yield


def scores(run_folder: Path, name: str = "scores.csv") -> str:
    """Score table of a run as text, empty if there is none yet.

    Args:
        run_folder: folder of the run
        name: of the table, such as ``attributes.csv``
    """
    file = run_folder / name
    if not file.is_file():
        return ""
    table = tables.read_table(file)
    return str(table.to_string(index=False, float_format="{:.3f}".format, na_rep="-"))


def say(line: str) -> None:
    """Print a line at once, also into a file."""
    print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m paraclap.book", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("params", nargs="?", type=Path, help="params file, such as demo.yaml")
    parser.add_argument("-p", "--parameter", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--only", default="", metavar="NN", help="run this notebook alone")
    parser.add_argument("--runs", default="", metavar="DIR", help="folder of all runs")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="folder of the notebooks")
    parser.add_argument("--site", type=Path, metavar="DIR", help="put _build/html there")
    parser.add_argument("--no-html", action="store_true", help="build no pages")
    parser.add_argument("--check-pairs", action="store_true", help="compare .py and .ipynb")
    parser.add_argument("--write-pairs", action="store_true", help="write .ipynb from .py")
    return parser


def _stop(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    args = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    folder = args.folder or tables.project_folder() / "book"
    try:
        if args.check_pairs or args.write_pairs:
            return _pairs(folder, write=args.write_pairs)
        if args.params is None:
            _parser().error("a params file is needed, such as params/demo.yaml")
        return _book(args, folder)
    except (BookError, params.ParamsError, OSError) as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; finished steps are kept.", file=sys.stderr, flush=True)
        return 130


def _book(args: argparse.Namespace, folder: Path) -> int:
    """Run the book as the command line asks; print the scores and the first page."""
    site = None if args.no_html else args.site or folder.resolve().parent
    run_folder = run(
        args.params,
        folder=folder,
        runs=args.runs,
        overrides=args.parameter,
        only=args.only,
        site=site,
    )
    for name in ("references.csv", "attributes.csv", "scores.csv"):
        if table := scores(run_folder, name):
            say(f"\n{Path(name).stem.title()} ({os.path.relpath(run_folder / name)}):\n{table}")
    if site is not None and not args.only:
        say(f"\nThe book's first page: {pages.first_page(site).resolve()}")
    return 0


def _pairs(folder: Path, *, write: bool) -> int:
    """Write the pairs, or complain about those that differ."""
    if write:
        pages.write_pairs(notebooks(folder))
        return 0
    complaints = pages.unpaired(folder)
    for complaint in complaints:
        say(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
