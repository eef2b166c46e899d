"""How much of it does an utterance have? Numbers from two opposite queries.

An utterance is compared with the queries of both ends of an attribute ("has high arousal", "has low
arousal"); its *score* is the similarity with the high end minus that with the low end. Nothing is
fitted, and zero is where both fit alike.

The score is compared with the rating, or with the measured feature, by rank correlation (Spearman).
The concordance correlation coefficient (CCC) needs numbers on the scale of the ratings: mean and
spread of the scores are matched to those of the dev split, not the sign.

Conventions: embeddings `(n, d)` of unit length; one column an attribute. Chapter 12. Source: Wagner
et al., IEEE TPAMI 2023 (CCC of arousal, valence, dominance); Lin, Biometrics 1989.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from paraclap.evaluation.bootstrap import Draws, concordance, spearman
from paraclap.evaluation.metrics import Floats
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings, embed_text
from paraclap.queries import FEATURES, contrast

LEAST = 3  # utterances that a correlation needs


def attribute_values(
    model: ParaCLAP, embeddings: Embeddings, attributes: Sequence[str], templates: str = "paper"
) -> pd.DataFrame:
    """Score every utterance on every attribute, a column an attribute, from -2 to 2.

    Raises:
        ValueError: if the template set has no two ends of an attribute
    """
    scores = {}
    for attribute in attributes:
        low, high = embed_text(model, contrast(attribute, templates))
        scores[attribute] = embeddings @ (high - low)
    return pd.DataFrame(scores)


def true_values(labels: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Ratings and measured features of attributes, a column an attribute, NaN where unknown.

    Args:
        labels: labels table, with the ratings
        features: on an index that holds that of `labels`
    """
    table = labels.join(features.loc[labels.index].drop(columns=[*labels], errors="ignore"))
    named = {name: column for name, column in FEATURES.items() if column in table}
    return table[list(named.values())].set_axis(list(named), axis=1).astype(float)


def match_scale(scores: ArrayLike, dev_scores: ArrayLike, dev_ratings: ArrayLike) -> Floats:
    """Bring scores to the scale of ratings: mean and spread as on the dev split.

    Utterances of the dev split without a rating are left out; NaN where fewer than three are left
    or their scores do not differ.

    >>> match_scale([0.0, 1.0], [-1.0, 0.0, 1.0], [2.0, 4.0, 6.0]).tolist()
    [4.0, 6.0]
    """
    dev, ratings = np.asarray(dev_scores, float), np.asarray(dev_ratings, float)
    dev, ratings = dev[np.isfinite(ratings)], ratings[np.isfinite(ratings)]
    if len(dev) < LEAST or not dev.std() > 0:
        return np.full(len(np.asarray(scores)), np.nan)
    centred = (np.asarray(scores, float) - dev.mean()) / dev.std()
    return np.asarray(ratings.mean() + centred * ratings.std())


def correlations(
    scores: pd.DataFrame,
    truth: pd.DataFrame,
    speakers: pd.Series,
    dev_scores: pd.DataFrame,
    dev_truth: pd.DataFrame,
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare scores (`attribute_values`) with what was rated or measured (`true_values`).

    Utterances without a value are left out; both tables of the dev split give the scale for CCC.

    Returns:
        `attribute, n, unit`, then `spearman` and `ccc` with `_low` and `_high`; an attribute with
        fewer than three utterances is left out
    """
    rows = []
    for name in [name for name in scores if name in truth]:
        there = truth[name].notna().to_numpy()
        if there.sum() < LEAST:
            continue
        value, rated = scores[name].to_numpy(float)[there], truth[name].to_numpy()[there]
        drawn = Draws.of(speakers.to_numpy()[there], len(value), draws, seed)
        matched = match_scale(value, dev_scores[name], dev_truth[name])
        row = {"attribute": name, "n": len(value), "unit": drawn.unit}
        for measure, values in (
            ("spearman", spearman(rated, value, drawn.weights)),
            ("ccc", concordance(rated, matched, drawn.weights)),
        ):
            names = (measure, f"{measure}_low", f"{measure}_high")
            row |= dict(zip(names, drawn.interval(values), strict=True))
        rows.append(row)
    return pd.DataFrame(rows)
