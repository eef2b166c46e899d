"""Scores by hand, properties of scores, calibration."""

import audmetric
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paraclap.evaluation import metrics
from paraclap.evaluation.bootstrap import bootstrap_interval

LABELS = ["a", "b", "c"]
TRUTH = ["a", "a", "a", "a", "b", "b", "c", "c"]
PREDICTION = ["a", "a", "a", "b", "b", "c", "a", "c"]


@st.composite
def answers(draw):
    """Truth with every class in it, and any prediction."""
    size = draw(st.integers(3, 60))
    truth = LABELS + draw(st.lists(st.sampled_from(LABELS), min_size=size - 3, max_size=size - 3))
    prediction = draw(st.lists(st.sampled_from(LABELS), min_size=size, max_size=size))
    return np.array(truth), np.array(prediction)


def test_scores_by_hand():
    assert metrics.uar(TRUTH, PREDICTION, LABELS) == pytest.approx((3 / 4 + 1 / 2 + 1 / 2) / 3)
    assert metrics.accuracy(TRUTH, PREDICTION, LABELS) == pytest.approx(5 / 8)
    f1 = (3 / 4 + 1 / 2 + 1 / 2) / 3
    assert metrics.macro_f1(TRUTH, PREDICTION, LABELS) == pytest.approx(f1)
    counts = metrics.confusion(TRUTH, PREDICTION, LABELS)
    assert counts.to_numpy().tolist() == [[3, 1, 0], [0, 1, 1], [1, 0, 1]]
    assert counts.loc["a", "b"] == 1
    assert (counts.index.name, counts.columns.name) == ("truth", "prediction")
    shares = metrics.confusion(TRUTH, PREDICTION, LABELS, normalize=True).to_numpy()
    assert np.diag(shares).tolist() == pytest.approx([3 / 4, 1 / 2, 1 / 2])


@settings(deadline=None)
@given(answers())
def test_uar_is_that_of_audmetric_in_any_order_of_labels(pair):
    expected = audmetric.unweighted_average_recall(*pair, labels=LABELS)
    assert metrics.uar(*pair, LABELS) == pytest.approx(expected)
    for score in (metrics.uar, metrics.macro_f1):
        assert score(*pair, LABELS) == pytest.approx(score(*pair, LABELS[::-1]))


@pytest.mark.parametrize(
    ("truth", "prediction", "labels", "message"),
    [
        ("aaaa", "abab", "abcdefg", r"No truth of \['b', 'c', 'd', 'e', 'f'\] among 4 utterances"),
        (["a", "b"], ["a", "bb"], "ab", r"'bb' in the prediction \(1 utterances\).*mean 'b'\?"),
        ("atuvwxyz", "aaaaaaaa", "ab", r"label 't, u, v, w, x' in the truth \(7 utterances\)"),
        (["a", np.nan], "ab", "ab", r"label 'nan' in the truth \(1 utterances\)"),
        ("ab", "a", "ab", "Got 2 truths and 1 predictions, expected one of each per utterance"),
        ("", "", "ab", "Got 0 truths and 0 predictions"),
        ("ab", "ab", "aba", r"Bad labels \['a', 'b', 'a'\]"),
    ],
)
@pytest.mark.parametrize("score", [metrics.uar, metrics.confusion, bootstrap_interval])
def test_bad_answers_are_errors(score, truth, prediction, labels, message):
    with pytest.raises(ValueError, match=message):
        score(list(truth), list(prediction), list(labels))


def test_recall_and_precision_tell_a_class_that_is_always_answered():
    one = pd.DataFrame({"corpus": "one", "truth": list("aaab"), "prediction": list("aaaa")})
    two = pd.DataFrame({"corpus": "two", "truth": list("aab"), "prediction": list("abb")})
    found = metrics.recalls(pd.concat([one, two])).set_index(["task", "label"])
    assert list(found) == ["n", "recall", "answered", "precision", "f1"]
    assert found.loc[("one", "a")].to_list() == pytest.approx([3, 1, 4, 3 / 4, 6 / 7])
    assert found.loc[("one", "b")].to_list() == pytest.approx([1, 0, 0, np.nan, 0], nan_ok=True)
    assert found.loc[("two", "b")].to_list() == pytest.approx([1, 1, 2, 1 / 2, 2 / 3])
    assert metrics.macro_f1(one["truth"], one["prediction"], "ab") == found["f1"]["one"].mean()


def test_a_group_has_the_mean_recall_of_its_own_classes():
    table = pd.DataFrame({"corpus": "a", "truth": list("xxyy"), "prediction": list("xyyy")})
    groups = metrics.by_group(table, pd.Series(["f", "f", "f", None]))
    assert groups.to_dict("records") == [{"task": "a", "group": "f", "n": 3, "uar": 0.75}]


def test_calibration_by_hand_with_edges_in_the_lower_bin():
    sure, right = [0.95, 0.95, 0.85, 0.1, 0.55], [True, False, True, False, True]
    table = metrics.reliability(sure, right)
    assert table["n"].tolist() == [1, 1, 1, 2]
    assert table["right"].tolist() == pytest.approx([0, 1, 1, 0.5])
    assert table["confidence"].tolist() == pytest.approx([0.1, 0.55, 0.85, 0.95])
    assert metrics.ece(sure, right) == pytest.approx((2 * 0.45 + 0.15 + 0.1 + 0.45) / 5)


def test_the_temperature_by_hand():
    # three of four are right at logits 2 against 0: 1 / (1 + exp(-2 / T)) = 3 / 4
    few = np.array([[2.0, 0.0]] * 4), [0, 0, 0, 1]
    assert metrics.fit_temperature([few]) == pytest.approx(2 / np.log(3), 1e-4)
    # with another question of three classes ten of twelve: every utterance counts alike
    more = np.array([[2.0, 0.0, -99.0]] * 8), [0] * 7 + [1]
    assert metrics.fit_temperature([few, more]) == pytest.approx(2 / np.log(5), 1e-4)
    with pytest.raises(ValueError, match="not finite"):
        metrics.fit_temperature([([[np.nan, 2.0]], [0])])
