"""Test data are never learned from: leaks between splits are errors with counts."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import buzz, write

from paraclap import corpora, tables
from paraclap.corpora.checks import LeakError, check_leaks


def labels_of(rows: list[tuple[str, float, float, str, str]]) -> pd.DataFrame:
    """Labels of segments: file, start, end, speaker, split."""
    files, starts, ends, speakers, splits = zip(*rows, strict=True)
    index = tables.segments(files, starts, ends)
    return pd.DataFrame({"corpus": "c", "speaker": speakers, "split": splits}, index=index)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A corpus of twelve files, three speakers, one in each split."""
    rows = []
    for number in range(12):
        write(tmp_path / f"{number}.wav", buzz(0.2, 100 + number, seed=number))
        split = ("train", "dev", "test")[number // 4]
        rows.append((f"{number}.wav", "anger", f"s{number // 4}", split))
    table = pd.DataFrame(rows, columns=["file", "emotion", "speaker", "split"])
    table.to_csv(tmp_path / "labels.csv", index=False)
    return tmp_path


def test_the_first_five_speakers_in_two_splits_are_named():
    both = [(f"{i}{s}.wav", 0, 1, f"s{i}", s) for i in range(6) for s in ("dev", "test")]
    rows = [("6.wav", 0, 1, "s6", "train"), ("7.wav", 0, 1, "s6", "train"), *both]
    named = "; ".join(f"s{i} (dev, test)" for i in range(5))
    message = f"6 of 7 speakers are in two splits in my.csv (first: {named}), expected each in one:"
    with pytest.raises(LeakError, match=re.escape(message)):
        check_leaks(labels_of(rows), "my.csv")


def test_two_corpora_may_name_two_people_alike(labels):
    other = labels[labels["split"] == "test"].assign(corpus="other", speaker="s0")
    check_leaks(pd.concat([labels[labels["split"] != "test"], other]))


def test_a_corpus_whose_splits_share_a_speaker_is_not_loaded(folder):
    rows = pd.read_csv(folder / "labels.csv")
    rows.loc[11, "speaker"] = "s0"
    rows.to_csv(folder / "labels.csv", index=False)
    message = r"1 of 3 speakers .* in labels\.csv \(first: s0 \(train, test"
    with pytest.raises(LeakError, match=message):
        corpora.load(folder)
    assert len(corpora.load(folder, for_testing=True)) == 12
    assert len(corpora.load(folder, columns="speaker=")) == 12


@pytest.mark.parametrize("end", [2.5, np.nan])
def test_seconds_of_one_file_in_two_splits_are_named(end):
    labels = labels_of([("/a/b.wav", 0, 2, "s", "train"), ("/a/b.wav", 1.5, end, "t", "test")])
    with pytest.raises(LeakError, match=r"Seconds of 1 files are in train and in .*: /a/b\.wav\)"):
        check_leaks(labels)


SPLITS = st.sampled_from(["train", "test"])
SEGMENTS = st.tuples(st.sampled_from("ab"), st.integers(0, 8), st.integers(1, 4), SPLITS)


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(st.lists(SEGMENTS, min_size=1, max_size=8))
def test_seconds_are_compared_as_by_a_slow_reference(segments):
    rows = [(file, first, first + long, split, split) for file, first, long, split in segments]
    slow = any(
        one[0] == other[0] and one[4] != other[4] and one[1] < other[2] and other[1] < one[2]
        for one in rows
        for other in rows
    )
    try:
        check_leaks(labels_of(rows))
        found = False
    except LeakError:
        found = True
    assert found == slow


def test_a_test_file_among_the_training_files_under_another_name_is_found(folder):
    shutil.copy(folder / "1.wav", folder / "9.wav")
    message = (
        "1 recordings, under two names each, are in train and in dev or test of labels.csv "
        f"(first: {folder.name}/1.wav and {folder.name}/9.wav): leave the copies out."
    )
    with pytest.raises(LeakError, match=re.escape(message)):
        corpora.load(folder)
    assert len(corpora.load(folder, for_testing=True)) == 12


def test_copies_within_a_split_segments_of_a_file_and_files_that_start_alike_are_no_leaks(folder):
    shutil.copy(folder / "1.wav", folder / "2.wav")
    for name, last in (("3.wav", 0.1), ("8.wav", 0.2)):
        write(folder / name, np.append(buzz(1.0), np.float32(last)))
    check_leaks(corpora.load(folder))
    rows = [(folder / "1.wav", 0, 0.1, "a", "train"), (folder / "1.wav", 0.1, 0.2, "b", "test")]
    check_leaks(labels_of(rows))


def test_files_without_sound_and_those_that_are_not_here_are_no_copies(folder):
    labels = corpora.load(folder)
    shutil.copy(folder / "1.wav", folder / "9.wav")
    (folder / "1.wav").unlink()
    check_leaks(labels)
    for name in ("1.wav", "9.wav"):
        write(folder / name, np.zeros(0, np.float32))
    assert len(corpora.load(folder).attrs["failed"]) == 2
