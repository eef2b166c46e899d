"""Steps that are stopped lose nothing; a step that is run twice at once is made once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from paraclap import signals, synthesis, tables, whole
from tests import faults
from tests.faults import Child, Lab

ROOT = Path(__file__).resolve().parent.parent
STOPS = [
    ("synthesis", "SIGKILL"),
    ("synthesis", "no space at a change"),
    ("synthesis", "worker killed"),
    ("features", "SIGTERM"),
    ("features", "SIGKILL"),
    ("features", "killed at a change"),
    ("features", "full disk"),
    ("features", "read-only folder"),
    ("audio_store", "SIGKILL"),
    ("audio_store", "full disk"),
    ("audio_store", "no space at a change"),
    ("audio_store", "worker killed"),
    ("training", "SIGTERM"),
    ("training", "killed at a change"),
    ("audio_tower", "SIGKILL"),
    ("scoring", "SIGTERM"),
    ("scoring", "SIGKILL"),
    ("scoring", "no space at a change"),
    ("scoring", "read-only folder"),
    ("book", "SIGKILL"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("lab"))


@pytest.mark.parametrize(("step", "kind"), STOPS)
def test_a_stopped_step_leaves_nothing_half_and_ends_as_one_that_was_not(lab, step, kind):
    for turn in range(5):
        outcome = lab.try_(step, kind, np.random.default_rng([turn, STOPS.index((step, kind))]))
        assert outcome.problems == ()
        if outcome.hit:
            return
    pytest.fail("the step had always ended before it could be stopped")


@pytest.mark.parametrize("step", ["features", "audio_store", "training"])
def test_two_workers_make_the_same_bits_as_one(lab, step):
    reference = lab.reference(step)
    lab.clear()
    assert Child(lab, step, jobs=2).wait() == 0
    assert faults.differences(reference, faults.found(lab.out)) == []


@pytest.mark.parametrize("step", ["synthesis", "features", "audio_store", "training", "scoring"])
def test_a_step_started_twice_at_once_is_made_once_and_both_end_well(lab, step):
    outcome = lab.try_(step, faults.TWICE, np.random.default_rng(0))
    assert outcome.problems == ()
    assert outcome.went_on


@pytest.mark.parametrize(
    ("step", "left"),
    [
        ("features", [".features.parquet.lock"]),
        ("audio_store", [".signals.lock"]),
        ("scoring", ["answers.parts", ".answers.parquet.lock"]),
        ("training", ["checkpoints", "job", ".model.lock"]),
    ],
)
def test_what_a_kill_at_the_very_end_has_left_is_removed(lab, step, left):
    reference = lab.reference(step)
    lab.clear()
    assert Child(lab, step).wait() == 0
    for name in left:
        if name.endswith(".lock"):
            (lab.out / name).touch()
        else:
            (lab.out / name).mkdir()
            (lab.out / name / "some").touch()
    assert Child(lab, step).wait() == 0
    assert faults.differences(reference, faults.found(lab.out)) == []


def test_a_store_that_is_built_anew_while_it_is_read_says_so(lab, tmp_path):
    index = faults.tones(lab.base).index[:4]
    signals.build(index, tmp_path, jobs=1)
    voices = signals.Signals(index, tmp_path)
    signals.build(index, tmp_path, "float32", jobs=1)
    with pytest.raises(signals.StoreError, match="was built anew meanwhile; run again"):
        voices.read(0)
    assert len(signals.Signals(index, tmp_path).read(0)) == 4_000


# --- locks -------------------------------------------------------------------------------------

COUNT = """
import sys, time
from pathlib import Path
from paraclap import whole
file = Path(sys.argv[1])
for _ in range(int(sys.argv[2])):
    with whole.alone(file):
        number = int(file.read_text())
        time.sleep(0.001)
        file.write_text(str(number + 1))
"""
WRITE = """
import sys
from pathlib import Path
from paraclap import tables
for number in range(int(sys.argv[2])):
    tables.write_json({"by": sys.argv[3], "number": number}, Path(sys.argv[1]), sys.argv[3])
"""
HOLD = """
import sys, time
from paraclap import whole
with whole.alone(sys.argv[1], shared=len(sys.argv) > 2):
    print("held", flush=True)
    time.sleep(60)
"""


def started(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def holding(path: Path, *shared: str) -> subprocess.Popen[str]:
    process = started(HOLD, path, *shared)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_of_many_processes_one_at_a_time_holds_a_file(tmp_path):
    (tmp_path / "count").write_text("0")
    processes = [started(COUNT, tmp_path / "count", 25) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert (tmp_path / "count").read_text() == "100"
    assert [path.name for path in tmp_path.iterdir()] == ["count"]
    told = {line for process in processes for line in process.stdout or ()}
    assert told <= {
        f"{str(tmp_path / 'count')!r} is being made by another process: waiting for it.\n"
    }


def test_two_that_write_one_file_never_note_a_key_for_what_the_other_wrote(tmp_path):
    file = tmp_path / "a.json"
    processes = [started(WRITE, file, 40, name) for name in ("one", "two")]
    assert [process.wait() for process in processes] == [0, 0]
    other = {"one": "two", "two": "one"}[tables.read_json(file)["by"]]
    assert not tables.is_current(file, other)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.json.key"]


def test_what_a_killed_process_held_is_free(tmp_path):
    process = holding(tmp_path / "a")
    process.send_signal(signal.SIGKILL)
    process.wait()
    start = time.monotonic()
    with whole.alone(tmp_path / "a"):
        assert time.monotonic() - start < 5
    assert list(tmp_path.iterdir()) == []


def test_parts_may_be_worked_at_together_and_the_whole_may_not(tmp_path):
    process = holding(tmp_path / "a", "shared")
    with whole.alone(tmp_path / "a", shared=True):
        handle = os.open(tmp_path / ".a.lock", os.O_RDWR)
        assert whole.lock(handle) is False
        os.close(handle)
    process.kill()
    process.wait()


@pytest.fixture
def writing(tmp_path: Path) -> Iterator[Path]:
    """A file that this process is writing."""
    with whole.atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("mine")
        yield temporary


def test_a_temporary_file_of_a_living_process_is_no_left_over(tmp_path, writing):
    with whole.atomic_path(tmp_path / "a.txt") as other:
        other.write_text("theirs")
        assert writing.read_text() == "mine"
    assert (tmp_path / "a.txt").read_text() == "theirs"


def test_an_error_inside_a_folder_of_files_leaves_what_was_there(tmp_path):
    (tmp_path / "a.txt").write_text("before")
    with pytest.raises(RuntimeError), whole.atomic_files(tmp_path) as folder:
        (folder / "a.txt").write_text("half")
        raise RuntimeError
    assert (tmp_path / "a.txt").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_corpora_of_which_only_the_tables_are_missing_are_finished_by_two_workers(tmp_path):
    root = synthesis.build(tmp_path / "corpus", 9, 9, jobs=1)
    (root / "intended.parquet").unlink()
    synthesis.build(root, 9, 9, jobs=2)
    assert (root / "intended.parquet").is_file()
