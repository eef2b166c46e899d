import os
import stat
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


def few(rows=4):
    index = tables.segments([f"/audio/{i}.wav" for i in range(rows)])
    columns = {
        "corpus": "a", "split": "train", "speaker": "s", "emotion": "anger", "gender": "female",
        "arousal": 1.0, "valence": None, "dominance": None, "label": "anger", "language": "en",
    }  # fmt: skip
    return pd.DataFrame(columns, index=index)


# --- times ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2, 2), (np.int64(2), 2), (np.float32(0.5), 0.5), (pd.Timedelta("2s"), 2),
        (np.timedelta64(1_500, "ms"), 1.5), ("00:00:01,100", 1.1), ("00:20:57,256", 1257.256),
        ("0,5", 0.5), ("2030,5", 2030.5), ("5", 5), ("1.5s", 1.5), ("0 days 00:00:01.5", 1.5),
        ("1e-1", 0.1), (" 3 ", 3),
    ],
)  # fmt: skip
def test_a_time_is_seconds(value, expected):
    assert tables.seconds(value) == expected
    assert tables.segments(["a"], [value]).get_level_values("start")[0] == pd.Timedelta(
        round(expected * 1e9)
    )


@pytest.mark.parametrize("value", [None, pd.NaT, float("nan"), np.timedelta64("NaT"), ""])
def test_a_missing_time_is_nan(value):
    assert np.isnan(tables.seconds(value))
    assert tables.segments(["a"], [0], [value]).get_level_values("end").isna().all()


@pytest.mark.parametrize("value", ["1,2,3", "1.000,5", "soon", True, np.inf, "0x10", "1:30"])
def test_anything_else_is_no_time(value):
    with pytest.raises(ValueError, match="Bad time"):
        tables.seconds(value)
    with pytest.raises(ValueError, match="Bad time"):
        tables.segments(["a", "b"], [value, "1"])


# --- the index -----------------------------------------------------------------------------------


def test_files_of_any_form_become_the_same_index():
    index = tables.segments(["a.wav", "b.wav"])
    for files in (
        ["a.wav", Path("b.wav")],
        pd.Series(["a.wav", "b.wav"]),
        pd.Index(["a.wav", "b.wav"], name="file"),
        pd.DataFrame({"x": [1, 2]}, index),
        pd.Series([1, 2], index),
        (file for file in ("a.wav", "b.wav")),
    ):
        pd.testing.assert_index_equal(tables.as_index(files), index)
    pd.testing.assert_index_equal(tables.as_index(Path("a.wav")), index[:1])
    with pytest.raises(ValueError, match="Got no files"):
        tables.as_index([])
    with pytest.raises(ValueError, match=r"Bad index \['row'\]"):
        tables.as_index(pd.Index([1], name="row"))


def test_the_index_is_that_of_audformat():
    import audformat

    files, starts, ends = ["a.wav", "b.wav"], ["1s", "2s"], ["2s", pd.NaT]
    ours, theirs = (f(files, starts, ends) for f in (tables.segments, audformat.segmented_index))
    assert audformat.is_segmented_index(ours)
    pd.testing.assert_index_equal(ours, theirs, exact=False)


# --- files ---------------------------------------------------------------------------------------


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
    path = tables.write_table(table, tmp_path_factory.getbasetemp() / "t.parquet")
    pd.testing.assert_frame_equal(tables.read_table(path), table)


def test_a_csv_table_written_and_read_is_the_same(tmp_path):
    read = tables.check_labels(tables.read_table(tables.write_table(few(), tmp_path / "t.csv")))
    pd.testing.assert_frame_equal(read, tables.check_labels(few()))


def test_files_of_the_project_are_stored_relative_to_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path / "old"))
    table = pd.DataFrame({"x": [1]}, tables.segments([tables.run_folder("r") / "a.wav"]))
    tables.write_table(table, tmp_path / "old" / "t.parquet")
    (tmp_path / "old").rename(tmp_path / "new")
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path / "new"))
    read = tables.read_table(tmp_path / "new" / "t.parquet")
    assert read.index[0][0] == str(tmp_path / "new" / "runs" / "r" / "a.wav")


