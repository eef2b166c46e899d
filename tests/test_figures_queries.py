"""Figures of the queries agree with the levels and texts they are drawn from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paraclap import levels, variety
from paraclap.figures import queries as figures


@pytest.fixture
def edges(voices):
    return levels.fit(voices)


@pytest.fixture
def level(voices, edges):
    return levels.assign(voices, edges)


@pytest.fixture
def texts(pool):
    return variety.draw(pool, range(len(pool)), 64)


def test_shares_of_each_split_fill_a_hundred_per_cent_with_the_quantiles_drawn(voices, level):
    fig = figures.shares(level, voices["split"], (0.3, 0.7))
    assert len(fig.axes) == voices["split"].nunique()
    for ax in fig.axes:
        assert sum(bar.get_width() for bar in ax.patches) == pytest.approx(100 * level.shape[1])
        assert [line.get_xdata()[0] for line in ax.lines] == pytest.approx([30, 70])


def test_level_shares_leave_missing_values_out():
    level = pd.DataFrame({"pitch": pd.Categorical(["low", "high", None, "high"], levels.LEVELS)})
    assert figures.level_shares(level).loc["pitch"].tolist() == pytest.approx([1 / 3, 0, 2 / 3])


def test_drift_has_a_row_for_each_corpus_and_no_number_for_what_it_lacks(voices, level):
    corpus = voices["corpus"].mask(voices["split"] == "test", "held")
    level = level.assign(valence=level["valence"].mask(corpus == "held"))
    ax = figures.drift(level, corpus).axes[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["tones", "held"]
    assert len(ax.texts) == 2 * level.shape[1] - 1


def test_levels_that_come_together_add_up_in_each_row(level):
    ax = figures.together(level).axes[0]
    numbers = [float(text.get_text()) for text in ax.texts if text.get_text() != "nan"]
    assert sum(numbers) == pytest.approx(300, abs=6)


def test_one_attribute_alone_is_compared_with_nothing(level, capsys):
    figures.together(level[["arousal"]])
    assert "nothing to compare" in capsys.readouterr().out


def test_growth_has_a_line_for_each_variant_and_one_where_each_draw_is_new(texts):
    ax = figures.growth(variety.growth(texts)).axes[0]
    assert len(ax.lines) == 1 + len(variety.VARIANTS)
    assert ax.lines[0].get_label() == "each draw a new text"
    assert ax.get_xlabel() == "texts drawn"


def test_repeats_have_a_box_for_each_variant_between_0_and_100(texts):
    ax = figures.repeats(variety.repeats(texts, 8), 8).axes[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list(variety.VARIANTS)
    assert "batch of 8" in ax.get_xlabel()


def test_what_is_said_has_a_cell_for_each_attribute_and_rand(pool):
    table = variety.said(pool, range(len(pool)), 3, "paper")
    ax = figures.said(table).axes[0]
    assert len(ax.texts) == table.size
    assert ax.get_xlabel().startswith("rand")


def test_empty_tables_are_errors_that_say_so(voices, level, edges, texts):
    with pytest.raises(ValueError, match="table is empty"):
        figures.drift(level.iloc[:0], voices["corpus"].iloc[:0])


def test_a_variant_is_left_out_where_no_voice_has_anything_to_say(level):
    from paraclap.queries import Pool

    texts = variety.draw(Pool.build(level), range(len(level)), 16)
    assert "only emotion" not in set(texts["variant"])
    assert len(figures.growth(variety.growth(texts)).axes[0].lines) == len(variety.VARIANTS)


def test_repeats_count_the_pairs_whose_text_another_pair_has():
    texts = pd.DataFrame({"variant": "rand = 1", "text": list("aabc") + list("abcd") + ["a"]})
    assert variety.repeats(texts, 4)["repeated"].tolist() == [0.5, 0.0]


def test_growth_never_falls_and_ends_at_the_number_of_distinct_texts(texts):
    for variant, rows in variety.growth(texts).groupby("variant"):
        assert (np.diff(rows["distinct"]) >= 0).all()
        last = texts.loc[texts["variant"] == variant, "text"].nunique()
        assert rows["distinct"].iloc[-1] == last


def test_attributes_that_all_voices_have_are_spoken_of_equally_often(pool):
    share = variety.said(pool, list(range(len(pool))) * 40, 1, "paper")[1]
    assert share.sum() == pytest.approx(1)
    assert share.to_numpy() == pytest.approx(1 / len(share), abs=0.05)
