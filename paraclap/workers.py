"""Processes of this machine that make shards of work, see :mod:`paraclap.shards`.

Each process is a pool of its own, with a thread here that hands it one shard after the other: its
death touches no other process, and the shard that it died of is known.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sized
from concurrent import futures
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from joblib.externals.loky.process_executor import BrokenProcessPool, ProcessPoolExecutor

from paraclap.tables import short

Plan = Mapping[Path, Sized]  # shard files, each with its part of the work
Work = Callable[[Any, Path], int]  # makes one; gives the number of rows
TRIES = 3  # workers that may die on one shard

_IDLE = 300  # seconds until a process that has nothing to do ends
_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}


class WorkerError(RuntimeError):
    """A shard that no worker survives, or workers that cannot do the work."""


def deadly(path: Path, part: Sized, deaths: int) -> WorkerError:
    """The error for a shard on which so many workers have died."""
    index = getattr(part, "index", part)
    names = ""
    if isinstance(index, pd.MultiIndex):
        first, last = (Path(str(index[place][0])).name for place in (0, -1))
        names = f", {first!r} to {last!r}"
    msg = (
        f"{deaths} workers died on the shard {short(path)!r} ({len(part)} rows{names}): "
        "an input kills its reader, or there is too little memory. Other shards are kept. "
        "Make smaller shards to see which input it is, or use fewer workers."
    )
    return WorkerError(msg)


def make(plan: Plan, work: Work, jobs: int) -> Iterator[int]:
    """Make shards in processes, and give the rows of each when it is done.

    Args:
        plan: shard files, each with its part
        work: makes one
        jobs: processes; 1 works in this one

    Raises:
        WorkerError: if a shard kills its workers
    """
    if jobs == 1:
        yield from (work(part, path) for path, part in plan.items())
        return
    stop = threading.Event()
    threads = futures.ThreadPoolExecutor(min(jobs, len(plan) or 1))
    try:
        tasks = [threads.submit(_persist, work, part, path, stop) for path, part in plan.items()]
        yield from (task.result() for task in futures.as_completed(tasks))
    finally:
        stop.set()
        threads.shutdown(cancel_futures=True)


_waiting: list[ProcessPoolExecutor] = []  # processes are kept for the next run: a start takes long


def _persist(work: Work, part: Sized, path: Path, stop: threading.Event) -> int:
    """Have one shard made, by another process if one dies."""
    for _ in range(TRIES):
        if stop.is_set():
            return 0
        process = _process()
        try:
            rows: int = process.submit(work, part, path).result()
        except BrokenProcessPool:
            process.shutdown(wait=False, kill_workers=True)
            continue
        except BaseException:
            _waiting.append(process)
            raise
        _waiting.append(process)
        return rows
    raise deadly(path, part, TRIES)


def _process() -> ProcessPoolExecutor:
    with contextlib.suppress(IndexError):
        return _waiting.pop()
    return ProcessPoolExecutor(
        1, timeout=_IDLE, initializer=follow, initargs=(os.getpid(),), env=_ONE_THREAD
    )


@cache
def follow(parent: int) -> None:
    """End this process soon after its parent: a killed parent cannot tell its workers."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
