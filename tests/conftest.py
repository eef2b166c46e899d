"""Small real corpora for the tests: tones with a level and a pitch, no speech."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from browser import PROGRAM, Browser

from paraclap import levels, tables
from paraclap.model import ParaCLAP
from paraclap.queries import Pool
from paraclap.towers import build

RATE = 16_000
LONGEST = ("notebooks", "folder_book", "training", "processes", "paper_book", "systems", "faults")


def pytest_configure(config: pytest.Config) -> None:
    """Let the processes of a distributed run take the files in the order given below."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: begun last, each would be waited for alone."""
    order = {f"test_{name}": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


def tone(hertz: float, amplitude: float, seconds: float, seed: int = 0) -> np.ndarray:
    """A tone with five harmonics and a little noise, float32."""
    time = np.arange(round(seconds * RATE)) / RATE
    rng = np.random.default_rng(seed)
    wave = sum(np.sin(2 * np.pi * hertz * n * time) / n for n in range(1, 6))
    return (amplitude * (wave / 2 + 0.02 * rng.normal(size=len(time)))).astype(np.float32)


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Labels of 60 tones: anger loud and high, sadness quiet and low, six speakers."""
    folder = tmp_path_factory.mktemp("voices")
    rows = []
    for number in range(60):
        angry = number % 2 == 0
        hertz, amplitude = (300 + number, 0.5) if angry else (110 + number, 0.05)
        seconds = 0.5 + 0.02 * number
        file = folder / f"{number:02d}.wav"
        soundfile.write(file, tone(hertz, amplitude, seconds, number), RATE)
        speaker = number // 10
        rows.append(
            {
                "file": str(file),
                "start": pd.Timedelta(0),
                "end": pd.Timedelta(seconds=round(seconds * RATE) / RATE),
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
        )
    return tables.check_labels(pd.DataFrame(rows).set_index(tables.INDEX))


@pytest.fixture(scope="session")
def pool(voices: pd.DataFrame) -> Pool:
    """Queries of the tones, from their ratings."""
    edges = levels.fit(voices)
    return Pool.build(levels.assign(voices, edges), voices["emotion"], voices["gender"])


@pytest.fixture
def model() -> Iterator[ParaCLAP]:
    """A tiny untrained model, in evaluation mode."""
    yield build("smoke", "smoke", 16, 0.2, "mean", seed=1).eval()


@pytest.fixture
def saved(model: ParaCLAP, tmp_path: Path) -> Path:
    """Folder of the tiny model."""
    model.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A tab of a real browser, for the tests of one file."""
    if PROGRAM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with Browser() as opened:
        yield opened
