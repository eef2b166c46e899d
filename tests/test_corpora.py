import audformat
import numpy as np
import pandas as pd
import pytest
import soundfile

from paraclap import audio, corpora, tables

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
        soundfile.write(path / f"{i}.wav", np.full(8_000, 0.1), 8_000)
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
    assert "Only one segment of class 'grumpy'" in " ".join(table.attrs["notes"])


def test_other_names_are_mapped_and_other_columns_reported(tmp_path):
    rows = ROWS.rename(columns={"file": "path", "emotion": "mood"}).assign(age=3)
    table = corpora.load(
        folder(tmp_path, rows, "theirs.csv"), columns="path=file,mood=emotion", table="theirs.csv"
    )
    assert table["emotion"].iloc[0] == "anger"
    assert "Columns not used: age." in table.attrs["notes"]


def test_without_a_split_no_speaker_is_in_two_splits(tmp_path):
    root = folder(tmp_path, ROWS.drop(columns="split"))
    table = corpora.load(root, seed=3)
    assert table.groupby("speaker")["split"].nunique().eq(1).all()
    assert set(table["split"]) == {"train", "dev", "test"}
    pd.testing.assert_frame_equal(corpora.load(root, seed=3), table)
    assert "seed 3" in " ".join(table.attrs["notes"])


def test_segments_in_seconds_and_as_text(tmp_path):
    rows = ROWS.assign(start=["0.25"] * 8, end=["0 days 00:00:00.5"] * 7 + [None])
    index = corpora.load(folder(tmp_path, rows)).index
    assert index[0][1:] == (pd.Timedelta("250ms"), pd.Timedelta("500ms"))
    assert index[7][2] == pd.Timedelta("1s")


def test_an_unreadable_file_is_listed_and_kept(tmp_path):
    root = folder(tmp_path)
    (root / "0.wav").write_text("no audio" * 20)
    table = corpora.load(root)
    assert len(table) == 8
    assert pd.isna(table.index[0][2])
    assert "cannot be read as audio" in table.attrs["failed"][0]["reason"]


def at(column, value, row=0):
    """Change of one cell."""
    return lambda rows: rows.astype({column: object}).assign(
        **{column: [value if i == row else v for i, v in enumerate(rows[column])]}
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:0], "has no row"),
        (lambda rows: rows.rename(columns={"emotion": "emotoin"}), "did you mean 'emotion'"),
        (lambda rows: rows[["file", "split"]], "No label column"),
        (lambda rows: rows.drop(columns="file"), "No column 'file'"),
        (at("file", "no.wav"), r"1 files named in labels\.csv are not in .*no\.wav"),
        (at("gender", "femail"), "Bad gender 'femail'.*first: '0.wav'"),
        (at("split", "trian"), "Bad split 'trian'"),
        (at("arousal", "high", 2), "Bad arousal 'high'.*first: 'line 4'"),
        (lambda rows: pd.concat([rows, rows[:1]]), "each segment"),
        (lambda rows: rows.assign(split="test"), "No training split"),
        (lambda rows: rows.assign(start=2, end=1), "an end after the start"),
        (lambda rows: rows.assign(start=-1), "0 or later"),
        (lambda rows: rows.assign(start="soon"), "Bad start 'soon'"),
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
    with pytest.raises(ValueError, match="is empty"):
        corpora.load(tmp_path)
    root = folder(tmp_path)
    with pytest.raises(ValueError, match=r"No column \['mood'\]"):
        corpora.load(root, columns="mood=emotion")
    with pytest.raises(ValueError, match="did you mean 'emotion'"):
        corpora.load(root, columns="mood=emotoin")
    with pytest.raises(ValueError, match=r"Two columns for \['emotion'\].*'theirs='"):
        corpora.load(root, columns="speaker=emotion")
    with pytest.raises(ValueError, match="No label column 'sober'"):
        corpora.load(root, label_column="sober")


def database(root, tables):
    """Database with one table per entry: name → (index, split_id, columns)."""
    found = audformat.Database("mydb", languages=["deu"])
    people = {f"s{i}": {"gender": "female" if i % 2 else "male"} for i in range(4)}
    found.schemes["speaker"] = audformat.Scheme("str", labels=people)
    found.schemes["word"] = audformat.Scheme("str")
    found.schemes["number"] = audformat.Scheme("float")
    found.splits["test"] = audformat.Split(type="test")
    for name, (index, split_id, columns) in tables.items():
        found[name] = audformat.Table(index, split_id=split_id)
        for column, values in columns.items():
            scheme = {"speaker": "speaker", "arousal": "number"}.get(column, "word")
            found[name][column] = audformat.Column(scheme_id=scheme)
            found[name][column].set(values)
    found.save(str(root))
    return root


