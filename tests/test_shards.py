import contextlib
import functools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from paraclap import cluster, shards, tables
from paraclap.workers import TRIES, WorkerError, deadly


def plan(folder, count=6):
    """Shards of two rows each."""
    parts = {f"{n:016x}": [2 * n, 2 * n + 1] for n in range(count)}
    return {folder / f"{key}.parquet": part for key, part in parts.items()}


def write(part, path):
    tables.write_table(pd.DataFrame({"row": part}), path, path.stem)
    return len(part)


def write_unless(part, path, deadly, once=None):
    """Kill the own process at one row, each time or only once."""
    if deadly in part and not (once and once.exists()):
        if once:
            once.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return write(part, path)


def refuse(part, path):
    if 4 in part:
        raise OSError(28, "No space left")
    return write(part, path)


@contextlib.contextmanager
def local_cluster(workers):
    from distributed import LocalCluster  # here, as each worker imports this file

    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as running:
        yield running.scheduler_address


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def scheduler():
    """Address of a cluster that is there already."""
    with local_cluster(2) as address:
        yield address


def test_any_engine_writes_the_same_files(tmp_path, scheduler):
    for name, engine, jobs in (
        ("alone", "processes", 1), ("two", "processes", 2), ("cluster", scheduler, None),
    ):  # fmt: skip
        shards.run(plan(tmp_path / name), write, jobs, engine)
    assert contents(tmp_path / "alone") == contents(tmp_path / "two")
    assert contents(tmp_path / "alone") == contents(tmp_path / "cluster")
    assert len(contents(tmp_path / "alone")) == 6


def test_what_is_there_is_not_made_again(tmp_path):
    shards.run(shards.share(plan(tmp_path), "1/2"), write, 1)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    shards.run(plan(tmp_path), write, 1)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(contents(tmp_path)) == 6


def test_a_worker_that_dies_once_changes_nothing(tmp_path):
    shards.run(plan(tmp_path / "undisturbed"), write, 1)
    work = functools.partial(write_unless, deadly=4, once=tmp_path / "died")
    shards.run(plan(tmp_path / "disturbed"), work, 2)
    assert (tmp_path / "died").exists()
    assert contents(tmp_path / "disturbed") == contents(tmp_path / "undisturbed")


@pytest.mark.parametrize(("engine", "jobs"), [("processes", 2), ("dask", 1)])
def test_a_shard_that_kills_each_worker_is_named_and_the_others_are_kept(tmp_path, engine, jobs):
    work = functools.partial(write_unless, deadly=0)
    with pytest.raises(WorkerError, match=rf"{TRIES} workers died on .*{0:016x}.*\(2 rows"):
        shards.run(plan(tmp_path, 3), work, jobs, engine)
    assert all(tables.is_current(path, path.stem) for path in tmp_path.iterdir())
    shards.run(plan(tmp_path, 3), write, 1)
    assert len(contents(tmp_path)) == 3


def test_the_segments_of_a_deadly_shard_are_named(tmp_path):
    error = deadly(tmp_path / "a.parquet", tables.segments(["/data/a.wav", "/data/b.wav"]), 3)
    assert "a.parquet' (2 rows, 'a.wav' to 'b.wav'): an input kills its reader" in str(error)


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_the_work_is_that_of_the_run(tmp_path, jobs):
    with pytest.raises(OSError, match="No space left"):
        shards.run(plan(tmp_path), refuse, jobs)
    assert all(tables.is_current(path, path.stem) for path in tmp_path.iterdir())


