"""Who was right about which voice? Counts that several systems share, and how they are redrawn.

Systems that answer the same voices are compared on the same draws of these voices: what makes a
draw easy makes it easy for all. Segments of one speaker resemble each other, so that whole speakers
are drawn together; with fewer than 6 of them (`resampling.LEAST_SPEAKERS`), or none known,
utterances are drawn instead, and the *unit* says so.

Conventions: predictions are tables as `evaluation.predict` gives them: a row a voice, columns
`corpus` (the task), `speaker`, `truth`, `prediction`. A system is one table, or a sequence of them,
one a training seed: all seeds meet the same draws, and their scores are averaged.

Source: Field and Welsh, J. R. Stat. Soc. B 2007 (bootstrap of clusters); Bisani and Ney, ICASSP
2004 (the same draws for two systems).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap.resampling import LEAST_SPEAKERS, redraw
from paraclap.scores import codes, speaker_codes
from paraclap.templates import unknown_name

Runs = pd.DataFrame | Sequence[pd.DataFrame]
Floats = npt.NDArray[np.float64]
COLUMNS = ("corpus", "speaker", "truth", "prediction")
SPEAKERS, UTTERANCES = "speakers", "utterances"


@dataclass(frozen=True)
class Tally:
    """Hits of all systems on one task.

    Args:
        task: its name
        labels: its classes
        systems: those that answered it
        unit: what is drawn, speakers or utterances
        totals: voices of each class, `(units, classes)`
        hits: voices of each class that were answered rightly, a mean over the seeds of a system,
            `(units, systems, classes)`
    """

    task: str
    labels: tuple[str, ...]
    systems: tuple[str, ...]
    unit: str
    totals: Floats
    hits: Floats

    def __len__(self) -> int:
        """How many units there are to draw from."""
        return len(self.totals)

    def recalls(self) -> Floats:
        """Recall of each class, `(systems, classes)`."""
        shares: Floats = self.hits.sum(axis=0) / self.totals.sum(axis=0)
        return shares

    def redrawn(self, draws: int, seed: int) -> Floats:
        """Recalls when units are drawn anew, `(draws, systems, classes)`.

        A class that a draw misses is NaN in it. The draws of a task are the same whatever other
        tasks and systems there are.
        """
        if draws < 1:
            raise ValueError(f"Bad number of draws {draws}, expected at least 1.")
        rng = np.random.default_rng([seed, *self.task.encode()])
        weights = redraw(len(self), draws, rng).astype(float)
        hits = (weights @ self.hits.reshape(len(self), -1)).reshape(draws, *self.hits.shape[1:])
        totals = (weights @ self.totals)[:, None, :]
        return np.divide(hits, totals, out=np.full_like(hits, np.nan), where=totals > 0)


def tally(predictions: Mapping[str, Runs], task: str, labels: Sequence[str]) -> Tally:
    """Count the hits of every system that answers a task.

    Args:
        predictions: system → its predictions, one table or one a seed
        task: the task
        labels: its classes

    Raises:
        ValueError: if no system answers it, a column is missing, two systems answer different
            voices or know different truths, or as `scores.uar`, naming system and task
    """
    answered = {name: parts for name in predictions if (parts := _own(predictions, name, task))}
    if not answered:
        known = sorted({one for runs in predictions.values() for one in _tasks(runs)})
        raise ValueError(unknown_name("task", task, known))
    first = next(iter(answered.values()))[0]
    right = np.column_stack(
        [_right(name, parts, first, task, labels) for name, parts in answered.items()]
    )
    truth, _ = codes(first["truth"], first["truth"], labels)
    units, unit = _units(first["speaker"])
    return _counted(task, labels, tuple(answered), unit, units, truth, right)


def _counted(
    task: str,
    labels: Sequence[str],
    systems: tuple[str, ...],
    unit: str,
    units: npt.NDArray[np.intp],
    truth: npt.NDArray[np.intp],
    right: Floats,
) -> Tally:
    totals = np.zeros((units.max() + 1, len(labels)))
    hits = np.zeros((len(totals), len(labels), len(systems)))
    np.add.at(totals, (units, truth), 1)
    np.add.at(hits, (units, truth), right)
    return Tally(task, tuple(labels), systems, unit, totals, hits.transpose(0, 2, 1).copy())


def _tables(runs: Runs) -> list[pd.DataFrame]:
    return [runs] if isinstance(runs, pd.DataFrame) else list(runs)


def _tasks(runs: Runs) -> set[str]:
    return {str(task) for table in _tables(runs) for task in table["corpus"]}


def _own(predictions: Mapping[str, Runs], name: str, task: str) -> list[pd.DataFrame]:
    """Rows of a task, of each seed of a system; empty if it has none."""
    tables = _tables(predictions[name])
    for table in tables:
        missing = [column for column in COLUMNS if column not in table]
        if missing:
            raise ValueError(
                f"No column {missing} in the predictions of {name!r}, got {list(table)[:5]}: "
                "add it."
            )
    parts = [table[table["corpus"] == task] for table in tables]
    if len({part.empty for part in parts}) > 1:
        got = [len(part) for part in parts]
        raise ValueError(
            f"Only some seeds of {name!r} answer task {task!r} ({got[:5]} voices), expected all of "
            "them or none: ask every seed."
        )
    return [part for part in parts if len(part)]


def _right(
    name: str, parts: Sequence[pd.DataFrame], first: pd.DataFrame, task: str, labels: Sequence[str]
) -> Floats:
    """Share of the seeds that are right about each voice of `first`, `(voices,)`."""
    hits = []
    for part in parts:
        where = f"{name!r} in task {task!r}"
        if part.index.has_duplicates or set(part.index) != set(first.index):
            raise ValueError(
                f"The voices of {where} ({len(part)}) are not those of the first system "
                f"({len(first)}), expected the same, each once: ask all systems the same voices."
            )
        aligned = part.loc[first.index]
        if not (aligned["truth"].to_numpy() == first["truth"].to_numpy()).all():
            raise ValueError(f"The truths of {where} differ from those of the first system.")
        try:
            t, p = codes(aligned["truth"], aligned["prediction"], labels)
        except ValueError as error:
            raise ValueError(f"System {where}: {error}") from error
        hits.append(t == p)
    shares: Floats = np.mean(np.stack(hits).astype(float), axis=0)
    return shares


def _units(speakers: pd.Series) -> tuple[npt.NDArray[np.intp], str]:
    """Number what is drawn: speakers, or utterances where they are too few."""
    numbers = speaker_codes(speakers, len(speakers))
    if numbers.max() + 1 >= LEAST_SPEAKERS:
        return numbers, SPEAKERS
    return np.arange(len(speakers)), UTTERANCES
