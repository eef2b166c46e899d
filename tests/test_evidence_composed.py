"""Claims about composed queries, and about what holds within groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paraclap.evidence import composed, weighted

EMOTIONS = pd.Series(["anger"] * 8 + ["sadness"] * 8)
LEVELS = pd.DataFrame({"pitch": (["low"] * 4 + ["high"] * 4) * 2})
ANGRY, LOW = (EMOTIONS == "anger").to_numpy(), (LEVELS["pitch"] == "low").to_numpy()
# axes of the space: angry, sad, low, high, and one for every pair that is asked as one text
VOICES = np.stack([ANGRY, ~ANGRY, LOW, ~LOW, ANGRY & LOW, ANGRY & ~LOW], axis=1).astype(float)
MEANT = {
    "speaker is angry": [1, 0, 0, 0, 0, 0],
    "speaker is sad": [0, 1, 0, 0, 0, 0],
    "has a low pitch": [0, 0, 1, 0, 0, 0],
    "has a high pitch": [0, 0, 0, 1, 0, 0],
}


def embed(queries):
    """A text of two parts means both; "angry" first is heard as the pair, the rest as a sum."""
    rows = []
    for query in queries:
        parts = query.split(" and ")
        row = np.sum([MEANT[part] for part in parts], axis=0).astype(float)
        if len(parts) == 2 and parts[0] == "speaker is angry":
            row = np.zeros(6)
            row[4 if "low" in parts[1] else 5] = 1
        rows.append(row)
    return np.array(rows)


def test_combinations_need_true_and_half_true_voices():
    found = composed.combinations(EMOTIONS, LEVELS, least=4)
    assert found == [
        ("anger", "pitch", "low"),
        ("anger", "pitch", "high"),
        ("sadness", "pitch", "low"),
        ("sadness", "pitch", "high"),
    ]
    assert composed.combinations(EMOTIONS, LEVELS, least=5) == []


def test_queries_are_joined_and_single_ones_averaged():
    assert composed.queries(("sadness", "pitch", "high")) == ("speaker is sad", "has a high pitch")
    heard = composed.similarities(VOICES, embed, ("anger", "pitch", "low"))
    assert list(heard) == list(composed.WAYS)
    assert heard["added"] == pytest.approx((ANGRY.astype(float) + LOW) / 2)
    assert heard["one text"] == pytest.approx((ANGRY & LOW).astype(float))
    assert heard["turned round"] == pytest.approx(ANGRY.astype(float) + LOW)


def test_golden_case_by_hand():
    many = weighted.Draws.of(None, 16, 20)
    table, means = composed.ask(VOICES, embed, EMOTIONS, LEVELS, many)
    one = table[(table["emotion"] == "anger") & (table["level"] == "low")].set_index("way")
    assert (one["true"] == 4).all()
    assert (one["half"] == 8).all()
    # both angry and low: above all others when added; angry alone: 4 of 12 others are level
    assert one.loc["added", "auc"] == 1
    assert one.loc["emotion alone", "auc"] == pytest.approx((8 + 4 / 2) / 12)
    # of the 8 half true voices 4 are angry, level with the true ones, and 4 lie below
    assert one.loc["emotion alone", "half_auc"] == pytest.approx((4 + 4 / 2) / 8)
    # the first ten: 4 true ones among them, wherever they stand
    assert one.loc["added", "precision"] == pytest.approx(0.4)
    assert one.loc["added", "chance"] == pytest.approx(4 / 16)
    mean = means.set_index(["measure", "way"])
    assert mean.loc[("against all", "emotion alone"), "value"] == pytest.approx(10 / 12)
    assert mean.loc[("against all", "emotion alone"), "more"] == pytest.approx(10 / 12 - 1)
    assert (mean["more"].xs("added", level="way") == 0).all()


def test_of_equal_similarities_false_voices_come_first():
    truth = np.array([True] * 3 + [False] * 10)
    assert composed._precision(np.zeros(13), truth)["precision"] == 0


def test_too_few_voices_give_empty_tables_and_a_line(capsys):
    table, means = composed.ask(
        VOICES[:2], embed, EMOTIONS[:2], LEVELS[:2], weighted.Draws.of(None, 2, 2)
    )
    assert "too few of 2 voices" in capsys.readouterr().out
    full = composed.ask(VOICES, embed, EMOTIONS, LEVELS, weighted.Draws.of(None, 16, 2))
    for empty, other in zip((table, means), full, strict=True):
        assert empty.empty
        assert list(empty) == list(other)


def test_a_model_that_hears_emotion_only_knows_no_pitch_within_emotions():
    rng = np.random.default_rng(0)
    angry = np.repeat([True, False], 100)
    pitch = 5.0 * angry + rng.normal(size=200)
    heard = angry + 1e-3 * rng.normal(size=200)
    many = weighted.Draws.of(None, 200, 100)
    emotions = pd.Series(np.where(angry, "anger", "sadness"))
    table = composed.attributes_within(
        pd.DataFrame({"pitch": heard}), pd.DataFrame({"pitch": pitch}), emotions, many
    )
    row = table.iloc[0]
    assert row["overall_low"] > 0.6
    assert row["inside_low"] < 0 < row["inside_high"]


def test_an_emotion_heard_by_its_pitch_alone_is_gone_within_levels():
    rng = np.random.default_rng(1)
    level = np.repeat(["low", "high"], 150)
    angry = rng.random(300) < np.where(level == "high", 0.8, 0.2)
    heard = (level == "high") + 1e-3 * rng.normal(size=300)
    emotions = pd.Series(np.where(angry, "anger", "sadness"))
    many = weighted.Draws.of(None, 300, 100)
    levels = pd.DataFrame({"pitch": level})
    table = composed.emotions_within({"anger": heard}, emotions, levels, many, ("pitch", "jitter"))
    assert len(table) == 1
    row = table.iloc[0]
    assert row["overall"] > 0.7
    assert row["inside_low"] < 0.5 < row["inside_high"]
