import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paraclap import audio, pairs
from paraclap.model import ParaCLAP
from paraclap.queries import Pool
from paraclap.schedule import Schedule, balanced
from paraclap.signals import Signals
from paraclap.texts import Texts, Tokens


@given(st.integers(2, 40), st.integers(2, 9), st.integers(0, 99))
def test_every_epoch_shows_each_voice_at_most_once(voices: int, batch: int, seed: int) -> None:
    batch = min(batch, voices)
    schedule = Schedule(voices, batch, seed)
    steps = schedule.steps_per_epoch
    for epoch in range(2):
        rows = np.concatenate([schedule.rows(epoch * steps + step) for step in range(steps)])
        assert len(set(rows.tolist())) == len(rows) == steps * batch
        assert set(rows.tolist()) <= set(range(voices))


def test_epochs_differ_and_seeds_differ() -> None:
    schedule = Schedule(64, 64, seed=0)
    assert schedule.rows(0).tolist() != schedule.rows(1).tolist()
    assert schedule.rows(0).tolist() != Schedule(64, 64, seed=1).rows(0).tolist()


def test_too_few_voices_for_a_batch_are_refused() -> None:
    with pytest.raises(ValueError, match="Got 5 training voices for batches of 8"):
        Schedule(5, 8, seed=0)


def reader(
    model: ParaCLAP, voices: pd.DataFrame, pool: Pool, pad: str = "batch", **more: object
) -> pairs.Voices:
    schedule = Schedule(len(voices), 8, seed=3)
    signals = Signals(voices.index)
    return pairs.Voices(signals, schedule, texts(pool, 2), model.processor, 0.6, pad, **more)


def read(
    model: ParaCLAP, voices: pd.DataFrame, pool: Pool, steps: range, workers: int
) -> list[pairs.Batch]:
    return list(pairs.batches(reader(model, voices, pool), steps, workers))


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_do_not_depend_on_where_one_starts_nor_on_workers(
    model: ParaCLAP, voices: pd.DataFrame, pool: Pool, workers: int
) -> None:
    whole = read(model, voices, pool, range(10), 0)
    part = read(model, voices, pool, range(4, 10), workers)
    for expected, got in zip(whole[4:], part, strict=True):
        assert expected.step == got.step
        np.testing.assert_array_equal(expected.rows, got.rows)
        for name in expected.signals:
            assert torch.equal(expected.signals[name], got.signals[name])
        assert torch.equal(expected.tokens["input_ids"], got.tokens["input_ids"])
        assert torch.equal(expected.places, got.places)


def test_signals_are_cropped_to_the_given_length_and_padding_is_marked(
    model: ParaCLAP, voices: pd.DataFrame, pool: Pool
) -> None:
    for batch in read(model, voices, pool, range(7), 0):
        values = batch.signals["input_values"]
        mask = batch.signals.get("audio_attention_mask", torch.ones_like(values))
        assert values.shape[1] <= round(0.6 * audio.SAMPLING_RATE)
        for row, signal, marks in zip(batch.rows, values, mask, strict=True):
            whole = audio.read(*voices.index[row])
            kept = signal[: int(marks.sum())].numpy()
            assert len(kept) == min(len(whole), values.shape[1])
            windows = np.lib.stride_tricks.sliding_window_view(whole, len(kept))
            assert (windows == kept).all(1).any(), "the crop is no part of the signal"
            assert not signal[len(kept) :].any()


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("pad", ["batch", "crop"])
def test_batches_are_packed_as_the_feature_extractor_does_it(
    model: ParaCLAP, voices: pd.DataFrame, pool: Pool, normalise: bool, pad: str
) -> None:
    extractor = model.processor.feature_extractor
    extractor.do_normalize = normalise
    wanted = round(0.6 * audio.SAMPLING_RATE)
    signals = [audio.read(*place) for place in voices.index[:6]] + [np.ones(5, np.float32)]
    crops = [signal[:wanted] for signal in signals]
    if pad == "crop":
        crops = [np.pad(crop, (0, wanted - len(crop))) for crop in crops]
    expected = extractor(crops, return_tensors="pt")
    batches = reader(model, voices, pool, pad)
    got = batches._pack([batches._heard(signal[:wanted]) for signal in signals])
    torch.testing.assert_close(got["input_values"], expected["input_values"], atol=1e-6, rtol=0)
    mask = got.get("audio_attention_mask", torch.ones_like(got["input_values"]).long())
    assert torch.equal(mask, expected["audio_attention_mask"].long())
    assert ("audio_attention_mask" in got) == (pad == "batch")


