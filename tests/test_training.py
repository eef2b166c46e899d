import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from paraclap import tables, training, zeroshot
from paraclap.model import ParaCLAP
from paraclap.queries import Pool
from paraclap.settings import Settings
from paraclap.text_cache import TextCache

SETTINGS = Settings(
    audio_encoder="smoke",
    text_encoder="smoke",
    text_pooling="mean",
    freeze_text=True,
    projection_dim=16,
    dropout=0.1,
    rand=2,
    agreed_only=False,
    texts_per_voice=2,
    optimizer="adamw",
    audio_lr=3e-3,
    text_lr=1e-3,
    head_lr=3e-3,
    schedule="cosine",
    warmup=0.1,
    batch=10,
    epochs=3,
    crop_seconds=0.6,
    pad="batch",
    checkpoint_steps=3,
)


def weights(folder: Path) -> bytes:
    return (folder / "model" / "model.safetensors").read_bytes()


def train(voices: pd.DataFrame, pool: Pool, folder: Path, settings: Settings = SETTINGS) -> None:
    training.train(voices, pool, folder, settings, device="cpu", threads=1)


def test_training_learns_and_keeps_the_best_model_by_dev(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    model = training.train(voices, pool, tmp_path, SETTINGS.but(epochs=15, only_emotion=True))
    curve = tables.read_table(tmp_path / "curves.csv")
    assert curve["loss"].iloc[-5:].mean() < 0.8 * curve["loss"].iloc[:5].mean()
    assert curve["dev_uar"].notna().sum() == 15
    test = voices[voices["split"] == "test"]
    answers = zeroshot.classify(model, test, {"anger": "angry", "sadness": "sad"}, "speaker is {}")
    assert (answers["prediction"] == test["emotion"]).mean() >= 0.9
    dev = voices[voices["split"] == "dev"]
    answers = zeroshot.classify(model, dev, {"anger": "angry", "sadness": "sad"}, "speaker is {}")
    recall = (answers["prediction"] == dev["emotion"]).groupby(dev["emotion"]).mean()
    assert recall.mean() == pytest.approx(curve["dev_uar"].max())


def test_same_seed_gives_the_same_bits_and_another_seed_others(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        train(voices, pool, tmp_path / name, SETTINGS.but(epochs=1, seed=seed))
    assert weights(tmp_path / "first") == weights(tmp_path / "again")
    assert weights(tmp_path / "first") != weights(tmp_path / "other")


@pytest.mark.parametrize("frozen", [True, False])
def test_a_stopped_run_ends_as_one_that_was_not(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path, frozen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = SETTINGS.but(freeze_text=frozen)
    train(voices, pool, tmp_path / "whole", settings)
    step = training._step

    def stop(run: object, *args: object) -> dict[str, float]:
        if run.step == 7:
            raise KeyboardInterrupt
        return step(run, *args)

    monkeypatch.setattr(training, "_step", stop)
    with pytest.raises(KeyboardInterrupt):
        train(voices, pool, tmp_path / "stopped", settings)
    monkeypatch.undo()
    assert (tmp_path / "stopped" / "checkpoint.pt").exists()
    train(voices, pool, tmp_path / "stopped", settings)
    assert weights(tmp_path / "whole") == weights(tmp_path / "stopped")
    curves = [(tmp_path / name / "curves.csv").read_text() for name in ("whole", "stopped")]
    assert curves[0] == curves[1]
    assert not (tmp_path / "stopped" / "checkpoint.pt").exists()


def test_a_run_killed_by_sigterm_goes_on_from_its_checkpoint(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    settings = SETTINGS.but(epochs=40)
    voices.to_pickle(tmp_path / "voices.pkl")
    code = textwrap.dedent(f"""
        import sys, pandas as pd
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from paraclap import levels
        from paraclap.queries import Pool
        from test_training import SETTINGS, train
        voices = pd.read_pickle({str(tmp_path / "voices.pkl")!r})
        shown = levels.assign(voices, levels.fit(voices))
        pool = Pool.build(shown, voices["emotion"], voices["gender"])
        train(voices, pool, Path({str(tmp_path / "killed")!r}), SETTINGS.but(epochs=40))
    """)
    process = subprocess.Popen([sys.executable, "-c", code], env=os.environ)
    checkpoint = tmp_path / "killed" / "checkpoint.pt"
    for _ in range(600):
        if checkpoint.exists() or process.poll() is not None:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == -signal.SIGTERM, "the run ended before it could be stopped"
    begun = torch.load(checkpoint, weights_only=True)["step"]
    assert 0 < begun < 160
    train(voices, pool, tmp_path / "killed", settings)
    train(voices, pool, tmp_path / "whole", settings)
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")


def test_a_finished_run_is_not_trained_again_unless_a_setting_changes(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    train(voices, pool, tmp_path, SETTINGS.but(epochs=1))
    before = (tmp_path / "model" / "model.safetensors").stat().st_mtime_ns
    train(voices, pool, tmp_path, SETTINGS.but(epochs=1))
    assert (tmp_path / "model" / "model.safetensors").stat().st_mtime_ns == before
    train(voices, pool, tmp_path, SETTINGS.but(epochs=2))
    assert (tmp_path / "model" / "model.safetensors").stat().st_mtime_ns != before
    assert tables.read_table(tmp_path / "curves.csv")["epoch"].max() == 1


def test_dev_and_test_voices_are_never_trained_on(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    swapped = voices.copy()
    swapped["split"] = voices["split"].where(voices["split"] != "test", "unused")
    train(voices, pool, tmp_path / "with", SETTINGS.but(epochs=1))
    train(swapped, pool, tmp_path / "without", SETTINGS.but(epochs=1))
    assert weights(tmp_path / "with") == weights(tmp_path / "without")


def test_frozen_text_tower_keeps_its_weights_and_a_free_one_learns(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    start = training.start(SETTINGS, "cpu").model.text_model.state_dict()
    for frozen in (True, False):
        settings = SETTINGS.but(freeze_text=frozen, epochs=1)
        model = training.train(voices, pool, tmp_path / str(frozen), settings, "cpu", 1)
        same = all(
            torch.equal(value, start[name]) for name, value in model.text_model.state_dict().items()
        )
        assert same is frozen


def test_non_finite_loss_stops_with_the_step_and_the_voices(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    settings = SETTINGS.but(head_lr=1e30, audio_lr=1e30, schedule="constant", warmup=0.0)
    with pytest.raises(FloatingPointError, match=r"Loss nan at step \d+ .*\.wav"):
        train(voices, pool, tmp_path, settings)


@pytest.mark.parametrize("split", ["train", "dev"])
def test_a_missing_split_is_an_error(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path, split: str
) -> None:
    lacking = voices.assign(split=voices["split"].where(voices["split"] != split, "test"))
    with pytest.raises(ValueError, match=f"No {split} split"):
        train(lacking, pool, tmp_path)


def test_unreadable_checkpoint_is_an_error_that_says_what_to_do(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(OSError, match=r"Unreadable checkpoint .* delete it"):
        train(voices, pool, tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("optimizer", "sgd", "Bad optimizer 'sgd', expected one of"),
        ("schedule", "step", "Bad schedule 'step'"),
        ("emotion", "often", "Bad emotion 'often'"),
        ("batch", 0, "Bad batch 0, expected more than 0"),
        ("crop_seconds", -1.0, "Bad crop_seconds -1.0"),
    ],
)
def test_settings_that_mean_nothing_are_refused(name: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SETTINGS.but(**{name: value})


def test_learning_rate_rises_and_falls() -> None:
    rates = [training.rate(step, 100, SETTINGS) for step in range(100)]
    assert np.argmax(rates) in (9, 10)
    assert max(rates) == 1.0
    assert rates[0] == pytest.approx(0.1)
    assert rates[99] < 0.001
    constant = SETTINGS.but(schedule="constant", warmup=0.0)
    assert {training.rate(step, 100, constant) for step in range(100)} == {1.0}


def test_each_distinct_text_is_encoded_once(model: object) -> None:
    model.text_projection.eval()
    texts = ["is loud", "is quiet", "is loud"]
    for frozen in (True, False):
        features = TextCache(model, frozen).features(texts)
        expected = model.get_text_features(**model.processor(text=texts))
        torch.testing.assert_close(features, expected, atol=1e-5, rtol=0)
        assert torch.equal(features[0], features[2])


def test_gpu_asked_for_where_there_is_none_is_an_error() -> None:
    if torch.cuda.is_available():
        assert training.choose_device("cuda").type == "cuda"
    else:
        with pytest.raises(ValueError, match="torch sees no GPU"):
            training.choose_device("cuda")
    assert training.choose_device("cpu").type == "cpu"


def test_heads_alone_learn_where_both_towers_are_frozen(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    settings = SETTINGS.but(freeze_audio=True, frozen_dropout=True, join="all", similarity="dot")
    train(voices, pool, tmp_path, settings)
    after = ParaCLAP.from_pretrained(tmp_path / "model").state_dict()
    before = training.start(settings, "cpu").model.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    heads = ("audio_projection.", "text_projection.", "logit_scale")
    assert changed == {name for name in before if name.startswith(heads)}


@pytest.mark.parametrize(("start", "largest"), [(-0.5, 0.001), (9.0, 2.0)])
def test_temperature_stays_between_one_and_its_largest(
    voices: pd.DataFrame,
    pool: Pool,
    tmp_path: Path,
    start: float,
    largest: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin = training.start

    def cold(settings: Settings, device: str) -> training.Run:
        run = begin(settings, device)
        with torch.no_grad():
            run.model.logit_scale.fill_(start)
        return run

    monkeypatch.setattr(training, "start", cold)
    train(voices, pool, tmp_path, SETTINGS.but(epochs=1, logit_scale_max=largest))
    temperature = tables.read_table(tmp_path / "curves.csv")["temperature"]
    assert temperature.between(1, np.exp(largest) + 1e-6).all()


def test_dot_products_and_cosines_train_different_models(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    for name in ("cosine", "dot"):
        train(voices, pool, tmp_path / name, SETTINGS.but(epochs=1, similarity=name))
    first = {
        name: tables.read_table(tmp_path / name / "curves.csv")["loss"].iloc[0]
        for name in ("cosine", "dot")
    }
    assert first["dot"] > 2 * first["cosine"]  # unnormalised embeddings are longer than 1


def test_voices_without_an_agreed_emotion_can_be_left_out(voices: pd.DataFrame, pool: Pool) -> None:
    labels = voices.assign(emotion=voices["emotion"].where(np.arange(60) > 0, "no_agreement"))
    agreed, every = (
        training.speakable(labels, pool, SETTINGS.but(agreed_only=only)) for only in (True, False)
    )
    assert every[0] == 0
    assert agreed == every[1:]


@pytest.mark.parametrize(
    ("name", "value"), [("join", "some"), ("similarity", "euclid"), ("pad", "left")]
)
def test_unknown_words_among_the_settings_are_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"Bad {name} '{value}', expected one of"):
        SETTINGS.but(**{name: value})
