"""What the benchmarks share: ways that take turns, their ratios, and where it was measured.

A way is a function that does some work once and returns its amount, such as seconds of audio. Ways
take turns in rounds, so that other work on the machine touches all alike; what counts is the ratio
to a reference in the same round, and its median over the rounds.
"""

import argparse
import datetime
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
import transformers

from paraclap import tables

FOLDER = Path(__file__).parent
Ways = Mapping[str, Callable[[], float]]


def arguments(name: str, given: Sequence[str] | None, rounds: int) -> argparse.Namespace:
    """Options that the benchmarks have in common, and the command as it was given."""
    command = f"python -m benchmarks.{name}"
    parser = argparse.ArgumentParser(prog=command)
    parser.add_argument("--rounds", type=int, default=rounds, help="turns of each way that count")
    parser.add_argument("--dry", action="store_true", help="tiny and on a CPU, to see that it runs")
    parser.add_argument("--out", type=Path, default=FOLDER / f"{name}.json")
    args = parser.parse_args(given)
    extra = [f"--rounds {args.rounds}"] * (args.rounds != rounds) + ["--dry"] * args.dry
    args.command = " ".join([command, *extra])
    return args


def take_turns(ways: Ways, rounds: int, wait: Callable[[], Any] = lambda: None) -> pd.DataFrame:
    """Amount a second, one row a round, one column a way; the first turn of each only warms up.

    ``wait`` returns when the device has done all that it was given.
    """
    for way in ways.values():
        way()
    rows = []
    for _ in range(rounds):
        row = {}
        for name, way in ways.items():
            wait()
            begin = time.perf_counter()
            amount = way()
            wait()
            row[name] = amount / (time.perf_counter() - begin)
        rows.append(row)
    return pd.DataFrame(rows)


def compare(what: str, unit: str, speeds: pd.DataFrame, reference: str) -> list[dict[str, Any]]:
    """One row a way: median speed, and the ratio to the reference of the same round."""
    ratios = speeds.div(speeds[reference], axis=0)
    return [
        {
            "what": what,
            "way": name,
            "unit": unit,
            "speed": float(speeds[name].median()),
            "times": float(ratios[name].median()),
            "lowest": float(ratios[name].min()),
            "highest": float(ratios[name].max()),
            "rounds": len(speeds),
        }
        for name in speeds
    ]


def agreement(answers: npt.NDArray[Any], others: npt.NDArray[Any]) -> float | None:
    """Share of equal answers; None where one answer has more than half of them in either."""
    shares = [np.unique(one, return_counts=True)[1].max() / len(one) for one in (answers, others)]
    return None if max(shares) > 0.5 else float((answers == others).mean())


def write(args: argparse.Namespace, rows: Sequence[Mapping[str, Any]], device: str = "cpu") -> None:
    """Write the rows, with command, date, machine and versions, and print them."""
    cuda = device.startswith("cuda")
    machine = torch.cuda.get_device_name() if cuda else platform.machine()
    about = f"{args.command}, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {machine}, "
    about += f"{os.cpu_count()} cores, {torch.get_num_threads()} threads, "
    about += f"torch {torch.__version__}, transformers {transformers.__version__}"
    tables.write_json({"about": about, "rows": list(rows)}, args.out)
    print(about, pd.DataFrame(rows).round(2).to_string(index=False), sep="\n")
