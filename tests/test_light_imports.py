"""A machine with a GPU and little else can train: what it lacks is imported where it is used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import audmetric
import numpy as np
import pytest

from paraclap import scores

ROOT = Path(__file__).resolve().parent.parent


def test_training_needs_no_package_for_files_features_or_figures(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "bare_machine.py"), str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert run.stdout.endswith("trained and answered\n")


@pytest.mark.parametrize("seed", range(5))
def test_scores_that_training_needs_are_those_of_audmetric(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = ["a", "b", "c", "d"][: 2 + seed % 3]
    truth = np.concatenate([labels, rng.choice(labels, 50)])
    guess = rng.choice(labels, len(truth))
    expected = audmetric.unweighted_average_recall(truth, guess, labels=labels)
    assert scores.uar(truth, guess, labels) == expected
    assert scores.accuracy(truth, guess, labels) == audmetric.accuracy(truth, guess)
