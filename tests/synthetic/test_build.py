"""The synthetic corpora on disk: the same bytes for everybody, complete, and as intended."""

import hashlib
import platform
import resource
import sys

import audformat
import opensmile
import pandas as pd
import pytest
import soundfile

from paraclap import audio, tables
from paraclap.corpora import synthetic
from paraclap.corpora.synthetic.plan import read_data

SMALL = {"utterances": 60, "held_out": 12, "seed": 3}
SMALLEST = 9 + 9 + 9 + 8 * 9  # files of the smallest corpora
DIGESTS = {
    "podcast/podcast-train-000/00000.wav": "7c05dff6031a7cf3b23d70c121977d16f136a2b4",
    "iemocap-like/iemocap-like-test-000/00000.wav": "b405d2d45f50763a83b6408e5afc22c1c29603f8",
    "aibo2-like/aibo2-like-test-000/00000.wav": "29f01e5c1b2f3a87c0d8ff3aa5e0a833f278d801",
    "alc-like/alc-like-test-000/00000.wav": "c6f10b284b879036b500866714652a02e87005f1",
    "sld-like/sld-like-test-000/00000.wav": "df52a4898343b8dc17e57c5c5967239c9bc3f636",
}
RANK_CORRELATIONS = {  # of a functional with the intended prosody, at least
    "pitch": ("F0semitoneFrom27.5Hz_sma3nz_amean", 0.85),
    "variation": ("F0semitoneFrom27.5Hz_sma3nz_stddevNorm", 0.5),
    "level": ("equivalentSoundLevel_dBp", 0.9),
    "brightness": ("alphaRatioV_sma3nz_amean", 0.8),
    "jitter": ("jitterLocal_sma3nz_amean", 0.35),
    "shimmer": ("shimmerLocaldB_sma3nz_amean", 0.35),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return synthetic.build(tmp_path_factory.mktemp("one") / "corpus", **SMALL, jobs=1)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.glob("*/*/*.wav")}


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.glob("*/*/*.wav")}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="recorded on x86-64")
def test_clips_are_bit_equal_to_those_that_the_published_answers_are_about(folder):
    found = {file: hashlib.sha1((folder / file).read_bytes()).hexdigest() for file in DIGESTS}
    assert found == DIGESTS


def test_two_processes_write_the_same_bytes_as_one(folder, tmp_path):
    other = synthetic.build(tmp_path, **SMALL, jobs=2)
    assert contents(folder) == contents(other)
    for name in ("db.yaml", "db.podcast.parquet", "intended.parquet"):
        assert (folder / name).read_bytes() == (other / name).read_bytes()


def test_audformat_reads_the_database_with_all_corpora(folder):
    database = audformat.Database.load(folder)
    corpora, classes = read_data("corpora", "corpus"), read_data("classes", "corpus")
    assert set(database.tables) == set(corpora.index)
    people = database.schemes["speaker"].labels
    assert {frozenset(person) for person in people.values()} == {frozenset({"gender", "language"})}
    for name, corpus in corpora.iterrows():
        table = database[name].get()
        assert set(table["label"]) == set(classes.loc[name, "label"])
        assert set(table["speaker"]) <= set(people)
        assert ("emotion" in table) == corpus["emotional"]
        assert ("arousal" in table) == corpus["rated"]
        assert database[name].split_id == (None if name == "podcast" else "test")
    splits = database["podcast"].get()["split"].value_counts().to_dict()
    assert splits == {"train": 60, "dev": 9, "test": 9}


def test_files_say_that_no_person_speaks_and_end_where_their_segments_end(folder):
    assert audio.is_synthetic([str(path) for path in times(folder)])
    index = audformat.Database.load(folder)["podcast"].index
    for file, start, end in index[:10]:
        info = soundfile.info(folder / file)
        assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
        assert start == pd.Timedelta(0)
        assert end.total_seconds() == pytest.approx(info.duration, abs=1e-6)
        assert 0.6 < info.duration < 8


def test_functionals_follow_the_intended_prosody_and_other_files_have_none(folder, tmp_path):
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    files = [str(path) for path in sorted((folder / "podcast").glob("*/*.wav"))]
    intended = synthetic.intended_prosody(folder, tables.segments(files))
    found = pd.concat([smile.process_signal(*soundfile.read(file)) for file in files])
    found.index = intended.index
    for dimension, (functional, least) in RANK_CORRELATIONS.items():
        correlation = intended[dimension].corr(found[functional], method="spearman")
        assert correlation > least, dimension
    index = tables.segments([str(tmp_path / "mine.wav")])
    for place in (folder, tmp_path):
        assert synthetic.intended_prosody(place, index).empty


def test_only_missing_files_are_written_again_and_to_the_same_bytes(folder, monkeypatch):
    before, content = times(folder), contents(folder)
    assert synthetic.build(folder, **SMALL, jobs=1) == folder
    assert times(folder) == before
    gone = sorted(before)[::17]
    for path in gone:
        path.unlink()
    synthetic.build(folder, **SMALL, jobs=1)
    assert contents(folder) == content
    assert {path for path, time in times(folder).items() if time != before[path]} == set(gone)
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)  # not needed any more
    assert synthetic.build(folder, **SMALL, jobs=1) == folder


def test_other_settings_replace_what_was_there(tmp_path):
    synthetic.build(tmp_path, 9, 9, seed=0, jobs=1)
    before = contents(tmp_path)
    synthetic.build(tmp_path, 10, 9, seed=1, jobs=1)
    after = contents(tmp_path)
    assert len(after) == len(before) + 1
    assert all(after[file] != before[file] for file in set(after) & set(before))
    assert len(audformat.Database.load(tmp_path)["podcast"]) == 10 + 9 + 9


def test_a_folder_that_was_not_made_here_is_left_alone(tmp_path):
    mine = tmp_path / "podcast" / "interview.wav"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="not made here and not replaced"):
        synthetic.build(tmp_path, 9, 9, jobs=1)
    assert mine.read_bytes() == b"mine"


def test_when_no_more_can_be_written_nothing_is_half_there_and_finished_files_are_kept(tmp_path):
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, unlimited[1]))
    try:
        with pytest.raises(OSError, match="Cannot write"):
            synthetic.build(tmp_path, 9, 9, jobs=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    kept = times(tmp_path)
    assert 0 < len(kept) < SMALLEST
    synthetic.build(tmp_path, 9, 9, jobs=1)
    assert len(contents(tmp_path)) == SMALLEST
    assert kept.items() <= times(tmp_path).items()


def test_the_name_of_the_built_corpora_builds_them_and_a_folder_stays_itself(folder, tmp_path):
    assert synthetic.corpus_folder("synthesis", folder, *SMALL.values()) == folder
    assert synthetic.corpus_folder(str(tmp_path), folder, *SMALL.values()) == tmp_path
