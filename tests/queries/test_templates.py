"""What each sentence claims, when it holds, and which words fill it."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from paraclap import queries
from paraclap.queries import FEATURES, LEVELS, emotion_word, load_templates, queries_for
from paraclap.queries.templates import INTENSITIES, SETS, synonyms

# Supplementary Table 1 of the paper, typed from its print, but for stable and unstable pitch, two
# cells that are swapped there.
TABLE = pd.read_csv(Path(__file__).parents[1] / "data" / "paper_queries.csv")
# "[...] but", appended depending on the pitch variation: (jitter or shimmer, variation) → endings.
ENDINGS = {
    ("low", "high"): ["a high pitch variance", "not a low pitch variance", "the pitch is unstable"],
    ("high", "low"): ["a low pitch variance", "not a high pitch variance", "the pitch is stable"],
}


def test_each_level_of_the_paper_has_its_sentences_and_no_others():
    for (attribute, level), rows in TABLE.groupby(["attribute", "level"]):
        assert sorted(queries_for({attribute: level}, None, None)) == sorted(rows["query"])


@pytest.mark.parametrize("noise", ["jitter", "shimmer"])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("variation", LEVELS)
def test_continuations_need_the_opposite_pitch_variation(noise, level, variation):
    found = queries_for({noise: level, "pitch variation": variation}, None, None)
    longer = [query for query in found if " but " in query]
    endings = ENDINGS.get((level, variation), [])
    assert longer == [f"has a {level} {noise} but {ending}" for ending in endings]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("loudness", LEVELS)
def test_sentences_about_loudness_need_a_loudness_that_agrees(level, loudness):
    spoken = {"is quiet", "is almost silent", "loudness is just about right", "is loud"}
    own = set(TABLE["query"][(TABLE["attribute"] == "intensity") & (TABLE["level"] == level)])
    found = set(queries_for({"intensity": level, "loudness": loudness}, None, None))
    assert found == (own if level == loudness else own - spoken)
    assert queries_for({"loudness": loudness}, None, None) == []


def test_gender_and_emotion_have_their_queries_and_the_degree_follows_arousal():
    assert queries_for({}, None, "male") == ["a male is speaking", "the speaker is male"]
    plain = ["this is a angry instance", "speaker is angry", "emotion is angry"]
    assert queries_for({}, "angry", None) == plain
    assert not queries_for({}, "no_agreement", None) + queries_for({}, "other", None)
    by_level = [queries_for({"arousal": level}, "angry", None) for level in LEVELS]
    low, normal, high = ([query for query in own if "very" in query] for own in by_level)
    assert (low, normal, high) == (["speaker is not very angry"], [], ["speaker is very angry"])


def test_calm_is_a_degree_of_arousal():
    low, high = (queries_for({"arousal": level}, "calm", None) for level in ("low", "high"))
    assert low.count("speaker is calm") == 1
    assert "speaker is calm" not in high
    assert "speaker is calm" in queries_for({}, "calm", None)
    assert not any("very" in query for query in low + high)
    assert "sounds calm" in queries_for({"arousal": "low"}, "calm", None, "diverse")
    assert "sounds calm" not in queries_for({"arousal": "high"}, "calm", None, "diverse")


def test_an_emotion_word_is_an_adjective_or_a_noun():
    assert emotion_word("happiness") == emotion_word("happy") == "happy"
    with pytest.raises(ValueError, match="form of the emotion word 'verb', expected one of adj"):
        emotion_word("anger", "verb")


def test_the_diverse_set_holds_the_paper_set_and_more_wordings_of_each_level():
    paper, diverse = load_templates("paper"), load_templates("diverse")
    conditions = {(one.text, tuple(one.states.items())) for one in diverse}
    assert {(one.text, tuple(one.states.items())) for one in paper} <= conditions
    named = [(one.attribute, level) for one in diverse for level in one.states[one.attribute]]
    wordings = Counter(named)
    assert all(wordings[name, level] >= 4 for name in FEATURES for level in LEVELS)


@pytest.mark.parametrize(
    ("arousal", "used", "unused"),
    [
        (None, ["mad"], ["cross", "livid"]),
        ("low", ["mad", "cross"], ["livid"]),
        ("normal", ["mad", "cross", "livid"], []),
        ("high", ["mad", "livid"], ["cross"]),
    ],
)
def test_synonyms_of_an_emotion_are_as_strong_as_its_arousal(arousal, used, unused):
    found = queries_for({"arousal": arousal} if arousal else {}, "angry", None, "diverse")
    assert all(f"sounds {word}" in found for word in ["angry", *used])
    assert not any(word in query.split() for query in found for word in unused)


def test_a_degree_takes_plain_synonyms_and_the_other_sets_take_none():
    very = [q for q in queries_for({"arousal": "high"}, "angry", None, "diverse") if " very " in q]
    assert {query.split()[-1] for query in very} == {"angry", "mad", "wrathful", "indignant"}
    for templates in {*SETS} - {"diverse"}:
        found = queries_for({"arousal": "high"}, "angry", None, templates)
        assert not any("mad" in query.split() for query in found)


def test_the_synonyms_of_the_package_are_well_formed():
    words = pd.read_csv(Path(queries.__file__).with_name("emotion_words.csv"))
    assert words["word"].is_unique
    assert set(words["intensity"]) == set(INTENSITIES)
    assert not set(words["word"]) & {emotion_word(noun) for noun in words["emotion"]}
    assert all(synonyms(word, "unknown", ("plain",)) == () for word in ("saudade", "anger"))


HEADER = "set,attribute,level,when,template\n"


def test_templates_may_come_from_a_file_and_from_its_newest_content(tmp_path):
    own = tmp_path / "own.csv"
    own.write_text(
        HEADER + 'own,pitch,high|normal,,"high, or so"\n'
        "own,arousal,high,emotion=word; pitch=high,very {emotion}\n"
        "diverse,emotion,word,,sounds {emotion}\n"
    )
    levels = {"pitch": "high", "arousal": "high"}
    words = ["sounds angry", "sounds mad"]
    assert queries_for(levels, "angry", None, str(own))[:4] == ["high, or so", "very angry", *words]
    assert queries_for({"pitch": "normal"}, None, None, str(own)) == ["high, or so"]
    own.write_text("set;attribute;level;when;template\nown;gender;known;;a {gender} voice\n")
    assert queries_for(levels, "angry", "male", str(own)) == ["a male voice"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("own,emotion,wrod,,x", "state of emotion 'wrod' in line 3 of 'own.csv', .* mean 'word'"),
        ("own,ptich,low,,x", "attribute 'ptich' in line 3 of 'own.csv'.* mean 'pitch'"),
        ("own,pitch,low,loud=high,x", "attribute 'loud' in line 3 of 'own.csv'.* 'loudness'"),
        ("own,pitch,low,jitter=hi,x", "state of jitter 'hi' in line 3"),
        ("own,pitch,low,,", "Bad template '' in line 3 of 'own.csv', expected a sentence"),
        ("own,emotion,word,,is {emotoin}", "Bad template 'is {emotoin}' .* no slots but {emotion}"),
        ("own,pitch,low,,a,b", "Cannot read '.*own.csv' as a table"),
        (HEADER, r"No template set in 'own.csv' \(columns .*expected"),
        ("template,level\nis high,high\n", r"No template set in 'own.csv' \(columns .*expected"),
    ],
)
def test_a_bad_row_is_reported_with_its_line_and_a_file_without_a_set(tmp_path, text, message):
    own = tmp_path / "own.csv"
    own.write_text(text if "\n" in text else f"{HEADER}own,pitch,low,,x\n{text}\n")
    with pytest.raises(ValueError, match=message):
        load_templates(str(own))


def test_absent_sets_are_reported(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.csv"):
        load_templates(str(tmp_path / "absent.csv"))
    with pytest.raises(ValueError, match=r"template set 'papre'.* mean 'paper'"):
        load_templates("papre")
