"""Claims about the figures of what is asked beyond classes: everything given is drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paraclap.evidence import composed, probe
from paraclap.figures import beyond

SPREAD = {"low": 0.4, "high": 0.6}


def labels_of(ax):
    return [tick.get_text() for tick in ax.get_yticklabels()]


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def scores(value):
    names = ["one", "two"]
    row = {"chance": 0.5, "uar": value, "uar_low": value - 0.1, "uar_high": value + 0.1}
    return pd.DataFrame([{"task": name, **row} for name in names])


def test_retrieval_draws_both_directions_with_chance_and_no_median():
    rows = [
        {"direction": side, "measure": name, "value": 0.5, **SPREAD, "chance": 0.2}
        for side in ("text → voice", "voice → text")
        for name in (*beyond.MEASURES, "median rank")
    ]
    fig = beyond.retrieval(pd.DataFrame(rows))
    assert [ax.get_title() for ax in fig.axes] == ["text → voice", "voice → text"]
    assert labels_of(fig.axes[0]) == list(beyond.MEASURES)
    assert set(legend_of(fig.axes[1])) == {"model", "chance"}


def test_queries_stand_by_attribute_best_first():
    table = pd.DataFrame(
        {
            "attribute": ["pitch", "gender", "pitch"],
            "query": ["a", "b", "c"],
            "precision": [0.5, 0.9, 0.3],
            "chance": [0.3, 0.5, 0.3],
        }
    )
    ax = beyond.by_query(table).axes[0]
    assert labels_of(ax) == ["gender", "pitch"]
    assert sorted(ax.lines[2].get_xdata()) == pytest.approx([0, 0.2])


def test_probes_have_a_panel_a_task_with_zero_shot_and_chance():
    rows = [
        {
            "task": task,
            "system": system,
            "k": k,
            "uar": 0.4 + k / 100,
            "spread": np.nan,
            "chance": 0.5,
        }
        for task in ("one", "two")
        for system in ("embeddings", "eGeMAPS")
        for k in (1, 4, 16)
    ]
    fig = beyond.probes(pd.DataFrame(rows), scores(0.6))
    assert [ax.get_title() for ax in fig.axes] == ["one", "two"]
    said = {"probe, embeddings", "probe, eGeMAPS", "zero-shot", "chance"}
    assert set(legend_of(fig.axes[-1])) == said


def test_control_sets_both_trainings_beside_chance():
    ax = beyond.control({"true queries": scores(0.7), "shuffled queries": scores(0.5)}).axes[0]
    assert set(legend_of(ax)) == {"true queries", "shuffled queries", "chance"}
    assert labels_of(ax) == ["one", "two"]


def test_dimensions_draw_each_corpus_and_leave_missing_values_out():
    rows = [
        {"corpus": corpus, "attribute": name, "spearman": 0.5, "spearman_low": 0.4}
        for corpus in ("a", "b")
        for name in ("pitch", "arousal")
    ]
    table = pd.DataFrame(rows).assign(spearman_high=[0.6, np.nan, 0.6, 0.6])
    table.loc[3, "spearman"] = np.nan
    ax = beyond.dimensions(table).axes[0]
    assert labels_of(ax) == ["pitch", "arousal"]
    assert set(legend_of(ax)) == {"a", "b", "chance"}


def test_scatter_says_when_nothing_is_rated(capsys):
    known = pd.DataFrame({"arousal": [1.0, 2.0], "valence": [np.nan, np.nan]})
    fig = beyond.scattered(known, known, ["arousal", "valence"])
    assert [ax.get_title() for ax in fig.axes] == ["arousal"]
    beyond.scattered(known, known, ["valence"])
    assert "No voice here has a value of valence" in capsys.readouterr().out


def test_composed_draws_every_way_or_says_that_there_is_nothing(capsys):
    rows = [
        {"way": way, "measure": measure, "value": 0.5, **SPREAD}
        for measure in ("against all", "against half true")
        for way in composed.WAYS
    ]
    fig = beyond.composed(pd.DataFrame(rows))
    assert labels_of(fig.axes[0]) == list(composed.WAYS)
    beyond.composed(pd.DataFrame(columns=composed.MEANS))
    assert "Too few voices" in capsys.readouterr().out


def test_within_draws_all_groups_beside_the_whole():
    rows = [
        {"asked": asked, "within": group, "overall": 0.8, "inside": 0.6}
        for asked in ("anger", "fear")
        for group in ("pitch", "intensity")
    ]
    bounds = {"overall_low": 0.7, "overall_high": 0.9, "inside_low": 0.5, "inside_high": 0.7}
    ax = beyond.within(pd.DataFrame(rows).assign(**bounds), "AUC", 0.5).axes[0]
    assert labels_of(ax) == ["anger", "fear"]
    said = {"over all voices", "within each pitch", "within each intensity", "chance"}
    assert set(legend_of(ax)) == said


def test_no_probe_at_all_is_said(capsys):
    beyond.probes(pd.DataFrame(columns=["task", *probe.COLUMNS]), scores(0.5))
    assert "No task here" in capsys.readouterr().out


def test_a_table_without_a_column_is_refused():
    with pytest.raises(ValueError, match="direction"):
        beyond.retrieval(pd.DataFrame({"value": [1]}))
