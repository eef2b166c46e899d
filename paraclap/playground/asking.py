"""What is the answer, and does it depend on how one asks? Candidates in many wordings.

A question is asked in every wording of a frozen set (:mod:`paraclap.evidence.wordings_set`), or in
one of the reader's own. Each wording gives probabilities, the softmax of the scaled cosines over
its candidates; their mean is the answer, and their spread says how much a single one is worth.

Conventions: tables have an unnamed index; probabilities lie in 0 to 1; cosines in -1 to 1.
Source: the wordings and the mean over them, Radford et al., ICML 2021, section 3.1.4.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import softmax

from paraclap import scoring, zeroshot
from paraclap.evidence import wordings_set
from paraclap.playground.opened import Opened
from paraclap.playground.voices import Voice
from paraclap.queries import emotion_word
from paraclap.tasks import synonyms

ALL = "all wordings"
ANSWERS = ("voice", "model", "wording", "template", "candidate", "query", "cosine", "probability")
MOST = 50  # candidates


def words(candidates: str) -> dict[str, str]:
    """Candidates as they are typed: label → word.

    Args:
        candidates: words with commas between, ``label=word`` where they differ

    Raises:
        ValueError: if fewer than two are given, one twice, or too many

    >>> words("angry, joy=happy")
    {'angry': 'angry', 'joy': 'happy'}
    """
    known = zeroshot.words(scoring.candidates_of(candidates))
    if len(known) > MOST:
        raise ValueError(f"Got {len(known)} candidates, expected at most {MOST}: ask in parts.")
    empty = [label for label, word in known.items() if not label or not word]
    if empty:
        raise ValueError(f"Bad candidates {empty[:5]}, expected a label and a word in each.")
    return known


def templates() -> list[str]:
    """What can be chosen to ask with: all wordings, or a single template of the set."""
    return [ALL, *wordings_set.templates()["template"]]


def wordings(known: Mapping[str, str], template: str = ALL) -> pd.DataFrame:
    """All queries of a question: `wording, template`, then a column a candidate, by its place.

    Args:
        known: label → word
        template: a sentence with a slot, or `ALL`

    Returns:
        a row a wording; those that do not take these words are left out

    Raises:
        ValueError: if the template has no slot, or none takes these words
    """
    keys = _keys(known)
    asked = dict(zip(keys, known.values(), strict=True))
    if template == ALL:
        table = wordings_set.asked(asked)
        table = table[table["kind"] == wordings_set.TEMPLATE] if len(table) else table
    else:
        table = wordings_set.one(asked, template)
    if table.empty:
        raise ValueError(
            f"No wording takes the candidates {list(known)[:5]}: name words instead of sentences, "
            "or ask with the template '{}'."
        )
    places = {key: place for place, key in enumerate(keys)}
    return table.drop(columns="kind").rename(columns=places).reset_index(drop=True)


def _keys(known: Mapping[str, str]) -> list[str]:
    """Emotions if all candidates are their names, which wordings with nouns take; else numbers."""
    names = {form: one for one in synonyms() for form in (emotion_word(one, "noun"), one)}
    names |= {emotion_word(one): one for one in synonyms()}
    found = [names.get(word) for word in known.values()]
    emotions = [one for one in found if one]
    if len(set(emotions)) == len(known):
        return emotions
    return [str(place) for place in range(len(known))]


def ask(opened: Opened, voice: Voice, candidates: str, template: str = ALL) -> pd.DataFrame:
    """Ask a model about a voice.

    Args:
        opened: the model
        voice: who is asked about
        candidates: see :func:`words`
        template: see :func:`wordings`

    Returns:
        the columns of `ANSWERS`, a row a wording and candidate; in a wording the probabilities add
        up to one

    Raises:
        AudioError: if the model cannot hear the voice
        ValueError: if candidates or template are bad
    """
    known = words(candidates)
    asked = wordings(known, template)
    queries = asked[list(range(len(known)))].to_numpy()
    texts = opened.read(queries.ravel().tolist()).reshape(*queries.shape, -1)
    cosines = texts.astype(float) @ opened.hear(voice.signal).astype(float)
    each = len(known)
    columns = {
        "voice": voice.name,
        "model": opened.name,
        "wording": np.repeat(asked["wording"].to_numpy(), each),
        "template": np.repeat(asked["template"].to_numpy(), each),
        "candidate": list(known) * len(asked),
        "query": queries.ravel(),
        "cosine": cosines.ravel(),
        "probability": softmax(opened.scale * cosines, axis=1).ravel(),
    }
    return pd.DataFrame(columns, columns=list(ANSWERS))


def summary(answers: pd.DataFrame) -> pd.DataFrame:
    """What the wordings say together: `candidate, probability, low, high, first`, best first.

    Args:
        answers: of one voice and model, as :func:`ask` gives them

    Returns:
        mean, smallest and largest probability over the wordings; `first` is in how many of them
        the candidate is ahead of all others
    """
    grouped = answers.groupby("candidate", sort=False)["probability"]
    each = {"probability": grouped.mean(), "low": grouped.min(), "high": grouped.max()}
    found = pd.DataFrame(each)
    best = answers.loc[answers.groupby("wording", sort=False)["probability"].idxmax(), "candidate"]
    found["first"] = best.value_counts().reindex(found.index, fill_value=0).astype(int)
    return found.sort_values("probability", ascending=False, kind="stable").reset_index()


def sentence(answers: pd.DataFrame) -> str:
    """The answer in words, and how sure one can be of it.

    Args:
        answers: of one voice and model, as :func:`ask` gives them
    """
    table = summary(answers)
    asked, best = answers["wording"].nunique(), table.iloc[0]
    chance = f"guessing gives {1 / len(table):.2f}"
    if asked == 1:
        return (
            f"Closest is “{best['candidate']}”, probability {best['probability']:.2f} ({chance})."
        )
    told = (
        f"Closest is “{best['candidate']}”: on average over {asked} wordings its probability is "
        f"{best['probability']:.2f} ({best['low']:.2f} to {best['high']:.2f}; {chance}). "
    )
    if best["first"] == asked:
        return told + "It is first in all of them."
    return told + f"It is first in {best['first']} of them: the answer depends on the wording."
