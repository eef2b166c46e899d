"""The queries of one utterance, and the captions that are drawn from them.

A query is a template that holds, with its slots filled ("has a high pitch"). A caption is some of
the queries of one utterance, joined by "and". Attributes are drawn first and then a wording of
each, so that an attribute with many wordings does not come up more often. Chapter 3.

Source: sections 2.2 and 3.3 of the paper ("a maximum of n text prompts are randomly selected");
the joins `weighted` and `all` are those of the authors' code, https://github.com/KeiKinn/ParaCLAP,
`dataset.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from paraclap import tables
from paraclap.queries.templates import load_templates, matching_templates, states_of

# Attribute → the wordings that hold. A wording is a query and, where the emotion word has synonyms,
# the same query with each of these in its place.
Wordings = Mapping[str, Sequence[tuple[str, ...]]]


def queries_for(
    levels: Mapping[str, str], emotion: str | None, gender: str | None, templates: str = "paper"
) -> list[str]:
    """List all queries that hold for one utterance.

    Args:
        levels: attribute ("pitch variation") → low, normal or high; unknown ones left out
        emotion: a word, used as given; None if unknown, "no_agreement" if the raters disagree
        gender: female or male; None if unknown
        templates: paper, diverse, released, released-fixed, or a `.csv`

    Returns:
        the queries in the order of the template set

    Raises:
        ValueError: if an attribute, level, gender or template set is unknown

    >>> queries_for({"pitch": "high"}, "angry", None)
    ['has a high pitch', 'this is a angry instance', 'speaker is angry', 'emotion is angry']
    """
    states = states_of(levels, emotion, gender)
    holding = matching_templates(load_templates(templates), states)
    arousal = states.get("arousal", "unknown")
    return [query for one in holding for query in one.fill(emotion, gender, arousal)]


def contrast(attribute: str, templates: str = "paper") -> tuple[str, str]:
    """Give one plain query for each end of an attribute, to ask a model which of them holds.

    Args:
        attribute: an attribute with levels, or gender
        templates: as in `queries_for`

    Returns:
        the query of low and that of high; of gender that of female and that of male

    Raises:
        ValueError: if the set has no such pair

    >>> contrast("pitch"), contrast("gender")
    (('has a low pitch', 'has a high pitch'), ('the speaker is female', 'the speaker is male'))
    """
    own = [one for one in load_templates(templates) if one.attribute == attribute]
    if attribute == "gender" and own:
        return own[-1].fill(None, "female")[0], own[-1].fill(None, "male")[0]
    ends = [[one for one in own if one.states[attribute] == {level}] for level in ("low", "high")]
    if not all(ends):
        known = dict.fromkeys(one.attribute for one in load_templates(templates))
        what = f"attribute for a contrast of the set {templates!r}"
        raise ValueError(
            tables.unknown(what, attribute, [one for one in known if one != "emotion"])
        )
    low, high = (min(end, key=lambda one: len(one.states)).text for end in ends)
    return low, high


def sample_caption(
    wordings: Wordings, rand: int = 5, emotion: str = "always", *, rng: np.random.Generator
) -> str:
    """Draw a caption of one utterance.

    Args:
        wordings: attribute → the queries that hold, each followed by those with synonyms
        rand: the largest number of attributes, the paper's n
        emotion: "pool": an attribute like the others; "always": on top of the others, at the end
        rng: the source of chance
    """
    pool = [name for name in wordings if name != "emotion" or emotion == "pool"]
    number = rng.integers(1, rand + 1)  # 1, 2, … n, equally often
    drawn = [pool[k] for k in rng.permutation(len(pool))[:number]]  # no attribute twice
    if emotion == "always" and "emotion" in wordings:
        drawn.append("emotion")
    caption = []
    for attribute in drawn:
        choices = wordings[attribute]
        query, *synonyms = choices[int(rng.integers(len(choices)))]  # each equally often
        if synonyms and rng.random() < 0.5:  # the emotion's own word half of the time
            query = synonyms[rng.integers(len(synonyms))]
        caption.append(query)
    return " and ".join(caption)


def released_caption(
    wordings: Wordings, rand: int, emotion: str, join: str, *, rng: np.random.Generator
) -> str:
    """Draw a caption of one utterance as the authors' code does.

    Args:
        wordings: as in `sample_caption`
        rand: the largest number of queries of `weighted`, the emotion query aside
        emotion: "always" puts an emotion query at the end of `weighted`
        join: "all": every query. "weighted", switched off in the authors' code: few of them more
            often than many (of 1 to 5: .4, .3, .2, .1, 0)
        rng: the source of chance
    """
    queries = [query for choices in wordings.values() for one in choices for query in one]
    if join == "all":
        return "speaker " + " and ".join(queries)
    falling = np.linspace(1, 0, rand)
    number = 1 + rng.choice(rand, p=falling / falling.sum())
    drawn = [queries[k] for k in rng.permutation(len(queries))[:number]]
    about = [query for one in wordings.get("emotion", ()) for query in one if "emotion" in query]
    return " and ".join(drawn + about[:1] if emotion == "always" else drawn)
