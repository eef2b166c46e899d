"""The benchmark of training on a GPU, in small and without one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import gpu_training, noise, released_recipe, step_profile, training_speed
from paraclap import audio, pairs, stepping
from paraclap.checkpoint import Run
from paraclap.machine import Machine
from paraclap.schedule import Schedule
from paraclap.settings import Settings
from paraclap.signals import Signals
from paraclap.texts import Texts

SETTINGS = Settings(batch=4, crop_seconds=0.3, dropout=0.0)
TRIED = ["--device", "cpu", "--tiny", "--seconds", "0.2"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert gpu_training.main(["--out", str(tmp_path / "out.json")]) == 1
    assert "--device cpu --tiny" in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


def test_in_small_it_measures_every_part_on_any_machine(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out.json"
    parts = ["--parts", *(part for part in gpu_training.PARTS if part != "compiled")]
    assert gpu_training.main([*TRIED, *parts, "--out", str(out)]) == 0, capsys.readouterr().out
    page = json.loads(out.read_text("utf-8"))
    for part in ("ours", "released", "large"):
        row = page["parts"][part]
        assert row["pairs_per_second"] > 0 and row["steps"] >= 2 and row["peak_memory"] > 0
        assert 0 <= row["waiting"] < 1 and 0 < row["utilisation"] < 1
    assert page["pairs_per_second"] == page["parts"]["ours"]["pairs_per_second"]
    assert page["minutes_for_the_paper"] is None  # nothing is said of the full size
    assert {"device", "date", "versions", "command"} <= page.keys()
    assert "matrix products" in page["parts"]["profile"]["ms_by_kind"]


def test_a_part_that_fails_is_written_down_and_the_others_go_on(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    few = ["--voices", "8", "--parts", "large", "ours"]  # too few voices for the large batch
    assert gpu_training.main([*TRIED, *few, "--out", str(out)]) == 1
    parts = json.loads(out.read_text("utf-8"))["parts"]
    assert "8 training voices" in parts["large"]["failed"]
    assert parts["ours"]["pairs_per_second"] > 0


def test_a_store_of_noise_gives_the_signals_of_its_files(tmp_path: Path) -> None:
    files = noise.files(tmp_path / "files", 3, 0.35)
    stored = Signals(noise.store(tmp_path / "store", 3, 0.35), tmp_path / "store")
    assert stored.stored.all() and len(stored.read(0)) == 5600
    for row, segment in enumerate(files):
        np.testing.assert_array_equal(stored.read(row), audio.read(*segment))


def run_of(folder: Path) -> tuple[Run, pairs.Voices]:
    """A run that drops and masks nothing, and its voices."""
    index, pool = noise.store(folder, 8, 0.5), noise.pool(8)
    config = noise.config(tiny=True)
    config.projection_dropout = 0.0
    for part in (config.audio_config, config.text_config):
        for name in part.to_dict():
            if name.endswith(("dropout", "dropout_prob")):
                setattr(part, name, 0.0)
    config.audio_config.mask_time_prob = 0.0
    model = noise.model(config, pool.vocabulary)
    assert model.processor is not None
    texts = Texts(pool, range(8), 0, 0, 5, "always", False)
    schedule = Schedule(8, SETTINGS.batch, 0)
    voices = pairs.Voices(Signals(index, folder), schedule, texts, model.processor, 0.3, "crop")
    return Run(model, stepping.optimiser(model, SETTINGS)), voices


def test_the_released_recipe_and_ours_learn_the_same(tmp_path: Path) -> None:
    (own, voices), (other, _) = run_of(tmp_path / "a"), run_of(tmp_path / "b")
    stepper = stepping.Stepper(own, SETTINGS, Machine(device="cpu"), 100)
    recipe = released_recipe.Released(other.model, SETTINGS, voices.texts)
    for batch in pairs.batches(voices, range(3)):
        ours, theirs = stepper.step(batch)[0], recipe.step(batch)[0]
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("aten::convolution_backward", "convolution"),
        ("sm90_xmma_wgrad_implicit_gemm_bf16", "convolution"),
        ("aten::native_layer_norm_backward", "norm"),
        ("triton_per_fused_native_layer_norm_3", "norm"),
        ("aten::_scaled_dot_product_flash_attention", "attention"),
        ("aten::_fused_adam_", "optimiser"),
        ("nvjet_tst_128x256", "matrix products"),
        ("Memcpy HtoD (Pinned -> Device)", "copies"),
        ("aten::add_", "other"),
    ],
)
def test_kinds_of_work_are_told_by_their_names(name: str, expected: str) -> None:
    assert step_profile.kind(name) == expected


def test_the_plain_loop_and_ours_learn_the_same(tmp_path: Path) -> None:
    small = {"audio_encoder": "smoke", "text_encoder": "smoke", "projection_dim": 16}
    settings = training_speed.demo().but(**small, batch=4, crop_seconds=0.5, dropout=0.0)
    ways = training_speed.made(settings, tmp_path, 12, 1)
    for _ in range(3):
        plain, ours = ways["plain loop"](), ways["ours"]()
        assert plain == pytest.approx(float(ours[0]), rel=1e-3)
