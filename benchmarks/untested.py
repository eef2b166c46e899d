"""Which lines and branches of the package does no test reach?

    pip install -r benchmarks/soak.txt
    python -m benchmarks.untested                        # runs all tests: half an hour on two cores
    python -m benchmarks.untested --data _build/coverage  # reads what such a run has left

Prints the modules of which something is not reached, the totals, and the places that are excepted,
with the reason; writes ``untested.json`` beside this file; fails below ``BAR``. A line counts that
is reached in any process: the tests, the programs that they start, workers, kernels of the book. A
place is excepted by a comment on it that names one of ``EXCEPTED``; how the rest is measured stands
in ``pyproject.toml``.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "_build" / "coverage"
BAR = 95.0  # per cent of lines and branches together
EXCEPTED = {  # comments on places that these tests cannot reach, and why
    "gpu": "runs on a GPU alone",
    "elsewhere": "runs on other machines alone",
}
MARKER = re.compile(rf"# pragma: ({'|'.join(EXCEPTED)})\b(?: \((.+)\))?")
Numbers = Mapping[str, Any]


def run(data: Path, tests: Sequence[str]) -> int:
    """Run the tests, measured; gives the exit status of pytest."""
    shutil.rmtree(data, ignore_errors=True)
    command = ["coverage", "run", f"--data-file={data / 'data'}", "-m", "pytest"]
    command += ["--numprocesses", "auto", "--dist", "loadfile", *tests]
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode


def measured(data: Path) -> dict[str, Any]:
    """What coverage says of the data of all processes: ``totals``, and ``files`` by their paths."""
    try:
        import coverage
    except ModuleNotFoundError:
        sys.exit("coverage is not installed: pip install -r benchmarks/soak.txt")
    out = data / "report.json"
    made = coverage.Coverage(data_file=str(data / "all"), config_file=str(ROOT / "pyproject.toml"))
    made.combine([str(one) for one in data.glob("data.*")], strict=True, keep=True)
    made.json_report(outfile=str(out))
    found: dict[str, Any] = json.loads(out.read_text("utf-8"))
    return found


def spans(lines: Iterable[int]) -> list[str]:
    """Runs of lines.

    >>> spans([3, 4, 5, 9])
    ['3-5', '9']
    """
    ordered = sorted(lines)
    firsts = [now for before, now in pairwise([-1, *ordered]) if now > before + 1]
    lasts = [now for now, after in pairwise([*ordered, sys.maxsize]) if after > now + 1]
    return [
        str(first) if first == last else f"{first}-{last}"
        for first, last in zip(firsts, lasts, strict=True)
    ]


def missing(file: Numbers) -> str:
    """Lines that are not reached, and branches between lines that are.

    >>> missing({"missing_lines": [3, 4], "missing_branches": [[2, 3], [7, 9], [8, -1]]})
    '3-4, 7->9, 8->end'
    """
    lines = set(file["missing_lines"])
    branches = [
        f"{start}->{end if end > 0 else 'end'}"
        for start, end in file["missing_branches"]
        if not {start, end} & lines
    ]
    return ", ".join([*spans(lines), *branches])


def shares(summary: Numbers) -> dict[str, float]:
    """Reached lines and branches in per cent."""
    lines, branches = (summary[f"percent_{what}_covered"] for what in ("statements", "branches"))
    return {"lines": round(lines, 2), "branches": round(branches, 2)}


def excepted() -> Iterator[dict[str, str]]:
    """Places that are not counted, with the reason."""
    for file in sorted((ROOT / "paraclap").rglob("*.py")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            if found := MARKER.search(line):
                place = f"{file.relative_to(ROOT).as_posix()}:{number}"
                code = line[: found.start()].strip()
                yield {"place": place, "code": code, "why": found[2] or EXCEPTED[found[1]]}


def page(report: Numbers) -> dict[str, Any]:
    """All that is told, as ``untested.json`` has it."""
    files = sorted(report["files"].items())
    partly = {name: file for name, file in files if file["summary"]["percent_covered"] < 100}
    totals = report["totals"]
    return {
        "command": "python -m benchmarks.untested",
        "date": datetime.date.today().isoformat(),
        "coverage": report["meta"]["version"],
        **{name: totals[name] for name in ("num_statements", "num_branches")},
        **shares(totals),
        "together": round(totals["percent_covered"], 2),
        "modules": len(files),
        "partly": {
            name: shares(file["summary"]) | {"missing": missing(file)}
            for name, file in partly.items()
        },
        "excepted": list(excepted()),
    }


def told(page: Numbers) -> Iterator[str]:
    """The page in lines."""
    yield "| module | lines, % | branches, % | not reached |\n| --- | --- | --- | --- |"
    for name, one in page["partly"].items():
        yield f"| {name} | {one['lines']} | {one['branches']} | {one['missing']} |"
    yield (
        f"\n{page['modules']} modules, {page['modules'] - len(page['partly'])} reached wholly; "
        f"{page['lines']} % of {page['num_statements']} lines, "
        f"{page['branches']} % of {page['num_branches']} branches, "
        f"{page['together']} % of both together (bar: {BAR:.0f} %)\n"
    )
    yield "| excepted | what | why |\n| --- | --- | --- |"
    for place in page["excepted"]:
        yield f"| {place['place']} | `{place['code']}` | {place['why']} |"


def status(page: Numbers, failed: int) -> int:
    """Exit status: not 0 if tests failed, or what is reached is below the bar."""
    return failed or int(page["together"] < BAR)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, write beside this file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.untested")
    parser.add_argument("--data", type=Path, help="folder of a finished run; else the tests run")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("tests", nargs="*", help="what pytest is told, such as some of the tests")
    args = parser.parse_args(arguments)
    failed = 0 if args.data else run(DATA, args.tests)
    found = page(measured(args.data or DATA))
    args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(told(found)))
    return status(found, failed)


if __name__ == "__main__":
    sys.exit(main())
