"""One of several processes of a test: its share of the gradient, or a whole run.

``python -m torch.distributed.run … together.py FOLDER gradients|train`` with ``voices.parquet`` in
the folder.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pandas as pd
import torch

from paraclap import levels, pairs, processes, stepping, tables, training
from paraclap.machine import Machine
from paraclap.queries import Pool
from paraclap.schedule import Rows, Schedule
from paraclap.settings import Settings
from paraclap.signals import Signals
from paraclap.texts import Texts

SETTINGS = Settings(
    audio_encoder="smoke",
    text_encoder="smoke",
    text_pooling="mean",
    projection_dim=16,
    dropout=0.0,
    rand=2,
    agreed_only=False,
    batch=10,
    epochs=3,
    crop_seconds=0.6,
    pad="crop",
    audio_lr=3e-3,
    text_lr=1e-3,
    head_lr=3e-3,
    checkpoint_steps=2,
)


def queries(voices: pd.DataFrame) -> Pool:
    shown = levels.assign(voices, levels.fit(voices))
    return Pool.build(shown, voices["emotion"], voices["gender"])


class Uneven(Texts):
    """Of the second half of a batch all is the same: its process has one text to encode."""

    def of(self, step: int, rows: Rows) -> list[str]:
        said = super().of(step, rows)
        half = len(said) // 2
        return said[:half] + said[half : half + 1] * (len(said) - half)


def gradients(voices: pd.DataFrame, folder: Path, chunk: int) -> None:
    """Write the gradient of the first batch, and which voices this process had in some."""
    processes.join(torch.device("cpu"))
    run = stepping.start(SETTINGS, "cpu")
    for module in run.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    stepper = stepping.Stepper(run, SETTINGS, Machine(device="cpu", chunk=chunk), steps=10)
    pool = queries(voices)
    texts = Uneven(pool, range(len(pool)), 0, 0, 2, "always", False)
    schedule = Schedule(len(voices), SETTINGS.batch, 0)
    share = processes.share(SETTINGS.batch)
    read = pairs.Voices(
        Signals(voices.index), schedule, texts, run.model.processor, 0.6, "crop", share
    )
    loss = stepper.step(read[0])[0]
    found = {name: one.grad for name, one in run.model.named_parameters() if one.grad is not None}
    after = dict(run.model.named_parameters())
    rows = [torch.from_numpy(read[step].rows) for step in range(5)]
    state = {"gradient": found, "weights": after, "rows": rows, "loss": loss}
    torch.save(state, folder / f"{processes.count()}-{chunk}-{processes.number()}.pt")
    processes.leave()


def train(voices: pd.DataFrame, folder: Path, dies_at: int) -> None:
    """Train; the second process kills itself at a step, if there is one to die at."""
    step = stepping.Stepper.step

    def mortal(stepper: stepping.Stepper, batch: pairs.Batch) -> torch.Tensor:
        if batch.step == dies_at and processes.number() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(stepper, batch)

    stepping.Stepper.step = mortal  # type: ignore[method-assign]  # on purpose
    training.train(voices, queries(voices), folder, SETTINGS, Machine(device="cpu", jobs=1))
    processes.leave()


if __name__ == "__main__":
    place, what, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    table = tables.read_table(place / "voices.parquet")
    {"gradients": gradients, "train": train}[what](table, place, number)
