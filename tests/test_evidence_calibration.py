"""Claims about calibration and priors: cases worked by hand, and properties."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize
from scipy.special import logsumexp

from paraclap.evidence import calibration, priors, treatments, wordings_set
from paraclap.evidence.asking import Asked

LOGITS = arrays(float, st.tuples(st.integers(3, 20), st.integers(2, 5)), elements=st.floats(-6, 6))


def voices(n=400, classes=3, factor=3.0, bias=0.0, seed=0):
    """Logits that are `factor` times too large for their truth, with a bias for the first class."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(0, 1.5, (n, classes))
    shares = np.exp(honest) / np.exp(honest).sum(axis=1, keepdims=True)
    truth = (rng.random((n, 1)) > shares.cumsum(axis=1)).sum(axis=1)
    logits = factor * honest
    logits[:, 0] += bias
    return logits, np.minimum(truth, classes - 1)


# --- reliability -------------------------------------------------------------------------------


def test_calibration_error_of_hand():
    sure = [0.95, 0.95, 0.85, 0.55]
    right = [True, False, True, True]
    # bins: 0.95 against 1/2, twice; 0.85 against 1; 0.55 against 1
    assert calibration.ece(sure, right) == pytest.approx((2 * 0.45 + 0.15 + 0.45) / 4)
    # two bins of two: mean 0.70 against 1, mean 0.95 against 1/2
    assert calibration.ece(sure, right, 2, equal_mass=True) == pytest.approx((0.30 + 0.45) / 2)


def test_reliability_table_of_hand():
    table = calibration.reliability([0.95, 0.95, 0.85, 0.1], [True, False, True, False])
    assert table["n"].tolist() == [1, 1, 2]
    assert table["bin_low"].tolist() == pytest.approx([0.0, 0.8, 0.9])
    assert table["bin_high"].tolist() == pytest.approx([0.1, 0.9, 1.0])
    assert table["right"].tolist() == pytest.approx([0, 1, 0.5])
    mass = calibration.reliability([0.4, 0.9, 0.5, 0.8], [True] * 4, 2, equal_mass=True)
    assert mass[["bin_low", "bin_high"]].to_numpy().tolist() == [[0.4, 0.5], [0.8, 0.9]]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60), st.booleans())
def test_bins_hold_every_answer_once_and_the_error_is_a_share(answers, mass):
    sure, right = zip(*answers, strict=True)
    table = calibration.reliability(sure, right, 7, equal_mass=mass)
    assert table["n"].sum() == len(sure)
    assert np.average(table["right"], weights=table["n"]) == pytest.approx(np.mean(right))
    assert 0 <= calibration.ece(sure, right, 7, mass) <= 1
    if mass:
        assert np.ptp(table["n"]) <= 1


def test_one_bin_compares_the_means():
    assert calibration.ece([0.2, 0.6], [True, False], bins=1) == pytest.approx(0.1)


# --- temperature -------------------------------------------------------------------------------


@given(LOGITS, st.floats(0.05, 50))
def test_a_temperature_changes_no_answer(logits, temperature):
    best = np.sort(logits, axis=1)
    logits = logits[best[:, -1] - best[:, -2] > 1e-6]
    shares = calibration.probabilities(logits, temperature)
    assert (shares.argmax(axis=1) == logits.argmax(axis=1)).all()
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(logits)))


def test_the_temperature_of_voices_that_are_three_times_too_sure_is_three():
    parts = [voices(6000, 3, 3.0, seed=1), voices(6000, 5, 3.0, seed=2)]
    assert calibration.fit_temperature(parts) == pytest.approx(3.0, rel=0.06)


def test_the_temperature_of_hand():
    # three of four are right at logits 2 against 0: 1 / (1 + exp(-2 / T)) = 3 / 4
    logits = np.array([[2.0, 0.0]] * 4)
    assert calibration.fit_temperature([(logits, [0, 0, 0, 1])]) == pytest.approx(
        2 / np.log(3), 1e-4
    )


def test_a_temperature_mends_the_calibration_error():
    logits, truth = voices(3000)
    fitted = calibration.fit_temperature([voices(3000, seed=5)])
    before, after = (
        calibration.ece(*calibration.sureness(calibration.probabilities(logits, value), truth))
        for value in (1.0, fitted)
    )
    assert after < 0.03 < before


# --- priors ------------------------------------------------------------------------------------


def test_expected_shares_of_hand():
    # One kind of evidence, p = (0.8, 0.2) for three voices and (0.2, 0.8) for one. The likelihood
    # of a share q of the first class is (0.2 + 0.6 q)^3 (0.8 - 0.6 q): its maximum is q = 11 / 12.
    logits = np.log([[0.8, 0.2]] * 3 + [[0.2, 0.8]])
    shares = np.exp(priors.expected(logits)) / 2
    assert shares == pytest.approx([11 / 12, 1 / 12], abs=1e-4)


