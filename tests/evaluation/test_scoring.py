"""Scoring of folders, tables and long recordings: in parts, resumed, bad files listed."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from paraclap import audio, tables
from paraclap.evaluation import scoring
from paraclap.evaluation.scoring import score_files
from paraclap.evaluation.zeroshot import classify
from paraclap.model.embedding import LONGEST

WORDS = ["angry", "sad", "calm"]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Nine noises of three lengths, in a folder and one below it; parts of four rows."""
    monkeypatch.setattr(scoring, "PART", 4)
    rng = np.random.default_rng(0)
    (tmp_path / "audio" / "more").mkdir(parents=True)
    for number in range(9):
        name = f"{'more/' if number % 2 else ''}{number}.wav"
        noise = rng.normal(0, 0.02 * (number + 1), 4_000 * (1 + number % 3))
        soundfile.write(tmp_path / "audio" / name, noise.astype(np.float32), 16_000)
    return tmp_path / "audio"


def test_a_folder_is_scored_as_by_classify(model, folder, tmp_path):
    out = tmp_path / "a.parquet"
    score_files(model, folder, WORDS, out, "speaker is {}", precision="float32")
    got = tables.read_table(out)
    assert len(got) == 9
    assert list(got) == [*WORDS, "prediction"]
    expected = classify(model, got.index, WORDS, "speaker is {}")
    np.testing.assert_allclose(got[WORDS], expected[WORDS], atol=1e-5)
    assert got["prediction"].tolist() == expected["prediction"].tolist()
    assert not (tmp_path / "a.parts").exists()
    assert tables.read_table(tmp_path / "a_failed.csv").empty


def test_a_stopped_run_goes_on_and_ends_with_the_same_file(model, folder, tmp_path, monkeypatch):
    whole = score_files(model, folder, WORDS, tmp_path / "whole.parquet").read_bytes()
    embed, calls = scoring.embed_audio, []

    def stopping(model, part, **settings):
        calls.append(part)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return embed(model, part, **settings)

    monkeypatch.setattr(scoring, "embed_audio", stopping)
    with pytest.raises(KeyboardInterrupt):
        score_files(model, folder, WORDS, tmp_path / "a.parquet")
    assert len(list((tmp_path / "a.parts").iterdir())) == 1
    assert not (tmp_path / "a.parquet").exists()
    again = score_files(model, folder, WORDS, tmp_path / "a.parquet")
    assert [len(part) for part in calls] == [4, 4, 4, 1]
    assert calls[2].equals(calls[1])
    assert again.read_bytes() == whole


def test_a_current_result_stays_and_a_changed_one_is_made_again(model, folder, tmp_path):
    out = tmp_path / "a.parquet"
    state = score_files(model, folder, WORDS, out).stat()
    assert score_files(model, folder, WORDS, out).stat().st_mtime_ns == state.st_mtime_ns
    made = [out.stat().st_ino]
    with torch.no_grad():
        model.audio_projection.linear1.weight.add_(0.1)
    made.append(score_files(model, folder, WORDS, out).stat().st_ino)
    made.append(score_files(model, folder, WORDS, out, "speaker is {}").stat().st_ino)
    made.append(score_files(model, folder, WORDS[:2], out, "speaker is {}").stat().st_ino)
    soundfile.write(folder / "0.wav", np.ones(5000, np.float32) / 3, 16_000)
    made.append(score_files(model, folder, WORDS[:2], out, "speaker is {}").stat().st_ino)
    assert all(first != second for first, second in itertools.pairwise(made))


