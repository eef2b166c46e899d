"""Answers of systems that never were, about three classes."""

from typing import Any

import numpy as np
import pandas as pd

LABELS = ["a", "b", "c"]


def answered(
    task: str = "one", speakers: int = 12, each: int = 10, skill: float = 0.5, seed: int = 0
) -> pd.DataFrame:
    """Predictions of a system whose skill differs from speaker to speaker."""
    rng = np.random.default_rng(0)  # the utterances are the same for all systems
    names = np.repeat([f"s{i}" for i in range(speakers)], each)
    truth = np.tile(LABELS, len(names))[: len(names)]
    luck = np.repeat(rng.uniform(-0.2, 0.2, speakers), each)
    own = np.random.default_rng(seed + 1)
    right = own.random(len(names)) < skill + luck
    given = np.where(right, truth, own.choice(LABELS, len(names)))
    table = pd.DataFrame({"corpus": task, "speaker": names, "truth": truth, "prediction": given})
    return table.set_index(pd.Index([f"{task}/{i}" for i in range(len(table))], name="file"))


def made(speakers: Any) -> dict[str, pd.DataFrame]:
    """Two systems on a table without random numbers."""
    i = np.arange(150)
    right = np.minimum(i * i % 7, 2)
    one = np.where(i * i % 11 < 6, right, i * i * i % 3)
    two = np.where(i * i % 13 < 5, right, i * i % 3)
    table = pd.DataFrame({"corpus": "one", "speaker": speakers, "truth": np.array(LABELS)[right]})
    return {k: table.assign(prediction=np.array(LABELS)[v]) for k, v in (("x", one), ("y", two))}
