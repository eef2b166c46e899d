import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paraclap import audio, signals, store, tables
from paraclap.signals import Signals, StoreError

ROOT = Path(__file__).parent.parent


def noise(seconds, rate=16_000, seed=0):
    values = 0.3 * np.random.default_rng(seed).standard_normal(round(seconds * rate))
    return np.clip(values, -1, 1)


def corpus(folder, count=20):
    """Whole files, and two segments of one, all 16-bit mono at 16 kHz; the loudest step counts."""
    folder.mkdir(exist_ok=True)
    files = [folder / f"{n}.wav" for n in range(count)]
    for n, file in enumerate(files):
        soundfile.write(file, noise(0.2 + 0.01 * n, seed=n), 16_000)
    soundfile.write(files[0], np.array([-32768, 32767] * 4_000, np.int16), 16_000)
    starts = [pd.Timedelta(0)] * count + [pd.Timedelta("20ms"), pd.Timedelta("55.5ms")]
    ends = [pd.NaT] * count + [pd.Timedelta("90ms"), pd.NaT]
    return tables.segments([*files, files[1], files[1]], starts, ends)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """An index and its store."""
    folder = tmp_path_factory.mktemp("signals")
    index = corpus(folder / "corpus")
    signals.build(index, folder / "store", jobs=1)
    return index, folder / "store"


def shards(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("[!.]*.int16")}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(row=st.integers(0, 21), samples=st.integers(1, 6_000), seed=st.integers(0, 99))
def test_a_crop_from_the_store_has_the_bits_of_one_from_the_file(stored, row, samples, seed):
    index, folder = stored
    voices, (one, two) = Signals(index, folder), (np.random.default_rng(seed) for _ in range(2))
    crop = voices.crop(row, samples, one)
    expected = audio.crop(audio.read(*index[row]), samples, two)
    np.testing.assert_array_equal(crop, expected)
    assert crop.dtype == np.float32
    assert one.bit_generator.state == two.bit_generator.state
    crop[:] = 0  # of its own memory: the store is not written to


def test_signals_and_seconds_are_those_of_the_files(stored):
    index, folder = stored
    files, voices = Signals(index), Signals(index, folder)
    assert len(voices) == len(index) == 22
    assert voices.stored.all()
    assert not files.stored.any()
    for row in range(22):
        np.testing.assert_array_equal(voices.read(row), files.read(row))
    np.testing.assert_array_equal(voices.seconds(), files.seconds())
    assert voices.seconds()[[1, 20, 21]] == pytest.approx([0.21, 0.07, 0.1545])


def test_rows_are_those_of_the_index_asked_for_not_of_the_store(stored):
    index, folder = stored
    rows = [21, 3, 3, 20, 0]
    voices = Signals(index[rows], folder)
    for place, row in enumerate(rows):
        np.testing.assert_array_equal(voices.read(place), audio.read(*index[row]))


def test_another_unit_of_time_is_the_same_segment(stored):
    index, folder = stored
    levels = [index.get_level_values(name) for name in tables.INDEX]
    times = [level.astype("timedelta64[us]") for level in levels[1:]]
    other = pd.MultiIndex.from_arrays([levels[0], *times], names=tables.INDEX)
    assert Signals(other, folder).stored.all()


def test_float32_keeps_every_bit_of_any_file_and_int16_what_16_bits_hold(tmp_path):
    stereo = np.stack([noise(0.3, 44_100), noise(0.3, 44_100, 1)], axis=1)
    soundfile.write(tmp_path / "a.flac", stereo, 44_100)
    soundfile.write(tmp_path / "b.wav", 0.5 * noise(0.3, 16_000, 2), 16_000, subtype="FLOAT")
    index = tables.segments([tmp_path / "a.flac", tmp_path / "b.wav"])
    for dtype, bound in (("float32", 0), ("int16", 2**-16)):
        signals.build(index, tmp_path / dtype, dtype, jobs=1)
        voices = Signals(index, tmp_path / dtype)
        for row in range(2):
            assert np.abs(voices.read(row) - audio.read(*index[row])).max() <= bound
            assert voices.crop(row, 100, np.random.default_rng()).dtype == np.float32


def test_what_cannot_be_read_is_left_out_with_the_reason(tmp_path, capsys):
    index = corpus(tmp_path / "corpus", 2)
    (tmp_path / "text.wav").write_text("no audio " * 20)
    index = index.append(tables.segments([tmp_path / "text.wav", tmp_path / "no.wav"]))
    signals.build(index, tmp_path / "store", jobs=1)
    reasons = signals.failed(tmp_path / "store")["reason"]
    assert ["read as audio" in reasons.iloc[0], "is not there" in reasons.iloc[1]] == [True, True]
    voices = Signals(index, tmp_path / "store")
    assert list(voices.stored) == [True] * 4 + [False] * 2
    assert "2 of 6 segments are not in the store" in capsys.readouterr().out
    with pytest.raises(audio.AudioError, match=r"text\.wav' cannot be read as audio"):
        voices.crop(4, 10, np.random.default_rng())
    with pytest.raises(audio.AudioError, match=r"no\.wav' is not there"):
        Signals(index[5:], tmp_path / "store").seconds()
    with pytest.raises(ValueError, match=r"None of 2 segments could be read .*failed\.csv"):
        signals.build(index[4:], tmp_path / "none", jobs=1)
    with pytest.raises(FileNotFoundError, match="run the step that writes it first"):
        Signals(index, tmp_path / "none")


