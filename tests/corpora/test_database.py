"""Audformat databases on disk: tables become corpora, speakers and splits are found."""

from __future__ import annotations

import audformat
import pytest
from sounds import buzz, write

from paraclap import corpora


def audio_files(path):
    for i in range(5):
        write(path / f"{i}.wav", buzz(0.2, seed=i))


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
    audio_files(tmp_path)
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
    audio_files(tmp_path)
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
    with pytest.raises(
        ValueError, match=r"Unknown table 'speakr' in 'mydb', .*Did you mean 'speaker'"
    ):
        corpora.load(root, table="speakr")


@pytest.mark.parametrize("storage", ["split", "name", "column"])
def test_the_split_is_a_column_the_tables_own_or_in_its_name(tmp_path, storage):
    audio_files(tmp_path)
    first = audformat.filewise_index(["0.wav", "1.wav"])
    second = audformat.filewise_index(["2.wav"])
    said = {"split": ["validation"]} if storage == "column" else {}
    split = "test" if storage == "split" else None
    name = "emotion.test-1" if storage == "name" else "emotion.b"
    root = database(tmp_path, {
        "emotion.train": (first, None, {"emotion": ["anger", "fear"]}),
        name: (second, split, {"emotion": ["fear"], **said}),
    })  # fmt: skip
    table = corpora.load(root).sort_index()
    expected = "dev" if storage == "column" else "test"
    assert list(table["split"]) == ["train", "train", expected]


def test_a_table_of_files_speaks_for_all_segments_of_these_files(tmp_path):
    audio_files(tmp_path)
    pieces = audformat.segmented_index(["0.wav"] * 2, ["0s", "0.1s"], ["0.1s", "0.2s"])
    root = database(tmp_path, {
        "emotion": (pieces, None, {"emotion": ["anger", "fear"]}),
        "files": (audformat.filewise_index(["0.wav"]), None, {"speaker": ["s1"]}),
    })  # fmt: skip
    table = corpora.load(root, for_testing=True)
    assert list(table["emotion"]) == ["anger", "fear"]
    assert set(table["speaker"]) == {"s1"}
    assert set(table["gender"]) == {"female"}


def test_a_database_that_is_not_complete_is_an_error_that_says_so(tmp_path):
    audio_files(tmp_path)
    files = audformat.filewise_index(["0.wav"])
    root = database(tmp_path, {"emotion": (files, None, {"emotion": ["anger"]})})
    with pytest.raises(ValueError, match=r"No column \['mood'\] in database 'mydb'"):
        corpora.load(root, columns="mood=emotion")
    next(root.glob("db.emotion.*")).write_bytes(b"broken")
    with pytest.raises(ValueError, match=r"Cannot read table 'emotion' .*Copy it again"):
        corpora.load(root)
    (root / "db.yaml").write_text("name: [")
    with pytest.raises(ValueError, match=r"Cannot read the database .*Copy it again"):
        corpora.load(root)
