import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paraclap import audio, pairs
from paraclap.model import ParaCLAP
from paraclap.processor import ParaCLAPFeatureExtractor
from paraclap.queries import Pool


@given(st.integers(2, 40), st.integers(2, 9), st.integers(0, 99))
def test_every_epoch_shows_each_voice_at_most_once(voices: int, batch: int, seed: int) -> None:
    batch = min(batch, voices)
    schedule = pairs.Schedule(voices, batch, seed)
    steps = schedule.steps_per_epoch
    for epoch in range(2):
        rows = np.concatenate([schedule.rows(epoch * steps + step) for step in range(steps)])
        assert len(set(rows.tolist())) == len(rows) == steps * batch
        assert set(rows.tolist()) <= set(range(voices))


def test_epochs_differ_and_seeds_differ() -> None:
    schedule = pairs.Schedule(64, 64, seed=0)
    assert schedule.rows(0).tolist() != schedule.rows(1).tolist()
    assert schedule.rows(0).tolist() != pairs.Schedule(64, 64, seed=1).rows(0).tolist()


def test_too_few_voices_for_a_batch_are_refused() -> None:
    with pytest.raises(ValueError, match="Got 5 training voices for batches of 8"):
        pairs.Schedule(5, 8, seed=0)


def read(model: ParaCLAP, voices: pd.DataFrame, steps: range, workers: int) -> list[pairs.Batch]:
    schedule = pairs.Schedule(len(voices), 8, seed=3)
    extractor = model.processor.feature_extractor
    return list(pairs.batches(voices.index, schedule, extractor, 0.6, steps, workers))


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_do_not_depend_on_where_one_starts_nor_on_workers(
    model: ParaCLAP, voices: pd.DataFrame, workers: int
) -> None:
    whole = read(model, voices, range(10), 0)
    part = read(model, voices, range(4, 10), workers)
    for expected, got in zip(whole[4:], part, strict=True):
        assert expected.step == got.step
        np.testing.assert_array_equal(expected.rows, got.rows)
        assert torch.equal(expected.signals["input_values"], got.signals["input_values"])


def test_signals_are_cropped_to_the_given_length_and_padding_is_marked(
    model: ParaCLAP, voices: pd.DataFrame
) -> None:
    for batch in read(model, voices, range(7), 0):
        values, mask = batch.signals["input_values"], batch.signals["audio_attention_mask"]
        assert values.shape[1] <= round(0.6 * audio.SAMPLING_RATE)
        for row, signal, marks in zip(batch.rows, values, mask, strict=True):
            whole = audio.read(*voices.index[row])
            assert marks.sum() == min(len(whole), values.shape[1])
            kept = signal[: int(marks.sum())].numpy()
            windows = np.lib.stride_tricks.sliding_window_view(whole, len(kept))
            assert (windows == kept).all(1).any(), "the crop is no part of the signal"
            assert not signal[int(marks.sum()) :].any()


def texts(pool: Pool, per_voice: int, **draws: object) -> pairs.Texts:
    defaults = {"rand": 3, "emotion": "always", "only_emotion": False}
    return pairs.Texts(pool, range(len(pool)), 0, per_voice, **(defaults | draws))


@pytest.mark.parametrize("per_voice", [0, 2])
def test_texts_are_true_of_their_voices(pool: Pool, per_voice: int) -> None:
    drawn = texts(pool, per_voice)
    rows = np.arange(len(pool))
    for step in range(3):
        for row, text in zip(rows, drawn.of(step, rows), strict=True):
            assert set(text.split(" and ")) <= set(pool.queries(int(row)))
        assert drawn.of(step, rows) == texts(pool, per_voice).of(step, rows)


def test_kept_texts_are_a_finite_set_and_all_of_them_are_used(pool: Pool) -> None:
    drawn = texts(pool, 2)
    rows = np.arange(len(pool))
    said = {text for step in range(20) for text in drawn.of(step, rows)}
    assert said == set(drawn.distinct)
    assert not texts(pool, 0).distinct


def test_only_emotion_says_nothing_else(pool: Pool) -> None:
    rows = np.arange(len(pool))
    said = set(texts(pool, 0, only_emotion=True).of(0, rows))
    assert all("angry" in text or "sad" in text for text in said)
    assert not any(" and " in text for text in said)


def test_crops_padded_to_one_length_are_silence_that_is_heard(voices: pd.DataFrame) -> None:
    schedule = pairs.Schedule(len(voices), 8, seed=0)
    extractor = ParaCLAPFeatureExtractor(do_normalize=False)
    batch = next(pairs.batches(voices.index, schedule, extractor, 1.2, range(1), pad="crop"))
    masked = next(pairs.batches(voices.index, schedule, extractor, 1.2, range(1), pad="batch"))
    assert batch.signals["input_values"].shape == (8, 19_200)
    assert batch.signals["audio_attention_mask"].all()
    lengths = masked.signals["audio_attention_mask"].sum(1)
    assert lengths.min() < lengths.max() <= 19_200
    for padded, one, length in zip(
        batch.signals["input_values"], masked.signals["input_values"], lengths, strict=True
    ):
        assert torch.equal(padded[:length], one[:length])
        assert not padded[length:].any()


def test_all_queries_are_one_text_that_starts_with_the_speaker(pool: Pool) -> None:
    rows = np.arange(len(pool))
    said = texts(pool, 0, join="all").of(0, rows)
    assert said == ["speaker " + " and ".join(pool.queries(int(row))) for row in rows]
    never = texts(pool, 0, join="all", emotion="never").of(0, rows)
    assert not any(word in text for text in never for word in ("angry", "sad", "emotion"))


def test_weighted_texts_end_with_the_emotion_and_never_hold_all_five(pool: Pool) -> None:
    rows = np.arange(len(pool)).repeat(100)
    said = texts(pool, 0, join="weighted", rand=5).of(0, rows)
    parts = [text.split(" and ") for text in said]
    for row, queries in zip(rows, parts, strict=True):
        assert queries[-1] in ("emotion is angry", "emotion is sad")
        assert set(queries) <= set(pool.queries(int(row)))
        assert len(set(queries[:-1])) == len(queries) - 1
    counts = pd.Series([len(queries) - 1 for queries in parts]).value_counts(normalize=True)
    assert counts.sort_index().round(2).to_dict() == pytest.approx(
        {1: 0.4, 2: 0.3, 3: 0.2, 4: 0.1}, abs=0.03
    )
