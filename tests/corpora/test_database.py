"""Audformat databases on disk and fetched by name: corpora, speakers and splits are found."""

import shutil
from pathlib import Path

import audb
import audformat
import open_databases
import pandas as pd
import pytest
import soundfile
import yaml
from sounds import buzz, write

from paraclap import corpora
from paraclap.corpora import database
from paraclap.tables import LABELS

ROOT = Path(__file__).parents[2]


# --- on disk ------------------------------------------------------------------------------------


def filewise(*numbers):
    return audformat.filewise_index([f"{number}.wav" for number in numbers])


@pytest.fixture
def save(tmp_path):
    """Saves a database with one table per entry: name → (index, split_id, columns)."""
    for i in range(5):
        write(tmp_path / f"{i}.wav", buzz(0.2, seed=i))

    def saved(tables):
        found = audformat.Database("mydb", languages=["deu"])
        people = {f"s{i}": {"gender": "female" if i % 2 else "male"} for i in range(4)}
        found.schemes["speaker"] = audformat.Scheme("str", labels=people)
        found.schemes["arousal"] = audformat.Scheme("float")
        for name, (index, split_id, columns) in tables.items():
            open_databases.add_table(found, name, index, columns, split_id)
        found.save(str(tmp_path))
        return tmp_path

    return saved


def test_a_table_per_corpus_with_speakers_in_the_scheme(save):
    pod = {"emotion": ["anger", "fear", "fear"], "speaker": ["s0", "s1", "s2"]}
    root = save({
        "pod": (filewise(0, 1, 2), None, pod | {"split": ["train", "dev", "test"]}),
        "likes": (filewise(3, 4), "test", {"label": ["likable", "not"], "speaker": ["s3", "s3"]}),
    })  # fmt: skip
    table = corpora.load(root).sort_index()
    assert list(table["corpus"]) == ["pod"] * 3 + ["likes"] * 2
    assert list(table["split"]) == ["train", "dev", "test", "test", "test"]
    assert list(table["gender"]) == ["male", "female", "male", "female", "female"]
    assert list(table["label"]) == ["anger", "fear", "fear", "likable", "not"]
    assert set(table["language"]) == {"de"}


def test_tables_about_the_same_files_are_one_corpus(save):
    train, test = filewise(0, 1), filewise(2, 3)
    root = save({
        "categories.consensus.train": (train, None, {"emotion": ["anger", "fear"]}),
        "categories.consensus.test-1": (test, None, {"emotion": ["fear", "anger"]}),
        "dimensions.consensus.train": (train, None, {"arousal": [1.0, 2.0]}),
        "speaker": (train.union(test), None, {"speaker": ["s0", "s1", "s2", "s3"]}),
    })  # fmt: skip
    table = corpora.load(root)
    assert set(table["corpus"]) == {"mydb"}
    assert sorted(table["split"]) == ["test", "test", "train", "train"]
    assert table["arousal"].notna().sum() == 2
    assert table["gender"].notna().all()


@pytest.mark.parametrize("storage", ["split", "name", "column"])
def test_the_split_is_a_column_the_tables_own_or_in_its_name(save, storage):
    more = {"split": ["validation"]} if storage == "column" else {}
    name = "emotion.test-1" if storage == "name" else "emotion.b"
    root = save({
        "emotion.train": (filewise(0, 1), None, {"emotion": ["anger", "fear"]}),
        name: (filewise(2), "test" if storage == "split" else None, {"emotion": ["fear"], **more}),
    })  # fmt: skip
    expected = "dev" if storage == "column" else "test"
    assert list(corpora.load(root).sort_index()["split"]) == ["train", "train", expected]


def test_a_table_of_files_speaks_for_all_segments_of_these_files(save):
    pieces = audformat.segmented_index(["0.wav"] * 2, ["0s", "0.1s"], ["0.1s", "0.2s"])
    root = save({
        "emotion": (pieces, None, {"emotion": ["anger", "fear"]}),
        "files": (filewise(0), None, {"speaker": ["s1"]}),
    })  # fmt: skip
    table = corpora.load(root, for_testing=True)
    assert list(table["emotion"]) == ["anger", "fear"]
    assert set(table["speaker"]) == {"s1"}
    assert set(table["gender"]) == {"female"}


