"""Shared by all tests: a small real corpus of tones, and nothing from the network."""

import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import pandas as pd
import pytest
from sounds import buzz, write

from paraclap import tables


@pytest.fixture(scope="session")
def labels(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Labels of 60 utterances: anger loud and high, sadness quiet and low, six speakers."""
    folder = tmp_path_factory.mktemp("tones")
    rows = []
    for number in range(60):
        angry, speaker = number % 2 == 0, number // 10
        hertz, amplitude = (300 + number, 0.3) if angry else (110 + number, 0.03)
        signal = buzz(0.5 + 0.02 * number, hertz, amplitude, number)
        row = {
            "file": write(folder / f"{number:02d}.wav", signal),
            "end": len(signal) / 16_000,
            "corpus": "tones",
            "split": ("train", "train", "train", "train", "dev", "test")[speaker],
            "speaker": f"s{speaker}",
            "emotion": "anger" if angry else "sadness",
            "gender": ("female", "male")[speaker % 2],
            "arousal": 6.0 - angry if number % 3 else 2.0 + angry,
            "valence": float(number % 7),
            "dominance": float(number % 5),
            "label": "anger" if angry else "sadness",
            "language": "none",
        }
        rows.append(row)
    table = pd.DataFrame(rows)
    index = tables.segments(table["file"], ends=table["end"])
    return tables.check_labels(table.drop(columns=["file", "end"]).set_index(index))


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny untrained model; tests that change it copy it first."""
    from paraclap.model import build

    folder = tmp_path_factory.mktemp("saved") / "model"
    build("smoke", "smoke", 16, 0.2, "mean", seed=1).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(model_folder: Path):
    """The model of that folder, for tests that leave it as it is."""
    from paraclap.model import ParaCLAP

    return ParaCLAP.from_pretrained(model_folder)
