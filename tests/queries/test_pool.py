"""Queries of many rows beside golden lists and the authors' code: drawn, and true or false."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paraclap import tables
from paraclap.queries import QueryPool, attribute_of, describe, query_truth
from paraclap.queries.levels import FEATURES, LEVELS, fit_levels, save_edges
from paraclap.queries.sampling import contrast, queries_for, sample_caption
from paraclap.queries.templates import SETS, emotion_word, load_templates

DATA = Path(__file__).parent.parent / "data"
GOLDEN = json.loads((DATA / "golden_queries.json").read_text("utf-8"))
FULL = {**dict.fromkeys(FEATURES, "high"), "emotion": "anger", "gender": "male"}


def pool_of(*rows, **options):
    table = pd.DataFrame(list(rows), columns=[*FEATURES, "emotion", "gender"], dtype="str")
    return QueryPool(table, **options)


def golden_pool(**options):
    rows = [{**r["levels"], "emotion": r["emotion"], "gender": r["gender"]} for r in GOLDEN["rows"]]
    return pool_of(*rows, **options)


def draw(pool, rows, *options, **named):
    """Captions as lists of their queries."""
    return [caption.split(" and ") for caption in pool.sample(rows, *options, **named)]


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", GOLDEN["lists"])
def test_lists_equal_the_golden_ones(name):
    templates, form = name.split()
    golden = GOLDEN["lists"][name]
    lists = [[golden["queries"][place] for place in row] for row in golden["rows"]]
    pool = golden_pool(templates=templates, emotion_form=form)
    assert [pool.queries(i) for i in range(len(pool))] == lists
    assert pool.table()["queries"].tolist() == lists
    assert set(pool.vocabulary) == set(golden["queries"])
    for row, own in zip(GOLDEN["rows"], lists, strict=True):
        word = row["emotion"] and emotion_word(row["emotion"], form)
        assert queries_for(row["levels"], word, row["gender"], templates) == own


@pytest.mark.parametrize(
    ("templates", "theirs"),
    [("released", "2baded69374b872b"), ("released-fixed", "3a9b1c8f0503247d")],
)
def test_released_sets_equal_the_authors_code_on_random_rows(templates, theirs):
    chance, count = rng(), 20_000
    names = ["pitch", "pitch variation", "intensity", "loudness", "duration", "jitter", "shimmer"]
    names += tables.DIMENSIONS
    values = chance.random((count, len(names)))
    on_edge = chance.random(values.shape) < 0.1
    values[on_edge] = chance.choice([0.3, 0.7], int(on_edge.sum()))
    levels = np.array(LEVELS)[(values > 0.3).astype(int) + (values >= 0.7)]
    table = pd.DataFrame(levels, columns=names)
    words = ["no_agreement", "neutral", "fear", "sadness", "disgust"]
    words += ["happiness", "other", "anger", "contempt", "surprise"]
    table["emotion"] = chance.choice(words, count)
    genders = pd.Series(chance.choice(["female", "male", "unknown"], count))
    table["gender"] = genders.replace("unknown", np.nan)
    table = table[~np.isin(values[:, 1], [0.3, 0.7])]  # there their code contradicts itself
    pool = QueryPool(table, templates, "noun")
    text = "\n".join(" | ".join(pool.queries(i)) for i in range(len(pool)))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == theirs


def test_contrast_holds_at_its_own_end_alone():
    for attribute in {*FEATURES} - {"loudness"}:
        for query, level in zip(contrast(attribute), ("low", "high"), strict=True):
            found = [one for one in LEVELS if query in queries_for({attribute: one}, None, None)]
            assert found == [level]
    assert contrast("loudness", "diverse") == ("has low loudness", "has high loudness")
    with pytest.raises(ValueError, match="contrast of the set 'paper' 'loudness', expected one of"):
        contrast("loudness")


def test_a_table_comes_back_from_disk_as_the_same_pool(tmp_path):
    pool = golden_pool()
    table = pool.table().set_index(tables.segments([f"/a/{i}.wav" for i in range(len(pool))]))
    path = tables.write_table(table.assign(corpus="tones"), tmp_path / "queries.parquet")
    again = QueryPool(tables.read_table(path))
    assert again.table()["queries"].tolist() == table["queries"].tolist()
    assert again.labels.index.equals(table.index)
    assert list(again.table()) == [*FEATURES, "emotion", "gender", "queries"]


def test_the_number_of_attributes_is_uniform_and_so_is_which_they_are():
    pool, n = pool_of(FULL), 6000
    drawn = draw(pool, [0] * n, 5, "pool", rng=rng(1))
    lengths = Counter(len(queries) for queries in drawn)
    assert all(abs(lengths[k] / n - 0.2) < 0.02 for k in range(1, 6))
    about = {query: attribute_of(query, pool) for query in pool.vocabulary}
    attributes = [[about[query] for query in queries] for queries in drawn]
    assert all(len(own) == len(set(own)) for own in attributes)
    counts = Counter(name for own in attributes for name in own)
    assert len(counts) == 11
    assert all(abs(count / n - 3 / 11) < 0.03 for count in counts.values())


def test_each_wording_of_an_attribute_is_equally_likely():
    found = Counter(pool_of({"duration": "high"}).sample([0] * 5000, rng=rng(2)))
    assert len(found) == 5
    assert all(abs(count / 5000 - 0.2) < 0.03 for count in found.values())


@pytest.mark.parametrize("rand", [1, 3, 20])
def test_emotion_is_on_top_in_the_pool_or_never_there(rand):
    pool = pool_of(FULL)
    by_mode = {m: draw(pool, [0] * 300, rand, m, rng=rng()) for m in ("always", "pool", "never")}
    emotion = [q for q in pool.vocabulary if attribute_of(q, pool) == "emotion"]
    most = {"always": min(rand, 10) + 1, "pool": min(rand, 11), "never": min(rand, 10)}
    for mode, drawn in by_mode.items():
        assert max(map(len, drawn)) == most[mode]
        assert all(set(queries) <= set(pool.queries(0)) for queries in drawn)
    assert all(queries[-1] in emotion for queries in by_mode["always"])
    assert min(map(len, by_mode["always"])) == 2
    share = np.mean([any(q in emotion for q in queries) for queries in by_mode["pool"]])
    assert abs(share - np.mean([min(k, 11) for k in range(1, rand + 1)]) / 11) < 0.06
    assert not any("angry" in query for queries in by_mode["never"] for query in queries)


def test_the_word_of_the_emotion_itself_comes_half_of_the_time():
    pool, n = pool_of({"emotion": "anger"}, templates="diverse"), 9000
    alone = set(pool.sample([0] * n, only_emotion=True, rng=rng(5)))
    assert alone == {query for query in pool.vocabulary if query.startswith("emotion is ")}
    found = Counter(pool.sample([0] * n, rng=rng(5)))
    assert set(found) == set(pool.vocabulary)
    own = [count for query, count in found.items() if "angry" in query]
    assert len(own) == 9
    assert all(abs(count / n - 1 / 18) < 0.012 for count in own)
    others = [count for query, count in found.items() if "angry" not in query]
    assert all(abs(count / n - 1 / 54) < 0.008 for count in others)


def test_a_caption_is_drawn_from_the_wordings_of_one_utterance():
    wordings = {"pitch": [("a",)], "gender": [("b",), ("c",)], "emotion": [("d", "e")]}
    captions = {sample_caption(wordings, 2, rng=rng(seed)) for seed in range(200)}
    heads = ["a", "b", "c", "a and b", "b and a", "a and c", "c and a"]
    assert captions == {f"{head} and {last}" for head in heads for last in "de"}


def test_queries_are_joined_by_and_all_of_them_after_the_word_speaker():
    pool = golden_pool(templates="released")
    rows = np.flatnonzero(pool.has_queries())
    every = ["speaker " + " and ".join(pool.queries(int(i))) for i in rows]
    assert pool.sample(rows, join="all", rng=rng()) == every
    captions, again, other = (pool.sample(rows, rng=rng(s)) for s in (3, 3, 4))
    assert captions == again != other
    for i, caption in zip(rows, captions, strict=True):
        assert set(caption.split(" and ")) <= set(pool.queries(int(i)))


def test_no_template_holds_the_word_that_joins_queries():
    for templates in SETS:
        assert not any(" and " in f" {one.text} " for one in load_templates(templates))


def test_rows_with_nothing_to_draw_are_known_and_named():
    rows = [{}, {"emotion": "anger"}, {"pitch": "low"}, {"pitch": "low", "emotion": "anger"}]
    pool = pool_of(*rows)
    assert pool.has_queries().tolist() == [False, True, True, True]
    assert pool.has_queries("pool").tolist() == [False, True, True, True]
    assert pool.has_queries("never").tolist() == [False, False, True, True]
    assert pool.has_queries(only_emotion=True).tolist() == [False, True, False, True]
    for options in ({"emotion": "never"}, {"only_emotion": True}, {"join": "all"}):
        with pytest.raises(ValueError, match=r"No queries for \d rows \(first: \[0.*expected"):
            pool.sample([3, 0, 1, 2], **options, rng=rng())
    disagreeing = pool_of({"emotion": "no_agreement"}, templates="released")
    assert disagreeing.has_queries().tolist() == [True]
    assert disagreeing.has_queries("never").tolist() == [False]
    assert pool_of().table()["queries"].tolist() == pool_of().sample([], rng=rng()) == []


@pytest.mark.parametrize(
    ("row", "options", "message"),
    [
        ({"pitch": "hihg"}, {}, "level of pitch 'hihg'.* mean 'high'"),
        ({"gender": "femal"}, {}, "gender 'femal'.* mean 'female'"),
        (FULL, {"emotion": "allways"}, "emotion 'allways', .* mean 'always'"),
        (FULL, {"join": "al"}, "join 'al', .* mean 'all'"),
    ],
)
def test_bad_words_and_options_are_reported(row, options, message):
    with pytest.raises(ValueError, match=message):
        pool_of(row).sample([0], **options, rng=rng())


@pytest.mark.parametrize("form", ["adjective", "noun"])
@pytest.mark.parametrize("templates", SETS)
def test_every_query_of_every_set_has_an_attribute_and_a_truth(templates, form):
    pool = golden_pool(templates=templates, emotion_form=form)
    queries = pool.vocabulary
    truth = query_truth(pool, queries)
    assert set(np.unique(truth)) == {-1, 0, 1}
    for i, row in enumerate(truth == 1):
        assert set(np.array(queries)[row]) == set(pool.queries(i))
    known = {one.attribute for one in load_templates(templates)}
    assert {attribute_of(query, pool) for query in queries} == known
    # Asked of others, of whom one has other emotions and one has nothing that is known.
    other = pool_of({"emotion": "fear"}, {}, templates=templates, emotion_form=form)
    elsewhere = query_truth(other, [q for q in queries if "saudade" not in q])
    assert (elsewhere[1] == -1).all()


@pytest.mark.parametrize(
    ("row", "query", "truth"),
    [
        ({"pitch": "high"}, "has a high pitch", 1),
        ({"pitch": "normal"}, "has a high pitch", 0),
        ({}, "has a high pitch", -1),
        ({"intensity": "high", "loudness": "low"}, "is loud", 0),
        ({"intensity": "high"}, "is loud", 1),
        ({"gender": "male"}, "a female is speaking", 0),
        ({"emotion": "anger"}, "speaker is angry", 1),
        ({"emotion": "fear"}, "speaker is angry", 0),
        ({"emotion": "no_agreement"}, "speaker is angry", 0),
        ({"emotion": "anger"}, "speaker is very angry", -1),
        ({"arousal": "low"}, "speaker is very angry", 0),
        ({"arousal": "high", "emotion": "anger"}, "speaker is very angry", 1),
        ({"arousal": "low"}, "speaker is calm", 1),
        ({"arousal": "normal"}, "speaker is calm", -1),
        ({"arousal": "normal", "emotion": "fear"}, "speaker is calm", 0),
        ({"arousal": "high", "emotion": "calm"}, "speaker is calm", 0),
    ],
)
def test_a_query_is_true_false_or_unknown(row, query, truth):
    assert query_truth(pool_of(row), [query, query]).tolist() == [[truth, truth]]


def test_a_synonym_is_true_of_its_emotion_alone_and_an_impossible_query_is_reported():
    pool = pool_of({"emotion": "anger"}, {"emotion": "fear"}, {}, templates="diverse")
    assert query_truth(pool, ["sounds mad"]).ravel().tolist() == [1, 0, -1]
    assert attribute_of("speaker is very mad", pool) == "arousal"
    assert attribute_of("sounds mad", pool) == "emotion"
    pool = pool_of(FULL, templates="diverse")
    drawn = {query for caption in draw(pool, [0] * 900, rng=rng()) for query in caption}
    assert "speaker is very mad" in drawn <= {*pool.vocabulary}
    assert (query_truth(pool, sorted(drawn)) == 1).all()
    with pytest.raises(ValueError, match=r"Unknown query 'has a hihg p', .* 'has a high pitch'"):
        query_truth(pool_of({}), ["has a hihg p"])


INDEX = tables.segments([f"/a/{i}.wav" for i in range(11)])
TABLE = pd.DataFrame({"duration": np.arange(11.0), "loudness_sma3_amean": 1.0}, INDEX)


def test_a_table_of_features_is_described_by_its_own_edges_or_by_others(tmp_path, capsys):
    found = describe(TABLE)
    assert capsys.readouterr().err.startswith("Left out loudness")
    assert found.loc[INDEX[0], "duration"] == "low"
    assert "is short" in found.loc[INDEX[0], "queries"]
    edges = fit_levels(TABLE.assign(duration=TABLE["duration"] + 100, pitch=1))
    path = save_edges(edges, tmp_path / "edges.json")
    for given in (edges, path, str(path)):
        assert (describe(TABLE, given)["duration"] == "low").all()
    capsys.readouterr()


def test_labels_add_what_cannot_be_measured_and_say_which_rows_are_for_training():
    labels = pd.DataFrame({"emotion": "anger", "gender": "male", "split": "train"}, INDEX)
    labels.loc[INDEX[6:], "split"] = "test"
    found = describe(TABLE[["duration"]], labels=labels, emotion_form="noun")
    assert (found["duration"] == "high").sum() == 7  # of 0 … 5, the upper edge is 3.5
    assert "speaker is anger" in found["queries"].iloc[0]
    with pytest.raises(ValueError, match=r"No labels of 9 segments .*'/a/10.wav'"):
        describe(TABLE, labels=labels.iloc[:2])


def test_audio_is_described_by_the_edges_of_others(labels):
    edges = fit_levels(pd.DataFrame({"duration": [0.1, 0.2, 0.3], "arousal": [1.0, 2.0, 3.0]}))
    files = labels.index[:2]
    found = describe(files, edges, "released-fixed", jobs=1)
    assert list(found["queries"].iloc[0])[:2] == ["is long", "has a long duration"]
    assert found.attrs["failed"] == []
    with pytest.raises(ValueError, match="No column for the edges"):
        describe(TABLE, fit_levels(pd.DataFrame({"arousal": [1.0, 2.0, 3.0]})))
