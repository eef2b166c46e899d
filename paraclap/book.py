"""Run the notebooks of the book with one params file, and build the book from them.

Each notebook is a step (:mod:`paraclap.steps`) and runs unless it is finished; so a changed
parameter runs its step and those after it again, none before. Changed prose is carried over into
the executed copy without a run.

What is executed is made from the ``.py`` side of a pair; nothing under ``book/`` is written.

    python -m paraclap.book params/demo.yaml
    python -m paraclap.book params/demo.yaml -p seed=1 -p run=demo-1 --no-html
    python -m paraclap.book verify runs/demo
    python -m paraclap.book params/demo.yaml --only 01-04

Many runs at once, and one page that compares them: :mod:`paraclap.sweep`.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from paraclap import choosing, manifest, pages, params, tables
from paraclap.kernel import execute
from paraclap.pages import BookError
from paraclap.steps import Step, is_finished, made, notebooks, plan, state

__all__ = ["BookError", "Step", "alone", "is_finished", "main", "notebooks", "plan", "run"]


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
        only: run at most these notebooks, such as ``04``, ``03-05`` or ``03,05``, see
            :mod:`paraclap.choosing`
        site: where ``_build/html`` goes; no pages are built if left out

    Returns:
        folder of the run

    Raises:
        ParamsError: if a parameter is unknown or of the wrong type
        BookError: if ``only`` means no notebook, a notebook fails, or the pages cannot be built
    """
    folder = (folder or tables.project_folder() / "book").resolve()
    overrides = [*overrides, *([f"runs={runs}"] if runs else [])]
    values = params.of_run(params_file, overrides, notebooks(folder))
    return run_values(values, folder, only, site)


def run_values(
    values: Mapping[str, Any], folder: Path, only: str = "", site: Path | None = None
) -> Path:
    """The same for values that are known and checked.

    Args:
        values: of all parameters, by name
        folder: of the notebooks
        only: see :func:`run`
        site: see :func:`run`

    Returns:
        folder of the run

    Raises:
        BookError: see :func:`run`
    """
    files = notebooks(folder)
    run_folder = tables.run_folder(values["run"], values.get("runs", "runs"))
    with alone(run_folder):
        _write_params(values, run_folder / "params.yaml")
        steps = plan(files, values, run_folder)
        names = choosing.chosen([step.notebook.stem for step in steps], only)
        for step in steps:
            if step.notebook.stem in names:
                _run_step(step)
        if site is not None and not only:
            say(pages.build(folder, [step.executed for step in steps], site))
    return run_folder


def _run_step(step: Step) -> None:
    """Run a step unless it is up to date; say which, and how long it took."""
    if is_finished(step):
        pages.carry_over_prose(step.notebook, step.executed)
        say(f"{step.name}: up to date")
        return
    say(f"{step.name} ...")
    start = time.monotonic()
    before = state(step.executed.parent.parent)
    with manifest.recorded(step.notebook, step.executed, step.key, step.values):
        execute(step.notebook, step.executed, step.values, step.key, lambda: made(step, before))
    say(f"{step.name}: {time.monotonic() - start:.1f} s")


def _write_params(values: Mapping[str, Any], file: Path) -> None:
    """Write the values of all parameters, unless they stand there already."""
    text = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)
    if not file.is_file() or file.read_text("utf-8") != text:
        with tables.atomic_path(file) as temporary:
            temporary.write_text(text, "utf-8")


@contextmanager
def alone(run_folder: Path) -> Iterator[None]:
    """Hold the run folder, so that two processes do not write into it at once.

    Raises:
        BookError: if another process holds it, or it cannot be written into
    """
    try:
        held = (run_folder / ".lock").open("w")
    except OSError as error:
        msg = (
            f"Cannot write into {tables.short(run_folder)!r} ({error.strerror}): "
            "choose another folder with --runs."
        )
        raise BookError(msg) from error
    with held as lock:
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
    parser.add_argument("--only", default="", metavar="NN", help="04, 03-05, 04- or 03,05")
    parser.add_argument("--runs", default="", metavar="DIR", help="folder of all runs")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="folder of the notebooks")
    parser.add_argument("--site", type=Path, metavar="DIR", help="put _build/html there")
    parser.add_argument("--no-html", action="store_true", help="build no pages")
    parser.add_argument("--check-pairs", action="store_true", help="compare .py and .ipynb")
    parser.add_argument("--write-pairs", action="store_true", help="write .ipynb from .py")
    return parser


def stop(number: int, _frame: object) -> None:
    """Handle a signal by ending with the status that tells it."""
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] == ["verify"]:
        from paraclap import verifying

        return verifying.main(arguments[1:])
    args = _parser().parse_args(arguments)
    before = signal.signal(signal.SIGTERM, stop)
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
    finally:
        signal.signal(signal.SIGTERM, before)


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
