"""Claims about paired comparisons: a slow reference, hand-worked values, and error rates."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from paraclap import scores
from paraclap.evidence import paired, recalls, verdicts
from paraclap.evidence.tally import tally
from paraclap.resampling import redraw

LABELS = ["a", "b", "c"]


def answered(task="one", speakers=12, each=10, skill=0.5, seed=0, known=True):
    """Predictions of a system whose skill differs from speaker to speaker."""
    rng = np.random.default_rng(0)  # the voices are the same for all systems
    names = np.repeat([f"s{i}" for i in range(speakers)], each)
    truth = np.tile(LABELS, len(names))[: len(names)]
    luck = np.repeat(rng.uniform(-0.2, 0.2, speakers), each)
    own = np.random.default_rng(seed + 1)
    right = own.random(len(names)) < skill + luck
    given = np.where(right, truth, own.choice(LABELS, len(names)))
    table = pd.DataFrame({"corpus": task, "speaker": names, "truth": truth, "prediction": given})
    table.index = pd.Index([f"{task}/{i}" for i in range(len(table))], name="file")
    return table if known else table.assign(speaker=None)


def slow_uar(truth, prediction):
    """Mean recall over the classes that are there."""
    return np.mean([np.mean(prediction[truth == label] == label) for label in np.unique(truth)])


def slow_draws(tables, unit, draws, seed):
    """UAR of each system on each draw, one draw and one voice at a time."""
    first = next(iter(tables.values()))
    units = pd.factorize(first["speaker"] if unit == "speakers" else first.index)[0]
    task = first["corpus"].iloc[0]
    weights = redraw(units.max() + 1, draws, np.random.default_rng([seed, *task.encode()]))
    values = np.empty((draws, len(tables)))
    for draw, weight in enumerate(weights):
        rows = np.concatenate(
            [np.repeat(np.flatnonzero(units == u), w) for u, w in enumerate(weight)]
        )
        for column, table in enumerate(tables.values()):
            drawn = table.iloc[rows]
            values[draw, column] = slow_uar(
                drawn["truth"].to_numpy(), drawn["prediction"].to_numpy()
            )
    return values


@pytest.mark.parametrize(("speakers", "unit"), [(12, "speakers"), (4, "utterances")])
def test_the_draws_are_those_of_a_slow_loop_over_the_same_voices(speakers, unit):
    tables = {name: answered(speakers=speakers, seed=i) for i, name in enumerate("xyz")}
    fast = paired.redrawn(tables, {"one": LABELS}, 40, 3)
    assert fast.units == (unit,)
    assert fast.sizes == (speakers if unit == "speakers" else 10 * speakers,)
    slow = slow_draws(tables, unit, 40, 3)
    n = fast.sizes[0]
    factor = np.sqrt(n / (n - 1)) * student.ppf(0.975, n - 1) / student.ppf(0.975, 1e9)
    np.testing.assert_allclose(
        fast.drawn[:, :, 0], fast.uar[:, 0] + factor * (slow - fast.uar[:, 0])
    )
    for row, table in enumerate(tables.values()):
        whole = scores.uar(table["truth"], table["prediction"], LABELS)
        assert fast.uar[row, 0] == pytest.approx(whole)


def test_identical_systems_differ_by_nothing_with_p_one():
    one = answered()
    compared = paired.differences(paired.redrawn({"x": one, "y": one.copy()}, {"one": LABELS}, 200))
    row = compared.iloc[0]
    assert (row["difference"], row["low"], row["high"], row["p"]) == (0, 0, 0, 1)
    assert not row["real"]


def test_a_system_that_is_always_right_beats_a_guess_with_the_smallest_p():
    best, guess = answered(skill=2.0), answered(skill=0.0)
    scored = paired.redrawn({"x": best, "y": guess}, {"one": LABELS}, 99)
    row = paired.differences(scored).iloc[0]
    assert row["p"] == pytest.approx(1 / 100)
    assert row["low"] > 0 and row["real"]
    [sentence] = verdicts.told_apart(paired.differences(scored), "one")
    assert sentence.startswith("x is better than y by ")
    [turned] = verdicts.told_apart(paired.differences(scored, [("y", "x")]), "one")
    assert turned == sentence


def test_turning_a_pair_turns_its_difference():
    tables = {"x": answered(seed=1), "y": answered(seed=2)}
    scored = paired.redrawn(tables, {"one": LABELS}, 100)
    there, back = (paired.differences(scored, [pair]).iloc[0] for pair in (("x", "y"), ("y", "x")))
    assert there["difference"] == pytest.approx(-back["difference"])
    assert (there["low"], there["high"]) == pytest.approx((-back["high"], -back["low"]))
    assert there["p"] == back["p"]


def test_p_of_hand():
    # strays of 0.5 lie at 0.5, 0.1, 0.0, 0.6 from it: the first and the last reach zero or beyond
    assert paired.p_value(0.5, [0.0, 0.4, 0.5, 1.1]) == pytest.approx((1 + 2) / (4 + 1))


def test_equal_skill_is_called_different_about_as_often_as_the_level_says():
    false = 0
    for seed in range(300):
        tables = {"x": answered(seed=2 * seed), "y": answered(seed=2 * seed + 1)}
        compared = paired.differences(paired.redrawn(tables, {"one": LABELS}, 199, seed))
        false += bool(compared["real"].iloc[0])
    assert 0.02 <= false / 300 <= 0.08


def test_the_mean_over_tasks_is_that_of_the_tasks_both_answer():
    two = {task: answered(task, seed=i) for i, task in enumerate(("one", "two"))}
    three = answered("three", speakers=3, seed=5)
    tables = {"x": pd.concat([*two.values(), three]), "y": pd.concat(list(two.values()))}
    tables["y"] = tables["y"].assign(prediction="a")
    tasks = dict.fromkeys(("one", "two", "three"), LABELS)
    scored = paired.redrawn(tables, tasks, 50)
    assert scored.units == ("speakers", "speakers", "utterances")
    compared = paired.differences(scored).set_index("task")
    assert compared.loc["mean", "tasks"] == 2
    assert "three" not in compared.index
    singles = compared.loc[["one", "two"], "difference"]
    assert compared.loc["mean", "difference"] == pytest.approx(singles.mean())
    table = paired.intervals(scored).set_index(["task", "system"])
    assert set(table.xs("mean")["tasks"]) == {2}
    assert ("three", "y") not in table.index
    said = verdicts.remarks(scored, paired.differences(scored))
    assert "one (12), two (12)" in said[0] and "Utterances are drawn in three (30)" in said[1]


def test_a_task_draws_the_same_whatever_other_tasks_and_systems_there_are():
    one, two = answered("one"), answered("two")
    alone = paired.redrawn({"x": one}, {"one": LABELS}, 30)
    tables = {"y": answered("one", seed=4), "x": pd.concat([two, one])}
    beside = paired.redrawn(tables, {"two": LABELS, "one": LABELS}, 30)
    np.testing.assert_allclose(alone.drawn[:, 0, 0], beside.drawn[:, 1, 1])


def test_seeds_meet_the_same_draws_and_are_averaged():
    seeds = [answered(seed=s) for s in range(3)]
    single = {str(s): table for s, table in enumerate(seeds)}
    each = paired.redrawn(single, {"one": LABELS}, 40)
    together = paired.redrawn({"all": seeds}, {"one": LABELS}, 40)
    np.testing.assert_allclose(together.drawn[:, 0, 0], each.drawn[:, :, 0].mean(axis=1))
    assert together.uar[0, 0] == pytest.approx(each.uar.mean())


def test_rows_may_stand_in_another_order():
    one = answered()
    scored = paired.redrawn(
        {"x": one, "y": one.sample(frac=1, random_state=1)}, {"one": LABELS}, 20
    )
    assert np.array_equal(scored.drawn[:, 0], scored.drawn[:, 1])


def test_too_few_draws_for_a_family_are_told():
    tables = {name: answered(seed=i) for i, name in enumerate("wxyz")}
    scored = paired.redrawn(tables, {"one": LABELS}, 99)
    said = verdicts.remarks(scored, paired.differences(scored))
    assert said[-1].startswith("99 draws are too few for 6 comparisons")
    assert "take 120 or more" in said[-1]


def test_ten_systems_and_two_thousand_voices_take_about_a_second():
    tables = {str(i): answered(speakers=200, seed=i) for i in range(10)}
    lone = {name: table.assign(speaker=None) for name, table in tables.items()}
    start = time.process_time()
    paired.differences(paired.redrawn(lone, {"one": LABELS}, 1000))
    assert time.process_time() - start < 4


def test_one_system_alone_is_compared_with_nothing_and_it_is_said():
    scored = paired.redrawn({"x": answered()}, {"one": LABELS}, 5)
    compared = paired.differences(scored)
    assert compared.empty and list(compared) == paired.COMPARED
    assert "nothing to compare" in verdicts.remarks(scored, compared)[-1]
    assert verdicts.told_apart(compared) == []
    assert verdicts.headline(compared) == "mean"


def test_the_headline_is_the_mean_where_there_is_one():
    tables = {"x": answered(), "y": answered(seed=3)}
    compared = paired.differences(paired.redrawn(tables, {"one": LABELS}, 20))
    assert verdicts.headline(compared) == "one"


# --- Holm --------------------------------------------------------------------------------------


def test_holm_of_hand():
    # sorted .005 .01 .03 .04 times 4 3 2 1: .02 .03 .06 .04, and the last may not fall below .06
    assert paired.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    # a family of five with ties: .001 x 5, .02 x 4 and x 3, .4 x 2 and .9 x 1
    assert paired.holm([0.02, 0.02, 0.001, 0.4, 0.9]) == pytest.approx(
        [0.08, 0.08, 0.005, 0.8, 0.9]
    )
    assert paired.holm([0.5, 0.7]) == pytest.approx([1.0, 1.0])
    assert paired.holm([0.2]) == pytest.approx([0.2])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_no_correction_and_bonferroni_and_keeps_the_order(p):
    adjusted, p = paired.holm(p), np.array(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1, p * len(p)) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()


def test_holm_refuses_what_is_no_p():
    with pytest.raises(ValueError, match=r"Bad p .* at \[1\], expected 0 to 1"):
        paired.holm([0.1, np.nan])


# --- recalls -----------------------------------------------------------------------------------


def test_recalls_have_intervals_that_hold_them():
    table = answered()
    found = recalls.recalls({"x": table}, {"one": LABELS}, 200)
    own = table[table["truth"] == "b"]
    row = found.set_index("label").loc["b"]
    assert row["recall"] == pytest.approx((own["prediction"] == "b").mean())
    assert (row["n"], row["units"], row["unit"]) == (len(own), 12, "speakers")
    assert (found["recall_low"] < found["recall"]).all()
    assert (found["recall"] < found["recall_high"]).all()


def test_a_class_that_is_always_found_is_not_certain_to_be():
    found = recalls.recalls({"x": answered().assign(prediction="a")}, {"one": LABELS}, 50)
    rows = found.set_index("label")
    assert set(rows["method"]) == {"exact"}
    # twelve of twelve: the lower end is the twelfth root of 0.025
    assert rows.loc["a", "recall_low"] == pytest.approx(0.025 ** (1 / 12))
    assert rows.loc["a", "recall_high"] == 1
    assert rows.loc["b", "recall_high"] == pytest.approx(1 - 0.025 ** (1 / 12))


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.iloc[1:], r"The voices of 'y' in task 'one' \(119\) are not those"),
        (lambda t: t.assign(truth="a"), "The truths of 'y' in task 'one' differ"),
        (lambda t: t.assign(prediction="d"), "System 'y' in task 'one'"),
        (lambda t: t.drop(columns="speaker"), "No column .*speaker.* predictions of 'y'"),
        (lambda t: [t, t.iloc[:0]], "Only some seeds of 'y' answer"),
    ],
)
def test_systems_that_cannot_be_compared_are_refused(change, message):
    tables = {"x": answered(), "y": change(answered(seed=3))}
    with pytest.raises(ValueError, match=message):
        tally(tables, "one", LABELS)


def test_unknown_tasks_systems_and_draws_are_refused():
    tables = {"x": answered()}
    with pytest.raises(ValueError, match="two"):
        paired.redrawn(tables, {"two": LABELS})
    with pytest.raises(ValueError, match="expected at least one"):
        paired.redrawn(tables, {})
    with pytest.raises(ValueError, match="at least 1"):
        paired.redrawn(tables, {"one": LABELS}, 0)
    scored = paired.redrawn(tables, {"one": LABELS}, 5)
    with pytest.raises(ValueError, match="y"):
        paired.differences(scored, [("x", "y")])
