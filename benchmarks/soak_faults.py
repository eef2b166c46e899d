"""How many stops at random points do the long steps survive?

    python -m benchmarks.soak_faults --stops 200 --seed 0 --out soak_faults.json

Every stop is one of :mod:`tests.faults`: a step is stopped by a signal, a full disk, a read-only
folder or the death of a worker, or another process does the same; what is left is looked at; the
step runs again and is compared with a run that nobody stopped. Printed are counts per step and
kind; the file gets every stop. Stops that came too late, when the step had ended, are not counted.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests import faults

SHARES = {  # of the turns in which a step is stopped
    **{"features": 1.0, "audio_store": 1.0, "scoring": 1.0},
    **{"synthesis": 0.5, "training": 0.5, "audio_tower": 0.5, "book": 0.1},
}


def drawn(
    rng: np.random.Generator, kinds: Sequence[str], steps: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Steps and kinds of faults without end: every kind in turn, slow steps less often."""
    while True:
        for kind in kinds:
            for step, part in ((step, SHARES[step]) for step in steps):
                possible = kind != "worker killed" or step in faults.WITH_WORKERS
                if possible and rng.random() < part:
                    yield step, kind


def soak(
    stops: int,
    seed: int,
    folder: Path,
    seconds: float,
    out: Path,
    kinds: Sequence[str],
    steps: Sequence[str],
) -> pd.DataFrame:
    """Try faults until so many have met their step, or the time is over.

    Args:
        stops: how many
        seed: of steps, kinds and places
        folder: for what is made
        seconds: after which no further one is tried
        out: JSON file, written anew after each
        kinds: of faults
        steps: that meet them

    Returns:
        a row per stop, see :class:`tests.faults.Outcome`
    """
    rng = np.random.default_rng(seed)
    lab, start, hits = faults.Lab(folder), time.monotonic(), list[dict[str, Any]]()
    for step, kind in drawn(rng, kinds, steps):
        if len(hits) >= stops or time.monotonic() - start > seconds:
            break
        outcome = lab.try_(step, kind, rng)
        if outcome.hit:
            hits.append(dataclasses.asdict(outcome))
            bad = "".join(f"\n    {problem}" for problem in outcome.problems)
            print(f"{len(hits):4d} {step}, {kind}: {outcome.seconds:.1f} s{bad}", flush=True)
            _write(hits, seed, time.monotonic() - start, out)
    return pd.DataFrame(hits)


def _write(hits: list[dict[str, Any]], seed: int, seconds: float, out: Path) -> None:
    survived = sum(not hit["problems"] for hit in hits)
    told = {"stops": len(hits), "survived": survived, "seconds": round(seconds), "seed": seed}
    out.write_text(json.dumps({**told, "every": hits}, indent=1) + "\n", "utf-8")


def counts(hits: pd.DataFrame) -> pd.DataFrame:
    """Survivals of stops, a row per step and a column per kind, such as 12/12."""
    survived = hits["problems"].map(len) == 0
    grouped = survived.groupby([hits["step"], hits["kind"]]).agg(["sum", "size"])
    told = grouped["sum"].astype(str) + "/" + grouped["size"].astype(str)
    return told.unstack(fill_value="-")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns 1 if a stop was not survived."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak_faults", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--stops", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=24 * 3600, help="try no more after this")
    parser.add_argument("--out", type=Path, default=Path("soak_faults.json"))
    parser.add_argument("--kinds", nargs="+", default=list(faults.KINDS), choices=faults.KINDS)
    parser.add_argument("--steps", nargs="+", default=list(SHARES), choices=list(SHARES))
    args = parser.parse_args(arguments)
    start, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="paraclap-soak-"))
    try:
        given = args.stops, args.seed, folder, args.seconds, args.out, args.kinds, args.steps
        hits = soak(*given)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    survived = int((hits["problems"].map(len) == 0).sum())
    print(f"\n{counts(hits).to_string()}\n")
    print(f"{survived} of {len(hits)} stops survived, {time.monotonic() - start:.0f} s")
    return 0 if survived == len(hits) else 1


if __name__ == "__main__":
    sys.exit(main())