def test_files_that_cannot_be_read_are_listed_and_the_rest_is_scored(model, folder, tmp_path):
    (folder / "notes.wav").write_text("no audio")
    (folder / "short.wav").write_bytes((folder / "0.wav").read_bytes()[:3000])
    (folder / "empty.wav").touch()
    index = tables.segments([*sorted(folder.rglob("*.wav")), folder / "absent.wav"])
    score_files(model, index, WORDS, tmp_path / "a.parquet")
    assert len(tables.read_table(tmp_path / "a.parquet")) == 9
    failed = tables.read_table(tmp_path / "a_failed.csv")["reason"]
    names = [Path(file).name[:9] for file in failed.index.get_level_values("file")]
    assert sorted(names) == ["absent.wa", "empty.wav", "notes.wav", "short.wav"]
    assert all(reason.startswith("'") for reason in failed)
    with pytest.raises(ValueError, match=r"None of the segments can be read \('.*notes.wav' cann"):
        score_files(model, folder / "notes.wav", WORDS, tmp_path / "b.parquet")
    assert not (tmp_path / "b.parquet").exists()


def test_relative_files_are_found_again_from_any_folder(model, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = score_files(model, folder.name, WORDS, "a.parquet").absolute()
    monkeypatch.chdir("/")
    files = tables.read_table(out).index.get_level_values("file")
    assert all(Path(file).is_file() for file in files)


def test_windows_cover_everything_and_have_one_length(model, folder, tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.1, 80_000).astype(np.float32)
    soundfile.write(tmp_path / "long.wav", noise, 16_000)
    soundfile.write(tmp_path / "tail.wav", noise[-16_000:], 16_000)
    files = [tmp_path / "long.wav", folder / "0.wav"]
    settings = {"window": 1, "hop": 0.75, "precision": "float32"}
    out = score_files(model, files, WORDS, tmp_path / "a.parquet", **settings)
    table = tables.read_table(out).reset_index()
    seconds = [[time.total_seconds() for time in table[side]] for side in ("start", "end")]
    assert seconds[0] == [0, 0.75, 1.5, 2.25, 3.0, 3.75, 4.0, 0]
    assert seconds[1] == [1, 1.75, 2.5, 3.25, 4.0, 4.75, 5.0, 0.25]
    last = classify(model, tmp_path / "tail.wav", WORDS)
    np.testing.assert_allclose(table.loc[6, WORDS].astype(float), last[WORDS].iloc[0], atol=1e-5)


def test_windows_stay_inside_their_segment(folder):
    index = tables.segments([folder / "2.wav"], [0.1], [0.6])
    rows = [(s.total_seconds(), e.total_seconds()) for _, s, e in scoring.windows(index, 0.2)]
    assert rows == [(0.1, 0.3), (0.2, 0.4), (0.3, 0.5), (0.4, 0.6)]
    assert scoring.windows(index).equals(index)
    assert scoring.spans(3, 4, 2) == [(0, 3)] and scoring.spans(4, 4, 2) == [(0, 4)]


def test_a_long_recording_is_read_window_by_window(model, tmp_path, monkeypatch):
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 16_000, 1) as stream:
        for second in range(LONGEST + 20):
            stream.write(np.full(16_000, second / 1000, np.float32))
    read, most = audio.read, []
    monkeypatch.setattr(audio, "read", lambda *row: most.append(len(one := read(*row))) or one)
    out = score_files(model, tmp_path / "long.wav", WORDS, tmp_path / "a.parquet", window=10)
    assert max(most) == 160_000
    assert len(tables.read_table(out)) == len(most) == (LONGEST + 20) / 5 - 1
    with pytest.raises(ValueError, match=f"expected at most {LONGEST} s"):
        score_files(model, tmp_path / "long.wav", WORDS, tmp_path / "b.parquet")


@pytest.mark.parametrize(
    ("window", "hop"),
    [(None, 1), (0, None), (2, 3), (2, 0), (-1, None), (float("nan"), None), (700, None)],
)
def test_windows_that_leave_gaps_or_are_too_long_are_errors(window, hop):
    with pytest.raises(ValueError, match="expected a hop above 0"):
        scoring.windows(tables.segments(["a.wav"]), window, hop)


def test_names_that_clash_are_errors(model, folder, tmp_path):
    with pytest.raises(ValueError, match="Bad candidate 'file'"):
        score_files(model, folder, ["file", "sad"], tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"expected a name that ends in \.parquet"):
        score_files(model, folder, WORDS, tmp_path / "a.csv")
