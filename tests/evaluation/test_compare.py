"""Paired comparisons: golden values, a slow reference, error rates; sentences."""

import numpy as np
import pandas as pd
import pytest
from answers import LABELS, answered, made
from scipy import stats

from paraclap.evaluation import compare, metrics
from paraclap.evaluation.bootstrap import redraw

GOLDEN = [
    ("speakers", 0.07094004208825298, 0.27085283950608846, 1 / 1001, 0.9180326003158342),
    ("utterances", 0.06950294641577973, 0.2762331190157757, 3 / 1001, 0.9254588088376605),
]


@pytest.mark.parametrize(("unit", "low", "high", "p", "top"), GOLDEN)
def test_differences_of_a_made_table_stay_as_they_are(unit, low, high, p, top):
    i = np.arange(150)
    speakers = i * i % 23 if unit == "speakers" else i % 4
    scored = compare.score_systems(made(speakers), {"one": LABELS}, 1000, 2)
    row = compare.differences(scored).iloc[0]
    assert row["difference"] == pytest.approx(0.17040998217468806, abs=1e-12)
    assert row[["low", "high", "p"]].tolist() == pytest.approx([low, high, p], abs=1e-12)
    assert compare.intervals(scored)["uar_high"][0] == pytest.approx(top, abs=1e-12)


def test_the_draws_are_those_of_a_slow_loop():
    systems = {name: answered(seed=i) for i, name in enumerate("xyz")}
    scored = compare.score_systems(systems, {"one": LABELS}, 40, 3)
    units = pd.factorize(systems["x"]["speaker"])[0]
    weights = redraw(np.ones(12), 40, np.random.default_rng([3, *b"one"]))
    factor = np.sqrt(12 / 11) * stats.t.ppf(0.975, 11) / stats.norm.ppf(0.975)
    for name, table in systems.items():
        uar = metrics.uar(table["truth"], table["prediction"], LABELS)
        slow = [uar]
        for weight in weights:
            drawn = table.iloc[np.repeat(np.arange(len(units)), weight[units])]
            fresh = metrics.uar(drawn["truth"], drawn["prediction"], LABELS)
            slow.append(uar + factor * (fresh - uar))
        np.testing.assert_allclose(scored["one", name], slow)


def test_a_difference_is_told_in_either_direction():
    systems = {"x": answered(skill=2.0), "y": answered(skill=0.0), "z": answered(skill=2.0)[::-1]}
    scored = compare.score_systems(systems, {"one": LABELS}, 199)
    compared = compare.differences(scored, [("x", "y"), ("y", "x"), ("x", "z")])
    assert compared["p"].tolist() == pytest.approx([1 / 200, 1 / 200, 1])
    assert compared["p_holm"].tolist() == pytest.approx([3 / 200, 3 / 200, 1])
    assert compared["difference"][0] == -compared["difference"][1]
    assert compared["real"].tolist() == [True, True, False]
    one, turned, same = compare.describe_differences(compared, "one", str.upper)
    assert one.startswith("X is better than Y: +0.") and turned == one
    assert same == "X cannot be told apart from Z: +0.000 (+0.000 to +0.000), corrected p 1.000."


def test_equal_skill_is_called_different_about_as_often_as_the_level_says():
    false = 0
    for seed in range(200):
        systems = {"x": answered(seed=2 * seed), "y": answered(seed=2 * seed + 1)}
        scored = compare.score_systems(systems, {"one": LABELS}, 199, seed)
        value, *drawn = scored["one", "x"] - scored["one", "y"]
        false += compare.p_value(value, drawn) <= compare.ALPHA
    assert 0.015 <= false / 200 <= 0.09


def test_the_mean_over_tasks_is_that_of_the_tasks_both_answer():
    two = pd.concat([answered("one", seed=1), answered("two", seed=2)])
    systems = {
        "x": pd.concat([two, answered("three", speakers=3)]),
        "y": two.assign(prediction="a"),
    }
    tasks = dict.fromkeys(("one", "two", "three"), LABELS)
    scored = compare.score_systems(systems, tasks, 50)
    compared = compare.differences(scored).set_index("task")
    assert list(compared.index) == ["mean", "one", "two"]
    singles = compared.loc[["one", "two"], "difference"]
    assert compared.loc["mean", "difference"] == pytest.approx(singles.mean())
    table = compare.intervals(scored).set_index(["task", "system"])
    assert ("three", "x") in table.index and ("three", "y") not in table.index


def test_draws_are_the_same_for_all_seeds_which_are_averaged_and_whatever_else_there_is():
    seeds = [answered(seed=seed) for seed in range(3)]
    each = compare.score_systems(dict(zip("abc", seeds, strict=True)), {"one": LABELS}, 40)
    together = compare.score_systems({"all": seeds}, {"one": LABELS}, 40)
    np.testing.assert_allclose(together["one", "all"], each.mean(axis=1))
    both = pd.concat([answered("two"), seeds[0]])
    beside = compare.score_systems({"x": both}, {"two": LABELS, "one": LABELS}, 40)
    np.testing.assert_array_equal(each["one", "a"], beside["one", "x"])


def test_above_chance_is_corrected_and_a_single_answer_is_set_apart():
    good, guess = answered("good", skill=0.8), answered("guess", skill=0.0)
    same = answered("same").assign(prediction="a")
    predictions = pd.concat([good, guess, same])
    table = compare.above_chance(predictions, dict.fromkeys(("good", "guess", "same"), LABELS))
    assert table["above"].tolist() == [True, False, False]
    assert table["answers"].tolist() == [3, 3, 1]
    assert table["uar"][2] == pytest.approx(table["chance"][2]) and table["p"][2] == 1
    assert table["p_holm"][0] == pytest.approx(3 * table["p"][0])
    assert compare.describe_above_chance(table) == (
        "Above chance, corrected for 3 tasks: good. Always the same answer, whatever the "
        "utterance: same."
    )
    assert "for 1 tasks: none." in compare.describe_above_chance(table.iloc[1:2])
    wrong = good.assign(prediction=good["truth"].map({"a": "b", "b": "c", "c": "a"}))
    table = compare.above_chance(wrong, {"good": LABELS})
    assert table["p_holm"][0] < 0.05 and not table["above"][0], "worse than chance is not above"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.iloc[1:], r"The utterances of 'y' in task 'one' \(119 rows\) or their truth"),
        (lambda t: t.assign(truth="a"), r"'y' in task 'one' \(120 rows\) or their truth differ"),
        (lambda t: t.assign(prediction="d"), "Unknown label 'd' in the prediction"),
        (lambda t: [t, t.iloc[:0]], r"'y' in task 'one' \(0 rows\)"),
    ],
)
def test_systems_that_cannot_be_compared_are_errors(change, message):
    with pytest.raises(ValueError, match=message):
        compare.score_systems({"x": answered(), "y": change(answered(seed=3))}, {"one": LABELS})


def test_unknown_tasks_and_systems_are_errors():
    with pytest.raises(ValueError, match="No system has predictions of task 'two'"):
        compare.score_systems({"x": answered()}, {"two": LABELS})
    scored = compare.score_systems({"x": answered()}, {"one": LABELS}, 5)
    assert compare.differences(scored).empty
    with pytest.raises(KeyError, match="'y'"):
        compare.differences(scored, [("x", "y")])
