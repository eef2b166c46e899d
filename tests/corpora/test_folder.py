"""A folder of audio with a CSV: what is read, what is said, what is refused."""

import unicodedata

import numpy as np
import pandas as pd
import pytest
from layouts import notes
from sounds import buzz, write

from paraclap import audio, corpora, tables
from paraclap.corpora.folder import list_segments

ROWS = pd.DataFrame(
    {
        "file": [f"{i}.wav" for i in range(8)],
        "emotion": ["angry", "happy", "sad", "anger", "happy", "sad", "angry", "grumpy"],
        "speaker": [f"s{i // 2}" for i in range(8)],
        "split": ["train"] * 4 + ["validation"] * 2 + ["test"] * 2,
        "gender": list("fFmMfmfm"),
        "arousal": [str(i) for i in range(8)],
    }
)


def folder(path, rows=ROWS, name="labels.csv"):
    for i in range(8):
        write(path / f"{i}.wav", np.full(8_000, 0.1 + i / 100), 8_000)
    rows.to_csv(path / name, index=False)
    return path


def test_a_folder_with_a_csv_becomes_a_labels_table(tmp_path):
    table = corpora.load(folder(tmp_path))
    assert list(table["emotion"][:3]) == ["anger", "happiness", "sadness"]
    assert table["emotion"].iloc[-1] == "grumpy"
    assert list(table["split"][3:6]) == ["train", "dev", "dev"]
    assert set(table["gender"]) == {"female", "male"}
    assert (table.index.get_level_values("end") == pd.Timedelta("1s")).all()
    assert table.index[0][0] == str(tmp_path / "0.wav")
    assert (table["label"] == table["emotion"]).all()
    assert set(table["corpus"]) == {tmp_path.name}
    assert not table["synthetic"].any()


def test_other_names_are_mapped_and_other_columns_noted(tmp_path):
    rows = ROWS.rename(columns={"file": "path", "emotion": "mood"}).assign(age=3)
    settings = {"columns": "path=file,mood=emotion", "table": "theirs.csv"}
    table = corpora.load(folder(tmp_path, rows, "theirs.csv"), **settings)
    assert table["emotion"].iloc[0] == "anger"
    assert "Columns not used: age." in table.attrs["notes"]


def test_an_unreadable_file_is_listed_and_kept(tmp_path):
    root = folder(tmp_path)
    (root / "0.wav").write_text("no audio" * 20)
    table = corpora.load(root)
    assert len(table) == 8
    assert pd.isna(table.index[0][2])
    assert "cannot be read as audio" in table.attrs["failed"][0]["reason"]
    assert table.attrs["failed"][0]["file"] == str(root / "0.wav")


# --- what stands in cells -----------------------------------------------------------------------


