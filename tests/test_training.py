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

from paraclap import checkpoint, inputs, stepping, tables, training, zeroshot
from paraclap.checkpoint import Run
from paraclap.machine import Machine, choose_device
from paraclap.model import ParaCLAP
from paraclap.pairs import Batch
from paraclap.queries import Pool
from paraclap.settings import Settings
from paraclap.stepping import Stepper
from paraclap.text_cache import pooled_texts

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
CPU = Machine(device="cpu", jobs=1)


def weights(folder: Path) -> bytes:
    return (folder / "model" / "model.safetensors").read_bytes()


def checkpoints(folder: Path) -> list[Path]:
    return sorted((folder / "checkpoints").glob("*.pt"), reverse=True)


def train(voices: pd.DataFrame, pool: Pool, folder: Path, settings: Settings = SETTINGS) -> None:
    training.train(voices, pool, folder, settings, CPU)


def stopped_at(
    voices: pd.DataFrame, pool: Pool, folder: Path, step: int, settings: Settings = SETTINGS
) -> None:
    """Leave a run as it is when its process vanishes at a step."""

    def vanish(stepper: Stepper, batch: Batch) -> torch.Tensor:
        if batch.step == step:
            raise KeyboardInterrupt
        return plain(stepper, batch)

    plain = Stepper.step
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Stepper, "step", vanish)
        train(voices, pool, folder, settings)


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
    voices: pd.DataFrame, pool: Pool, tmp_path: Path, frozen: bool
) -> None:
    settings = SETTINGS.but(freeze_text=frozen)
    train(voices, pool, tmp_path / "whole", settings)
    stopped_at(voices, pool, tmp_path / "stopped", 7, settings)
    assert [int(saved.stem[-9:]) for saved in checkpoints(tmp_path / "stopped")] == [6, 4]
    train(voices, pool, tmp_path / "stopped", settings)
    assert weights(tmp_path / "whole") == weights(tmp_path / "stopped")
    curves = [(tmp_path / name / "curves.csv").read_text() for name in ("whole", "stopped")]
    assert curves[0] == curves[1]
    assert not (tmp_path / "stopped" / "checkpoints").exists()


