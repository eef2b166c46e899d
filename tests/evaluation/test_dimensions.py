"""Claims about numbers from two opposite queries."""

import audmetric
import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from paraclap.evaluation import dimensions
from paraclap.model.embedding import embed_text
from paraclap.queries import FEATURES, contrast


def frame(**columns):
    return pd.DataFrame({name: np.array(values, float) for name, values in columns.items()})


def test_the_score_is_the_high_end_minus_the_low_end(model):
    queries = [*contrast("arousal"), *contrast("pitch")]
    low, high, *_ = audio = embed_text(model, queries)
    found = dimensions.attribute_values(model, audio, ["arousal", "pitch"])
    assert found["arousal"].tolist() == pytest.approx((audio @ (high - low)).tolist(), abs=1e-6)
    assert found["arousal"].iloc[1] > 0 > found["arousal"].iloc[0]
    with pytest.raises(ValueError, match="Did you mean 'pitch'"):
        dimensions.attribute_values(model, audio, ["pich"])


def test_ratings_come_from_labels_and_all_else_from_features(labels):
    some = labels.iloc[:3]
    features = pd.DataFrame({FEATURES["pitch"]: [1.0, 2.0, 3.0]}, index=some.index)
    found = dimensions.true_values(some, features)
    assert set(found) == {"pitch", "arousal", "valence", "dominance"}
    assert found["arousal"].tolist() == some["arousal"].tolist()
    assert found["pitch"].tolist() == [1, 2, 3]


def test_mean_and_spread_are_those_of_dev_ratings():
    matched = dimensions.match_scale([0.0, 1.0], [-1.0, 0.0, 1.0, 9.0], [2.0, 4.0, 6.0, np.nan])
    assert matched.tolist() == pytest.approx([4, 6])


def test_correlations_are_those_of_scipy_and_audmetric():
    rng = np.random.default_rng(1)
    truth = frame(arousal=rng.normal(size=40))
    scores = frame(arousal=truth["arousal"] + rng.normal(size=40))
    dev = frame(arousal=rng.normal(size=20)), frame(arousal=rng.normal(4, 2, size=20))
    speakers = pd.Series([f"s{i % 8}" for i in range(40)])
    (row,) = dimensions.correlations(scores, truth, speakers, *dev).to_dict("records")
    spearman = spearmanr(scores["arousal"], truth["arousal"]).statistic
    assert row["spearman"] == pytest.approx(spearman)
    matched = dimensions.match_scale(scores["arousal"], dev[0]["arousal"], dev[1]["arousal"])
    assert row["ccc"] == pytest.approx(audmetric.concordance_cc(truth["arousal"], matched))
    assert row["spearman_low"] < row["spearman"] < row["spearman_high"]
    assert (row["n"], row["unit"]) == (40, "speakers")


def test_the_sign_is_not_fitted_unrated_ones_are_left_out_and_three_are_the_least():
    truth = frame(arousal=[1, 2, 3, np.nan], valence=[1, 2, np.nan, np.nan], pitch=[1, 2, 3, 4])
    scores = frame(arousal=[1, 2, 3, 9], valence=[1, 2, 3, 4], pitch=[4, 3, 2, 1])
    dev = scores, truth.assign(arousal=[1, 2, np.nan, np.nan])
    found = dimensions.correlations(scores, truth, pd.Series(list("abcd")), *dev)
    assert found[["attribute", "n"]].to_numpy().tolist() == [["arousal", 3], ["pitch", 4]]
    assert found["spearman"].tolist() == pytest.approx([1, -1])
    # two utterances of the dev split give no scale
    assert found["ccc"].tolist() == pytest.approx([np.nan, -1], nan_ok=True)