def at(column, value, row=0):
    """Change of one cell."""
    values = [value if i == row else old for i, old in enumerate(ROWS[column])]
    return lambda rows: rows.assign(**{column: values})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:0], "has no row"),
        (lambda rows: rows.rename(columns={"emotion": "emotoin"}), "Did you mean 'emotion'"),
        (lambda rows: rows[["file", "split"]], "No column for labels"),
        (lambda rows: rows.drop(columns="file"), "No column 'file'"),
        (at("file", "no.wav"), r"1 files of labels\.csv are not in .*no\.wav"),
        (at("file", ""), "Bad file 'nan' .*a path in each row"),
        (at("gender", "femail"), r"Bad gender 'femail'.*first: '.*/0\.wav'"),
        (at("split", "trian"), "Bad split 'trian'"),
        (at("arousal", "high", 2), r"Bad arousal 'high'.*first: '.*/2\.wav'"),
        *((at("emotion", e), "Bad emotion .*words: write those that the codes") for e in "0A1😀"),
        (lambda rows: rows.rename(columns={"split": "tmin"}), "Did you mean 'start'"),
        (lambda rows: rows.rename(columns={"file": "WAV_path"}), "'file'. Did you mean 'file'"),
        (
            lambda rows: rows.assign(start="1,100"),
            "Bad start or end in labels.csv: Bad time '1,100'",
        ),
        (lambda rows: rows.assign(start=0.2, end=0.2009), "an end 1 ms after the start"),
        (at("gender", "0"), "Bad gender '0'"),
        (lambda rows: pd.concat([rows, rows[:1]]), "each segment"),
        (lambda rows: rows.assign(split="test"), "No training split"),
        (lambda rows: rows.assign(start=0.5, end=0.2), "an end 1 ms after the start"),
        (lambda rows: rows.assign(start=-1), "0 or later"),
        (
            lambda rows: rows.assign(start="soon"),
            "Bad start or end in labels.csv: Bad time 'soon'.*seconds",
        ),
        (lambda rows: rows.assign(end=9), "lie within their files"),
        (lambda rows: rows.drop(columns="split").assign(speaker="one"), "by speaker: it has 1"),
    ],
)
def test_a_bad_csv_is_an_error_that_says_where(tmp_path, change, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        corpora.load(folder(tmp_path, change(ROWS)))


def test_a_missing_csv_folder_or_column_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="No folder at"):
        corpora.load(tmp_path / "no")
    with pytest.raises(FileNotFoundError, match=r"No table 'labels\.csv'"):
        corpora.load(tmp_path)
    (tmp_path / "labels.csv").touch()
    with pytest.raises(ValueError, match=r"Cannot read .*labels\.csv"):
        corpora.load(tmp_path)


