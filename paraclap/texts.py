"""What is said of every voice at every step, and its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from paraclap.queries import Pool
from paraclap.schedule import Rows, random

MOST_TEXTS = 200_000  # whose tokens are kept, about 100 MB


class Texts:
    """The query of every voice at every step.

    With ``per_voice`` above 0 each voice keeps that many joined queries, drawn once, and a step
    picks one of them: the set of texts is finite, and a frozen text tower can embed it once.
    """

    def __init__(
        self,
        pool: Pool,
        rows: Sequence[int],
        seed: int,
        per_voice: int,
        rand: int,
        emotion: str,
        only_emotion: bool,
        join: str = "rand",
    ) -> None:
        """Prepare the drawing of queries.

        Args:
            pool: The queries that are true of each voice of a labels table.
            rows: The rows of the pool that are training voices.
            seed: Of every draw.
            per_voice: Joined queries kept for each voice; 0 draws a new one at every step.
            rand: Most queries joined into one text.
            emotion: ``"always"``, ``"pool"`` or ``"never"``.
            only_emotion: Whether the emotion query is all that is said.
            join: ``"rand"``, ``"weighted"`` or ``"all"``, see ``Pool.sample``.
        """
        self.pool, self.pool_rows, self.seed = pool, np.asarray(rows), seed
        self.draws: dict[str, Any] = {
            "rand": rand,
            "emotion": emotion,
            "only_emotion": only_emotion,
            "join": join,
        }
        kept = [self._draw(self.pool_rows, 2, turn) for turn in range(per_voice)]
        self.distinct = sorted(set().union(*kept)) if kept else []
        self.number = {text: place for place, text in enumerate(self.distinct)}
        self._kept = np.array([[self.number[text] for text in texts] for texts in kept])

    def _draw(self, rows: Rows, *place: int) -> list[str]:
        return self.pool.sample(rows, rng=random(self.seed, *place), **self.draws)

    def of(self, step: int, rows: Rows) -> list[str]:
        """Texts of the voices ``rows`` (of the training table) at ``step``."""
        if not len(self._kept):
            return self._draw(self.pool_rows[rows], 3, step)
        turns = random(self.seed, 3, step).integers(len(self._kept), size=len(rows))
        return [self.distinct[place] for place in self._kept[turns, rows]]


class Tokens:
    """Tokens of texts, each text tokenised once."""

    def __init__(self, tokenizer: Any) -> None:
        """Serve a tokenizer of transformers, one that pads at the end."""
        self.tokenizer = tokenizer
        self._kept: dict[str, torch.Tensor] = {}

    def __call__(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """``input_ids`` and ``attention_mask``, each ``(texts, tokens)``."""
        new = [text for text in texts if text not in self._kept]
        if new:
            if len(self._kept) > MOST_TEXTS:
                self._kept.clear()
                new = list(texts)
            found = self.tokenizer(new, truncation=True, padding=False)["input_ids"]
            self._kept |= {text: torch.tensor(ids) for text, ids in zip(new, found, strict=True)}
        ids = [self._kept[text] for text in texts]
        lengths = torch.tensor([len(one) for one in ids])
        padding = self.tokenizer.pad_token_id or 0
        padded = pad_sequence(ids, batch_first=True, padding_value=padding)
        mask = torch.arange(padded.shape[1]) < lengths.unsqueeze(1)
        return {"input_ids": padded, "attention_mask": mask.long()}
