"""The plan of the built-in corpora: speakers, classes, voices."""

from __future__ import annotations

import pandas as pd
import pytest

from paraclap import spoken, voices
from paraclap.shaping import DIMENSIONS


@pytest.fixture(scope="module")
def plan():
    return voices.plan(900, 80, 0)


def test_plan_has_the_asked_number_of_utterances(plan):
    sizes = plan.groupby(["corpus", "split"]).size()
    assert sizes["podcast"].to_dict() == {"train": 900, "dev": 90, "test": 135}
    assert set(sizes.drop("podcast")) == {80}
    assert plan["file"].is_unique


def test_no_speaker_is_in_two_splits_or_corpora(plan):
    assert (plan.groupby("speaker")[["split", "corpus"]].nunique() == 1).all(axis=None)


def test_every_class_of_every_corpus_is_spoken_in_every_split(plan):
    for (corpus, _), rows in plan.groupby(["corpus", "split"]):
        assert set(rows["label"]) == set(spoken.CORPORA[corpus].classes)


def test_smallest_corpus_still_has_every_class():
    counts = voices.plan(9, 9, 0).groupby("corpus")["label"].nunique()
    expected = {name: len(corpus.classes) for name, corpus in spoken.CORPORA.items()}
    assert counts.to_dict() == expected


def test_too_few_utterances_for_the_classes_is_an_error():
    with pytest.raises(ValueError, match=r"Bad number of utterances 5 for podcast, expected .* 9"):
        voices.plan(5, 80, 0)


def test_same_seed_same_plan_other_seed_other_plan(plan):
    pd.testing.assert_frame_equal(plan, voices.plan(900, 80, 0))
    assert (plan["pitch"] != voices.plan(900, 80, 1)["pitch"]).mean() > 0.9


def test_held_out_speakers_have_dialects_that_training_has_not(plan):
    english = plan[plan["language"] == "en"]
    held_out = english["corpus"] != "podcast"
    assert not set(english["accent"][held_out]) & set(english["accent"][~held_out])


def test_ratings_stay_on_their_scale_and_follow_the_emotion(plan):
    assert plan[list(voices.RATINGS)].min(axis=None) >= 1
    assert plan[list(voices.RATINGS)].max(axis=None) <= 7
    mean = plan.groupby("emotion")["arousal"].mean()
    assert mean["anger"] > mean["neutral"] > mean["sadness"]


def test_likability_belongs_to_the_speaker(plan):
    rows = plan[plan["corpus"] == "sld-like"]
    assert (rows.groupby("speaker")["label"].nunique() == 1).all()


def test_training_classes_are_unbalanced_and_neutral_is_the_largest(plan):
    train = plan[(plan["corpus"] == "podcast") & (plan["split"] == "train")]
    counts = train["label"].value_counts()
    assert counts.index[0] == "neutral"
    assert counts.iloc[0] > 4 * counts.iloc[-1]


def test_every_emotion_voice_names_its_source():
    table = voices.emotion_voices()
    assert list(table.columns) == [*voices.RATINGS, *DIMENSIONS, "source"]
    assert table["source"].str.len().min() > 20
    assert table.loc["neutral", list(DIMENSIONS)].eq(0).all()


def test_every_set_of_sentences_exists_and_repeats_none():
    for corpus in spoken.CORPORA.values():
        texts = voices.sentences()[corpus.sentences]
        assert len(texts) == len(set(texts)) >= 2


def test_more_pauses_are_planned_where_the_voice_pauses(plan):
    breaks = plan["text"].str.count("<break")
    assert breaks[plan["pauses"] > 0.7].mean() > 2 * breaks[plan["pauses"] < -0.7].mean()
