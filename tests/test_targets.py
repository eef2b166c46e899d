"""What objectives know of a batch, on voices small enough to see through."""

import re

import numpy as np
import pandas as pd
import pytest

from paraclap.queries import Pool
from paraclap.targets import Targets

ALL = slice(None)


def voices() -> tuple[pd.DataFrame, Pool]:
    levels = pd.DataFrame(
        {
            "pitch": ["high", "high", "low", "normal"],
            "intensity": ["low", "low", "high", None],
        }
    )
    emotion = pd.Series(["anger", "anger", "sadness", None])
    labels = pd.DataFrame({"arousal": [1.0, 1.0, -1.0, np.nan], "valence": [0.0, 2.0, 0.0, np.nan]})
    return labels, Pool.build(levels, emotion)


def known(objective: str, texts: list[str], share: slice = ALL) -> dict[str, np.ndarray]:
    labels, pool = voices()
    targets = Targets(objective, pool, range(4), labels)
    return {name: one.numpy() for name, one in targets(np.arange(4), texts, share).items()}


def test_identical_texts_share_the_target_of_their_voices() -> None:
    found = known("duplicates", ["a", "b", "a", "c"])
    expected = [[0.5, 0, 0.5, 0], [0, 1, 0, 0], [0.5, 0, 0.5, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(found["by_audio"], expected)
    np.testing.assert_allclose(found["by_text"], expected)


def test_a_text_is_true_of_every_voice_of_which_all_its_queries_hold() -> None:
    texts = [
        "has a high pitch",  # of voices 0 and 1
        "has a high pitch and speaker is angry",  # of 0 and 1
        "has a low pitch",  # of 2
        "has a normal pitch",  # of 3
    ]
    true = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    found = known("holds", texts)
    np.testing.assert_allclose(found["by_audio"], true / true.sum(1, keepdims=True))
    np.testing.assert_allclose(found["by_text"], true.T / true.T.sum(1, keepdims=True))


def test_joined_texts_are_true_only_where_all_their_parts_are() -> None:
    texts = ["has a high pitch and speaker is sad", "has a high pitch", "speaker is sad", "x"]
    found = known("holds", texts)["by_audio"]
    assert found[1, 0] == 0 and found[2, 0] == 0  # half of it holds of either
    assert found[0, 0] > 0  # a voice always fits its own text


def test_soft_targets_fall_with_the_distance_of_levels() -> None:
    found = known("soft", list("abcd"))["by_audio"]
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-6)
    # 0 and 1 are alike in both; 0 and 2 opposite in both; of 3 the pitch is known: one step away
    likeness = np.array([1, 1, 0, 0.5])
    weights = np.exp(10 * likeness)
    np.testing.assert_allclose(found[0], weights / weights.sum(), rtol=1e-5)


def test_distances_of_ratings_are_in_standard_deviations_and_nan_where_unknown() -> None:
    found = known("rank", list("abcd"))["distances"]
    arousal, valence = np.std([1, 1, -1]), np.std([0, 2, 0])
    assert found[0, 1] == pytest.approx(np.sqrt((2 / valence) ** 2 / 2), rel=1e-5)
    assert found[0, 2] == pytest.approx(np.sqrt((2 / arousal) ** 2 / 2), rel=1e-5)
    assert np.isnan(found[3]).all() and np.isnan(found[:, 3]).all()
    np.testing.assert_allclose(found[:3, :3], found[:3, :3].T)


def test_rank_without_ratings_says_what_is_missing() -> None:
    labels, pool = voices()
    message = (
        "No rating of ['arousal', 'valence', 'dominance'] among 4 training voices, expected some "
        "for the objective 'rank': take another objective or a corpus with ratings."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Targets("rank", pool, range(4), labels.assign(arousal=np.nan, valence=np.nan))


def test_a_rating_that_is_the_same_for_all_sets_no_voices_apart() -> None:
    labels, pool = voices()
    targets = Targets("rank", pool, range(4), labels.assign(valence=3.0))
    found = targets(np.arange(4), list("abcd"), ALL)["distances"].numpy()
    arousal = 2 / np.std([1, 1, -1])
    assert found[0, 1] == 0
    assert found[0, 2] == pytest.approx(np.sqrt(arousal**2 / 2), rel=1e-5)
    assert (found[3] == 0).all()  # its arousal is not known, its valence is that of the others


@pytest.mark.parametrize("objective", ["holds", "soft"])
def test_voices_are_counted_among_those_trained_on(objective: str) -> None:
    texts = ["has a low pitch", "has a high pitch"]
    labels, pool = voices()
    some = Targets(objective, pool, [2, 0], labels)(np.arange(2), texts, ALL)
    whole = Targets(objective, pool, range(4), labels)(np.array([2, 0]), texts, ALL)
    for name in whole:
        np.testing.assert_array_equal(some[name], whole[name])


def test_standard_deviations_are_those_of_the_voices_trained_on() -> None:
    labels, pool = voices()
    found = Targets("rank", pool, [2, 0], labels)(np.arange(2), ["a", "b"], ALL)["distances"]
    # arousal 1 and -1, two deviations of 1 apart; the same valence
    np.testing.assert_allclose(found, [[0, np.sqrt(2)], [np.sqrt(2), 0]], rtol=1e-6)


def test_a_text_of_all_queries_is_true_of_the_voice_that_it_was_made_of() -> None:
    labels, pool = voices()
    said = pool.sample(range(4), join="all", rng=np.random.default_rng(0))
    found = Targets("holds", pool, range(4), labels, "all")(np.arange(4), said, ALL)["by_audio"]
    # 0 and 1 are alike; the pitch of 3 is all that is known of it, and its own
    np.testing.assert_allclose(
        found.numpy(), [[0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    )


@pytest.mark.parametrize("objective", ["duplicates", "holds", "soft", "rank"])
def test_a_process_gets_the_rows_of_its_voices(objective: str) -> None:
    texts = ["has a high pitch", "has a high pitch", "has a low pitch", "x"]
    for name, everything in known(objective, texts).items():
        np.testing.assert_array_equal(known(objective, texts, slice(1, 3))[name], everything[1:3])


@pytest.mark.parametrize("objective", ["duplicates", "holds", "soft", "rank"])
def test_what_is_known_is_float32_as_logits_are(objective: str) -> None:
    assert {one.dtype for one in known(objective, list("abcd")).values()} == {np.dtype("float32")}


def test_the_objective_of_the_paper_asks_for_nothing() -> None:
    assert known("pairs", list("abcd")) == {}
    assert known("sigmoid", list("abcd")) == {}
