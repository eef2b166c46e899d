"""A tiny untrained model, and tables to ask it about, for all tests of the evaluation."""

import pandas as pd
import pytest
from small_training import pool_of

from paraclap.model import ParaCLAP, build


@pytest.fixture
def model() -> ParaCLAP:
    return build("smoke", "smoke", 16, 0.1, "mean", seed=0)


@pytest.fixture
def table(labels: pd.DataFrame) -> pd.DataFrame:
    """Tones of a synthesiser to learn from and to be asked, and ten drunk people."""
    return labels.assign(
        corpus=["tones"] * 50 + ["drunk"] * 10,
        speaker=[*labels["speaker"][:50], *(f"d{n % 4}" for n in range(10))],
        split=["train"] * 30 + ["dev"] * 10 + ["test"] * 20,
        label=[*labels["label"][:50], *["intoxicated", "sober"] * 5],
        language="de",
        synthetic=[True] * 50 + [False] * 10,
    )


@pytest.fixture
def queries(labels: pd.DataFrame) -> pd.DataFrame:
    return pool_of(labels).table()
