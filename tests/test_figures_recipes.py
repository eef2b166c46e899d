"""Figures of the recipes agree with the tables they are drawn from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paraclap import comparison, variety
from paraclap.figures import recipes as figures
from paraclap.queries import Pool


def table(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    names = ["pitch variation", "intensity", "loudness", "jitter", "shimmer"]
    found = pd.DataFrame({name: rng.choice(["low", "normal", "high"], rows) for name in names})
    return found.assign(emotion="anger", gender=None)


def test_each_false_sentence_has_a_bar_as_long_as_its_share() -> None:
    false = {name: variety.falsehoods(table(), name) for name in ("paper", "released")}
    fig = figures.falsehoods(false)
    (ax,) = fig.axes  # the paper's set says nothing false
    assert ax.get_title() == "released"
    assert [bar.get_width() for bar in ax.patches] == pytest.approx(
        (100 * false["released"].mean()).tolist()
    )


def test_no_false_sentence_is_a_note(capsys: pytest.CaptureFixture[str]) -> None:
    figures.falsehoods({"paper": variety.falsehoods(table(), "paper")})
    assert "No sentence of these sets is false" in capsys.readouterr().out


def test_lengths_have_a_row_for_each_way_of_joining() -> None:
    pools = {name: Pool.from_table(table(), name) for name in ("paper", "released-fixed")}
    texts = variety.lengths(pools, range(50), {"a few": "rand", "all": "all"})
    assert len(texts) == 200
    means = texts.groupby("join")["words"].mean()
    assert means["all"] > 2 * means["a few"]
    (ax,) = figures.text_lengths(texts).axes
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a few", "all"]


def cells() -> pd.DataFrame:
    rows = [
        (recipe, "paper", seed, task, 0.5, 10, 0.6, 0.5, 0.7)
        for recipe in ("paper", "released")
        for seed in ("0", "1", comparison.TOGETHER)
        for task in ("x", "y", "z")
    ]
    return pd.DataFrame(rows, columns=comparison.COLUMNS)


def test_answers_have_an_interval_a_cell_and_a_cross_a_seed() -> None:
    fig = figures.answers(cells())
    (ax,) = fig.axes
    assert len(ax.containers) == 2
    crosses = [line for line in ax.lines if line.get_marker() == "x"]
    assert sum(len(line.get_xdata()) for line in crosses) == 12


def test_curves_have_a_line_a_cell_on_the_share_of_their_steps() -> None:
    short, long = (
        pd.DataFrame({"step": range(n), "loss": 2.0, "temperature": 14.0}) for n in (5, 20)
    )
    fig = figures.curves({("paper", "paper"): short, ("released", "paper"): long})
    for ax in fig.axes:
        assert [line.get_xdata()[-1] for line in ax.lines] == [100, 100]


def test_nothing_trained_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    figures.curves({})
    figures.answers(pd.DataFrame(columns=comparison.COLUMNS))
    assert capsys.readouterr().out.count("No recipe was trained in this run") == 2
