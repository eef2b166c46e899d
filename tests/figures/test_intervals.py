"""The chart of intervals draws what the table holds, where it belongs."""

import numpy as np
import pandas as pd
import pytest

from paraclap.figures import style
from paraclap.figures.intervals import intervals


@pytest.fixture
def table():
    rows = [
        ("iemocap", "zero-shot", 0.5, 0.4, 0.7, 0.25),
        ("iemocap", "logistic", 0.6, 0.5, 0.65, 0.25),
        ("tess", "zero-shot", 0.4, np.nan, np.nan, 1 / 7),
        ("tess", "logistic", np.nan, np.nan, np.nan, 1 / 7),
    ]
    return pd.DataFrame(rows, columns=["task", "system", "uar", "uar_low", "uar_high", "chance"])


def marks(ax):
    return {bar.get_label(): bar[0].get_xydata() for bar in ax.containers}


def bars(ax, number=0):
    return [path.vertices[:, 0].tolist() for path in ax.containers[number][2][0].get_paths()]


def test_each_value_has_its_mark_in_its_row_and_its_interval(table):
    ax = intervals(table, "uar", "task", "system").axes[0]
    found = marks(ax)
    assert found["zero-shot"][:, 0].tolist() == [0.5, 0.4]
    assert found["logistic"][:, 0].tolist() == [0.6]
    assert found["zero-shot"][:, 1].round().tolist() == [0, 1]
    assert bars(ax) == [pytest.approx([0.4, 0.7]), pytest.approx([0.4, 0.4])]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["iemocap", "tess"]
    assert ax.yaxis_inverted()


def test_chance_stands_in_each_row_or_as_one_line(table):
    for chance, places in (("chance", {(0.25, 0.0), (1 / 7, 1.0)}), (0.5, {(0.5, 0), (0.5, 1)})):
        ax = intervals(table, "uar", "task", "system", chance=chance).axes[0]
        line = next(one for one in ax.get_lines() if one.get_label() == "chance")
        assert set(zip(*line.get_data(), strict=True)) == places


def test_panels_share_rows_and_keep_their_own_values(table):
    both = pd.concat([table.assign(kind="a"), table.assign(kind="b", uar=table["uar"] + 0.1)])
    first, second = intervals(both, "uar", "task", "system", "kind").axes
    assert (first.get_title(), second.get_title()) == ("a", "b")
    assert marks(second)["zero-shot"][:, 0].tolist() == pytest.approx([0.6, 0.5])


def test_ends_and_colours_can_be_named():
    table = pd.DataFrame({"pair": ["x - y"], "difference": [0.1], "low": [-0.1], "high": [0.2]})
    table["real"] = False
    colours = {"False": style.GREY, "True": style.BLUE}
    named = {"ends": ("low", "high"), "colours": colours, "chance": 0.0}
    ax = intervals(table, "difference", "pair", "real", **named).axes[0]
    assert ax.containers[0][0].get_color() == style.GREY
    assert bars(ax) == [pytest.approx([-0.1, 0.2])]
