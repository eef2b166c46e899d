"""Start several training processes on this machine, from a notebook or any other program.

What they learn from is written down in ``<folder>/job/``, where each of them reads it; torch's own
launcher starts and watches them, and ends all when one has ended.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pandas as pd

from paraclap import processes, tables, whole, workers
from paraclap.loop import CHECKPOINTS
from paraclap.machine import Machine, choose_device
from paraclap.queries import Pool
from paraclap.settings import Settings

JOB = "job"  # folder of what the processes learn from
_HELD = "PARACLAP_HELD"  # set: the process that has started this one holds what is trained


class EndedEarlyError(RuntimeError):
    """One of several training processes has ended before the training had."""


def is_one_of_several() -> bool:
    """Whether a launcher has started this process as one of several."""
    return "WORLD_SIZE" in os.environ


@contextmanager
def alone(path: Path, device: str) -> Iterator[None]:
    """Hold what is trained at a path; of several processes the first one does so for all.

    Args:
        path: of the model
        device: that this process computes on
    """
    if is_one_of_several():
        processes.join(choose_device(device))
    with nullcontext() if processes.number() or _HELD in os.environ else whole.alone(path):
        processes.wait()
        yield


def together(
    labels: pd.DataFrame,
    pool: Pool,
    folder: Path,
    settings: Settings,
    machine: Machine,
    store: Path | None,
    measured: pd.DataFrame | None = None,
) -> None:
    """Train with several processes on this machine, and wait until they have ended.

    Args:
        labels: As in :func:`paraclap.training.train`, like all others.
        pool: The queries of the rows of ``labels``.
        folder: Of the run.
        settings: What is trained, and how.
        machine: Says how many processes.
        store: Audio store.
        measured: Features of the voices, if the audio tower reads them.

    Raises:
        EndedEarlyError: If one of them ended before the training had.
    """
    job = folder / JOB
    tables.write_table(labels, job / "labels.parquet", "job")
    tables.write_table(pool.table(), job / "queries.parquet", "job")
    if measured is not None:
        tables.write_table(measured, job / "features.parquet", "job")
    about = {
        "settings": settings.asdict(),
        "machine": machine.asdict(),
        "store": str(store) if store else None,
        "templates": pool.templates,
        "emotion_form": pool.emotion_form,
    }
    tables.write_json(about, job / "job.json")
    number = str(machine.processes)
    command = [sys.executable, "-m", "paraclap.launch", number, str(job), str(os.getpid())]
    try:
        done = subprocess.run(command, env=os.environ | _path() | {_HELD: "1"}, check=False)
    finally:
        shutil.rmtree(job, ignore_errors=True)
    if done.returncode:
        raise EndedEarlyError(ended_early(f"exit status {done.returncode}", folder))


def _path() -> dict[str, str]:
    """Where the started processes find this package."""
    known = os.environ.get("PYTHONPATH")
    own = str(Path(__file__).resolve().parent.parent)
    return {"PYTHONPATH": f"{own}{os.pathsep}{known}" if known else own}


def ended_early(reason: object, folder: Path) -> str:
    """What to tell when one of several processes has ended."""
    kept = sorted((folder / CHECKPOINTS).glob("*.pt"), key=lambda path: path.stem[-9:])
    step = f"step {int(kept[-1].stem[-9:])}" if kept else "the start"
    return (
        f"A training process ended early ({reason}), so all were ended. If it said why, that "
        f"stands above. Checkpoints are kept: started again, it goes on from {step}."
    )


def _work(job: Path) -> None:
    """Train as the job says; this is one of its processes."""
    from paraclap import inputs, training

    workers.follow(os.getppid())
    about = tables.read_json(job / "job.json")
    table = tables.read_table(job / "queries.parquet")
    settings = Settings(**about["settings"])
    training.train(
        tables.read_table(job / "labels.parquet"),
        Pool.from_table(table, about["templates"], about["emotion_form"]),
        job.parent,
        settings,
        Machine(**about["machine"]),
        Path(about["store"]) if about["store"] else None,
        inputs.measured(job, settings),
    )
    processes.leave()


def main() -> None:
    """``NUMBER JOB PARENT`` starts processes that end with their parent; ``JOB`` is one of them."""
    from torch.distributed import run

    if len(sys.argv) == 2:
        _work(Path(sys.argv[1]))
        return
    number, job, parent = sys.argv[1:]
    workers.follow(int(parent))
    run.main(["--standalone", "--nproc_per_node", number, "-m", "paraclap.launch", job])


if __name__ == "__main__":
    main()