@pytest.mark.parametrize(("settings", "message"), [
    ({"columns": "mood=emotion"}, "Unknown column 'mood'"),
    ({"columns": "mood=emotoin"}, "Did you mean 'emotion'"),
    ({"columns": "speaker=emotion"}, r"Two columns for \['emotion'\].*'theirs='"),
    ({"columns": "speaker"}, "expected 'theirs=ours"),
    ({"label_column": "sober"}, "Unknown label column 'sober'"),
])  # fmt: skip
def test_a_column_that_is_not_there_is_named(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        corpora.load(folder(tmp_path), **settings)


def test_a_word_is_one_in_any_case_and_words_for_no_value_are_missing_and_counted(tmp_path):
    words = ["None", "NA", "", "Wut", "wut", "pleasant_surprise", "ps", "-"]
    genders = ["w", "unknown", "Man", "-", *"fffx"]
    rows = ROWS.assign(emotion=words, gender=genders, arousal=["N/A"] + ["1"] * 7)
    table = corpora.load(folder(tmp_path, rows))
    assert list(table["emotion"].dropna()) == ["Wut"] * 2 + ["pleasant surprise"] * 2
    assert "3 of 8 rows have no emotion: -, NA, None." in table.attrs["notes"]
    assert "2 of 8 rows have no gender: unknown, x." in table.attrs["notes"]
    assert "1 of 8 rows have no arousal: N/A." in table.attrs["notes"]


def test_codes_of_emotions_are_read_as_words_and_other_words_are_noted(tmp_path):
    words = ["hap", "ang", "neu", "exc", "fru", "sad", "hap", "Wut"]
    table = corpora.load(folder(tmp_path, ROWS.assign(emotion=words)))
    nouns = "happiness anger neutral excitement frustration sadness happiness Wut"
    assert list(table["emotion"]) == nouns.split()
    assert "Codes of emotions are read as words: hap as happiness (2), ang as " in notes(table)
    assert "Emotions that are not in the list stay as they are: Wut." in table.attrs["notes"]
    assert len(set(table.attrs["notes"])) == len(table.attrs["notes"])


def test_numbers_are_no_emotions_but_may_be_labels_of_another_kind(tmp_path):
    root = folder(tmp_path, ROWS.assign(age=["0", "1"] * 4))
    assert set(corpora.load(root, label_column="age")["label"]) == {"0", "1"}


# --- how the CSV is written ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["labels.csv", "Labels.CSV", "mine.tsv"])
def test_a_csv_is_read_as_programs_write_it(tmp_path, name):
    root = folder(tmp_path)
    (root / "labels.csv").unlink()
    (root / f"._{name}").write_bytes(b"\0debris")  # of macOS
    rows = [f"{i}.wav |sad| Jo\u0308rg {i} |3,5" for i in range(8)]
    lines = "\r\n".join(["file| emotion |speaker|arousal", *rows])
    (root / name).write_text(lines, "utf-16")
    table = corpora.load(root)
    assert set(table["arousal"]) == {3.5}
    assert list(table["speaker"]) == [f"J\u00f6rg {i}" for i in range(8)]
    assert set(table["emotion"]) == {"sadness"}


def spelled(root, on_disk, in_csv):
    for number, name in enumerate(on_disk):
        write(root / name, buzz(0.2, seed=number))
    rows = pd.DataFrame({"file": in_csv, "emotion": "sad", "speaker": list("abc")[: len(in_csv)]})
    rows.to_csv(root / "labels.csv", index=False)
    return root


NFD = [unicodedata.normalize("NFD", name) for name in ("ä.wav", "ö.wav", "ü.wav")]


@pytest.mark.parametrize(("on_disk", "in_csv"), [
    (NFD, ["ä.wav", "ö.wav", "ü.wav"]),
    (["ä.wav", "ö.wav", "ü.wav"], NFD),
    (["s/a.wav", "s/b.wav", "t/c.wav"], ["s\\a.wav", ".\\s\\b.wav", "t/c.wav"]),
    (["a.wav", "b.WAV", "c.wav"], ["A.WAV", "b.wav", "c.wav"]),
    (["a.wav", "b.flac", "c.1.wav", "a.TextGrid", "a/b.wav"], ["a", "b", "c.1"]),
])  # fmt: skip
def test_a_file_is_found_under_another_spelling_with_a_note(tmp_path, on_disk, in_csv):
    in_csv[0] = str(tmp_path / in_csv[0])
    table = corpora.load(spelled(tmp_path, [n for n in on_disk if "Text" not in n], in_csv))
    found = [str(tmp_path / name) for name in on_disk[:3]]
    assert table.index.get_level_values("file").tolist() == found
    assert "files are spelled in another way on disk, such as: " in notes(table)


@pytest.mark.parametrize(("on_disk", "name", "message"), [
    (["a.wav", "a.flac"], "a", r"may be any of \['a\.flac', 'a\.wav'\]"),
    (["x/a.wav"], "a.wav", r"1 files of labels\.csv are not in .*'a\.wav'.*mean 'x/a\.wav'"),
    (["session1.wav"], "sesion1.wav", r"Did you mean 'session1\.wav'\?"),
])  # fmt: skip
def test_a_file_that_is_not_clearly_meant_is_an_error_with_a_hint(tmp_path, on_disk, name, message):
    with pytest.raises(FileNotFoundError, match=message):
        corpora.load(spelled(tmp_path, on_disk, [name]), for_testing=True)


def test_segments_of_a_folder_a_table_and_a_file(tmp_path):
    root, notes = folder(tmp_path, ROWS[["file"]].assign(start=0.25)), []
    (root / "more").mkdir()
    (root / "more" / "film.mp4").touch()
    files = [str(root / name) for name in ROWS["file"]]
    below = list_segments(root, notes)
    assert list(below.get_level_values("file")) == files
    assert notes == ["1 files of other kinds not read: .mp4 1."]
    table = list_segments(root / "labels.csv")
    assert list(table.get_level_values("file")) == files
    assert set(table.get_level_values("start")) == {pd.Timedelta("250ms")}
    (root / "some.TXT").write_text("file;end;mood\n.\\1.WAV;0,5;x\n2;00:00:00,250;\ngone;NA;\n")
    named = list_segments(root / "some.TXT", notes)
    assert list(named.get_level_values("file")) == [*files[1:3], str(root / "gone")]
    assert list(named.get_level_values("end").total_seconds()[:2]) == [0.5, 0.25]
    assert [note[:26] for note in notes[1:]] == [
        "Columns not used: mood.", "1 of 3 rows have no end: N", "1 files of some.TXT are no",
        "2 files are spelled in ano",
    ]  # fmt: skip
    for line, message in (("file,Start\n0.wav,1", "mean 'start'"), ("path\n0.wav", "mean 'file'")):
        (root / "other.csv").write_text(line)
        with pytest.raises(ValueError, match=message):
            list_segments(root / "other.csv")
    assert list(list_segments(files[0])) == list(below[:1])
    with pytest.raises(ValueError, match=r"1 segments come twice .*0\.wav"):
        list_segments([files[0], *files])
    with pytest.raises(ValueError, match=r"No audio in .*more', expected .* \.mp4 1"):
        list_segments(root / "more")
    with pytest.raises(FileNotFoundError, match="Nothing at"):
        list_segments(root / "gone")


def test_without_a_split_no_speaker_is_in_two_splits(tmp_path):
    root = folder(tmp_path, ROWS.drop(columns="split"))
    table = corpora.load(root, seed=3)
    assert table.groupby("speaker")["split"].nunique().eq(1).all()
    assert set(table["split"]) == {"train", "dev", "test"}
    pd.testing.assert_frame_equal(corpora.load(root, seed=3), table)
    assert "seed 3" in notes(table)


def test_the_split_of_a_seed_stays_the_same(tmp_path):
    root = folder(tmp_path, ROWS.drop(columns=["split", "speaker"]))
    drawn = {seed: "".join(corpora.load(root, seed=seed)["split"].str[2]) for seed in (0, 1)}
    assert drawn == {0: "aavsvasa", 1: "vsaasvaa"}  # train, dev, test


def test_files_of_one_name_in_two_folders_are_two_speakers_where_none_is_named(tmp_path):
    rows = ROWS.iloc[:3].assign(file=[f"{s}/0.wav" for s in "abc"], split=list(tables.SPLITS))
    for number, name in enumerate(rows["file"]):
        write(tmp_path / name, buzz(0.2, seed=number))
    rows.drop(columns="speaker").to_csv(tmp_path / "labels.csv", index=False)
    assert corpora.load(tmp_path)["speaker"].tolist() == ["a/0.wav", "b/0.wav", "c/0.wav"]


def test_all_of_a_folder_is_for_testing_whatever_splits_it_has(tmp_path):
    root = folder(tmp_path, ROWS.iloc[:2].drop(columns="split"))  # one speaker: none can be drawn
    message = r"expected at least 3: give it a column split .* for_testing=True"
    with pytest.raises(ValueError, match=message):
        corpora.load(root)
    assert set(corpora.load(root, for_testing=True)["split"]) == {"test"}
    assert list(corpora.load(folder(tmp_path), for_testing=True)["split"]) == ["test"] * len(ROWS)


def test_a_saved_folder_is_loaded_with_the_same_signals_and_labels(tmp_path, labels):
    some = labels.iloc[::7]
    corpora.folder.save(some, tmp_path / "mine")
    again = corpora.load(tmp_path / "mine")
    for name in ["split", "speaker", "emotion", "gender", *tables.DIMENSIONS, "label"]:
        assert again[name].tolist() == some[name].tolist()
    for ours, theirs in zip(again.index, some.index, strict=True):
        np.testing.assert_allclose(audio.read(*ours), audio.read(*theirs), atol=1e-4)
    assert not again["synthetic"].any()


def test_a_folder_of_synthetic_speech_stays_synthetic_when_it_is_saved(tmp_path, labels):
    file = tmp_path / "a.wav"
    file.write_bytes(audio.encode(buzz(0.5), comment=audio.SYNTHETIC))
    corpora.folder.save(labels.iloc[:1].set_index(tables.segments([file])), tmp_path / "mine")
    assert corpora.load(tmp_path / "mine", for_testing=True)["synthetic"].all()
