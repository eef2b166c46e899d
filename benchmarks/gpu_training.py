"""How fast training at full size is on a GPU, beside the released recipe stated again.

``python -m benchmarks.gpu_training`` needs torch, transformers, pandas and the checkout, no network
and no corpus: weights are random (wav2vec2-large cut to 12 layers as audEERING's, BERT base, a
space of 768), signals are noise, queries the paper's sentences for random levels (see
:mod:`benchmarks.noise`). None of this changes what a step costs. From the audio store on the disk
to the optimiser all is what :mod:`paraclap.training` uses.

Measured one after the other, each after a warm-up: ``ours`` (the paper's settings), ``compiled``
(the same through ``torch.compile``), ``released`` (see :mod:`benchmarks.released_recipe`),
``large`` (a batch of 4,096 through cached gradients) and ``profile`` (where the time of a step
goes). The JSON file is written after each of them. ``--device cpu --tiny --seconds 2`` runs
everything in small.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import itertools
import math
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks import noise, step_profile
from benchmarks.released_recipe import Released, without_tf32
from paraclap import flops, pairs, stepping, tables
from paraclap.checkpoint import Run
from paraclap.machine import Machine, choose_device
from paraclap.model import ParaCLAP
from paraclap.schedule import Schedule
from paraclap.settings import Settings
from paraclap.texts import Texts

PAPER = 45_619 * 50  # pairs: voices of the paper's training split, epochs
LEAST, WANTED, TIMES = 900, 1_400, 8  # pairs/s, pairs/s, times as fast as the released recipe
CHUNK = 128  # pairs of the large batch that the device holds at once


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and write; 1 if there is no GPU, or if a part has failed."""
    arguments = sys.argv[1:] if arguments is None else arguments
    args = _arguments(arguments)
    if args.device != "cpu" and not torch.cuda.is_available():
        print(
            "torch sees no GPU here, and this benchmark measures one: run it on a machine that has "
            "one, or in small with --device cpu --tiny --seconds 2.",
            file=sys.stderr,
        )
        return 1
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench.made(args, Path(folder))
        for part in args.parts:
            bench.measure(part)
            tables.write_json(bench.page(), args.out)
    print(bench.summary())
    return int(any("failed" in row for row in bench.rows.values()))


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_training")
    out = Path(__file__).with_suffix(".json")
    parser.add_argument("--device", default="cuda", help="cuda, or cpu to try it out")
    parser.add_argument("--tiny", action="store_true", help="a tiny model and small batches")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--voices", type=int, default=0, help="files of noise; 0: as needed")
    parser.add_argument("--workers", type=int, default=-1, help="that read; -1: as there are cores")
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--out", type=Path, default=out, help="JSON file")
    args = parser.parse_args(arguments)
    args.command = " ".join(["python -m benchmarks.gpu_training", *arguments])
    return args


