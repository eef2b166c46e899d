import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paraclap import tables

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1).filter(
    lambda word: word == word.strip()
)


def labels(n=4):
    index = tables.segments([f"/audio/{i}.wav" for i in range(n)])
    columns = {
        "corpus": "a", "split": "train", "speaker": "s", "emotion": "anger", "gender": "female",
        "arousal": 1.0, "valence": None, "dominance": None, "label": "anger", "language": "en",
    }  # fmt: skip
    return pd.DataFrame(columns, index=index)


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            WORDS,
            st.integers(0, 10**13),
            st.none() | WORDS,
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
        ),
        min_size=1,
    )
)
def test_a_table_written_and_read_is_the_same(tmp_path_factory, rows):
    files, starts, words, numbers = zip(*rows, strict=True)
    index = tables.segments([f"/{f}" for f in files], [pd.Timedelta(s) for s in starts])
    table = pd.DataFrame(
        {"word": pd.Series(words, dtype="str").array, "number": pd.array(numbers, dtype=float)},
        index=index,
    )
    path = tables.write_table(table, tmp_path_factory.mktemp("t") / "t.parquet", "key")
    pd.testing.assert_frame_equal(tables.read_table(path), table)
    assert tables.fingerprint(tables.read_table(path)) == tables.fingerprint(table)
    assert tables.is_current(path, "key")


def test_a_csv_table_written_and_read_is_the_same(tmp_path):
    path = tables.write_table(labels(), tmp_path / "t.csv", "key")
    read = tables.check_labels(tables.read_table(path))
    pd.testing.assert_frame_equal(read, tables.check_labels(labels()))


def test_files_of_the_project_are_stored_relative_to_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path / "old"))
    file = tmp_path / "old" / "runs" / "a.wav"
    table = pd.DataFrame({"x": [1]}, index=tables.segments([file]))
    tables.write_table(table, tmp_path / "old" / "t.parquet")
    before = tables.fingerprint(table)
    (tmp_path / "old").rename(tmp_path / "new")
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path / "new"))
    read = tables.read_table(tmp_path / "new" / "t.parquet")
    assert read.index[0][0] == str(tmp_path / "new" / "runs" / "a.wav")
    assert tables.fingerprint(read) == before


def test_fingerprint_is_the_same_in_another_process():
    code = "from tests.test_tables import *; print(tables.fingerprint(labels(), {'a': {1, 2}}))"
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parent.parent, env={**os.environ, "PYTHONHASHSEED": "7"},
    )  # fmt: skip
    assert other.stdout.strip() == tables.fingerprint(labels(), {"a": {1, 2}})


def test_fingerprint_changes_with_order_names_values_and_file_content(tmp_path):
    table = labels()
    file = tmp_path / "a.txt"
    file.write_text("a")
    first = tables.fingerprint(file)
    file.write_text("b")
    others = [table[::-1], table.rename(columns={"label": "x"}), table.assign(arousal=2.0)]
    prints = {tables.fingerprint(t) for t in [table, *others]} | {first, tables.fingerprint(file)}
    assert len(prints) == 6


def test_fingerprint_is_that_of_plain_values_and_of_nothing_without_any():
    plain = [1, [1, 2], "0 days 00:00:01", 0.5]
    found = [np.int64(1), np.array([1, 2]), pd.Timedelta(seconds=1), np.float64(0.5)]
    for one, other in zip(plain, found, strict=True):
        assert tables.fingerprint({"a": one}) == tables.fingerprint({"a": other})
    with pytest.raises(TypeError, match="Cannot fingerprint a object, expected plain values"):
        tables.fingerprint({"a": object()})


def test_fingerprint_of_a_path_says_whether_there_is_something(tmp_path):
    (tmp_path / "empty").touch()
    assert tables.fingerprint(tmp_path / "gone") != tables.fingerprint(tmp_path / "empty")


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.json"])
def test_a_file_is_current_only_with_its_key_and_content(tmp_path, name):
    path = tmp_path / name
    assert not tables.is_current(path, "a")
    if path.suffix == ".json":
        tables.write_json({"a": 1}, path, "a")
    else:
        tables.write_table(labels(), path, "a")
    assert tables.is_current(path, "a")
    assert not tables.is_current(path, "b")
    path.write_bytes(path.read_bytes()[:-3])
    assert not tables.is_current(path, "a")


