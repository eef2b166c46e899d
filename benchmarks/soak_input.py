"""Bad input by the ten thousand, and files of ten hours: what becomes of them?

    python -m benchmarks.soak_input
    python -m benchmarks.soak_input --kinds audio,params --cases 5000

Each kind of input (see ``tests/fuzz_kinds.py``) is tried in a process of its own. A case is read
whole, or refused by an error of paraclap that names the file and says what to do; anything else, a
case that takes more than twenty seconds and a process that dies included, is a failure, and the
command then ends with status 1. So is one that holds more memory than ``MOST`` or ``GROWTH`` allow.

The files of ten hours are tones. They are measured in segments and scored in windows; as a whole
they are refused.
"""

from __future__ import annotations

import argparse
import datetime
import faulthandler
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent / "tests"
SHARES = {  # of the cases
    "audio": 0.3, "folder": 0.06, "list": 0.08, "table": 0.08, "params": 0.08, "templates": 0.06,
    "map": 0.08, "database": 0.05, "known": 0.02, "checkpoint": 0.06, "model": 0.015,
    "edges": 0.04, "results": 0.04, "store": 0.03,
}  # fmt: skip
CASES = 12_000
MOST = 1_024  # MiB that a kind may hold at most, all packages loaded
HOURS = 10
GROWTH = 320  # MiB that a file of ten hours may take
PATIENCE = 120  # seconds after which a process that says nothing is stopped, with its stack

Line = dict[str, Any]


def most() -> int:
    """Most memory held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


# --- cases -------------------------------------------------------------------------------------


def try_kind(name: str, cases: int, first: int) -> Line:
    """Try the cases of a kind in this process."""
    sys.path.insert(0, str(TESTS))  # by its folder: other packages bring a `tests` of their own
    import fuzz_kinds
    import fuzzing

    began, refused, worst, wrong = time.perf_counter(), 0, 0.0, []
    with tempfile.TemporaryDirectory() as above:
        for seed in range(first, first + cases):
            faulthandler.dump_traceback_later(PATIENCE, exit=True)
            found = fuzzing.attempt(fuzz_kinds.KINDS[name], seed, Path(above))
            refused += bool(found.refused) and not found.wrong
            worst = max(worst, found.seconds)
            wrong += [str(found)] if found.wrong else []
    faulthandler.cancel_dump_traceback_later()
    return {
        "kind": name,
        "cases": cases,
        "refused": refused,
        "read": cases - refused - len(wrong),
        "failures": len(wrong),
        "seconds": time.perf_counter() - began,
        "worst": worst,
        "mib": most(),
        "wrong": wrong[:5],
    }


# --- ten hours ---------------------------------------------------------------------------------


def long_file(folder: Path, form: str) -> Path:
    """Ten hours of tones."""
    import numpy as np
    import soundfile

    rate = 16_000
    time_ = np.arange(60 * rate) / rate
    wave = sum(np.sin(2 * np.pi * 150 * n * time_) / n for n in range(1, 6))
    minute = np.round(6_000 * wave * (1.2 + np.sin(2 * np.pi * time_ / 3)) / 2).astype(np.int16)
    path = folder / f"long.{form}"
    with soundfile.SoundFile(path, "w", rate, 1, "PCM_16") as stream:
        for _ in range(HOURS * 60):
            stream.write(minute)
    return path


def paths(file: Path) -> dict[str, Callable[[], object]]:
    """What is done with a long file: name → call that returns what is told of it."""
    import pandas as pd

    from benchmarks import noise
    from paraclap import audio, features, listing, scoring, tables

    seconds = HOURS * 3600
    starts = [seconds * place / 40 for place in range(40)]
    parts = tables.segments(
        [file] * 41,
        [*(pd.Timedelta(start, unit="s") for start in starts), pd.Timedelta(0)],
        [*(pd.Timedelta(start + 3, unit="s") for start in starts), pd.NaT],
    )
    out = file.with_suffix(".parquet")
    model = noise.model(noise.config(tiny=True), ["happy", "sad"]).eval()

    def measured() -> str:
        found = features.extract(parts, out.with_stem("features"), jobs=1)
        assert len(found) == 40
        assert "expected at most" in features.failed(out.with_stem("features"))["reason"].item()
        return "40 segments of 3 s measured, the whole refused"

    def refused() -> str:
        try:
            audio.read(file)
        except audio.AudioError as error:
            return str(error)
        raise AssertionError("ten hours were read at once")

    def scored() -> str:
        asked = {"window": 5.0, "hop": 5.0}
        scoring.score(model, [file], ["happy", "sad"], out, **asked)
        return f"{len(tables.read_table(out)):,} windows of 5 s scored"

    return {
        "length": lambda: f"{audio.duration(file):,.0f} s",
        "segments": lambda: f"{sum(len(audio.read(*part)) for part in parts[:40]):,} samples of 40",
        "whole": refused,
        "list": lambda: (
            f"{sum(1 for _ in listing.windows(tables.segments([file]), 5.0, 2.5)):,} windows"
        ),
        "features": measured,
        "scoring": scored,
    }


def try_long(form: str) -> list[Line]:
    """Do everything with a file of ten hours in this process; growth is that of its memory."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        file = long_file(Path(folder), form)
        calls = paths(file)
        before = most()
        for name, call in calls.items():
            faulthandler.dump_traceback_later(5 * PATIENCE, exit=True)
            began = time.perf_counter()
            told = str(call())
            lines.append(
                {
                    "kind": f"{form}, {name}",
                    "told": told.replace(str(folder), ""),
                    "seconds": time.perf_counter() - began,
                    "mib": most() - before,
                }
            )
    faulthandler.cancel_dump_traceback_later()
    return lines


