"""How many different things are said? Counting the texts that a pool of queries gives.

Training draws a text for a voice again and again. How many different ones there are, and how often
a batch holds the same text twice, depends on the sampling alone; the variants of the paper differ
in little else. All counts here are made by drawing, with the sampling that training uses.

Source: section 3.3 and Table 1 of the paper (its four variants).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap.queries import Pool
from paraclap.tables import GENDERS
from paraclap.templates import LEVELS, NUMERIC, emotion_state, emotion_word, gender_state, sentences

VARIANTS: dict[str, dict[str, Any]] = {
    "only emotion": {"rand": 1, "emotion": "always", "only_emotion": True},
    "rand = 1": {"rand": 1, "emotion": "always", "only_emotion": False},
    "rand = 5": {"rand": 5, "emotion": "always", "only_emotion": False},
    "rand = 5, no emotion": {"rand": 5, "emotion": "never", "only_emotion": False},
}


def draw(pool: Pool, rows: Sequence[int], count: int, seed: int = 0) -> pd.DataFrame:
    """Draw texts for voices taken at random, once per variant of the paper.

    Args:
        pool: the queries
        rows: positions to draw from, those of the training split for example
        count: texts of each variant
        seed: of the draws

    Returns:
        columns ``variant``, ``text``; a variant under which no voice has anything to say is left
        out
    """
    parts = []
    for variant, how in VARIANTS.items():
        speaks = pool.says(how["emotion"], how["only_emotion"])
        usable = np.asarray([row for row in rows if speaks[row]])
        if len(usable):
            rng = np.random.default_rng(seed)
            texts = pool.sample(rng.choice(usable, count), rng=rng, **how)
            parts.append(pd.DataFrame({"variant": variant, "text": texts}))
    return pd.concat(parts, ignore_index=True)


def growth(texts: pd.DataFrame) -> pd.DataFrame:
    """How many distinct texts have been seen after so many draws.

    Args:
        texts: as :func:`draw` gives them

    Returns:
        columns ``variant``, ``draws``, ``distinct``, at about 40 points a variant
    """
    parts = []
    for variant, column in texts.groupby("variant", sort=False)["text"]:
        seen = (~column.duplicated()).cumsum().to_numpy()
        points = np.unique(np.geomspace(1, len(seen), 40).astype(int))
        rows = {"variant": variant, "draws": points, "distinct": seen[points - 1]}
        parts.append(pd.DataFrame(rows))
    return pd.concat(parts, ignore_index=True)


def repeats(texts: pd.DataFrame, batch: int) -> pd.DataFrame:
    """Share of each batch whose text another pair of the batch has as well.

    Args:
        texts: as :func:`draw` gives them, cut into batches in their order
        batch: pairs in a batch

    Returns:
        columns ``variant``, ``repeated`` (0 to 1), one row a batch; the last, shorter one is
        left out unless there is no other
    """
    parts = []
    for variant, column in texts.groupby("variant", sort=False)["text"]:
        places = np.arange(len(column)) // batch
        whole = column[places < max(1, len(column) // batch)]
        again = whole.groupby(places[: len(whole)]).agg(lambda b: b.duplicated(keep=False).mean())
        parts.append(pd.DataFrame({"variant": variant, "repeated": again.to_numpy(float)}))
    return pd.concat(parts, ignore_index=True)


def said(pool: Pool, rows: Sequence[int], most: int, templates: str, seed: int = 0) -> pd.DataFrame:
    """How often each attribute is spoken of, for rand = 1 … ``most``, emotion drawn as any other.

    Args:
        pool: the queries
        rows: positions; each is drawn for once
        most: the largest rand
        templates: the template set of the pool
        seed: of the draws

    Returns:
        one row an attribute, one column a rand: share of texts that speak of it
    """
    of = _attributes(pool, templates)
    columns = {}
    for rand in range(1, most + 1):
        texts = pool.sample(rows, rand, "pool", rng=np.random.default_rng(seed))
        told = pd.Series([of[query] for text in texts for query in text.split(" and ")])
        columns[rand] = told.value_counts() / len(texts)
    return pd.DataFrame(columns).reindex(pool.attributes).dropna(how="all").fillna(0.0)


def falsehoods(table: pd.DataFrame, templates: str) -> pd.DataFrame:
    """Which sentences a set says of which voices although, by their own wording, they are false.

    Most sentences are said of the very level that they name and cannot be false. What the others
    claim stands in `claims.csv`: "but not a high pitch variance" is true of a low and of a normal
    one, "is loud" is a matter of loudness, and who is calm can be neither very nor not very calm.
    A claim about something unknown is not counted as false.

    Args:
        table: levels, and `emotion` and `gender`, one row a voice
        templates: the template set

    Returns:
        on the index of `table`, one column of bool a template; only templates that are false of
        at least one voice, the most frequent first
    """
    states = _states(table)
    claims = pd.read_csv(Path(__file__).with_name("claims.csv"))
    false = {}
    for template, attribute, levels in claims.itertuples(index=False):
        true = states[attribute].isin(["unknown", *levels.split("|")])
        false[template] = _holds(states, templates, template) & ~true.to_numpy()
    found = pd.DataFrame(false, index=table.index)
    order = found.sum().sort_values(ascending=False, kind="stable")
    return found[order.index[order > 0]]


def _states(table: pd.DataFrame) -> pd.DataFrame:
    """State of every attribute of every voice, see `templates`."""
    states = table.reindex(columns=list(NUMERIC)).astype("str").fillna("unknown")
    feelings = pd.Series([emotion_state(word) for word in _words(table, "emotion")], table.index)
    states["emotion"] = feelings.replace("other", "word")  # odd to say, but not false
    states["gender"] = [gender_state(word) for word in _words(table, "gender")]
    return states


def _words(table: pd.DataFrame, column: str) -> list[str | None]:
    return [word if isinstance(word, str) else None for word in table[column]]


def _holds(states: pd.DataFrame, templates: str, template: str) -> npt.NDArray[np.bool_]:
    """Of which voices a set says a template, shape `(rows,)`."""
    said = np.zeros(len(states), dtype=bool)
    for one in sentences(templates):
        if one.template == template:
            said |= np.logical_and.reduce([states[n].isin(g) for n, g in one.states.items()])
    return said


def lengths(
    pools: Mapping[str, Pool], rows: Sequence[int], joins: Mapping[str, str], seed: int = 0
) -> pd.DataFrame:
    """Draw a text for each voice by every sentence set and way of joining, and count its words.

    Args:
        pools: name of a sentence set → its pool
        rows: positions to draw for, once each
        joins: name of a way of joining → `join` of `Pool.sample`
        seed: of the draws

    Returns:
        `sentences, join, text, words`, one row a text
    """
    parts = []
    for (name, pool), (title, join) in product(pools.items(), joins.items()):
        texts = pool.sample(rows, join=join, rng=np.random.default_rng(seed))
        own = {"sentences": name, "join": title, "text": texts}
        parts.append(pd.DataFrame(own).assign(words=[len(text.split()) for text in texts]))
    return pd.concat(parts, ignore_index=True)


def _attributes(pool: Pool, templates: str) -> Mapping[str, str]:
    """Query → the attribute it speaks of."""
    emotions = set(pool.table()["emotion"].dropna())
    words = [None, *emotions, *_both(emotions)]
    told: dict[str, str] = {}
    for one in sentences(templates):
        for slots in product(words, GENDERS, LEVELS):
            for query in one.fillings(*slots):
                told.setdefault(query, one.attribute)
    return told


def _both(emotions: Iterable[str]) -> list[str]:
    return [emotion_word(word, form) for word in emotions for form in ("adjective", "noun")]
