"""How well feature extraction uses two processes.

Prints and writes beside itself the ratio of the two-process throughput to twice the single-process
throughput. Measurements alternate, so that other work on the machine touches both alike.
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

TARGET = 0.90


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=600)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [_tone(folder / f"{i}.wav", args.seconds, i) for i in range(args.files)]
        speeds: dict[int, list[float]] = {1: [], 2: []}
        for turn in range(args.rounds):
            for jobs in speeds:
                speeds[jobs].append(_speed(files, folder / f"{turn}-{jobs}.parquet", jobs))
    _report(speeds, args)


def _tone(file: Path, seconds: float, seed: int) -> Path:
    """A buzz with its own pitch and some noise."""
    rng = np.random.default_rng(seed)
    moment = np.arange(round(16_000 * seconds)) / 16_000
    buzz = np.sign(np.sin(2 * np.pi * rng.uniform(80, 300) * moment))
    soundfile.write(file, 0.2 * buzz + 0.01 * rng.standard_normal(len(moment)), 16_000)
    return file


def _speed(files: list[Path], out: Path, jobs: int) -> float:
    """Files per second, start of the processes and writing included."""
    begin = time.perf_counter()
    features.extract(tables.segments(files), out, jobs=jobs)
    return len(files) / (time.perf_counter() - begin)


def _report(speeds: dict[int, list[float]], args: argparse.Namespace) -> None:
    one, two = (statistics.median(speeds[jobs]) for jobs in (1, 2))
    ratio = two / (2 * one)
    rounds = "\n".join(
        f"| {i + 1} | {a:.1f} | {b:.1f} | {b / (2 * a):.2f} |"
        for i, (a, b) in enumerate(zip(speeds[1], speeds[2], strict=True))
    )
    text = f"""# Feature extraction: two processes against one

`python -m benchmarks.features --files {args.files} --seconds {args.seconds} \
--rounds {args.rounds}`, {datetime.datetime.now(datetime.UTC).date()}, \
{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end.

| round | files/s, 1 process | files/s, 2 processes | ratio |
|---|---|---|---|
{rounds}

Ratio of the medians, two-process speed / (2 x single-process speed): **{ratio:.2f}** \
(target {TARGET:.2f}). Start of the processes and writing of the shards are included; from the \
second round on the processes are there already.
"""
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