def test_changed_content_is_read_from_the_file_until_its_shard_is_built_again(tmp_path, capsys):
    index, folder = corpus(tmp_path / "corpus"), tmp_path / "store"
    signals.build(index, folder, jobs=1)
    before = shards(folder)
    soundfile.write(index[2][0], noise(0.3, seed=50), 16_000)
    voices = Signals(index, folder)
    assert list(np.flatnonzero(~voices.stored)) == [2]
    assert "1 of 22 segments" in capsys.readouterr().out
    assert len(voices.read(2)) == 4_800
    signals.build(index, folder, jobs=1)
    after = shards(folder)
    assert len(after) == len(before) == 3
    assert len(before.items() & after.items()) == 2
    voices = Signals(index, folder)
    assert voices.stored.all()
    np.testing.assert_array_equal(voices.read(2), audio.read(index[2][0]))


def test_a_file_touched_or_written_again_is_not_decoded_again(tmp_path):
    index, folder = corpus(tmp_path / "corpus", 3), tmp_path / "store"
    signals.build(index, folder, jobs=1)
    before = shards(folder)
    file = Path(index[1][0])
    file.write_bytes(file.read_bytes())
    os.utime(file, ns=(1, 1))
    assert not Signals(index, folder).stored.all()
    signals.build(index, folder, jobs=1)
    assert shards(folder) == before
    assert Signals(index, folder).stored.all()


def test_a_current_store_is_left_as_it_is(tmp_path):
    index, folder = corpus(tmp_path / "corpus", 3), tmp_path / "store"
    signals.build(index, folder, jobs=1)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    signals.build(index, folder, jobs=1)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_shards_of_another_index_go_and_other_files_stay(tmp_path):
    index, folder = corpus(tmp_path / "corpus"), tmp_path / "store"
    signals.build(index, folder, jobs=1)
    (folder / "notes.parquet").write_text("mine")
    signals.build(index[:2], folder, jobs=1)
    assert len(shards(folder)) == 1
    assert (folder / "notes.parquet").read_text() == "mine"
    assert len(list(folder.iterdir())) == 6  # a shard and its list, index, failures, key, notes


def test_a_store_serves_where_the_files_are_not(tmp_path):
    index, folder = corpus(tmp_path / "corpus", 3), tmp_path / "store"
    signals.build(index, folder, jobs=1)
    expected = audio.read(index[2][0])
    Path(index[2][0]).unlink()
    np.testing.assert_array_equal(Signals(index, folder).read(2), expected)


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_store_is_an_error_when_opened_and_mended_when_built(tmp_path, damage):
    index, folder = corpus(tmp_path / "corpus"), tmp_path / "store"
    signals.build(index, folder, jobs=1)
    before = shards(folder)
    broken = folder / next(iter(before))
    if damage == "cut":
        os.truncate(broken, 1_000)
    else:
        broken.unlink()
    with pytest.raises(StoreError, match=rf"{broken.name}' has [\d,]+ bytes, expected .*again"):
        Signals(index, folder)
    signals.build(index, folder, jobs=1)
    assert len(before.items() & shards(folder).items()) == 2
    assert Signals(index, folder).stored.all()


def crops(voices, rows, queue):
    """What another process hears."""
    rng = np.random.default_rng(0)
    queue.put([voices.crop(row, 1_000, rng).tobytes() for row in rows])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_another_process_hears_the_same(stored, method):
    index, folder = stored
    voices, rng = Signals(index, folder), np.random.default_rng(0)
    expected = [voices.crop(row, 1_000, rng).tobytes() for row in range(22)]
    context = multiprocessing.get_context(method)
    queue = context.SimpleQueue()
    process = context.Process(target=crops, args=(voices, range(22), queue))
    process.start()
    assert queue.get() == expected
    process.join()
    assert len(pickle.dumps(voices)) < 10_000  # no samples go along


def test_more_shards_than_may_be_mapped_at_once(stored, monkeypatch):
    index, folder = stored
    monkeypatch.setattr(signals, "_MOST_OPEN", 2)
    voices = Signals(index, folder)
    for row in (0, 8, 16, 0, 21):
        np.testing.assert_array_equal(voices.read(row), audio.read(*index[row]))


