"""Claims about levels: where the edges come from and what lies between them."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from paraclap import levels
from paraclap.leakage import rows_of
from paraclap.tables import is_current, segments, short

FILES = [f"/voices/{i}.wav" for i in range(11)]


def durations(values, **columns) -> pd.DataFrame:
    return pd.DataFrame({"duration": values, **columns})


def whole(message: str) -> str:
    """A pattern that only the whole message fits."""
    return f"^{re.escape(message)}$"


def test_edges_are_linear_quantiles():
    assert levels.fit(durations(np.arange(11.0))) == {"duration": (3.0, 7.0)}
    quarter = levels.fit(durations([0.0, 1.0]), (0.25, 0.5))
    assert quarter == {"duration": (0.25, 0.5)}
    assert quarter.quantiles == (0.25, 0.5)


def test_edges_use_train_only():
    train = durations(np.arange(11.0), split="train")
    other = pd.concat([durations([1e6] * 50, split=name) for name in ("dev", "test")])
    assert levels.fit(pd.concat([train, other])) == levels.fit(train)


def test_edges_note_the_training_segments_they_were_fitted_on():
    table = durations(np.arange(11.0), split=["train"] * 9 + ["test"] * 2).set_index(
        segments(FILES)
    )
    assert levels.fit(table).fitted_on == rows_of(table.index[:9])


def test_attributes_asked_for_are_fitted_and_no_others():
    table = durations(np.arange(11.0), arousal=np.arange(11.0), valence=np.arange(11.0))
    assert list(levels.fit(table, attributes=["valence", "duration"])) == ["valence", "duration"]


@pytest.mark.parametrize("kind", ["float32", "Float64", "object"])
def test_the_type_of_a_column_moves_neither_edges_nor_levels(kind):
    column = pd.Series([0.1, None, *np.linspace(0.3, 7.7, 30)], dtype=kind)
    plain, typed = durations(column.astype(float)), durations(column)
    edges = levels.fit(plain)
    assert levels.fit(typed) == edges
    assert levels.varying(typed) == ["duration"]
    pd.testing.assert_frame_equal(levels.assign(typed, edges), levels.assign(plain, edges))


def test_low_is_below_high_is_at_or_above():
    table = durations([2.99, 3.0, 6.99, 7.0, np.nan]).set_index(segments(FILES[:5]))
    found = levels.assign(table, {"duration": (3.0, 7.0)})["duration"]
    assert found[:4].tolist() == ["low", "normal", "normal", "high"]
    assert pd.isna(found.iloc[4])
    assert found.index.equals(table.index)
    assert list(found.cat.categories) == list(levels.LEVELS)
    assert found.cat.ordered


def test_levels_are_read_from_the_columns_that_the_edges_name():
    table = durations([2.0, 8.0], length=[8.0, 2.0])
    edges = levels.Edges({"duration": (3.0, 7.0)}, columns={"duration": "length"})
    assert levels.assign(table, edges)["duration"].tolist() == ["high", "low"]


def test_missing_values_do_not_move_the_edges():
    values = np.arange(11.0)
    gappy = np.insert(values, [0, 5, 11], np.nan)
    assert levels.fit(durations(gappy)) == levels.fit(durations(values))


def test_empty_columns_are_left_out():
    table = durations(np.arange(11.0), arousal=np.nan)
    assert list(levels.fit(table)) == ["duration"]


def test_attributes_that_hardly_vary_are_named_and_left_out(capsys):
    rated = [4.0] * 8 + [1.0, 2.0, 7.0]
    table = durations(np.arange(11.0), arousal=rated, valence=np.nan, dominance=1.0)
    assert levels.varying(table) == ["duration"]
    said = "Left out arousal, dominance: most training segments have the same value.\n"
    assert capsys.readouterr().out == said
    assert levels.varying(table, (0.1, 0.95)) == ["duration", "arousal"]


@given(npst.arrays(float, st.integers(40, 200), elements=st.floats(-1e3, 1e3), unique=True))
def test_shares_are_30_40_30(values):
    table = durations(values)
    found = levels.assign(table, levels.fit(table))["duration"].value_counts()
    assert abs(found["low"] / len(values) - 0.3) < 1.5 / len(values)
    assert abs(found["high"] / len(values) - 0.3) < 1.5 / len(values)


@settings(max_examples=30, deadline=None)  # each writes and syncs two files
@given(st.floats(-1e6, 1e6), st.floats(1e-9, 1e6))
def test_saved_edges_come_back_to_the_last_bit(tmp_path_factory, low, width):
    path = tmp_path_factory.mktemp("edges") / "edges.json"
    both = {"pitch": (low, low + width), "duration": (0.1, 0.2)}
    columns, rows = {"pitch": "f0", "duration": "length"}, rows_of(segments(FILES))
    edges = levels.Edges(both, (1 / 3, 2 / 3), columns, rows)
    levels.save(edges, path)
    again = levels.load(path)
    assert again == edges
    assert again.quantiles == edges.quantiles
    assert again.columns == columns
    assert again.fitted_on == rows


def test_saved_edges_name_quantiles_and_columns(tmp_path):
    path = levels.save(levels.fit(durations(np.arange(11.0))), tmp_path / "edges.json")
    content = json.loads(path.read_text())
    assert content["quantiles"] == [0.3, 0.7]
    assert content["attributes"] == {"duration": {"column": "duration", "low": 3.0, "high": 7.0}}


def test_edges_of_unknown_segments_are_saved_without_them(tmp_path):
    path = levels.save(levels.Edges({"duration": (1.0, 2.0)}), tmp_path / "edges.json")
    assert "fitted_on" not in json.loads(path.read_text())
    assert levels.load(path).fitted_on is None


def test_saved_edges_keep_the_key_of_what_they_were_made_from(tmp_path):
    edges = levels.Edges({"duration": (1.0, 2.0)})
    for name, key in (("plain.json", ()), ("keyed.json", ("abc",))):
        path = levels.save(edges, tmp_path / name, *key)
        assert [is_current(path, one) for one in ("", "abc")] == [not key, bool(key)]


OTHERS = pd.DataFrame(1.0, index=[0], columns=list("abcdef"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"features": durations([1.0] * 9 + [np.nan])},
            "Too little spread in 'duration': its 30% and 70% quantiles over 9 training rows are "
            "both 1, so low and high are the same. Leave it out: fit(features, attributes=[... "
            "without 'duration']).",
        ),
        (
            {"features": durations([1.0, np.inf, -np.inf], split="train")},
            "Infinite duration in 2 rows (first: 1), expected finite values: leave these segments "
            "out.",
        ),
        (
            {"features": durations([1.0, 2.0, 3.0], split=["test", "dev", "test"])},
            "No training rows to fit the levels on (3 rows, splits ['dev', 'test']), expected some "
            "of split 'train': mark them in the corpus table.",
        ),
        (
            {"features": durations([])},
            "No training rows to fit the levels on (0 rows, splits []), expected some of split "
            "'train': mark them in the corpus table.",
        ),
        (
            {"features": OTHERS},
            "No column to fit levels on, got ['a', 'b', 'c', 'd', 'e'], expected any of "
            f"{list(levels.FEATURES.values())}: extract the features first.",
        ),
        (
            {"features": durations([1.0, 2.0]), "attributes": ["duratoin"]},
            f"Unknown attribute 'duratoin', expected one of {list(levels.FEATURES)}. "
            "Did you mean 'duration'?",
        ),
        (
            {"features": OTHERS, "attributes": ["loudness"]},
            "No column 'loudness_sma3_amean' for the attribute 'loudness', got "
            "['a', 'b', 'c', 'd', 'e'] ...: add it.",
        ),
        (
            {"features": durations([np.nan]), "attributes": ["duration"]},
            "No training row has a value of duration: leave it out of attributes.",
        ),
    ],
)
def test_bad_features_are_reported(arguments, message):
    with pytest.raises(ValueError, match=whole(message)):
        levels.fit(**arguments)


@pytest.mark.parametrize("quantiles", [(0.7, 0.3), (0.5, 0.5), (0, 0.5), (0.5, 1), (0.5, 1.5)])
def test_quantiles_lie_between_0_and_1_and_the_lower_comes_first(quantiles):
    message = f"Bad quantiles {quantiles}, expected 0 < low < high < 1, as (0.3, 0.7)."
    with pytest.raises(ValueError, match=whole(message)):
        levels.fit(durations(np.arange(11.0)), quantiles)


def test_assign_names_the_column_that_is_not_there():
    message = (
        "No column 'loudness_sma3_amean' for the attribute 'loudness', got ['duration'] ...: "
        "add it."
    )
    with pytest.raises(ValueError, match=whole(message)):
        levels.assign(durations([1.0]), {"loudness": (0.0, 1.0)})


WITHOUT = '{"version": 1, "quantiles": [0.3, 0.7]'
OTHER = "edges.json holds edges of version {}, expected 1: fit the levels again."
PARTIAL = "edges.json is not a complete file of edges: fit the levels again."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", OTHER.format(None)),
        ('{"version": 99}', OTHER.format(99)),
        (WITHOUT + "}", PARTIAL),
        (WITHOUT + ', "attributes": {"a": 1}}', PARTIAL),
        (WITHOUT + ', "attributes": {}, "fitted_on": 7}', PARTIAL),
    ],
)
def test_bad_edges_files_are_reported(tmp_path, text, message):
    path = tmp_path / "edges.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"{re.escape(message)}$") as caught:
        levels.load(path)
    assert str(caught.value).startswith(short(path))


def test_a_file_of_edges_that_is_not_json_is_reported(tmp_path):
    (tmp_path / "edges.json").write_text("{")
    with pytest.raises(ValueError, match=r"edges\.json' as JSON"):
        levels.load(tmp_path / "edges.json")


@pytest.mark.parametrize("ends", [(2, 1), (1, 1), (-np.inf, 1), (1, np.inf), (np.nan, 1)])
def test_edges_that_are_no_interval_are_reported(tmp_path, ends):
    path, names = tmp_path / "edges.json", [*levels.FEATURES][:6]
    cut = {name: {"column": "x", "low": ends[0], "high": ends[1]} for name in names}
    fine = {"duration": {"column": "x", "low": 1, "high": 2}}
    content = {"version": 1, "quantiles": [0.3, 0.7], "attributes": {**fine, **cut}}
    path.write_text(json.dumps(content))
    message = (
        f"Bad edges of {names[:5]} in {short(path)}, expected two finite numbers, the lower one "
        "first: fit the levels again."
    )
    with pytest.raises(ValueError, match=whole(message)):
        levels.load(path)


def test_absent_edges_file_is_reported(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"edges\.json"):
        levels.load(tmp_path / "edges.json")
