"""What does a run learn from: which voices, what is said of each, and in which form it is heard?

Conventions: rows of labels, queries and features are on the audformat index, in the same order.
Voices of all splits are given, of corpora that have a train split; which of them are trained on,
:func:`speakable` says. Source: ParaCLAP (Jing et al., 2024), sections 2.1 and 3.1.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from paraclap import leakage, levels, signals, tables
from paraclap.measured import reads_functionals
from paraclap.queries import Pool
from paraclap.settings import Settings
from paraclap.templates import NO_AGREEMENT

STORE = "signals"


class Inputs(NamedTuple):
    """What a run learns from.

    Attributes:
        labels: Labels table of the corpora that have a train split.
        pool: The queries of its rows.
        table: Its queries table, with the levels.
    """

    labels: pd.DataFrame
    pool: Pool
    table: pd.DataFrame


def read(folder: Path, templates: str = "paper", emotion_form: str = "adjective") -> Inputs:
    """Read what the steps before training have made.

    Args:
        folder: Of the run, with ``labels.parquet`` and ``queries.parquet``.
        templates: The template set.
        emotion_form: ``"adjective"`` (angry) or ``"noun"`` (anger).

    Raises:
        OSError: If a table is not there.
        LeakError: If what is tested on would be learned from.
    """
    for name in ("labels.parquet", "queries.parquet"):
        if not (folder / name).is_file():
            raise OSError(
                f"No {tables.short(folder / name)}, expected what chapters 1 to 3 make: "
                "run them first, with python -m paraclap.book and the same params file."
            )
    table = tables.read_table(folder / "queries.parquet")
    labels = tables.read_table(folder / "labels.parquet").loc[table.index]
    leakage.check(labels)
    if (folder / "edges.json").is_file():
        leakage.check_edges(levels.load(folder / "edges.json").fitted_on, labels)
    corpora = labels.loc[labels["split"] == "train", "corpus"].unique()
    learned = labels["corpus"].isin(corpora).to_numpy()
    own = table[learned]
    return Inputs(labels[learned], Pool.from_table(own, templates, emotion_form), own)


def decoded(labels: pd.DataFrame, folder: Path, dtype: str, jobs: int) -> Path | None:
    """Decode and resample all voices once, into the audio store of a run.

    Args:
        labels: On the audformat index.
        folder: Of the run; the store goes into ``signals/`` in it.
        dtype: ``"int16"``, ``"float32"``, or ``"none"`` for no store.
        jobs: Processes.

    Returns:
        Folder of the store; None if there is none.
    """
    if dtype == "none":
        return None
    signals.build(labels.index, folder / STORE, dtype, jobs)
    return audio_store(folder)


def measured(folder: Path, settings: Settings) -> pd.DataFrame | None:
    """Features of all voices of a run, where its audio tower reads them.

    Args:
        folder: Of the run.
        settings: Which audio tower.
    """
    reads = reads_functionals(settings.audio_encoder)
    return tables.read_table(folder / "features.parquet") if reads else None


def audio_store(folder: Path) -> Path | None:
    """Audio store of a run, if it has one."""
    store = folder / STORE
    return store if signals.index_path(store).is_file() else None


def speakable(labels: pd.DataFrame, pool: Pool, settings: Settings) -> list[int]:
    """Positions of the training voices of which the settings leave something to say.

    Args:
        labels: Labels table.
        pool: The queries of its rows.
        settings: ``emotion``, ``only_emotion`` and ``agreed_only`` count.
    """
    said = pool.says(settings.emotion, settings.only_emotion)
    if settings.agreed_only:
        said &= (labels["emotion"] != NO_AGREEMENT).to_numpy()
    return [int(row) for row in np.flatnonzero((labels["split"] == "train").to_numpy() & said)]


def wanted(
    features: pd.DataFrame | None, labels: pd.DataFrame, settings: Settings
) -> pd.DataFrame | None:
    """Features of exactly the voices of a labels table, where the audio tower reads them.

    Args:
        features: Features table, see :func:`measured`, or None.
        labels: On the audformat index.
        settings: Which audio tower.

    Returns:
        Rows in the order of ``labels``; None if the tower hears signals.

    Raises:
        ValueError: If features are read and those of some voice are not given.
    """
    if not reads_functionals(settings.audio_encoder):
        return None
    lacking = labels.index if features is None else labels.index.difference(features.index)
    if features is None or len(lacking):
        raise ValueError(
            f"No features of {len(lacking)} of {len(labels)} voices, expected them for the audio "
            f"encoder {settings.audio_encoder!r}: give the table of chapter 2 (features.parquet)."
        )
    return features.loc[labels.index]
