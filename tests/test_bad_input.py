"""Bad input, as a user meets it: a clear error or a line in a list, and nothing done is lost.

============================================  ================================================
what is bad                                   where it is tested
============================================  ================================================
missing or empty CSV                          test_corpora: a_missing_csv_folder_or_column_is_named
unknown column                                test_corpora: a_bad_csv_is_an_error_that_says_where
unknown label                                 test_corpora: a_bad_csv_is_an_error_that_says_where;
                                              here: a_class_that_no_word_list_knows_...
file not there                                test_corpora: a_bad_csv_is_an_error_that_says_where;
                                              here: a_file_that_vanished_...
zero-length, truncated, non-audio, NaN,       test_audio: a_file_that_gives_no_signal_says_why;
silent, 30 ms                                 here: bad_files_..., the_model_names_a_file_...
30 minutes                                    test_audio: of_a_30_minute_file_only_the_segment_...;
                                              here: a_30_minute_recording_...
duplicate rows                                test_corpora: a_bad_csv_...; test_features: ...twice
unknown or misspelt parameter                 test_params, test_book;
                                              here: a_bad_parameter_stops_the_book_...
wrong type                                    test_params; here: a_bad_parameter_stops_the_book_...
no training split                             test_corpora, test_levels, test_training
a class with one member                       here: a_class_with_one_member_...
unreadable checkpoint                         test_training, test_model
checkpoint of another architecture            test_model; here: a_checkpoint_of_other_towers_...
disk full while writing                       test_tables, test_features, test_synthesis;
                                              here: when_no_more_can_be_written_...
SIGTERM in features, in training, then rerun  test_features, test_training;
                                              in the book: test_book
============================================  ================================================
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import RATE, tone
from test_training import CPU, SETTINGS, stopped_at, train, weights

from paraclap import audio, book, corpora, evaluation, features, tables, training, zeroshot
from paraclap.model import ParaCLAP
from paraclap.pairs import Batch
from paraclap.queries import Pool
from paraclap.stepping import Stepper

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Let every writer of this process and its children fail as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# --- files -------------------------------------------------------------------------------------


def bad_file(folder: Path, kind: str) -> Path:
    file = folder / f"{kind}.wav"
    signal = tone(200, 0.3, 0.5)
    if kind == "empty":
        file.touch()
    elif kind == "text":
        file.write_text("a shopping list\n" * 100)
    elif kind == "truncated":
        soundfile.write(file, signal, RATE)
        file.write_bytes(file.read_bytes()[:5000])
    else:
        signal = {
            "no samples": signal[:0],
            "NaN": np.where(np.arange(len(signal)) == 5, np.nan, signal),
            "silent": 0 * signal,
            "short": signal[: round(0.03 * RATE)],
        }[kind]
        soundfile.write(file, signal, RATE, subtype="FLOAT")
    return file


REASONS = {
    "empty": "it has 0 bytes",
    "no samples": "a header but no samples",
    "text": "cannot be read as audio",
    "truncated": "is cut short",
    "NaN": "1 NaN or infinite values",
    "silent": "Silent",
    "short": "30 ms of signal",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A corpus of nine good voices and one of each bad kind."""
    root = tmp_path / "corpus"
    root.mkdir()
    for number in range(9):
        soundfile.write(root / f"good{number}.wav", tone(100 + 30 * number, 0.3, 0.4), RATE)
    names = [f"good{number}.wav" for number in range(9)]
    names += [bad_file(root, kind).name for kind in REASONS]
    table = pd.DataFrame({"file": names, "emotion": "anger"})
    table["speaker"] = [f"s{number % 3}" for number in range(len(table))]
    table.to_csv(root / "labels.csv", index=False)
    return root


def test_bad_files_are_listed_with_their_reasons_and_the_good_ones_are_measured(folder, tmp_path):
    labels = corpora.load(folder)
    assert len(labels) == 9 + len(REASONS)
    measured = features.extract(labels, tmp_path / "f.parquet", jobs=1)
    assert [Path(row[0]).stem[:4] for row in measured.index] == ["good"] * 9
    assert np.isfinite(measured.to_numpy()).all()
    lost = features.failed(tmp_path / "f.parquet")["reason"]
    told = {Path(file).stem: reason for (file, *_), reason in lost.items()}
    assert set(told) == set(REASONS)
    assert [kind for kind, reason in REASONS.items() if reason not in told[kind]] == []


