"""Baselines learn what training has, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from paraclap.evaluation import baselines, tasks
from paraclap.tables import segments

TASKS = {"one": list("abc")}


def made(n=240, seed=0):
    """Features of which one tells three unequal classes apart, on a scale far from the other's."""
    rng = np.random.default_rng(seed)
    label = rng.choice(list("abc"), n, p=[0.8, 0.1, 0.1])
    place = np.array([list("abc").index(one) for one in label])
    index = segments(f"/{i}.wav" for i in range(n))
    told = 1e-3 * (place + rng.normal(0, 0.2, n))
    features = pd.DataFrame({"told": told, "noise": rng.normal(0, 1e3, n)}, index)
    columns = {"corpus": "one", "split": np.repeat(["train", "test"], n // 2), "label": label}
    return features, pd.DataFrame({**columns, "speaker": [f"s{i % 8}" for i in range(n)]}, index)


def test_logistic_finds_rare_classes_on_any_scale_and_majority_is_at_chance():
    table = baselines.reference_scores(*made(), TASKS, draws=20)
    assert list(table) == ["system", "learnable", *tasks.SCORES]
    logistic, majority = table["uar"]
    assert logistic > 0.9 and majority == pytest.approx(1 / 3)
    assert table["learnable"].tolist() == [3, 3]


def test_classes_without_training_utterances_are_never_answered():
    features, labels = made()
    unknown = (labels["label"] == "c") & (labels["split"] == "train")
    table = baselines.baseline_predictions(features, labels[~unknown], TASKS)
    assert set(table["prediction"]) == {"a", "b"} and set(table["truth"]) == set("abc")
    scores = baselines.reference_scores(features, labels[~unknown], TASKS, draws=5)
    assert scores["learnable"].tolist() == [2, 2]


def test_tasks_with_fewer_than_two_classes_in_training_are_left_out():
    features, labels = made()
    other = labels[labels["split"] == "test"].assign(corpus="two", label=lambda t: t["label"] + "!")
    both = pd.concat([labels[labels["split"] == "train"], other])
    asked = {"two": ["a!", "b!", "c!"]}
    assert baselines.baseline_predictions(features, both, asked).empty
    table = baselines.reference_scores(features, both, asked)
    assert table.empty and list(table) == ["system", "learnable", *tasks.SCORES]


def test_unlabelled_utterances_and_those_without_features_are_not_used():
    features, labels = made()
    more = labels.iloc[:20].assign(label=None, split="train")
    more.index = segments(f"/more{i}.wav" for i in range(20))
    both = pd.concat([features, pd.DataFrame(1e9, more.index, features.columns)])
    plain = baselines.baseline_predictions(features, labels, TASKS)
    found = baselines.baseline_predictions(both, pd.concat([labels, more]), TASKS)
    pd.testing.assert_frame_equal(plain, found, check_dtype=False)
    fewer = baselines.baseline_predictions(features.iloc[:-5], labels, TASKS)
    assert len(fewer) == len(plain) - 5


def test_of_equally_frequent_classes_the_first_by_name_is_the_majority():
    features, labels = made()
    labels["label"] = np.tile(["c", "b"], 120)
    table = baselines.baseline_predictions(features, labels, {"one": ["c", "b"]}, "majority")
    assert set(table["prediction"]) == {"b"}
    with pytest.raises(ValueError, match="Unknown baseline 'svm'"):
        baselines.baseline_predictions(features, labels, TASKS, "svm")
