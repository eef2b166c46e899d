"""Claims about scores: golden values, what chance scores, and how wide the intervals are."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from paraclap import scores

LABELS = ["a", "b", "c"]
TRUTH = ["a", "a", "a", "a", "b", "b", "c", "c"]
PREDICTION = ["a", "a", "a", "b", "b", "c", "a", "c"]


def whole(message: str) -> str:
    """A pattern that only the whole message fits."""
    return f"^{re.escape(message)}$"


@st.composite
def answers(draw):
    """Truth with every class in it, and any prediction."""
    size = draw(st.integers(3, 60))
    truth = LABELS + draw(st.lists(st.sampled_from(LABELS), min_size=size - 3, max_size=size - 3))
    prediction = draw(st.lists(st.sampled_from(LABELS), min_size=size, max_size=size))
    return np.array(truth), np.array(prediction)


def random_answers(speakers=12, each=15, seed=0):
    rng = np.random.default_rng(seed)
    skill = np.repeat(rng.uniform(0.2, 0.9, speakers), each)
    truth = rng.choice(LABELS, speakers * each)
    right = rng.random(len(truth)) < skill
    prediction = np.where(right, truth, rng.choice(LABELS, len(truth)))
    return truth, prediction, np.repeat([f"s{i}" for i in range(speakers)], each)


def test_golden_values_by_hand():
    assert scores.uar(TRUTH, PREDICTION, LABELS) == pytest.approx((3 / 4 + 1 / 2 + 1 / 2) / 3)
    assert scores.accuracy(TRUTH, PREDICTION, LABELS) == pytest.approx(5 / 8)
    f1 = (3 / 4 + 1 / 2 + 1 / 2) / 3
    assert scores.macro_f1(TRUTH, PREDICTION, LABELS) == pytest.approx(f1)
    counts = scores.confusion(TRUTH, PREDICTION, LABELS)
    assert counts.to_numpy().tolist() == [[3, 1, 0], [0, 1, 1], [1, 0, 1]]
    assert counts.loc["a", "b"] == 1
    assert (counts.index.name, counts.columns.name) == ("truth", "prediction")


def test_normalised_confusion_has_the_recalls_on_its_diagonal():
    shares = scores.confusion(TRUTH, PREDICTION, LABELS, normalise=True).to_numpy()
    assert shares.sum(axis=1) == pytest.approx(1)
    assert np.diag(shares).mean() == pytest.approx(scores.uar(TRUTH, PREDICTION, LABELS))


def test_a_class_never_predicted_scores_zero_without_a_warning():
    assert scores.macro_f1(["a", "b"], ["a", "a"], ["a", "b"]) == pytest.approx(1 / 3)


def test_ccc_of_hand():
    # covariance 1, variances 2/3 and 14/9, means 2 and 7/3
    assert scores.ccc([1, 2, 3], [1, 2, 4]) == pytest.approx(2 / (2 / 3 + 14 / 9 + 1 / 9))
    assert scores.ccc([1, 2, 3], [1, 2, 3]) == pytest.approx(1)
    assert scores.ccc([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert scores.ccc([1, 2], [1, 2]) == pytest.approx(1)


@given(answers(), st.sampled_from(LABELS))
def test_a_constant_answer_is_at_chance(pair, label):
    truth, _ = pair
    assert scores.uar(truth, [label] * len(truth), LABELS) == pytest.approx(1 / 3)


@given(answers(), st.randoms(use_true_random=False))
def test_scores_do_not_depend_on_the_order_of_segments(pair, random):
    truth, prediction = pair
    order = list(range(len(truth)))
    random.shuffle(order)
    for score in (scores.uar, scores.accuracy, scores.macro_f1):
        shuffled = score(truth[order], prediction[order], LABELS)
        assert score(truth, prediction, LABELS) == pytest.approx(shuffled)


@settings(deadline=None, max_examples=30)
@given(answers())
def test_scores_do_not_depend_on_the_order_of_labels(pair):
    turned = LABELS[::-1]
    for score in (scores.uar, scores.macro_f1):
        assert score(*pair, LABELS) == pytest.approx(score(*pair, turned))


# --- intervals ---------------------------------------------------------------------------------


def slow_interval(truth, prediction, speakers, draws, seed):
    """Redraw speakers one draw at a time and score the very segments they spoke."""
    rng = np.random.default_rng(seed)
    names = np.unique(speakers)
    values = []
    for _ in range(draws):
        rows = [np.flatnonzero(speakers == name) for name in rng.choice(names, len(names))]
        t, p = truth[np.concatenate(rows)], prediction[np.concatenate(rows)]
        values.append(np.mean([np.mean(p[t == label] == label) for label in np.unique(t)]))
    n = len(names)
    factor = np.sqrt(n / (n - 1)) * student.ppf(0.975, n - 1) / 1.96
    center = np.mean([np.mean(prediction[truth == label] == label) for label in np.unique(truth)])
    return np.quantile(center + factor * (np.array(values) - center), (0.025, 0.975))


def test_interval_agrees_with_the_slow_bootstrap_of_speakers():
    truth, prediction, speakers = random_answers()
    fast = scores.interval(truth, prediction, LABELS, speakers, draws=4000)
    slow = slow_interval(truth, prediction, speakers, 1500, 1)
    assert fast == pytest.approx(slow, abs=0.02)


def test_interval_of_six_speakers_and_a_rare_class_agrees_with_the_slow_bootstrap():
    # Each speaks ten of "a", nine of which are found; three of them one "b" besides, never found.
    speakers = np.repeat(np.arange(6), 11)[:-3]
    truth = np.tile([*"aaaaaaaaaab"], 6)[:-3]
    truth[speakers > 2] = "a"
    prediction = np.where(np.arange(len(truth)) % 11 == 0, "b", "a")
    fast = scores.interval(truth, prediction, ["a", "b"], speakers, draws=4000)
    assert fast == pytest.approx(slow_interval(truth, prediction, speakers, 1500, 1), abs=0.02)


def test_interval_of_segments_agrees_with_the_slow_bootstrap():
    truth, prediction, _ = random_answers()
    fast = scores.interval(truth, prediction, LABELS, draws=4000)
    slow = slow_interval(truth, prediction, np.arange(len(truth)), 1000, 1)
    assert fast == pytest.approx(slow, abs=0.02)


def test_speakers_of_unequal_skill_widen_the_interval():
    truth, prediction, speakers = random_answers(each=60)
    clustered = scores.interval(truth, prediction, LABELS, speakers)
    independent = scores.interval(truth, prediction, LABELS)
    assert np.ptp(clustered) > 1.3 * np.ptp(independent)


def test_few_speakers_mean_segments_are_drawn():
    truth, prediction, _ = random_answers()
    five = np.arange(len(truth)) % 5
    unknown = scores.interval(truth, prediction, LABELS)
    assert scores.interval(truth, prediction, LABELS, five) == unknown
    assert scores.interval(truth, prediction, LABELS, [None] * len(truth)) == unknown


@pytest.mark.parametrize("seed", range(5))
def test_interval_holds_the_score(seed):
    truth, prediction, speakers = random_answers(seed=seed)
    low, high = scores.interval(truth, prediction, LABELS, speakers)
    assert 0 <= low < scores.uar(truth, prediction, LABELS) < high <= 1


def test_interval_covers_the_truth_about_as_often_as_it_says():
    hits = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        truth = rng.choice(LABELS, 300)
        prediction = np.where(rng.random(300) < 0.4, truth, rng.choice(LABELS, 300))
        low, high = scores.interval(truth, prediction, LABELS, draws=300)
        hits += low <= 0.6 <= high
    assert 88 <= hits <= 100


@pytest.mark.parametrize("speakers", [10, 24])
def test_interval_covers_the_skill_of_speakers_who_were_not_asked(speakers):
    hits = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        names = np.repeat(np.arange(speakers), 6)
        truth = np.tile(["a", "b"], 3 * speakers)
        right = rng.random(len(names)) < rng.beta(4, 3, speakers)[names]
        prediction = np.where(right, truth, np.where(truth == "a", "b", "a"))
        low, high = scores.interval(truth, prediction, ["a", "b"], names, draws=200, seed=seed)
        hits += low <= 4 / 7 <= high
    assert 0.92 <= hits / 400 <= 0.98


def test_a_draw_may_miss_a_class():
    speakers = np.repeat(np.arange(6), 4)
    truth = np.where(speakers == 0, "b", "a")
    low, high = scores.interval(truth, truth, ["a", "b"], speakers)
    assert (low, high) == (1, 1)


@pytest.mark.parametrize(("right", "end"), [([0], 0), ([0, 1, 2, 3, 4], 1)])
def test_interval_ends_where_scores_end(right, end):
    speakers = np.repeat(np.arange(6), 4)
    truth = np.tile(["a", "b"], 12)
    prediction = np.where(np.isin(speakers, right), truth, np.where(truth == "a", "b", "a"))
    ends = scores.interval(truth, prediction, ["a", "b"], speakers)
    assert ends[end] == end
    assert 0 < ends[1 - end] < 1


def test_one_draw_is_an_interval_of_one_point():
    low, high = scores.interval(TRUTH, PREDICTION, LABELS, draws=1)
    assert low == high


def test_interval_is_the_same_for_the_same_seed():
    one, two = (scores.interval(*random_answers()[:2], LABELS, seed=7) for _ in range(2))
    assert one == two


def test_speakers_are_numbered_as_they_come():
    assert scores.speaker_codes(["s", "r", "s", "t"], 4).tolist() == [0, 1, 0, 2]
    assert scores.speaker_codes([None, np.nan], 2).tolist() == [0, 0]
    assert scores.speaker_codes(None, 3).tolist() == [0, 0, 0]


# --- the table ---------------------------------------------------------------------------------


def predictions() -> pd.DataFrame:
    truth, prediction, speakers = random_answers()
    columns = {"speaker": speakers, "truth": truth, "prediction": prediction, "a": 0.5}
    one = pd.DataFrame({"corpus": "one", **columns})
    two = pd.DataFrame({"corpus": "two", **columns, "speaker": None})
    return pd.concat([one, two], ignore_index=True)


def test_score_table_has_one_row_a_task():
    table = scores.score_table(predictions(), {"one": LABELS, "two": LABELS}, "speaker is {}")
    columns = "task classes chance n speakers template uar uar_low uar_high macro_f1 accuracy"
    assert " ".join(table) == columns
    assert table["task"].tolist() == ["one", "two"]
    assert table["speakers"].tolist() == [12, 0]
    assert table["n"].tolist() == [180, 180]
    assert table["chance"].tolist() == pytest.approx([1 / 3, 1 / 3])
    assert table["template"].unique().tolist() == ["speaker is {}"]
    plain = scores.score_table(predictions(), {"two": LABELS}, draws=10, seed=3)
    assert plain["template"].tolist() == ["{}"]
    ends = scores.interval(*random_answers()[:2], LABELS, draws=10, seed=3)
    assert plain.loc[0, ["uar_low", "uar_high"]].tolist() == list(ends)
    truth, prediction, speakers = random_answers()
    assert table["uar"][0] == scores.uar(truth, prediction, LABELS)
    first = table.loc[0, ["uar_low", "uar_high"]].tolist()
    assert first == list(scores.interval(truth, prediction, LABELS, speakers))


def test_each_task_may_have_its_own_template():
    tasks = {"one": LABELS, "two": LABELS}
    table = scores.score_table(predictions(), tasks, {"one": "{}", "two": "is {}"}, draws=10)
    assert table["template"].tolist() == ["{}", "is {}"]


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("truth", "prediction", "labels", "message"),
    [
        (
            [*"aaaa"],
            [*"abcd"],
            [*"abcdefg"],
            "No truth of ['b', 'c', 'd', 'e', 'f'] among 4 segments, expected each of "
            "['a', 'b', 'c', 'd', 'e', 'f', 'g']: its recall is not defined; leave the class out "
            "or add segments of it.",
        ),
        (
            ["a", "b", "a"],
            ["a", "bb", "bb"],
            ["a", "b"],
            "Unknown label 'bb' in the prediction (2 segments), expected one of ['a', 'b']. "
            "Did you mean 'b'?",
        ),
        (
            [*"aAtuvwxyz"],
            [*"aaaaaaaaa"],
            ["a", "b"],
            "Unknown label 'A, t, u, v, w' in the truth (8 segments), expected one of ['a', 'b'].",
        ),
        (
            ["a", None],
            ["a", "b"],
            ["a", "b"],
            "Unknown label 'None' in the truth (1 segments), expected one of ['a', 'b'].",
        ),
        (
            ["x", np.nan],
            ["x", "y"],
            ["x", "y"],
            "Unknown label 'nan' in the truth (1 segments), expected one of ['x', 'y'].",
        ),
        (
            ["a", "b"],
            ["a"],
            ["a", "b"],
            "Got 2 truths and 1 predictions, expected one of each a segment.",
        ),
        ([], [], ["a", "b"], "Got 0 truths and 0 predictions, expected one of each a segment."),
        (["a"], ["a"], ["a"], "Bad labels ['a'], expected two or more distinct classes."),
        (
            ["a", "b"],
            ["a", "b"],
            ["a", "b", "a"],
            "Bad labels ['a', 'b', 'a'], expected two or more distinct classes.",
        ),
    ],
)
@pytest.mark.parametrize("score", [scores.uar, scores.confusion, scores.interval])
def test_bad_answers_are_reported(score, truth, prediction, labels, message):
    with pytest.raises(ValueError, match=whole(message)):
        score(truth, prediction, labels)


def test_bad_speakers_and_draws_are_reported():
    message = "No speaker for 1 of 2 segments, expected all or none: name them."
    with pytest.raises(ValueError, match=whole(message)):
        scores.interval(["a", "b"], ["a", "b"], ["a", "b"], ["s", None])
    message = "Got 2 truths and 1 predictions, expected one of each a segment."
    with pytest.raises(ValueError, match=whole(message)):
        scores.speaker_codes(["s"], 2)
    message = "Bad number of draws 0, expected at least 1."
    with pytest.raises(ValueError, match=whole(message)):
        scores.interval(["a", "b"], ["a", "b"], ["a", "b"], draws=0)


NUMBERS = (
    "{} of {} values are missing or infinite (positions {}), expected two or more finite ones: "
    "leave those rows out."
)


@pytest.mark.parametrize(
    ("truth", "prediction", "message"),
    [
        ([1, np.nan], [1, 2], NUMBERS.format(1, 2, [1])),
        ([1, None], [None, 2], NUMBERS.format(2, 2, [0, 1])),
        ([np.inf] * 7, [1.0] * 7, NUMBERS.format(7, 7, [0, 1, 2, 3, 4])),
        ([1], [1], NUMBERS.format(0, 1, [])),
        ([1, 2], [1], "Got 2 truths and 1 predictions, expected one of each a segment."),
    ],
)
def test_numbers_that_have_no_concordance_are_reported(truth, prediction, message):
    with pytest.raises(ValueError, match=whole(message)):
        scores.ccc(truth, prediction)


def test_bad_predictions_are_reported():
    table = predictions()
    message = (
        "No column ['speaker'] in the predictions, got ['corpus', 'truth', 'prediction', 'a', "
        "'b']: add it."
    )
    with pytest.raises(ValueError, match=whole(message)):
        scores.score_table(table.drop(columns="speaker").assign(b=0.5, c=0.5), {"one": LABELS})
    message = "Unknown task 'ones', expected one of ['one', 'two']. Did you mean 'one'?"
    with pytest.raises(ValueError, match=whole(message)):
        scores.score_table(table, {"ones": LABELS})
    with pytest.raises(ValueError, match=r"^Task 'one': No truth of \['d'\] among 180 segments, "):
        scores.score_table(table, {"one": [*LABELS, "d"]})
