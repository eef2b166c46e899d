"""One way to cut long work into files: what is done stays done, the rest can be done anywhere.

A plan names shard files, each with its part of the work; the stem of a file is a key of all that
its content depends on, and the file carries it (``tables.write_table(table, path, path.stem)``). So
a run that was stopped goes on where it was, and a shard of another input is never taken. Who does
the work, the *engine*, changes nothing in the files:

- ``"processes"``: processes of this machine;
- ``"dask"``: a Dask cluster of this machine, closed at the end (needs ``paraclap[cluster]``; in a
  script, below ``if __name__ == "__main__":``, as its workers import the script);
- ``"tcp://host:8786"``: the workers of a Dask scheduler that runs already, on any machines that
  see the folder of the shards and the input under the same paths.

Tasks of a Slurm array need no engine in common: each makes every n-th shard (:func:`share`).

A worker that dies costs the shard it was at, which is made again, and after three deaths
named in an error: an input that kills its reader does not go round for ever.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from paraclap import cluster, progress, workers
from paraclap.tables import INDEX, is_current, segments, short, write_table
from paraclap.workers import Plan, Work

_FEWEST = 16  # shards, so that the workers end about together
_SMALLEST = 8  # rows


# --- plans -------------------------------------------------------------------------------------


def checked(table: pd.DataFrame | pd.Index[Any]) -> pd.MultiIndex:
    """The segments of a table, each once, with absolute files.

    Raises:
        ValueError: if the index is another one, empty, or lists segments twice
    """
    index = table.index if isinstance(table, pd.DataFrame) else table
    if not isinstance(index, pd.MultiIndex) or list(index.names) != INDEX:
        msg = f"Bad index {list(index.names)}, expected {INDEX}."
        raise ValueError(msg)
    index = absolute(index)
    twice = index[index.duplicated()]
    if len(twice):
        names = [Path(str(row[0])).name for row in twice[:5]]
        msg = f"{len(twice)} segments are listed twice (first: {names}), expected each once."
        raise ValueError(msg)
    if index.empty:
        msg = "No segment in the table, expected at least one row."
        raise ValueError(msg)
    return index


def absolute(index: pd.Index[Any]) -> pd.MultiIndex:
    """Index as workers and results know it: absolute files, times in nanoseconds.

    A worker kept from an earlier call stands in the folder that its caller stood in then.
    """
    files, starts, ends = (index.get_level_values(level) for level in range(3))
    return segments(map(os.path.abspath, files), starts, ends)


def cut(rows: int, most: int) -> list[slice]:
    """Rows of each shard.

    Sizes do not depend on the number of workers: that may change between two runs.

    Args:
        rows: how many there are
        most: rows in a shard; they are fewer where there would be few shards

    Examples:
        >>> cut(20, 128)
        [slice(0, 8, None), slice(8, 16, None), slice(16, 20, None)]
    """
    if most < 1:
        msg = f"Bad shard {most}, expected at least 1 row."
        raise ValueError(msg)
    size = min(most, max(-(-rows // _FEWEST), _SMALLEST))
    return [slice(first, min(first + size, rows)) for first in range(0, rows, size)]


def share(plan: Mapping[Path, Any], part: str) -> dict[Path, Any]:
    """The shards that one of several independent runs makes; no shard belongs to two of them.

    Args:
        plan: all shards
        part: ``"3/16"``, the third of sixteen runs, or ``"slurm"``, the place of this task in its
            Slurm array

    Raises:
        ValueError: if there is no such part
    """
    place, places = _slurm_task() if part == "slurm" else _numbers(part)
    if not 1 <= place <= places:
        msg = f"Bad part {place}/{places}, expected 1/{places} to {places}/{places}."
        raise ValueError(msg)
    return dict(list(plan.items())[place - 1 :: places])


def _numbers(part: str) -> tuple[int, int]:
    place, slash, places = part.partition("/")
    if not (slash and place.isdigit() and places.isdigit()):
        msg = f"Bad part {part!r}, expected a fraction such as '3/16', or 'slurm'."
        raise ValueError(msg)
    return int(place), int(places)


def _slurm_task() -> tuple[int, int]:
    """Place of this task in its array, from 1, and the number of tasks."""
    try:
        task = int(os.environ["SLURM_ARRAY_TASK_ID"])
        tasks = int(os.environ["SLURM_ARRAY_TASK_COUNT"])
    except KeyError as error:
        msg = f"Bad part 'slurm', {error} is not set: use it in a job started by sbatch --array."
        raise ValueError(msg) from None
    first = int(os.environ.get("SLURM_ARRAY_TASK_MIN", "1"))
    step = int(os.environ.get("SLURM_ARRAY_TASK_STEP", "1"))
    return (task - first) // step + 1, tasks


# --- work --------------------------------------------------------------------------------------


def run(
    plan: Plan, work: Work, jobs: int | None = None, engine: str = "processes", what: str = "Work"
) -> None:
    """Make the shards that are not there yet.

    Args:
        plan: shard files, each with its part, which may be anything that can be pickled
        work: called as ``work(part, path)``; writes the file, atomically, and gives the number of
            rows in the part
        jobs: workers; one per core when None; those of a scheduler are as many as it has
        engine: who works, see above
        what: the step, for the progress line

    Raises:
        ValueError: if the engine or the number of jobs means nothing
        ModuleNotFoundError: if Dask is asked for and not installed
        WorkerError: if a shard kills its workers, or they cannot do the work
        Exception: what ``work`` raises; finished shards are kept
    """
    jobs = checked_jobs(jobs)
    engine_of = _engine(engine)
    plan = {path.absolute(): part for path, part in plan.items()}
    missing = {path: part for path, part in plan.items() if not is_current(path, path.stem)}
    rows = sum(map(len, plan.values()))
    with progress.bar(what, rows) as shown:
        shown.update(rows - sum(map(len, missing.values())))
        if missing:
            for count in engine_of(missing, work, jobs, engine):
                shown.update(count)


def close(rows: pd.DataFrame, out: Path, failures: Path, key: str, done: str) -> pd.DataFrame:
    """Write what all shards of a plan have made together; the result last, as it closes the work.

    Args:
        rows: of all shards, with the column ``reason`` where a segment has none of the others
        out: file for the segments that were made
        failures: file for the others, with their reasons
        key: that both are made with
        done: what was to be done to them, such as "measured"

    Returns:
        the segments that were made

    Raises:
        ValueError: if there are none
    """
    lost = rows[["reason"]].dropna()
    write_table(lost, failures, key)
    made = rows.drop(lost.index).drop(columns="reason")
    if made.empty:
        reasons = "; ".join(lost["reason"].unique()[:5])
        msg = f"None of {len(lost)} segments could be {done} ({reasons}): see {short(failures)!r}."
        raise ValueError(msg)
    write_table(made, out, key)
    return made


def checked_jobs(jobs: int | None) -> int:
    """Number of workers: as asked for, or one per core when None.

    Raises:
        ValueError: if fewer than one are asked for
    """
    if jobs is not None and jobs < 1:
        msg = f"Bad jobs {jobs}, expected at least 1, or None for one per core."
        raise ValueError(msg)
    return jobs or joblib.cpu_count()


def _by_processes(plan: Plan, work: Work, jobs: int, _: str) -> Iterator[int]:
    return workers.make(plan, work, jobs)


def _engine(engine: str) -> Callable[[Plan, Work, int, str], Iterator[int]]:
    if engine == "processes":
        return _by_processes
    if engine == "dask" or "://" in engine:
        return cluster.make
    msg = (
        f"Bad engine {engine!r}, expected 'processes', 'dask', or the address of a Dask "
        "scheduler, such as 'tcp://host:8786'."
    )
    raise ValueError(msg)