def test_tokens_are_those_of_the_processor_and_made_once(model: ParaCLAP) -> None:
    tokens = Tokens(model.processor.tokenizer)
    for said in (["is loud", "speaks for a long time"], ["is loud"], ["is quiet", "is loud"]):
        expected = model.processor(text=said)
        got = tokens(said)
        assert got.keys() == expected.keys()
        assert all(torch.equal(got[name], expected[name]) for name in got)
    assert len(tokens._kept) == 3


def test_each_distinct_text_of_a_batch_is_tokenised_once_and_found_by_place(
    model: ParaCLAP, voices: pd.DataFrame, pool: Pool
) -> None:
    ours = reader(model, voices, pool)
    batch = ours[5]
    said = ours.texts.of(5, batch.rows)
    assert len(batch.tokens["input_ids"]) == len(set(said)) == batch.places.max() + 1
    spoken = model.processor.tokenizer.batch_decode(batch.tokens["input_ids"], True)
    assert [spoken[place] for place in batch.places] == said


def test_shares_of_several_processes_are_the_batch_of_one(
    model: ParaCLAP, voices: pd.DataFrame, pool: Pool
) -> None:
    whole = reader(model, voices, pool, tokens=False)[4]
    halves = [
        reader(model, voices, pool, share=share, tokens=False)[4]
        for share in (slice(0, 4), slice(4, 8))
    ]
    assert np.concatenate([half.rows for half in halves]).tolist() == whole.rows.tolist()
    assert torch.equal(torch.cat([half.places for half in halves]), whole.places)
    for half, rows in zip(halves, whole.signals["input_values"].split(4), strict=True):
        width = half.signals["input_values"].shape[1]
        assert torch.equal(half.signals["input_values"], rows[:, :width])
        assert not rows[:, width:].any()


def texts(pool: Pool, per_voice: int, **draws: object) -> Texts:
    defaults = {"rand": 3, "emotion": "always", "only_emotion": False}
    return Texts(pool, range(len(pool)), 0, per_voice, **(defaults | draws))


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


def test_crops_padded_to_one_length_are_silence_that_is_heard(
    model: ParaCLAP, voices: pd.DataFrame, pool: Pool
) -> None:
    model.processor.feature_extractor.do_normalize = False
    batch, masked = (reader(model, voices, pool, pad)[0] for pad in ("crop", "batch"))
    assert batch.signals["input_values"].shape == (8, 9_600)
    assert "audio_attention_mask" not in batch.signals
    mask = masked.signals.get("audio_attention_mask")
    lengths = mask.sum(1) if mask is not None else torch.full((8,), 9_600)
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


@pytest.mark.parametrize(("balance", "rare"), [(0.0, None), (0.5, 0.366), (1.0, 0.5)])
def test_a_rare_emotion_is_drawn_the_more_often_the_more_is_balanced(balance, rare):
    shares = balanced(pd.Series(["anger", "anger", "anger", None]), balance)
    if rare is None:
        assert shares is None
    else:
        assert shares.sum() == pytest.approx(1)
        assert shares[3] == pytest.approx(rare, abs=1e-3)
        assert shares[0] == shares[1] == shares[2]


def test_shares_say_how_often_a_voice_is_drawn():
    schedule = Schedule(3, 1, 0, np.array([0.0, 0.25, 0.75]))
    drawn = np.bincount([int(schedule.rows(step)[0]) for step in range(600)], minlength=3) / 600
    assert drawn[0] == 0
    assert drawn[2] == pytest.approx(0.75, abs=0.06)
