"""How well feature extraction uses two processes, and what Dask costs against them.

Prints and writes beside itself the ratio of the two-process throughput to twice the single-process
throughput, and how much longer two Dask workers take than two processes. Measurements alternate, so
that other work on the machine touches all alike.
"""

from __future__ import annotations

import argparse
import datetime
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from paraclap import features, tables

TARGET = 0.95
MOST_OVERHEAD = 0.10
WAYS = {
    "1 process": (1, "processes"),
    "2 processes": (2, "processes"),
    "2 Dask workers": (2, "dask"),
}


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_800)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    speeds: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [_tone(folder / f"{i}.wav", args.seconds, i) for i in range(args.files)]
        for turn in range(args.rounds):
            for way in speeds:
                speeds[way].append(_speed(files, folder / f"{turn}-{way}.parquet", *WAYS[way]))
        few = _speed(files[:16], folder / "few.parquet", *WAYS["2 Dask workers"])
    _report(speeds, 16 / few, args)


def _tone(file: Path, seconds: float, seed: int) -> Path:
    """A buzz with its own pitch and some noise."""
    rng = np.random.default_rng(seed)
    moment = np.arange(round(16_000 * seconds)) / 16_000
    buzz = np.sign(np.sin(2 * np.pi * rng.uniform(80, 300) * moment))
    soundfile.write(file, 0.2 * buzz + 0.01 * rng.standard_normal(len(moment)), 16_000)
    return file


def _speed(files: list[Path], out: Path, jobs: int, engine: str) -> float:
    """Files per second, start of the workers and writing included."""
    begin = time.perf_counter()
    features.extract(tables.segments(files), out, jobs=jobs, engine=engine)
    return len(files) / (time.perf_counter() - begin)


def _report(speeds: dict[str, list[float]], start: float, args: argparse.Namespace) -> None:
    one, two, dask = (statistics.median(speeds[way]) for way in WAYS)
    rounds = "\n".join(
        f"| {n + 1} | {a:.1f} | {b:.1f} | {c:.1f} | {b / (2 * a):.2f} | {b / c - 1:+.1%} |"
        for n, (a, b, c) in enumerate(zip(*speeds.values(), strict=True))
    )
    text = f"""# Feature extraction: two processes against one, Dask against processes

`python -m benchmarks.features --files {args.files} --seconds {args.seconds} \
--rounds {args.rounds}`, {datetime.datetime.now(datetime.UTC).date()}, \
{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.

| round | files/s, 1 process | files/s, 2 processes | files/s, 2 Dask workers \
| 2 processes / (2 x 1 process) | time, Dask against processes |
|---|---|---|---|---|---|
{rounds}

Ratio of the medians, two-process speed / (2 x single-process speed): **{two / (2 * one):.2f}** \
(target {TARGET:.2f}). Dask takes **{two / dask - 1:+.1%}** of the time of two processes more (at \
most {MOST_OVERHEAD:.0%}). Start of the workers and writing of the shards are included. Processes \
are there already from the second round on; a Dask cluster is started each time, which with 16 \
files takes {start:.1f} s in all.
"""
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
