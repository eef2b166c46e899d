"""How much of it does an utterance have? Numbers from two opposite queries.

The *score* of an utterance on an attribute is its similarity with the query of the high end ("has
high arousal") minus that with the low end's. For the concordance correlation coefficient (CCC) mean
and spread of the scores, not the sign, are matched to those of the dev split. Embeddings are `(n,
d)` of unit length. Chapter 12. Source: Wagner et al., IEEE TPAMI 2023; Lin, Biometrics 1989.
"""

from collections.abc import Callable, Sequence

import audmetric
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from paraclap.evaluation.bootstrap import jackknife, units
from paraclap.evaluation.metrics import Floats
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings, embed_text
from paraclap.queries import FEATURES, contrast

COLUMNS = ["attribute", "n", "unit", "spearman", "spearman_low", "spearman_high", "ccc"]
LEAST = 3  # utterances that a correlation needs


def attribute_values(
    model: ParaCLAP, embeddings: Embeddings, attributes: Sequence[str], templates: str = "paper"
) -> pd.DataFrame:
    """Score every utterance on every attribute, a column an attribute, from -2 to 2."""
    scores = {}
    for attribute in attributes:
        low, high = embed_text(model, contrast(attribute, templates))
        scores[attribute] = embeddings @ (high - low)
    return pd.DataFrame(scores)


def true_values(labels: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Ratings (of `labels`) and `features` of attributes, a column an attribute, NaN if unknown."""
    table = labels.join(features.loc[labels.index].drop(columns=[*labels], errors="ignore"))
    named = {name: column for name, column in FEATURES.items() if column in table}
    return table[list(named.values())].set_axis(list(named), axis=1).astype(float)


def match_scale(scores: ArrayLike, dev_scores: ArrayLike, dev_ratings: ArrayLike) -> Floats:
    """Scores with mean and spread of the dev ratings; NaN if fewer than three, or equal scores."""
    dev, ratings = np.asarray(dev_scores, float), np.asarray(dev_ratings, float)
    dev, ratings = dev[np.isfinite(ratings)], ratings[np.isfinite(ratings)]
    if len(dev) < LEAST or not dev.std() > 0:
        return np.full(np.shape(scores), np.nan)
    centred = (np.asarray(scores, float) - dev.mean()) / dev.std()
    return np.asarray(ratings.mean() + centred * ratings.std())


def correlations(
    scores: pd.DataFrame,
    truth: pd.DataFrame,
    speakers: pd.Series,
    dev_scores: pd.DataFrame,
    dev_truth: pd.DataFrame,
) -> pd.DataFrame:
    """Compare scores (`attribute_values`) with `true_values`, row by row; a table of `COLUMNS`.

    Attributes with fewer than three values are left out. The dev split gives the scale for CCC.
    """
    rows = []
    for name in [name for name in scores if name in truth]:
        table = pd.DataFrame({"score": scores[name].to_numpy(), "truth": truth[name].to_numpy()})
        there = table["truth"].notna().to_numpy()
        table, names = table[there], speakers.to_numpy()[there]
        if len(table) < LEAST:
            continue
        ends = np.clip(jackknife(_spearman(table), names, len(table)), -1, 1)[:, 0]
        matched = match_scale(table["score"], dev_scores[name], dev_truth[name])
        ccc = audmetric.concordance_cc(table["truth"], matched)
        rows.append([name, len(table), units(names, len(table))[1], *ends, ccc])
    return pd.DataFrame(rows, columns=COLUMNS)


def _spearman(table: pd.DataFrame) -> Callable[[NDArray[np.bool_]], list[float]]:
    return lambda rows: [float(table[rows].corr("spearman").to_numpy()[0, 1])]
