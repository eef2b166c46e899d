import subprocess
import sys

from paraclap import progress


def test_lines_go_to_the_file_and_say_what_how_many_and_how_long(tmp_path, monkeypatch):
    path = tmp_path / "progress.log"
    monkeypatch.setenv("PARACLAP_PROGRESS", str(path))
    assert list(progress.track(range(3), "Count")) == [0, 1, 2]
    lines = path.read_text().splitlines()
    assert lines[0].startswith("Count: 0 of 3")
    assert lines[-1].startswith("Count: 3 of 3, 00:00 left")


def test_without_a_total_it_says_how_many(capsys, monkeypatch):
    monkeypatch.delenv("PARACLAP_PROGRESS", raising=False)
    assert list(progress.track(iter("ab"), "Count")) == ["a", "b"]
    assert "Count: 2 (" in capsys.readouterr().err


def test_a_bar_within_a_bar_gives_plain_lines(tmp_path, monkeypatch):
    monkeypatch.setenv("PARACLAP_PROGRESS", str(tmp_path / "p"))
    with progress.bar("Train", 2) as outer:
        for _ in range(2):
            assert list(progress.track("ab", "Embed")) == ["a", "b"]
            outer.update(1)
    lines = (tmp_path / "p").read_text().splitlines()
    assert {line.split(":")[0] for line in lines} == {"Train", "Embed"}
    assert lines[-1].startswith("Train: 2 of 2")


def test_a_bar_makes_no_semaphore_that_a_killed_worker_would_leave_behind():
    code = """
import multiprocessing
from multiprocessing import resource_tracker
from paraclap import progress

multiprocessing.set_start_method("spawn")
assert list(progress.track("ab", "Count")) == ["a", "b"]
assert resource_tracker._resource_tracker._pid is None, "a semaphore is kept track of"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
