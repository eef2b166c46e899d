from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from small_training import SETTINGS, pool_of
from sounds import tone, write

from paraclap import audio, tables
from paraclap.model import ParaCLAP, build
from paraclap.training import Pairs, Settings, decode_audio, read_training_data
from paraclap.training.dataset import Signals, training_rows
from paraclap.training.step import CaptionCache

TOKENS = SETTINGS.but(freeze_text=False)  # batches bring tokens, not captions


@pytest.fixture(scope="module")
def model(model_folder: Path) -> ParaCLAP:
    return ParaCLAP.from_pretrained(model_folder)


@pytest.fixture(scope="module")
def signals(labels: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Signals:
    return decode_audio(labels, tmp_path_factory.mktemp("audio") / "signals.pcm", SETTINGS)


@pytest.fixture(scope="module")
def pairs(labels, model, signals):
    """Makes the batches of some settings."""

    def make(settings: Settings = TOKENS, **more: object) -> Pairs:
        return Pairs(labels, pool_of(labels), model, settings, signals, **more)

    return make


def test_every_epoch_shows_each_training_utterance_at_most_once(pairs, labels) -> None:
    ours, epochs = pairs(TOKENS.but(batch=7)), []
    train = set(np.flatnonzero(labels["split"] == "train"))
    assert (ours.steps_per_epoch, ours.steps, pairs(TOKENS.but(steps=7)).steps) == (5, 15, 7)
    for epoch in range(2):
        epochs.append(np.concatenate([ours.rows(epoch * 5 + step) for step in range(5)]).tolist())
        assert len(set(epochs[-1])) == len(epochs[-1]) == 35
        assert set(epochs[-1]) <= train
    assert epochs[0] != epochs[1]
    assert pairs().rows(0).tolist() != pairs(TOKENS.but(seed=1)).rows(0).tolist()


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


def test_balanced_batches_hold_a_rare_emotion_more_often(labels, model, signals) -> None:
    rare = labels.assign(emotion=labels["emotion"].where(np.arange(60) % 10 == 0, "sadness"))
    shares = []
    for balance in (0.0, 0.5, 1.0):
        ours = Pairs(rare, pool_of(rare), model, TOKENS.but(balance=balance, batch=40), signals)
        drawn = rare["emotion"].iloc[np.concatenate([ours.rows(step) for step in range(30)])]
        shares.append((drawn == "anger").mean())
    assert shares == pytest.approx([0.1, 0.25, 0.5], abs=0.05)


def start_of(crop: np.ndarray, whole: np.ndarray) -> int:
    """Where a crop lies in its signal."""
    windows = np.lib.stride_tricks.sliding_window_view(whole, len(crop))
    places = np.flatnonzero((windows[:, :50] == crop[:50]).all(1))
    return next(int(place) for place in places if (windows[place] == crop).all())


def test_crops_begin_anywhere_in_a_signal_and_elsewhere_each_time(pairs, labels) -> None:
    ours, found = pairs(TOKENS.but(crop_seconds=0.1)), []
    for step in range(12):
        for row, crop in zip(ours.rows(step), ours[step]["input_values"].numpy(), strict=True):
            whole = audio.read(*labels.index[row])
            found.append((row, start_of(crop, whole) / (len(whole) - len(crop))))
    places = np.array([place for _, place in found])
    assert np.histogram(places, [0, 0.25, 0.5, 0.75, 1])[0].min() >= 0.15 * len(places)
    assert pd.DataFrame(found).groupby(0)[1].nunique().min() == 3, "an epoch repeats another"


def test_padding_is_marked_or_counts_as_signal(pairs, labels) -> None:
    long = TOKENS.but(crop_seconds=1.0)
    masked, padded = pairs(long)[1], pairs(long.but(pad="crop"))[1]
    signals, lengths = masked["input_values"], masked["audio_attention_mask"].sum(1).int()
    for row, signal, length in zip(pairs(long).rows(1), signals.numpy(), lengths, strict=True):
        whole = audio.read(*labels.index[row])
        assert length == min(len(whole), 16_000)
        start_of(signal[:length], whole)
        assert not signal[length:].any()
    assert padded["input_values"].shape == (10, 16_000)
    assert "audio_attention_mask" not in padded
    assert torch.equal(padded["input_values"][:, : signals.shape[1]], signals)


def test_functionals_are_those_of_the_batch_standardised_by_the_training_rows(labels) -> None:
    values, model = np.random.default_rng(0).normal(size=(60, 89)), build("egemaps", "smoke")
    table = pd.DataFrame(values, labels.index).sample(frac=1)
    settings = TOKENS.but(audio_encoder="egemaps")
    ours = Pairs(labels, pool_of(labels), model, settings, None, table)
    low, high = np.quantile(values[:40], (0.005, 0.995), axis=0)
    cut = values.clip(low, high)
    expected = (cut - cut[:40].mean(0)) / cut[:40].std(0)
    found = ours[2]["input_values"]
    np.testing.assert_allclose(found, expected[ours.rows(2)], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kept", [0, 2])
def test_captions_are_true_of_their_utterances_and_drawn_anew_or_kept(pairs, labels, kept) -> None:
    ours, pool = pairs(TOKENS.but(captions_per_utterance=kept)), pool_of(labels)
    used: dict[int, set[str]] = {}
    for step in range(40):
        for row, caption in zip(ours.rows(step), ours.captions(step), strict=True):
            assert set(caption.split(" and ")) <= set(pool.queries(int(row)))
            used.setdefault(row, set()).add(caption)
    assert max(map(len, used.values())) == 2 if kept else max(map(len, used.values())) > 4


def test_tokens_are_those_of_the_captions_or_left_to_the_cache(pairs, model) -> None:
    batch, captions = pairs()[3], pairs().captions(3)
    expected = model.processor(text=captions)
    assert all(torch.equal(batch[name], expected[name]) for name in expected)
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


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_outputs_have_the_same_bits_whatever_else_is_encoded(precision) -> None:
    """Else a run that goes on, and encodes again, would end with other weights."""
    model = build("smoke", "minilm", 16, text_pooling="mean").eval()
    captions = ["is loud", "pitch is low", " and ".join(["the arousal is high"] * 6), "is sad"]
    together = CaptionCache(model, precision)(captions)
    apart = torch.cat([CaptionCache(model, precision)([caption]) for caption in captions])
    assert torch.equal(together, apart)
    torch.testing.assert_close(together, CaptionCache(model)(captions), atol=0.02, rtol=0)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("workers", [0, 2])
def test_batches_depend_neither_on_where_one_starts_nor_on_who_reads(pairs, workers) -> None:
    expected = [pairs()[step] for step in range(12)]
    got = list(pairs(TOKENS.but(workers=workers)).loader(5))
    for one, other in zip(expected[5:], got, strict=True):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
        assert not any(values.is_shared() for values in other.values())  # 64 MB in a container


def test_only_corpora_with_a_train_split_are_read(labels, tmp_path) -> None:
    without = labels["speaker"] == "s5"
    several = labels.assign(corpus=labels["corpus"].where(~without, "other"))
    tables.write_table(several, tmp_path / "labels.parquet")
    tables.write_table(pool_of(several).table()[::-1], tmp_path / "queries.parquet")
    data = read_training_data(tmp_path)
    assert set(data.labels["corpus"]) == {"tones"}
    assert data.labels.index.equals(labels.index[~without][::-1])
    assert data.labels.index.equals(data.table.index)
    assert data.pool.queries(0) == pool_of(several).queries(49)


def test_decoded_audio_is_what_the_files_hold(labels, signals) -> None:
    for row in (0, 17, 49):
        whole = audio.read(*labels.index[row])
        np.testing.assert_array_equal(signals.read(row), whole)
        np.testing.assert_array_equal(signals.read(row, 100, 50), whole[100:150])
        assert signals.seconds()[row] == len(whole) / 16_000
    some = signals.select(labels.index[[5, 3]])
    np.testing.assert_array_equal(some.read(1), signals.read(3))
    assert len(some.read(0, 100, 10**9)) == len(signals.read(5)) - 100


def decoded(files, path) -> Signals:
    return decode_audio(pd.DataFrame({"split": "train"}, tables.segments(files)), path, SETTINGS)


def test_values_beyond_one_are_not_clipped(tmp_path) -> None:
    loud = 3 * tone(0.5)
    file = write(tmp_path / "loud.wav", loud, subtype="FLOAT")
    found = decoded([file], tmp_path / "signals.pcm").read(0)
    np.testing.assert_allclose(found, loud, atol=3 / 2**15)


def test_audio_is_decoded_again_only_when_something_changed(tmp_path) -> None:
    files = [write(tmp_path / f"{n}.wav", tone(0.2, 100 * n)) for n in (1, 2, 3)]
    place = tmp_path / "signals.pcm"

    def is_new(some: list[Path]) -> bool:
        before = place.stat().st_ino if place.is_file() else None
        decoded(some, place)
        return place.stat().st_ino != before

    assert is_new(files)
    assert not is_new(files)
    assert is_new(files[:2])
    write(tmp_path / "1.wav", tone(0.3))
    assert is_new(files[:2])
    place.write_bytes(place.read_bytes()[:-2])
    assert is_new(files[:2])


def test_files_that_cannot_be_read_are_named_and_nothing_is_kept(tmp_path) -> None:
    files = [write(tmp_path / "good.wav", tone(0.2)), tmp_path / "bad.wav"]
    files[1].write_bytes(b"no audio")
    with pytest.raises(audio.AudioError, match=r"bad\.wav"):
        decoded(files, tmp_path / "signals.pcm")
    assert not (tmp_path / "signals.pcm").exists()