def test_a_file_that_vanished_after_the_table_was_made_is_listed(folder, tmp_path):
    labels = corpora.load(folder)
    (folder / "good4.wav").unlink()
    measured = features.extract(labels, tmp_path / "f.parquet", jobs=1)
    assert len(measured) == 8
    lost = features.failed(tmp_path / "f.parquet")["reason"]
    assert "'corpus/good4.wav' is not there: copy it there or leave it out." in lost.tolist()


@pytest.mark.parametrize("kind", ["empty", "no samples", "text", "truncated", "NaN", "not there"])
def test_the_model_names_a_file_that_it_cannot_hear(model, tmp_path, kind):
    known = kind in REASONS
    file = bad_file(tmp_path, kind) if known else tmp_path / "not there.wav"
    with pytest.raises(audio.AudioError, match=REASONS.get(kind, "is not there")) as error:
        zeroshot.classify(model, [file], ["angry", "sad"])
    assert file.name in str(error.value)


@pytest.mark.parametrize("kind", ["short", "silent"])
def test_the_model_answers_finitely_to_very_short_and_silent_files(model, tmp_path, kind):
    answer = zeroshot.classify(model, [bad_file(tmp_path, kind)], ["angry", "sad"])
    assert np.isfinite(answer[["angry", "sad"]].to_numpy(dtype=float)).all()


def test_a_30_minute_recording_is_measured_in_parts_and_heard_in_parts(model, tmp_path):
    root = tmp_path / "long"
    root.mkdir()
    minute = np.tile(tone(180, 0.3, 1.0)[::2], 60)
    with soundfile.SoundFile(root / "meeting.flac", "w", RATE // 2, 1, "PCM_16") as stream:
        for number in range(30):
            stream.write(minute * (1 + number % 3) / 3)
    times = [0, 600, 1795]
    table = pd.DataFrame({"file": "meeting.flac", "start": times, "emotion": "anger"})
    table["end"] = [2.5, 604, 1800]
    table["speaker"] = ["a", "b", "c"]
    table.to_csv(root / "labels.csv", index=False)
    labels = corpora.load(root)
    measured = features.extract(labels, tmp_path / "f.parquet", jobs=1)
    np.testing.assert_allclose(measured["duration"], [2.5, 4.0, 5.0])
    assert len(zeroshot.classify(model, labels, ["angry", "sad"])) == 3


@pytest.mark.parametrize("minutes", [3])
def test_a_long_file_is_measured_and_heard_whole(model, tmp_path, minutes):
    signal = np.tile(tone(180, 0.3, 1.0), 60 * minutes)
    soundfile.write(tmp_path / "long.wav", signal, RATE)
    index = tables.segments([tmp_path / "long.wav"])
    measured = features.extract(index, tmp_path / "f.parquet", jobs=1)
    assert measured["duration"].item() == 60 * minutes
    assert np.isfinite(measured.to_numpy()).all()
    assert np.isfinite(zeroshot.embed_audio(model, index)).all()


# --- labels and parameters ---------------------------------------------------------------------


def test_a_class_that_no_word_list_knows_is_asked_by_its_own_name(voices, model):
    odd = voices.assign(label=voices["label"].replace("anger", "hangry"))
    tasks = evaluation.tasks(odd)
    assert tasks["tones"]["hangry"] == "hangry"
    predictions = evaluation.predict(model, evaluation.asked(odd), tasks)
    assert "hangry" in predictions


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("voicse: 3", "'voicse' in bad.yaml, no notebook declares it: did you mean 'voices'?"),
        ("voices: many", "Bad voices in bad.yaml: got 'many' (str), expected int, such as 4800."),
        ("audio_lr: 1e-3", "Write 1.0e-3: YAML takes 1e-3 for a word."),
        ("only_emotion: 1", "Bad only_emotion in bad.yaml: got 1 (int), expected bool"),
    ],
)
def test_a_bad_parameter_stops_the_book_before_anything_runs(tmp_path, capsys, line, message):
    (tmp_path / "bad.yaml").write_text(f"{line}\n")
    status = book.main([str(tmp_path / "bad.yaml"), "--runs", str(tmp_path / "runs"), "--no-html"])
    assert status == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_corpus_that_is_not_there_stops_the_book_with_its_name(tmp_path, capsys):
    (tmp_path / "mine.yaml").write_text("corpus: no/such/corpus\n")
    status = book.main([str(tmp_path / "mine.yaml"), "--runs", str(tmp_path / "r"), "--no-html"])
    assert status == 1
    told = capsys.readouterr().err
    assert "01_corpora.py failed in this cell" in told
    assert "No folder at 'no/such/corpus'" in told


