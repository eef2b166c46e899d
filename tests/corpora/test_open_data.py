"""Open databases are fetched by name; those of the tests have their form, not their speech."""

from __future__ import annotations

import shutil
from pathlib import Path

import audb
import audformat
import open_databases
import pandas as pd
import pytest
import soundfile
import yaml
from paraclap.corpora.open_data import PINNED

from paraclap import corpora
from paraclap.corpora import labels, open_data
from paraclap.tables import LABELS

ROOT = Path(__file__).parents[2]
TRUTH = {
    "crema-d": open_databases.crema_d(),
    "emodb": open_databases.emodb(),
    "ravdess": open_databases.ravdess(),
}


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> audb.Repository:
    return open_databases.publish(tmp_path_factory.mktemp("audb"))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def reachable(monkeypatch, repository, cache):
    monkeypatch.setattr(audb.config, "REPOSITORIES", [repository])
    monkeypatch.setattr(audb.config, "SHARED_CACHE_ROOT", str(cache / "shared"))
    monkeypatch.setenv("AUDB_CACHE_ROOT", str(cache))


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_a_pinned_database_is_read_as_it_was_labelled(name):
    table, where, notes = open_data.load(name)
    clips = {clip.file: clip for clip in TRUTH[name]}
    files = table.index.get_level_values("file")
    depth = len(Path(next(iter(clips))).parts)
    rows = table.set_axis(["/".join(Path(file).parts[-depth:]) for file in files])
    assert where == name
    assert set(rows.index) == set(clips)
    assert list(rows["emotion"]) == [clips[file].emotion for file in rows.index]
    assert list(rows["split"]) == [clips[file].split for file in rows.index]
    assert list(rows["gender"]) == ["male" if clips[file].male else "female" for file in rows.index]
    assert list(rows["speaker"]) == [f"{name}-{clips[file].speaker}" for file in rows.index]
    assert set(rows["language"]) == {"de" if name == "emodb" else "en"}
    assert set(rows["corpus"]) == {name}
    assert table.attrs["unofficial_split"]
    assert "audEERING's" in " ".join(notes)
    assert notes[0].startswith(f"Version {PINNED[name][0]} from audb, licence: ")


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_the_audio_is_mono_at_16_khz_and_only_what_the_tables_name_is_there(name, cache):
    table, _, _ = open_data.load(name)
    files = {Path(file) for file in table.index.get_level_values("file")}
    kinds = {(soundfile.info(file).samplerate, soundfile.info(file).channels) for file in files}
    assert kinds == {(16_000, 1)}
    assert set(cache.glob(f"{name}/**/*.wav")) == files


@pytest.mark.parametrize("name", sorted(TRUTH))
def test_a_fetched_database_passes_the_checks_of_all_corpora(name):
    table = labels.finish(*open_data.load(name), "emotion", 0)
    assert list(table.columns) == [*LABELS, "synthetic"]
    assert table[["emotion", "label", "gender", "speaker"]].notna().all(axis=None)
    assert not table.attrs["failed"]
    assert not [note for note in table.attrs["notes"] if "not in the list" in note]


def test_speakers_of_two_databases_have_different_names():
    speakers = [set(open_data.load(name)[0]["speaker"]) for name in TRUTH]
    assert len(set().union(*speakers)) == sum(map(len, speakers))


def test_open_yaml_learns_from_crema_d_alone_and_tests_on_all_three():
    corpus = yaml.safe_load((ROOT / "params" / "open.yaml").read_text("utf-8"))["corpus"]
    assert corpus == ", ".join(f"audb:{name}@{PINNED[name][0]}" for name in TRUTH)
    table = corpora.load(corpus)
    splits = table.groupby("corpus")["split"].unique().map(set).to_dict()
    assert splits == {
        "crema-d": {"train", "dev", "test"},
        "emodb": {"test"},
        "ravdess": {"test"},
    }
    assert table.groupby("split")["speaker"].nunique()["train"] == 4
    notes = table.attrs["notes"]
    alone = corpora.load("audb:emodb", for_testing=True)
    assert len(alone) == len(TRUTH["emodb"]) == (table["corpus"] == "emodb").sum()
    assert [sum(note.startswith(name) for note in notes) > 0 for name in splits] == [True] * 3


def test_a_second_load_needs_no_repository(monkeypatch):
    first, _, _ = open_data.load("emodb", "1.4.1")
    monkeypatch.setattr(audb.config, "REPOSITORIES", [])
    again, _, _ = open_data.load("emodb", "1.4.1")
    pd.testing.assert_frame_equal(first, again)