def test_expected_shares_find_those_of_a_calibrated_model():
    logits, truth = voices(20_000, factor=1.0)
    shares = np.exp(priors.expected(logits)) / 3
    assert shares == pytest.approx(np.bincount(truth) / len(truth), abs=0.02)


def test_expected_shares_know_the_prior_they_come_from():
    logits, _ = voices(2000, factor=1.0)
    prior = np.array([0.5, 0.3, 0.2])
    tilted = logits + np.log(prior * 3)
    shares, plain = np.exp(priors.expected(tilted, prior)) * prior, np.exp(priors.expected(logits))
    assert shares == pytest.approx(plain / 3, abs=1e-4)


def test_equal_shares_of_hand():
    # two voices that mirror each other but for a bias of 1.5 on the first class
    logits = np.array([[3.5, 0.0], [1.5, 2.0]])
    assert priors.matched(logits) == pytest.approx([-0.75, 0.75])


@settings(deadline=None)
@given(LOGITS)
def test_equal_shares_make_the_mean_probabilities_equal(logits):
    shares = calibration.probabilities(logits + priors.matched(logits)).mean(axis=0)
    assert shares == pytest.approx(np.full(len(shares), 1 / len(shares)), abs=1e-6)


def test_equal_shares_are_the_bottom_of_a_convex_bowl():
    logits, _ = voices(100, bias=4.0)

    def bowl(bias):
        return logsumexp(logits + bias, axis=1).mean() - bias.mean()

    slow = minimize(bowl, np.zeros(3)).x
    assert priors.matched(logits) == pytest.approx(slow - slow.mean(), abs=1e-3)


def test_equal_shares_take_a_bias_away():
    plain, _ = voices(300)
    biased, _ = voices(300, bias=4.0)
    corrected = [z + priors.matched(z) for z in (plain, biased)]
    centred = [z - z.mean(axis=1, keepdims=True) for z in corrected]
    assert centred[0] == pytest.approx(centred[1], abs=1e-5)


def test_what_has_heard_all_voices_is_marked():
    logits, _ = voices(50)
    assert {name: priors.TRANSDUCTIVE[name] for name in priors.corrected(logits)} == {
        "as asked": False,
        "expected shares": True,
        "equal shares": True,
    }


# --- all treatments ----------------------------------------------------------------------------


def question(bias=0.0, seed=0):
    """A task whose queries lie along the axes, so that voices are their own logits."""
    logits, truth = voices(240, bias=bias, seed=seed)
    labels = ("a", "b", "c")
    names = np.array(labels)[truth]
    speakers = [f"s{i % 8}" for i in range(len(truth))]
    rows = pd.DataFrame({"corpus": "one", "speaker": speakers, "truth": names})
    said = wordings_set.one(dict(zip(labels, labels, strict=True)), "{}")
    return Asked("one", labels, rows, said, np.eye(3)[None], logits, 1.0)


def test_treatments_stand_side_by_side():
    dev, test = question(seed=1), question(bias=6.0)
    temperature = treatments.fitted([dev])
    table = treatments.calibrated([test], temperature, 200).set_index("treatment")
    assert table.index.tolist() == list(treatments.TREATMENTS)
    assert table["transductive"].tolist() == [False, False, True, True]
    asked, tempered = table.loc["as asked"], table.loc["temperature"]
    assert asked["uar"] == tempered["uar"] and asked["temperature"] == 1
    assert tempered["ece"] < asked["ece"]
    assert table.loc["equal shares", "gain"] > 0.05 and table.loc["equal shares", "real"]
    assert table.loc["equal shares", "gain"] == pytest.approx(
        table.loc["equal shares", "uar"] - asked["uar"]
    )


def test_sureness_of_all_tasks_is_put_together():
    sure, right = treatments.sureness([question(), question(seed=2)])
    assert len(sure) == len(right) == 480
    assert right.dtype == bool


# --- what is refused ---------------------------------------------------------------------------


def test_without_dev_voices_no_temperature_is_fitted():
    assert treatments.fitted([]) == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: calibration.ece([0.5], [True, False]), "expected one confidence an answer"),
        (lambda: calibration.ece([], []), "at least one of each"),
        (lambda: calibration.ece([1.5], [True]), "Bad confidence"),
        (lambda: calibration.ece([0.5], [True], 0), "0 bins"),
        (lambda: calibration.probabilities([[1.0, 2.0]], 0), "Bad temperature"),
        (lambda: calibration.probabilities([[np.nan, 2.0]]), "1 not finite"),
        (lambda: calibration.fit_temperature([]), "No dev voices"),
        (lambda: priors.expected([[1.0, 2.0]], [1.0, 0.0]), "Bad prior"),
        (lambda: priors.matched([[3.0, 0.0]], iterations=0), "after 0 rounds"),
    ],
)
def test_what_means_nothing_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
