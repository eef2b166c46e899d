"""The figures of training show what the tables say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paraclap.figures import training as figures


@pytest.fixture
def curves() -> pd.DataFrame:
    steps = np.arange(40)
    dev = np.where((steps + 1) % 10 == 0, 0.3 + steps / 100, np.nan)
    return pd.DataFrame(
        {
            "step": steps,
            "loss": 4.0 - steps / 20,
            "temperature": 14.0,
            "learning_rate": 1e-3,
            "distinct_texts": 60 + steps % 4,
            "dev_uar": dev,
        }
    )


def lines(ax) -> dict[str, float]:
    """Height of each horizontal line by its label."""
    return {line.get_label(): line.get_ydata()[0] for line in ax.lines}


def test_loss_is_drawn_with_the_chance_of_the_batch(curves):
    ax = figures.losses(curves, 64).axes[0]
    assert lines(ax)["chance, ln 64"] == pytest.approx(np.log(64))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "loss (nats)")
    assert len(ax.lines[0].get_xdata()) == 40


def test_dev_scores_mark_the_kept_model(curves):
    curves.loc[19, "dev_uar"] = 0.9
    ax = figures.dev_scores(curves, 4).axes[0]
    assert lines(ax)["chance"] == 0.25
    assert ax.collections[0].get_offsets().tolist() == [[19.0, 0.9]]
    assert len(ax.lines[0].get_xdata()) == 4


def test_without_a_dev_score_a_sentence_stands_there(curves, capsys):
    figures.dev_scores(curves.assign(dev_uar=np.nan), 1)
    assert "no dev score" in capsys.readouterr().out


def test_rates_are_drawn(curves):
    assert [ax.get_ylabel() for ax in figures.rates(curves).axes] == [
        "temperature (factor)",
        "learning rate of the heads",
    ]


def test_similarities_are_drawn_side_by_side():
    matrix = np.eye(4, 2, dtype=np.float32)
    fig = figures.voices_against_words(
        {"before": matrix, "after": -matrix}, list("aabb"), {"a": "angry", "b": "sad"}
    )
    shown = [ax for ax in fig.axes if ax.images]
    assert [ax.get_title() for ax in shown] == ["before", "after"]
    assert shown[0].images[0].get_array().shape == (4, 2)
    assert [text.get_text() for text in shown[0].get_xticklabels()] == ["angry", "sad"]


def test_queries_and_pairs_are_drawn():
    square = np.eye(3, dtype=np.float32)
    fig = figures.queries_against_queries({"before": square, "after": square}, list("xyz"))
    assert fig.axes[0].images[0].get_array().shape == (3, 3)
    pairs = figures.pairs_and_others({"before": square}).axes[0]
    assert pairs.get_xlabel() == "cosine of voice and text"


def test_nothing_to_draw_is_an_error(curves):
    for draw in (figures.losses, figures.dev_scores):
        with pytest.raises(ValueError, match="Nothing to draw"):
            draw(curves.head(0), 4)
    with pytest.raises(ValueError, match="Nothing to draw"):
        figures.pairs_and_others({})
    with pytest.raises(ValueError, match="Bad shape"):
        figures.queries_against_queries({"a": np.eye(3)}, ["x", "y"])