def test_a_table_per_corpus_with_speakers_in_the_scheme(tmp_path):
    folder(tmp_path)
    first = audformat.filewise_index(["0.wav", "1.wav", "2.wav"])
    second = audformat.filewise_index(["3.wav", "4.wav"])
    root = database(tmp_path, {
        "pod": (first, None, {"emotion": ["anger", "fear", "fear"], "speaker": ["s0", "s1", "s2"],
                              "split": ["train", "dev", "test"]}),
        "likes": (second, "test", {"label": ["likable", "not"], "speaker": ["s3", "s3"]}),
    })  # fmt: skip
    table = corpora.load(root)
    table = table.sort_index()
    assert list(table["corpus"]) == ["pod"] * 3 + ["likes"] * 2
    assert list(table["split"]) == ["train", "dev", "test", "test", "test"]
    assert list(table["gender"]) == ["male", "female", "male", "female", "female"]
    assert list(table["label"]) == ["anger", "fear", "fear", "likable", "not"]
    assert set(table["language"]) == {"de"}


def test_tables_about_the_same_files_are_one_corpus(tmp_path):
    folder(tmp_path)
    train = audformat.filewise_index(["0.wav", "1.wav"])
    test = audformat.filewise_index(["2.wav", "3.wav"])
    root = database(tmp_path, {
        "categories.consensus.train": (train, None, {"emotion": ["anger", "fear"]}),
        "categories.consensus.test-1": (test, None, {"emotion": ["fear", "anger"]}),
        "dimensions.consensus.train": (train, None, {"arousal": [1.0, 2.0]}),
        "speaker": (train.union(test), None, {"speaker": ["s0", "s1", "s2", "s3"]}),
    })  # fmt: skip
    table = corpora.load(root)
    assert set(table["corpus"]) == {"mydb"}
    assert sorted(table["split"]) == ["test", "test", "train", "train"]
    assert len(table) == 4
    assert table["arousal"].notna().sum() == 2
    assert table["gender"].notna().all()
    with pytest.raises(ValueError, match=r"No table \['speakr'\].*did you mean"):
        corpora.load(root, table="speakr")


def test_a_saved_folder_is_loaded_with_the_same_voices_and_labels(tmp_path, voices):
    some = voices.iloc[::7]
    some.attrs = {}
    corpora.folder.save(some, tmp_path / "mine")
    again = corpora.load(tmp_path / "mine")
    kept = ["split", "speaker", "emotion", "gender", "arousal", "valence", "dominance", "label"]
    for name in kept:
        assert again[name].tolist() == some[name].tolist()
    for ours, theirs in zip(again.index, some.index, strict=True):
        np.testing.assert_allclose(audio.read(*ours), audio.read(*theirs), atol=1e-4)
    assert not again["synthetic"].any()


def test_a_folder_that_is_only_asked_about_needs_no_split(tmp_path, voices):
    some = voices.iloc[:3].drop(columns="split")  # one speaker: nothing to be drawn
    corpora.folder.save(some, tmp_path / "mine")
    message = r"expected at least 3: give it a column split .* for_testing=True"
    with pytest.raises(ValueError, match=message):
        corpora.load(tmp_path / "mine")
    assert set(corpora.load(tmp_path / "mine", for_testing=True)["split"]) == {"test"}


def test_all_of_a_folder_is_for_testing_whatever_splits_it_has(tmp_path):
    table = corpora.load(folder(tmp_path), for_testing=True)
    assert list(table["split"]) == ["test"] * len(ROWS)


def test_a_folder_of_synthetic_speech_stays_synthetic_when_it_is_saved(tmp_path, voices):
    file = tmp_path / "a.wav"
    file.write_bytes(audio.encode(np.zeros(8_000, "f4"), comment=audio.SYNTHETIC))
    some = voices.iloc[:1].set_index(tables.segments([file]))
    corpora.folder.save(some, tmp_path / "mine")
    assert audio.comment(tmp_path / "mine" / "000.wav") == audio.SYNTHETIC
