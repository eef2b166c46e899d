"""How many rows a second get their queries: `python benchmarks/queries.py` (one core)."""

from __future__ import annotations

import platform
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap.queries import Pool
from paraclap.templates import LEVELS, NUMERIC

ROWS = 200_000
BATCH = 64
GOAL = 100_000
REPEATS = 5


def labels() -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Random levels, emotions and genders, a tenth of them missing."""
    rng = np.random.default_rng(0)
    words = pd.Index(LEVELS)
    levels = pd.DataFrame({name: words[rng.integers(0, 3, ROWS)] for name in NUMERIC})
    levels = levels.mask(rng.random(levels.shape) < 0.1)
    emotions = rng.choice(["anger", "happiness", "sadness", "neutral", "no_agreement"], ROWS)
    genders = rng.choice(["female", "male"], ROWS)
    return levels, pd.Series(emotions), pd.Series(genders).mask(rng.random(ROWS) < 0.1)


def main() -> None:
    """Measure, print and write `queries.md` beside this file."""
    table = labels()
    seconds = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        pool = Pool.build(*table)
        queries = pool.table()["queries"]
        seconds.append(time.perf_counter() - begin)
    rng = np.random.default_rng(1)
    rows = rng.integers(0, ROWS, (200, BATCH))
    begin = time.perf_counter()
    for batch in rows:
        pool.sample(batch, rng=rng)
    sampling = (time.perf_counter() - begin) / len(rows)
    report = f"""# Queries: rows a second

`python benchmarks/queries.py`, {date.today()}, Python {platform.python_version()}, one core.

{ROWS:,} random rows, all attributes of the paper's set, a tenth of the levels missing:
{queries.map(len).sum():,} queries. Levels and labels in, table with the list of queries out
(`Pool.build` and `Pool.table`), {REPEATS} times.

| measure | value | goal |
|---|---|---|
| slowest of {REPEATS} | {ROWS / max(seconds):,.0f} rows/s | {GOAL:,} rows/s |
| median of {REPEATS} | {ROWS / np.median(seconds):,.0f} rows/s | {GOAL:,} rows/s |
| `Pool.sample`, {BATCH} rows, rand = 5 | {1e3 * sampling:.2f} ms | 1 ms |
"""
    Path(__file__).with_suffix(".md").write_text(report, encoding="utf-8")
    print(report)


if __name__ == "__main__":
    main()
