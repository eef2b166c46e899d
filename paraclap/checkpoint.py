"""What a stopped training run goes on from, and the best model so far.

All is written whole or not at all: a stop at any moment leaves the last good one in place. The
newest checkpoints are kept, named ``<key>-<step>.pt``; the key is that of the run, so that one of
other settings or voices is never taken.
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
from paraclap.whole import sync


@dataclass
class Run:
    """A training run between two steps: all that a checkpoint holds."""

    model: ParaCLAP
    optimizer: torch.optim.Optimizer
    step: int = 0
    best: float = -math.inf
    curve: list[dict[str, float]] = field(default_factory=list)
    speed: list[dict[str, float]] = field(default_factory=list)

    def save(self, folder: Path, key: str, keep: int = 1) -> None:
        """Write everything the next step needs, then drop the oldest checkpoints.

        Args:
            folder: Of the checkpoints.
            key: Of the run.
            keep: How many stay.

        Raises:
            OSError: If it cannot be written, for example because the disk is full; those before
                stay.
        """
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "best": self.best,
            "curve": self.curve,
            "speed": self.speed,
        }
        with tables.atomic_path(folder / f"{key}-{self.step:09d}.pt") as temporary:
            try:
                torch.save(state, temporary)
            except RuntimeError as error:  # all that torch says of a full disk
                raise OSError(errno.EIO, "not all of it could be written") from error
        own = saved(folder, key)[:keep]
        for path in set(folder.glob("*.pt")) - set(own):
            path.unlink(missing_ok=True)

    def load(self, folder: Path, key: str) -> None:
        """Go on from the newest checkpoint of this very run that can be read, if there is one.

        Raises:
            OSError: If there are some and none can be read.
        """
        unread: list[str] = []
        for path in saved(folder, key):
            try:
                state = torch.load(path, map_location=self.model.device, weights_only=True)
                self.model.load_state_dict(state["model"])
                self.optimizer.load_state_dict(state["optimizer"])
            except Exception as error:
                unread.append(f"{tables.short(path)} ({type(error).__name__})")
                continue
            for name in ("step", "best", "curve", "speed"):
                setattr(self, name, state[name])
            if unread:
                print(f"Unreadable: {', '.join(unread)}; going on from step {self.step}.")
            return
        if unread:
            raise OSError(
                f"Unreadable checkpoints {', '.join(unread)}, and none before them: "
                f"delete the folder {tables.short(folder)} to train from the start."
            )

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
            for file in temporary.iterdir():
                sync(file)
        except OSError:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        if folder.exists():
            folder.rename(old)
        temporary.rename(folder)
        shutil.rmtree(old, ignore_errors=True)


def saved(folder: Path, key: str) -> list[Path]:
    """Checkpoints of a run, the newest first."""
    return sorted(folder.glob(f"{key}-*.pt"), reverse=True)
