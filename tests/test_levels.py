"""Claims about levels: where the edges come from and what lies between them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from paraclap import levels
from paraclap.tables import segments

FILES = [f"/voices/{i}.wav" for i in range(11)]


def durations(values, **columns) -> pd.DataFrame:
    return pd.DataFrame({"duration": values, **columns})


def test_edges_are_linear_quantiles():
    assert levels.fit(durations(np.arange(11.0))) == {"duration": (3.0, 7.0)}
    assert levels.fit(durations([0.0, 1.0]), (0.25, 0.5)) == {"duration": (0.25, 0.5)}


def test_edges_use_train_only():
    train = durations(np.arange(11.0), split="train")
    other = pd.concat([durations([1e6] * 50, split=name) for name in ("dev", "test")])
    assert levels.fit(pd.concat([train, other])) == levels.fit(train)


def test_low_is_below_high_is_at_or_above():
    table = durations([2.99, 3.0, 6.99, 7.0, np.nan]).set_index(segments(FILES[:5]))
    found = levels.assign(table, {"duration": (3.0, 7.0)})["duration"]
    assert found[:4].tolist() == ["low", "normal", "normal", "high"]
    assert pd.isna(found.iloc[4])
    assert found.index.equals(table.index)
    assert list(found.cat.categories) == list(levels.LEVELS)
    assert found.cat.ordered


def test_missing_values_do_not_move_the_edges():
    values = np.arange(11.0)
    gappy = np.insert(values, [0, 5, 11], np.nan)
    assert levels.fit(durations(gappy)) == levels.fit(durations(values))


def test_empty_columns_are_left_out():
    table = durations(np.arange(11.0), arousal=np.nan)
    assert list(levels.fit(table)) == ["duration"]


def test_attributes_that_hardly_vary_are_named_and_left_out(capsys):
    table = durations(np.arange(11.0), arousal=[4.0] * 8 + [1.0, 2.0, 7.0], valence=np.nan)
    assert levels.varying(table) == ["duration"]
    assert capsys.readouterr().out.startswith("Left out arousal: ")
    assert levels.varying(table, (0.1, 0.95)) == ["duration", "arousal"]


@given(npst.arrays(float, st.integers(40, 200), elements=st.floats(-1e3, 1e3), unique=True))
def test_shares_are_30_40_30(values):
    table = durations(values)
    found = levels.assign(table, levels.fit(table))["duration"].value_counts()
    assert abs(found["low"] / len(values) - 0.3) < 1.5 / len(values)
    assert abs(found["high"] / len(values) - 0.3) < 1.5 / len(values)


@given(st.floats(-1e6, 1e6), st.floats(1e-9, 1e6))
def test_saved_edges_come_back_to_the_last_bit(tmp_path_factory, low, width):
    path = tmp_path_factory.mktemp("edges") / "edges.json"
    edges = levels.Edges({"pitch": (low, low + width), "duration": (0.1, 0.2)}, (1 / 3, 2 / 3))
    levels.save(edges, path)
    again = levels.load(path)
    assert again == edges
    assert again.quantiles == edges.quantiles
    assert again.columns == edges.columns


def test_saved_edges_name_quantiles_and_columns(tmp_path):
    path = levels.save(levels.fit(durations(np.arange(11.0))), tmp_path / "edges.json")
    content = json.loads(path.read_text())
    assert content["quantiles"] == [0.3, 0.7]
    assert content["attributes"] == {"duration": {"column": "duration", "low": 3.0, "high": 7.0}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"features": durations([1.0] * 9)}, "spread in 'duration'.*attributes="),
        ({"features": durations([1.0, np.inf])}, "Infinite duration in 1 rows"),
        ({"features": durations([1.0], split="test")}, "No training rows.*'test'"),
        ({"features": pd.DataFrame({"x": [1.0]})}, "No column to fit.*'x'"),
        ({"features": durations([1.0, 2.0]), "quantiles": (0.7, 0.3)}, "Bad quantiles"),
        ({"features": durations([1.0, 2.0]), "attributes": ["duratoin"]}, "mean 'duration'"),
        ({"features": durations([1.0, 2.0]), "attributes": ["pitch"]}, "No column 'F0semitone"),
        ({"features": durations([np.nan]), "attributes": ["duration"]}, "No training row has"),
    ],
)
def test_bad_features_are_reported(arguments, message):
    with pytest.raises(ValueError, match=message):
        levels.fit(**arguments)


def test_assign_names_the_column_that_is_not_there():
    with pytest.raises(ValueError, match="No column 'loudness_sma3_amean'"):
        levels.assign(durations([1.0]), {"loudness": (0.0, 1.0)})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "JSON"),
        ("[]", "version None"),
        ('{"version": 99}', "version 99, expected 1"),
        ('{"version": 1, "quantiles": [0.3, 0.7]}', "not a complete file of edges"),
        ('{"version": 1, "quantiles": [0.3, 0.7], "attributes": {"a": 1}}', "not a complete"),
    ],
)
def test_bad_edges_files_are_reported(tmp_path, text, message):
    path = tmp_path / "edges.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        levels.load(path)


def test_absent_edges_file_is_reported(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"edges\.json"):
        levels.load(tmp_path / "edges.json")