@pytest.mark.parametrize(("settings", "message"), [
    ({"columns": "mood=emotion"}, r"No column \['mood'\] in database 'mydb', it has \['emotion'"),
    ({"table": "emotoin"}, r"Unknown table 'emotoin' in 'mydb', .*Did you mean 'emotion'"),
    ({"table": "notes"}, r"No column of ours in database 'mydb', it has \['note'\]"),
])  # fmt: skip
def test_a_table_or_column_that_is_not_there_is_an_error(save, settings, message):
    emotions = (filewise(0), None, {"emotion": ["anger"]})
    root = save({"emotion": emotions, "notes": (filewise(0), None, {"note": ["?"]})})
    with pytest.raises(ValueError, match=message):
        corpora.load(root, **settings)
    table = corpora.load(root, for_testing=True)
    assert "Tables without a column of ours, not used: notes." in table.attrs["notes"]


# --- fetched by name: databases in the form of the real ones, not with their speech ---------------

CLIPS = {name: open_databases.clips(name) for name in ("crema-d", "emodb", "ravdess")}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Repository, and a cache that all tests share."""
    return open_databases.publish(tmp_path_factory.mktemp("audb")), tmp_path_factory.mktemp("cache")


@pytest.fixture
def reach(monkeypatch, tmp_path):
    """Lets audb see some repositories only, with an empty cache or the one given."""

    def look_at(repositories, cache=tmp_path / "cache"):
        monkeypatch.setattr(audb.config, "REPOSITORIES", repositories)
        monkeypatch.setattr(audb.config, "SHARED_CACHE_ROOT", str(tmp_path / "shared"))
        monkeypatch.setenv("AUDB_CACHE_ROOT", str(cache))

    return look_at


@pytest.fixture
def cache(reach, published):
    reach([published[0]], published[1])
    return published[1]


@pytest.mark.parametrize("name", CLIPS)
def test_a_pinned_database_is_read_as_it_was_labelled_and_then_kept(name, cache, monkeypatch):
    table, where, notes = database.fetch(name)
    clips = CLIPS[name].set_index("file")
    files = [Path(file) for file in table.index.get_level_values("file")]
    depth = len(Path(clips.index[0]).parts)
    rows = table.set_axis(["/".join(file.parts[-depth:]) for file in files])
    assert where == name
    assert set(rows.index) == set(clips.index)
    clips = clips.loc[rows.index].assign(speaker=lambda t: f"{name}-" + t["speaker"].astype(str))
    for column in ("emotion", "split", "gender", "speaker"):
        assert list(rows[column]) == list(clips[column])
    assert set(rows["language"]) == {"de" if name == "emodb" else "en"}
    assert set(rows["corpus"]) == {name}
    assert "audEERING's" in " ".join(notes)
    assert notes[0].startswith(f"Version {database.PINNED[name][0]} from audb, licence: ")
    kinds = {(soundfile.info(file).samplerate, soundfile.info(file).channels) for file in files}
    assert kinds == {(16_000, 1)}
    assert set(cache.glob(f"{name}/**/*.wav")) == set(files)  # nothing that no table names
    monkeypatch.setattr(audb.config, "REPOSITORIES", [])  # not needed any more
    again, _, _ = database.fetch(f"{name}@{database.PINNED[name][0]}")
    pd.testing.assert_frame_equal(table, again)


def test_open_yaml_learns_from_crema_d_alone_and_tests_on_all_three(cache):
    corpus = yaml.safe_load((ROOT / "params" / "open.yaml").read_text("utf-8"))["corpus"]
    assert corpus == ", ".join(f"audb:{name}@{database.PINNED[name][0]}" for name in CLIPS)
    table = corpora.load(corpus)
    assert list(table.columns) == [*LABELS, "synthetic"]
    assert table[["emotion", "label", "gender", "speaker"]].notna().all(axis=None)
    assert not table.attrs["failed"]
    splits = table.groupby("corpus")["split"].unique().map(set).to_dict()
    learned = {"train", "dev", "test"}
    assert splits == {"crema-d": learned, "emodb": {"test"}, "ravdess": {"test"}}
    assert table.groupby("split")["speaker"].nunique()["train"] == 4
    alone = corpora.load("audb:emodb", for_testing=True)
    assert len(alone) == len(CLIPS["emodb"]) == (table["corpus"] == "emodb").sum()
    assert {note.split(":")[0] for note in table.attrs["notes"]} == set(CLIPS)


def publish_other(root, version, repository, tables):
    """Publish a database about two files: name of a table → column → values."""
    found = audformat.Database("other", languages=["spa"])
    for name, columns in tables.items():
        open_databases.add_table(found, name, filewise(0, 1), columns)
    for number in (0, 1):
        write(root / f"{number}.wav", buzz(0.2, seed=number))
    open_databases.publish_one(found, root, version, repository)


def test_of_any_other_database_the_latest_version_and_all_emotion_tables_are_taken(tmp_path, reach):
    repository = open_databases.repository_in(tmp_path / "host")
    reach([repository])
    new = {
        "first": {"emotion": ["anger", "fear"]}, "second": {"emotion": ["anger", "joy"]},
        "people": {"speaker": ["a", "b"]}, "texts": {"sentence": ["one", "two"]},
    }  # fmt: skip
    old = {"first": {"emotion": ["fear", "fear"]}}
    publish_other(tmp_path / "old", "0.9.0", repository, old)
    publish_other(tmp_path / "new", "0.10.0", repository, new)
    table, _, notes = database.fetch("other")
    assert list(table["emotion"]) == ["anger", "fear"]
    assert list(table["speaker"]) == ["other-a", "other-b"]
    assert set(table["language"]) == {"es"}
    licence = "licence: not given, use: unrestricted"
    assert notes == [f"Version 0.10.0 from audb, {licence}; tables: first, second."]
    table, _, _ = database.fetch("other@0.9.0")
    assert list(table["emotion"]) == ["fear", "fear"]
    assert "speaker" not in table


def test_a_database_without_an_emotion_column_is_an_error_and_not_downloaded(tmp_path, reach):
    repository = open_databases.repository_in(tmp_path / "host")
    reach([repository])
    words = {"words": {"sentence": ["one", "two"]}}
    publish_other(tmp_path / "other", "1.0.0", repository, words)
    with pytest.raises(ValueError, match=r"No table of other 1\.0\.0 has .*'emotion'.*load_to"):
        database.fetch("other")
    assert not list((tmp_path / "cache").rglob("*.wav"))


@pytest.mark.parametrize(("text", "there"), [
    ("emodb@1.4.7", r"\['1\.4\.1'\]"), ("emo-db@1.0.0", r"\[\]"), ("emo-db", r"\[\]"),
])  # fmt: skip
def test_an_unknown_name_or_version_is_an_error_with_what_is_there(cache, text, there):
    message = rf"database '{text.split('@')[0]}'\. .*\['audb-local'\], versions there: {there}"
    with pytest.raises(FileNotFoundError, match=f"{message}: correct {text}, or"):
        database.fetch(text)


def test_a_repository_that_is_gone_is_named_without_its_place(tmp_path, reach):
    reach([audb.Repository("audb-gone", str(tmp_path / "secret" / "host"), "file-system")])
    with pytest.raises(FileNotFoundError, match=r"\['audb-gone'\].*network") as caught:
        database.fetch("emodb")
    assert "secret" not in str(caught.value)


def test_a_download_that_breaks_off_goes_on_when_run_again(tmp_path, published, reach):
    repository = published[0]
    host = shutil.copytree(repository.host, tmp_path / "host")
    reach([audb.Repository(repository.name, str(host), "file-system")])
    media = host / repository.name / "emodb" / "media"
    media.rename(tmp_path / "media")
    with pytest.raises(FileNotFoundError):
        database.fetch("emodb")
    (tmp_path / "media").rename(media)
    assert len(database.fetch("emodb")[0]) == len(CLIPS["emodb"])
