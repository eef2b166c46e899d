"""The figures of other systems show every mark of their tables, chance included."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paraclap import quoted
from paraclap.figures import systems as figures


@pytest.fixture
def table() -> pd.DataFrame:
    rows = [
        (name, task, chance, uar)
        for name, uar in (("paraclap", 0.6), ("pengi", 0.4), ("logistic regression", 0.7))
        for task, chance in (("acted", 0.25), ("drunk", 0.5))
    ]
    found = pd.DataFrame(rows, columns=["system", "task", "chance", "uar"])
    found = found.assign(uar_low=found["uar"] - 0.1, uar_high=found["uar"] + 0.1)
    odd = {"system": "majority vote", "task": "drunk", "chance": 0.5, "uar": 0.5}
    return pd.concat([found, pd.DataFrame([odd])], ignore_index=True)


def test_each_system_has_a_mark_with_its_interval_on_each_of_its_tasks(table):
    axes = figures.system_scores(table).axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert set(labels) == {*table["system"], "chance"}
    marks = {bar.get_label(): bar for bar in axes.containers}
    for name, own in table.groupby("system"):
        drawn = marks[name].lines[0].get_xdata()
        np.testing.assert_allclose(np.sort(drawn[np.isfinite(drawn)]), np.sort(own["uar"]))
    segments = marks["pengi"].lines[2][0].get_segments()
    np.testing.assert_allclose([s[:, 0] for s in segments], [[0.3, 0.5], [0.3, 0.5]])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["acted (4)", "drunk (2)"]


def test_systems_do_not_hide_each_other(table):
    axes = figures.system_scores(table).axes[0]
    places = [tuple(bar.lines[0].get_ydata()) for bar in axes.containers]
    assert len(set(places)) == 4


def test_chance_is_drawn_for_each_task(table):
    axes = figures.system_scores(table).axes[0]
    line = next(line for line in axes.get_lines() if line.get_label() == "chance")
    np.testing.assert_allclose(line.get_xdata(), [0.25, 0.5])


def test_the_papers_numbers_are_drawn_as_they_are_quoted():
    paper = quoted.paper_scores()
    axes = figures.quoted_scores(paper).axes[0]
    lines = {line.get_label(): line for line in axes.get_lines()}
    for name, label in figures.QUOTED.items():
        np.testing.assert_allclose(lines[label].get_xdata(), paper[name])
    np.testing.assert_allclose(lines["chance"].get_xdata(), 1 / paper["classes"])


def test_an_empty_table_is_an_error(table):
    with pytest.raises(ValueError, match="Nothing to draw"):
        figures.system_scores(table.iloc[:0])
