"""Claims about the words of emotions: whose they are, how strong, and which are kept out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from paraclap import emotion_words, tasks, templates
from paraclap.emotion_words import INTENSITIES, read_rows, reserved, synonyms
from paraclap.objections import fault

WORDS = read_rows("emotion_words.csv")
EMOTIONS = {row["noun"]: row["adjective"] for row in read_rows("emotions.csv")}
PAPER = {one.template for one in templates.sentences("paper")}


@pytest.mark.parametrize("row", WORDS, ids=lambda row: row["word"])
def test_a_synonym_is_nobody_elses_word_and_none_that_a_model_is_tested_on(row):
    assert reserved(row["word"], own=row["emotion"]) == []


def test_every_word_stands_once_under_a_known_emotion_intensity_and_register():
    assert set(Counter(row["word"] for row in WORDS).values()) == {1}
    assert {row["emotion"] for row in WORDS} <= set(EMOTIONS)
    assert {row["intensity"] for row in WORDS} == set(INTENSITIES)
    assert {row["register"] for row in WORDS} == {"plain", "colloquial", "clinical", "literary"}
    assert not {row["word"] for row in WORDS} & {*EMOTIONS, *EMOTIONS.values()}


def test_every_word_of_an_emotion_a_task_and_the_unseen_list_has_a_stem():
    for noun, adjective in EMOTIONS.items():
        assert reserved(noun), noun
        assert reserved(adjective), adjective
    for row in [*read_rows("synonyms.csv"), *read_rows("tasks.csv")]:
        assert reserved(row["word"]) or row["word"] == "in another mood", row
    for word in [word for label in EMOTIONS for word in _unseen(label)]:
        assert "(unseen)" in " ".join(reserved(word)), word


def _unseen(label: str) -> list[str]:
    table = pd.read_csv(Path(tasks.__file__).with_name("synonyms.csv"))
    return table.loc[table["label"] == label, "word"].tolist()


@pytest.mark.parametrize(
    "word", ["infuriated", "cheery", "terrifying", "unhappy", "overjoyed", "displeasantly", "ire"]
)
def test_inflections_and_compounds_are_found(word):
    assert reserved(f"the person sounds {word}") != []


@pytest.mark.parametrize("word", ["related", "entire", "ambassador", "preparation", "emotion"])
def test_words_that_only_look_alike_are_let_through(word):
    assert reserved(f"the person sounds {word}") == []


def test_no_further_sentence_of_the_diverse_set_says_a_word_of_a_class():
    further = {one.template for one in templates.sentences("diverse")} - PAPER
    assert {template: reserved(template) for template in further if reserved(template)} == {}


def test_no_further_sentence_of_the_diverse_set_is_a_wording_in_which_models_are_tested():
    further = {one.template for one in templates.sentences("diverse")} - PAPER
    assert [template for template in further if fault(template, template)] == []


def test_every_basic_emotion_has_plain_synonyms_and_an_unheard_of_one_none():
    for noun in ("anger", "happiness", "sadness", "fear", "disgust", "surprise", "neutral", "calm"):
        assert len(synonyms(EMOTIONS[noun])) >= 2
    assert synonyms("saudade") == synonyms("anger") == ()


@pytest.mark.parametrize("arousal", ["unknown", "low", "normal", "high"])
def test_intensities_follow_arousal(arousal):
    said = set(synonyms("angry", arousal))
    assert {"mad"} <= said
    assert ("cross" in said) == (arousal in ("low", "normal"))
    assert ("livid" in said) == (arousal in ("normal", "high"))


def test_a_bad_row_of_the_data_is_reported(tmp_path, monkeypatch):
    for name in ("emotions.csv", "emotion_words.csv"):
        text = Path(emotion_words.__file__).with_name(name).read_text("utf-8")
        (tmp_path / name).write_text(text.replace("mad,plain", "mad,huge"), "utf-8")
    monkeypatch.setattr(emotion_words, "_FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"Bad row .*'mad'.*expected an emotion"):
        emotion_words._words.__wrapped__()
