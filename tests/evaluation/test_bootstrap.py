"""Intervals: golden values, a slow reference, coverage; the jackknife."""

import numpy as np
import pytest
from answers import LABELS, answered, made
from scipy import stats

from paraclap.evaluation import bootstrap, metrics
from paraclap.evaluation.bootstrap import bootstrap_interval, draw_weights, jackknife

GOLDEN = [
    ("speakers", 0, (0.8052261461235081, 0.9153496251898736)),
    ("speakers", 5, (0.806862969648781, 0.9169771697276871)),
    ("few", 0, (0.7974306055174831, 0.9289763925298948)),
    ("unknown", 3, (0.7911356975029294, 0.9304096097247869)),
]


@pytest.mark.parametrize(("who", "seed", "expected"), GOLDEN)
def test_intervals_of_a_made_table_stay_as_they_are(who, seed, expected):
    i = np.arange(150)
    names = {"speakers": i * i % 23, "few": i % 4, "unknown": None}[who]
    truth, prediction = made(names)["x"][["truth", "prediction"]].T.to_numpy()
    found = bootstrap_interval(truth, prediction, LABELS, names, seed=seed)
    assert found == pytest.approx(expected, abs=1e-12)
    assert metrics.uar(truth, prediction, LABELS) == pytest.approx(0.864896571736517, abs=1e-12)
    assert metrics.macro_f1(truth, prediction, LABELS) == pytest.approx(0.8443150057767997)


def slow_interval(truth, prediction, speakers, draws, seed):
    """Draw speakers one draw at a time and score the very utterances they spoke."""
    rng = np.random.default_rng(seed)
    names = np.unique(speakers)
    values = []
    for _ in range(draws):
        rows = [np.flatnonzero(speakers == name) for name in rng.choice(names, len(names))]
        t, p = truth[np.concatenate(rows)], prediction[np.concatenate(rows)]
        values.append(np.mean([np.mean(p[t == label] == label) for label in np.unique(t)]))
    n = len(names)
    factor = np.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1) / 1.96
    center = np.mean([np.mean(prediction[truth == label] == label) for label in np.unique(truth)])
    return np.quantile(center + factor * (np.array(values) - center), (0.025, 0.975))


@pytest.mark.parametrize("known", [True, False])
def test_the_interval_agrees_with_a_slow_bootstrap(known):
    speakers, truth, prediction = answered(each=15).T.to_numpy()[1:]
    fast = bootstrap_interval(truth, prediction, LABELS, speakers if known else None, draws=4000)
    slow = slow_interval(truth, prediction, speakers if known else np.arange(180), 1000, 1)
    assert fast == pytest.approx(slow, abs=0.02)


def test_with_few_or_unknown_speakers_utterances_are_drawn():
    truth, prediction = answered()[["truth", "prediction"]].T.to_numpy()
    unknown = bootstrap_interval(truth, prediction, LABELS)
    five = np.arange(len(truth)) % bootstrap.LEAST_SPEAKERS - 1
    assert bootstrap_interval(truth, prediction, LABELS, five.clip(0)) == unknown
    assert bootstrap_interval(truth, prediction, LABELS, [None] * len(truth)) == unknown


@pytest.mark.parametrize("speakers", [10, 24])
def test_the_interval_covers_the_skill_of_other_speakers_as_often_as_it_says(speakers):
    hits = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        names = np.repeat(np.arange(speakers), 6)
        truth = np.tile(["a", "b"], 3 * speakers)
        right = rng.random(len(names)) < rng.beta(4, 3, speakers)[names]
        prediction = np.where(right, truth, np.where(truth == "a", "b", "a"))
        low, high = bootstrap_interval(truth, prediction, ["a", "b"], names, draws=200, seed=seed)
        hits += low <= 4 / 7 <= high
    assert 0.92 <= hits / 300 <= 0.98


def test_a_draw_may_miss_a_class():
    speakers = np.repeat(np.arange(6), 4)
    truth = np.where(speakers == 0, "b", "a")
    assert bootstrap_interval(truth, truth, ["a", "b"], speakers) == (1, 1)


def test_bad_speakers_and_draws_are_errors():
    for speakers in (["s", None], ["s"]):
        with pytest.raises(ValueError, match="Got speakers of 1 of 2 utterances, expected all"):
            bootstrap_interval(["a", "b"], ["a", "b"], ["a", "b"], speakers)
    with pytest.raises(ValueError, match="Bad number of draws 0"):
        bootstrap_interval(["a", "b"], ["a", "b"], ["a", "b"], draws=0)


def test_all_utterances_of_a_speaker_are_drawn_together():
    weights, count = draw_weights(np.repeat(list("abcdef"), 3), 18, 50, seed=1)
    assert count == 6 and (weights[0] == 1).all()
    assert (weights.reshape(51, 6, 3).std(axis=2) == 0).all()
    assert (weights.sum(axis=1) == 18).all()
    few, count = draw_weights(["a", "b"] * 9, 18, 50, seed=1)
    assert count == 18 and (few[:, ::2].std(axis=1) > 0).any()


def test_the_jackknife_leaves_out_one_speaker_after_the_other_for_the_textbook_interval():
    left = []
    jackknife(lambda rows: left.append(np.flatnonzero(~rows).tolist()) or [0.0], "aabbccddeeff", 12)
    assert left == [[], *([i, i + 1] for i in range(0, 12, 2))]
    values = np.array([1.0, 2.0, 4.0, 7.0])
    found = jackknife(lambda rows: [values[rows].mean(), np.nan], None, 4)
    reach = stats.t.ppf(0.975, 3) * values.std(ddof=1) / np.sqrt(4)
    assert np.transpose(found)[0] == pytest.approx((3.5, 3.5 - reach, 3.5 + reach))
    assert np.isnan(np.transpose(found)[1]).all()
