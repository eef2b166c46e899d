"""A tiny untrained model, for all tests of the evaluation."""

from __future__ import annotations

import pytest

from paraclap.model import ParaCLAP, build


@pytest.fixture
def model() -> ParaCLAP:
    return build("smoke", "smoke", 16, 0.1, "mean", seed=0)
