"""Of whom a query is true, and the way from features to queries in one call."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paraclap import tables
from paraclap.queries import (
    FEATURES,
    QueryPool,
    attribute_of,
    describe,
    fit_levels,
    load_templates,
    query_truth,
    save_edges,
)
from paraclap.queries.templates import SETS

GOLDEN = json.loads((Path(__file__).parent.parent / "data" / "golden_queries.json").read_text())


def pool_of(*rows: dict[str, str], templates: str = "paper", form: str = "adjective") -> QueryPool:
    table = pd.DataFrame(list(rows), columns=[*FEATURES, "emotion", "gender"], dtype="str")
    return QueryPool(table, templates, form)


@pytest.mark.parametrize("form", ["adjective", "noun"])
@pytest.mark.parametrize("templates", SETS)
def test_every_query_of_every_set_has_an_attribute_and_a_truth(templates, form):
    rows = [{**r["levels"], "emotion": r["emotion"], "gender": r["gender"]} for r in GOLDEN["rows"]]
    pool = pool_of(*rows, templates=templates, form=form)
    queries = pool.vocabulary
    truth = query_truth(pool, queries)
    assert set(np.unique(truth)) == {-1, 0, 1}
    for i, row in enumerate(truth == 1):
        assert set(np.array(queries)[row]) == set(pool.queries(i))
    known = {one.attribute for one in load_templates(templates)}
    assert {attribute_of(query, pool) for query in queries} == known
    # Asked of others, of whom one has other emotions and one has nothing that is known.
    other = pool_of({"emotion": "fear"}, {}, templates=templates, form=form)
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
    assert query_truth(pool_of(row), [query]).tolist() == [[truth]]


def test_a_synonym_is_true_of_its_emotion_alone_and_an_impossible_query_is_reported():
    pool = pool_of({"emotion": "anger"}, {"emotion": "fear"}, {}, templates="diverse")
    assert query_truth(pool, ["sounds mad"]).ravel().tolist() == [1, 0, -1]
    assert attribute_of("speaker is very mad", pool) == "arousal"
    assert attribute_of("sounds mad", pool) == "emotion"
    with pytest.raises(
        ValueError, match=r"Unknown query 'has a hihg pitch', .* 'has a high pitch'"
    ):
        query_truth(pool_of({}), ["has a hihg pitch"])


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
    with pytest.raises(ValueError, match=r"No labels of 9 segments .*'a/10.wav'"):
        describe(TABLE, labels=labels.iloc[:2])


def test_audio_is_described_by_the_edges_of_others(labels):
    edges = fit_levels(pd.DataFrame({"duration": [0.1, 0.2, 0.3], "arousal": [1.0, 2.0, 3.0]}))
    files = labels.index[:2]
    found = describe(files, edges, "released-fixed", jobs=1)
    assert list(found["queries"].iloc[0])[:2] == ["is long", "has a long duration"]
    assert found.attrs["failed"] == []
    with pytest.raises(ValueError, match="No column for the edges"):
        describe(TABLE, fit_levels(pd.DataFrame({"arousal": [1.0, 2.0, 3.0]})))
