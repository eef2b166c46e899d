"""Claims about retrieval: golden cases with many true matches, parity, and the chance level."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from paraclap.evidence import ranking, retrieval, truths
from paraclap.queries import Pool

# three seekers, four items: the best first are 3 1 0 2 | 0 1 2 3 | 2 3 1 0
SCORES = np.array([[0.2, 0.5, 0.1, 0.9], [0.9, 0.8, 0.7, 0.6], [0.1, 0.3, 0.9, 0.4]])
TRUTH = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 0]], dtype=bool)


@st.composite
def rankings(draw):
    """Distinct scores and a truth with something to find and to avoid in every row."""
    items = draw(st.integers(3, 12))
    rows = draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    scores = rng.permuted(np.tile(np.arange(items, dtype=float), (rows, 1)), axis=1)
    truth = rng.random((rows, items)) < 0.4
    truth[:, 0], truth[:, 1] = True, False
    return scores, truth


def test_golden_case_by_hand():
    found = ranking.hits(SCORES, TRUTH)
    assert found.astype(int).tolist() == [[0, 1, 1, 0], [0, 0, 1, 1], [1, 0, 0, 0]]
    assert ranking.first_ranks(found).tolist() == [2, 3, 1]
    precision = [(1 / 2 + 2 / 3) / 2, (1 / 3 + 2 / 4) / 2, 1]
    assert ranking.average_precisions(found) == pytest.approx(precision)
    sums = retrieval.measure(found)
    assert sums["R@1"] == pytest.approx(1 / 3)
    assert (sums["R@5"], sums["R@10"], sums["median rank"]) == (1, 1, 2)
    assert sums["mAP"] == pytest.approx(np.mean(precision))


def test_one_true_item_each_is_the_classic_recall_at_k():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(40, 40))
    found = retrieval.measure(ranking.hits(scores, np.eye(40, dtype=bool)))
    place = (scores >= np.diag(scores)[:, None]).sum(axis=1)
    for k in (1, 5, 10):
        assert found[f"R@{k}"] == pytest.approx((place <= k).mean())
    assert found["mAP"] == pytest.approx((1 / place).mean())
    assert found["median rank"] == np.median(place)


@given(rankings())
def test_average_precision_is_that_of_sklearn(case):
    scores, truth = case
    expected = [average_precision_score(t, s) for t, s in zip(truth, scores, strict=True)]
    assert ranking.average_precisions(ranking.hits(scores, truth)) == pytest.approx(expected)


@given(rankings(), st.integers(0, 99))
def test_weighted_items_are_those_of_sklearn_with_weights(case, seed):
    scores, truth = case
    many = np.random.default_rng(seed).integers(0, 2, truth.shape).astype(float)
    many[:, :2] = 1
    order = ranking.order(scores, truth)
    found, along = (np.take_along_axis(one, order, axis=1) for one in (truth, many))
    expected = [
        average_precision_score(t[w > 0], s[w > 0])
        for t, s, w in zip(truth, scores, many, strict=True)
    ]
    assert ranking.average_precisions(found, along) == pytest.approx(expected)
    best = [
        1 + sum(s[w > 0] > s[(w > 0) & t].max())
        for t, s, w in zip(truth, scores, many, strict=True)
    ]
    assert ranking.first_ranks(found, along).tolist() == best


@pytest.mark.parametrize(("true", "items"), [(1, 4), (2, 5), (3, 5), (5, 6)])
def test_chance_is_the_mean_over_all_orders(true, items):
    orders = np.array(list(permutations([True] * true + [False] * (items - true))))
    first = ranking.first_ranks(orders)
    expected = [(first <= k).mean() for k in range(1, items + 1)]
    assert ranking.chance_ranks(true, items) == pytest.approx(expected)
    mean = ranking.average_precisions(orders).mean()
    assert ranking.chance_precision(true, items) == pytest.approx(mean)


def test_random_scores_reach_the_chance_level():
    rng = np.random.default_rng(1)
    truth = rng.random((3000, 30)) < rng.uniform(0.05, 0.5, (3000, 1))
    truth[:, 0], truth[:, 1] = True, False
    found = retrieval.measure(ranking.hits(rng.normal(size=truth.shape), truth))
    expected = retrieval.chance(truth)
    for name in ("R@1", "R@5", "R@10", "mAP"):
        assert found[name] == pytest.approx(expected[name], abs=0.02)
    assert found["median rank"] == expected["median rank"]


def test_equal_scores_are_counted_against_the_system():
    found = ranking.hits(np.zeros((1, 4)), np.array([[True, False, True, False]]))
    assert found.tolist() == [[False, False, True, True]]


def test_right_scores_find_everything_first():
    table = retrieval.retrieve(TRUTH.astype(float), TRUTH, None, 20)
    for name, value in (("R@1", 1), ("mAP", 1), ("median rank", 1)):
        assert (table.loc[table["measure"] == name, "value"] == value).all()


def test_seekers_with_nothing_to_find_or_to_avoid_are_not_counted():
    truth = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 0], [1, 1, 1]], dtype=bool)
    assert ranking.seekable(truth).tolist() == [0, 1]
    table = retrieval.retrieve(np.random.default_rng(0).random((4, 3)), truth, None, 10)
    assert table.groupby("direction")["seekers"].first().to_dict() == {
        retrieval.TEXT: 3,
        retrieval.VOICE: 2,
    }


def test_values_lie_in_their_intervals_and_speakers_widen_them():
    rng = np.random.default_rng(2)
    speakers = np.repeat([f"s{i}" for i in range(12)], 10)
    skill = np.repeat(rng.uniform(-1, 3, 12), 10)[:, None]
    truth = rng.random((120, 20)) < 0.3
    scores = rng.normal(size=truth.shape) + skill * truth
    own = retrieval.retrieve(scores, truth, speakers, 300)
    each = retrieval.retrieve(scores, truth, None, 300)
    known = own.dropna()
    assert (known["low"] <= known["value"]).all()
    assert (known["value"] <= known["high"]).all()
    precise = (own["measure"] == "mAP").to_numpy()
    width = [(one["high"] - one["low"])[precise] for one in (own, each)]
    assert (width[0] > width[1]).all()


@pytest.fixture
def pool() -> Pool:
    """Three voices, of which several things are true."""
    index = pd.RangeIndex(3)
    levels = pd.DataFrame({"pitch": ["high", "low", "high"]}, index=index)
    emotion = pd.Series(["anger", "sadness", None], index=index, dtype=object)
    return Pool.build(levels, emotion, pd.Series(["female", "male", "male"], index=index))


def test_truth_holds_exactly_the_queries_of_each_voice(pool):
    queries, truth = truths.truths(pool)
    for row in range(len(pool)):
        assert {queries[i] for i in np.flatnonzero(truth[row])} == set(pool.queries(row))
    high = truth[:, queries.index("has a high pitch")]
    assert high.tolist() == [True, False, True]


def test_queries_know_their_attribute(pool):
    queries, truth = truths.truths(pool)
    known = dict(zip(queries, truths.attributes_of(queries, pool), strict=True))
    assert known["has a low pitch"] == "pitch"
    assert known["speaker is angry"] == "emotion"
    assert known["the speaker is female"] == "gender"
    table = retrieval.by_query(truth.astype(float), truth, queries, pool)
    assert (table["precision"] == 1).all()
    assert (table["rank"] == 1).all()


def test_what_cannot_be_ranked_is_refused():
    with pytest.raises(ValueError, match=r"scores \(1, 2\) and truth \(2, 2\)"):
        ranking.hits(np.zeros((1, 2)), np.zeros((2, 2), dtype=bool))
    with pytest.raises(ValueError, match="None of 2 seekers"):
        ranking.hits(np.zeros((2, 2)), np.ones((2, 2), dtype=bool))
    with pytest.raises(ValueError, match="1 scores are not finite"):
        ranking.hits(np.array([[np.nan, 1]]), np.array([[True, False]]))
    with pytest.raises(ValueError, match="0 voices"):
        truths.truths(Pool.build(pd.DataFrame({"pitch": []}, dtype=object)))
