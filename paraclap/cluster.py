"""Dask workers that make shards of work, see :mod:`paraclap.shards`.

A cluster of this machine is started for the work and closed after it: workers of one thread each,
no dashboard, nothing left in any folder. At a scheduler that runs already nothing is changed.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from paraclap.provenance import first_line
from paraclap.tables import short
from paraclap.workers import TRIES, Plan, Work, WorkerError, deadly

_MEETING = 30  # seconds to wait for a scheduler and its first worker
# A cluster of this machine watches itself little, for it does so on the cores of the work.
_LOCAL = {
    "distributed.scheduler.allowed-failures": TRIES - 1,
    "distributed.scheduler.worker-saturation": 1.0,  # no shard waits at a worker that may die
    "distributed.scheduler.active-memory-manager.start": False,  # results are numbers
    "distributed.scheduler.work-stealing": False,  # nothing waits at a worker
    "distributed.worker.profile.enabled": False,  # else 100 times a second
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.admin.tick.interval": "1s",
}


def make(plan: Plan, work: Work, jobs: int, engine: str) -> Iterator[int]:
    """Make shards on Dask workers, and give the rows of each when it is done.

    Args:
        plan: shard files, each with its part
        work: makes one
        jobs: workers of a cluster of this machine
        engine: ``"dask"``, or the address of a scheduler

    Raises:
        ModuleNotFoundError: if Dask is not installed
        WorkerError: if a shard kills its workers, or there are none, or they see other folders
    """
    distributed = _distributed(engine)
    run = uuid.uuid4().hex  # nothing is taken from another client of the scheduler
    with _client(engine, min(jobs, len(plan))) as client:
        if engine != "dask":
            _check_workers(client, engine, {path.parent for path in plan})
        tasks = {
            client.submit(work, part, path, key=f"{path.stem}-{run}", pure=False): path
            for path, part in plan.items()
        }
        for task in distributed.as_completed(list(tasks), loop=client.loop):
            path = tasks.pop(task)
            try:
                rows: int = task.result()
            except distributed.KilledWorker as error:
                raise deadly(path, plan[path], error.allowed_failures + 1) from error
            task.release()  # or it would be made again if its worker dies
            yield rows


def _distributed(engine: str) -> Any:
    try:
        return importlib.import_module("distributed")
    except ModuleNotFoundError as error:
        msg = (
            f"The engine {engine!r} needs Dask ({error}): pip install 'paraclap[cluster]', "
            "or take the engine 'processes'."
        )
        raise ModuleNotFoundError(msg) from error


@contextlib.contextmanager
def _client(engine: str, jobs: int) -> Iterator[Any]:
    """Connection to a cluster: one started for it, or one that is there."""
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(_local_cluster(jobs)) if engine == "dask" else engine
        try:
            client = _distributed(engine).Client(cluster, timeout=_MEETING, set_as_default=False)
        except (OSError, ValueError) as error:
            msg = (
                f"No Dask scheduler answers at {engine!r} ({first_line(error)}): start one "
                "(`dask scheduler`, `dask worker ADDRESS`), or take the engine 'dask'."
            )
            raise WorkerError(msg) from error
        yield stack.enter_context(client)


@contextlib.contextmanager
def _local_cluster(jobs: int) -> Iterator[Any]:
    """Workers of this machine, quiet and with nothing left behind."""
    import dask

    with tempfile.TemporaryDirectory() as folder, dask.config.set(_LOCAL):
        try:
            cluster = _distributed("dask").LocalCluster(
                n_workers=jobs,
                threads_per_worker=1,
                memory_limit=0,  # none, as for the processes
                dashboard_address=":0",  # with None too there is a server, at a port others use
                silence_logs=logging.CRITICAL,
                local_directory=folder,
            )
        except RuntimeError as error:
            msg = (
                f"No Dask worker starts ({first_line(error)}): in a script, call this below "
                "`if __name__ == '__main__':`, for each worker imports the script."
            )
            raise WorkerError(msg) from error
        with cluster:
            yield cluster


def _check_workers(client: Any, engine: str, folders: set[Path]) -> None:
    """Whether there are workers, with this package, that see the folders of the shards.

    Raises:
        WorkerError: if not
    """
    try:
        client.wait_for_workers(1, timeout=_MEETING)
    except TimeoutError as error:
        msg = (
            f"The Dask scheduler at {engine!r} has had no worker for {_MEETING} s: "
            f"start some (`dask worker {engine}`)."
        )
        raise WorkerError(msg) from error
    _check_package(client)
    for folder in folders:
        _check_folder(client, folder)


def _check_package(client: Any) -> None:
    # A worker without it would end at the first shard, and nobody would say why.
    found = client.run(exec, "import paraclap.workers", on_error="return")
    without = {worker: error for worker, error in found.items() if error is not None}
    if without:
        worker, error = next(iter(without.items()))
        msg = (
            f"{len(without)} of {len(found)} workers cannot import paraclap (first: {worker!r}, "
            f"{first_line(error)}): install it where they run, in the same version."
        )
        raise WorkerError(msg)


def _check_folder(client: Any, folder: Path) -> None:
    with _probe(folder) as file:
        seen = client.run(os.path.isfile, str(file))
    blind = [worker for worker, sees in seen.items() if not sees]
    if blind:
        msg = (
            f"{len(blind)} of {len(seen)} workers do not see the folder {short(folder)!r} "
            f"(first: {blind[:5]}): start them where it has the same path, on a file system "
            "that all share."
        )
        raise WorkerError(msg)


@contextlib.contextmanager
def _probe(folder: Path) -> Iterator[Path]:
    """A new file, to be looked for by others."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f".{uuid.uuid4().hex}.probe"
    file.touch()
    try:
        yield file
    finally:
        file.unlink()
