"""Which voices meet in which batch, and where chance comes from.

Everything random in training is a function of the seed and of a place (an epoch, a step, a voice),
never of what ran before: a run that is stopped and started again draws what it would have drawn.

Conventions: voices are named by their row in the table of training voices.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Rows = npt.NDArray[np.int64]


def random(seed: int, *place: int) -> np.random.Generator:
    """The generator that belongs to one place (an epoch, a step, a voice) of a run."""
    return np.random.default_rng([seed, *place])


class Schedule:
    """The rows of every batch: each epoch a new draw, the incomplete last batch left out."""

    def __init__(
        self, voices: int, batch: int, seed: int, shares: npt.NDArray[np.float64] | None = None
    ) -> None:
        """Plan batches over ``voices`` rows.

        Args:
            voices: Number of training voices.
            batch: Voices in a batch.
            seed: Of the draws.
            shares: How often each voice is drawn, adding up to 1; None shuffles all of them.

        Raises:
            ValueError: If the training split is smaller than two voices or than one batch.
        """
        if voices < max(2, batch):
            raise ValueError(
                f"Got {voices} training voices for batches of {batch}, expected at least as many "
                "voices as a batch holds: set a smaller batch or add voices."
            )
        self.voices, self.batch, self.seed, self.shares = voices, batch, seed, shares
        self.steps_per_epoch = voices // batch
        self._order: tuple[int, Rows] = -1, np.empty(0, np.int64)

    def rows(self, step: int) -> Rows:
        """Rows of the batch at ``step``."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if self._order[0] != epoch:
            self._order = epoch, self._draw(epoch)
        return self._order[1][place * self.batch : (place + 1) * self.batch]

    def _draw(self, epoch: int) -> Rows:
        """The order of one epoch."""
        rng = random(self.seed, 0, epoch)
        if self.shares is None:
            return rng.permutation(self.voices)
        return rng.choice(self.voices, self.voices, p=self.shares)


def balanced(emotions: pd.Series, balance: float) -> npt.NDArray[np.float64] | None:
    """Shares with which rare emotions are drawn more often than they come.

    Args:
        emotions: Emotion of each training voice; a missing one counts as a class of its own.
        balance: 0 leaves them as they come, 1 draws every emotion equally often; in between the
            frequency of an emotion is its own to the power of ``1 - balance``.

    Returns:
        Shares adding up to 1, one for each voice, or None where nothing is to be balanced.
    """
    if not balance:
        return None
    names = emotions.astype(object).where(emotions.notna(), "")
    weights = names.map(names.value_counts()).to_numpy(float) ** -balance
    shares: npt.NDArray[np.float64] = weights / weights.sum()
    return shares
