import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import opensmile
import pandas as pd
import psutil
import pytest
import soundfile

from paraclap import features, tables

ROOT = Path(__file__).parent.parent


def voice(seconds, hertz=120.0, seed=0):
    """A buzz with a moving pitch and a little noise."""
    time_axis = np.arange(round(seconds * 16_000)) / 16_000
    phase = 2 * np.pi * np.cumsum(hertz * (1 + 0.1 * np.sin(6 * time_axis))) / 16_000
    noise = np.random.default_rng(seed).standard_normal(len(time_axis))
    return 0.2 * np.sign(np.sin(phase)) * (0.3 + 0.7 * np.sin(3 * time_axis) ** 2) + 0.005 * noise


def corpus(folder, n, seconds=0.5):
    files = [folder / f"{i}.wav" for i in range(n)]
    for i, file in enumerate(files):
        soundfile.write(file, voice(seconds, 90 + 7 * i, i), 16_000)
    return tables.segments(files)


def test_features_are_those_of_opensmile_in_the_order_of_the_table(tmp_path):
    index = corpus(tmp_path, 20)[::-1]
    result = features.extract(index, tmp_path / "f.parquet", jobs=2)
    pd.testing.assert_index_equal(result.index, index)
    smile = opensmile.Smile(features.FEATURE_SET, opensmile.FeatureLevel.Functionals)
    expected = smile.process_file(index[3][0])
    np.testing.assert_allclose(result.iloc[[3], :-1], expected, rtol=1e-4, atol=1e-4)
    assert list(result) == [*smile.feature_names, "duration"]
    assert (result["duration"] == 0.5).all()


def test_what_cannot_be_measured_is_listed_with_the_reason(tmp_path):
    index = corpus(tmp_path, 1)
    soundfile.write(tmp_path / "short.wav", voice(0.03), 16_000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    (tmp_path / "text.wav").write_text("no audio " * 20)
    names = ["short.wav", "silent.wav", "text.wav", "no.wav"]
    index = tables.segments([index[0][0], *(tmp_path / name for name in names)])
    result = features.extract(index, tmp_path / "f.parquet", jobs=1)
    assert len(result) == 1
    reasons = features.failed(tmp_path / "f.parquet")["reason"]
    for reason, words in zip(
        reasons, ["30 ms of signal", "Silent", "read as audio", "is not there"], strict=True
    ):
        assert words in reason
    assert len(features.extract(index, tmp_path / "f.parquet", jobs=1)) == 1
    with pytest.raises(ValueError, match="None of 1 segments could be measured"):
        features.extract(index[1:2], tmp_path / "g.parquet", jobs=1)


def test_no_failure_gives_an_empty_list(tmp_path):
    features.extract(corpus(tmp_path, 1), tmp_path / "f.parquet", jobs=1)
    assert features.failed(tmp_path / "f.parquet").empty


def test_a_segment_listed_twice_is_an_error(tmp_path):
    index = corpus(tmp_path, 1)
    with pytest.raises(ValueError, match=r"listed twice .*0\.wav"):
        features.extract(index.append(index), tmp_path / "f.parquet")


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("[!.]*.parquet")}


def test_a_current_result_is_only_read_and_changed_audio_measured_again(tmp_path):
    index = corpus(tmp_path, 20)
    out = tmp_path / "f.parquet"
    first = features.extract(index, out, jobs=1)
    shards, written = times(tmp_path / "f.shards"), out.stat().st_mtime_ns
    pd.testing.assert_frame_equal(features.extract(index, out, jobs=2), first)
    assert (times(tmp_path / "f.shards"), out.stat().st_mtime_ns) == (shards, written)
    soundfile.write(index[0][0], voice(0.7, 300), 16_000)
    second = features.extract(index, out, jobs=1)
    assert second["duration"].iloc[0] == 0.7
    pd.testing.assert_frame_equal(second[1:], first[1:])
    kept = shards.items() & times(tmp_path / "f.shards").items()
    assert len(kept) == len(shards) - 1


@pytest.mark.parametrize(("stop", "jobs"), [(signal.SIGTERM, 1), (signal.SIGKILL, 2)])
def test_a_stopped_run_goes_on_where_it_was(tmp_path, stop, jobs):
    index = corpus(tmp_path, 40, seconds=1)
    tables.write_table(pd.DataFrame(index=index), tmp_path / "t.parquet")
    code = (
        "import sys; from paraclap import features, tables; from pathlib import Path\n"
        "f = Path(sys.argv[1])\n"
        "features.extract(tables.read_table(f / 't.parquet'), f / 'f.parquet', int(sys.argv[2]))"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), str(jobs)], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    shards = tmp_path / "f.shards"
    while len(times(shards)) < 2 and run.poll() is None:
        time.sleep(0.02)
    os.kill(run.pid, stop)
    assert run.wait() == -stop
    assert not (tmp_path / "f.parquet").exists()
    before = times(shards)
    assert len(before) >= 2
    result = features.extract(index, tmp_path / "f.parquet", jobs=1)
    assert before.items() <= times(shards).items()
    undisturbed = features.extract(index, tmp_path / "g.parquet", jobs=1)
    pd.testing.assert_frame_equal(result, undisturbed)