def other(root: Path, version: str, repository: audb.Repository, **columns: list[str]) -> None:
    """Publish database "other": two tables about two files, some columns."""
    clips = open_databases.crema_d()[:2]
    found = audformat.Database("other", languages=["spa"])
    found.schemes["word"] = audformat.Scheme("str")
    for table, values in columns.items():
        name, column = table.split("__")
        said = {column: ("word", values)}
        if name in found.tables:
            found[name][column] = audformat.Column(scheme_id="word")
            found[name][column].set(values)
        else:
            open_databases.table(found, name, [clip.file for clip in clips], said)
    open_databases.speak(root, clips, 16_000)
    open_databases.publish_one(found, root, version, repository)


def test_of_any_other_database_the_latest_version_and_all_emotion_tables_are_taken(
    tmp_path, monkeypatch
):
    repository = open_databases.repository_in(tmp_path / "host")
    monkeypatch.setattr(audb.config, "REPOSITORIES", [repository])
    monkeypatch.setenv("AUDB_CACHE_ROOT", str(tmp_path / "cache"))
    old = {"first__emotion": ["fear", "fear"]}
    new = {
        "first__emotion": ["anger", "fear"],
        "second__emotion": ["anger", "joy"],
        "people__speaker": ["a", "b"],
        "texts__sentence": ["one", "two"],
    }
    other(tmp_path / "old", "0.9.0", repository, **old)
    other(tmp_path / "new", "0.10.0", repository, **new)
    table, _, notes = open_data.load("other")
    assert list(table["emotion"]) == ["anger", "fear"]
    assert list(table["speaker"]) == ["other-a", "other-b"]
    assert set(table["language"]) == {"es"}
    assert notes == [
        "Version 0.10.0 from audb, licence: not given, use: unrestricted.",
        "Tables of other 0.10.0 that are used: first, second. "
        "Where they differ the first one counts.",
    ]
    table, _, _ = open_data.load("other", "0.9.0")
    assert list(table["emotion"]) == ["fear", "fear"]
    assert "speaker" not in table


def test_a_database_without_an_emotion_column_is_an_error_that_names_its_columns(
    tmp_path, monkeypatch
):
    repository = open_databases.repository_in(tmp_path / "host")
    monkeypatch.setattr(audb.config, "REPOSITORIES", [repository])
    monkeypatch.setenv("AUDB_CACHE_ROOT", str(tmp_path / "cache"))
    other(tmp_path / "other", "1.0.0", repository, words__sentence=["one", "two"])
    with pytest.raises(ValueError, match=r"No table of other 1\.0\.0 .*\['sentence'\].*load_to"):
        open_data.load("other")
    assert not list((tmp_path / "cache").rglob("*.wav"))


def test_an_unknown_version_is_an_error_with_those_there():
    with pytest.raises(FileNotFoundError) as caught:
        open_data.load("emodb", "1.4.7")
    message = str(caught.value)
    assert "No database 'emodb' in version '1.4.7'" in message
    assert "Did you mean '1.4.1'?" in message
    assert "audb:emodb@1.4.1" in message


@pytest.mark.parametrize("version", ["", "1.0.0"])
def test_an_unknown_name_is_an_error_with_what_to_do(version):
    with pytest.raises(FileNotFoundError, match=r"No database 'emo-db'.*AUDB_CACHE_ROOT") as caught:
        open_data.load("emo-db", version)
    assert "audb-local" in str(caught.value)
    assert "['crema-d', 'emodb', 'ravdess']" in str(caught.value)


def test_a_repository_that_is_gone_is_named_without_its_place(tmp_path, monkeypatch):
    gone = audb.Repository("audb-gone", str(tmp_path / "secret" / "host"), "file-system")
    monkeypatch.setattr(audb.config, "REPOSITORIES", [gone])
    monkeypatch.setenv("AUDB_CACHE_ROOT", str(tmp_path / "cache"))
    with pytest.raises(FileNotFoundError, match=r"\[\'audb-gone \(host\)\'\].*network") as caught:
        open_data.load("emodb")
    assert "secret" not in str(caught.value)


def test_a_download_that_breaks_off_is_an_error_and_goes_on_when_run_again(
    tmp_path, monkeypatch, repository
):
    host = tmp_path / "host"
    shutil.copytree(repository.host, host)
    own = audb.Repository(repository.name, str(host), "file-system")
    monkeypatch.setattr(audb.config, "REPOSITORIES", [own])
    monkeypatch.setenv("AUDB_CACHE_ROOT", str(tmp_path / "cache"))
    media = host / repository.name / "emodb" / "media"
    media.rename(tmp_path / "media")
    with pytest.raises(OSError, match=r"Cannot fetch emodb 1\.4\.1 with audb .*run again"):
        open_data.load("emodb")
    (tmp_path / "media").rename(media)
    assert len(open_data.load("emodb")[0]) == len(TRUTH["emodb"])
