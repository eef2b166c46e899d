"""How fast a full-size model scores voices on a GPU, beside the released loop stated again.

``python -m benchmarks.gpu_scoring`` needs torch, transformers, pandas and the checkout, no network
and no corpus: weights are random (wav2vec2-large cut to 12 layers as audEERING's, BERT base, a
space of 768), signals are noise of 2 to 6 s, read from an audio store on the disk.

The released loop is that of :mod:`benchmarks.scoring`, on the GPU: one file at a time and whole,
float32 without TF32, attention spelt out as its version of transformers did, the candidates
encoded again for each file. Ours is :mod:`paraclap.inference` as :func:`paraclap.scoring.score`
uses it. Ways alternate in rounds. The JSON file is written at the end. On a machine without a GPU
``--device cpu --tiny`` runs everything in small.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import transformers

from benchmarks import noise, scoring
from benchmarks.released_recipe import without_tf32
from paraclap import audio, tables
from paraclap.machine import choose_device
from paraclap.model import ParaCLAP
from paraclap.signals import Signals

FILES, RELEASED = 4_096, 64  # a round of ours, and of the released loop
WAYS = {
    "ours, float32": ("float32", False),
    "ours, bf16": ("bf16", False),
    "ours, bf16, compiled": ("bf16", True),
}


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and write; 1 if there is no GPU."""
    arguments = sys.argv[1:] if arguments is None else arguments
    args = _arguments(arguments)
    if args.device != "cpu" and not torch.cuda.is_available():
        print(
            "torch sees no GPU here, and this benchmark measures one: run it on a machine that has "
            "one, or in small with --device cpu --tiny.",
            file=sys.stderr,
        )
        return 1
    page = measure(args)
    page["command"] = " ".join(["python -m benchmarks.gpu_scoring", *arguments])
    tables.write_json(page, args.out)
    print(f"{page['device']}, {page['model']}: {args.out}")
    for name, row in page["ways"].items():
        print(
            f"{name}: {row['hours_per_hour']:,.0f} h of speech per hour, {row['times']:.1f} times"
        )
    return 0


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_scoring")
    out = Path(__file__).with_suffix(".json")
    parser.add_argument("--device", default="cuda", help="cuda, or cpu to try it out")
    parser.add_argument("--tiny", action="store_true", help="tiny towers and few files")
    parser.add_argument("--files", type=int, default=0, help="in a round of ours; 0: as usual")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compiled", action="store_true", help="torch.compile too: minutes more")
    parser.add_argument("--out", type=Path, default=out, help="JSON file")
    args = parser.parse_args(arguments)
    args.files = args.files or (8 if args.tiny else FILES)
    return args


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """All that is written down."""
    device = choose_device(args.device)
    model = _model(args, device)
    spelt_out = _model(args, device)
    for tower in (spelt_out.audio_model, spelt_out.text_model):
        tower.set_attn_implementation("eager")
    with tempfile.TemporaryDirectory() as name:
        whole = noise.store(Path(name), args.files, scoring.LONGEST)
        read = from_store(whole, Path(name))
        index = scoring.voices(whole)
        few = index[: min(RELEASED, args.files)]
        ways = {"released": strict(scoring.released(spelt_out, read))}
        for way, (precision, compiled) in WAYS.items():
            if args.compiled or not compiled:
                ways[way] = scoring.ours(model, read, precision, compiled)
        lists = dict.fromkeys(ways, index) | {"released": few}
        _forget(device)
        rounds = scoring.Rounds.run(ways, lists, args.rounds, lambda: _wait(device))
        agreed = scoring.agreements(model, index, scoring.EMOTIONS, read=read)
    return _about(device, args) | {
        "released_files": len(few),
        "peak_memory": torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0,
        "ways": {name: _row(rounds, name) for name in ways},
        "bf16_agrees_with_float32": agreed,
    }


def _model(args: argparse.Namespace, device: torch.device) -> ParaCLAP:
    return noise.model(noise.config(args.tiny), scoring.EMOTIONS).eval().to(device)


def from_store(index: pd.MultiIndex, folder: Path) -> Callable[..., audio.Signal]:
    """What reads the beginnings of stored files."""
    signals = Signals(index, folder)
    rows = {file: row for row, file in enumerate(index.get_level_values("file"))}

    def read(file: str, start: pd.Timedelta, end: pd.Timedelta) -> audio.Signal:
        first, last = (round(time.total_seconds() * audio.SAMPLING_RATE) for time in (start, end))
        return signals.read(rows[file])[first:last]

    return read


def strict(way: scoring.Way) -> scoring.Way:
    """The same way, its float32 products in float32."""

    def without(index: pd.MultiIndex) -> Any:
        with without_tf32():
            return way(index)

    return without


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _forget(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def _row(rounds: scoring.Rounds, name: str) -> dict[str, Any]:
    return {
        "hours_per_hour": statistics.median(rounds.speeds[name]),
        "rounds": rounds.speeds[name],
        "times": statistics.median(rounds.times(name)),
    }


def _about(device: torch.device, args: argparse.Namespace) -> dict[str, Any]:
    gpu = device.type == "cuda"
    return {
        "device": torch.cuda.get_device_name(device) if gpu else platform.processor() or "cpu",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "cuda": torch.version.cuda,
        },
        "model": "tiny" if args.tiny else "full size",
        "files": args.files,
        "seconds": [scoring.SHORTEST, scoring.LONGEST],
        "candidates": len(scoring.EMOTIONS),
    }


if __name__ == "__main__":
    sys.exit(main())