def kill_a_worker(shards, kind):
    """Kill the busiest process of a kind as soon as a shard is there."""
    while not times(shards):
        time.sleep(0.01)
    ours = psutil.Process().children(recursive=True)
    workers = [child for child in ours if kind in " ".join(child.cmdline())]
    max(workers, key=lambda child: child.cpu_times().user).kill()


@pytest.mark.parametrize(("engine", "kind"), [("processes", "loky"), ("dask", "spawn_main")])
def test_a_killed_worker_changes_nothing(tmp_path, engine, kind):
    index = corpus(tmp_path, 60, seconds=1)
    killer = threading.Thread(target=kill_a_worker, args=[tmp_path / "f.shards", kind])
    killer.start()
    result = features.extract(index, tmp_path / "f.parquet", jobs=2, engine=engine)
    killer.join()
    undisturbed = features.extract(index, tmp_path / "g.parquet", jobs=1)
    pd.testing.assert_frame_equal(result, undisturbed)
    assert features.failed(tmp_path / "f.parquet").empty


@pytest.mark.parametrize("jobs", [1, 2])
def test_relative_files_are_those_of_the_folder_that_the_caller_stands_in(
    tmp_path, monkeypatch, jobs
):
    for place, name in enumerate("ab"):  # workers of the first call are kept for the second
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        soundfile.write("x.wav", voice(0.5 + 0.25 * place), 16_000)
        measured = features.extract(tables.segments(["x.wav"]), "f.parquet", jobs=jobs)
        assert measured["duration"].tolist() == [0.5 + 0.25 * place]
        assert measured.index[0][0] == str(tmp_path / name / "x.wav")


def test_the_parts_of_an_array_add_up_to_the_table(tmp_path, monkeypatch, capsys):
    index, parts = corpus(tmp_path, 20), tmp_path / "f.shards"
    labels = tables.write_table(pd.DataFrame(index=index), tmp_path / "labels.parquet")
    arguments = ["features", str(labels), str(tmp_path / "f.parquet"), "--jobs", "1"]
    written = []
    for task in (1, 2):
        monkeypatch.setenv("SLURM_ARRAY_TASK_ID", str(task))
        monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "2")
        monkeypatch.setattr(sys, "argv", [*arguments, "--part", "slurm" if task == 1 else "2/2"])
        features.main()
        written.append(times(parts))
    assert not (tmp_path / "f.parquet").exists()
    assert written[0].items() < written[1].items()
    monkeypatch.setattr(sys, "argv", arguments)
    features.main()
    assert times(parts) == written[1]
    assert "20 segments measured, 0 could not be" in capsys.readouterr().out
    whole = features.extract(index, tmp_path / "g.parquet", jobs=1)
    pd.testing.assert_frame_equal(tables.read_table(tmp_path / "f.parquet"), whole)


def test_the_command_line_works_with_processes_and_says_what_is_wrong(tmp_path, monkeypatch):
    index = corpus(tmp_path, 10)
    labels = tables.write_table(pd.DataFrame(index=index), tmp_path / "labels.parquet")
    command = [sys.executable, "-m", "paraclap.features", str(labels), str(tmp_path / "f.parquet")]
    run = subprocess.run(
        [*command, "--jobs", "2"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "10 segments measured" in run.stdout
    monkeypatch.setattr(sys, "argv", ["features", *command[3:], "--part", "17/16"])
    with pytest.raises(SystemExit, match="Bad part 17/16, expected 1/16 to 16/16"):
        features.main()


def test_a_full_disk_spares_the_earlier_result_and_leaves_no_half_file(tmp_path):
    index = corpus(tmp_path, 3)
    out = tmp_path / "f.parquet"
    first = features.extract(index[:2], out, jobs=1)
    tables.write_table(pd.DataFrame(index=index), tmp_path / "t.parquet")
    code = (
        "import resource, sys; from paraclap import features, tables; from pathlib import Path\n"
        "f = Path(sys.argv[1]); t = tables.read_table(f / 't.parquet')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        "features.extract(t, f / 'f.parquet', jobs=1)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "OSError" in run.stderr
    assert "Free some space" in run.stderr
    pd.testing.assert_frame_equal(tables.read_table(out), first)
    assert not [path for path in tmp_path.rglob("*") if ".tmp" in path.name]


def test_the_workers_do_not_load_torch():
    code = "import sys; import paraclap.features; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
