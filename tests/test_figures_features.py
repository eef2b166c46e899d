"""Figures of the features show every group, the edges and the chance level, whatever is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paraclap import levels
from paraclap.figures import features as figures

FUNCTIONALS = [levels.FEATURES[name] for name in figures.MEASURED if name != "duration"]


@pytest.fixture
def table(voices):
    """Labels of the tones beside made-up measurements: angry ones are higher."""
    rng = np.random.default_rng(0)
    angry = (voices["emotion"] == "anger").to_numpy()
    columns = [levels.FEATURES[name] for name in figures.MEASURED]
    values = rng.normal(30 + 3 * angry[:, None], 1.0, (len(voices), len(columns)))
    return pd.DataFrame(values, voices.index, columns).join(voices)


def without(table, *columns):
    return table.assign(**dict.fromkeys(columns)).astype(dict.fromkeys(columns, "str"))


def texts(fig):
    return [text.get_text() for text in fig.axes[0].texts]


def test_a_box_for_each_emotion_and_both_edges_in_each_panel(table):
    edges = levels.fit(table)
    fig = figures.distributions(table, edges)
    assert [ax.get_title() for ax in fig.axes] == list(figures.SHOWN)
    for ax in fig.axes:
        assert len(ax.patches) == table["emotion"].nunique()
        dotted = [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == ":"]
        assert dotted == pytest.approx(edges[ax.get_title()])
        assert ax.get_xlabel() == figures.UNITS[ax.get_title()]


def test_without_emotions_all_segments_are_one_group(table):
    fig = figures.distributions(without(table, "emotion"), {})
    assert all(len(ax.patches) == 1 for ax in fig.axes)


def test_correlations_have_a_cell_for_each_two_that_vary(table):
    fig = figures.correlations(table.assign(arousal=np.nan))
    assert len(texts(fig)) == (len(levels.FEATURES) - 1) ** 2


def test_intended_voices_are_shown_against_their_features(table):
    meant = pd.DataFrame(
        dict.fromkeys([*figures.MEANT.values(), "breathiness"], table[FUNCTIONALS[0]])
    )
    fig = figures.intended(meant.join(table))
    assert fig.axes[0].get_title() == "pitch (r = 1.00)"
    assert fig.axes[1].get_xlabel() == "intended variation (z)"


def test_a_real_corpus_has_no_intended_voices_and_says_so(table, capsys):
    assert texts(figures.intended(table)) == [capsys.readouterr().out.strip()]


def test_the_training_split_lies_at_zero_from_itself(table):
    fig = figures.shift(table)
    rows = [tick.get_text() for tick in fig.axes[0].get_yticklabels()]
    assert rows == ["tones, train", "tones, dev", "tones, test"]
    assert {text.lstrip("-") for text in texts(fig)[: len(figures.MEASURED)]} == {"0.0"}


def test_separation_is_one_for_constant_groups_and_chance_for_noise():
    groups = pd.Series(["a", "b"] * 500)
    noise = np.random.default_rng(0).normal(size=1000)
    found = figures.separation(pd.DataFrame({"told": groups == "a", "noise": noise}) * 1.0, groups)
    assert found["told"] == pytest.approx(1)
    assert found["noise"] < 0.01


def test_the_strongest_functionals_stand_beside_the_chance_level(table):
    ax = figures.strongest(table, FUNCTIONALS, count=3).axes[0]
    assert len(ax.patches) == 3
    assert ax.lines[0].get_label() == "by chance"
    assert ax.lines[0].get_xdata()[0] == pytest.approx(100 / (len(table) - 1))


def test_one_emotion_alone_is_told_from_nothing(table, capsys):
    figures.strongest(table[table["emotion"] == "anger"], FUNCTIONALS)
    assert "Fewer than two emotions" in capsys.readouterr().out


def test_the_plane_has_a_word_for_each_emotion_and_the_share_of_each_axis(table):
    fig = figures.plane(table, FUNCTIONALS)
    assert texts(fig) == ["anger", "sadness"]
    assert fig.axes[0].get_xlabel().endswith("% of the variance)")


def test_components_explain_no_more_than_all_of_the_variance(table):
    places, share = figures.components(table[FUNCTIONALS])
    assert places.shape == (len(table), 2)
    assert share[0] >= share[1] > 0
    assert share.sum() <= 1


@pytest.mark.parametrize("draw", ["correlations", "shift"])
def test_an_empty_table_is_an_error_that_says_so(table, draw):
    with pytest.raises(ValueError, match="table is empty"):
        getattr(figures, draw)(table.iloc[:0])


def test_a_missing_column_is_named(table):
    with pytest.raises(ValueError, match="no column \\['emotion'\\]"):
        figures.plane(table.drop(columns="emotion"), FUNCTIONALS)
