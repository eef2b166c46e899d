"""Figures of speeds and costs agree with the tables they are drawn from."""

from __future__ import annotations

import pandas as pd
import pytest

from paraclap import scaling, stopwatch
from paraclap.figures import scaling as figures
from paraclap.scaling import Stage


def measured() -> pd.DataFrame:
    rows = [
        ("features", "hours of speech/h", 1, 0.1, 360, 7.2, 50.0, 45.0, 51.0, 3, 50.0),
        ("features", "hours of speech/h", 2, 0.1, 360, 3.8, 95.0, 90.0, 99.0, 3, 95.0),
        ("queries", "rows/s", 1, 5e4, 1e5, 1.0, 5e4, 4e4, 6e4, 3, 1e5),
    ]
    return pd.DataFrame(rows, columns=stopwatch.COLUMNS)


def reckoned() -> pd.DataFrame:
    stages = [
        Stage("features", "core", 50.0),
        Stage("queries", "core", 1e5, most=1),
        Stage("training", "GPU", 5000.0, passes=50),
    ]
    return scaling.costs(stages, [110, 10_000, 1_000_000], cores=64, gpus=8)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0, "0"),
        (0.012345, "0.0123"),
        (9.999, "10"),
        (50.0, "50"),
        (45678.9, "45,700"),
        (float("nan"), "-"),
    ],
)
def test_numbers_have_three_digits_and_no_powers_of_ten(value, told):
    assert figures.number(value) == told


@pytest.mark.parametrize(("value", "told"), [(1e-4, "0.0001"), (1.0, "1"), (1e6, "1,000,000")])
def test_axes_show_powers_of_ten_as_plain_numbers(value, told):
    (ax,) = figures.throughput(measured()).axes
    assert ax.xaxis.get_major_formatter()(value, 0) == told


def test_a_table_is_shown_in_plain_numbers():
    table = pd.DataFrame({"stage": ["x"], "rate": [1234567.0], "cores": [64]})
    html = figures.readable(table).to_html()
    assert "1,230,000" in html
    assert ">64<" in html


def test_each_measurement_has_a_bar_as_long_as_its_speed():
    (ax,) = figures.throughput(measured()).axes
    assert [bar.get_width() for bar in ax.patches] == [50.0, 95.0, 1e5]
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    assert names == ["features, 1 core", "features, 2 cores", "queries, 1 core"]
    assert ax.get_xscale() == "log"


def test_lines_of_several_processes_stand_beside_the_ideal():
    (ax,) = figures.processes(stopwatch.efficiency(measured())).axes
    ideal, own = ax.lines
    assert ideal.get_ydata() == pytest.approx([1, 2])
    assert own.get_ydata() == pytest.approx([1, 1.9])
    assert own.get_label() == "features"


def test_one_core_has_no_second_to_compare(capsys):
    figures.processes(stopwatch.efficiency(measured()[:1]))
    assert "given one core" in capsys.readouterr().out


def test_costs_have_a_bar_for_each_step_and_amount_in_both_panels():
    table = reckoned()
    work, clock = figures.costs(table).axes
    for ax, column in ((work, "device_hours"), (clock, "wall_hours")):
        assert sorted(bar.get_width() for bar in ax.patches) == sorted(table[column])
        assert ax.get_xscale() == "log"
    assert [tick.get_text() for tick in work.get_yticklabels()] == [
        "features (64 cores)",
        "queries (one core)",
        "training (8 GPUs)",
    ]


def test_storage_has_a_bar_for_each_thing_and_amount():
    table = scaling.storage({"audio store": scaling.STORE}, {"checkpoint": 3e9}, [110, 10_000])
    (ax,) = figures.storage(table).axes
    assert sorted(bar.get_width() for bar in ax.patches) == sorted(table["gigabytes"])
    assert "1,150" in [text.get_text() for text in ax.texts]


def test_a_figure_of_nothing_says_what_lacks():
    with pytest.raises(ValueError, match="the table is empty"):
        figures.throughput(measured()[:0])
