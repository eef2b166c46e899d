import shutil

import pytest
from small_training import SETTINGS, run, saved, vanished, weights

from paraclap import tables
from paraclap.training import Settings

DRAWN = SETTINGS.but(captions_per_utterance=0)  # captions are drawn at every step


@pytest.mark.parametrize("changes", [{}, {"freeze_text": False, "optimizer": "adam"}])
def test_a_run_that_vanished_ends_as_one_that_did_not(labels, tmp_path, changes) -> None:
    settings = DRAWN.but(**changes)
    curve = run(labels, tmp_path / "whole", settings)
    vanished(labels, tmp_path / "stopped", settings)
    assert [int(place.name) for place in saved(tmp_path / "stopped")] == [8, 6]
    assert run(labels, tmp_path / "stopped", settings).equals(curve)
    assert weights(tmp_path / "whole") == weights(tmp_path / "stopped")
    left = {"model", "curves.csv", "settings.json", "signals.pcm", "signals.parquet"}
    assert {path.name for path in (tmp_path / "stopped").iterdir()} - {".model.lock"} == left


def test_damaged_newest_checkpoints_are_passed_over_until_none_is_left(
    labels, tmp_path, capsys
) -> None:
    run(labels, tmp_path / "whole", DRAWN)
    vanished(labels, tmp_path / "stopped", DRAWN)
    for part in ("custom_checkpoint_0.pkl", "random_states_0.pkl"):
        again = shutil.copytree(tmp_path / "stopped", tmp_path / part)
        file = saved(again)[0] / part
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        run(labels, again, DRAWN)
        assert "000000008'; going on from step 6" in capsys.readouterr().out.replace("]", "")
        assert weights(again) == weights(tmp_path / "whole")
    for place in saved(tmp_path / "stopped"):
        (place / "custom_checkpoint_1.pkl").unlink()
    with pytest.raises(OSError, match=r"Unreadable: .* Delete .*checkpoints to train"):
        run(labels, tmp_path / "stopped", DRAWN)


def test_other_settings_leave_the_finished_model_until_the_end(labels, tmp_path, capsys) -> None:
    run(labels, tmp_path, DRAWN)
    before, settings = weights(tmp_path), DRAWN.but(rand=1, head_lr=1e-3)
    vanished(labels, tmp_path, settings)
    assert "anew (rand 2 → 1, head_lr 0.003 → 0.001)" in capsys.readouterr().out
    run(labels, tmp_path, DRAWN)  # still the finished one
    assert weights(tmp_path) == before
    assert Settings.of(tables.read_json(tmp_path / "settings.json")) == DRAWN
    run(labels, tmp_path, settings)
    run(labels, tmp_path / "apart", settings)
    assert weights(tmp_path) == weights(tmp_path / "apart") != before
    assert Settings.of(tables.read_json(tmp_path / "settings.json")) == settings


def test_other_data_train_anew_and_other_machines_do_not(labels, tmp_path) -> None:
    def trained(table, settings) -> bool:
        before = (tmp_path / "model").stat().st_ino if (tmp_path / "model").exists() else None
        run(table, tmp_path, settings)
        return (tmp_path / "model").stat().st_ino != before

    one = SETTINGS.but(epochs=1)
    assert trained(labels, one)
    assert not trained(labels, one.but(jobs=1, checkpoint_steps=2, chunk=5))
    test = labels["split"] == "test"
    assert not trained(labels.assign(emotion=labels["emotion"].where(~test, "fear")), one)
    fewer = labels[labels["speaker"] != "s0"]
    assert trained(fewer, one)
    assert trained(fewer, one.but(precision="bf16"))


def test_a_second_training_in_a_folder_says_so(labels, tmp_path) -> None:
    with (
        tables.lock(tmp_path / "model", "busy"),
        pytest.raises(BlockingIOError, match=r"Another training works in .*: wait for it"),
    ):
        run(labels, tmp_path)