def test_a_failed_write_leaves_the_earlier_file_and_no_other(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(RuntimeError), tables.atomic_path(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_removed(tmp_path):
    process = multiprocessing.get_context("spawn").Process(target=int)
    process.start()
    process.join()
    left = tmp_path / f".a.{process.pid}.tmp.txt"
    left.write_text("half")
    with tables.atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_disk_is_an_error_that_spares_the_earlier_file(tmp_path):
    path = tables.write_table(labels(), tmp_path / "t.parquet", "first")
    code = (
        "import resource, sys; from tests.test_tables import *\n"
        "big = labels(20000).assign(number=range(20000))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))\n"
        "tables.write_table(big, sys.argv[1])"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert "Cannot write" in other.stderr
    assert "what was there before is untouched" in other.stderr
    assert tables.is_current(path, "first")
    assert list(tmp_path.iterdir()) == [path]


def test_reading_says_what_is_wrong(tmp_path):
    with pytest.raises(FileNotFoundError, match="run the step that writes it"):
        tables.read_table(tmp_path / "no.parquet")
    path = tables.write_table(labels(), tmp_path / "t.parquet")
    with pytest.raises(ValueError, match="No column \\['age'\\]"):
        tables.read_table(path, ["emotion", "age"])
    assert list(tables.read_table(path, ["label"])) == ["label"]
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="cut short or of another type"):
        tables.read_table(path)
    with pytest.raises(ValueError, match=r"\.parquet or \.csv"):
        tables.write_table(labels(), tmp_path / "t.xlsx")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": "trian"}, "Bad split 'trian'.*4 segments, first: '0.wav'.*'train'"),
        ({"gender": "f"}, "Bad gender 'f'"),
        ({"arousal": "high"}, "Bad arousal 'high'"),
        ({"speaker": None}, "Bad speaker"),
    ],
)
def test_bad_labels_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        tables.check_labels(labels().assign(**change))


def test_bad_times_duplicates_and_missing_columns_are_named():
    twice = pd.concat([labels(1), labels(1)])
    with pytest.raises(ValueError, match=r"each segment .* once"):
        tables.check_labels(twice)
    index = tables.segments(["/a.wav"], [pd.Timedelta("2s")], [pd.Timedelta("1s")])
    with pytest.raises(ValueError, match="an end after the start"):
        tables.check_labels(labels(1).set_index(index))
    with pytest.raises(ValueError, match="No column \\['label'\\]"):
        tables.check_labels(labels().drop(columns="label"))


def test_a_table_that_could_not_be_read_again_is_not_written(tmp_path):
    named = pd.DataFrame({"x": [1]}, index=pd.Index([0], name="row"))
    with pytest.raises(ValueError, match=r"Bad index \['row'\].*call reset_index\(\) first"):
        tables.write_table(named, tmp_path / "t.csv", "key")
    assert list(tmp_path.iterdir()) == []


def test_rows_without_a_file_and_labels_without_rows_are_refused(tmp_path):
    (tmp_path / "t.csv").write_text("file,start,end,x\n,0 days,0 days 00:00:01,1\n")
    with pytest.raises(ValueError, match=r"No file in 1 rows of .*t\.csv"):
        tables.read_table(tmp_path / "t.csv")
    with pytest.raises(ValueError, match="No segment in labels, expected at least one"):
        tables.check_labels(labels()[:0], "labels")
    with pytest.raises(ValueError, match=r"Bad index .* in labels"):
        tables.check_labels(labels().reset_index(), "labels")


def test_show_never_shows_an_absolute_path():
    shown = tables.show(labels(9), rows=2)
    assert list(shown.index.get_level_values("file")) == ["audio/0.wav", "audio/1.wav"]
    assert len(shown) == 2
