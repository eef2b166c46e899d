"""Claims about search: ranks and precision where much is true, and the level of a random order."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score

from paraclap.evaluation import retrieval
from paraclap.queries import QueryPool, query_truth


def scored(similarity, truth):
    return retrieval.seeker_scores(np.asarray(similarity, float), np.asarray(truth, np.int8))


def test_golden_ranks_and_precision():
    # order b c a d: true ones at places 2 (c) and 3 (a)
    table = scored([[0.2, 0.9, 0.5, 0.1]], [[1, 0, 1, 0]])
    assert table.iloc[0].tolist() == pytest.approx([4, 2, 2, (1 / 2 + 2 / 3) / 2])
    alike = scored(np.zeros((1, 4)), [[1, 0, 0, 0]])
    assert alike.iloc[0].tolist() == [4, 1, 4, 0.25]
    unknown = scored([[0.9, 0.5, 0.1]], [[-1, 1, 0]])
    assert unknown.iloc[0].tolist() == [2, 1, 1, 1]


def test_the_mean_over_seekers_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    similarity, truth = rng.normal(size=(30, 12)), (rng.random((30, 12)) < 0.3).astype(np.int8)
    truth[:, 0], truth[:, 1] = 1, 0
    table = scored(similarity, truth)
    expected = label_ranking_average_precision_score(truth, similarity)
    assert table["precision"].mean() == pytest.approx(expected)


@settings(deadline=None, max_examples=10)
@given(st.integers(2, 5), st.data())
def test_chance_is_the_mean_over_all_orders(items, data):
    true = data.draw(st.integers(1, items - 1))
    truth = [[1] * true + [0] * (items - true)]
    orders = [scored([order], truth) for order in permutations(range(items))]
    every = pd.concat(orders)
    chance = retrieval.chance_precision(true, items)
    assert chance == pytest.approx(every["precision"].mean())
    by_rank = [(every["rank"] <= k).mean() for k in retrieval.PLACES]
    assert retrieval._chance(every.head(1))[:3] == pytest.approx(by_rank)


def test_seekers_with_nothing_to_find_or_to_avoid_are_not_counted():
    truth = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 0], [1, 1, 1]], dtype=np.int8)
    table = retrieval.retrieve(np.random.default_rng(0).random((4, 3)), truth, None)
    counts = table.groupby("direction")["seekers"].first()
    assert counts[retrieval.TO_AUDIO] == 3 and counts[retrieval.TO_TEXT] == 2


def test_values_lie_in_their_intervals_and_speakers_widen_them():
    rng = np.random.default_rng(2)
    speakers = np.repeat([f"s{i}" for i in range(12)], 5)
    skill = np.repeat(rng.uniform(-1, 3, 12), 5)[:, None]
    truth = (rng.random((60, 12)) < 0.3).astype(np.int8)
    similarity = rng.normal(size=truth.shape) + skill * truth
    own = retrieval.retrieve(similarity, truth, speakers)
    each = retrieval.retrieve(similarity, truth, None)
    assert (own["low"] <= own["value"]).all() and (own["value"] <= own["high"]).all()
    precise = own["measure"] == "mAP"
    widths = [(one["high"] - one["low"])[precise] for one in (own, each)]
    assert (widths[0] > widths[1]).all()


@pytest.mark.parametrize("templates", ["paper", "diverse", "released"])
def test_queries_of_every_template_set_know_their_attribute(templates):
    table = pd.DataFrame({"pitch": ["high", "low", "high"], "gender": ["female", "male", "male"]})
    pool = QueryPool(table.assign(emotion=["anger", "sadness", None]), templates)
    queries = pool.vocabulary
    truth = query_truth(pool, queries)
    table = retrieval.by_query((truth == 1).astype(float), truth, queries, pool)
    assert len(table) and set(table["attribute"]) <= {"pitch", "emotion", "gender"}
    assert (table["precision"] == 1).all() and (table["rank"] == 1).all()
    assert (table["gain"].diff().dropna() <= 0).all()


def test_what_cannot_be_ranked_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        scored([[np.nan, 1]], [[1, 0]])
    with pytest.raises(ValueError, match="nothing to rank"):
        retrieval.retrieve(np.zeros((2, 2)), np.ones((2, 2), np.int8), None)
