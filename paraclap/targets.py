"""What is known of the voices and texts of a batch, beyond which text was drawn for which voice.

Conventions: arrays ``(batch, batch)``; row ``i`` is a voice, column ``j`` the text of voice ``j``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from paraclap.joining import parts
from paraclap.queries import Pool
from paraclap.schedule import Rows
from paraclap.templates import LEVELS, NUMERIC

DIMENSIONS = ("arousal", "valence", "dominance")
SHARPNESS = 10.0  # of the softmax that turns likeness, 0 to 1, into soft targets
Matrix = npt.NDArray[np.float32]


class Targets:
    """Tells of every batch what an objective asks for."""

    def __init__(
        self,
        objective: str,
        pool: Pool,
        rows: Sequence[int],
        labels: pd.DataFrame,
        join: str = "rand",
    ) -> None:
        """Look up what is known of the training voices.

        Args:
            objective: One of ``paraclap.objectives.OBJECTIVES``.
            pool: The queries of the rows of ``labels``.
            rows: Those that are training voices.
            labels: Labels table; its ratings are read by ``"rank"``.
            join: How queries become a text.

        Raises:
            ValueError: If the objective asks for ratings and no training voice has any.
        """
        self.objective, self.join = objective, join
        if objective == "holds":
            self.said = [frozenset(pool.queries(int(row))) for row in rows]
        elif objective == "soft":
            self.levels = _levels(pool.table().iloc[list(rows)])
        elif objective == "rank":
            self.ratings = _ratings(labels.iloc[list(rows)])

    def __call__(self, rows: Rows, texts: Sequence[str], share: slice) -> dict[str, torch.Tensor]:
        """What is known of a batch.

        Args:
            rows: All its voices, by their row among the training voices.
            texts: The text drawn for each.
            share: The pairs of this process.

        Returns:
            For the objectives with soft targets ``by_audio`` (a probability of every text for
            the voices of this process) and ``by_text`` (of every voice for its texts), for
            ``"rank"`` the ``distances`` of ratings; each ``(n, batch)``.
        """
        if self.objective == "rank":
            own = self.ratings[rows]
            return {"distances": torch.from_numpy(_distances(own)[share])}
        if self.objective not in ("duplicates", "holds", "soft"):
            return {}
        fits = self._fits(rows, texts)
        return {
            "by_audio": torch.from_numpy(_shares(fits)[share]),
            "by_text": torch.from_numpy(_shares(fits.T)[share]),
        }

    def _fits(self, rows: Rows, texts: Sequence[str]) -> Matrix:
        """How well every text fits every voice, by what is known; on the diagonal most."""
        if self.objective == "duplicates":
            names = np.asarray(texts, dtype=object)
            return np.asarray(names[:, None] == names, dtype=np.float32)
        if self.objective == "soft":
            return np.asarray(np.exp(SHARPNESS * _likeness(self.levels[rows])), np.float32)
        said = [frozenset(parts(text, self.join)) for text in texts]
        voices = [self.said[row] for row in rows]
        fits = np.array([[text <= voice for text in said] for voice in voices], dtype=np.float32)
        np.fill_diagonal(fits, 1)  # also where a way of joining has changed a query
        return fits


def _levels(table: pd.DataFrame) -> Matrix:
    """Levels as 0, 1, 2, missing ones as nan, ``(voices, attributes)``."""
    number = {level: float(place) for place, level in enumerate(LEVELS)}
    known = [name for name in NUMERIC if name in table]
    numbers = table[known].apply(lambda column: column.map(number))
    return np.asarray(numbers, dtype=np.float32)


def _likeness(levels: Matrix) -> Matrix:
    """Mean over the attributes known of both: 1 for the same level, 0 for opposite ends."""
    apart = np.abs(levels[:, None] - levels) / (len(LEVELS) - 1)
    known = ~np.isnan(apart)
    alike = np.where(known, 1 - apart, 0).sum(-1) / np.maximum(known.sum(-1), 1)
    np.fill_diagonal(alike, 1)
    return np.asarray(alike, dtype=np.float32)


def _ratings(labels: pd.DataFrame) -> Matrix:
    """Arousal, valence and dominance in standard deviations, ``(voices, dimensions)``."""
    known = [name for name in DIMENSIONS if name in labels]
    values = labels[known].astype(float)
    if not values.notna().any(axis=None):
        raise ValueError(
            f"No rating of {list(DIMENSIONS)} among {len(labels)} training voices, expected some "
            "for the objective 'rank': take another objective or a corpus with ratings."
        )
    spread = values.std(ddof=0).replace(0, 1)
    return np.asarray((values - values.mean()) / spread, dtype=np.float32)


def _distances(ratings: Matrix) -> Matrix:
    """Root mean square over the dimensions known of both; nan where none is."""
    square = (ratings[:, None] - ratings) ** 2
    known = ~np.isnan(square)
    total = np.where(known, square, 0).sum(-1) / np.where(known.any(-1), known.sum(-1), np.nan)
    return np.asarray(np.sqrt(total), dtype=np.float32)


def _shares(fits: Matrix) -> Matrix:
    return np.asarray(fits / fits.sum(axis=1, keepdims=True), dtype=np.float32)
