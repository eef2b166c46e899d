"""Which values of some parameters do best? Many runs of the book, and one page that compares them.

    python -m paraclap.sweep params/demo.yaml --grid rand=1,3,5 --grid projection_dim=128,256
    python -m paraclap.sweep params/demo.yaml --grid grid.yaml --only 01-05 -p steps=100
    python -m paraclap.sweep params/paper/rand1.yaml params/paper/rand5.yaml

makes a run of every params file at every point of the grid, named after both, such as
`demo-rand1-projection_dim128`. A grid file is YAML, a list of values a parameter.
Steps that are equal in two runs are made once (:mod:`paraclap.sharing`). A run that fails is told
of and the others go on; the same command again goes on where it was stopped. After every run the
comparison is written anew: `runs/<name>-sweep/index.html`, and its numbers as `scores.csv`
(:mod:`paraclap.compared`).
"""

from __future__ import annotations

import argparse
import itertools
import re
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from paraclap import book, choosing, compared, params, sharing, steps, tables
from paraclap.pages import BookError

ONLY = "01-05"  # the chapters that scores need
_LONGEST = 80  # characters in the name of a run


class Run(NamedTuple):
    """A run of a sweep: its name, params file, what is varied in it, and all its values."""

    name: str
    file: Path
    varied: dict[str, Any]
    values: dict[str, Any]

    @property
    def folder(self) -> Path:
        """Where it is made."""
        return tables.run_folder(self.name, self.values["runs"])


def grid(texts: Sequence[str], known: Mapping[str, params.Parameter]) -> dict[str, list[Any]]:
    """Parameters that are varied, each with its values.

    Args:
        texts: `key=value,value` each, or the path of a YAML file with a list a key
        known: the declared parameters

    Raises:
        ParamsError: if something is neither, a value is given twice, or a key is unknown
        FileNotFoundError: if a file is not there
    """
    found: dict[str, list[Any]] = {}
    for text in texts:
        key, equals, rest = text.partition("=")
        new = {key: rest.split(",")} if equals else params.read(Path(text))
        for name, some in new.items():
            if not isinstance(some, list) or not some:
                raise params.ParamsError(
                    f"Bad grid {name}: {some!r} in {text!r}, expected a list: key=1,2 or [1, 2]."
                )
            values = [_value(name, one, known) for one in some]
            if name in found or len({str(one) for one in values}) < len(values):
                raise params.ParamsError(
                    f"{name!r} or one of its values is given twice in {text!r}."
                )
            found[name] = values
    return found


def _value(name: str, value: Any, known: Mapping[str, params.Parameter]) -> Any:
    given = params.override(f"{name}={value}", known)[1] if isinstance(value, str) else value
    return params.check({name: given}, known, "the grid")[name]


def plan(
    files: Sequence[Path],
    points: Mapping[str, Sequence[Any]],
    notebooks: Sequence[Path],
    overrides: Sequence[str] = (),
) -> list[Run]:
    """All runs of a sweep.

    Args:
        files: params files
        points: values of each parameter that is varied, see `grid`
        notebooks: of the book
        overrides: `key=value` each, for all runs

    Raises:
        ParamsError: if a parameter is unknown or of the wrong type, or two runs have one name
    """
    known = params.declared_by_all(notebooks)
    runs = []
    for file in files:
        base = params.of_run(file, overrides, notebooks)
        for some in itertools.product(*points.values()):
            varied = dict(zip(points, some, strict=True))
            name = "-".join([base["run"], *(f"{key}{_plain(v)}" for key, v in varied.items())])
            checked = params.check(varied, known, "the grid")
            runs.append(Run(name, file, varied, {**base, **checked, "run": name}))
    names = [run.name for run in runs]
    bad = sorted({name for name in names if names.count(name) > 1 or len(name) > _LONGEST})
    if bad:
        raise params.ParamsError(
            f"Bad names of runs {bad[:5]}, expected different ones of at most {_LONGEST} "
            "characters: they are made of params file and values, so name the files differently "
            "and vary what can be told in a few letters."
        )
    return runs


