"""Claims about the references: they learn what is there and refuse what is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paraclap import references, scores
from paraclap.tables import segments


def voices(n=120, seed=0, classes=("a", "b", "c")) -> tuple[pd.DataFrame, pd.Series]:
    """Features of which one column tells the classes apart, on a scale far from the others'."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(classes, n, p=[0.8, *[0.2 / (len(classes) - 1)] * (len(classes) - 1)])
    place = np.array([classes.index(label) for label in labels])
    index = segments(f"/{seed}/{i}.wav" for i in range(n))
    values = {"told": 1e-3 * (place + rng.normal(0, 0.2, n)), "noise": rng.normal(0, 1e3, n)}
    return pd.DataFrame(values, index), pd.Series(labels, index)


def test_logistic_finds_rare_classes_on_any_scale():
    train, labels = voices()
    test, truth = voices(seed=1)
    predicted = references.logistic(train, labels, test)
    assert predicted.index.equals(test.index)
    assert scores.uar(truth, predicted, ["a", "b", "c"]) > 0.9


def test_logistic_answers_within_the_classes_of_the_task():
    train, labels = voices()
    predicted = references.logistic(train, labels, voices(seed=1)[0], ["a", "c", "calm"])
    assert set(predicted) == {"a", "c"}
    assert references.learnable(labels, ["calm", "c", "a"]) == ["c", "a"]


def test_logistic_does_not_use_rows_without_a_label():
    train, labels = voices()
    more, _ = voices(seed=2)
    unlabelled = pd.Series(None, more.index, dtype="str")
    both = pd.concat([train, more * 50]), pd.concat([labels, unlabelled])
    test = voices(seed=1)[0]
    alone = references.logistic(train, labels, test)
    assert references.logistic(*both, test).equals(alone)


def test_majority_is_at_chance():
    _, labels = voices()
    predicted = references.majority(labels, labels.index)
    assert set(predicted) == {"a"}
    assert scores.uar(labels, predicted, ["a", "b", "c"]) == pytest.approx(1 / 3)


def test_majority_stays_within_the_classes_and_breaks_ties_by_alphabet():
    labels = pd.Series(["a", "a", "a", "c", "c", "b", "b", None])
    assert set(references.majority(labels, labels.index, ["c", "b"])) == {"b"}


def test_bad_input_of_the_references_is_reported():
    train, labels = voices()
    test = voices(seed=1)[0]
    with pytest.raises(ValueError, match=r"Only \['a'\] of the classes \['a', 'calm'\]"):
        references.logistic(train, labels, test, ["a", "calm"])
    with pytest.raises(ValueError, match=r"Only \[\] of the classes"):
        references.majority(labels, labels.index, ["calm"])
    with pytest.raises(ValueError, match=r"features of train and test differ \(\['noise'\]\)"):
        references.logistic(train, labels, test.drop(columns="noise"))
    with pytest.raises(ValueError, match="in their order"):
        references.logistic(train, labels, test[["noise", "told"]])
    with pytest.raises(ValueError, match="index of the labels"):
        references.logistic(train, labels.iloc[1:], test)
    with pytest.raises(ValueError, match=r"in 1 of 120 segments of test \(columns \['told'\]\)"):
        references.logistic(train, labels, test.assign(told=[np.nan, *test["told"][1:]]))
    with pytest.raises(ValueError, match="segments of train"):
        references.logistic(train.assign(noise=np.inf), labels, test)
