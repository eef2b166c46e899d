"""How many random crops a second are read from an audio store, and from the files it was made of.

Each crop lies as a row of a padded float32 batch when it counts. Sources take turns, so that other
work on the machine touches all alike; ratios are what to look at. The store is as large as the
files say, and lies in the memory of the system after the first round, as that of a corpus that fits
into memory does from the second epoch on.
"""

from __future__ import annotations

import argparse
import datetime
import multiprocessing
import os
import statistics
import tempfile
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from paraclap import signals, tables
from paraclap.signals import Signals

TARGET = 2_000  # crops/s on two cores
BATCH, SAMPLES = 64, 80_000
PROCESSES = (1, 2)
SOURCES = {
    "store, int16": "wav",
    "files, WAV at 16 kHz": "wav",
    "files, FLAC at 44.1 kHz": "flac",
}

Speeds = dict[tuple[str, int], list[float]]


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--turn", type=float, default=2.0, help="seconds of one measurement")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        sources, build = _sources(Path(name), args)
        speeds: Speeds = {(source, n): [] for n in PROCESSES for source in sources}
        for turn in range(args.rounds):
            for source, processes in speeds:
                speed = _speed(sources[source], processes, args.turn, turn)
                speeds[source, processes].append(speed)
    _report(speeds, build, args)


def _sources(folder: Path, args: argparse.Namespace) -> tuple[dict[str, Signals], float]:
    """The same signals from each source, and the speed of building the store."""
    indices = {
        kind: tables.segments(
            [_noise(folder / f"{i}.{kind}", args.seconds, rate, i) for i in range(args.files)]
        )
        for kind, rate in (("wav", 16_000), ("flac", 44_100))
    }
    begin = time.perf_counter()
    signals.build(indices["flac"], folder / "flac_store", jobs=2)
    build = args.files * args.seconds / 3600 / (time.perf_counter() - begin)
    signals.build(indices["wav"], folder / "store", jobs=2)
    found = {
        source: Signals(indices[kind], folder / "store" if "store" in source else None)
        for source, kind in SOURCES.items()
    }
    return found, build


def _noise(file: Path, seconds: float, rate: int, seed: int) -> Path:
    """Coloured noise: what a lossless format finds about as hard as speech."""
    white = np.random.default_rng(seed).standard_normal(round(rate * seconds))
    smooth = np.convolve(white, np.hanning(15) / 15, "same")
    soundfile.write(file, 0.3 * smooth, rate)
    return file


def _speed(source: Signals, processes: int, seconds: float, seed: int) -> float:
    """Crops per second of all processes together; their start is not counted."""
    context = multiprocessing.get_context("spawn")
    barrier, counts = context.Barrier(processes), context.SimpleQueue()
    workers = [
        context.Process(target=_read, args=(source, seconds, [seed, n], barrier, counts))
        for n in range(processes)
    ]
    for worker in workers:
        worker.start()
    speed = sum(counts.get() for _ in workers)
    for worker in workers:
        worker.join()
    return float(speed)


def _read(source: Signals, seconds: float, seed: list[int], barrier: Barrier, counts: Any) -> None:
    """Fill batches for some seconds."""
    rng = np.random.default_rng(seed)
    batch = np.zeros((BATCH, SAMPLES), np.float32)
    barrier.wait()
    begin, count = time.perf_counter(), 0
    while time.perf_counter() < begin + seconds:
        for row, place in zip(batch, rng.integers(len(source), size=BATCH), strict=True):
            crop = source.crop(int(place), SAMPLES, rng)
            row[: len(crop)] = crop
            row[len(crop) :] = 0
        count += BATCH
    counts.put(count / (time.perf_counter() - begin))


def _report(speeds: Speeds, build: float, args: argparse.Namespace) -> None:
    middle = {key: statistics.median(values) for key, values in speeds.items()}
    rows = "\n".join(
        f"| {source} | {n} | {min(speeds[source, n]):,.0f} … {max(speeds[source, n]):,.0f} "
        f"| {speed:,.0f} | {middle['store, int16', n] / speed:.1f} |"
        for (source, n), speed in middle.items()
    )
    two = middle["store, int16", 2]
    text = f"""# Audio store: random crops a second

`python -m benchmarks.signals --files {args.files} --seconds {args.seconds} \
--rounds {args.rounds} --turn {args.turn}`, {datetime.datetime.now(datetime.UTC).date()}, \
{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end. Crops of \
{SAMPLES / 16_000:.0f} s into float32 batches of {BATCH}; the sources took turns. All signals are \
noise.

| crops from | processes | crops/s, range | crops/s, median | store is faster by a factor of |
|---|---|---|---|---|
{rows}

From the store, two processes: **{two:,.0f} crops/s** (target {TARGET:,}). Building it from the \
FLAC files, with two processes, their start included: {3600 * build:,.0f} times as fast as the \
signals last.
"""
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
