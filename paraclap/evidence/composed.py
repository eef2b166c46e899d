"""Does a question with two parts find what both are true of? And does each part hold by itself?

A *composed query* joins an emotion and the end of an attribute by "and" ("speaker is angry and has
a low pitch"). True are the voices of which both hold; *half true* those of which one holds. Ways to
ask: the two as one text, in either order; *added*, the mean of the similarities with the two
single queries, which needs no understanding of "and"; and each single query alone. AUC is the
chance that a true voice scores higher than another, against all others or against the half true
ones alone, which only asking for both can tell from the true ones.

*Within*: emotions differ in pitch, so a model that hears emotion only would seem to hear pitch, and
the reverse. The rank correlation of an attribute is therefore taken within each emotion, the AUC of
an emotion within each level of an attribute, and the mean over groups, each by its size, is set
beside the value over all voices.

Conventions: similarities are cosines `(voices,)`; all intervals are over the same draws of voices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap.evidence.dimensions import Embed, Vectors
from paraclap.evidence.weighted import Draws, Floats, auc, spearman, within
from paraclap.queries import contrast, emotion_word

Truth = npt.NDArray[np.bool_]
WAYS = ("one text", "turned round", "added", "emotion alone", "attribute alone")
ENDS = ("low", "high")
COLUMNS = ["emotion", "attribute", "level", "way", "true", "half", "auc", "half_auc"]
COLUMNS += ["precision", "chance"]
MEANS = ["way", "measure", "combinations", "value", "low", "high", "more", "more_low", "more_high"]
FIRST = 10  # voices looked at for the precision


def combinations(
    emotions: pd.Series, levels: pd.DataFrame, least: int = 3
) -> list[tuple[str, str, str]]:
    """Emotion, attribute and end of all combinations that can be asked of a table.

    Args:
        emotions: of the voices
        levels: a column of low, normal, high an attribute, in the same order
        least: voices of which both hold, of which the emotion alone does, and the end alone
    """
    found = []
    for emotion in sorted(emotions.dropna().unique()):
        for attribute in map(str, levels):
            for end in ENDS:
                one, other = _parts(emotions, levels, (emotion, attribute, end))
                if min((one & other).sum(), (one & ~other).sum(), (other & ~one).sum()) >= least:
                    found.append((str(emotion), attribute, end))
    return found


def similarities(
    voices: Vectors,
    embed: Embed,
    combination: tuple[str, str, str],
    template: str = "speaker is {}",
    templates: str = "paper",
) -> dict[str, Floats]:
    """Similarity of every voice with a combination, way → `(voices,)`.

    Args:
        voices: embeddings
        embed: gives the embeddings of queries
        combination: emotion, attribute, end
        template: sentence with a slot for the emotion
        templates: the set the query of the attribute is taken from
    """
    asked = _asked(combination, template, templates)
    one, turned, emotion, attribute = np.asarray(voices @ embed(asked).T, dtype=float).T
    return dict(
        zip(WAYS, (one, turned, (emotion + attribute) / 2, emotion, attribute), strict=True)
    )


def queries(
    combination: tuple[str, str, str], template: str = "speaker is {}", templates: str = "paper"
) -> tuple[str, str]:
    """The two single queries of a combination.

    >>> queries(("anger", "pitch", "low"))
    ('speaker is angry', 'has a low pitch')
    """
    emotion, attribute, end = combination
    said = contrast(attribute, templates)[ENDS.index(end)]
    return template.replace("{}", emotion_word(emotion)), said


def _asked(combination: tuple[str, str, str], template: str, templates: str) -> list[str]:
    """The four texts whose similarities make up the ways to ask."""
    first, second = queries(combination, template, templates)
    return [f"{first} and {second}", f"{second} and {first}", first, second]


def _once(
    embed: Embed, chosen: Sequence[tuple[str, str, str]], template: str, templates: str
) -> Embed:
    """Embed all texts of some combinations together, to be looked up."""
    texts = sorted({text for one in chosen for text in _asked(one, template, templates)})
    table = pd.DataFrame(np.asarray(embed(texts)), index=texts)
    return lambda asked: table.loc[list(asked)].to_numpy()


def ask(
    voices: Vectors,
    embed: Embed,
    emotions: pd.Series,
    levels: pd.DataFrame,
    draws: Draws,
    template: str = "speaker is {}",
    templates: str = "paper",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ask for all combinations in all ways.

    Args:
        voices: embeddings
        embed: gives the embeddings of queries
        emotions: of the voices
        levels: a column of low, normal, high an attribute, in the same order
        draws: of the voices
        template: sentence with a slot for the emotion
        templates: the set the queries of attributes are taken from

    Returns:
        a row a combination and way (`emotion, attribute, level, way, true, half, auc, half_auc,
        precision, chance`, the precision of the first ten and its chance), and the means over
        combinations (`way, measure, combinations, value, low, high, more, more_low, more_high`,
        `more` being the difference to `added`); both empty, and a line printed, where no emotion
        and level hold together of three voices and alone of three others each
    """
    chosen = combinations(emotions, levels)
    if not chosen:
        print(f"No two things to ask for at once: too few of {len(voices)} voices have both.")
        return pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=MEANS)
    known = _once(embed, chosen, template, templates)
    rows, drawn = [], []
    for combination in chosen:
        one, other = _parts(emotions, levels, combination)
        for way, values in similarities(voices, known, combination, template, templates).items():
            against = _aucs(values, one, other, draws.weights)
            drawn.append(against)
            said = dict(zip(("emotion", "attribute", "level"), combination, strict=True))
            counts = {"true": int((one & other).sum()), "half": int((one ^ other).sum())}
            first = {"auc": against[0, 0], "half_auc": against[1, 0]}
            rows.append(said | {"way": way} | counts | first | _precision(values, one & other))
    every = np.stack(drawn).reshape(len(chosen), len(WAYS), 2, -1)
    return pd.DataFrame(rows), _means(every, draws)


