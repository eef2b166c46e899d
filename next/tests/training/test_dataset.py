from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small_training import SETTINGS, pool_of
from sounds import tone, write

from paraclap import audio, tables
from paraclap.model import ParaCLAP
from paraclap.training import Pairs, Settings, Signals, read_training_data, training_rows
from paraclap.training.dataset import CaptionCache, balanced_weights

TOKENS = SETTINGS.but(freeze_text=False)  # batches bring tokens, not captions


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ParaCLAP:
    return ParaCLAP.from_pretrained(model_folder)


@pytest.fixture(scope="module")
def signals(labels: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Signals:
    return Signals.decode(labels.index, tmp_path_factory.mktemp("audio") / "signals.pcm")


@pytest.fixture(scope="module")
def pairs(labels, model, signals):
    """Makes the batches of some settings."""

    def make(settings: Settings = TOKENS, **more: object) -> Pairs:
        return Pairs(labels, pool_of(labels), model, settings, signals, **more)

    return make


# --- which rows, which batches ------------------------------------------------------------------


def test_every_epoch_shows_each_training_utterance_at_most_once(pairs, labels) -> None:
    ours = pairs(TOKENS.but(batch=7))
    train = set(np.flatnonzero(labels["split"] == "train"))
    assert ours.steps_per_epoch == 5
    for epoch in range(2):
        rows = np.concatenate([ours.rows(epoch * 5 + step) for step in range(5)]).tolist()
        assert len(set(rows)) == len(rows) == 35
        assert set(rows) <= train


def test_epochs_differ_and_seeds_differ(pairs) -> None:
    ours = pairs()
    assert ours.rows(0).tolist() != ours.rows(4).tolist()
    assert ours.rows(0).tolist() != pairs(TOKENS.but(seed=1)).rows(0).tolist()


def test_number_of_steps_comes_from_the_epochs_unless_it_is_set(pairs) -> None:
    assert pairs().steps == 12
    assert pairs(TOKENS.but(steps=7)).steps == 7


def test_utterances_without_an_agreed_emotion_or_a_caption_are_left_out(labels) -> None:
    odd = labels.assign(emotion=labels["emotion"].where(np.arange(60) > 1, "no_agreement"))
    odd.loc[odd.index[2], "emotion"] = None
    pool = pool_of(odd)
    only = Settings(only_emotion=True)
    assert training_rows(odd, pool, only)[:1].tolist() == [3]
    assert training_rows(odd, pool, Settings()).tolist() == list(range(2, 40))
    assert training_rows(odd, pool, Settings(agreed_only=False)).tolist() == list(range(40))


def test_batches_that_cannot_be_are_refused(pairs) -> None:
    with pytest.raises(ValueError, match="Bad batch 41 for 40 training utterances"):
        pairs(TOKENS.but(batch=41))
    with pytest.raises(ValueError, match=r"Bad batch 10 .* 4 processes"):
        pairs(process=(0, 4))


@pytest.mark.parametrize(("balance", "rare"), [(0.0, None), (0.5, 0.366), (1.0, 0.5)])
def test_a_rare_emotion_is_drawn_the_more_often_the_more_is_balanced(balance, rare) -> None:
    weights = balanced_weights(pd.Series(["anger", "anger", "anger", None]), balance)
    if rare is None:
        assert weights is None
    else:
        assert weights.sum() == pytest.approx(1)
        assert weights[3] == pytest.approx(rare, abs=1e-3)
        assert weights[0] == weights[1] == weights[2]


def test_balanced_batches_hold_a_rare_emotion_about_as_often(labels, model, signals) -> None:
    rare = labels.assign(emotion=labels["emotion"].where(np.arange(60) % 10 == 0, "sadness"))
    shares = {}
    for balance in (0.0, 1.0):
        settings = TOKENS.but(balance=balance, batch=40)
        ours = Pairs(rare, pool_of(rare), model, settings, signals)
        drawn = rare["emotion"].iloc[np.concatenate([ours.rows(step) for step in range(20)])]
        shares[balance] = (drawn == "anger").mean()
    assert shares[0.0] == 0.1
    assert shares[1.0] == pytest.approx(0.5, abs=0.06)


# --- crops --------------------------------------------------------------------------------------


def lengths(batch: dict[str, torch.Tensor]) -> list[int]:
    values = batch["input_values"]
    return batch.get("audio_attention_mask", torch.ones_like(values)).sum(1).int().tolist()


def start_of(crop: np.ndarray, whole: np.ndarray) -> int:
    """Where a crop lies in its signal."""
    windows = np.lib.stride_tricks.sliding_window_view(whole, len(crop))
    places = np.flatnonzero((windows[:, :50] == crop[:50]).all(1))
    return next(int(place) for place in places if (windows[place] == crop).all())


def test_crops_are_parts_of_their_signals_and_padding_is_marked(pairs, labels) -> None:
    ours = pairs()
    for step in range(4):
        batch = ours[step]
        for row, signal, length in zip(
            ours.rows(step), batch["input_values"].numpy(), lengths(batch), strict=True
        ):
            whole = audio.read(*labels.index[row])
            assert length == min(len(whole), 9_600)
            start_of(signal[:length], whole)
            assert not signal[length:].any()


def test_crops_begin_anywhere_in_a_signal_and_elsewhere_each_time(pairs, labels) -> None:
    ours, found = pairs(TOKENS.but(crop_seconds=0.1)), []
    for step in range(12):
        for row, crop in zip(ours.rows(step), ours[step]["input_values"].numpy(), strict=True):
            whole = audio.read(*labels.index[row])
            found.append((row, start_of(crop, whole) / (len(whole) - len(crop))))
    places = np.array([place for _, place in found])
    assert np.histogram(places, [0, 0.25, 0.5, 0.75, 1])[0].min() >= 0.15 * len(places)
    assert pd.DataFrame(found).groupby(0)[1].nunique().min() == 3, "an epoch repeats another"


def test_crops_padded_to_one_length_are_silence_that_counts_as_signal(pairs) -> None:
    padded, masked = pairs(TOKENS.but(pad="crop"))[0], pairs()[0]
    assert padded["input_values"].shape == (10, 9_600)
    assert "audio_attention_mask" not in padded
    for one, other, length in zip(
        padded["input_values"], masked["input_values"], lengths(masked), strict=True
    ):
        assert torch.equal(one[:length], other[:length])
        assert not one[length:].any()


def test_functionals_are_those_of_the_batch(labels, egemaps_model) -> None:
    values = np.random.default_rng(0).normal(size=(60, 89))
    table = pd.DataFrame(values, labels.index)
    egemaps_model.processor.feature_extractor.fit(values)
    ours = Pairs(labels, pool_of(labels), egemaps_model, TOKENS, None, table.sample(frac=1))
    low, high, mean, spread = np.array(egemaps_model.processor.feature_extractor.scaling).T
    expected = (values[ours.rows(2)].clip(low, high) - mean) / spread
    np.testing.assert_allclose(ours[2]["input_values"], expected, rtol=1e-5, atol=1e-5)


@pytest.fixture
def egemaps_model() -> ParaCLAP:
    from paraclap.model import build

    return build("egemaps", "smoke", 16, 0.2, "mean", 1)


# --- captions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [0, 2])
def test_captions_are_true_of_their_utterances(pairs, labels, kept: int) -> None:
    ours, pool = pairs(TOKENS.but(captions_per_utterance=kept)), pool_of(labels)
    for step in range(6):
        for row, caption in zip(ours.rows(step), ours.captions(step), strict=True):
            assert set(caption.split(" and ")) <= set(pool.queries(int(row)))


def test_kept_captions_are_all_that_is_used_and_new_ones_are_drawn_without(pairs) -> None:
    few, many = pairs(), pairs(TOKENS.but(captions_per_utterance=0))
    used = {caption for step in range(40) for caption in few.captions(step)}
    assert used == {caption for captions in few.kept for caption in captions}
    assert len({caption for step in range(40) for caption in many.captions(step)}) > len(used)
    assert not many.kept


def test_tokens_are_those_of_the_captions(pairs, model) -> None:
    ours = pairs()
    batch, captions = ours[3], ours.captions(3)
    expected = model.processor(text=captions)
    assert torch.equal(batch["input_ids"], expected["input_ids"])
    assert torch.equal(batch["attention_mask"], expected["attention_mask"])
    assert pairs(SETTINGS)[3]["captions"] == captions
    assert "captions" not in pairs(SETTINGS.but(frozen_dropout=True))[3]


def test_outputs_of_a_frozen_encoder_are_computed_once_for_each_caption(model) -> None:
    cache, encoded = CaptionCache(model, most=4), []
    model.text_model.register_forward_hook(lambda *given: encoded.append(len(given[1][0])))
    captions = ["is loud", "speaks for a very long time", "is loud"]
    with torch.no_grad():
        expected = model.pool_text(**model.processor(text=captions))
    encoded.clear()
    for _ in range(2):
        torch.testing.assert_close(cache(captions), expected, atol=1e-5, rtol=0)
    assert encoded == [2]
    cache(["a", "b", "c"])  # more than are kept: all of them go
    torch.testing.assert_close(cache(captions), expected, atol=1e-5, rtol=0)
    assert encoded == [2, 3, 2]


# --- where one starts, who reads ----------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("workers", [0, 2])
def test_batches_depend_neither_on_where_one_starts_nor_on_who_reads(pairs, workers) -> None:
    expected = [pairs()[step] for step in range(12)]
    got = list(pairs(TOKENS.but(workers=workers)).loader(5))
    assert len(got) == 7
    for one, other in zip(expected[5:], got, strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_reading_batches_takes_no_random_number_of_the_run(pairs) -> None:
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    next(iter(pairs().loader(2)))
    assert torch.rand(1) == expected


def test_shares_of_several_processes_are_the_batch_of_one(pairs) -> None:
    settings = TOKENS.but(pad="crop")
    whole = pairs(settings)[4]
    halves = [pairs(settings, process=(number, 2))[4] for number in (0, 1)]
    assert torch.equal(torch.cat([half["input_values"] for half in halves]), whole["input_values"])
    for half, rows in zip(halves, whole["input_ids"].split(5), strict=True):
        width = half["input_ids"].shape[1]
        assert torch.equal(half["input_ids"], rows[:, :width])
        assert not rows[:, width:].any()


# --- tables and decoded audio -------------------------------------------------------------------


def test_only_corpora_with_a_train_split_are_read(labels, tmp_path) -> None:
    foreign = labels["speaker"] == "s5"
    several = labels.assign(corpus=labels["corpus"].where(~foreign, "other"))
    tables.write_table(several, tmp_path / "labels.parquet")
    tables.write_table(pool_of(several).table()[::-1], tmp_path / "queries.parquet")
    data = read_training_data(tmp_path)
    assert set(data.labels["corpus"]) == {"tones"}
    assert data.labels.index.equals(labels.index[~foreign][::-1])
    assert data.labels.index.equals(data.table.index)
    assert data.pool.queries(0) == pool_of(several).queries(49)


def test_tables_that_are_not_there_are_named(tmp_path) -> None:
    with pytest.raises(FileNotFoundError, match=r"queries\.parquet.*run the step"):
        read_training_data(tmp_path)


def test_decoded_audio_is_what_the_files_hold(labels, signals) -> None:
    for row in (0, 17, 59):
        whole = audio.read(*labels.index[row])
        np.testing.assert_array_equal(signals.read(row), whole)
        np.testing.assert_array_equal(signals.read(row, 100, 50), whole[100:150])
        assert signals.seconds()[row] == len(whole) / 16_000
    some = signals.select(labels.index[[5, 3]])
    np.testing.assert_array_equal(some.read(1), signals.read(3))
    assert len(some.read(0, 100, 10**9)) == len(signals.read(5)) - 100


def test_values_beyond_one_are_not_clipped(tmp_path) -> None:
    loud = 3 * tone(0.5)
    file = write(tmp_path / "loud.wav", loud, subtype="FLOAT")
    found = Signals.decode(tables.segments([file]), tmp_path / "signals.pcm").read(0)
    np.testing.assert_allclose(found, loud, atol=3 / 2**15)


def test_audio_is_decoded_again_only_when_something_changed(tmp_path) -> None:
    index = tables.segments([write(tmp_path / f"{n}.wav", tone(0.2, 100 * n)) for n in (1, 2, 3)])
    place = tmp_path / "signals.pcm"

    def decoded(some: pd.Index) -> bool:
        before = place.stat().st_ino if place.is_file() else None
        Signals.decode(some, place, jobs=2)
        return place.stat().st_ino != before

    assert decoded(index)
    assert not decoded(index)
    assert decoded(index[:2])
    write(tmp_path / "1.wav", tone(0.3))
    assert decoded(index[:2])
    place.write_bytes(place.read_bytes()[:-2])
    assert decoded(index[:2])


def test_files_that_cannot_be_read_are_named_and_nothing_is_kept(tmp_path) -> None:
    files = [write(tmp_path / "good.wav", tone(0.2)), tmp_path / "bad.wav", tmp_path / "none.wav"]
    files[1].write_bytes(b"no audio")
    message = r"Cannot read 2 of 3 segments: .*bad\.wav.*none\.wav.*leave them out"
    with pytest.raises(audio.AudioError, match=message):
        Signals.decode(tables.segments(files), tmp_path / "signals.pcm")
    assert not (tmp_path / "signals.pcm").exists()