def test_a_stopped_build_goes_on_where_it_was(tmp_path):
    index, folder = corpus(tmp_path / "corpus", 300), tmp_path / "store"
    tables.write_table(pd.DataFrame(index=index), tmp_path / "t.parquet")
    code = (
        "import sys; from paraclap import signals, tables; from pathlib import Path\n"
        "f = Path(sys.argv[1])\n"
        "signals.build(tables.read_table(f / 't.parquet').index, f / 'store', jobs=1)"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    while len(list(folder.glob("[!.]*.parquet"))) < 3 and run.poll() is None:
        time.sleep(0.001)
    os.kill(run.pid, signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    assert not (folder / "index.parquet").exists()
    before = shards(folder)
    signals.build(index, folder, jobs=1)
    done = {name for name, time in before.items() if shards(folder)[name] == time}
    assert len(done) >= 3
    assert Signals(index, folder).stored.all()
    assert not [path for path in folder.iterdir() if ".tmp" in path.name]


def test_a_full_disk_spares_the_store_and_leaves_no_half_shard(tmp_path):
    index, folder = corpus(tmp_path / "corpus"), tmp_path / "store"
    signals.build(index[:8], folder, jobs=1)
    tables.write_table(pd.DataFrame(index=index), tmp_path / "t.parquet")
    soundfile.write(index[19][0], noise(20), 16_000)
    code = (
        "import resource, sys; from paraclap import signals, tables; from pathlib import Path\n"
        "f = Path(sys.argv[1]); t = tables.read_table(f / 't.parquet')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "signals.build(t, f / 'store', jobs=1)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "OSError" in run.stderr
    assert "Free some space" in run.stderr
    assert Signals(index[:8], folder).stored.all()
    assert not [path for path in folder.iterdir() if ".tmp" in path.name]


def test_a_file_changed_while_it_is_read_is_an_error(tmp_path):
    index = corpus(tmp_path / "corpus", 2)
    part = pd.DataFrame({"size": 1, "mtime_ns": 1, "sha256": ""}, index)
    with pytest.raises(RuntimeError, match=r"'0\.wav' was changed while it was read"):
        store._write_shard(part, tmp_path / "a.parquet", "int16")
    assert not (tmp_path / "a.parquet").exists()


def test_bad_settings_are_errors(tmp_path):
    index = corpus(tmp_path / "corpus", 2)
    with pytest.raises(ValueError, match=r"Bad dtype 'int8', expected one of \('int16', 'float32"):
        signals.build(index, tmp_path / "store", "int8")
    with pytest.raises(ValueError, match=r"listed twice .*0\.wav"):
        signals.build(index.append(index), tmp_path / "store")


def test_a_store_is_read_without_the_libraries_that_decode(stored, tmp_path):
    index, folder = stored
    tables.write_table(pd.DataFrame(index=index), tmp_path / "t.parquet")
    code = (
        "import sys; sys.modules.update(soundfile=None, soxr=None)\n"
        "from paraclap import signals, tables\n"
        "voices = signals.Signals(tables.read_table(sys.argv[1]).index, sys.argv[2])\n"
        "assert len(voices.read(20)) == 1120"
    )
    arguments = [str(tmp_path / "t.parquet"), str(folder)]
    subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, check=True)


def test_files_that_are_not_here_stay_in_a_store_that_is_built_again(tmp_path):
    index = corpus(tmp_path / "corpus")
    signals.build(index, tmp_path / "store", jobs=1)
    before = shards(tmp_path / "store")
    expected = [Signals(index, tmp_path / "store").read(row) for row in range(len(index))]
    for file in index.get_level_values("file").unique()[3:15]:
        Path(file).unlink()
    signals.build(index, tmp_path / "store", jobs=1)
    assert shards(tmp_path / "store") == before
    found = Signals(index, tmp_path / "store")
    assert found.stored.all()
    for row, whole in enumerate(expected):
        np.testing.assert_array_equal(found.read(row), whole)


def test_a_shard_that_has_to_be_made_again_lists_what_is_not_here_and_keeps_the_old_one(tmp_path):
    index = corpus(tmp_path / "corpus")
    signals.build(index, tmp_path / "store", jobs=1)
    before = shards(tmp_path / "store")
    Path(index[5][0]).rename(tmp_path / "away.wav")
    soundfile.write(index[6][0], noise(0.3, seed=99), 16_000)
    signals.build(index, tmp_path / "store", jobs=1)
    lost = signals.failed(tmp_path / "store")
    assert list(lost.index.get_level_values("file")) == [index[5][0]]
    assert before.items() <= shards(tmp_path / "store").items()
    (tmp_path / "away.wav").rename(index[5][0])
    signals.build(index, tmp_path / "store", jobs=1)
    assert len(signals.failed(tmp_path / "store")) == 0
    assert Signals(index, tmp_path / "store").stored.all()
    assert not before.items() <= shards(tmp_path / "store").items()


def test_where_nothing_can_be_decoded_a_store_is_used_as_it_is(stored, monkeypatch, capsys):
    index, folder = stored
    before = shards(folder)
    monkeypatch.setattr(store, "_can_decode", lambda: False)
    signals.build(index, folder)
    assert "used as it is" in capsys.readouterr().out
    assert shards(folder) == before