@dataclass
class Bench:
    """What is measured, on what, and what came out so far."""

    args: argparse.Namespace
    device: torch.device
    settings: Settings
    large: int
    store: Path
    index: Any
    pool: Any
    peaks: dict[str, float]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def made(cls, args: argparse.Namespace, folder: Path) -> Bench:
        """Write the corpus and look what the device can do."""
        device = choose_device(args.device)
        settings = Settings().but(epochs=10**6)
        if args.tiny:
            settings = settings.but(batch=4, crop_seconds=0.5)
        large = 16 if args.tiny else 4096
        voices = args.voices or (3 * large // 2)
        index = noise.store(folder / "store", voices, 1.6 * settings.crop_seconds)
        peaks = {
            name: flops.peak_flops(device, dtype)
            for name, dtype in (("bfloat16", torch.bfloat16), ("float32", torch.float32))
        }
        pool = noise.pool(voices)
        return cls(args, device, settings, large, folder / "store", index, pool, peaks)

    @property
    def workers(self) -> int:
        """Processes that read."""
        if self.args.workers >= 0:
            return int(self.args.workers)
        return 0 if self.args.tiny else min(12, (os.cpu_count() or 2) - 2)

    def run(self, settings: Settings) -> Run:
        """An untrained run on the device."""
        model = noise.model(noise.config(self.args.tiny), self.pool.vocabulary).to(self.device)
        return Run(model, stepping.optimiser(model, settings))

    def voices(self, settings: Settings, model: ParaCLAP) -> pairs.Voices:
        """The voices as the loader reads them."""
        rows = range(len(self.index))
        said = settings.rand, settings.emotion, settings.only_emotion, settings.join
        texts = Texts(self.pool, rows, settings.seed, settings.texts_per_voice, *said)
        schedule = Schedule(len(self.index), settings.batch, settings.seed)
        store = pairs.Signals(self.index, self.store)
        assert model.processor is not None
        return pairs.Voices(
            store, schedule, texts, model.processor, settings.crop_seconds, settings.pad
        )

    def stream(self, voices: pairs.Voices, workers: int) -> Iterator[pairs.Batch]:
        """Batches without an end."""
        pin = self.device.type == "cuda"
        return pairs.batches(voices, range(10**7), workers, pin)

    def measure(self, part: str) -> None:
        """Measure one part; what fails is written down, and the others go on."""
        print(f"{part} ...", flush=True)
        begin = time.perf_counter()
        try:
            row = PARTS[part](self)
        except Exception as error:  # a benchmark reports all that happens
            row = {"failed": f"{type(error).__name__}: {error}"[:500]}
        self.rows[part] = row | {"took": round(time.perf_counter() - begin, 1)}
        print(f"  {self.rows[part]}", flush=True)
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def page(self) -> dict[str, Any]:
        """All that is written down."""
        gpu = self.device.type == "cuda"
        device = torch.cuda.get_device_name(self.device) if gpu else platform.processor() or "cpu"
        best, released = self.best(), self.rows.get("released", {}).get("pairs_per_second")
        full = best if best and not self.args.tiny else None
        return {
            "command": self.args.command,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "device": device,
            "versions": {
                "python": platform.python_version(),
                "torch": torch.__version__,
                "transformers": transformers.__version__,
                "cuda": torch.version.cuda,
            },
            "model": "tiny" if self.args.tiny else "full size",
            "crop_seconds": self.settings.crop_seconds,
            "batch": self.settings.batch,
            "workers": self.workers,
            "peak_flops": self.peaks,
            "pairs_per_second": best,
            "times_the_released_recipe": best / released if best and released else None,
            "minutes_for_the_paper": PAPER / full / 60 if full else None,
            "parts": self.rows,
        }

    def best(self) -> float | None:
        """Pairs a second of the faster of ours, plain or compiled."""
        found = [self.rows.get(part, {}).get("pairs_per_second") for part in ("ours", "compiled")]
        return max((speed for speed in found if speed), default=None)

    def summary(self) -> str:
        """A few lines for the reader."""
        page = self.page()
        lines = [f"{page['device']}, {page['model']}, {page['date']}: {self.args.out}"]
        for part, row in self.rows.items():
            if "pairs_per_second" in row:
                lines.append(
                    f"{part}: {row['pairs_per_second']:,.0f} pairs/s, "
                    f"{100 * row['waiting']:.1f} % waiting, {row['peak_memory'] / 2**30:.1f} GiB, "
                    f"{100 * row['utilisation']:.1f} % of the matrix rate"
                )
            elif "failed" in row:
                lines.append(f"{part}: failed ({row['failed']})")
        if minutes := page["minutes_for_the_paper"]:
            lines.append(f"at least {LEAST}, better {WANTED} pairs/s: {self.best():,.0f}")
            lines.append(f"training of the paper: {minutes:,.0f} minutes")
        if times := page["times_the_released_recipe"]:
            lines.append(f"at least {TIMES} times the released recipe: {times:.1f}")
        return "\n".join(lines)


# --- the parts ---------------------------------------------------------------------------------


def ours(bench: Bench, compiled: bool = False) -> dict[str, Any]:
    """Training with the settings of the paper."""
    run = bench.run(bench.settings)
    machine = Machine(device=bench.args.device, compiled=compiled)
    stepper = stepping.Stepper(run, bench.settings, machine, 10**7)
    stream = bench.stream(bench.voices(bench.settings, run.model), bench.workers)
    peak = bench.peaks["bfloat16" if stepper.dtype == torch.bfloat16 else "float32"]
    # Lengths of texts differ from batch to batch: compiled code is made for all of them at last.
    warm = 12 if compiled else 4
    return _speed(bench, run.model, stepper.step, stream, warm, peak)


def released(bench: Bench) -> dict[str, Any]:
    """The released recipe, stated again."""
    run = bench.run(bench.settings)
    voices = bench.voices(bench.settings, run.model)
    recipe = Released(run.model, bench.settings, voices.texts)
    with without_tf32():
        stream = bench.stream(voices, bench.workers)
        return _speed(bench, run.model, recipe.step, stream, 2, bench.peaks["float32"])


def large(bench: Bench) -> dict[str, Any]:
    """A batch that does not fit, chunk by chunk."""
    settings = bench.settings.but(batch=bench.large)
    run = bench.run(settings)
    machine = Machine(device=bench.args.device, chunk=4 if bench.args.tiny else CHUNK)
    stepper = stepping.Stepper(run, settings, machine, 10**7)
    # A batch is more than a gigabyte, and each process keeps several ahead.
    stream = bench.stream(bench.voices(settings, run.model), min(2, bench.workers))
    peak = bench.peaks["bfloat16" if stepper.dtype == torch.bfloat16 else "float32"]
    row = _speed(bench, run.model, stepper.step, stream, 1, peak)
    return row | {"batch": settings.batch, "chunk": machine.chunk}


def profile(bench: Bench) -> dict[str, Any]:
    """Where the time of a step goes, reading aside."""
    run = bench.run(bench.settings)
    stepper = stepping.Stepper(run, bench.settings, Machine(device=bench.args.device), 10**7)
    stream = bench.stream(bench.voices(bench.settings, run.model), 0)
    batches = itertools.cycle(list(itertools.islice(stream, 4)))
    for _ in range(4):
        stepper.step(next(batches))
    return step_profile.profiled(lambda: stepper.step(next(batches)), 4, bench.device)


PARTS: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "ours": ours,
    "compiled": lambda bench: ours(bench, compiled=True),
    "released": released,
    "large": large,
    "profile": profile,
}


