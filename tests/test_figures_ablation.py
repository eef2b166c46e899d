"""The figures of the ablation put the variants side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paraclap.figures import ablation as figures


@pytest.fixture
def table() -> pd.DataFrame:
    rows = []
    for place, variant in enumerate(("no_emo_rand5", "only_emo", "rand5")):
        for kind, task, chance in (
            ("task", "a", 0.25),
            ("task", "b", 0.5),
            ("attribute", "pitch", 0.5),
        ):
            uar = 0.5 + place / 10
            rows.append([variant, kind, task, chance, 30, uar, uar - 0.05, uar + 0.05])
    names = ["variant", "kind", "task", "chance", "n", "uar", "uar_low", "uar_high"]
    return pd.DataFrame(rows, columns=names)


def test_the_best_is_bold_and_the_second_underlined(table):
    html = figures.side_by_side(table).to_html()
    assert html.count("font-weight: bold") == 1 and "text-decoration: underline" in html
    shown = figures.side_by_side(table).data
    assert list(shown) == ["task", "no emotion, rand 5", "only emotion", "rand 5", "chance"]
    assert shown["task"].tolist() == ["a", "b"]


def test_missing_scores_and_ties_are_marked_rightly():
    row = pd.Series([0.5, np.nan, 0.5, 0.4])
    looks = figures._marks(row)
    assert looks == ["font-weight: bold", "", "font-weight: bold", "text-decoration: underline"]


@pytest.mark.parametrize(("kind", "tasks"), [("task", 2), ("attribute", 1)])
def test_each_variant_has_its_points_and_chance(table, kind, tasks):
    ax = figures.by_variant(table, kind).axes[0]
    assert [container.get_label() for container in ax.containers] == [
        "no emotion, rand 5",
        "only emotion",
        "rand 5",
    ]
    assert len(ax.containers[0][0].get_xdata()) == tasks
    assert "chance" in [shown.get_text() for shown in ax.get_legend().get_texts()]


def test_confusions_stand_side_by_side_or_a_sentence(capsys):
    one = pd.DataFrame({"corpus": "a", "truth": list("xy"), "prediction": list("xx")})
    fig = figures.without_and_with({"only_emo": one, "rand5": one}, "a", ["x", "y"])
    assert [ax.get_title() for ax in fig.axes] == ["only emotion", "rand 5"]
    figures.without_and_with({"rand5": one}, "tess-like", [])
    assert "no task tess-like" in capsys.readouterr().out


def test_curves_hold_every_variant_and_chance():
    one = pd.DataFrame({"step": range(4), "loss": 1.0, "dev_uar": [np.nan, 0.4, np.nan, 0.5]})
    loss, dev = figures.curves({"rand1": one, "rand5": one}, 8).axes
    assert loss.lines[-1].get_ydata()[0] == pytest.approx(np.log(8))
    assert len(loss.lines) == 3 and len(dev.lines) == 2
    with pytest.raises(ValueError, match="Nothing to draw"):
        figures.curves({}, 8)


def test_an_empty_table_is_an_error(table):
    with pytest.raises(ValueError, match="Nothing to draw"):
        figures.side_by_side(table.head(0))
