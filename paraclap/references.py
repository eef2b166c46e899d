"""What would simple means reach? A logistic regression on eGeMAPS and a majority vote.

Both see labelled training voices of the very classes they are asked for, so they are no rivals in
a fair race with a model that answers words it was never trained on: they say how much the
classical features hold (logistic) and what a blind guess scores (majority). Tables are indexed by
segment; predictions come back as a series of labels on the index of the test table. A class with
no training segment can never be predicted and then counts as missed in the UAR.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

__all__ = ["learnable", "logistic", "majority"]


def learnable(labels: pd.Series, classes: Sequence[str]) -> list[str]:
    """List the classes that have training segments, in their order."""
    known = set(labels.dropna())
    return [label for label in classes if label in known]


def logistic(
    features_train: pd.DataFrame,
    labels_train: pd.Series,
    features_test: pd.DataFrame,
    classes: Sequence[str] | None = None,
) -> pd.Series:
    """Predict by logistic regression on standardised features, classes weighted equally.

    Args:
        features_train: one row a segment, one column a feature
        labels_train: the labels on the same index; rows of other labels, or none, are not used
        features_test: the same columns
        classes: the classes of the task; by default all that occur in training

    Returns:
        the predicted labels on the index of `features_test`

    Raises:
        ValueError: if the tables do not match, a feature is missing, or fewer than two of the
            classes have training segments
    """
    rows = _rows_of(labels_train, classes)
    _check_features(features_train, labels_train, features_test)
    features_train = features_train[rows.to_numpy()]
    _check_finite(features_train, "train")
    _check_finite(features_test, "test")
    regression = LogisticRegression(class_weight="balanced", max_iter=2000)
    model = make_pipeline(StandardScaler(), regression)
    model.fit(features_train.to_numpy(float), labels_train[rows].to_numpy(object))
    predicted = model.predict(features_test.to_numpy(float))
    return pd.Series(predicted, index=features_test.index, name="prediction", dtype="str")


def majority(
    labels_train: pd.Series, index: pd.Index, classes: Sequence[str] | None = None
) -> pd.Series:
    """Predict the most frequent training label for all; of equals the first by alphabet.

    Args:
        labels_train: the labels
        index: the segments asked for
        classes: the classes of the task; by default all that occur in training

    Raises:
        ValueError: if none of the classes has a training segment

    >>> majority(pd.Series(["a", "b", "b"]), pd.RangeIndex(2)).tolist()
    ['b', 'b']
    """
    rows = _rows_of(labels_train, classes, least=1)
    counts = labels_train[rows].value_counts()
    winner = min(counts.index[counts == counts.max()])
    return pd.Series(winner, index=index, name="prediction", dtype="str")


def _rows_of(labels: pd.Series, classes: Sequence[str] | None, least: int = 2) -> pd.Series:
    wanted = sorted(set(labels.dropna())) if classes is None else list(classes)
    known = learnable(labels, wanted)
    if len(known) < least:
        raise ValueError(
            f"Only {known} of the classes {wanted} have training segments, expected at least "
            f"{least}: this reference cannot be had for this task."
        )
    return labels.isin(known)


def _check_features(train: pd.DataFrame, labels: pd.Series, test: pd.DataFrame) -> None:
    if not train.index.equals(labels.index):
        raise ValueError(
            f"The index of the labels ({len(labels)} rows) differs from that of the features "
            f"({len(train)} rows), expected the same segments in the same order: reindex them."
        )
    if list(train.columns) != list(test.columns):
        differing = [str(name) for name in train.columns.symmetric_difference(test.columns)]
        raise ValueError(
            f"The features of train and test differ ({differing[:5] or 'in their order'}), "
            "expected the same columns: extract them alike."
        )


def _check_finite(features: pd.DataFrame, split: str) -> None:
    bad = ~np.isfinite(features.to_numpy(float))
    if bad.any():
        columns = [str(name) for name in features.columns[bad.any(axis=0)]]
        raise ValueError(
            f"Missing or infinite features in {int(bad.any(axis=1).sum())} of {len(bad)} segments "
            f"of {split} (columns {columns[:5]}): leave these segments out."
        )
