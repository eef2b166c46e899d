"""The figures of the evidence show what the tables say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paraclap.figures import evidence as figures


@pytest.fixture
def compared() -> pd.DataFrame:
    rows = [
        ("mean", "rand5", "rand1", 0.10, 0.05, 0.15, True),
        ("mean", "rand5", "only_emo", 0.01, -0.05, 0.07, False),
        ("one", "rand5", "rand1", 0.20, 0.10, 0.30, True),
    ]
    names = ["task", "system", "other", "difference", "low", "high", "real"]
    return pd.DataFrame(rows, columns=names)


def test_the_forest_tells_real_differences_by_colour(compared, capsys):
    ax = figures.forest(compared).axes[0]
    assert [bars.get_label() for bars in ax.containers] == ["real", "not told apart"]
    assert [len(bars[0].get_xdata()) for bars in ax.containers] == [1, 1]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [
        "rand 5 minus rand 1",
        "rand 5 minus only emotion",
    ]
    with pytest.raises(ValueError, match="Nothing to draw"):
        figures.forest(compared, "two")
    for draw in (figures.forest, figures.matrix):
        draw(compared.iloc[:0])
        assert "nothing to compare" in capsys.readouterr().out


def test_the_matrix_marks_what_is_real_and_leaves_gaps_empty(compared):
    ax = figures.matrix(compared).axes[0]
    assert sorted(text.get_text() for text in ax.texts if text.get_text()) == [
        "+1",
        "+10 •",
        "+20 •",
    ]


def test_systems_stand_by_task_and_say_the_unit_where_it_is_not_the_speaker():
    table = pd.DataFrame(
        {
            "task": ["a", "b", "mean"],
            "system": "rand5",
            "unit": ["speakers", "utterances", "speakers"],
            "uar": 0.5,
            "uar_low": 0.4,
            "uar_high": 0.6,
        }
    )
    ax = figures.systems(table, {"a": 0.5, "b": 0.25}).axes[0]
    ticks = [tick.get_text() for tick in ax.get_yticklabels()]
    assert ticks == ["a", "b\n(utterances)"]


def test_each_task_has_its_panel_of_recalls():
    table = pd.DataFrame(
        {
            "task": list("aabbcdd"),
            "label": ["anger", "calm", "x", "y", "z", "p", "q"],
            "method": ["bootstrap", "exact", *["bootstrap"] * 5],
            "recall": 0.5,
            "recall_low": 0.4,
            "recall_high": 0.6,
        }
    )
    fig = figures.class_recalls(table)
    assert [ax.get_title() for ax in fig.axes[:4]] == ["a", "b", "c", "d"]
    assert [bars.get_label() for bars in fig.axes[0].containers] == ["bootstrap", "exact"]


def test_the_spread_shows_each_wording_and_each_ensemble():
    wordings = pd.DataFrame(
        {
            "task": ["a", "a", "b"],
            "kind": ["template", "unseen", "template"],
            "chance": 0.5,
            "uar": [0.6, 0.5, 0.7],
        }
    )
    together = pd.DataFrame({"task": ["a", "b", "mean"], "system": "mean embedding", "uar": 0.65})
    ax = figures.spread(wordings, together).axes[0]
    shown = {one.get_label(): len(one.get_offsets()) for one in ax.collections[:3]}
    assert shown == {"words of the task": 2, "unseen synonyms": 1, "mean embedding": 2}


def test_reliability_has_a_diagonal_and_a_curve_for_each_table():
    table = pd.DataFrame({"confidence": [0.3, 0.8], "right": [0.4, 0.6], "n": [3, 7]})
    fig = figures.reliability({"width": {"x": table, "y": table}, "mass": {"x": table}})
    assert [len(ax.lines) for ax in fig.axes] == [3, 2]
    with pytest.raises(ValueError, match="Nothing to draw"):
        figures.reliability({})


def test_treatments_say_which_have_heard_all_voices():
    table = pd.DataFrame(
        {
            "task": ["a", "a"],
            "treatment": ["as asked", "equal shares"],
            "transductive": [False, True],
            "uar": 0.5,
            "uar_low": 0.4,
            "uar_high": 0.6,
            "real": [np.nan, True],
        }
    )
    ax = figures.treatments(table, ["as asked", "equal shares"]).axes[0]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert sorted(labels) == ["as asked", "equal shares (transductive)", "real change"]


def test_an_empty_table_is_an_error():
    with pytest.raises(ValueError, match="Nothing to draw"):
        figures.class_recalls(pd.DataFrame())
    with pytest.raises(ValueError, match="Nothing to draw"):
        figures.systems(pd.DataFrame(), {})
