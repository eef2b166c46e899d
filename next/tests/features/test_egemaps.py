import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import opensmile
import pandas as pd
import pytest
from sounds import buzz, write

from paraclap import audio, features, tables

GOLDEN = Path(__file__).parent.parent / "data" / "egemaps.csv"


def corpus(folder, rows, seconds=0.4):
    files = [write(folder / f"{i}.wav", buzz(seconds, 90 + 7 * i, seed=i)) for i in range(rows)]
    return tables.segments(files)


def stamps(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("[!.]*.parquet")}


def test_features_are_the_golden_ones(tmp_path):
    files = [
        write(tmp_path / f"{n}.wav", buzz(0.3 + 0.2 * n, 90 + 25 * n, 0.05 + 0.03 * n, n))
        for n in range(10)
    ]
    result = features.extract(tables.segments(files), jobs=1).reset_index(drop=True)
    golden = pd.read_csv(GOLDEN)
    assert list(golden) == features.feature_names()
    np.testing.assert_allclose(result.to_numpy(), golden.to_numpy(), rtol=1e-5, atol=1e-6)


def test_features_are_those_of_opensmile_in_the_order_of_the_table(tmp_path):
    index = corpus(tmp_path, 20)[::-1]
    result = features.extract(index, tmp_path / "f.parquet", jobs=2)
    pd.testing.assert_index_equal(result.index, index)
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    expected = smile.process_file(index[3][0])
    np.testing.assert_allclose(result.iloc[[3], :-1], expected, rtol=1e-4, atol=1e-4)
    assert (result["duration"] == 0.4).all()
    assert set(result.dtypes.astype(str)) == {"float32", "float64"}
    pd.testing.assert_frame_equal(tables.read_table(tmp_path / "f.parquet"), result)
    one = features.functionals(audio.read(index[0][0]))
    np.testing.assert_array_equal(one.astype(np.float32), result.iloc[0].astype(np.float32))


def test_segments_without_features_are_listed_with_the_reason(tmp_path):
    index = corpus(tmp_path, 1)
    write(tmp_path / "short.wav", buzz(0.03))
    write(tmp_path / "silent.wav", np.zeros(16_000))
    (tmp_path / "text.wav").write_text("no audio " * 20)
    names = ["short.wav", "silent.wav", "text.wav", "no.wav"]
    index = tables.segments([index[0][0], *(tmp_path / name for name in names)])
    result = features.extract(index, tmp_path / "f.parquet", jobs=1)
    assert len(result) == 1
    failed = features.failed(tmp_path / "f.parquet")
    assert list(failed.index) == list(index[1:])
    words = ["30 ms of signal", "Silent", "read as audio", "is not there"]
    for reason, name, word in zip(failed["reason"], names, words, strict=True):
        assert word in reason
        assert f"{tmp_path.name}/{name}" in reason
    assert [row["reason"] for row in features.extract(index, jobs=1).attrs["failed"]] == list(
        failed["reason"]
    )


def test_if_no_file_can_be_read_the_reasons_are_given(tmp_path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 72862\n"
    for number in range(9):
        (tmp_path / f"{number}.wav").write_text(pointer)
    index = tables.segments(sorted(tmp_path.iterdir()))
    with pytest.raises(ValueError, match=r"None of 9 segments .* run `git lfs pull`\.$"):
        features.extract(index, tmp_path / "f.parquet", jobs=1)
    assert len(features.failed(tmp_path / "f.parquet")) == 9


def test_no_failure_gives_an_empty_list(tmp_path):
    features.extract(corpus(tmp_path, 1), tmp_path / "f.csv", jobs=1)
    assert features.failed(tmp_path / "f.csv").empty
    assert tables.read_table(tmp_path / "f.csv").shape == (1, 89)


def test_what_makes_no_sense_is_an_error(tmp_path):
    index = corpus(tmp_path, 1)
    with pytest.raises(ValueError, match=r"listed twice .*0\.wav"):
        features.extract(index.append(index))
    with pytest.raises(ValueError, match=r"Unknown engine 'lokky'.*Did you mean 'loky'"):
        features.extract(index, engine="lokky")
    with tables.lock(tmp_path / "f.csv", ""), pytest.raises(BlockingIOError, match="wait for it"):
        features.extract(index, tmp_path / "f.csv")


def test_only_parts_of_changed_audio_are_made_again(tmp_path):
    index = corpus(tmp_path, 20)
    first = features.extract(index, tmp_path / "f.parquet", jobs=1)
    parts = stamps(tmp_path / "f.parts")
    pd.testing.assert_frame_equal(features.extract(index, tmp_path / "f.parquet", jobs=2), first)
    assert stamps(tmp_path / "f.parts") == parts
    write(Path(index[0][0]), buzz(0.7, 300))
    second = features.extract(index, tmp_path / "f.parquet", jobs=1)
    assert second["duration"].iloc[0] == 0.7
    pd.testing.assert_frame_equal(second[1:], first[1:])
    kept = parts.items() & stamps(tmp_path / "f.parts").items()
    assert len(kept) == len(parts) - 1 == len(stamps(tmp_path / "f.parts")) - 1


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    index = corpus(tmp_path, 48, seconds=1)
    tables.write_table(pd.DataFrame(index=index), tmp_path / "t.parquet")
    code = (
        "import sys; from paraclap import features, tables; from pathlib import Path\n"
        "f = Path(sys.argv[1])\n"
        "features.extract(tables.read_table(f / 't.parquet'), f / 'f.parquet', jobs=2)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    run = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while len(stamps(tmp_path / "f.parts")) < 2 and run.poll() is None:
        time.sleep(0.02)
    os.kill(run.pid, signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    assert not (tmp_path / "f.parquet").exists()
    before = stamps(tmp_path / "f.parts")
    result = features.extract(index, tmp_path / "f.parquet", jobs=1)
    assert before.items() <= stamps(tmp_path / "f.parts").items()
    pd.testing.assert_frame_equal(result, features.extract(index, jobs=1))


@pytest.mark.parametrize("jobs", [1, 2])
def test_relative_files_are_those_of_the_folder_of_the_caller(tmp_path, monkeypatch, jobs):
    for place, name in enumerate("ab"):  # workers of the first call are kept for the second
        monkeypatch.chdir(tmp_path)
        write(tmp_path / name / "x.wav", buzz(0.5 + 0.25 * place))
        monkeypatch.chdir(tmp_path / name)
        result = features.extract(tables.segments(["x.wav"]), "f.parquet", jobs=jobs)
        assert result["duration"].tolist() == [0.5 + 0.25 * place]
        assert result.index[0][0] == str(tmp_path / name / "x.wav")
        assert (tmp_path / name / "f.parquet").exists()


def test_dask_gives_the_same_features(tmp_path):
    pytest.importorskip("distributed")
    index = corpus(tmp_path, 20)
    result = features.extract(index, tmp_path / "f.parquet", jobs=1, engine="dask")
    pd.testing.assert_frame_equal(result, features.extract(index, jobs=1))


def test_without_dask_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'paraclap\[cluster\]'"):
        features.extract(corpus(tmp_path, 1), engine="tcp://host:8786")


def test_features_do_not_load_torch():
    code = "import sys, paraclap.features; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