# --- all of it ---------------------------------------------------------------------------------


def in_a_process(*arguments: str) -> Any:
    """What this module says when it is called so; a failure if it dies."""
    command = [sys.executable, "-m", "benchmarks.soak_input", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} died ({done.returncode}):\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def report(kinds: Sequence[Line], long: Sequence[Line], seconds: float) -> list[str]:
    """The page."""
    cases, refused = (sum(line[name] for line in kinds) for name in ("cases", "refused"))
    lines = ["# Bad input", "", f"`python -m benchmarks.soak_input`, {datetime.date.today()}", ""]
    lines += [
        "| kind | cases | refused by an error of ours | read | failures | s | worst, s | MiB |"
    ]
    lines += ["|---|---|---|---|---|---|---|---|"]
    for one in kinds:
        cells = [f"{one[name]:,}" for name in ("cases", "refused", "read", "failures")]
        cells += [f"{one['seconds']:.0f}", f"{one['worst']:.2f}", f"{one['mib']:,}"]
        lines.append(f"| {one['kind']} | {' | '.join(cells)} |")
    failures = sum(line["failures"] for line in kinds)
    lines += ["", f"{cases:,} cases: {refused:,} refused, {cases - refused - failures:,} read, "]
    lines[-1] += f"{failures} failures; {seconds / 60:.0f} minutes for the page, on one core."
    if long:
        lines += ["", f"## A file of {HOURS} hours", "", "| what | result | s | MiB more |"]
        lines += ["|---|---|---|---|"]
        for one in long:
            cells = [one["kind"], one["told"], f"{one['seconds']:.1f}", f"{one['mib']:,}"]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Try, print, write beside this file; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak_input")
    parser.add_argument("--cases", type=int, default=CASES, help="in all")
    parser.add_argument("--first", type=int, default=0, help="seed of the first case")
    parser.add_argument("--kinds", default=",".join(SHARES))
    parser.add_argument("--no-long", action="store_true", help="no files of ten hours")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.one:
        name, cases = args.one
        found: Any = try_kind(name, int(cases), args.first) if int(cases) else try_long(name)
        print(json.dumps(found))
        return 0
    began, kinds, long = time.perf_counter(), [], []
    wanted = args.kinds.split(",")
    whole = sum(SHARES[name] for name in wanted)
    for name in wanted:
        cases = round(args.cases * SHARES[name] / whole)
        kinds.append(in_a_process("--one", name, str(cases), "--first", str(args.first)))
        told = [f"{kinds[-1][what]} {what}" for what in ("cases", "refused", "read", "failures")]
        print(f"{name}: {', '.join(told)}", *kinds[-1]["wrong"], sep="\n  ", flush=True)
    for form in [] if args.no_long else ["flac", "wav"]:
        long += in_a_process("--one", form, "0")
    lines = report(kinds, long, time.perf_counter() - began)
    args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    fat = [one["kind"] for one in kinds if one["mib"] > MOST]
    fat += [one["kind"] for one in long if one["mib"] > GROWTH]
    if fat:
        print(f"Too much memory: {fat}")
    return int(bool(fat) or any(one["failures"] for one in kinds))


if __name__ == "__main__":
    sys.exit(main())