def _speed(
    bench: Bench,
    model: ParaCLAP,
    step: Callable[[pairs.Batch], torch.Tensor],
    stream: Iterator[pairs.Batch],
    warm: int,
    peak: float,
) -> dict[str, Any]:
    """Speed of steps over some seconds, two steps at least."""
    for batch in itertools.islice(stream, warm):
        step(batch)
    step_profile.settle(bench.device)
    if bench.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(bench.device)
    shapes: list[pairs.Batch] = []
    waiting = 0.0
    begin = time.perf_counter()
    while len(shapes) < 2 or time.perf_counter() - begin < bench.args.seconds:
        asked = time.perf_counter()
        batch = next(stream)
        waiting += time.perf_counter() - asked
        values = step(batch)
        shapes.append(batch.to(torch.device("meta")))
    step_profile.settle(bench.device)
    seconds = time.perf_counter() - begin
    loss, steps = float(values[0]), len(shapes)
    if not math.isfinite(loss):
        raise FloatingPointError(f"Loss {loss} after {steps} steps, expected a finite number.")
    voices = sum(len(batch.rows) for batch in shapes)
    work = sum(flops.of_batch(model.config, bench.settings, batch) for batch in shapes)
    return {
        "pairs_per_second": voices / seconds,
        "steps": steps,
        "seconds": seconds,
        "waiting": waiting / seconds,
        "peak_memory": _memory(bench.device),
        "flops_per_pair": work / voices,
        "utilisation": flops.utilisation(work, seconds, peak),
    }


def _memory(device: torch.device) -> float:
    """Most bytes that were in use."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


if __name__ == "__main__":
    sys.exit(main())
