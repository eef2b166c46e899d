"""The plan of the synthetic corpora: speakers, classes, prosody."""

import pandas as pd
import pytest

from paraclap.corpora.synthetic.effects import PROSODY
from paraclap.corpora.synthetic.plan import RATINGS, plan, read_data

CLASSES = read_data("classes", "corpus").groupby("corpus")["label"].agg(set)


@pytest.fixture(scope="module")
def table():
    return plan(900, 80, 0)


def test_plan_has_the_asked_number_of_utterances(table):
    sizes = table.groupby(["corpus", "split"]).size()
    assert sizes["podcast"].to_dict() == {"train": 900, "dev": 90, "test": 135}
    assert set(sizes.drop("podcast")) == {80}
    assert table["file"].is_unique


def test_a_speaker_has_one_split_one_corpus_and_one_likability(table):
    assert (table.groupby("speaker")[["split", "corpus"]].nunique() == 1).all(axis=None)
    rows = plan(9, 240, 0).query("corpus == 'sld-like'")  # two utterances of each speaker
    assert (rows.groupby("speaker")["label"].agg(["size", "nunique"]) == [2, 1]).all(axis=None)


@pytest.mark.parametrize("size", [(900, 80, 0), (9, 9, 0)])
def test_every_class_is_in_every_split_even_of_the_smallest_corpora(size):
    for (corpus, _), rows in plan(*size).groupby(["corpus", "split"]):
        assert set(rows["label"]) == CLASSES[corpus]


def test_too_few_utterances_for_the_classes_is_an_error():
    with pytest.raises(ValueError, match=r"Bad number of utterances 5 for podcast, expected .* 9"):
        plan(5, 80, 0)


def test_same_seed_same_plan_other_seed_other_plan(table):
    pd.testing.assert_frame_equal(table, plan(900, 80, 0))
    assert (table["pitch"] != plan(900, 80, 1)["pitch"]).mean() > 0.9


def test_held_out_speakers_have_dialects_that_training_has_not(table):
    english = table[table["language"] == "en"]
    held_out = english["corpus"] != "podcast"
    assert not set(english["accent"][held_out]) & set(english["accent"][~held_out])


def test_ratings_stay_on_their_scale_and_follow_the_emotion(table):
    assert table[list(RATINGS)].min(axis=None) >= 1
    assert table[list(RATINGS)].max(axis=None) <= 7
    mean = table.groupby("emotion")["arousal"].mean()
    assert mean["anger"] > mean["neutral"] > mean["sadness"]


def test_every_emotion_names_its_source_and_neutral_moves_nothing():
    emotions = read_data("emotions", "emotion")
    assert list(emotions.columns) == [*RATINGS, *PROSODY, "source"]
    assert emotions["source"].str.len().min() > 20
    assert emotions.loc["neutral", list(PROSODY)].eq(0).all()


def test_more_pauses_are_planned_where_prosody_asks_for_them(table):
    breaks = table["text"].str.count("<break")
    assert breaks[table["pauses"] > 0.7].mean() > 2 * breaks[table["pauses"] < -0.7].mean()
