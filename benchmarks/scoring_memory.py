"""How much memory scoring takes for a few files and for many.

    python -m benchmarks.scoring_memory

A process of its own for each number of files scores a folder of links to one short recording with
a tiny model, embeddings written too, and tells the most memory it held, and the most before it
began. The growth must not follow the number of files: one piece is in memory at a time, beside
the names of the files.
"""

from __future__ import annotations

import argparse
import datetime
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

FEW, MANY = 1_000, 20_000
TARGET = 64  # MiB that the larger number may take more


def one(files: int) -> None:
    """Score in this process; print MiB before and at most."""
    from benchmarks import noise
    from paraclap import scoring

    model = noise.model(noise.config(tiny=True), ["happy", "sad"]).eval()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "voices"
        (source,) = noise.files(Path(name) / "source", 1, 0.5).get_level_values("file")
        folder.mkdir()
        for number in range(files):
            os.link(source, folder / f"{number:06d}.wav")
        # what is loaded at the first call is no growth
        scoring.score(model, [source], ["happy", "sad"], Path(name) / "first.parquet")
        before = _most()
        scoring.score(model, folder, ["happy", "sad"], Path(name) / "a.parquet", embeddings=True)
        print(before, _most())


def _most() -> float:
    """Most memory held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write beside this file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring_memory")
    parser.add_argument("--files", type=int, nargs=2, default=[FEW, MANY])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    args = parser.parse_args(arguments)
    if args.one:
        one(args.one)
        return
    found = {}
    for files in args.files:
        command = [sys.executable, "-m", "benchmarks.scoring_memory", "--one", str(files)]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        found[files] = [float(word) for word in said.split()]
    lines = report(found)
    args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def report(found: dict[int, list[float]]) -> list[str]:
    """The page."""
    few, many = found
    more = (found[many][1] - found[many][0]) - (found[few][1] - found[few][0])
    lines = ["# Memory of scoring", ""]
    lines += [
        f"`python -m benchmarks.scoring_memory`, {datetime.datetime.now(datetime.UTC).date()}"
    ]
    lines += ["", "| files | MiB before | MiB at most | growth |"]
    lines += ["|---|---|---|---|"]
    for files, (before, most) in found.items():
        lines.append(f"| {files:,} | {before:.0f} | {most:.0f} | {most - before:.0f} |")
    lines += ["", f"{many:,} files take {more:.0f} MiB more than {few:,} (wanted: less than"]
    return [*lines, f"{TARGET}). Tiny model, one recording of half a second under many names."]


if __name__ == "__main__":
    main()
