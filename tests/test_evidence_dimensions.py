"""Claims about numbers from two opposite queries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paraclap import scores
from paraclap.evidence import dimensions
from paraclap.levels import FEATURES

SPOKEN = {"high": [1.0, 0.0], "low": [0.0, 1.0]}


def embed(queries):
    """High queries point along the first axis, low ones along the second."""
    return np.array([SPOKEN["high" if "high" in query else "low"] for query in queries])


def frame(**columns):
    return pd.DataFrame({name: np.array(values, float) for name, values in columns.items()})


def test_both_ends_are_asked_without_an_emotion_word():
    low, high = dimensions.ends("arousal")
    assert low == ["has low arousal", "speaker is calm"]
    assert high == ["has high arousal", "speaker is aroused"]
    with pytest.raises(ValueError, match="Did you mean 'pitch'"):
        dimensions.ends("pich")


def test_score_is_high_minus_low_by_hand():
    voices = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    found = dimensions.heard(voices, embed, ["pitch"])
    assert found["pitch"].tolist() == pytest.approx([1, 0.6 - 0.8, -1])


def test_several_queries_of_an_end_are_averaged():
    # of arousal the low end says two queries, neither with "high"; of the high one, one says it
    found = dimensions.heard(np.array([[1.0, 0.0]]), embed, ["arousal"])
    assert found["arousal"].tolist() == pytest.approx([0.5])


def test_mapped_scores_have_mean_and_spread_of_the_dev_ratings():
    dev, ratings = np.array([0.1, 0.2, 0.6]), np.array([1.0, 5.0, 6.0])
    mapped = dimensions.matched(dev, dev, ratings)
    assert mapped.mean() == pytest.approx(ratings.mean())
    assert mapped.std() == pytest.approx(ratings.std())


@given(st.floats(0.2, 3), st.floats(-2, 2))
def test_no_other_rising_line_has_a_better_ccc_on_dev(scale, shift):
    rng = np.random.default_rng(0)
    ratings = rng.normal(4, 1, 50)
    heard = 0.1 * ratings + rng.normal(0, 0.1, 50)
    best = scores.ccc(ratings, dimensions.matched(heard, heard, ratings))
    other = dimensions.matched(heard, heard, ratings) * scale + shift
    assert scores.ccc(ratings, other) <= best + 1e-9


def test_golden_agreement_by_hand():
    truth, given_scores = frame(arousal=[1, 2, 3, 4]), frame(arousal=[0.0, 0.2, 0.1, 0.3])
    dev = frame(arousal=[0, 0.15, 0.3]), frame(arousal=[1, 2.5, 4])
    found = dimensions.agreement(given_scores, truth, pd.Series(list("abcd")), *dev, draws=50)
    row = found.iloc[0]
    # ranks 1 3 2 4: 1 - 6 * 2 / (4 * 15); the map is 1 + 10 s: 1 3 2 4, same mean and spread
    assert row["spearman"] == pytest.approx(0.8)
    assert row["pearson"] == pytest.approx(0.8)
    assert row["ccc"] == pytest.approx(0.8)
    assert (row["n"], row["unit"]) == (4, "utterances")
    assert row["spearman_low"] <= 0.8 <= row["spearman_high"]


def test_the_sign_is_never_fitted():
    truth, turned = frame(arousal=[1, 2, 3, 4]), frame(arousal=[4, 3, 2, 1])
    found = dimensions.agreement(turned, truth, pd.Series(list("abcd")), turned, truth, draws=10)
    assert found.loc[0, "spearman"] == pytest.approx(-1)
    assert found.loc[0, "ccc"] == pytest.approx(-1)


def test_voices_without_a_rating_are_left_out_and_no_dev_rating_means_no_ccc():
    truth = frame(arousal=[1, 2, 3, np.nan], valence=[np.nan, np.nan, 1, 2])
    heard = frame(arousal=[1, 2, 3, 0], valence=[1, 2, 3, 4])
    empty = frame(arousal=[np.nan] * 4, valence=[np.nan] * 4)
    found = dimensions.agreement(heard, truth, pd.Series(list("abcd")), heard, empty, draws=10)
    assert found["attribute"].tolist() == ["arousal"]
    assert found.loc[0, "n"] == 3
    assert found.loc[0, "spearman"] == pytest.approx(1)
    assert np.isnan(found.loc[0, "ccc"])


def test_interval_over_speakers_holds_the_truth_about_as_often_as_it_says():
    inside = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        speakers = np.repeat(np.arange(30), 5).astype(str)
        shared = np.repeat(rng.normal(size=30), 5)
        truth = rng.normal(size=150) + shared
        heard = 0.5 * truth + rng.normal(size=150) * np.sqrt(1.5)
        found = dimensions.agreement(
            frame(pitch=heard),
            frame(pitch=truth),
            pd.Series(speakers),
            frame(pitch=heard),
            frame(pitch=truth),
            draws=200,
        )
        inside += found.loc[0, "pearson_low"] <= 0.5 <= found.loc[0, "pearson_high"]
    assert 51 <= inside <= 60


def test_measured_values_come_from_ratings_and_features():
    index = pd.Index(["a", "b"], name="file")
    labels = pd.DataFrame({"arousal": [1.0, 2.0]}, index=index)
    features = pd.DataFrame({FEATURES["pitch"]: [30.0, 20.0, 10.0]}, index=["b", "a", "c"])
    found = dimensions.measured(labels, features)
    assert found.to_dict("list") == {"pitch": [20.0, 30.0], "arousal": [1.0, 2.0]}


def test_scores_that_never_differ_are_refused():
    with pytest.raises(ValueError, match="all the same"):
        dimensions.matched([0, 1], [1, 1], [2, 3])
