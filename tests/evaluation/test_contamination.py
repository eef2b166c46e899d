"""Claims about what a model had seen before it was asked."""

import pytest

from paraclap.evaluation import contamination
from paraclap.evaluation.tasks import tasks
from paraclap.training.settings import Settings

SETTINGS = Settings(audio_encoder="smoke", text_encoder="smoke", agreed_only=False)


def classes(table, queries, settings=SETTINGS):
    return contamination.of_run(table, queries, tasks(table), settings, "paper")


def seen(table, queries, settings=SETTINGS):
    found = contamination.matrix(table, classes(table, queries, settings), settings)
    return found.set_index("task")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, [True, True]),
        ({"emotion": "never"}, [False, False]),
        ({"only_emotion": True}, [True, True]),
        ({"agreed_only": True}, [False, True]),
    ],
)
def test_queries_of_training_hold_emotions_and_no_drunkenness(table, queries, change, words):
    if "agreed_only" in change:
        table["emotion"] = table["emotion"].where(table["emotion"] != "anger", "no_agreement")
        queries["emotion"] = table["emotion"].to_numpy()
    found = classes(table, queries, SETTINGS.but(**change))
    assert found["label"].tolist()[:2] == ["anger", "sadness"]
    assert found["in_queries"].tolist() == [*words, False, False]
    assert found["utterances"].tolist() == [15, 15, 0, 0], "the class counts all the same"


def test_a_corpus_or_a_speaker_trained_on_is_not_zero_shot(table, queries):
    found = seen(table, queries)
    assert found.loc["tones"].tolist() == [0, 0, 1, 0, 1, 1, 1, "the corpus"]
    assert found.loc["drunk"].tolist() == [0, 0, 0, 0, 0, 0, 0, "nothing of it"]
    table.loc[table["speaker"] == "d1", "speaker"] = "s0"
    row = seen(table, queries).loc["drunk"]
    assert (row["speakers"], row["seen"]) == (0.25, "the corpus")


def test_of_encoders_what_is_known_counts_and_of_an_unknown_one_nothing_is_claimed(table, queries):
    found = seen(table, queries, SETTINGS.but(audio_encoder="my/encoder"))
    assert found["audio encoder"].isna().all()
    assert found["seen"].tolist() == ["the corpus", "an encoder: unknown"]
    known = seen(table, queries, SETTINGS.but(audio_encoder="egemaps+small"))
    assert known["audio encoder"].tolist() == [0, 0]
    podcast = table.assign(corpus=table["corpus"].replace("drunk", "msp-podcast"))
    row = seen(podcast, queries, Settings(agreed_only=False)).loc["msp-podcast"]  # the paper's
    assert row[["audio encoder", "text encoder", "training"]].tolist() == [1, 0, 0]
    assert row["seen"] == "the corpus"


def test_a_word_is_held_as_a_whole_or_not_at_all():
    queries = ["speaker is Angry, and loud", "an unhappy voice"]
    words = ["angry", "ANGRY", "loud", "unhappy voice", "happy", "ang", "an angry"]
    held = [contamination.holds_word(queries, word) for word in words]
    assert held == [True] * 4 + [False] * 3