def started_elsewhere(
    voices: pd.DataFrame, folder: Path, epochs: int, before: str = ""
) -> "subprocess.Popen[bytes]":
    """A training run in a process of its own."""
    table = folder.with_suffix(".parquet")
    tables.write_table(voices, table, "voices")
    code = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from paraclap import levels, tables
        from paraclap.machine import Machine
        from paraclap.queries import Pool
        from test_training import SETTINGS, train
        voices = tables.read_table(Path({str(table)!r}))
        shown = levels.assign(voices, levels.fit(voices))
        pool = Pool.build(shown, voices["emotion"], voices["gender"])
        {before}
        train(voices, pool, Path({str(folder)!r}), SETTINGS.but(epochs={epochs}))
    """)
    command = [sys.executable, "-c", code]
    with folder.with_suffix(".txt").open("w") as said:
        return subprocess.Popen(command, stdout=said, start_new_session=True)


def wait_for_a_checkpoint(process: "subprocess.Popen[bytes]", folder: Path, more: int = 0) -> None:
    """Wait until a run has written a checkpoint it had not before."""
    known = {path.name for path in checkpoints(folder)}
    for _ in range(1200):
        new = {path.name for path in checkpoints(folder)} - known
        if len(new) > more or process.poll() is not None:
            return
        time.sleep(0.02)


def test_a_run_asked_to_stop_saves_its_last_step_and_goes_on_from_there(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    """As a scheduler asks: the processes that read ahead as well."""
    folder = tmp_path / "asked"
    before = "import test_training; test_training.CPU = Machine(device='cpu', jobs=1, workers=1)"
    process = started_elsewhere(voices, folder, 40, before)
    wait_for_a_checkpoint(process, folder)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait() == -signal.SIGTERM, "the run ended before it could be stopped"
    assert "not saved" not in folder.with_suffix(".txt").read_text()
    state = torch.load(checkpoints(folder)[0], weights_only=True)
    assert 0 < state["step"] == len(state["curve"]) < 160
    train(voices, pool, folder, SETTINGS.but(epochs=40))
    train(voices, pool, tmp_path / "whole", SETTINGS.but(epochs=40))
    assert weights(folder) == weights(tmp_path / "whole")


def test_a_run_killed_again_and_again_ends_as_one_that_never_was(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    folder, killed = tmp_path / "killed", 0
    for turn in range(3):
        process = started_elsewhere(voices, folder, 40)
        wait_for_a_checkpoint(process, folder, more=turn)
        process.kill()
        killed += process.wait() == -signal.SIGKILL
    assert killed == 3, "the run ended before it could be killed"
    train(voices, pool, folder, SETTINGS.but(epochs=40))
    train(voices, pool, tmp_path / "whole", SETTINGS.but(epochs=40))
    assert weights(folder) == weights(tmp_path / "whole")
    assert [path.name for path in folder.rglob("*") if "tmp" in path.name] == []


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


def test_a_model_of_other_settings_is_never_taken_for_a_finished_one(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    train(voices, pool, tmp_path, SETTINGS.but(epochs=1))
    before = weights(tmp_path)
    stopped_at(voices, pool, tmp_path, 6, SETTINGS.but(seed=1))  # its first epoch has been kept
    assert weights(tmp_path) != before
    train(voices, pool, tmp_path, SETTINGS.but(epochs=1))
    assert weights(tmp_path) == before


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
        model = training.train(voices, pool, tmp_path / str(frozen), settings, CPU)
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


def test_an_unreadable_checkpoint_is_passed_over_for_the_one_before(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(voices, pool, tmp_path / "whole")
    stopped_at(voices, pool, tmp_path / "damaged", 10)
    newest, before = checkpoints(tmp_path / "damaged")
    newest.write_bytes(newest.read_bytes()[:1000])
    train(voices, pool, tmp_path / "damaged")
    assert f"going on from step {int(before.stem[-9:])}" in capsys.readouterr().out
    assert weights(tmp_path / "damaged") == weights(tmp_path / "whole")


def test_where_no_checkpoint_can_be_read_an_error_says_what_to_do(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    stopped_at(voices, pool, tmp_path, 10)
    for saved in checkpoints(tmp_path):
        saved.write_bytes(b"not a checkpoint")
    with pytest.raises(OSError, match=r"Unreadable checkpoints .* delete the folder"):
        train(voices, pool, tmp_path)


def test_no_more_checkpoints_are_kept_than_asked_for(
    voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    run = training.start(SETTINGS, "cpu")
    for run.step in range(1, 6):
        run.save(tmp_path, "ours", keep=3)
    assert [path.stem for path in checkpoint.saved(tmp_path, "ours")] == [
        f"ours-{step:09d}" for step in (5, 4, 3)
    ]
    run.save(tmp_path, "other", keep=3)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("optimizer", "sgd", "Bad optimizer 'sgd', expected one of"),
        ("schedule", "step", "Bad schedule 'step'"),
        ("emotion", "often", "Bad emotion 'often'"),
        ("batch", 0, "Bad batch 0, expected more than 0"),
        ("crop_seconds", -1.0, "Bad crop_seconds -1.0"),
        ("objective_weight", 1.5, "Bad objective_weight 1.5, expected 0 to 1"),
    ],
)
def test_settings_that_mean_nothing_are_refused(name: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SETTINGS.but(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("precision", "fp4", "Bad precision 'fp4', expected one of"),
        ("attention", "flash", "Bad attention 'flash', expected one of"),
        ("jobs", 0, "Bad jobs 0, expected at least 1"),
        ("workers", -1, "Bad workers -1, expected at least 0"),
    ],
)
def test_machines_that_cannot_be_are_refused(name: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Machine.of({name: value})


def test_learning_rate_rises_and_falls() -> None:
    rates = [stepping.rate(step, 100, SETTINGS) for step in range(100)]
    assert np.argmax(rates) in (9, 10)
    assert max(rates) == 1.0
    assert rates[0] == pytest.approx(0.1)
    assert rates[99] < 0.001
    constant = SETTINGS.but(schedule="constant", warmup=0.0)
    assert {stepping.rate(step, 100, constant) for step in range(100)} == {1.0}


def test_texts_kept_for_a_run_are_what_the_text_tower_says(model: ParaCLAP) -> None:
    texts = ["is loud", "is quiet", "speaks for a very long time"] * 60
    with torch.no_grad():
        expected = model.pool_text(**model.processor(text=texts))
    torch.testing.assert_close(pooled_texts(model, texts), expected, atol=1e-5, rtol=0)


def test_texts_are_embedded_again_for_another_text_tower(model: ParaCLAP) -> None:
    texts = ["is loud", "is quiet"]
    first = pooled_texts(model, texts)
    assert pooled_texts(model, texts) is first
    with torch.no_grad():
        next(model.text_model.parameters()).add_(1)
    assert not torch.allclose(pooled_texts(model, texts), first)
    with torch.no_grad():
        next(model.text_model.parameters()).sub_(1)


def test_gpu_asked_for_where_there_is_none_is_an_error() -> None:
    if torch.cuda.is_available():
        assert choose_device("cuda").type == "cuda"
    else:
        with pytest.raises(ValueError, match="torch sees no GPU"):
            choose_device("cuda")
    assert choose_device("cpu").type == "cpu"


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
    begin = training.start  # what train starts with

    def cold(settings: Settings, device: str) -> Run:
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
        inputs.speakable(labels, pool, SETTINGS.but(agreed_only=only)) for only in (True, False)
    )
    assert every[0] == 0
    assert agreed == every[1:]


@pytest.mark.parametrize(
    ("name", "value"), [("join", "some"), ("similarity", "euclid"), ("pad", "left")]
)
def test_unknown_words_among_the_settings_are_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"Bad {name} '{value}', expected one of"):
        SETTINGS.but(**{name: value})


@pytest.mark.parametrize("objective", ["duplicates", "holds", "soft", "sigmoid", "rank"])
def test_every_objective_teaches_something_else_and_goes_on_after_a_stop(
    objective: str, voices: pd.DataFrame, pool: Pool, tmp_path: Path
) -> None:
    base = SETTINGS.but(only_emotion=True, epochs=1)  # texts that voices share
    settings = base.but(objective=objective, objective_weight=0.5)
    plain, whole, halved = (tmp_path / name for name in ("plain", "whole", "halved"))
    train(voices, pool, plain, base)
    train(voices, pool, whole, settings)
    losses = [tables.read_table(folder / "curves.csv")["loss"] for folder in (plain, whole)]
    assert np.isfinite(losses[1]).all() and not np.allclose(*losses)
    stopped_at(voices, pool, halved, 3, settings)
    train(voices, pool, halved, settings)
    assert weights(halved) == weights(whole)
