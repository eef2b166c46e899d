"""The built-in corpora on disk: the same for everybody, whole, and as they were meant."""

from __future__ import annotations

import resource
import sys

import audformat
import opensmile
import pandas as pd
import pytest
import soundfile

from paraclap import spoken, synthesis, tables

SMALL = {"voices": 60, "held_out": 12, "seed": 3}
MEASURES = {
    "pitch": ("F0semitoneFrom27.5Hz_sma3nz_amean", 0.85),
    "variation": ("F0semitoneFrom27.5Hz_sma3nz_stddevNorm", 0.5),
    "level": ("equivalentSoundLevel_dBp", 0.9),
    "brightness": ("alphaRatioV_sma3nz_amean", 0.8),
    "jitter": ("jitterLocal_sma3nz_amean", 0.35),
    "shimmer": ("shimmerLocaldB_sma3nz_amean", 0.35),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return synthesis.build(tmp_path_factory.mktemp("one") / "corpus", **SMALL, jobs=1)


def sounds(root):
    return {path.relative_to(root): path.read_bytes() for path in root.glob("*/*/*.wav")}


def times(root):
    return {path: path.stat().st_mtime_ns for path in root.glob("*/*/*.wav")}


def test_two_processes_speak_the_same_bytes_as_one(root, tmp_path):
    other = synthesis.build(tmp_path, **SMALL, jobs=2)
    assert sounds(root) == sounds(other)
    for name in ("db.yaml", "db.podcast.parquet", "intended.parquet"):
        assert (root / name).read_bytes() == (other / name).read_bytes()


def test_audformat_reads_the_database_with_all_corpora(root):
    database = audformat.Database.load(root)
    assert set(database.tables) == set(spoken.CORPORA)
    assert set(database.splits) == {"train", "dev", "test"}
    people = database.schemes["speaker"].labels
    assert {frozenset(person) for person in people.values()} == {frozenset({"gender", "language"})}
    for name, corpus in spoken.CORPORA.items():
        table = database[name].get()
        assert set(table["label"]) == set(corpus.classes)
        assert set(table["speaker"]) <= set(people)
        assert ("emotion" in table) == corpus.emotional


def test_training_corpus_has_ratings_and_splits_and_held_out_ones_are_for_test(root):
    database = audformat.Database.load(root)
    podcast = database["podcast"].get()
    assert podcast[list(tables.DIMENSIONS)].notna().all(axis=None)
    assert podcast["split"].value_counts().to_dict() == {"train": 60, "dev": 9, "test": 9}
    assert {table.split_id for name, table in database.tables.items() if name != "podcast"} == {
        "test"
    }


def test_segments_end_where_the_files_end(root):
    index = audformat.Database.load(root)["podcast"].index
    for file, start, end in index[:10]:
        info = soundfile.info(root / file)
        assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
        assert start == pd.Timedelta(0)
        assert end.total_seconds() == pytest.approx(info.duration, abs=1e-6)
        assert 0.6 < info.duration < 8


def test_measured_features_follow_the_intended_voice(root):
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    intended = tables.read_table(root / "intended.parquet")
    intended = intended[intended["corpus"] == "podcast"].set_index("file")
    measured = pd.concat(
        [
            smile.process_signal(*soundfile.read(root / file)).set_index([[file]])
            for file in intended.index
        ]
    )
    for dimension, (feature, least) in MEASURES.items():
        correlation = intended[dimension].corr(measured[feature], method="spearman")
        assert correlation > least, dimension


def test_second_call_speaks_nothing_and_returns_at_once(root):
    before = times(root)
    assert synthesis.build(root, **SMALL, jobs=1) == root
    assert times(root) == before


def test_only_missing_files_are_spoken_again_and_to_the_same_bytes(root):
    spoken_before, before = sounds(root), times(root)
    gone = sorted(before)[::17]
    for path in gone:
        path.unlink()
    gone[0].with_suffix(".part").write_bytes(b"half a file")
    synthesis.build(root, **SMALL, jobs=1)
    assert sounds(root) == spoken_before
    assert {path for path, time in times(root).items() if time != before[path]} == set(gone)
    assert not list(root.glob("*/*/*.part"))


def test_other_settings_replace_what_was_there(tmp_path):
    synthesis.build(tmp_path, 9, 9, seed=0, jobs=1)
    before = sounds(tmp_path)
    synthesis.build(tmp_path, 10, 9, seed=1, jobs=1)
    after = sounds(tmp_path)
    assert len(after) == len(before) + 1
    assert all(after[file] != before[file] for file in set(after) & set(before))
    assert len(audformat.Database.load(tmp_path)["podcast"]) == 10 + 9 + 9


def test_a_folder_that_was_not_made_here_is_left_alone(tmp_path):
    mine = tmp_path / "podcast" / "interview.wav"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="not made here and not replaced"):
        synthesis.build(tmp_path, 9, 9, jobs=1)
    assert mine.read_bytes() == b"mine"


def test_when_no_more_can_be_written_nothing_is_half_there_and_nothing_is_lost(tmp_path):
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, unlimited[1]))
    try:
        with pytest.raises(OSError, match="what has been spoken is kept"):
            synthesis.build(tmp_path, 9, 9, jobs=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    kept = times(tmp_path)
    assert 0 < len(kept) < 9 + 9 + 9 + 8 * 9
    assert not list(tmp_path.glob("*/*/*.part"))
    synthesis.build(tmp_path, 9, 9, jobs=1)
    assert len(sounds(tmp_path)) == 9 + 9 + 9 + 8 * 9
    assert kept.items() <= times(tmp_path).items()


def test_without_espeak_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(ModuleNotFoundError, match="pip install espeakng-loader"):
        synthesis.build(tmp_path, 9, 9, jobs=1)


def test_without_espeak_finished_corpora_can_still_be_used(root, monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    assert synthesis.build(root, **SMALL, jobs=1) == root