@pytest.mark.parametrize(
    "content",
    [
        b"file;emotion;arousal\na.wav;sad;3,5\n",
        b"sep=;\r\nfile;emotion;arousal\r\na.wav;sad;3,5\r\n",
        b"file\temotion\tarousal\na.wav\tsad\t3.5\n",
        "\ufefffile,emotion,arousal\na.wav,sad,3.5\n".encode(),
        "file,emotion,arousal\na.wav,sad,3.5\n".encode("utf-16"),
    ],
)
def test_tables_of_spreadsheets_are_read(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    table = tables.read_csv(tmp_path / "t.csv")
    assert table.to_dict("records") == [{"file": "a.wav", "emotion": "sad", "arousal": 3.5}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "file,speaker\na.wav,Jörg\n".encode("cp1252"), "not in UTF-8 .*: save it as"),
        ("t.csv", b"file,x\na.wav,1,2\n", "more cells than the header"),
        ("t.csv", b"", "Cannot read .* as a table"),
        ("t.parquet", b"PAR1 and no more", "Cannot read .* as a table"),
        ("t.xlsx", b"", "expected it to end in .parquet or .csv"),
    ],
)
def test_what_is_no_table_is_a_sentence(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        tables.read_table(tmp_path / name)
    assert f"{tmp_path.name}/{name}" in str(error.value)


def test_reading_names_what_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="run the step that writes it"):
        tables.read_table(tmp_path / "no.parquet")
    path = tables.write_table(few(), tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=r"Unknown column 'emotions' .* Did you mean 'emotion'"):
        tables.read_table(path, ["label", "emotions"])
    assert list(tables.read_table(path, ["label"])) == ["label"]
    (tmp_path / "t.csv").write_text("file,start,end,x\n,0 days,0 days 00:00:01,1\n")
    with pytest.raises(ValueError, match=r"No file in 1 rows of .*t\.csv"):
        tables.read_table(tmp_path / "t.csv")
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(ValueError, match=r"a\.json' as JSON"):
        tables.read_json(tmp_path / "a.json")


def test_a_table_that_could_not_be_read_again_is_not_written(tmp_path):
    named = pd.DataFrame({"x": [1]}, index=pd.Index([0], name="row"))
    with pytest.raises(ValueError, match=r"Bad index \['row'\].*call reset_index\(\) first"):
        tables.write_table(named, tmp_path / "t.csv")
    assert list(tmp_path.iterdir()) == []


def test_json_is_written_and_read(tmp_path):
    value = {"ä": [1, 2.5, None, True]}
    assert tables.read_json(tables.write_json(value, tmp_path / "new" / "a.json")) == value
    with pytest.raises(ValueError, match="Out of range"):
        tables.write_json({"a": float("nan")}, tmp_path / "b.json")


def test_a_failed_write_leaves_the_earlier_file_and_no_other(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(RuntimeError), tables.atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_an_error_that_spares_the_earlier_file(tmp_path):
    path = tables.write_json([1], tmp_path / "a.json")
    code = (
        "import resource, sys; from paraclap import tables\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "tables.write_json([1] * 10_000, sys.argv[1])"
    )
    command = [sys.executable, "-c", code, path]
    other = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "a.json' (File too large), what was there stays: free some space" in other.stderr
    assert tables.read_json(path) == [1]
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_has_the_rights_that_the_umask_gives(tmp_path):
    before = os.umask(0o027)
    try:
        path = tables.write_json([1], tmp_path / "a.json")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_second_holder_of_a_lock_gets_a_sentence(tmp_path):
    with tables.lock(tmp_path / "a", "busy"):
        second = tables.lock(tmp_path / "a", "wait for it")
        with pytest.raises(BlockingIOError, match="wait for it"), second:
            pass
        with tables.lock(tmp_path / "b", "busy"):
            pass
    with tables.lock(tmp_path / "a", "busy"):
        pass


# --- looking at and checking tables --------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"split": "trian"},
            r"Bad split 'trian' in here \(4 rows, first: 'audio/0.wav'\).*'train'",
        ),
        ({"split": None}, "Bad split"),
        ({"gender": "f"}, "Bad gender 'f'"),
        ({"arousal": "high"}, "Bad arousal 'high'.*numbers"),
        ({"arousal": np.inf}, "Bad arousal 'inf'"),
        ({"speaker": None}, "Bad speaker"),
    ],
)
def test_bad_labels_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        tables.check_labels(few().assign(**change), "here")


def test_at_most_five_offenders_are_named():
    with pytest.raises(ValueError, match=r"'w0', 'w1', 'w2', 'w3', 'w4' in .* \(9 rows"):
        tables.check_labels(few(9).assign(split=[f"w{i}" for i in range(9)]))


@pytest.mark.parametrize(
    ("segment", "message"),
    [
        (("/a.wav", "2s", "1s"), "an end after the start"),
        (("/a.wav", "-1s", "1s"), "0 or later"),
        (("a.wav", "1s", "2s"), "absolute paths"),
    ],
)
def test_bad_segments_are_named(segment, message):
    index = tables.segments(*([value] for value in segment))
    with pytest.raises(ValueError, match=message):
        tables.check_labels(few(1).set_index(index))


def test_repeated_rows_and_missing_columns_are_named():
    with pytest.raises(ValueError, match=r"each segment .* once"):
        tables.check_labels(pd.concat([few(1), few(1)]))
    for wrong in (few().drop(columns="label"), few()[:0], few().reset_index()):
        with pytest.raises(ValueError, match=r"Bad labels: got .*, expected .*'file', 'start'"):
            tables.check_labels(wrong, "labels")


def test_checked_labels_keep_further_columns_behind_the_known_ones():
    table = few().assign(age=30)[["age", *tables.LABELS[::-1]]]
    assert list(tables.check_labels(table)) == [*tables.LABELS, "age"]


def test_show_never_shows_an_absolute_path():
    shown = tables.show(few(9), rows=2)
    assert list(shown.index.get_level_values("file")) == ["audio/0.wav", "audio/1.wav"]
    assert len(shown) == 2
    assert tables.short_name("/a.wav") == "/a.wav"
