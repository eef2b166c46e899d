"""Claims about queries: what is said, when, how often, and never falsely."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import captions
from paraclap import variety
from paraclap.queries import Pool, contrast, emotion_word, queries_for
from paraclap.tables import read_table, segments, write_table
from paraclap.templates import LEVELS, NUMERIC, emotion_state, sentences

SETS = ("paper", "diverse", "released", "released-fixed")
RELEASED = Path(__file__).parent / "data" / "released-captions.jsonl"

# What each sentence of the paper set claims, written down apart from templates.csv.
CLAIMS = {
    "has low arousal": {"arousal": "low"},
    "speaker is calm": {"arousal": "low"},
    "arousal is at an average level": {"arousal": "normal"},
    "has high arousal": {"arousal": "high"},
    "speaker is aroused": {"arousal": "high"},
    "has low valence": {"valence": "low"},
    "speaker appears to be in a bad mood": {"valence": "low"},
    "valence is at an average level": {"valence": "normal"},
    "has high valence": {"valence": "high"},
    "speaker appears to be in a good mood": {"valence": "high"},
    "has low dominance": {"dominance": "low"},
    "dominance is at an average level": {"dominance": "normal"},
    "has high dominance": {"dominance": "high"},
    "speaker appears to be dominant": {"dominance": "high"},
    "has a low pitch": {"pitch": "low"},
    "has an average pitch": {"pitch": "normal"},
    "has a normal pitch": {"pitch": "normal"},
    "has a high pitch": {"pitch": "high"},
    "has a low pitch variation": {"pitch variation": "low"},
    "has a low pitch variance": {"pitch variation": "low"},
    "has a very stable pitch": {"pitch variation": "low"},
    "has a very stable phonation": {"pitch variation": "low"},
    "has a normal pitch variation": {"pitch variation": "normal"},
    "has a high pitch variation": {"pitch variation": "high"},
    "has a high pitch variance": {"pitch variation": "high"},
    "has a very unstable pitch": {"pitch variation": "high"},
    "has a very unstable phonation": {"pitch variation": "high"},
    "has a low equivalent sound level": {"intensity": "low"},
    "is quiet": {"intensity": "low", "loudness": "low"},
    "is almost silent": {"intensity": "low", "loudness": "low"},
    "has a normal equivalent sound level": {"intensity": "normal"},
    "has an average equivalent sound level": {"intensity": "normal"},
    "loudness is just about right": {"intensity": "normal", "loudness": "normal"},
    "has a high equivalent sound level": {"intensity": "high"},
    "sound pressure is elevated": {"intensity": "high"},
    "sound level is elevated": {"intensity": "high"},
    "is loud": {"intensity": "high", "loudness": "high"},
    "has a short duration": {"duration": "low"},
    "has a small duration": {"duration": "low"},
    "is a short sentence": {"duration": "low"},
    "lasts a little time": {"duration": "low"},
    "is short": {"duration": "low"},
    "is of average duration": {"duration": "normal"},
    "is of average length": {"duration": "normal"},
    "duration is medium": {"duration": "normal"},
    "is neither long nor short": {"duration": "normal"},
    "has a long duration": {"duration": "high"},
    "has a big duration": {"duration": "high"},
    "is a long sentence": {"duration": "high"},
    "lasts a long time": {"duration": "high"},
    "is long": {"duration": "high"},
}
for noise in ("jitter", "shimmer"):
    CLAIMS |= {f"has a {level} {noise}": {noise: level} for level in LEVELS}
    for more in ("a high pitch variance", "not a low pitch variance", "the pitch is unstable"):
        CLAIMS[f"has a low {noise} but {more}"] = {noise: "low", "pitch variation": "high"}
    for more in ("a low pitch variance", "not a high pitch variance", "the pitch is stable"):
        CLAIMS[f"has a high {noise} but {more}"] = {noise: "high", "pitch variation": "low"}

some_levels = st.dictionaries(st.sampled_from(NUMERIC), st.sampled_from(LEVELS))
some_emotion = st.sampled_from([None, "angry", "happy", "neutral", "other", "no_agreement"])
some_gender = st.sampled_from([None, "female", "male"])


def table_of(rows) -> pd.DataFrame:
    index = segments(f"/voices/{i}.wav" for i in range(len(rows)))
    return pd.DataFrame(rows, index=index, columns=list(NUMERIC), dtype="str")


def pool_of(levels, emotions, genders, **options) -> Pool:
    table = table_of(levels)
    emotion = pd.Series(emotions, table.index, dtype="str")
    return Pool.build(table, emotion, pd.Series(genders, table.index, dtype="str"), **options)


def random_pool(rows=300, **options) -> Pool:
    rng = np.random.default_rng(0)
    levels = [
        {name: level for name in NUMERIC if (level := rng.choice([*LEVELS, None]))}
        for _ in range(rows)
    ]
    emotions = rng.choice(["anger", "happiness", "calm", "other", "no_agreement", None], rows)
    genders = rng.choice(["female", "male", None], rows)
    return pool_of(levels, emotions, genders, **options)


# --- what is said ------------------------------------------------------------------------------


def test_the_paper_set_is_the_table_of_the_paper():
    plain = {one.template for one in sentences("paper") if "{" not in one.template}
    assert plain == set(CLAIMS)


@given(some_levels, some_emotion, some_gender)
def test_no_query_of_the_paper_contradicts_its_levels(levels, emotion, gender):
    for query in queries_for(levels, emotion, gender):
        for attribute, level in CLAIMS.get(query, {}).items():
            assert levels.get(attribute, level) == level


@given(some_levels, some_emotion, some_gender)
def test_a_claim_is_made_of_known_levels_only(levels, emotion, gender):
    for query in queries_for(levels, emotion, gender):
        assert set(CLAIMS.get(query, {})) - {"loudness"} <= set(levels)


@given(some_levels, some_emotion, some_gender)
def test_each_known_attribute_is_spoken_of(levels, emotion, gender):
    said = queries_for(levels, emotion, gender)
    about = {attribute for query in said for attribute in CLAIMS.get(query, {})}
    assert set(levels) - {"loudness"} <= about
    assert (gender is not None) == (f"the speaker is {gender}" in said)
    assert len(said) == len(set(said))


@given(some_levels, st.sampled_from([None, "no_agreement", "other"]), some_gender)
def test_without_an_agreed_emotion_the_paper_says_nothing_of_it(levels, emotion, gender):
    said = queries_for(levels, emotion, gender)
    assert said == queries_for(levels, None, gender)
    assert not any("very" in query.split()[2:] for query in said if query.startswith("speaker"))


def test_an_emotion_is_said_in_three_ways_and_its_degree_follows_arousal():
    plain = ["this is a angry instance", "speaker is angry", "emotion is angry"]
    assert queries_for({}, "angry", None) == plain
    assert "speaker is very angry" in queries_for({"arousal": "high"}, "angry", None)
    assert "speaker is not very angry" in queries_for({"arousal": "low"}, "angry", None)
    assert not any("very" in query for query in queries_for({"arousal": "normal"}, "angry", None))


def test_an_emotion_that_is_no_word_is_refused_and_capitals_make_no_other_state():
    with pytest.raises(ValueError, match="Bad emotion nan, expected a word, or None"):
        queries_for({}, float("nan"), None)
    assert emotion_state("Calm") == "calm"


def test_calm_is_a_degree_of_arousal():
    low = queries_for({"arousal": "low"}, "calm", None)
    assert low.count("speaker is calm") == 1
    assert "speaker is not very calm" not in low
    assert "speaker is calm" not in queries_for({"arousal": "high"}, "calm", None)
    assert "speaker is calm" in queries_for({}, "calm", None)


def test_unstable_belongs_to_high_variation():
    assert "has a very unstable pitch" in queries_for({"pitch variation": "high"}, None, None)
    assert "has a very stable phonation" in queries_for({"pitch variation": "low"}, None, None)


def test_continuations_need_the_opposite_variation():
    for variation, longer in (("low", False), ("normal", False), ("high", True)):
        said = queries_for({"jitter": "low", "pitch variation": variation}, None, None)
        assert ("has a low jitter but the pitch is unstable" in said) == longer
    for variation, longer in (("low", True), ("normal", False), ("high", False)):
        said = queries_for({"shimmer": "high", "pitch variation": variation}, None, None)
        assert ("has a high shimmer but a low pitch variance" in said) == longer


def level_of(quantile: float) -> str:
    return LEVELS[(quantile > 0.3) + (quantile >= 0.7)]


def released_rows() -> list[dict]:
    return [json.loads(line) for line in RELEASED.read_text().splitlines()]


RELEASED_NAMES = {
    "F0semitoneFrom27.5Hz_sma3nz_amean": "pitch",
    "F0semitoneFrom27.5Hz_sma3nz_stddevNorm": "pitch variation",
    "equivalentSoundLevel_dBp": "intensity",
    "loudness_sma3_amean": "loudness",
    "jitterLocal_sma3nz_amean": "jitter",
    "shimmerLocaldB_sma3nz_amean": "shimmer",
    "Duration": "duration",
    "arousal": "arousal",
    "valence": "valence",
    "dominance": "dominance",
}


@pytest.mark.parametrize(("templates", "kind"), [("released", "full"), ("released-fixed", "fixed")])
def test_released_sets_say_what_the_authors_code_says(templates, kind):
    for one in released_rows():
        row = one["row"]
        levels = {
            name: level_of(row[f"{column}.quantile"]) for column, name in RELEASED_NAMES.items()
        }
        assert queries_for(levels, row["emotion"], row["gender"], templates) == one[kind]


@pytest.mark.parametrize(
    ("templates", "theirs"),
    [("released", "2baded69374b872b"), ("released-fixed", "3a9b1c8f0503247d")],
)
def test_released_sets_say_on_many_random_rows_what_the_authors_code_says(templates, theirs):
    table = captions.rows(captions.ROWS)
    table = table[~table[f"{captions.VARIATION}.quantile"].isin([0.3, 0.7])]
    said = [
        queries_for(
            {name: level_of(row[f"{column}.quantile"]) for column, name in RELEASED_NAMES.items()},
            row["emotion"],
            row["gender"] if isinstance(row["gender"], str) else None,
            templates,
        )
        for row in table.to_dict("records")
    ]
    assert len(said) > 10_000
    assert captions.digest(said) == theirs


def test_released_set_contradicts_itself_where_the_authors_code_does():
    said = queries_for({"jitter": "low", "pitch variation": "normal"}, None, None, "released")
    assert "has a low jitter but a high pitch variance" in said
    assert "is loud" in queries_for(
        {"intensity": "low", "loudness": "high"}, None, None, "released"
    )
    disagreement = queries_for({}, "no_agreement", None, "released")
    assert disagreement[0] == "annotators disagree"


def false_by_hand(query, levels):
    """Whether a released sentence is false, read off its words."""
    start, _, more = query.partition(" but ")
    if more:
        variation = levels["pitch variation"]
        if "not a" in more:
            return variation == more.split()[2]
        wanted = {"a": more.split()[1], "the": "low" if more.endswith(" stable") else "high"}
        return variation != wanted[more.split()[0]]
    words = {"loud": "high", "quiet": "low", "silent": "low", "right": "normal"}
    if start.split()[-1] in words:
        return levels["loudness"] != words[start.split()[-1]]
    if "sound" in start:
        word = {"elevated": "high", "a": start.split()[2], "an": "normal"}
        key = start.split()[-1] if start.endswith("elevated") else start.split()[1]
        return levels["intensity"] != word[key]
    return False


def test_false_sentences_are_those_whose_words_the_levels_deny():
    rng = np.random.default_rng(1)
    rows = [{name: str(rng.choice(LEVELS)) for name in NUMERIC} for _ in range(2000)]
    table = table_of(rows).assign(emotion="anger", gender="male")
    for templates in ("released", "released-fixed"):
        false = variety.falsehoods(table, templates)
        for row, levels in enumerate(rows):
            said = queries_for(levels, "anger", "male", templates)
            denied = {query for query in said if false_by_hand(query, levels)}
            assert set(false.columns[false.iloc[row]]) == denied
    assert variety.falsehoods(table, "paper").columns.empty
    assert variety.falsehoods(table.drop(columns="loudness"), "released-fixed").columns.empty


def test_a_calm_voice_is_not_said_to_be_not_very_calm_but_in_the_released_sets():
    table = table_of([{"arousal": "low"}]).assign(emotion="calm", gender=None)
    assert list(variety.falsehoods(table, "released")) == ["speaker is not very {emotion}"]
    assert variety.falsehoods(table, "paper").columns.empty


@pytest.mark.parametrize("attribute", [*NUMERIC, "gender"])
def test_contrast_holds_at_its_own_end_only(attribute):
    if attribute == "loudness":
        with pytest.raises(ValueError, match="loudness"):
            contrast(attribute)
        return
    low, high = contrast(attribute)
    if attribute == "gender":
        assert low in queries_for({}, None, "female")
        assert high in queries_for({}, None, "male")
    else:
        assert CLAIMS[low] == {attribute: "low"}
        assert CLAIMS[high] == {attribute: "high"}


@pytest.mark.parametrize("templates", SETS)
def test_contrast_is_there_in_every_set(templates):
    for attribute in {one.attribute for one in sentences(templates)} - {"emotion"}:
        low, high = contrast(attribute, templates)
        assert low != high


def test_emotion_words_go_both_ways():
    assert emotion_word("happiness") == "happy"
    assert emotion_word("happy", "noun") == "happiness"
    assert emotion_word("unheard of") == "unheard of"
    assert emotion_word("no_agreement") == "no_agreement"


# --- the diverse set ---------------------------------------------------------------------------

# What the words of a further sentence of the diverse set speak of, and which level they name.
SUBJECT = {
    "arousal": "energ|activation|sluggish|very {emotion}",
    "valence": "mood|day|hedonic",
    "dominance": "submissive|dominant|gives way|equals|charge|command|control",
    "pitch": "pitch$|pitched|fundamental frequency is|(high|deep) voice|neither high nor deep",
    "pitch variation": "intonation|monotone|melody|varies|changes pitch",
    "jitter": "timing|jitter|frequency perturbation",
    "shimmer": "(even|steadiness in) strength|shimmer|amplitude perturbation",
    "intensity": "sound level|sound pressure|soft|loudly|loud voice|voice of average strength",
    "loudness": "loudness|faint|sounds (neither )?loud|volume|to hear",
    "duration": "time$|quickly|duration|briefly",
}
NORMAL = "average|middling|ordinary|middle|neither|among equals|moderately|about as"
LOW = (
    r"\blow\b|low-|little|sluggish|bad|gives way|submissive|deep|reduced|flat|monotone|hardly|only"
    "|soft|faint|hard to|quickly|below|of even|does not"
)


def read(template: str) -> tuple[str, str]:
    """Attribute and level of a further sentence, read off its words."""
    kinds = [name for name, words in SUBJECT.items() if re.search(words, template)]
    attribute = kinds[-1] if kinds != ["pitch", "pitch variation"] else "pitch variation"
    normal, low = re.search(NORMAL, template), re.search(LOW, template)
    return attribute, "normal" if normal else "low" if low else "high"


FURTHER = [one for one in sentences("diverse") if one.template not in CLAIMS]
FURTHER = [one for one in FURTHER if one.attribute not in ("emotion", "gender")]
FURTHER = [one for one in FURTHER if not one.template.startswith("speaker is ")]


@pytest.mark.parametrize("one", FURTHER, ids=lambda one: one.template)
def test_a_further_sentence_is_said_of_the_level_that_its_words_name(one):
    attribute, level = read(one.template)
    assert (one.attribute, one.states[one.attribute]) == (attribute, {level})
    if attribute == "intensity" and not one.template.startswith("sound "):
        assert one.states["loudness"] == {"unknown", level}


def test_the_diverse_set_holds_the_paper_and_more_wordings_of_each_level():
    paper, diverse = sentences("paper"), sentences("diverse")
    said = {(one.template, tuple(one.states.items())) for one in diverse}
    assert {(one.template, tuple(one.states.items())) for one in paper} <= said
    wordings = Counter((one.attribute, min(one.states[one.attribute])) for one in diverse)
    assert {(name, level) for name in NUMERIC for level in LEVELS} <= set(wordings)
    assert all(count >= 4 for count in wordings.values())


def test_the_diverse_set_asks_the_questions_of_the_paper():
    for attribute in {*NUMERIC, "gender"} - {"loudness"}:
        assert contrast(attribute, "diverse") == contrast(attribute)
    assert contrast("loudness", "diverse") == ("has low loudness", "has high loudness")


@given(some_levels, some_emotion | st.just("calm"), some_gender)
def test_the_diverse_set_says_each_known_thing_once_in_several_ways(levels, emotion, gender):
    said = queries_for(levels, emotion, gender, "diverse")
    assert len(said) == len(set(said))
    assert set(queries_for(levels, emotion, gender)) <= set(said)
    about = {one.attribute for one in FURTHER if one.template in said}
    assert about == set(levels)


def test_no_sentence_of_the_diverse_set_is_false_by_its_own_words():
    rng = np.random.default_rng(3)
    rows = [{name: str(rng.choice(LEVELS)) for name in NUMERIC} for _ in range(500)]
    table = table_of(rows).assign(emotion=rng.choice(["anger", "calm"], 500), gender="male")
    assert variety.falsehoods(table, "diverse").columns.empty


def test_a_calm_voice_of_high_arousal_sounds_not_calm():
    said = queries_for({"arousal": "high"}, "calm", None, "diverse")
    assert "sounds calm" not in said
    assert "sounds calm" in queries_for({"arousal": "low"}, "calm", None, "diverse")


@pytest.mark.parametrize(
    ("arousal", "said", "unsaid"),
    [
        (None, ["mad"], ["cross", "livid"]),
        ("low", ["mad", "cross"], ["livid"]),
        ("normal", ["mad", "cross", "livid"], []),
        ("high", ["mad", "livid"], ["cross"]),
    ],
)
def test_synonyms_of_an_emotion_are_as_strong_as_its_arousal(arousal, said, unsaid):
    levels = {"arousal": arousal} if arousal else {}
    queries = queries_for(levels, "angry", None, "diverse")
    assert all(f"sounds {word}" in queries for word in ["angry", *said])
    assert not any(word in query.split() for query in queries for word in unsaid)


def test_a_degree_is_said_of_plain_words_alone():
    queries = queries_for({"arousal": "high"}, "angry", None, "diverse")
    very = {query for query in queries if query.startswith("speaker is very ")}
    assert very == {f"speaker is very {w}" for w in ("angry", "mad", "wrathful", "indignant")}


def test_the_other_sets_say_no_synonym():
    for templates in set(SETS) - {"diverse"}:
        assert not any(
            "mad" in query.split() for query in queries_for({}, "angry", None, templates)
        )


def test_each_emotion_template_is_as_likely_and_the_emotions_own_word_comes_half_of_the_time():
    n = 30_000
    pool = pool_of([{}], ["anger"], [None], templates="diverse")
    told = Counter(pool.sample([0] * n, only_emotion=True, rng=np.random.default_rng(5)))
    templates = [one.template for one in sentences("diverse") if one.attribute == "emotion"]
    for template in dict.fromkeys(templates):
        of = {w: told[template.format(emotion=w)] for w in ("mad", "wrathful", "indignant")}
        own = told[template.format(emotion="angry")]
        assert abs(own / n - 1 / 18) < 0.01
        assert all(abs(count / n - 1 / 54) < 0.01 for count in of.values())
    assert sum(told.values()) == n
    assert set(told) == set(pool.vocabulary)


def test_an_emotion_as_a_noun_has_no_synonym():
    noun = pool_of([{}], ["anger"], [None], templates="diverse", emotion_form="noun")
    assert all("anger" in query for query in noun.queries(0))


def test_no_template_holds_the_word_that_joins_queries_or_a_foreign_slot():
    for templates in SETS:
        for one in sentences(templates):
            assert " and " not in f" {one.template} "
            assert set(re.findall(r"{(.*?)}", one.template)) <= {"emotion", "gender"}


# --- the pool ----------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(some_levels, some_emotion, some_gender), min_size=1, max_size=8),
    st.sampled_from(SETS),
)
def test_pool_says_what_the_slow_way_says(rows, templates):
    levels, emotions, genders = zip(*rows, strict=True)
    pool = pool_of(levels, emotions, genders, templates=templates)
    slow = [queries_for(*row, templates) for row in rows]
    assert [pool.queries(i) for i in range(len(rows))] == slow
    assert pool.table()["queries"].tolist() == slow
    assert set(pool.vocabulary) == set().union(*slow)


@pytest.mark.parametrize("templates", SETS)
def test_a_long_table_says_what_the_slow_way_says(templates):
    table = random_pool(templates=templates).table()
    for row in table.to_dict("records"):
        levels = {name: row[name] for name in NUMERIC if pd.notna(row[name])}
        emotion = emotion_word(row["emotion"]) if pd.notna(row["emotion"]) else None
        gender = row["gender"] if pd.notna(row["gender"]) else None
        assert row["queries"] == queries_for(levels, emotion, gender, templates)


def test_emotions_come_as_adjective_or_noun():
    assert "speaker is angry" in pool_of([{}], ["anger"], [None]).queries(0)
    assert "speaker is anger" in pool_of([{}], ["anger"], [None], emotion_form="noun").queries(0)


def test_table_keeps_index_and_labels():
    pool = pool_of([{"pitch": "low"}, {}], ["anger", None], ["male", None])
    table = pool.table()
    assert list(table) == [*NUMERIC, "emotion", "gender", "queries"]
    assert table.index.names == ["file", "start", "end"]
    assert table["emotion"].tolist()[0] == "anger"
    assert table["queries"].iloc[1] == []
    assert len(pool) == 2


def test_a_written_table_gives_the_same_pool_again(tmp_path):
    table = random_pool(rows=40).table()
    path = write_table(table.assign(corpus="spoken"), tmp_path / "queries.parquet")
    again = read_table(path)
    assert [list(queries) for queries in again["queries"]] == table["queries"].tolist()
    assert Pool.from_table(again).table()["queries"].tolist() == table["queries"].tolist()


def test_an_empty_or_silent_table_has_no_queries():
    assert pool_of([], [], []).table()["queries"].tolist() == []
    assert pool_of([{}], [None], [None]).vocabulary == []


# --- sampling ----------------------------------------------------------------------------------

ABOUT = {query: next(iter(claim)) for query, claim in CLAIMS.items()}


def about(query: str, emotion: str = "angry") -> str:
    if query in (f"speaker is very {emotion}", f"speaker is not very {emotion}"):
        return "arousal"
    return ABOUT.get(query, "emotion" if emotion in query else "gender")


FULL = dict.fromkeys(NUMERIC, "high")


@pytest.mark.parametrize("emotion", ["always", "pool", "never"])
@pytest.mark.parametrize("rand", [1, 3, 5, 20])
def test_samples_hold_at_most_rand_attributes_each_once(emotion, rand):
    pool = pool_of([FULL] * 200, ["anger"] * 200, ["male"] * 200)
    texts = pool.sample(range(200), rand, emotion, rng=np.random.default_rng(0))
    own = set(pool.queries(0))
    for text in texts:
        queries = text.split(" and ")
        attributes = [about(query) for query in queries]
        assert set(queries) <= own
        assert len(attributes) == len(set(attributes))
        assert len(attributes) <= rand + (emotion == "always")
        assert (attributes[-1] == "emotion") or emotion != "always"
        assert "angry" not in text or emotion != "never"
    assert max(text.count(" and ") for text in texts) + 1 == min(
        rand + (emotion == "always"), {"always": 11, "pool": 11, "never": 10}[emotion]
    )


def test_how_many_and_which_attributes_are_uniform():
    n = 20_000
    pool = pool_of([FULL], ["anger"], ["male"])
    texts = pool.sample([0] * n, 5, "pool", rng=np.random.default_rng(1))
    lengths = Counter(text.count(" and ") + 1 for text in texts)
    assert all(abs(lengths[k] / n - 0.2) < 0.02 for k in range(1, 6))
    attributes = Counter(about(query) for text in texts for query in text.split(" and "))
    assert len(attributes) == 11
    assert all(abs(count / n - 3 / 11) < 0.02 for count in attributes.values())


def test_wordings_of_an_attribute_are_uniform():
    pool = pool_of([{"duration": "high"}], [None], [None])
    texts = Counter(pool.sample([0] * 10_000, rng=np.random.default_rng(2)))
    assert len(texts) == 5
    assert all(abs(count / 10_000 - 0.2) < 0.02 for count in texts.values())


@pytest.mark.parametrize("templates", SETS)
@pytest.mark.parametrize("join", ["rand", "weighted", "all"])
@pytest.mark.parametrize("emotion", ["always", "pool", "never"])
def test_a_text_is_made_of_the_queries_that_are_drawn(templates, join, emotion):
    pool = random_pool(60, templates=templates)
    rows = np.flatnonzero(pool.says(emotion))
    texts = pool.sample(rows, 3, emotion, join=join, rng=np.random.default_rng(0))
    lists = pool.draw(rows, 3, emotion, join=join, rng=np.random.default_rng(0))
    start = "speaker " if join == "all" else ""
    assert texts == [start + " and ".join(queries) for queries in lists]
    for row, queries in zip(rows, lists, strict=True):
        assert set(queries) <= set(pool.queries(row))


DRAWN = {
    "paper": "29279976e2b972e2",
    "released": "224f6d35792b3335",
    "released-fixed": "afb04df16bce04ae",
}


@pytest.mark.parametrize("templates", DRAWN)
def test_draws_of_a_seed_stay_what_they_were(templates):
    pool = random_pool(templates=templates)
    said = []
    for join, emotion in product(["rand", "weighted", "all"], ["always", "pool", "never"]):
        rows = np.flatnonzero(pool.says(emotion))
        said.append(pool.sample(rows, 5, emotion, join=join, rng=np.random.default_rng(7)))
    assert captions.digest(said) == DRAWN[templates]


def test_the_same_seed_gives_the_same_texts():
    pool = random_pool()
    rows = [i for i in range(len(pool)) if pool.queries(i)]
    one, two, other = (pool.sample(rows, rng=np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert one == two != other


def test_only_emotion_says_the_emotion_alone():
    pool = pool_of([FULL], ["anger"], ["male"])
    texts = set(pool.sample([0] * 99, only_emotion=True, rng=np.random.default_rng(0)))
    assert texts == {"this is a angry instance", "speaker is angry", "emotion is angry"}


def test_an_unknown_emotion_leaves_the_other_attributes():
    pool = pool_of([{"pitch": "low"}], ["no_agreement"], [None])
    assert pool.sample([0], rng=np.random.default_rng(0)) == ["has a low pitch"]


@pytest.mark.parametrize(
    "options", [{"emotion": "never"}, {"only_emotion": True}, {"emotion": "always"}]
)
def test_rows_with_nothing_to_say_are_named(options):
    emotions = [None if options != {"emotion": "never"} else "anger"]
    levels = [{"pitch": "low"}] if "only_emotion" in options else [{}]
    pool = pool_of(levels, emotions, [None])
    with pytest.raises(ValueError, match=r"1 rows \(0 \('voices/0\.wav', 0\.00 s\)\)"):
        pool.sample([0], **options, rng=np.random.default_rng(0))


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({"ptich": "low"}, None, None), "attribute 'ptich'.*mean 'pitch'"),
        (({"pitch": "hihg"}, None, None), "level 'hihg' of pitch.*mean 'high'"),
        (({}, "", None), "Bad emotion ''"),
        (({}, None, "femal"), "gender 'femal'.*mean 'female'"),
        (({}, None, None, "papre"), "template set 'papre'.*mean 'paper'"),
    ],
)
def test_unknown_names_are_reported_with_the_nearest(arguments, message):
    with pytest.raises(ValueError, match=message):
        queries_for(*arguments)


@pytest.mark.parametrize(
    ("levels", "emotion", "options", "message"),
    [
        ({"pitch": ["hihg"]}, None, {}, "level 'hihg' of pitch.*mean 'high'"),
        ({"ptich": ["high"]}, None, {}, "attribute 'ptich'"),
        ({"pitch": ["high"]}, [""], {}, "Bad emotion ''"),
        ({"emotion": ["anger"]}, None, {}, "Column 'emotion' among the levels"),
        ({"pitch": ["high"]}, ["anger"], {"emotion_form": "verb"}, "form of the emotion word"),
        ({"pitch": ["high"]}, ["anger", "fear"], {}, "index of emotion"),
    ],
)
def test_bad_tables_are_reported(levels, emotion, options, message):
    series = None if emotion is None else pd.Series(emotion, dtype="str")
    with pytest.raises(ValueError, match=message):
        Pool.build(pd.DataFrame(levels), series, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rand": 0}, "Bad rand 0"),
        ({"emotion": "allways"}, "mean 'always'"),
        ({"emotion": "never", "only_emotion": True}, "only_emotion"),
        ({"join": "al"}, "Unknown join 'al'.*mean 'all'"),
    ],
)
def test_bad_parameters_of_sampling_are_reported(options, message):
    pool = pool_of([FULL], ["anger"], ["male"])
    with pytest.raises(ValueError, match=message):
        pool.sample([0], **options, rng=np.random.default_rng(0))


def test_states_of_emotion_words():
    assert [emotion_state(word) for word in ("other", "furious")] == ["other", "word"]
