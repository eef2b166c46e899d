"""Which voices of the run fit a query best, and which worst? A search in words.

The voices are a sample of the test split, as many of each corpus, drawn with a seed. They are
embedded once for each model.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from paraclap import evaluation, tables
from paraclap.playground.opened import Opened
from paraclap.playground.voices import clips
from paraclap.queries import emotion_word
from paraclap.tasks import synonyms

SHOWN = 3  # of the closest voices, and of the farthest


def sample(labels: pd.DataFrame, n: int, seed: int = 0) -> pd.DataFrame:
    """Voices to search in, about as many of each corpus.

    Args:
        labels: labels table of a run
        n: how many, at most
        seed: of the draw

    Raises:
        ValueError: if none is wanted
    """
    if n < 1:
        raise ValueError(f"Bad number of voices {n}, expected at least 1.")
    known = clips(labels)
    mixed = known.sample(frac=1, random_state=seed)
    turn = mixed.groupby("corpus").cumcount()
    chosen = mixed.iloc[turn.argsort(kind="stable")[:n]]
    return known.loc[known.index.isin(chosen.index)]


def found(
    opened: Opened,
    voices: pd.DataFrame,
    query: str,
    n: int = SHOWN,
    store: Path | None = None,
) -> pd.DataFrame:
    """Voices that fit a query best, and those that fit it worst.

    Args:
        opened: the model
        voices: labels table, see :func:`sample`
        query: a sentence or a word
        n: how many of each
        store: folder of decoded signals; None reads the files

    Returns:
        rows of `voices` with `similarity` (the cosine) and `place`, closest or farthest, best first

    Raises:
        ValueError: if the query is empty
        AudioError: if a voice cannot be read
    """
    if not query.strip():
        raise ValueError("Got no query, expected a sentence such as 'has a high pitch'.")
    embeddings = opened.hear_all(voices, store)
    table = evaluation.nearest(opened.model, voices, embeddings, query.strip(), n)
    near = [place < (len(table) + 1) // 2 for place in range(len(table))]
    return table.assign(place=["closest" if one else "farthest" for one in near])


def suggestions(run: Path, most: int = 200) -> list[str]:
    """Queries to pick from: those of emotions, then those that hold of voices of the run.

    Args:
        run: folder of the run
        most: how many
    """
    emotions = [f"speaker is {emotion_word(one)}" for one in synonyms()]
    file = run / "queries.parquet"
    known: Sequence[str] = []
    if file.is_file():
        column = tables.read_table(file, ["queries"])["queries"]
        known = column.explode().dropna().value_counts().index.tolist()
    return list(dict.fromkeys([*emotions, *known]))[:most]
