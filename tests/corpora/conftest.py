"""Folders of the paper's corpora, for all tests of this folder."""

import shutil
from collections.abc import Callable
from pathlib import Path

import layouts
import pytest


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of all eight corpora, never changed."""
    return layouts.everything(tmp_path_factory.mktemp("corpora"))


@pytest.fixture
def copy(everything: dict[str, str], tmp_path: Path) -> Callable[[str], Path]:
    """Makes a copy of a corpus that may be changed."""
    return lambda name: Path(shutil.copytree(everything[name], tmp_path / name))
