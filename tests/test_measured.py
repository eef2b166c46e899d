"""Audio towers that read what openSMILE measures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from paraclap import ParaCLAP, audio, features, flops, zeroshot
from paraclap.inference import Listener, listen
from paraclap.machine import Machine
from paraclap.measured import FUNCTIONALS, MeasuredTower
from paraclap.pooling import pool_voices
from paraclap.queries import Pool
from paraclap.settings import Settings
from paraclap.towers import build
from paraclap.training import train

NAMES = ["egemaps", "egemaps+smoke"]
SETTINGS = Settings(
    text_encoder="smoke",
    text_pooling="mean",
    freeze_text=True,
    projection_dim=16,
    rand=2,
    agreed_only=False,
    texts_per_voice=2,
    audio_lr=3e-3,
    head_lr=3e-3,
    batch=10,
    epochs=3,
    crop_seconds=0.6,
    pad="batch",
)


def random_signals(*lengths: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(0, 0.1, length).astype(np.float32) for length in lengths]


def untrained(name: str) -> ParaCLAP:
    model = build(name, "smoke", 16, 0.0, "mean", seed=0).eval()
    assert model.processor is not None
    model.processor.feature_extractor.fit(np.random.default_rng(1).normal(size=(40, FUNCTIONALS)))
    return model


@pytest.fixture(scope="module")
def measured(voices: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return features.extract(voices, tmp_path_factory.mktemp("f") / "features.parquet", jobs=1)


def test_the_columns_of_the_features_table_are_what_the_tower_reads(
    voices: pd.DataFrame, measured: pd.DataFrame
) -> None:
    assert measured.shape[1] == FUNCTIONALS
    signal = audio.read(*voices.index[0])
    np.testing.assert_array_equal(features.measure(signal), measured.iloc[0].to_numpy(float))


def test_what_is_heard_is_standardised_by_the_training_voices_and_stands_before_the_signal() -> (
    None
):
    model = untrained("egemaps+smoke")
    assert model.processor is not None
    extractor = model.processor.feature_extractor
    voices = np.random.default_rng(2).normal(5, 3, (500, FUNCTIONALS))
    extractor.fit(voices)
    (signal,) = random_signals(800)
    heard = np.stack([extractor.heard(signal, row) for row in voices])
    assert heard.shape == (500, FUNCTIONALS + 800)
    np.testing.assert_allclose(heard[:, :FUNCTIONALS].mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(heard[:, :FUNCTIONALS].std(0), 1, atol=1e-5)
    np.testing.assert_array_equal(heard[0, FUNCTIONALS:], signal)
    extreme = extractor.heard(signal, np.full(FUNCTIONALS, 1e9))
    assert extreme[:FUNCTIONALS].max() < 4  # a value far out of the training voices is cut


def test_a_constant_functional_says_nothing() -> None:
    model = untrained("egemaps")
    assert model.processor is not None
    extractor = model.processor.feature_extractor
    extractor.fit(np.ones((10, FUNCTIONALS)))
    assert not extractor.heard(np.zeros(0, np.float32), np.ones(FUNCTIONALS)).any()


@pytest.mark.parametrize("name", NAMES)
def test_pooling_keeps_the_functionals_and_ignores_padding(name: str) -> None:
    model = untrained(name)
    assert model.processor is not None and isinstance(model.audio_model, MeasuredTower)
    extractor = model.processor.feature_extractor
    signals = random_signals(9000, 16_000)
    heard = [extractor.heard(signal) for signal in signals]
    pooled = pool_voices(model.audio_model, *extractor.pack(heard))
    for row, one in zip(pooled, heard, strict=True):
        torch.testing.assert_close(row[-FUNCTIONALS:], torch.from_numpy(one[:FUNCTIONALS]))
        alone = pool_voices(model.audio_model, *extractor.pack([one]))
        torch.testing.assert_close(row, alone[0], atol=1e-5, rtol=1e-4)
    if name != "egemaps":
        units = model.audio_model.encoder.config.hidden_size
        plain = pool_voices(model.audio_model.encoder, torch.from_numpy(signals[1])[None])
        torch.testing.assert_close(pooled[1, :units], plain[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_answers_as_before_and_as_the_fast_way(
    name: str, voices: pd.DataFrame, measured: pd.DataFrame, tmp_path: Path
) -> None:
    model = untrained(name)
    assert model.processor is not None
    model.processor.feature_extractor.fit(measured.to_numpy(float))
    few = voices.iloc[:6]
    expected = zeroshot.embed_audio(model, few)
    model.save_pretrained(tmp_path)
    loaded = ParaCLAP.from_pretrained(tmp_path)
    np.testing.assert_array_equal(zeroshot.embed_audio(loaded, few), expected)
    known = zeroshot.embed_audio(loaded, few, measured=measured)
    np.testing.assert_allclose(known, expected, atol=1e-6)
    found, reasons = listen(few.index, Listener(loaded, "float32"))
    assert reasons == [None] * 6
    np.testing.assert_allclose(found, expected, atol=1e-5)
    half, _ = listen(few.index, Listener(loaded, "bf16"))
    assert (half * expected).sum(1).min() > 0.999


def test_a_voice_that_cannot_be_measured_is_listed_with_the_reason(
    voices: pd.DataFrame, tmp_path: Path
) -> None:
    import soundfile

    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    index = zeroshot.segments([tmp_path / "silent.wav"]).append(voices.index[:1])
    found, reasons = listen(index, Listener(untrained("egemaps")))
    assert reasons[0] == "Silent: the signal never moves." and reasons[1] is None
    assert not found[0].any() and found[1].any()


def test_a_model_that_was_never_fitted_says_so() -> None:
    model = build("egemaps", "smoke", 8, 0.0, "mean", seed=0)
    with pytest.raises(ValueError, match="never been trained: expected the spread"):
        model.prepare(audio=random_signals(8000), sampling_rate=16_000)


def test_a_wrong_sampling_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="Bad sampling_rate 8000, expected 16000 Hz"):
        untrained("egemaps").prepare(audio=random_signals(8000), sampling_rate=8000)


@pytest.mark.parametrize("name", NAMES)
def test_training_learns_from_the_table_and_repeats_itself(
    name: str, voices: pd.DataFrame, pool: Pool, measured: pd.DataFrame, tmp_path: Path
) -> None:
    settings, cpu = SETTINGS.but(audio_encoder=name), Machine(device="cpu", jobs=1)
    models = [
        train(voices, pool, tmp_path / turn, settings, cpu, measured=measured) for turn in "ab"
    ]
    states = [model.state_dict() for model in models]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    losses = pd.read_csv(tmp_path / "a" / "curves.csv")["loss"]
    assert losses.iloc[-3:].mean() < losses.iloc[:3].mean()
    assert flops.forward_flops(models[0].config, samples=16_000) > 0


def test_training_without_the_features_table_says_what_is_missing(
    voices: pd.DataFrame, pool: Pool, measured: pd.DataFrame, tmp_path: Path
) -> None:
    settings, cpu = SETTINGS.but(audio_encoder="egemaps"), Machine(device="cpu", jobs=1)
    with pytest.raises(ValueError, match=r"No features of \d+ of \d+ voices, expected them for"):
        train(voices, pool, tmp_path, settings, cpu)
    with pytest.raises(ValueError, match="No features of 1 of"):
        train(voices, pool, tmp_path, settings, cpu, measured=measured.iloc[1:])
