"""Claims about statistics of drawn voices: the same as on voices repeated, one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from paraclap import scores
from paraclap.evidence import weighted


@st.composite
def drawn(draw):
    """Values with ties, other values, weights of three draws; each draw has three voices."""
    size = draw(st.integers(4, 20))
    whole = st.lists(st.integers(0, 5), min_size=size, max_size=size)
    one, other = draw(whole), draw(whole)
    many = [draw(whole) for _ in range(3)]
    for row in many:
        row[:3] = [1, 2, 1]
    return np.array(one, float), np.array(other, float), np.array(many, float)


def repeated(values, weights):
    return np.repeat(values, weights.astype(int))


@given(drawn())
def test_every_statistic_equals_the_plain_one_on_repeated_voices(case):
    one, other, many = case
    one[:2], other[:2] = [0, 1], [1, 3]  # something varies
    plain = [
        (weighted.spearman, lambda x, y: stats.spearmanr(x, y)[0]),
        (weighted.pearson, lambda x, y: stats.pearsonr(x, y)[0]),
        (weighted.concordance, scores.ccc),
    ]
    for fast, slow in plain:
        expected = [slow(repeated(one, w), repeated(other, w)) for w in many]
        assert fast(one, other, many) == pytest.approx(expected, abs=1e-9)


@given(drawn())
def test_auc_equals_that_of_sklearn_on_repeated_voices(case):
    values, other, many = case
    truth = other > 2
    truth[:2] = [True, False]
    expected = [roc_auc_score(repeated(truth, w), repeated(values, w)) for w in many]
    assert weighted.auc(values, truth, many) == pytest.approx(expected)


@given(drawn())
def test_ranks_equal_those_of_scipy_on_repeated_voices(case):
    values, _, many = case
    for weights, found in zip(many, weighted.ranks(values, many), strict=True):
        assert repeated(found, weights) == pytest.approx(stats.rankdata(repeated(values, weights)))


def test_what_is_not_defined_is_nan_and_left_out_of_bounds():
    flat, many = np.zeros(4), weighted.ones(4)
    assert np.isnan(weighted.pearson(flat, [1, 2, 3, 4], many)).all()
    assert np.isnan(weighted.concordance(flat, flat, many)).all()
    assert np.isnan(weighted.auc([1, 2, 3, 4], [True] * 4, many)).all()
    draws = weighted.Draws.of(None, 4, 2)
    assert draws.interval(np.array([0.5, np.nan, 0.5])) == (0.5, 0.5, 0.5)
    assert np.isnan(draws.interval(np.array([np.nan, 0.5, 0.5]))[1:]).all()


def test_within_groups_what_only_groups_differ_in_is_nothing():
    # group b lies above group a in both; inside each the order is turned round
    groups = ["a", "a", "a", "b", "b", "b"]
    one, other = [1, 2, 3, 11, 12, 13], [3, 2, 1, 13, 12, 11]
    many = weighted.ones(6)
    assert weighted.spearman(one, other, many)[0] > 0
    assert weighted.within(groups, many, weighted.spearman, one, other) == pytest.approx(-1)


def test_within_counts_groups_by_their_size_and_leaves_out_those_without_a_value():
    # group a: rank correlation 1 of three voices, b: -1 of two, c: one voice, none: missing
    groups = ["a", "a", "a", "b", "b", "c", None]
    values, others = [1, 2, 3, 1, 2, 9, 9], [1, 2, 3, 2, 1, 9, 0]
    found = weighted.within(groups, weighted.ones(7), weighted.spearman, values, others)
    assert found == pytest.approx((3 * 1 + 2 * -1) / 5)


def test_whole_speakers_are_drawn_and_utterances_where_they_are_few():
    draws = weighted.Draws.of(np.repeat(list("abcdef"), 3), 18, 50, seed=1)
    assert (draws.units, draws.unit) == (6, weighted.SPEAKERS)
    assert (draws.weights[0] == 1).all()
    assert (draws.weights.reshape(51, 6, 3).std(axis=2) == 0).all()
    assert (draws.weights.sum(axis=1) == 18).all()
    few = weighted.Draws.of(["a", "b"] * 9, 18, 50, seed=1)
    assert (few.units, few.unit) == (18, weighted.UTTERANCES)
    assert (few.weights[:, ::2].std(axis=1) > 0).any()


def test_interval_of_a_mean_is_that_of_students_t():
    rng = np.random.default_rng(0)
    values = rng.normal(size=12)
    draws = weighted.Draws.of([f"s{i}" for i in range(12)], 12, 4000)
    _, low, high = draws.interval(draws.weights @ values / 12, -9, 9)
    expected = stats.ttest_1samp(values, 0).confidence_interval()
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.1)
    assert draws.interval(draws.weights @ values / 12, 0, 0.01)[1:] == (0, 0.01)


def test_a_jackknife_of_fewer_than_two_speakers_says_nothing():
    assert np.isnan(weighted.jackknife(0.5, np.array([0.5, np.nan]))).all()


def test_jackknife_of_a_mean_is_its_textbook_interval():
    values = np.array([1.0, 2.0, 4.0, 7.0])
    without = (weighted.left_out(None, 4) @ values) / 3
    low, high = weighted.jackknife(values.mean(), without)
    reach = stats.t.ppf(0.975, 3) * values.std(ddof=1) / np.sqrt(4)
    assert (low, high) == pytest.approx((3.5 - reach, 3.5 + reach))


def test_leaving_out_goes_by_speaker():
    many = weighted.left_out(list("aabbccddeeff"), 12)
    assert many.shape == (6, 12)
    assert many[0].tolist() == [0, 0] + [1] * 10


def test_no_draw_and_half_known_speakers_are_refused():
    with pytest.raises(ValueError, match="draws 0"):
        weighted.Draws.of(None, 3, 0)
    with pytest.raises(ValueError, match="No speaker for 1 of 2"):
        weighted.units(["a", None], 2)
