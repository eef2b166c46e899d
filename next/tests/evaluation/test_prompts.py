"""Claims about prompts: a fixed set, what a task is asked in, and answers by several together."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics import cohen_kappa_score

from paraclap.evaluation import prompts, tasks
from paraclap.model.embedding import embed_audio

EMOTIONS = {"anger": "angry", "sadness": "sad"}
OTHERS = {"intoxicated": "intoxicated with alcohol", "sober": "not intoxicated with alcohol"}


def test_the_set_is_what_runs_were_compared_by():
    table = prompts.frozen()
    assert table["kind"].value_counts().to_dict() == {
        "synonym": 18,
        "predicate": 8,
        "attributive": 2,
        "noun": 2,
    }
    assert table["text"].iloc[[0, 1, 11]].tolist() == [
        "speaker is {}",
        "{}",
        "this voice expresses {}",
    ]
    templates = table[table["kind"] != "synonym"]
    assert (templates["text"].str.count(r"\{\}") == 1).all() and templates["name"].is_unique


def test_emotions_are_asked_in_every_template_and_in_unseen_words():
    table = prompts.task_prompts(EMOTIONS)
    trained = table[table["kind"] == "trained"]
    assert trained["prompt"].tolist() == [f"{i:02d}" for i in range(1, 13)]
    assert trained["anger"].iloc[[0, -1]].tolist() == [
        "speaker is angry",
        "this voice expresses anger",
    ]
    unseen = table[table["kind"] == "unseen"]
    assert len(unseen) == 10 * 2
    assert unseen["sadness"].iloc[:2].tolist() == ["speaker is gloomy", "speaker is sorrowful"]
    assert not unseen["anger"].str.contains("angry|anger").any()


def test_words_that_a_template_does_not_take_are_not_forced_into_it():
    table = prompts.task_prompts(OTHERS)
    assert set(table["kind"]) == {"trained"}
    assert table["prompt"].tolist() == [f"{i:02d}" for i in range(1, 9)]
    sentence = prompts.task_prompts({"a": "The person is angry.", "b": "The person is sad."})
    assert sentence["template"].tolist() == ["{}"]


def test_entropy_weights_worked_by_hand():
    # entropies ln 2 for (1/2, 1/2) and h for (0.9, 0.1); weights are proportional to 1 / entropy
    h = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    sure = (1 / h) / (1 / h + 1 / np.log(2))
    averaged = prompts.entropy_weighted(np.array([[[0.9, 0.1]], [[0.5, 0.5]]]))
    assert averaged[0, 0] == pytest.approx(sure * 0.9 + (1 - sure) * 0.5)
    certain = prompts.entropy_weighted(np.array([[[1.0, 0.0]], [[0.0, 1.0]]]))
    assert certain == pytest.approx(np.array([[0.5, 0.5]]))


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(1, 5), st.integers(2, 4))
def test_averages_are_probabilities_and_equal_prompts_change_nothing(seed, many, classes):
    rng = np.random.default_rng(seed)
    shares = softmax(rng.normal(size=(many, 6, classes)), axis=-1)
    assert prompts.entropy_weighted(shares).sum(axis=-1) == pytest.approx(np.ones(6))
    same = np.repeat(shares[:1], 3, axis=0)
    assert prompts.entropy_weighted(same) == pytest.approx(shares[0])


@pytest.fixture
def asked(model, labels) -> list[prompts.Prompted]:
    test = labels[labels["split"] == "test"]
    return prompts.ask(model, test, embed_audio(model, test), tasks.tasks(labels))


def test_each_prompt_is_answered_as_a_zero_shot_question_is(asked, model, labels):
    test = labels[labels["split"] == "test"]
    trained, unseen = asked
    for number in (0, 11):
        row = trained.prompts.iloc[number]
        words = {name: row[name] for name in EMOTIONS}
        plain = tasks.predict(model, test, {"tones": words}, "{}")
        shares = softmax(trained.logits[number], axis=1)
        np.testing.assert_allclose(shares, plain[list(EMOTIONS)], atol=1e-5)
        own = trained.predictions(trained.logits[number])
        pd.testing.assert_frame_equal(own, plain[list(own)], check_dtype=False)
    scores = prompts.prompt_scores(asked)
    assert len(scores) == 12 + 20 and set(scores["chance"]) == {0.5}
    plain = tasks.score(tasks.predict(model, test, {"tones": EMOTIONS}), {"tones": EMOTIONS})
    assert scores["uar"].iloc[0] == plain["uar"].iloc[0]
    assert len(unseen.prompts) == 20


def test_ensembles_answer_for_all_prompts_of_a_kind(asked):
    trained = asked[0]
    together = trained.ensembles()
    assert list(together) == list(prompts.ENSEMBLES)
    mean = softmax(trained.logits, axis=-1).mean(axis=0)
    own = trained.predictions(mean)["prediction"]
    assert together["mean probability"]["prediction"].tolist() == own.tolist()


def test_the_mean_embedding_has_unit_length(model, labels, monkeypatch):
    # (1, 0) and (0, 1) average to the diagonal, so that an utterance along it has cosine 1
    queries = np.array([[[1.0, 0.0], [0.0, -1.0]], [[0.0, 1.0], [-1.0, 0.0]]])
    two = prompts.task_prompts(EMOTIONS).query("kind == 'trained'").head(2)
    monkeypatch.setattr(prompts, "task_prompts", lambda words: two)
    monkeypatch.setattr(prompts, "embed_text", lambda model, texts: queries.reshape(4, 2))
    some = labels[labels["split"] == "test"].head(2)
    audio = np.array([[np.sqrt(0.5)] * 2, [-1.0, 0.0]])
    (one,) = prompts.ask(model, some, audio, {"tones": EMOTIONS})
    assert one.mean[0] == pytest.approx(model.temperature.item() * np.array([1, -1]))


def test_sensitivity_is_that_of_a_slow_loop_over_pairs(asked):
    table = prompts.sensitivity(asked)
    assert table["prompts"].tolist() == [12, 20]
    for row, one in zip(table.itertuples(), asked, strict=True):
        answers = [one.predictions(logits)["prediction"] for logits in one.logits]
        pairs = list(combinations(answers, 2))
        assert row.equal == pytest.approx(np.mean([(a == b).mean() for a, b in pairs]))
        kappas = [cohen_kappa_score(a, b) for a, b in pairs if len({*a, *b}) > 1]
        assert row.kappa == pytest.approx(np.mean(kappas), nan_ok=True)
    assert (table["worst"] <= table["mean"]).all() and (table["mean"] <= table["best"]).all()