def _plain(value: Any) -> str:
    """A value as a part of a name.

    >>> _plain(1.0e-4), _plain("egemaps+small"), _plain(True)
    ('0.0001', 'egemaps+small', 'true')
    """
    told = str(value).lower() if isinstance(value, bool) else str(value)
    return re.sub(r"[^\w.+-]+", "_", told).strip("_") or "none"


def make(runs: Sequence[Run], folder: Path, only: str, target: Path) -> dict[str, str]:
    """Make all runs, and after each the page that compares them.

    Args:
        runs: see `plan`
        folder: of the notebooks
        only: which of them, see :mod:`paraclap.choosing`
        target: folder of the page

    Returns:
        why runs failed, by name
    """
    notebooks = steps.notebooks(folder)
    choosing.chosen([file.stem for file in notebooks], only)
    known = {run.name: sharing.keys(notebooks, run.values) for run in runs}
    failed: dict[str, str] = {}
    for number, run in enumerate(runs):
        book.say(f"\n{run.name} ({number + 1} of {len(runs)})")
        try:
            _share(run, runs[:number], notebooks, known)
            book.run_values(run.values, folder, only)
        except (BookError, params.ParamsError, OSError) as error:
            failed[run.name] = str(error)
            print(f"\n{error}\n", file=sys.stderr, flush=True)
        compared.write(runs, failed, target)
    return failed


def _share(
    run: Run, before: Sequence[Run], notebooks: Sequence[Path], known: Mapping[str, Sequence[str]]
) -> None:
    """Take over what an earlier run has made alike, from the one that is alike for longest."""
    own = steps.plan(notebooks, run.values, run.folder)
    for other in sorted(before, key=lambda one: -_alike(known[run.name], known[one.name])):
        theirs = steps.plan(notebooks, other.values, other.folder)
        with book.alone(run.folder):
            taken = sharing.take_over(own, theirs, _alike(known[run.name], known[other.name]))
        for step in taken:
            book.say(f"{step.name}: as in {other.name}")
        if taken:
            return


def _alike(mine: Sequence[str], theirs: Sequence[str]) -> int:
    pairs = zip(mine, theirs, strict=True)
    return len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))


# --- command line ------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m paraclap.sweep", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("params", nargs="+", type=Path, help="params files, such as demo.yaml")
    parser.add_argument(
        "--grid", action="append", default=[], metavar="KEY=A,B", help="or a YAML file"
    )
    parser.add_argument("-p", "--parameter", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--only", default=ONLY, metavar="NN", help=f"chapters; {ONLY} if left out")
    parser.add_argument(
        "--name", default="", help="of the sweep; made of what is varied if left out"
    )
    parser.add_argument("--runs", default="", metavar="DIR", help="folder of all runs")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="folder of the notebooks")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status: 1 if a run has failed."""
    args = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, book.stop)
    try:
        return _sweep(args)
    except (BookError, params.ParamsError, OSError) as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; the same command again goes on.", file=sys.stderr, flush=True)
        return 130


def _sweep(args: argparse.Namespace) -> int:
    folder = (args.folder or tables.project_folder() / "book").resolve()
    notebooks = steps.notebooks(folder)
    points = grid(args.grid, params.declared_by_all(notebooks))
    given = [*args.parameter, *([f"runs={args.runs}"] if args.runs else [])]
    runs = plan(args.params, points, notebooks, given)
    name = args.name or "-".join([*dict.fromkeys(file.stem for file in args.params), *points])
    target = tables.run_folder(f"{name}-sweep", runs[0].values["runs"])
    failed = make(runs, folder, args.only, target)
    book.say(f"\nThe comparison: {target / compared.PAGE}")
    for run, why in failed.items():
        print(f"Failed: {run}: {why.splitlines()[0]}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
