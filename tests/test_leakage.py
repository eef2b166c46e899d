"""What is tested on is never learned from: leaks between splits are errors with counts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import RATE, tone
from hypothesis import given, settings
from hypothesis import strategies as st

from paraclap import corpora, inputs, leakage, levels, quoted, results, tables
from paraclap.leakage import LeakError
from paraclap.queries import Pool
from paraclap.settings import Settings, variant

FEW = settings(max_examples=60, derandomize=True, deadline=None, database=None)


def labels_of(rows: list[tuple[str, float, float, str, str]]) -> pd.DataFrame:
    """Labels of segments: file, start, end, speaker, split."""
    files, starts, ends, speakers, splits = zip(*rows, strict=True)
    index = tables.segments(files, *(pd.to_timedelta(side, unit="s") for side in (starts, ends)))
    return pd.DataFrame({"corpus": "c", "speaker": speakers, "split": splits}, index=index)


def whole(message: str) -> str:
    """A pattern that only the whole message fits."""
    return f"^{re.escape(message)}$"


# --- speakers ----------------------------------------------------------------------------------


def test_a_run_without_leaks_is_left_alone(voices):
    leakage.check(voices)


def test_a_speaker_in_two_splits_is_an_error_with_counts(voices):
    moved = voices.copy()
    moved.loc[moved.index[:3], "split"] = "test"
    with pytest.raises(
        LeakError, match=r"1 of 6 speakers are in two splits .*first: s0 \(test, train\)"
    ):
        leakage.check(moved)


@pytest.mark.parametrize("where", [(), ("labels.csv",)])
def test_the_first_five_speakers_in_two_splits_are_named(where):
    both = [
        (f"{i}{split}.wav", 0, 1, f"s{i}", split) for i in range(6) for split in ("dev", "test")
    ]
    one = [("6.wav", 0, 1, "s6", "train"), ("7.wav", 0, 1, "s6", "train")]
    named = "; ".join(f"s{i} (dev, test)" for i in range(5))
    message = (
        f"6 of 7 speakers are in two splits in {(*where, 'the labels table')[0]} (first: {named}), "
        "expected each in one: correct the splits, leave them out to have them drawn by speaker, "
        "or leave the speakers out if they are none."
    )
    with pytest.raises(LeakError, match=whole(message)):
        leakage.check_speakers(labels_of([*one, *both]), *where)


def test_two_corpora_may_name_two_people_alike(voices):
    other = voices[voices["split"] == "test"].assign(corpus="other", speaker="s0")
    leakage.check_speakers(pd.concat([voices[voices["split"] != "test"], other]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A corpus of twelve files, three speakers, one in each split."""
    rows = []
    for number in range(12):
        soundfile.write(tmp_path / f"{number}.wav", tone(100 + number, 0.3, 0.2, number), RATE)
        split = ("train", "dev", "test")[number // 4]
        rows.append((f"{number}.wav", "anger", f"s{number // 4}", split))
    table = pd.DataFrame(rows, columns=["file", "emotion", "speaker", "split"])
    table.to_csv(tmp_path / "labels.csv", index=False)
    return tmp_path


def change(folder: Path, row: int, **cells: object) -> None:
    table = pd.read_csv(folder / "labels.csv")
    for name, cell in cells.items():
        table.loc[row, name] = cell
    table.to_csv(folder / "labels.csv", index=False)


def test_a_corpus_whose_splits_share_a_speaker_is_not_read(folder):
    change(folder, 11, speaker="s0")
    with pytest.raises(
        LeakError, match=r"1 of 3 speakers .* in labels\.csv \(first: s0 \(train, test"
    ):
        corpora.load(folder)
    assert len(corpora.load(folder, for_testing=True)) == 12
    assert len(corpora.load(folder, columns="speaker=")) == 12


def test_files_of_one_name_in_two_folders_are_two_speakers_where_none_is_named(tmp_path):
    rows = []
    for number, split in enumerate(("train", "dev", "test")):
        (tmp_path / split).mkdir()
        soundfile.write(tmp_path / split / "0.wav", tone(100 + number, 0.3, 0.2), RATE)
        rows.append(f"{split}/0.wav,anger,{split}")
    (tmp_path / "labels.csv").write_text("\n".join(["file,emotion,split", *rows]))
    found = corpora.load(tmp_path)
    assert found["speaker"].tolist() == ["train/0.wav", "dev/0.wav", "test/0.wav"]


# --- seconds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "leaks"), [(0, 1, True), (1.5, 2.5, True), (2, 3, False), (0.5, 9, True)]
)
def test_seconds_of_one_file_are_in_one_split(start, end, leaks):
    labels = labels_of([("a.wav", 0, 2, "s", "train"), ("a.wav", start, end, "t", "test")])
    if leaks:
        with pytest.raises(LeakError, match=r"Seconds of 1 files are in two splits .*a\.wav"):
            leakage.check_seconds(labels)
    else:
        leakage.check_seconds(labels)


