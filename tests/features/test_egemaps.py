from pathlib import Path

import numpy as np
import opensmile
import pandas as pd
import pytest
from sounds import buzz, write

from paraclap import audio, features, tables

GOLDEN = Path(__file__).parent.parent / "data" / "egemaps.csv"


def corpus(folder, rows, seconds=0.1):
    files = [write(folder / f"{i}.wav", buzz(seconds, 90 + 7 * i, seed=i)) for i in range(rows)]
    return tables.segments(files)


def stamps(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("[!.]*.parquet")}


def test_features_are_the_golden_ones(tmp_path):
    signals = [buzz(0.3 + 0.2 * n, 90 + 25 * n, 0.05 + 0.03 * n, n) for n in range(10)]
    files = [write(tmp_path / f"{n}.wav", signal) for n, signal in enumerate(signals)]
    features.extract(tables.segments(files), tmp_path / "f.csv", jobs=1)
    result, golden = tables.read_table(tmp_path / "f.csv"), pd.read_csv(GOLDEN)
    assert list(golden) == list(result) == features.feature_names()
    np.testing.assert_allclose(result.to_numpy(), golden.to_numpy(), rtol=1e-5, atol=1e-6)
    assert features.failed(tmp_path / "f.csv").empty


@pytest.mark.parametrize("jobs", [1, 2])  # workers of the first call are kept for the second
def test_features_are_those_of_opensmile_in_the_order_of_the_table(tmp_path, monkeypatch, jobs):
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    for place in "ab":
        monkeypatch.chdir(tmp_path)
        index = corpus(tmp_path / place, 10)[::-1]
        monkeypatch.chdir(tmp_path / place)  # relative files are those of the caller's folder
        names = index.get_level_values("file").map(lambda file: Path(file).name)
        result = features.extract(tables.segments(names), "f.parquet", jobs=jobs)
        pd.testing.assert_index_equal(result.index, index, exact=False)
        expected = smile.process_file(index[3][0])
        np.testing.assert_allclose(result.iloc[[3], :-1], expected, rtol=1e-4, atol=1e-4)
        assert (result["duration"] == 0.1).all()
        assert set(result.dtypes.astype(str)) == {"float32", "float64"}
        pd.testing.assert_frame_equal(tables.read_table(tmp_path / place / "f.parquet"), result)
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
    words = ["0.030 s of signal", "Silent", "read as audio", "cannot be opened"]
    for reason, name, word in zip(failed["reason"], names, words, strict=True):
        assert word in reason
        assert f"{tmp_path.name}/{name}" in reason
    reasons = [row["reason"] for row in features.extract(index, jobs=1).attrs["failed"]]
    assert reasons == list(failed["reason"])
    with pytest.raises(audio.AudioError, match="values up to 32"):
        features.functionals((32_000 * buzz(1, amplitude=0.9).clip(-1, 1)).astype("int16"))
    with pytest.raises(ValueError, match=r"None of 2 segments is usable: 0.030 s.*; Silent"):
        features.extract(index[1:3], tmp_path / "g.csv", jobs=1)
    assert len(features.failed(tmp_path / "g.csv")) == 2


def test_what_makes_no_sense_is_an_error(tmp_path):
    index = corpus(tmp_path, 1)
    with pytest.raises(ValueError, match=r"come twice, the first in .*0\.wav"):
        features.extract(index.append(index))
    with pytest.raises(ValueError, match=r"Unknown engine 'lokky'.*Did you mean 'loky'"):
        features.extract(index, engine="lokky")
    out = tmp_path / "new" / "f.csv"
    with tables.lock(out, ""), pytest.raises(BlockingIOError, match="wait for it"):
        features.extract(index, out)


def test_a_stopped_run_goes_on_and_only_changed_parts_are_made_again(tmp_path, monkeypatch):
    index = corpus(tmp_path, 20)
    read, files = audio.read, []

    def stopped(file, *times):
        files.append(file)
        if len(files) > 12:
            raise KeyboardInterrupt
        return read(file, *times)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(audio, "read", stopped)
        features.extract(index, tmp_path / "f.parquet", jobs=1)
    assert not (tmp_path / "f.parquet").exists()
    before = stamps(tmp_path / "f.parts")
    assert len(before) == 1
    first = features.extract(index, tmp_path / "f.parquet", jobs=1)
    parts = stamps(tmp_path / "f.parts")
    assert before.items() < parts.items()
    pd.testing.assert_frame_equal(first, features.extract(index, jobs=1))
    write(Path(index[0][0]), buzz(0.7, 300))
    second = features.extract(index, tmp_path / "f.parquet", jobs=1)
    assert second["duration"].iloc[0] == 0.7
    pd.testing.assert_frame_equal(second[1:], first[1:])
    kept = parts.items() & stamps(tmp_path / "f.parts").items()
    assert len(kept) == len(parts) - 1 == len(stamps(tmp_path / "f.parts")) - 1


@pytest.mark.filterwarnings("ignore:Port")  # of a dashboard that is not needed
def test_dask_gives_the_same_features(tmp_path):
    distributed = pytest.importorskip("distributed")
    index = corpus(tmp_path, 10)
    with distributed.LocalCluster(1, processes=False, dashboard_address=None) as cluster:
        result = features.extract(index, tmp_path / "f.parquet", engine=cluster.scheduler_address)
    pd.testing.assert_frame_equal(result, features.extract(index, jobs=1))
