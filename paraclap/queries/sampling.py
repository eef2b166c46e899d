"""The queries of one utterance, and the captions that are drawn from them.

A query is a template that holds, with its slots filled ("has a high pitch"). A caption is some of
the queries of one utterance, joined by "and". Attributes are drawn first and then a wording of
each: many wordings do not weigh more. Chapter 3. Source: sections 2.2 and 3.3 of the paper.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from paraclap import tables
from paraclap.queries.templates import load_templates, matching_templates, states_of

# Attribute → the wordings that hold: a query, then the same with each synonym of the emotion.
Wordings = Mapping[str, Sequence[tuple[str, ...]]]


def queries_for(
    levels: Mapping[str, str], emotion: str | None, gender: str | None, templates: str = "paper"
) -> list[str]:
    """List all queries that hold for one utterance, in the order of the template set.

    ValueError if an attribute, level, gender or template set is unknown.

    Args:
        levels: attribute ("pitch variation") → low, normal or high; unknown ones left out
        emotion: a word, used as given; None if unknown, "no_agreement" if the raters disagree
        gender: female or male; None if unknown
        templates: paper, diverse, released, released-fixed, or a `.csv`

    >>> queries_for({"pitch": "high"}, "angry", None)
    ['has a high pitch', 'this is a angry instance', 'speaker is angry', 'emotion is angry']
    """
    holding = matching_templates(load_templates(templates), states_of(levels, emotion, gender))
    words = emotion, gender, levels.get("arousal", "unknown")
    return [query for one in holding for query in one.fill(*words)]


def contrast(attribute: str, templates: str = "paper") -> tuple[str, str]:
    """Give one plain query for each end of an attribute, to ask a model which of them holds.

    For `gender` these are female and male. ValueError if the set has no such pair.

    >>> contrast("pitch"), contrast("gender")
    (('has a low pitch', 'has a high pitch'), ('the speaker is female', 'the speaker is male'))
    """
    found = load_templates(templates)
    own = [one for one in found if one.attribute == attribute]
    if attribute == "gender" and own:
        return own[-1].fill(None, "female")[0], own[-1].fill(None, "male")[0]
    ends = [[one for one in own if one.states[attribute] == {level}] for level in ("low", "high")]
    if not all(ends):
        known = dict.fromkeys(one.attribute for one in found if one.attribute != "emotion")
        raise ValueError(tables.unknown(f"contrast of the set {templates!r}", attribute, known))
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
