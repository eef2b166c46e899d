"""What a stopped training run goes on from, and the best model so far.

Both are written whole or not at all: a stop at any moment leaves the last good one in place.
"""

from __future__ import annotations

import errno
import math
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import torch

from paraclap import tables
from paraclap.model import ParaCLAP


@dataclass
class Run:
    """A training run between two steps: all that a checkpoint holds."""

    model: ParaCLAP
    optimizer: torch.optim.Optimizer
    step: int = 0
    best: float = -math.inf
    curve: list[dict[str, float]] = field(default_factory=list)

    def save(self, path: Path, key: str) -> None:
        """Write everything the next step needs, whole or not at all.

        Raises:
            OSError: If it cannot be written, for example because the disk is full.
        """
        state = {
            "key": key,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "best": self.best,
            "curve": self.curve,
        }
        with tables.atomic_path(path) as temporary:
            try:
                torch.save(state, temporary)
            except RuntimeError as error:  # all that torch says of a full disk
                raise OSError(errno.EIO, "not all of it could be written") from error

    def load(self, path: Path, key: str) -> None:
        """Go on from a checkpoint, if there is one of this very run.

        Raises:
            OSError: If the file is no checkpoint.
        """
        if not path.exists():
            return
        try:
            state = torch.load(path, map_location=self.model.device, weights_only=True)
        except Exception as error:
            raise OSError(
                f"Unreadable checkpoint {tables.short(path)} ({type(error).__name__}): "
                "delete it to train from the start."
            ) from error
        if state["key"] != key:
            return
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.best, self.curve = state["step"], state["best"], state["curve"]

    def keep_best(self, score: float, folder: Path) -> None:
        """Save the model if it is the best so far, or the latest where dev has no score.

        Raises:
            OSError: If it cannot be written; the best model before stays.
        """
        if not (math.isnan(score) or score > self.best):
            return
        self.best = max(self.best, -math.inf if math.isnan(score) else score)
        temporary, old = folder.with_suffix(".new"), folder.with_suffix(".old")
        for leftover in (temporary, old):
            shutil.rmtree(leftover, ignore_errors=True)
        try:
            self.model.save_pretrained(temporary)
        except OSError:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        if folder.exists():
            folder.rename(old)
        temporary.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
