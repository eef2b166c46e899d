"""Where low ends and high begins, and on which rows that is decided."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from paraclap import tables
from paraclap.queries import FEATURES, LEVELS, Edges, assign_levels, fit_levels
from paraclap.queries.levels import load_edges, save_edges


def durations(values, **columns) -> pd.DataFrame:
    return pd.DataFrame({"duration": values, **columns})


def test_edges_are_the_30_and_70_percent_quantiles_worked_out_by_hand():
    # 0 … 10: the quantile q lies at 10 q. Of 1, 2, 4, 8 at place 3 q: 0.9 and 2.1.
    assert fit_levels(durations(np.arange(11.0))) == {"duration": (3.0, 7.0)}
    low, high = fit_levels(durations([8.0, 1.0, 4.0, 2.0]))["duration"]
    assert (low, high) == pytest.approx((1.9, 4.4))
    assert fit_levels(durations(np.arange(11.0))).quantiles == (0.3, 0.7)
    assert inspect.signature(fit_levels).parameters["quantiles"].default == (0.3, 0.7)


def test_other_quantiles_may_be_asked_for():
    edges = fit_levels(durations([0.0, 1.0]), (0.25, 0.5))
    assert edges == {"duration": (0.25, 0.5)}
    assert edges.quantiles == (0.25, 0.5)


def test_edges_come_from_the_train_split_alone():
    train = durations(np.arange(11.0), split="train")
    other = pd.concat([durations([1e6] * 50, split=name) for name in ("dev", "test")])
    assert fit_levels(pd.concat([other, train])) == {"duration": (3.0, 7.0)}


def test_a_value_on_an_edge_belongs_to_the_level_above_it():
    below, above = np.nextafter(3.0, 0), np.nextafter(7.0, 0)
    table = durations([-1e9, below, 3.0, above, 7.0, 1e9, np.nan])
    levels = assign_levels(table, {"duration": (3.0, 7.0)})["duration"]
    assert levels[:6].tolist() == ["low", "low", "normal", "normal", "high", "high"]
    assert pd.isna(levels[6])
    assert levels.cat.ordered
    assert levels.cat.categories.tolist() == ["low", "normal", "high"] == list(LEVELS)


def test_levels_stand_on_the_segments_of_the_values():
    table = durations([1.0, 9.0]).set_index(tables.segments(["/a.wav", "/b.wav"]))
    levels = assign_levels(table, {"duration": (3.0, 7.0)})
    assert levels.index.equals(table.index)
    assert levels["duration"].tolist() == ["low", "high"]


@pytest.mark.parametrize("name", FEATURES)
def test_each_attribute_is_read_from_its_own_column(name):
    table = pd.DataFrame({column: [5.0] for column in FEATURES.values()})
    edges = dict.fromkeys(FEATURES, (3.0, 7.0))
    table[FEATURES[name]] = 9.0
    levels = assign_levels(table, edges).iloc[0]
    assert levels[levels == "high"].index.tolist() == [name]


def test_the_columns_are_those_of_opensmile():
    assert FEATURES["pitch"] == "F0semitoneFrom27.5Hz_sma3nz_amean"
    assert FEATURES["pitch variation"] == "F0semitoneFrom27.5Hz_sma3nz_stddevNorm"
    assert FEATURES["intensity"] == "equivalentSoundLevel_dBp"
    assert FEATURES["loudness"] == "loudness_sma3_amean"
    assert FEATURES["jitter"] == "jitterLocal_sma3nz_amean"
    assert FEATURES["shimmer"] == "shimmerLocaldB_sma3nz_amean"


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


def test_missing_values_do_not_move_the_edges_and_empty_columns_have_none():
    gappy = np.insert(np.arange(11.0), [0, 5, 11], np.nan)
    assert fit_levels(durations(gappy, arousal=np.nan)) == {"duration": (3.0, 7.0)}
    typed = pd.Series([None, *np.arange(11.0)], dtype="Float64")
    assert fit_levels(durations(typed)) == {"duration": (3.0, 7.0)}


def test_attributes_without_spread_are_named_and_left_out(capsys):
    table = durations(np.arange(11.0), arousal=[4.0] * 8 + [1.0, 2.0, 7.0], dominance=1.0)
    assert list(fit_levels(table)) == ["duration"]
    assert capsys.readouterr().err.startswith("Left out arousal, dominance: most training rows")
    assert list(fit_levels(table, (0.1, 0.95))) == ["duration", "arousal"]
    assert list(fit_levels(table, attributes=["duration"])) == ["duration"]
    with pytest.raises(ValueError, match=r"Too little spread in arousal: .*Leave it out"):
        fit_levels(table, attributes=["duration", "arousal"])
    with pytest.raises(ValueError, match="Too little spread in dominance"):
        fit_levels(table[["dominance"]])


@pytest.mark.parametrize(
    ("features", "attributes", "message"),
    [
        (durations([1.0, np.inf]), None, r"No finite values of \['duration'\] in 2 rows"),
        (durations([1.0, 2.0], split="dev"), None, "in 0 rows of split 'train'"),
        (durations([]), None, "in 0 rows of split 'train'"),
        (durations([np.nan]), ["duration"], r"No finite values of \['duration'\]"),
        (pd.DataFrame({"a": [1.0]}), None, "extract the features"),
        (durations([1.0]), ["duratoin"], "Unknown attribute 'duratoin'.* mean 'duration'"),
        (durations([1.0]), ["pitch"], r"No column 'F0semi\S+' for 'pitch', got \['duration'\]"),
    ],
)
def test_bad_features_are_reported(features, attributes, message):
    with pytest.raises(ValueError, match=message):
        fit_levels(features, attributes=attributes)


@pytest.mark.parametrize("quantiles", [(0.7, 0.3), (0.5, 0.5), (0, 0.5), (0.5, 1), (0.5, 1.5)])
def test_quantiles_lie_between_0_and_1_the_lower_one_first(quantiles):
    with pytest.raises(ValueError, match=r"Bad quantiles .*expected 0 < low < high < 1"):
        fit_levels(durations(np.arange(11.0)), quantiles)


def test_assigning_names_the_column_that_is_absent():
    with pytest.raises(ValueError, match="No column 'loudness_sma3_amean' for 'loudness'"):
        assign_levels(durations([1.0]), {"loudness": (0.0, 1.0)})


def test_edges_come_back_from_disk_to_the_last_bit(tmp_path):
    edges = Edges({"pitch": (np.pi * 1e-9, 1 / 3), "duration": (-0.1, 0.2)})
    edges.quantiles = (1 / 3, 2 / 3)
    again = load_edges(save_edges(edges, tmp_path / "edges.json"))
    assert again == edges
    assert again.quantiles == edges.quantiles


def test_the_file_of_edges_names_quantiles_and_columns(tmp_path):
    path = save_edges(fit_levels(durations(np.arange(11.0))), tmp_path / "edges.json")
    content = json.loads(path.read_text())
    assert content["quantiles"] == [0.3, 0.7]
    assert content["attributes"] == {"duration": {"column": "duration", "low": 3.0, "high": 7.0}}


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '{"quantiles": [0.3, 0.7]}',
        '{"quantiles": [0.7, 0.3], "attributes": {}}',
        '{"quantiles": [0.3, 0.7], "attributes": {"pitch": 1}}',
        '{"quantiles": [0.3, 0.7], "attributes": {"pitch": {"low": 2, "high": 1}}}',
        '{"quantiles": [0.3, 0.7], "attributes": {"pitch": {"low": 1, "high": 1}}}',
        '{"quantiles": [0.3, 0.7], "attributes": {"ptich": {"low": 1, "high": 2}}}',
    ],
)
def test_a_file_without_complete_edges_is_reported(tmp_path, text):
    path = tmp_path / "edges.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"edges\.json' is not a complete file of edges, expected"):
        load_edges(path)
    with pytest.raises(FileNotFoundError, match=r"no\.json"):
        load_edges(tmp_path / "no.json")
