"""What has a model been told, and of which voices is it true?

A model was told queries: all that the template set says of the voices of training. To them come the
bare words of its emotions, which name candidates in the paper's own questions.

A query is true of a voice if it is among the queries that hold for it. It is not true if something
known of the voice contradicts it: a level that it is not said of, another emotion or gender.
Otherwise nothing is known: "is loud" of a voice that nobody has measured.

Conventions: a table of queries has the columns `query` and `attribute`; levels are a table with a
row a voice, a column per attribute, `emotion` and `gender`; truths have the shape
`(queries, voices)`: 1 true, 0 not true, -1 not known.

Source: section 2.2 of the paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap.queries import Pool, emotion_word
from paraclap.tables import GENDERS
from paraclap.templates import LEVELS, Sentence, emotion_state, sentences

WORD = "emotion word"  # what a query that is nothing but a word speaks of
NO_WORD = ("other", "no_agreement")
Truths = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]


class Said(NamedTuple):
    """A sentence as it was filled: with which emotion and gender, None where it has no slot."""

    sentence: Sentence
    emotion: str | None
    gender: str | None


def vocabulary(
    levels: pd.DataFrame, templates: str = "paper", form: str = "adjective", most: int = 130
) -> pd.DataFrame:
    """What a model that learned from some voices has been told, and the words of its emotions.

    Args:
        levels: of the voices of training
        templates: the template set
        form: of the emotion words, adjective or noun
        most: sentences; of more of them an even choice is taken

    Returns:
        `query, attribute`, the sentences in the order of the set, the bare words at the end
    """
    said = Pool.from_table(levels, templates, form).vocabulary
    if len(said) > most:
        said = [said[place] for place in np.linspace(0, len(said) - 1, most).round().astype(int)]
    words = _words(levels, form)
    known = _fillings(words, templates)
    rows = [(query, known[query][0].sentence.attribute) for query in said]
    bare = [(word, WORD) for word in words if word not in said]
    return pd.DataFrame([*rows, *bare], columns=["query", "attribute"])


def truths(
    queries: pd.DataFrame,
    levels: pd.DataFrame,
    templates: str = "paper",
    form: str = "adjective",
) -> Truths:
    """Of which voices each query is true.

    Args:
        queries: as `vocabulary` gives them
        levels: of the voices
        templates: the template set
        form: of the emotion words

    Returns:
        1 true, 0 not true, -1 not known

    Raises:
        ValueError: if a query is no sentence of the set
    """
    pool = Pool.from_table(levels, templates, form)
    own = [set(pool.queries(row)) for row in range(len(pool))]
    words = [*_words(levels, form), *queries.loc[queries["attribute"] == WORD, "query"]]
    known = _fillings(list(dict.fromkeys(words)), templates)
    states = _states(levels, form)
    found = np.full((len(queries), len(levels)), -1, np.int8)
    for row, query in enumerate(queries["query"]):
        if queries["attribute"].iloc[row] == WORD:
            feeling = states["word"]
            found[row, feeling.notna()] = (feeling == query)[feeling.notna()]
            continue
        found[row, _denied(query, known, states)] = 0
        found[row, [query in said for said in own]] = 1
    return found


def first(queries: pd.DataFrame, template: str = "speaker is {}") -> str:
    """The query to begin with: of an emotion in the words of a template, or any there is.

    Args:
        queries: as `vocabulary` gives them
        template: sentence with a slot
    """
    said = queries["query"]
    worded = said.str.startswith(template.split("{}")[0]) & (queries["attribute"] == "emotion")
    return str((said[worded] if worded.any() else said).iloc[0])


def _words(levels: pd.DataFrame, form: str) -> list[str]:
    """Words of the emotions of some voices, each once."""
    known = sorted(set(levels["emotion"].dropna()) - set(NO_WORD))
    return list(dict.fromkeys(emotion_word(emotion, form) for emotion in known))


def _fillings(words: Sequence[str], templates: str) -> dict[str, list[Said]]:
    """Every query that the set can say with these emotion words, and how it comes about."""
    found: dict[str, list[Said]] = {}
    for sentence in sentences(templates):
        for word in words if sentence.says_emotion else [None]:
            for gender in GENDERS if "{gender}" in sentence.template else [None]:
                for text in _texts(sentence, word, gender):
                    found.setdefault(text, []).append(Said(sentence, word, gender))
    return found


def _texts(sentence: Sentence, word: str | None, gender: str | None) -> Iterator[str]:
    """Different texts of a sentence, whatever the arousal."""
    states = ("unknown", *LEVELS)
    yield from {text for state in states for text in sentence.fillings(word, gender, state)}


def _states(levels: pd.DataFrame, form: str) -> pd.DataFrame:
    """Levels as states of sentences, missing where not known; in `word` the emotion's word."""
    words = levels["emotion"].map(lambda one: emotion_word(one, form), na_action="ignore")
    states = words.map(emotion_state, na_action="ignore")
    return levels.assign(word=words, emotion=states)


def _denied(query: str, known: dict[str, list[Said]], states: pd.DataFrame) -> Flags:
    """Voices of which something is known that contradicts a query, however it comes about."""
    if query not in known:
        raise ValueError(f"Unknown query {query!r}, expected a sentence of the template set.")
    each = [_contradicted(said, states) for said in known[query]]
    return np.asarray(np.logical_and.reduce(each), bool)


def _contradicted(said: Said, states: pd.DataFrame) -> Flags:
    denied = np.zeros(len(states), bool)
    for name, good in said.sentence.states.items():
        if name in states and name != "gender":
            denied |= _differs(states[name], good)
    if said.emotion is not None:
        denied |= _differs(states["word"], {said.emotion})
    if said.gender is not None:
        denied |= _differs(states["gender"], {said.gender})
    return denied


def _differs(column: pd.Series, good: frozenset[str] | set[str]) -> Flags:
    """Where a column is known and is none of these."""
    return np.asarray(column.notna() & ~column.isin(list(good)), bool)
