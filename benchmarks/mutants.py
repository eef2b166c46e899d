"""Would the tests notice a change? mutmut makes small ones, and the tests look for each by itself.

    pip install -r benchmarks/soak.txt
    python -m benchmarks.mutants

A change is one operator, argument, number, word or branch of one function. It is killed if one of
the tests that reach the function fails, or runs many times as long; all else counts as survived,
functions without a test too. `[tool.mutmut]` in pyproject.toml says which modules and which tests.
mutmut changes functions and methods, but none with a decorator other than `classmethod` and
`staticmethod`, and nothing outside of functions.

Some survivors change nothing that could be seen: `mutants.csv` has them, each with a reason. They
count as survived; a score without them stands beside. A line there that no survivor fits is an
error. All survivors are in `mutants.json`; `--keep FOLDER` keeps where they were tried, so that
`mutmut browse` shows them there.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hypothesis import Phase, settings

# pytest loads this module for it: the same examples each time, and what fails is not made smaller.
settings.register_profile(
    "mutants",
    parent=settings.get_profile("ci"),
    phases=(Phase.explicit, Phase.generate),
)

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("benchmarks", "paraclap", "tests", "pyproject.toml", "README.md")
EQUIVALENT = Path(__file__).with_suffix(".csv")
LEAST = 0.85


@dataclass(frozen=True)
class Change:
    """One line of a function, before and after."""

    function: str
    was: str
    becomes: str


@dataclass
class Score:
    """What became of the changes of a module."""

    module: str
    mutants: int
    survived: int
    equivalent: int

    @property
    def killed(self) -> int:
        """How many were noticed."""
        return self.mutants - self.survived

    @property
    def share(self) -> float:
        """Share of all changes that was noticed."""
        return self.killed / self.mutants

    def row(self) -> str:
        """A row of the table."""
        rest = self.killed / (self.mutants - self.equivalent)
        counts = f"{self.mutants} | {self.killed} | {self.survived} | {self.equivalent}"
        return f"| {self.module} | {counts} | {self.share:.1%} | {rest:.1%} |"


HEAD = """\
| module | mutants | killed | survived | of these equivalent | score | without those |
|---|---|---|---|---|---|---|"""


def copy(folder: Path) -> None:
    """Copy what the tests need, so that the changes are made elsewhere."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder)


def run(folder: Path, processes: int) -> None:
    """Make the changes and run the tests, about a second each; the log is `mutmut.log`."""
    program = Path(sys.executable).with_name("mutmut")
    if not program.exists():
        raise SystemExit(f"No mutmut at {program}: pip install -r benchmarks/soak.txt")
    log = folder / "mutmut.log"
    with log.open("w") as out:
        code = subprocess.run(
            [program, "run", "--max-children", str(processes)],
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    if code:
        raise RuntimeError(f"mutmut ended with {code}: {log.read_text()[-2000:]}")


def survivors(folder: Path) -> dict[str, tuple[int, list[Change]]]:
    """Module → how many changes were made, and those that no test noticed."""
    from mutmut.stats import status_by_exit_code

    found = {}
    with contextlib.chdir(folder):
        for path in sorted(Path("mutants/paraclap").glob("*.meta")):
            codes = json.loads(path.read_text())["exit_code_by_key"]
            alive = [k for k in codes if status_by_exit_code[codes[k]] not in ("killed", "timeout")]
            if codes:
                found[path.name.split(".")[0]] = len(codes), [_change(key) for key in alive]
    return found


def _change(key: str) -> Change:
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    lines = get_diff_for_mutant(key).splitlines()[2:]
    was, becomes = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
    )
    function = key.removeprefix("paraclap.").partition("__mutmut_")[0]
    return Change(function.replace(".x_", ".").replace(".xǁ", ".").replace("ǁ", "."), was, becomes)


def equivalent() -> set[Change]:
    """The changes that change nothing, from `mutants.csv`."""
    with EQUIVALENT.open(encoding="utf-8", newline="") as file:
        return {Change(row["function"], row["was"], row["becomes"]) for row in csv.DictReader(file)}


def report(found: dict[str, tuple[int, list[Change]]], same: set[Change]) -> list[Score]:
    """Count and print, a row a module."""
    scores = [
        Score(module, mutants, len(alive), sum(change in same for change in alive))
        for module, (mutants, alive) in found.items()
    ]
    print(HEAD, *(score.row() for score in scores), sep="\n")
    return scores


def problems(scores: Iterable[Score], alive: Iterable[Change], same: set[Change]) -> list[str]:
    """What is not as it should be, a line each."""
    low = [f"{score.module}: below {LEAST:.0%}" for score in scores if score.share < LEAST]
    gone = [f"no survivor, take it out of mutants.csv: {one}" for one in same - set(alive)]
    return low + gone


def tried(keep: Path | None, processes: int) -> dict[str, tuple[int, list[Change]]]:
    """Make all changes in a folder of their own, see :func:`survivors`."""
    with tempfile.TemporaryDirectory(prefix="paraclap-mutants-") as own:
        folder = (keep or Path(own)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        copy(folder)
        run(folder, processes)
        return survivors(folder)


def write(path: Path, seconds: float, scores: Iterable[Score], alive: Iterable[Change]) -> None:
    """Keep counts and survivors."""
    told = {
        "seconds": round(seconds),
        "modules": [
            {**asdict(one), "killed": one.killed, "score": round(one.share, 4)} for one in scores
        ],
        "survivors": [asdict(change) for change in alive],
    }
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns 1 if too many changes went unnoticed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--keep", type=Path, help="a new folder, kept")
    args = parser.parse_args(arguments)
    start = time.monotonic()
    found, same = tried(args.keep, args.processes), equivalent()
    scores, seconds = report(found, same), time.monotonic() - start
    alive = [change for _, changes in found.values() for change in changes]
    print(f"\n{sum(score.mutants for score in scores):,} changes, {seconds:.0f} s")
    write(args.out, seconds, scores, alive)
    bad = problems(scores, alive, same)
    print(*bad, sep="\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
