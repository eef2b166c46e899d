"""Tasks, their words, predictions and scores."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from paraclap import tables
from paraclap.evaluation import bootstrap, metrics, tasks
from paraclap.evaluation.zeroshot import classify
from paraclap.model.embedding import embed_audio

PAPER = yaml.safe_load((Path(__file__).parents[1] / "data" / "paper.yaml").read_text("utf-8"))


@pytest.mark.parametrize("task", PAPER["words"])
def test_words_of_the_paper_and_of_the_released_code(task):
    for label, words in PAPER["words"][task].items():
        found = [tasks.task_word(label, task, source) for source in ("paper", "released")]
        assert " / ".join(dict.fromkeys(found)) == words


def test_own_words_and_msp_podcast():
    assert all(tasks.task_word(label) == word for label, word in PAPER["own"].items())
    for label in ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness"):
        assert tasks.task_word(label, "msp-podcast", "paper") == label
        assert tasks.task_word(label, "msp-podcast", "released") == label
    assert tasks.task_word("anger", "another", "paper") == "angry"
    with pytest.raises(ValueError, match=r"Unknown set of candidates 'papers'.*mean 'paper'"):
        tasks.task_word("anger", "tess", "papers")


@pytest.fixture
def mixed(labels) -> pd.DataFrame:
    """The tones, and a second corpus of some of them under other labels, test split only."""
    classes = ["sober", "intoxicated"] * 6
    other = labels.iloc[:12].assign(corpus="bar-like", split="test", label=classes)
    return tables.check_labels(pd.concat([labels.iloc[12:], other]))


def test_each_corpus_with_a_test_split_is_a_task(mixed):
    assert tasks.tasks(mixed) == {
        "tones": {"anger": "angry", "sadness": "sad"},
        "bar-like": {
            "intoxicated": "intoxicated with alcohol",
            "sober": "not intoxicated with alcohol",
        },
    }


def test_other_and_missing_labels_are_no_classes(labels):
    changed = labels.copy()
    changed.loc[changed.index[55:57], "label"] = ["other", None]
    assert set(tasks.tasks(changed)["tones"]) == {"anger", "sadness"}
    assert len(tasks.task_rows(changed)) == 8
    with pytest.raises(ValueError, match="No task among 60 utterances"):
        tasks.tasks(labels.assign(label="anger"))


def test_remarks_name_absent_classes_missing_tasks_and_few_speakers(labels, mixed):
    train = labels["split"] == "train"
    fear = labels.assign(label=labels["label"].where(~train | (np.arange(60) > 3), "fear"))
    assert "fear" not in tasks.tasks(fear)["tones"]
    assert any("tones goes without fear" in remark for remark in tasks.remarks(fear))
    assert sum("over utterances" in remark for remark in tasks.remarks(mixed)) == 2
    mixed.loc[mixed["corpus"] == "bar-like", "label"] = "sober"
    assert list(tasks.tasks(mixed)) == ["tones"]
    assert any("bar-like goes without sober" in remark for remark in tasks.remarks(mixed))


def test_one_utterance_may_belong_to_several_tasks(model, mixed):
    rows = (mixed["corpus"] == "tones") & (mixed["split"] == "test")
    second = pd.Series(["up", "down"] * 30, mixed.index, dtype="str").where(rows)
    labels = mixed.assign(**{"task:way": second})
    both = tasks.tasks(labels)
    assert list(both) == [*tasks.tasks(mixed), "way"]
    assert len(tasks.task_rows(labels)) == len(tasks.task_rows(mixed)) + rows.sum()
    predictions = tasks.predict(model, labels[labels["split"] == "test"], both)
    own = predictions[predictions["corpus"] == "way"]
    assert own["truth"].tolist() == second[rows].tolist()
    assert own.index.equals(labels.index[rows])


def test_predictions_are_those_of_classify(model, mixed):
    rows = tasks.task_rows(mixed)
    predictions = tasks.predict(model, rows, tasks.tasks(mixed))
    assert list(predictions)[:4] == ["corpus", "speaker", "truth", "prediction"]
    assert list(predictions.index.names) == tables.INDEX
    own = predictions[predictions["corpus"] == "tones"]
    assert own[["sober", "intoxicated"]].isna().all(axis=None)
    again = classify(model, own, {"anger": "angry", "sadness": "sad"}, "speaker is {}")
    np.testing.assert_allclose(own[["anger", "sadness"]], again[["anger", "sadness"]], atol=1e-4)
    assert again["prediction"].tolist() == own["prediction"].tolist()
    given = tasks.predict(model, rows, tasks.tasks(mixed), embeddings=embed_audio(model, rows))
    pd.testing.assert_frame_equal(given, predictions)


def test_a_class_may_not_be_called_like_a_column(model, labels):
    with pytest.raises(ValueError, match=r"Bad classes \['speaker'\] of 'tones'"):
        tasks.predict(model, labels, {"tones": {"speaker": "loud", "anger": "angry"}})


def predictions() -> pd.DataFrame:
    i = np.arange(180)
    truth, prediction = (np.array(["a", "b", "c"])[j % 3] for j in (i, i * i % 11))
    columns = {"speaker": [f"s{j}" for j in i // 15], "truth": truth, "prediction": prediction}
    one = pd.DataFrame({"corpus": "one", **columns})
    two = pd.DataFrame({"corpus": "two", **columns, "speaker": None})
    return pd.concat([one, two], ignore_index=True)


def test_scores_have_one_row_a_task():
    asked = {"one": ["a", "b", "c"], "two": {"a": "x", "b": "y", "c": "z"}}
    table = tasks.score(predictions(), asked, "is {}", draws=50, seed=3)
    columns = "task classes chance n speakers template uar uar_low uar_high macro_f1 accuracy"
    assert " ".join(table) == columns
    assert table["task"].tolist() == ["one", "two"] and table["speakers"].tolist() == [12, 0]
    part = predictions()[:180]
    given = (part["truth"], part["prediction"], ["a", "b", "c"])
    ends = bootstrap.bootstrap_interval(*given, part["speaker"], 50, 3)
    others = [score(*given) for score in (metrics.macro_f1, metrics.accuracy)]
    size = ["one", 3, 1 / 3, 180, 12, "is {}"]
    assert table.loc[0].tolist() == [*size, metrics.uar(*given), *ends, *others]


def test_bad_predictions_are_errors():
    with pytest.raises(ValueError, match=r"Unknown task 'ones'.*Did you mean 'one'\?"):
        tasks.score(predictions(), {"ones": ["a", "b", "c"]})
    with pytest.raises(ValueError, match=r"^Task 'one': No truth of \['d'\] among 180"):
        tasks.score(predictions(), {"one": ["a", "b", "c", "d"]})


def test_attributes_are_scored_on_utterances_at_an_end(model, mixed):
    rows = tasks.task_rows(mixed)
    levels = pd.DataFrame({"pitch": "normal", "jitter": "low"}, index=rows.index)
    levels.loc[levels.index[:3], "pitch"] = ["low", "high", "high"]
    levels["gender"] = rows["gender"]
    embedded, genders = embed_audio(model, rows), levels[["gender"]].assign(gender=None)
    table = tasks.attribute_scores(model, rows, embedded, levels, draws=20)
    assert set(table["attribute"]) == {"pitch", "gender"}
    table = table.set_index("attribute")
    assert table.loc["pitch", "n"] == 3 and table.loc["gender", "n"] == len(rows)
    assert (table["uar_low"] <= table["uar"]).all() and (table["uar"] <= table["uar_high"]).all()
    nothing = tasks.attribute_scores(model, rows, embedded, genders)
    assert list(nothing) == ["attribute", "n", "uar", "uar_low", "uar_high"] and nothing.empty


def test_the_low_end_of_gender_is_female():
    low, high = tasks.attribute_queries(pd.DataFrame({"gender": ["male"]}))["gender"]
    assert "female" in low and "female" not in high and "male" in high
    names = list(tasks.attribute_queries(pd.DataFrame({"pitch": ["low"], "jitter": [None]})))
    assert names == ["pitch"]
