import os
import stat
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paraclap import tables

WORDS = st.text(st.characters(codec="utf-8"), min_size=1)


def few(rows=4):
    index = tables.segments([f"/data/audio/{i}.wav" for i in range(rows)])
    columns = {
        "corpus": "a", "split": "train", "speaker": "s", "emotion": "anger", "gender": "female",
        "arousal": 1.0, "valence": None, "dominance": None, "label": "anger", "language": "en",
    }  # fmt: skip
    return pd.DataFrame(columns, index=index)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2, 2), (np.int64(2), 2), (np.float32(0.5), 0.5), (pd.Timedelta("2s"), 2),
        (np.timedelta64(1_500, "ms"), 1.5), ("00:00:01,100", 1.1), ("00:20:57,256", 1257.256),
        ("0,5", 0.5), ("2030,5", 2030.5), ("5", 5), ("1.5s", 1.5), ("0 days 00:00:01.5", 1.5),
        ("1e-1", 0.1), (" 3 ", 3), (None, None), (pd.NaT, None), (pd.NA, None), ("", None),
        (float("nan"), None), (np.timedelta64("NaT"), None), (Decimal("1.5"), 1.5), (" ", None),
        ("-0,5", -0.5), ("0,500", 0.5), ("1,10", 1.1),
    ],
)  # fmt: skip
def test_a_time_is_seconds_and_a_missing_one_nan(value, expected):
    np.testing.assert_equal(tables.seconds(value), np.nan if expected is None else expected)
    found = tables.segments(["a", "b"], ends=[value, "1"]).get_level_values("end")[0]
    assert found is pd.NaT if expected is None else found == pd.Timedelta(round(expected * 1e9))


@pytest.mark.parametrize("value", [
    "1,2,3", "1.000,5", "soon", True, np.inf, "0x10", "1:30", "1,100", "-1,100", "1 2",
    "1 00:00:01", "1e30", 1e12, Decimal("inf"),
])  # fmt: skip
def test_anything_else_is_no_time(value):
    with pytest.raises(ValueError, match="Bad time"):
        tables.seconds(value)
    with pytest.raises(ValueError, match="Bad time"):
        tables.segments(["a", "b"], [value, "1"])


def test_files_of_any_form_become_the_same_index():
    index = tables.segments(["a.wav", "b.wav"])
    paths, table = ["a.wav", Path("b.wav")], pd.DataFrame({"x": [1, 2]}, index)
    named = pd.Index(["a.wav", "b.wav"], name="file")
    for files in (paths, iter(paths), pd.Series(["a.wav", "b.wav"]), named, table, table["x"]):
        pd.testing.assert_index_equal(tables.as_index(files), index)
    pd.testing.assert_index_equal(tables.as_index(Path("a.wav")), index[:1])
    raw = pd.MultiIndex.from_arrays([["a.wav"], ["0,5"], [2]], names=tables.INDEX)
    assert list(tables.as_index(raw)) == [("a.wav", pd.Timedelta("0.5s"), pd.Timedelta("2s"))]
    with pytest.raises(ValueError, match="Got no files"):
        tables.as_index([])
    for wrong in (pd.Index([1], name="row"), pd.DataFrame({"file": ["a.wav"]})):
        with pytest.raises(ValueError, match=r"Bad index \[('row'|None)\]"):
            tables.as_index(wrong)


def test_the_index_is_that_of_audformat():
    import audformat

    given = ["a.wav", "b.wav"], ["1s", "2s"], ["2s", pd.NaT]
    expected = audformat.segmented_index(*given)
    pd.testing.assert_index_equal(tables.segments(*given), expected, exact=False)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(WORDS, st.integers(0, 10**13), st.none() | WORDS), min_size=1))
def test_a_table_written_and_read_is_the_same(tmp_path_factory, rows):
    files, starts, words = zip(*rows, strict=True)
    index = tables.segments([f"/{f}" for f in files], [pd.Timedelta(s) for s in starts])
    table = pd.DataFrame({"word": pd.Series(words, index, "str"), "number": 0.1}, index)
    path = tables.write_table(table, tmp_path_factory.getbasetemp() / "t.parquet")
    pd.testing.assert_frame_equal(tables.read_table(path), table)


def test_checked_labels_are_stored_as_csv_with_further_columns_last(tmp_path):
    table = tables.check_labels(few().assign(age=30)[["age", *tables.LABELS[::-1]]])
    assert list(table) == [*tables.LABELS, "age"]
    read = tables.check_labels(tables.read_table(tables.write_table(table, tmp_path / "t.csv")))
    pd.testing.assert_frame_equal(read, table)


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
        *("file,emotion,arousal\na.wav,sad,3.5\n".encode(f"utf-16{e}") for e in ("", "-le", "-be")),
        b'\n\nSEP=\t\n"file"\temotion\tarousal\na.wav\tsad\t"3,5"\n',
        b"file|emotion|arousal\ra.wav|sad|3,5",
        b'"file";"emotion";"arousal";"a,b,c,d"\na.wav;sad;3,5;"x;1,5"\n',
    ],
)
def test_tables_of_spreadsheets_are_read(tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content)
    table = tables.read_csv(tmp_path / "t.csv").iloc[:, :3]
    assert table.to_dict("records") == [{"file": "a.wav", "emotion": "sad", "arousal": 3.5}]


