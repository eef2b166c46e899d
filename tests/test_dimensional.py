"""Claims about the audio tower that has learned ratings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from paraclap import dimensional, scores, towers


@pytest.fixture(scope="module")
def rated(voices: pd.DataFrame) -> pd.DataFrame:
    """The tones, rated by how they sound: anger is loud and high."""
    high = (voices["emotion"] == "anger").astype(float)
    return voices.assign(arousal=1 + 5 * high, valence=6 - 4 * high, dominance=2 + 3 * high)


def test_ratings_are_learned_and_the_tower_is_read_back_without_its_head(
    rated: pd.DataFrame, tmp_path: Path
) -> None:
    folder = tmp_path / "tower"
    curve = dimensional.finetune(rated, folder, "smoke", 60, 16, 1e-2, 0.6, threads=1)
    assert curve["loss"].iloc[0] > 0.7
    assert curve["loss"].iloc[-5:].mean() < 0.4
    saved = load_file(folder / "model.safetensors")
    tower, extractor = towers.audio_tower(str(folder))
    assert not extractor.do_normalize
    for name, value in tower.state_dict().items():
        assert torch.equal(value, saved[f"wav2vec2.{name}"])
    heads = {name for name in saved if not name.startswith("wav2vec2.")}
    assert heads == {
        f"classifier.{p}.{w}" for p in ("dense", "out_proj") for w in ("weight", "bias")
    }


def test_the_same_seed_gives_the_same_tower_which_is_then_kept(
    rated: pd.DataFrame, tmp_path: Path
) -> None:
    for name in ("first", "again"):
        dimensional.finetune(rated, tmp_path / name, "smoke", 2, 8, 1e-3, 0.4, threads=1)
    files = [tmp_path / name / "model.safetensors" for name in ("first", "again")]
    assert files[0].read_bytes() == files[1].read_bytes()
    before = files[0].stat().st_mtime_ns
    dimensional.finetune(rated, tmp_path / "first", "smoke", 2, 8, 1e-3, 0.4, threads=1)
    assert files[0].stat().st_mtime_ns == before


def test_discord_is_one_minus_the_concordance() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(50, 2))
    given = 0.5 * truth + rng.normal(size=(50, 2)) + 0.3
    expected = 1 - np.mean([scores.ccc(truth[:, k], given[:, k]) for k in range(2)])
    found = dimensional.discord(torch.from_numpy(truth), torch.from_numpy(given))
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_a_start_is_trained_only_where_weights_are_random_and_ratings_are_enough(
    rated: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dimensional.start(rated, tmp_path, "some/hub-id", 0, 1) == "some/hub-id"
    few = rated.assign(arousal=np.nan)
    assert dimensional.start(few, tmp_path, "smoke", 0, 1) == "smoke"
    assert "Too few voices with ratings" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
