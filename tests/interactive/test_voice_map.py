"""Places and neighbours are what counting gives; the map holds what it is given."""

import numpy as np
import pandas as pd
import pytest

from paraclap.interactive import voice_map as maps


@pytest.fixture(scope="module")
def groups():
    """Embeddings of three groups of 12, far apart."""
    rng = np.random.default_rng(0)
    points = np.repeat(np.eye(8)[:3], 12, axis=0) + 0.05 * rng.normal(size=(36, 8))
    return points / np.linalg.norm(points, axis=1, keepdims=True), np.repeat(list("abc"), 12)


def test_nearest_are_those_of_largest_cosine_and_a_map_that_changes_nothing_keeps_them(groups):
    points, _ = groups
    cosines = points @ points.T - 2 * np.eye(len(points))
    assert (maps.nearest(points, 5) == np.argsort(-cosines, axis=1)[:, :5]).all()
    assert maps.kept_neighbours(points, 3 * points) == 1
    assert maps.kept_neighbours(points, np.random.default_rng(0).permutation(points)) < 0.6


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_places_keep_groups_apart_and_are_the_same_each_time(groups, method):
    points, names = groups
    places = maps.places(points, method)
    np.testing.assert_array_equal(places, maps.places(points, method))
    assert (names[maps.nearest(places, 5)] == names[:, None]).all()
    assert maps.places(points[:3], method).shape == (3, 2)
    with pytest.raises(ValueError, match="Unknown method 'umap'"):
        maps.places(points, "umap")


def test_agreement_is_the_share_of_neighbours_with_the_same_word(groups):
    points, names = groups
    table = pd.DataFrame({"group": names, "one": "x", "coin": list("hhtt") * 9})
    table.loc[0, "coin"] = None
    found = maps.agreement(points, table, ["group", "one", "coin"]).set_index("attribute")
    assert found.index.tolist() == ["group", "coin"]
    assert found.loc["group", "share"] == 1
    assert found.loc["coin", "n"] == 35
    low, high = found.loc["coin", ["chance_low", "chance_high"]]
    assert low < found.loc["coin", "chance"] < high < 1
    assert found.loc["group", "chance"] == pytest.approx(11 / 35, abs=0.05)


def test_about_as_many_utterances_of_each_emotion_are_drawn(labels):
    rare = labels.assign(emotion=["fear"] * 3 + ["anger"] * 57)
    answers = rare[["label"]].set_axis(["truth"], axis=1).assign(prediction="anger")
    twice = pd.concat([answers, answers.head(5)])  # of two tasks
    drawn = maps.sample_utterances(rare, twice, 10)
    assert drawn["emotion"].value_counts().to_dict() == {"anger": 7, "fear": 3}
    assert drawn.index.is_unique
    pd.testing.assert_frame_equal(drawn, maps.sample_utterances(rare, twice, 10))


def test_the_map_holds_each_utterance_and_nothing_in_it_is_a_tag(labels):
    few = labels.head(4).assign(x=[0.0, 1, 2, 3], y=0.0, emotion=["<b>x", "anger", "anger", None])
    cosines = pd.DataFrame({"is <i>loud": [0.1, 0.4, 0.3, 0.2]}, few.index)
    page = maps.voice_map(few, ["emotion", "gender"], cosines)
    source = page.layout.children[1].renderers[0].data_source.data
    assert source["emotion"] == ["<b>x", "anger", "anger", "not known"]
    assert source["colour"][1] == source["colour"][2] == maps.COLOURS["anger"]
    assert len(set(source["mark"])) == 3
    assert all(clip.startswith("data:audio/mpeg") for clip in source["clip"])
    (change,) = page.layout.children[0].js_property_callbacks["change:value"]
    assert list(change.args["looks"]) == ["emotion", "gender", "is <i>loud"]
    assert len(set(change.args["looks"]["is <i>loud"][0]["colour"])) == 4
    assert "emotion: ● anger (2)" in page.words
    assert "<b>" not in page._repr_html_() and "<i>" not in page._repr_html_()
    assert repr(page) == "Page(title='A map of 4 utterances')"
