import os
import signal
import time
from pathlib import Path

import pytest
from small_training import (
    SETTINGS,
    InterruptedPool,
    pool_of,
    run,
    saved,
    started,
    vanished,
    weights,
)

from paraclap import tables
from paraclap.training import Settings, train

DRAWN = SETTINGS.but(captions_per_utterance=0)  # captions are drawn at every step
LONG = SETTINGS.but(epochs=30, checkpoint_steps=2)


def wait_for(process, folder: Path, more: int = 0) -> None:
    """Wait until a run has written checkpoints that it had not before."""
    before = {path.name for path in saved(folder)}
    for _ in range(6000):
        if len({path.name for path in saved(folder)} - before) > more or not process.is_alive():
            return
        time.sleep(0.01)


@pytest.fixture(scope="module")
def undisturbed(labels, tmp_path_factory) -> Path:
    """A long run that nobody stopped."""
    folder = tmp_path_factory.mktemp("undisturbed")
    run(labels, folder, LONG)
    return folder


@pytest.mark.parametrize("changes", [{}, {"freeze_text": False}, {"optimizer": "adam"}])
def test_a_run_that_vanished_ends_as_one_that_did_not(labels, tmp_path, changes) -> None:
    settings = DRAWN.but(**changes)
    curve = run(labels, tmp_path / "whole", settings)
    vanished(labels, tmp_path / "stopped", 17, settings)
    assert [int(place.name) for place in saved(tmp_path / "stopped")] == [8, 6]
    assert run(labels, tmp_path / "stopped", settings).equals(curve)
    assert weights(tmp_path / "whole") == weights(tmp_path / "stopped")
    assert not (tmp_path / "stopped" / "checkpoints").exists()


def test_a_run_killed_again_and_again_ends_as_one_that_never_was(
    labels, tmp_path, undisturbed
) -> None:
    killed = 0
    for turn in range(2):
        process = started(labels, tmp_path, LONG)
        wait_for(process, tmp_path, more=turn)
        process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
    assert killed == 2, "the run ended before it could be killed"
    run(labels, tmp_path, LONG)
    assert weights(tmp_path) == weights(undisturbed)
    left = {"model", "curves.csv", "settings.json", "signals.pcm", "signals.parquet"}
    assert {path.name for path in tmp_path.iterdir()} - {".model.lock"} == left


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_asked_to_stop_saves_its_last_step_and_goes_on_from_there(
    labels, tmp_path, undisturbed, workers
) -> None:
    """As a scheduler asks: all processes of the job at once."""
    process = started(labels, tmp_path, LONG.but(workers=workers, checkpoint_steps=50))
    wait_for(process, tmp_path)
    with pytest.raises(BlockingIOError, match=r"Another training works in .*: wait for it"):
        run(labels, tmp_path, LONG)
    os.killpg(process.pid, signal.SIGTERM)
    process.join()
    assert process.exitcode == -signal.SIGTERM, "the run ended before it could be stopped"
    assert 0 < int(saved(tmp_path)[0].name) < 120
    run(labels, tmp_path, LONG)
    assert weights(tmp_path) == weights(undisturbed)


def test_ctrl_c_saves_the_step_and_interrupts(labels, tmp_path, capsys) -> None:
    curve = run(labels, tmp_path / "whole", DRAWN)
    pool = pool_of(labels, InterruptedPool).after(8)
    with pytest.raises(KeyboardInterrupt):
        train(labels, pool, tmp_path / "stopped", DRAWN)
    assert int(saved(tmp_path / "stopped")[0].name) == 5
    assert not (tmp_path / "stopped" / "model").exists()
    assert run(labels, tmp_path / "stopped", DRAWN).equals(curve)


@pytest.mark.parametrize("part", ["custom_checkpoint_0.pkl", "random_states_0.pkl", "all"])
def test_a_damaged_newest_checkpoint_is_passed_over(labels, tmp_path, capsys, part) -> None:
    run(labels, tmp_path / "whole", DRAWN)
    vanished(labels, tmp_path / "damaged", 17, DRAWN)
    newest = saved(tmp_path / "damaged")[0]
    for file in newest.glob("*" if part == "all" else part):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    run(labels, tmp_path / "damaged", DRAWN)
    said = capsys.readouterr().out
    assert "Unreadable" in said and f"{newest.name}" in said and "going on from step 6" in said
    assert weights(tmp_path / "damaged") == weights(tmp_path / "whole")


def test_where_no_checkpoint_can_be_read_an_error_says_what_to_do(labels, tmp_path) -> None:
    vanished(labels, tmp_path, 17, DRAWN)
    for place in saved(tmp_path):
        (place / "custom_checkpoint_1.pkl").unlink()
    with pytest.raises(OSError, match=r"Unreadable checkpoints .* delete the folder"):
        run(labels, tmp_path, DRAWN)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 1}, "seed 0 → 1"),
        ({"head_lr": 1e-3, "rand": 1}, "rand 2 → 1, head_lr 0.003 → 0.001"),
    ],
)
def test_other_settings_train_anew_and_the_finished_model_stays_until_then(
    labels, tmp_path, capsys, changes, words
) -> None:
    run(labels, tmp_path, DRAWN)
    before, settings = weights(tmp_path), DRAWN.but(**changes)
    vanished(labels, tmp_path, 17, settings)
    said = capsys.readouterr().out
    assert "model anew" in said and words in said
    assert weights(tmp_path) == before
    assert Settings.of(tables.read_json(tmp_path / "settings.json")) == DRAWN
    run(labels, tmp_path, DRAWN)  # still the finished one
    assert weights(tmp_path) == before
    run(labels, tmp_path, settings)
    run(labels, tmp_path / "apart", settings)
    assert weights(tmp_path) == weights(tmp_path / "apart") != before
    assert Settings.of(tables.read_json(tmp_path / "settings.json")) == settings


def test_checkpoints_of_other_settings_are_removed_with_a_line(labels, tmp_path, capsys) -> None:
    vanished(labels, tmp_path, 17, DRAWN)
    run(labels, tmp_path, DRAWN.but(seed=2))
    assert "Removes checkpoints of other settings (seed 0 → 2)" in capsys.readouterr().out
    run(labels, tmp_path / "apart", DRAWN.but(seed=2))
    assert weights(tmp_path) == weights(tmp_path / "apart")


def test_other_data_train_anew_and_other_machines_do_not(labels, tmp_path, capsys) -> None:
    def trained(table, settings) -> bool:
        before = (tmp_path / "model").stat().st_ino if (tmp_path / "model").exists() else None
        run(table, tmp_path, settings)
        return (tmp_path / "model").stat().st_ino != before

    one = SETTINGS.but(epochs=1)
    assert trained(labels, one)
    assert not trained(labels, one.but(jobs=1, checkpoint_steps=2, keep=1, chunk=5))
    test = labels["split"] == "test"
    assert not trained(labels.assign(emotion=labels["emotion"].where(~test, "fear")), one)
    fewer = labels[labels["speaker"] != "s0"]
    assert trained(fewer, one)
    assert "labels, queries or functionals" in capsys.readouterr().out
    assert trained(fewer, one.but(precision="bf16"))


def test_no_more_checkpoints_are_kept_than_asked_for(labels, tmp_path) -> None:
    settings = DRAWN.but(checkpoint_steps=1, keep=3, epochs=10)
    vanished(labels, tmp_path, 30, settings)
    assert len(saved(tmp_path)) == 3