# --- splits and classes ------------------------------------------------------------------------


@pytest.mark.parametrize("split", tables.SPLITS)
def test_a_class_with_one_member_is_trained_and_asked_like_any_other(
    voices, tmp_path, split, capsys
):
    one = voices.index[voices["split"] == split][0]
    rare = voices.copy()
    rare.loc[[one], ["emotion", "label"]] = "fear"
    shown = rare[["arousal"]].gt(3).replace({True: "high", False: "low"})
    pool = Pool.build(shown, rare["emotion"], rare["gender"])
    found = training.train(rare, pool, tmp_path, SETTINGS.but(epochs=1), CPU)
    tasks = evaluation.tasks(rare)
    predictions = evaluation.predict(found, evaluation.asked(rare), tasks)
    scores = evaluation.score(predictions, tasks, draws=20)
    assert scores["classes"].tolist() == [3 if split == "test" else 2]
    assert np.isfinite(scores[["uar", "uar_low", "uar_high"]].to_numpy()).all()


def test_a_class_with_one_member_is_told_when_the_corpus_is_read(folder):
    table = pd.read_csv(folder / "labels.csv")
    table.loc[0, "emotion"] = "fear"
    table.to_csv(folder / "labels.csv", index=False)
    assert "Only one segment of class 'fear' of corpus." in str(corpora.load(folder).attrs["notes"])


# --- checkpoints -------------------------------------------------------------------------------


def test_a_checkpoint_of_other_towers_is_not_gone_on_from(voices, pool, tmp_path):
    stopped_at(voices, pool, tmp_path / "other", 4, SETTINGS.but(projection_dim=8))
    assert len(list((tmp_path / "other" / "checkpoints").iterdir())) == 2
    for name in ("other", "new"):
        train(voices, pool, tmp_path / name, SETTINGS.but(epochs=1))
    assert weights(tmp_path / "other") == weights(tmp_path / "new")


# --- full disk ---------------------------------------------------------------------------------


def test_when_no_checkpoint_can_be_written_training_stops_and_goes_on_later(
    voices, pool, tmp_path, monkeypatch
):
    step = Stepper.step

    def full(stepper: Stepper, batch: Batch) -> object:
        if batch.step == 6:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
        return step(stepper, batch)

    monkeypatch.setattr(Stepper, "step", full)
    with (
        no_file_larger_than(resource.RLIM_INFINITY),
        pytest.raises(OSError, match=r"Cannot write .* Free some space|free some space"),
    ):
        train(voices, pool, tmp_path / "full")
    monkeypatch.undo()
    assert not [file for file in (tmp_path / "full").rglob("*") if "tmp" in file.name]
    assert ParaCLAP.from_pretrained(tmp_path / "full" / "model").config.projection_dim == 16
    train(voices, pool, tmp_path / "full")
    train(voices, pool, tmp_path / "never full")
    assert weights(tmp_path / "full") == weights(tmp_path / "never full")


def test_when_no_model_can_be_written_the_error_says_so_and_nothing_half_is_left(
    voices, pool, tmp_path
):
    with (
        no_file_larger_than(10_000),
        pytest.raises(OSError, match=r"Cannot write the weights .*free some space"),
    ):
        train(voices, pool, tmp_path, SETTINGS.but(epochs=1, checkpoint_steps=1000))
    assert list(tmp_path.rglob("*.safetensors")) == []
    train(voices, pool, tmp_path, SETTINGS.but(epochs=1, checkpoint_steps=1000))
    assert ParaCLAP.from_pretrained(tmp_path / "model").config.projection_dim == 16


NOTEBOOK = """# %% tags=["parameters"]
run: str = "full"  # name
runs: str = "runs"  # folder

# %%
print("x" * 100_000)
"""


def test_when_no_executed_notebook_can_be_written_the_book_says_so(tmp_path, capsys):
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "01_step.py").write_text(NOTEBOOK)
    (tmp_path / "full.yaml").touch()
    arguments = [str(tmp_path / "full.yaml"), "--folder", str(tmp_path / "book"), "--no-html"]
    arguments += ["--runs", str(tmp_path / "runs")]
    with no_file_larger_than(50_000):
        assert book.main(arguments) == 1
    assert "01_step.py could not be written down" in (told := capsys.readouterr().err)
    assert "free some space" in told
    assert list((tmp_path / "runs").rglob("*.ipynb")) == []
    assert book.main(arguments) == 0
    assert [file.name for file in (tmp_path / "runs").rglob("*.ipynb")] == ["01_step.ipynb"]
