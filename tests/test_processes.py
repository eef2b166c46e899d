"""Two processes that train together over gloo, as on a machine with two GPUs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from together import SETTINGS, gradients, queries

from paraclap import launch, processes, tables, training
from paraclap.machine import Machine
from paraclap.model import ParaCLAP

ROOT = Path(__file__).parent.parent
CPU = Machine(device="cpu", jobs=1)
TORCHRUN = ["-m", "torch.distributed.run", "--standalone"]


def several(
    number: int, *arguments: object, launcher: list[str] = TORCHRUN
) -> subprocess.CompletedProcess[str]:
    """Run ``together.py`` in several processes."""
    flag = "--nproc_per_node" if launcher is TORCHRUN else "--num_processes"
    script = [str(ROOT / "tests" / "together.py"), *map(str, arguments)]
    return subprocess.run(
        [sys.executable, *launcher, flag, str(number), *script],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture
def folder(voices: pd.DataFrame, tmp_path: Path) -> Path:
    tables.write_table(voices, tmp_path / "voices.parquet", "voices")
    return tmp_path


@pytest.mark.parametrize("chunk", [0, 4])
def test_two_processes_have_the_gradient_of_one_and_share_its_batches(
    voices: pd.DataFrame, folder: Path, chunk: int
) -> None:
    done = several(2, folder, "gradients", chunk)
    assert done.returncode == 0, done.stderr
    gradients(voices, folder, 0)
    alone = torch.load(folder / "1-0-0.pt", weights_only=True)
    both = [torch.load(folder / f"2-{chunk}-{n}.pt", weights_only=True) for n in (0, 1)]
    for step, rows in enumerate(alone["rows"]):
        assert torch.equal(torch.cat([one["rows"][step] for one in both]), rows)
    for one in both:
        torch.testing.assert_close(one["loss"], alone["loss"], atol=1e-5, rtol=0)
        assert one["gradient"].keys() == alone["gradient"].keys()
        for name, expected in alone["gradient"].items():
            most = (1e-5 if chunk else 1e-6) * max(1.0, expected.abs().max().item())
            assert (one["gradient"][name] - expected).abs().max().item() <= most, name
    for name, weight in both[0]["weights"].items():
        assert torch.equal(weight, both[1]["weights"][name]), name
        apart = (weight - alone["weights"][name]).abs()
        if name in alone["gradient"]:
            # Adam's first step is the sign of the gradient: where that is rounding, either comes
            apart[alone["gradient"][name].abs() < 1e-5] = 0
        assert apart.max().item() < 1e-5, name


def differing(one: Path, other: Path) -> float:
    """Largest difference between the weights of two models."""
    a, b = (ParaCLAP.from_pretrained(path / "model").state_dict() for path in (one, other))
    assert a.keys() == b.keys()
    return max((a[name] - b[name]).abs().max().item() for name in a)


def test_a_job_whose_process_is_killed_says_so_and_goes_on_from_its_checkpoint(
    voices: pd.DataFrame, folder: Path
) -> None:
    done = several(2, folder, "train", 7)
    assert done.returncode != 0
    assert "SIGKILL" in done.stderr or "-9" in done.stderr
    saved = sorted((folder / "checkpoints").glob("*.pt"))
    assert [int(path.stem[-9:]) for path in saved] == [4, 6]
    assert launch.ended_early("exit status 1", folder).endswith("it goes on from step 6.")
    assert not (folder / "curves.csv").exists()
    done = several(2, folder, "train", -1)
    assert done.returncode == 0, done.stderr
    undisturbed = folder / "undisturbed"
    tables.write_table(voices, undisturbed / "voices.parquet", "voices")
    assert several(2, undisturbed, "train", -1).returncode == 0
    assert differing(folder, undisturbed) == 0


def test_processes_started_by_a_program_make_the_same_run_as_one(
    voices: pd.DataFrame, tmp_path: Path
) -> None:
    pool, settings = queries(voices), SETTINGS.but(epochs=1)
    for number in (1, 2):
        machine = Machine(device="cpu", jobs=1, processes=number)
        training.train(voices, pool, tmp_path / str(number), settings, machine)
    assert not (tmp_path / "2" / "job").exists()
    curves = [tables.read_table(tmp_path / name / "curves.csv") for name in ("1", "2")]
    assert curves[0]["step"].tolist() == curves[1]["step"].tolist()
    assert curves[0]["distinct_texts"].tolist() == curves[1]["distinct_texts"].tolist()
    before = (tmp_path / "2" / "model" / "model.safetensors").stat().st_mtime_ns
    training.train(voices, pool, tmp_path / "2", settings, CPU)  # current, whoever made it
    assert (tmp_path / "2" / "model" / "model.safetensors").stat().st_mtime_ns == before


def test_a_batch_that_cannot_be_shared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "count", lambda: 4)
    with pytest.raises(ValueError, match="Bad batch 10 for 4 processes, expected a multiple of 4"):
        processes.share(10)


def test_a_batch_that_cannot_be_shared_starts_no_process(
    voices: pd.DataFrame, tmp_path: Path
) -> None:
    machine = Machine(device="cpu", processes=3)
    with pytest.raises(ValueError, match="Bad batch 10 for 3 processes, expected a multiple of 3"):
        training.train(voices, queries(voices), tmp_path, SETTINGS, machine)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("launcher", ["torchrun", "accelerate"])
def test_the_command_line_trains_under_both_launchers(
    folder: Path, voices: pd.DataFrame, launcher: str
) -> None:
    run = folder / "runs" / "both"
    tables.write_table(voices, run / "labels.parquet", "labels")
    tables.write_table(queries(voices).table(), run / "queries.parquet", "queries")
    values = SETTINGS.asdict() | {"epochs": 1, "run": "both", "runs": str(folder / "runs")}
    (folder / "both.yaml").write_text(yaml.safe_dump(values | {"device": "cpu", "jobs": 1}))
    start = {
        "torchrun": [*TORCHRUN, "--nproc_per_node", "2"],
        "accelerate": ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2"],
    }[launcher]
    done = subprocess.run(
        [sys.executable, *start, "-m", "paraclap.training", str(folder / "both.yaml")],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("The model: ") == 1
    assert len(tables.read_table(run / "curves.csv")) == 4
    ParaCLAP.from_pretrained(run / "model")