def test_the_first_five_files_whose_seconds_are_in_two_splits_are_named():
    shared = [(f"/a/b/{i}.wav", 0, 2, "s", split) for i in range(6) for split in ("dev", "test")]
    message = (
        f"Seconds of 6 files are in two splits (first: {[f'b/{i}.wav' for i in range(5)]}), "
        "expected each second in one: correct the splits, or start and end."
    )
    with pytest.raises(LeakError, match=whole(message)):
        leakage.check_seconds(labels_of([("/a/own.wav", 0, 9, "s", "dev"), *shared]))


def test_a_segment_without_an_end_reaches_to_the_end():
    labels = labels_of([("a.wav", 0, np.nan, "s", "train"), ("a.wav", 90, 91, "t", "dev")])
    with pytest.raises(LeakError, match="Seconds of 1 files"):
        leakage.check_seconds(labels)


Segments = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.integers(0, 8),
        st.integers(1, 4),
        st.sampled_from(["train", "test"]),
    ),
    min_size=1,
    max_size=8,
)


@FEW
@given(Segments)
def test_seconds_are_compared_as_by_a_slow_reference(segments):
    rows = [(file, first, first + long, "s", split) for file, first, long, split in segments]
    slow = any(
        one[0] == other[0] and one[4] != other[4] and one[1] < other[2] and other[1] < one[2]
        for one in rows
        for other in rows
    )
    try:
        leakage.check_seconds(labels_of(rows))
        found = False
    except LeakError:
        found = True
    assert found == slow


# --- copies ------------------------------------------------------------------------------------


def test_a_test_file_among_the_training_files_under_another_name_is_found(folder):
    shutil.copy(folder / "1.wav", folder / "9.wav")
    labels = corpora.load(folder)
    message = (
        "1 files are in two splits, the same bytes under other names (first: "
        f"{folder.name}/1.wav and {folder.name}/9.wav), expected each recording in one: leave the "
        "copies out."
    )
    with pytest.raises(LeakError, match=whole(message)):
        leakage.check(labels)