def test_workers_that_do_not_see_the_folder_are_an_error(tmp_path, scheduler, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path("/proc/self/cwd/shards")  # another folder for each process
    with pytest.raises(WorkerError, match=r"2 of 2 workers do not see the folder '/proc/self/cwd"):
        shards.run(plan(folder), write, engine=scheduler)
    assert list(Path(tmp_path / "shards").iterdir()) == []


def test_a_scheduler_that_does_not_answer_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_MEETING", 0.5)
    with pytest.raises(WorkerError, match=r"No Dask scheduler answers at 'tcp://127\.0\.0\.1:9'"):
        shards.run(plan(tmp_path), write, engine="tcp://127.0.0.1:9")


def test_a_scheduler_without_workers_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_MEETING", 0.5)
    with (
        local_cluster(0) as address,
        pytest.raises(WorkerError, match=r"had no worker for 0\.5 s: start some"),
    ):
        shards.run(plan(tmp_path), write, engine=address)


def test_workers_without_the_package_are_an_error(tmp_path):
    code = (
        "import sys; sys.modules['paraclap'] = None\n"
        "from distributed.cli.dask_worker import main\n"
        "main([sys.argv[1], '--no-nanny', '--nthreads', '1', '--local-directory', sys.argv[2]])"
    )
    with local_cluster(0) as address:
        worker = subprocess.Popen(
            [sys.executable, "-c", code, address, str(tmp_path)], stderr=subprocess.DEVNULL
        )
        with pytest.raises(WorkerError, match=r"1 of 1 workers cannot import paraclap .*install"):
            shards.run(plan(tmp_path), write, engine=address)
        worker.terminate()
        worker.wait()


def test_without_dask_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'paraclap\[cluster\]'"):
        shards.run(plan(tmp_path), write, 2, "dask")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"engine": "threads"}, "Bad engine 'threads', expected 'processes', 'dask', or the addr"),
        ({"jobs": 0}, "Bad jobs 0, expected at least 1"),
    ],
)
def test_settings_that_mean_nothing_are_errors(tmp_path, wrong, message):
    with pytest.raises(ValueError, match=message):
        shards.run(plan(tmp_path), write, **wrong)


@pytest.mark.parametrize("parts", [1, 2, 4, 9])
def test_each_shard_belongs_to_one_part(tmp_path, parts):
    whole = plan(tmp_path)
    shares = [shards.share(whole, f"{place + 1}/{parts}") for place in range(parts)]
    paths = [path for share in shares for path in share]
    assert sorted(paths) == sorted(whole)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize(
    ("array", "part"),
    [
        ({"ID": 0, "COUNT": 3, "MIN": 0, "STEP": 1}, "1/3"),
        ({"ID": 3, "COUNT": 3, "MIN": 1, "STEP": 1}, "3/3"),
        ({"ID": 15, "COUNT": 4, "MIN": 5, "STEP": 5}, "3/4"),
    ],
)
def test_a_slurm_task_knows_its_part(tmp_path, monkeypatch, array, part):
    for name, value in array.items():
        monkeypatch.setenv(f"SLURM_ARRAY_TASK_{name}", str(value))
    assert shards.share(plan(tmp_path), "slurm") == shards.share(plan(tmp_path), part)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("3", "Bad part '3', expected a fraction such as '3/16', or 'slurm'"),
        ("a/b", "Bad part 'a/b'"),
        ("0/4", "Bad part 0/4, expected 1/4 to 4/4"),
        ("5/4", "Bad part 5/4, expected 1/4 to 4/4"),
        ("slurm", "SLURM_ARRAY_TASK_ID' is not set: use it in a job started by sbatch --array"),
    ],
)
def test_a_part_that_is_none_is_an_error(tmp_path, monkeypatch, part, message):
    monkeypatch.delenv("SLURM_ARRAY_TASK_ID", raising=False)
    with pytest.raises(ValueError, match=message):
        shards.share(plan(tmp_path), part)


def test_few_rows_make_small_shards_and_many_rows_full_ones():
    assert [len(shards.cut(rows, 128)) for rows in (1, 8, 160, 1_000, 10_000)] == [1, 1, 16, 16, 79]
    with pytest.raises(ValueError, match="Bad shard 0, expected at least 1 row"):
        shards.cut(5, 0)


def test_a_single_shard_that_kills_its_reader_does_not_kill_the_caller(tmp_path):
    work = functools.partial(write_unless, deadly=0)
    with pytest.raises(WorkerError, match=f"{TRIES} workers died"):
        shards.run(plan(tmp_path, 1), work, jobs=2)
