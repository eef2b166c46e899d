"""Where low ends and high begins, and on which rows that is decided."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from paraclap import tables
from paraclap.queries import FEATURES, LEVELS, assign_levels, fit_levels, load_edges, save_edges


def durations(values, **columns):
    return pd.DataFrame({"duration": values, **columns})


def test_edges_are_the_30_and_70_percent_quantiles_worked_out_by_hand():
    # 0 … 10: the quantile q lies at 10 q. Of 1, 2, 4, 8 at place 3 q: 0.9 and 2.1.
    assert fit_levels(durations(np.arange(11.0))) == {"duration": (3.0, 7.0)}
    low, high = fit_levels(durations([8.0, 1.0, 4.0, 2.0]))["duration"]
    assert (low, high) == pytest.approx((1.9, 4.4))
    assert fit_levels(durations([0.0, 1.0]), (0.25, 0.5)) == {"duration": (0.25, 0.5)}


def test_neither_other_splits_nor_missing_values_move_the_edges_and_empty_columns_have_none():
    other = pd.concat([durations([1e6] * 50, split=name) for name in ("dev", "test")])
    gappy = np.insert(np.arange(11.0), [0, 5, 11], np.nan)
    typed = pd.Series([None, *np.arange(11.0)], dtype="Float64")
    train = pd.concat([other, durations(np.arange(11.0), split="train")])
    for table in (train, durations(gappy, arousal=np.nan), durations(typed)):
        assert fit_levels(table) == {"duration": (3.0, 7.0)}


def test_a_value_on_an_edge_belongs_to_the_level_above_it():
    below, above = np.nextafter(3.0, 0), np.nextafter(7.0, 0)
    table = durations([-1e9, below, 3.0, above, 7.0, 1e9, np.nan])
    levels = assign_levels(table, {"duration": (3.0, 7.0)})["duration"]
    assert levels[:6].tolist() == ["low", "low", "normal", "normal", "high", "high"]
    assert pd.isna(levels[6])
    assert levels.cat.ordered
    assert levels.cat.categories.tolist() == ["low", "normal", "high"] == list(LEVELS)
    placed = table.set_index(tables.segments([f"/{row}.wav" for row in table.index]))
    assert assign_levels(placed, {"duration": (3.0, 7.0)}).index.equals(placed.index)


def test_each_attribute_is_read_from_its_own_column():
    for name, own in FEATURES.items():
        table = pd.DataFrame({column: [5.0] for column in FEATURES.values()}).assign(**{own: 9.0})
        levels = assign_levels(table, dict.fromkeys(FEATURES, (3.0, 7.0))).iloc[0]
        assert levels[levels == "high"].index.tolist() == [name]


@settings(deadline=None)
@given(
    npst.arrays(np.float32, st.integers(3, 50), elements=st.floats(-1e3, 1e3, width=32)),
    st.sampled_from([(0.3, 0.7), (0.1, 0.9), (0.25, 0.5)]),
)
def test_edges_and_levels_equal_plain_numpy_on_doubles(values, quantiles):
    low, high = np.quantile(values.astype(float), quantiles)
    if low < high:
        edges = fit_levels(durations(values), quantiles)
        assert edges == {"duration": (low, high)}
        names = [LEVELS[int(v >= low) + int(v >= high)] for v in values.astype(float)]
        assert assign_levels(durations(values), edges)["duration"].tolist() == names


def test_attributes_without_spread_are_named_and_left_out(capsys):
    table = durations(np.arange(11.0), arousal=[4.0] * 8 + [1.0, 2.0, 7.0], dominance=1.0)
    assert list(fit_levels(table)) == ["duration"]
    assert capsys.readouterr().err.startswith("Left out arousal, dominance: most training rows")
    assert list(fit_levels(table, (0.1, 0.95))) == ["duration", "arousal"]
    with pytest.raises(ValueError, match=r"too little spread: \['dominance'\]"):
        fit_levels(table[["dominance"]])


BAD = "Bad quantiles .*expected 0 < low < high < 1"


@pytest.mark.parametrize(
    ("features", "quantiles", "message"),
    [
        (durations([1.0, 2.0], split="dev"), (0.3, 0.7), "in 0 rows of split 'train'"),
        (durations([np.nan]), (0.3, 0.7), "No levels in 1 rows"),
        (pd.DataFrame({"a": [1.0]}), (0.3, 0.7), "expected values of any of"),
        *((durations(np.arange(11.0)), bad, BAD) for bad in ((0.7, 0.3), (0.5, 0.5))),
        *((durations(np.arange(11.0)), bad, BAD) for bad in ((0, 0.5), (0.5, 1))),
    ],
)
def test_features_without_levels_and_bad_quantiles_are_reported(features, quantiles, message):
    with pytest.raises(ValueError, match=message):
        fit_levels(features, quantiles)


def test_edges_come_back_from_disk_to_the_last_bit(tmp_path):
    edges = {"pitch": (np.pi * 1e-9, 1 / 3), "duration": (-0.1, 0.2)}
    path = save_edges(edges, tmp_path / "edges.json")
    assert load_edges(path) == edges
    row = {"column": "duration", "low": -0.1, "high": 0.2}
    assert json.loads(path.read_text())["duration"] == row


@pytest.mark.parametrize("text", ["[]", '{"pitch": 1}', '{"pitch": {"low": 2}}', '{"pitch": {}}'])
def test_a_file_without_complete_edges_is_reported(tmp_path, text):
    path = tmp_path / "edges.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"edges\.json' holds no edges \(low, high\): fit"):
        load_edges(path)
    with pytest.raises(FileNotFoundError, match=r"no\.json"):
        load_edges(tmp_path / "no.json")