def test_the_first_five_copies_are_named_by_two_of_their_names(tmp_path):
    rows = []
    for number in range(18):
        file = tmp_path / f"{number:02d}.wav"
        file.write_bytes(bytes([number % 6]) * 9)
        rows.append((str(file), 0, 1, f"s{number}", ("train", "dev", "test")[number // 6]))
    home = tmp_path.name
    named = "; ".join(f"{home}/{i:02d}.wav and {home}/{i + 6:02d}.wav" for i in range(5))
    start = (
        f"6 files are in two splits, the same bytes under other names (first: {named}), expected"
    )
    with pytest.raises(LeakError, match=re.escape(start)):
        leakage.check_copies(labels_of(rows))


def test_copies_within_a_split_and_files_that_only_start_alike_are_no_leaks(folder):
    shutil.copy(folder / "1.wav", folder / "2.wav")
    long = tone(100, 0.3, 3.0)
    for name, last in (("3.wav", 0.1), ("8.wav", 0.2)):
        soundfile.write(folder / name, np.append(long, last), RATE)
    assert (folder / "3.wav").read_bytes()[: leakage.HEAD] == (folder / "8.wav").read_bytes()[
        : leakage.HEAD
    ]
    leakage.check(corpora.load(folder))


def test_files_that_are_not_here_are_not_looked_into(folder):
    shutil.copy(folder / "1.wav", folder / "9.wav")
    labels = corpora.load(folder)
    (folder / "9.wav").unlink()
    leakage.check(labels)


def test_few_bytes_are_read_to_find_copies(folder, monkeypatch):
    read = []
    whole = leakage._whole
    monkeypatch.setattr(leakage, "_whole", lambda file: read.append(file.name) or whole(file))
    shutil.copy(folder / "1.wav", folder / "9.wav")
    with pytest.raises(LeakError):
        leakage.check_copies(corpora.load(folder))
    assert sorted(read) == ["1.wav", "9.wav"]


# --- edges -------------------------------------------------------------------------------------


def test_edges_remember_the_segments_that_they_were_fitted_on(voices, tmp_path):
    edges = levels.fit(voices)
    levels.save(edges, tmp_path / "edges.json")
    loaded = levels.load(tmp_path / "edges.json")
    assert loaded == edges
    assert loaded.fitted_on == edges.fitted_on == {**edges.fitted_on, "segments": 40}
    leakage.check_edges(loaded.fitted_on, voices)
    leakage.check_edges(loaded.fitted_on, voices.sample(frac=1, random_state=1))


@pytest.mark.parametrize(
    "splits", [("train", "test"), ("test",), ("dev",), ("train", "dev", "test")]
)
def test_edges_fitted_on_other_splits_are_found(voices, splits):
    wrong = levels.fit(voices[voices["split"].isin(splits)].drop(columns="split"))
    message = (
        f"The edges were fitted on {voices['split'].isin(splits).sum()} segments, expected the 40 "
        "of train and no others, by ['file', 'start', 'end']: run chapter 3 again."
    )
    with pytest.raises(LeakError, match=whole(message)):
        leakage.check_edges(wrong.fitted_on, voices)


def test_as_many_other_segments_are_other_segments(voices):
    moved = voices.assign(split=voices["split"].to_numpy()[::-1])
    wrong = levels.fit(moved)
    assert wrong.fitted_on["segments"] == 40
    with pytest.raises(LeakError, match="fitted on 40 segments"):
        leakage.check_edges(wrong.fitted_on, voices)


def test_edges_that_say_nothing_are_said_to(capsys, voices):
    leakage.check_edges(None, voices)
    said = "edges.json does not say which segments it was fitted on: run chapter 3 again.\n"
    assert capsys.readouterr().out == said


# --- where the data flow -----------------------------------------------------------------------


@pytest.fixture
def run(voices, tmp_path) -> Path:
    """Folder of a run before its training."""
    folder = tmp_path / "run"
    edges = levels.fit(voices)
    levels.save(edges, folder / "edges.json")
    shown = levels.assign(voices, edges)
    pool = Pool.build(shown, voices["emotion"], voices["gender"])
    tables.write_table(pool.table().set_axis(voices.index), folder / "queries.parquet")
    tables.write_table(voices, folder / "labels.parquet")
    return folder


def test_training_starts_from_a_run_without_leaks(run):
    assert len(inputs.read(run).labels) == 60


def test_training_does_not_start_where_edges_were_fitted_on_test(run, voices):
    levels.save(levels.fit(voices.drop(columns="split")), run / "edges.json")
    with pytest.raises(LeakError, match="fitted on 60 segments, expected the 40 of train"):
        inputs.read(run)


def test_training_does_not_start_where_a_speaker_is_tested_on(run, voices):
    tables.write_table(voices.assign(speaker="s0"), run / "labels.parquet")
    with pytest.raises(LeakError, match="1 of 1 speakers"):
        inputs.read(run)


# --- whose results -----------------------------------------------------------------------------

PEOPLE = pd.DataFrame({"synthetic": [False, False]})


@pytest.mark.parametrize("wish", ["Table 1 of the paper", "THE PAPER'S TABLE"])
@pytest.mark.parametrize("settings", [Settings(audio_encoder="small"), Settings(join="all")])
def test_a_run_that_is_not_the_papers_variant_is_not_called_so(wish, settings):
    with pytest.raises(ValueError, match="expected a title that does not call its scores"):
        quoted.title(PEOPLE, variant(settings), wish)
    assert quoted.title(PEOPLE, variant(settings), "My corpus") == "My corpus"


def test_other_towers_are_named_where_a_run_stands_beside_the_paper():
    small = Settings(audio_encoder="small", text_encoder="minilm")
    assert "this run, rand5, other towers (small, minilm)" in quoted.title(PEOPLE, variant(small))
    assert (
        quoted.title(PEOPLE, variant(Settings()), "Table 1 of the paper") == "Table 1 of the paper"
    )


@pytest.fixture
def result(tmp_path: Path) -> Path:
    """Results of a run on synthetic speech."""
    import fuzz_kinds

    score = fuzz_kinds.result()["scores"][0] | {"speech": "synthetic"}
    found = fuzz_kinds.result() | {"speech": "synthetic", "scores": [score] * 2}
    return results.write(found, tmp_path / "runs" / "mine")


@pytest.mark.parametrize(
    ("old", "new"),
    [('"synthetic"', '"recorded"'), ('"value": 0.5', '"value": 0.9'), ('"mine"', '"x"')],
)
def test_results_changed_by_hand_are_not_read_or_gathered(result, old, new):
    assert results.read(result)["speech"] == "synthetic"
    result.write_text(result.read_text().replace(old, new))
    with pytest.raises(ValueError, match="were changed after they were written"):
        results.read(result)
    assert results.gather(str(result.parent.parent)) == ([], [results_complaint(result)])


def results_complaint(path: Path) -> str:
    try:
        results.read(path)
    except ValueError as error:
        return str(error)
    raise AssertionError


def test_results_without_their_key_are_not_read(result):
    (result.parent / "results.json.key").unlink()
    with pytest.raises(ValueError, match=r"results\.json\.key is missing"):
        results.read(result)


def test_scores_on_synthetic_speech_are_no_part_of_a_recorded_run(result):
    found = results.read(result)
    with pytest.raises(ValueError, match="'recorded' and scores on \\['synthetic'\\]"):
        results.check(found | {"speech": "recorded"}, "mine")
    results.check(found | {"speech": "mixed"}, "mine")
    assert results.side_by_side([found], "recorded").empty
