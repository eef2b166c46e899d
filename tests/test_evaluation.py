"""What is asked, what comes back, and how it is scored: on tones, with an untrained model."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from paraclap import evaluation, levels, quoted, tables, tasks, training, zeroshot
from paraclap.machine import Machine
from paraclap.queries import Pool
from paraclap.settings import VARIANTS, Settings, variants
from paraclap.towers import build


@pytest.fixture(scope="module")
def model():
    return build("smoke", "smoke", 16, 0.1, "mean", seed=0)


@pytest.fixture(scope="module")
def mixed(voices: pd.DataFrame) -> pd.DataFrame:
    """The tones, and a second corpus of some of them under other labels, test split only."""
    other = voices.iloc[:12].assign(
        corpus="bar-like", split="test", label=["sober", "intoxicated"] * 6
    )
    return tables.check_labels(pd.concat([voices.iloc[12:], other]))


@pytest.fixture(scope="module")
def embedded(model, mixed) -> np.ndarray:
    return zeroshot.embed_audio(model, evaluation.asked(mixed))


@pytest.fixture(scope="module")
def predictions(model, mixed, embedded) -> pd.DataFrame:
    return evaluation.predict(
        model, evaluation.asked(mixed), evaluation.tasks(mixed), embeddings=embedded
    )


# --- tasks ------------------------------------------------------------------------------------


def test_each_corpus_with_a_test_split_is_a_task_in_words(mixed):
    assert evaluation.tasks(mixed) == {
        "tones": {"anger": "angry", "sadness": "sad"},
        "bar-like": {
            "intoxicated": "intoxicated with alcohol",
            "sober": "not intoxicated with alcohol",
        },
    }


def test_other_and_missing_labels_are_no_candidates(voices):
    changed = voices.copy()
    changed.loc[changed.index[55:57], "label"] = ["other", None]
    assert set(evaluation.tasks(changed)["tones"]) == {"anger", "sadness"}
    assert len(evaluation.asked(changed)) == 8


def test_a_class_without_test_voices_is_said_and_not_asked(voices):
    train = voices["split"] == "train"
    changed = voices.assign(label=voices["label"].where(~train | (np.arange(60) > 3), "fear"))
    assert "fear" not in evaluation.tasks(changed)["tones"]
    assert any("asked without fear" in remark for remark in evaluation.remarks(changed))


def test_a_corpus_of_one_class_is_said_to_be_no_task(mixed):
    changed = mixed.copy()
    changed.loc[changed["corpus"] == "bar-like", "label"] = "sober"
    assert list(evaluation.tasks(changed)) == ["tones"]
    assert any("bar-like is no task" in remark for remark in evaluation.remarks(changed))


def test_few_speakers_are_said(mixed):
    assert sum("over utterances" in remark for remark in evaluation.remarks(mixed)) == 2


def test_no_task_at_all_is_an_error(voices):
    with pytest.raises(ValueError, match="No task among 60 voices"):
        evaluation.tasks(voices.assign(label="anger"))


def test_no_synonym_is_a_word_of_training():
    said = " ".join(query for pool in (Pool.build(*_all_emotions()),) for query in pool.vocabulary)
    for label, words in tasks.synonyms().items():
        assert len(words) == 2, label
        assert not any(word in said for word in words), label


def _all_emotions():
    emotions = pd.Series(list(tasks.synonyms()), dtype="str")
    return pd.DataFrame({"pitch": "high"}, index=emotions.index), emotions


def test_the_table_of_the_paper_names_our_variants_and_imitations():
    table = quoted.paper_scores()
    assert set(VARIANTS) <= set(table)
    assert table.set_index("imitation").loc["aibo2-like", "rand5"] == 0.604


def test_candidates_are_the_words_of_the_paper_or_of_its_code():
    classes = ["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]
    said = {
        candidates: [tasks.task_word(label, "tess", candidates) for label in classes]
        for candidates in tasks.CANDIDATES
    }
    assert said == {
        "own": ["angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised"],
        "paper": [*classes[:-1], "pleasant surprise"],
        "released": [
            *["angry", "disgust", "fear", "happy", "neutral", "sadness", "pleasant surprise"]
        ],
    }
    assert tasks.task_word("positive", "fau-aibo-5", "released") == "motherese"
    assert tasks.task_word("anger", "iemocap", "released") == "this person is feeling anger."
    assert tasks.task_word("anger", "somebody's", "paper") == "angry"
    with pytest.raises(ValueError, match=r"Unknown set of candidates 'papers'.*mean 'paper'"):
        tasks.task_word("anger", "tess", "papers")


def test_one_voice_can_be_asked_several_questions(model, mixed):
    rows = (mixed["corpus"] == "tones") & (mixed["split"] == "test")
    second = pd.Series(["up", "down"] * 30, mixed.index, dtype="str").where(rows)
    labels = mixed.assign(**{"task:way": second})
    both = evaluation.tasks(labels)
    assert list(both) == [*evaluation.tasks(mixed), "way"]
    assert len(evaluation.asked(labels)) == len(evaluation.asked(mixed)) + rows.sum()
    predictions = evaluation.predict(model, labels[labels["split"] == "test"], both)
    own = predictions[predictions["corpus"] == "way"]
    assert own["truth"].tolist() == second[rows].tolist()
    assert own.index.equals(labels.index[rows])


# --- answers ----------------------------------------------------------------------------------


def test_predictions_hold_what_the_contract_names(predictions, mixed):
    assert list(predictions)[:4] == ["corpus", "speaker", "truth", "prediction"]
    assert list(predictions.index.names) == tables.INDEX
    assert len(predictions) == len(evaluation.asked(mixed))
    own = predictions[predictions["corpus"] == "tones"]
    assert own[["sober", "intoxicated"]].isna().all(axis=None)
    np.testing.assert_allclose(own[["anger", "sadness"]].sum(axis=1), 1, atol=1e-5)
    assert (own[["anger", "sadness"]].idxmax(axis=1) == own["prediction"]).all()


def test_predictions_are_those_of_classify(model, predictions, mixed):
    own = predictions[predictions["corpus"] == "tones"]
    again = zeroshot.classify(model, own, {"anger": "angry", "sadness": "sad"}, "speaker is {}")
    assert again["prediction"].tolist() == own["prediction"].tolist()


def test_scores_have_the_columns_of_the_contract(predictions, mixed):
    table = evaluation.score(predictions, evaluation.tasks(mixed), draws=20)
    names = "task classes chance n speakers template uar uar_low uar_high macro_f1 accuracy"
    assert list(table) == names.split()
    assert table["task"].tolist() == ["tones", "bar-like"]


def test_attributes_ask_voices_at_an_end_only(model, mixed, embedded):
    asked = evaluation.asked(mixed)
    said = pd.DataFrame({"pitch": "normal", "jitter": "low"}, index=asked.index)
    said.loc[said.index[:3], "pitch"] = ["low", "high", "high"]
    said["gender"] = asked["gender"]
    table = evaluation.attributes(model, asked, embedded, said, draws=20).set_index("attribute")
    assert set(table.index) == {"pitch", "gender"}
    assert table.loc["pitch", "n"] == 3
    assert (table["uar_low"] <= table["uar"]).all() and (table["uar"] <= table["uar_high"]).all()


def test_a_corpus_without_attributes_gives_an_empty_table(model, mixed, embedded):
    asked = evaluation.asked(mixed)
    table = evaluation.attributes(model, asked, embedded, asked[["gender"]].assign(gender=None))
    assert list(table) == ["attribute", "n", "uar", "uar_low", "uar_high"] and table.empty


def test_references_learn_from_train_only_and_skip_what_they_cannot_learn(mixed):
    loud = (mixed["label"].isin(["anger", "sober"])).astype(float)
    features = pd.DataFrame({"loud": loud, "noise": np.linspace(0, 1, len(mixed))})
    table = evaluation.reference_scores(features, mixed, evaluation.tasks(mixed), draws=20)
    table = table.set_index("task")
    assert table.loc["tones", "logistic"] == 1.0
    assert table.loc["tones", "majority"] == 0.5
    assert np.isnan(table.loc["bar-like", "logistic"])
    assert table.loc["bar-like", "learnable"] == 0


def test_synonyms_are_asked_of_emotion_tasks_only(model, mixed, embedded):
    asked, questions = evaluation.asked(mixed), evaluation.tasks(mixed)
    table = evaluation.other_words(model, asked, embedded, questions)
    assert table["task"].unique().tolist() == ["tones"]
    assert table["words"].tolist() == ["angry, sad", "furious, gloomy", "irate, sorrowful"]


# --- groups -----------------------------------------------------------------------------------


def test_group_scores_are_the_mean_recall_of_each_group():
    table = pd.DataFrame(
        {"corpus": "a", "truth": list("xxyy"), "prediction": list("xyyy"), "speaker": "s"}
    )
    groups = evaluation.by_group(table, pd.Series(["f", "f", "f", None]))
    assert groups.to_dict("records") == [{"task": "a", "group": "f", "n": 3, "uar": 0.75}]
    recalls = evaluation.recalls(table).set_index("label")["recall"]
    assert recalls.to_dict() == {"x": 0.5, "y": 1.0}


def test_nearest_voices_come_best_first(model, mixed, embedded):
    found = evaluation.nearest(model, evaluation.asked(mixed), embedded, "speaker is sad", n=2)
    assert len(found) == 4
    assert found["similarity"].is_monotonic_decreasing


def test_one_each_takes_as_many_of_every_class(voices):
    shown = evaluation.one_each(voices, "label", 8)
    assert shown["label"].tolist() == ["anger"] * 4 + ["sadness"] * 4


# --- what training leaves out, and variants ---------------------------------------------------


def test_pool_says_of_which_rows_a_text_can_be_drawn():
    frame = pd.DataFrame({"pitch": ["high", None, None]})
    pool = Pool.build(frame, pd.Series(["anger", "anger", None], dtype="str"))
    assert pool.says("always").tolist() == [True, True, False]
    assert pool.says("never").tolist() == [True, False, False]
    assert pool.says("pool", only_emotion=True).tolist() == [True, True, False]
    for emotion, only in (("always", False), ("never", False), ("always", True)):
        rows = np.flatnonzero(pool.says(emotion, only))
        texts = pool.sample(rows, 2, emotion, only, rng=np.random.default_rng(0))
        assert len(texts) == len(rows)


def test_silent_training_voices_are_left_out_and_counted(voices, tmp_path, capsys):
    said = voices["emotion"].where(np.arange(60) >= 5)
    pool = Pool.build(pd.DataFrame(index=voices.index), said)
    settings = Settings(
        audio_encoder="smoke", text_encoder="smoke", projection_dim=16, only_emotion=True,
        batch=10, steps=2, crop_seconds=0.5, freeze_text=True,
    )  # fmt: skip
    training.train(voices, pool, tmp_path, settings, Machine(device="cpu", jobs=1))
    assert "Left out 5 training voices" in capsys.readouterr().out
    assert len(tables.read_table(tmp_path / "curves.csv")) == 2


def test_variants_differ_from_the_main_run_in_what_is_said_only():
    base = Settings(batch=8, emotion="pool")
    for name, one in variants(base, list(VARIANTS)).items():
        same = {
            f.name for f in dataclasses.fields(one) if getattr(one, f.name) == getattr(base, f.name)
        }
        assert {f.name for f in dataclasses.fields(one)} - same <= {
            "rand",
            "emotion",
            "only_emotion",
        }
        assert (name == "rand5") == (one == base)
    with pytest.raises(ValueError, match="Bad variants"):
        variants(base, ["rand7"])


def test_the_variant_equal_to_the_main_run_is_not_trained_again(voices, tmp_path, capsys):
    base = Settings(
        audio_encoder="smoke", text_encoder="smoke", batch=10, steps=1, crop_seconds=0.5
    )
    pool = Pool.build(pd.DataFrame(index=voices.index), gender=voices["gender"])
    chosen = variants(base, ["rand5", "only_emo"])
    places = training.train_variants(
        voices, pool, tmp_path, base, chosen, Machine(device="cpu", jobs=1)
    )
    assert places == {"rand5": tmp_path}
    assert list(tmp_path.iterdir()) == []
    assert "Left out only_emo" in capsys.readouterr().out


def test_levels_of_the_attributes_asked_are_those_of_the_templates():
    table = pd.DataFrame({name: ["low"] for name in levels.FEATURES})
    known = evaluation.attribute_queries(table)
    assert "pitch" in known and len(known) >= 9
    assert evaluation.attribute_queries(table.assign(pitch=None)).keys() == known.keys() - {"pitch"}