def _parts(
    emotions: pd.Series, levels: pd.DataFrame, combination: tuple[str, str, str]
) -> tuple[Truth, Truth]:
    emotion, attribute, end = combination
    return (emotions == emotion).to_numpy(), (levels[attribute] == end).to_numpy()


def _aucs(values: Floats, one: Truth, other: Truth, weights: Floats) -> Floats:
    """AUC of the true voices against all others and against half true ones, `(2, draws)`."""
    some = one | other
    alone = auc(values[some], (one & other)[some], weights[:, some])
    return np.stack([auc(values, one & other, weights), alone])


def _precision(values: Floats, truth: Truth) -> dict[str, float]:
    """Share of true ones among the first ten, and in all; of equal values false ones come first."""
    best = np.lexsort((truth, -values))[:FIRST]
    return {"precision": float(truth[best].mean()), "chance": float(truth.mean())}


def _means(every: Floats, draws: Draws) -> pd.DataFrame:
    """Means over combinations; `every` is `(combinations, ways, 2, 1 + draws)`."""
    known = np.isfinite(every)
    total = np.where(known, every, 0).sum(axis=0)
    mean = np.divide(total, known.sum(axis=0), out=np.full(total.shape, np.nan), where=total > 0)
    rows = []
    for place, measure in enumerate(("against all", "against half true")):
        for way, values in zip(WAYS, mean[:, place], strict=True):
            more = draws.interval(values - mean[WAYS.index("added"), place])
            given = way, measure, len(every), *draws.interval(values, 0), *more
            rows.append(dict(zip(MEANS, given, strict=True)))
    return pd.DataFrame(rows)


def attributes_within(
    scores: pd.DataFrame, truth: pd.DataFrame, emotions: pd.Series, draws: Draws
) -> pd.DataFrame:
    """Rank correlation of each attribute, over all voices and within emotions.

    Args:
        scores: as `dimensions.heard` gives them
        truth: as `dimensions.measured`, in the same order; no value may be missing
        emotions: of the voices
        draws: of the voices

    Returns:
        `asked, within, overall, overall_low, overall_high, inside, inside_low, inside_high`
    """
    rows = []
    for name in [name for name in scores if name in truth]:
        columns = scores[name].to_numpy(float), truth[name].to_numpy(float)
        overall = spearman(*columns, draws.weights)
        inside = within(emotions, draws.weights, spearman, *columns)
        rows.append(_row(str(name), "emotion", draws.interval(overall), draws.interval(inside)))
    return pd.DataFrame(rows)


def emotions_within(
    similarity: Mapping[str, Floats],
    emotions: pd.Series,
    levels: pd.DataFrame,
    draws: Draws,
    attributes: Sequence[str] = ("pitch", "intensity"),
) -> pd.DataFrame:
    """AUC of each emotion query, over all voices and within the levels of an attribute.

    Args:
        similarity: emotion → similarity of its query with the voices
        emotions: of the voices
        levels: a column of low, normal, high an attribute, in the same order
        draws: of the voices
        attributes: within the levels of which; one without a column is left out

    Returns:
        as `attributes_within`
    """
    rows = []
    for emotion, values in similarity.items():
        truth = (emotions == emotion).to_numpy()
        overall = draws.interval(auc(values, truth, draws.weights), 0)
        for name in [name for name in attributes if name in levels]:
            groups = levels[name].astype(object)
            inside = within(groups, draws.weights, auc, values, truth)
            rows.append(_row(emotion, name, overall, draws.interval(inside, 0)))
    return pd.DataFrame(rows)


def _row(
    asked: str,
    group: str,
    overall: tuple[float, float, float],
    inside: tuple[float, float, float],
) -> dict[str, str | float]:
    row: dict[str, str | float] = {"asked": asked, "within": group}
    for name, ends in (("overall", overall), ("inside", inside)):
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
    return row
