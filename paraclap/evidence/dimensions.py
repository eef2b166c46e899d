"""How much of it does a voice have? Numbers from two opposite queries.

A voice is compared with the queries of both ends of an attribute ("has high arousal", "has low
arousal"). Its *score* is the mean similarity with those of the high end minus that with those of
the low end: no rating and no feature of any voice is needed, and zero is where both fit alike.

The score is held against the rating, or against the measured feature, by rank correlation
(Spearman), which any rising map of the score leaves as it is, and by Pearson correlation. The
concordance correlation coefficient (CCC) asks for numbers on the scale of the ratings: mean and
spread of the score are matched to those of the ratings *on the dev split*, nothing else is fitted,
not even the sign. This is the affine map with the best CCC for a given positive correlation. The
CCC is thus calibrated on dev, where both correlations are zero-shot.

Conventions: embeddings `(n, projection_dim)` of unit length; one column an attribute.
Source: Wagner et al., IEEE TPAMI 2023 (CCC of arousal, valence, dominance); Lin, Biometrics 1989.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap.evidence.weighted import Draws, Floats, concordance, pearson, spearman
from paraclap.levels import FEATURES
from paraclap.templates import sentences, unknown_name

Vectors = npt.NDArray[Any]
Embed = Callable[[Sequence[str]], Vectors]  # such as partial(zeroshot.embed_text, model)
LEAST = 3  # voices that a correlation needs


def ends(attribute: str, templates: str = "paper") -> tuple[list[str], list[str]]:
    """All queries that a template set has for the low and for the high end of an attribute.

    Sentences that hold an emotion word are left out.

    Raises:
        ValueError: if it has none for one of them

    >>> ends("valence")
    (['has low valence', 'speaker appears to be in a bad mood'], ['has high valence', \
'speaker appears to be in a good mood'])
    """
    said = [
        one
        for one in sentences(templates)
        if one.attribute == attribute and "{" not in one.template
    ]
    low, high = (
        [one.template for one in said if one.states[attribute] == {end}] for end in ("low", "high")
    )
    if not (low and high):
        known = sorted({one.attribute for one in sentences(templates)} & set(FEATURES))
        raise ValueError(unknown_name("attribute", attribute, known, f" of the set {templates!r}"))
    return low, high


def heard(
    voices: Vectors | pd.DataFrame,
    embed: Embed,
    attributes: Sequence[str],
    templates: str = "paper",
) -> pd.DataFrame:
    """Score every voice on every attribute.

    Args:
        voices: embeddings of the voices
        embed: gives the embeddings of queries
        attributes: which
        templates: the set the queries are taken from, all of each end together

    Returns:
        a column an attribute, from -2 to 2
    """
    scores = {}
    for attribute in attributes:
        low, high = (np.asarray(embed(side)).mean(axis=0) for side in ends(attribute, templates))
        scores[attribute] = np.asarray(voices, dtype=float) @ (high - low)
    return pd.DataFrame(scores)


def measured(labels: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """What the attributes of voices really are: a column an attribute, NaN where not known.

    Args:
        labels: labels table, with the ratings
        features: on an index that holds that of `labels`
    """
    own = features.loc[labels.index]
    columns = {name: labels if column in labels else own for name, column in FEATURES.items()}
    values = {
        name: table[FEATURES[name]].to_numpy(float)
        for name, table in columns.items()
        if FEATURES[name] in table
    }
    return pd.DataFrame(values, index=labels.index)


def matched(scores: npt.ArrayLike, dev: npt.ArrayLike, ratings: npt.ArrayLike) -> Floats:
    """Bring scores to the scale of ratings: mean and spread as on the dev split.

    Args:
        scores: to be mapped, `(voices,)`
        dev: scores of the dev split
        ratings: of the dev split, in the same order

    Raises:
        ValueError: if the scores of the dev split do not differ

    >>> matched([0.0, 1.0], [-1.0, 1.0], [2.0, 6.0]).tolist()
    [4.0, 6.0]
    """
    known, rated = np.asarray(dev, float), np.asarray(ratings, float)
    if not known.std() > 0:
        raise ValueError(f"The scores of {len(known)} dev voices are all the same: nothing to fit.")
    centred = np.asarray(scores, float) - known.mean()
    return np.asarray(rated.mean() + centred * rated.std() / known.std())


def agreement(
    scores: pd.DataFrame,
    truth: pd.DataFrame,
    speakers: pd.Series,
    dev_scores: pd.DataFrame,
    dev_truth: pd.DataFrame,
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Hold scores against what was rated or measured.

    Args:
        scores: as `heard` gives them
        truth: as `measured` gives it, in the same order; voices without a value are left out
        speakers: of the voices
        dev_scores: of the dev split
        dev_truth: of the dev split
        draws: of the bootstrap over speakers
        seed: of the bootstrap

    Returns:
        `attribute, n, unit`, then `spearman`, `pearson` and `ccc` with `_low` and `_high` each;
        the CCC is missing where the dev split knows no value. An attribute with fewer than three
        voices is left out.
    """
    of_dev = {name: (dev_scores[name], dev_truth[name]) for name in scores if name in truth}
    rows = []
    for attribute in of_dev:
        there = np.isfinite(truth[attribute].to_numpy(float))
        if there.sum() < LEAST:
            continue
        value = scores[attribute].to_numpy(float)[there]
        rated, who = truth[attribute].to_numpy(float)[there], speakers.to_numpy()[there]
        drawn = Draws.of(who, len(value), draws, seed)
        found = {
            "spearman": spearman(value, rated, drawn.weights),
            "pearson": pearson(value, rated, drawn.weights),
            "ccc": concordance(rated, _on_scale(value, *of_dev[attribute]), drawn.weights),
        }
        row = {"attribute": attribute, "n": len(value), "unit": drawn.unit}
        rows.append(row | _with_intervals(found, drawn))
    return pd.DataFrame(rows)


def _on_scale(value: Floats, dev: pd.Series, ratings: pd.Series) -> Floats:
    """Scores on the scale of the ratings; NaN where the dev split has fewer than three."""
    known = np.isfinite(ratings.to_numpy(float))
    if known.sum() < LEAST:
        return np.full(len(value), np.nan)
    return matched(value, dev.to_numpy()[known], ratings.to_numpy()[known])


def _with_intervals(found: dict[str, Floats], drawn: Draws) -> dict[str, float]:
    row: dict[str, float] = {}
    for name, values in found.items():
        value, low, high = drawn.interval(values)
        row |= {name: value, f"{name}_low": low, f"{name}_high": high}
    return row
