"""Folders of the paper's corpora, for all tests of this folder."""

from __future__ import annotations

import layouts
import pytest


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of all eight corpora, never changed."""
    return layouts.everything(tmp_path_factory.mktemp("corpora"))
