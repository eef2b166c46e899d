"""Claims about prompts: a fixed set, what a task is asked in, and answers by several together."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from paraclap.evaluation import prompts, tasks
from paraclap.model.embedding import embed_audio

EMOTIONS = {"anger": "angry", "sadness": "sad"}
OTHERS = {"intoxicated": "intoxicated with alcohol", "sober": "not intoxicated with alcohol"}


def test_the_set_is_what_runs_were_compared_by():
    kinds = prompts.frozen()["kind"].value_counts().to_dict()
    assert kinds == {"synonym": 18, "predicate": 8, "attributive": 2, "noun": 2}


def test_emotions_are_asked_in_every_template_and_in_unseen_words():
    table = prompts.task_prompts(EMOTIONS)
    trained = table[table["kind"] == "trained"]
    assert trained["prompt"].tolist() == [f"{i:02d}" for i in range(1, 13)]
    first, *_, last = trained["anger"]
    assert (first, last) == ("speaker is angry", "this voice expresses anger")
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


@pytest.fixture
def asked(model, labels) -> pd.DataFrame:
    test = labels[labels["split"] == "test"]
    return prompts.ask(model, test, embed_audio(model, test), tasks.tasks(labels))


def test_each_prompt_is_answered_as_a_zero_shot_question_is(asked, model, labels):
    test = labels[labels["split"] == "test"]
    table = prompts.task_prompts(EMOTIONS)
    for number in (0, 20):
        row = table.iloc[number]
        words = {name: row[name] for name in EMOTIONS}
        plain = tasks.predict(model, test, {"tones": words}, "{}")
        answers = asked[(asked["prompt"] == row["prompt"])]
        columns = ["corpus", "speaker", "truth", "prediction"]
        pd.testing.assert_frame_equal(answers[columns], plain[columns], check_dtype=False)
    scores = prompts.prompt_scores(asked)
    assert scores["kind"].value_counts().to_dict() == {"trained": 12, "unseen": 20}
    assert set(scores["chance"]) == {0.5}
    plain = tasks.score(tasks.predict(model, test, {"tones": EMOTIONS}), {"tones": EMOTIONS})
    assert scores["uar"].iloc[0] == plain["uar"].iloc[0]


def test_the_mean_embedding_answers_for_all_prompts_of_a_kind(model, labels, monkeypatch):
    # texts (1, 0) and (0, 1) of anger have the mean (.71, .71), those of sadness (-1, 0) twice
    texts = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    two = prompts.task_prompts(EMOTIONS).query("kind == 'trained'").head(2)
    monkeypatch.setattr(prompts, "task_prompts", lambda words: two)
    monkeypatch.setattr(prompts, "embed_text", lambda model, queries: texts)
    some = labels[labels["split"] == "test"].head(2)
    audio = np.array([[-0.8, 0.6], [-0.4, 0.9]])  # cosines with the means -0.14, 0.8 and 0.35, 0.4
    found = prompts.ask(model, some, audio, {"tones": EMOTIONS})
    mean = found[found["prompt"] == prompts.MEAN]
    assert mean["prediction"].tolist() == ["sadness", "sadness"]
    assert found["prediction"].tolist()[2:4] == ["sadness", "anger"]  # the second prompt alone


def test_sensitivity_is_that_of_a_slow_loop_over_pairs(asked):
    table = prompts.sensitivity(asked).set_index("kind")
    assert table["prompts"].to_dict() == {"trained": 12, "unseen": 20}
    for kind, part in asked[asked["prompt"] != prompts.MEAN].groupby("kind"):
        answers = [list(one["prediction"]) for _, one in part.groupby("prompt")]
        pairs = list(combinations(answers, 2))
        kappas = [cohen_kappa_score(a, b) for a, b in pairs if len({*a, *b}) > 1]
        expected = np.mean(kappas) if kappas else np.nan
        assert table.loc[kind, "kappa"] == pytest.approx(expected, nan_ok=True)
    assert (table["worst"] <= table["mean"]).all() and (table["mean"] <= table["best"]).all()