def test_files_in_a_table_lie_beside_it_or_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path / "site-packages"))
    monkeypatch.chdir(tmp_path)
    (beside := tmp_path / "in").mkdir()
    (beside / "t.csv").write_text("file,start,end,speaker\na.wav,0,1,007\nb.wav,0,1,1.0\n")
    for place, next_one in ((beside, tmp_path), (tmp_path, beside), (beside, beside)):
        read = tables.read_table(beside / "t.csv")
        assert read["speaker"].tolist() == ["007", "1.0"]
        assert read.index[0][0] == str(place / "a.wav")
        (next_one / "b.wav").touch()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"file,name\na.wav,J\xf6rg\n", "Jörg.* in cp1252, .*: save it as CSV in UTF-8"),
        ("t.csv", b"file,x\na.wav,J\x9arg\n", "in cp1252, 'x.na.wav,Jörg.n' in Mac Roman"),
        ("t.csv", "file,x\na.wav,y\n".encode("utf-32"), "it is no text"),
        ("t.csv", b"file, x,x\na.wav,1,2\n", "two columns are called 'x', rename one"),
        ("t.csv", b"file,x\na.wav,1,2\n", "more cells than the header"),
        ("t.csv", b"", "Cannot read .* as a table"),
        ("t.csv", b"file,start,end,x\n,0,1,1\n", "No file in 1 rows of"),
        ("t.parquet", b"PAR1 and no more", "Cannot read .* as a table"),
        ("t.xlsx", b"PK\x03\x04\x96", "Cannot read .* as a table"),
        ("a.json", b"{", "Cannot read .* as JSON"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(tmp_path, name, content, message):
    read = tables.read_json if name == "a.json" else tables.read_table
    with pytest.raises(FileNotFoundError, match=f"{name}': run the step that writes it first"):
        read(tmp_path / name)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read(tmp_path / name)
    assert f"{tmp_path.name}/{name}" in str(error.value)


@pytest.mark.parametrize(("name", "index"), [("t.csv", "row"), ("t.xlsx", None)])
def test_a_table_that_could_not_be_read_again_is_not_written(tmp_path, name, index):
    table = pd.DataFrame({"x": [1]}, index=pd.Index([0], name=index))
    with pytest.raises(ValueError, match=rf"Bad index \['?{index}'?\] or table name .*{name}'"):
        tables.write_table(table, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_json_is_written_with_the_rights_that_the_umask_gives(tmp_path):
    value, before = {"ä": [1, 2.5, None, True]}, os.umask(0o027)
    try:
        path = tables.write_json(value, tmp_path / "new" / "a.json")
    finally:
        os.umask(before)
    assert tables.read_json(path) == value
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    with pytest.raises(ValueError, match="Out of range"):
        tables.write_json({"a": float("nan")}, path)


@pytest.mark.parametrize("error", [RuntimeError("full"), OSError(27, "full")])
def test_a_failed_write_leaves_the_earlier_file_and_no_other(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("before")
    message = r"a.txt' \(full\), what was there stays: free" if error.args[1:] else "full"
    with pytest.raises(type(error), match=message), tables.atomic(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def one(*segment):
    return few(1).set_index(tables.segments(*([value] for value in segment)))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (few().assign(split="trian"), r"split 'trian' in here \(4 rows, first: 'audio/0.wav'\)"),
        (few(9).assign(split=list("abcdefghi")), r"'a', 'b', 'c', 'd', 'e' in here \(9 rows"),
        (few().assign(split=None), "Bad split .*, expected one of .'train', 'dev', 'test'"),
        (few().assign(gender="f"), "Bad gender 'f'"),
        (few().assign(arousal="high"), "Bad arousal 'high'.*numbers"),
        (few().assign(arousal=np.inf), "Bad arousal 'inf'"),
        (few().assign(speaker=None), "Bad speaker"),
        (one("/a.wav", "2s", "1s"), "an end 1 ms after the start"),
        (one("/a.wav", "1s", 1.0009), "an end 1 ms after the start"),
        (one("/a.wav", "-1s", "1s"), "0 or later"),
        (one("a.wav", "1s", "2s"), "absolute paths"),
        (pd.concat([few(1), few(1)]), "each segment .* once"),
        (few().drop(columns="label"), r"Bad here: got .* no column \['label'\], expected"),
        (few()[:0], "Bad here: got .* 0 rows"),
        (few().reset_index(), r"Bad here: got the index \[None\].*, expected \['file', 'start'"),
    ],
)
def test_bad_labels_are_named(table, message):
    with pytest.raises(ValueError, match=message):
        tables.check_labels(table, "here")


def test_show_never_shows_an_absolute_path():
    shown = tables.show(few(9), rows=2)
    assert list(shown.index.get_level_values("file")) == ["audio/0.wav", "audio/1.wav"]
    assert tables.short_name("/x/y/a.wav") == "y/a.wav"
    for path in ("/a.wav", "/tmp/a.wav", "a.wav"):  # no shorter, and still where they are
        assert tables.short_name(path) == path
    assert tables.show(few().reset_index())["file"].tolist()[0] == "audio/0.wav"
