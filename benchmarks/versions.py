"""Does the suite pass with every version that pyproject.toml allows?

    python -m benchmarks.versions                      # all, 3.11 to 3.13 (hours, 30 GB)
    python -m benchmarks.versions --only lowest,3.13

Each row is an environment of its own: a Python, and a lock file that holds the versions. The
lowest are the lower bounds of pyproject.toml, the newest what the registry had on the day that
its first line tells. Printed is what passed; ``versions.json`` gets it too.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
SHOWN = ("torch", "transformers", "numpy", "pandas", "scikit-learn", "opensmile")
ALONE = "msclap"  # installed without what its metadata ask for, see pyproject.toml
SAY = """import json, sys
from importlib import metadata
print(json.dumps({name: metadata.version(name) for name in sys.argv[1:]}))"""


class Environment(NamedTuple):
    """A Python (``"3.11"``) and the lock file that its packages are taken from."""

    python: str
    lock: str


ENVIRONMENTS = {
    "lowest": Environment("3.11", "versions/lowest.txt"),
    "3.11": Environment("3.11", "constraints.txt"),
    "3.12": Environment("3.12", "constraints.txt"),
    "3.13": Environment("3.13", "constraints.txt"),
    "newest": Environment("3.13", "versions/newest.txt"),
}


def make(environment: Environment, folder: Path) -> Path:
    """Install an environment, if it is not there; returns its Python."""
    python, done = folder / "bin" / "python", folder / "done"
    if not done.exists():
        program = shutil.which(f"python{environment.python}")
        if program is None:
            raise SystemExit(f"No python{environment.python} found: install it, or leave it out.")
        extras = ",".join(_project()["optional-dependencies"])
        pip = [str(python), "-m", "pip", "install", "--quiet", "-c", environment.lock]
        for command in (
            [program, "-m", "venv", "--clear", str(folder)],
            [*pip, "setuptools", "torch"],
            [*pip, "--no-build-isolation", "--editable", f".[{extras}]"],
            [*pip, "--no-deps", ALONE],
        ):
            subprocess.run(command, cwd=ROOT, check=True)
        done.touch()
    return python


def _project() -> dict[str, Any]:
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"])


def tried(
    name: str, environment: Environment, folder: Path, tests: Sequence[str]
) -> dict[str, Any]:
    """Run the suite in an environment.

    Returns:
        The environment, its main versions, and how many tests passed, failed and were skipped.
    """
    python, report = make(environment, folder), folder / "suite.xml"
    report.unlink(missing_ok=True)
    suite = ["-m", "pytest", "-n", "auto", "--dist", "loadfile", f"--junitxml={report}"]
    own = {"PARACLAP_LOCK": environment.lock, "PYTHONPATH": str(ROOT)}
    own |= {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
    started = time.monotonic()
    subprocess.run([str(python), *suite, *tests], cwd=ROOT, env=os.environ | own, check=False)
    counts = counted(report.read_text("utf-8")) if report.exists() else {"failed": "no report"}
    said = subprocess.run([str(python), "-c", SAY, *SHOWN], capture_output=True, check=True)
    seconds = round(time.monotonic() - started)
    about = {"environment": name, "python": environment.python}
    return {**about, **json.loads(said.stdout), **counts, "s": seconds}


def counted(report: str) -> dict[str, int]:
    """Tests by how they ended, of a report in JUnit's form.

    >>> suite = '<testsuite tests="5" failures="1" errors="1" skipped="1"/>'
    >>> counted(f"<testsuites>{suite}</testsuites>")
    {'passed': 2, 'failed': 2, 'skipped': 1}
    """
    suite = ElementTree.fromstring(report)[0]
    number = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
    failed = number["failures"] + number["errors"]
    passed = number["tests"] - failed - number["skipped"]
    return {"passed": passed, "failed": failed, "skipped": number["skipped"]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Try environments, print and write what came of them; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versions")
    parser.add_argument("--only", default=",".join(ENVIRONMENTS), help="names, with commas")
    parser.add_argument("--folder", type=Path, default=ROOT / ".venvs", help="of the environments")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("tests", nargs="*", help="files of tests; all if none is named")
    args = parser.parse_args(arguments)
    chosen = {name: ENVIRONMENTS[name] for name in args.only.split(",")}
    rows = [tried(name, one, args.folder / name, args.tests) for name, one in chosen.items()]
    print(pd.DataFrame(rows).to_string(index=False))
    command = " ".join(["python -m benchmarks.versions --only", args.only, *args.tests])
    told = {"date": str(datetime.date.today()), "command": command, "rows": rows}
    args.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return int(any(row["failed"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
