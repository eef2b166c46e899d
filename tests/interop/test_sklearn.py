"""Utterances in scikit-learn: what works with its estimators works with these."""

import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.validation import check_is_fitted
from sounds import buzz, write

from paraclap import VoiceEmbeddings, ZeroShotClassifier, audio, classify, tables
from paraclap.model import build
from paraclap.model.embedding import embed_audio

WORDS = ["sadness", "anger", "fear"]  # not in the order of the alphabet


@pytest.fixture(scope="module")
def other():
    return build("smoke", "smoke", 16, 0.2, "mean", seed=2).eval()


@pytest.fixture
def files(labels):
    return labels.index.get_level_values("file")[:12].tolist()


@pytest.fixture
def truth(labels):
    return labels["emotion"][:12].tolist()


@pytest.fixture
def asked(model):
    return ZeroShotClassifier(list(WORDS), model, "speaker is {}")


def test_answers_are_those_of_classify_without_fit_or_with(asked, model, files, truth):
    expected = classify(model, files, WORDS, "speaker is {}")
    check_is_fitted(asked)
    assert asked.fit(files, truth) is asked
    assert asked.classes_.tolist() == ["anger", "fear", "sadness"]
    shares = asked.predict_proba(files)
    np.testing.assert_allclose(shares, expected[sorted(WORDS)], atol=1e-6)
    assert asked.predict(files).tolist() == expected["prediction"].tolist()
    truth = [*truth[:-1], "fear"]
    places = [sorted(WORDS).index(label) for label in truth]  # in the order that scorers expect
    likely = shares[np.arange(12), places]
    assert log_loss(truth, shares) == pytest.approx(-np.log(likely).mean(), abs=1e-6)


@pytest.mark.parametrize("labels_", [("a", "s"), (7, 3), (True, False)])
def test_a_label_of_any_kind_may_stand_for_a_word(model, files, labels_):
    by_word = ZeroShotClassifier(dict(zip(labels_, ("angry", "sad"), strict=True)), model)
    answers = dict(zip(("angry", "sad"), labels_, strict=True))
    expected = classify(model, files, ["angry", "sad"])["prediction"].map(answers)
    assert by_word.predict(files).tolist() == expected.tolist()
    assert by_word.score(files, expected) == 1
    assert type(by_word.predict(files)[0].item()) is type(by_word.classes_.tolist()[0])
    likely = by_word.predict_proba(files).astype(float)
    np.testing.assert_allclose(by_word.predict_log_proba(files), np.log(likely), atol=1e-5)


def test_utterances_come_in_all_forms(asked, labels, files):
    expected = asked.predict_proba(files)
    for given in (
        tuple(map(Path, files)),
        np.array(files, dtype=object),
        np.array(files)[:, None],
        [[file] for file in files],
        pd.Series(files, index=range(5, 17)),
        pd.Series(files, pd.RangeIndex(12, name="id"), dtype="category"),
        pd.DataFrame({"path": files}, pd.MultiIndex.from_product([[0, 1], range(6)])),
        pd.Index(files),
        labels[:12].index,
        labels[:12],
    ):
        np.testing.assert_allclose(asked.predict_proba(given), expected, atol=1e-6)
    np.testing.assert_allclose(asked.predict_proba(files[0]), expected[:1], atol=1e-6)
    with pytest.raises(ValueError, match="expected one column of paths"):
        asked.predict(np.zeros((3, 2)))
    with pytest.raises(audio.AudioError, match=r"gone\.wav"):
        asked.predict([files[0], "gone.wav"])


def test_an_utterance_is_embedded_once_whatever_is_asked(files, monkeypatch):
    seen, read = [], audio.read
    monkeypatch.setattr(audio, "read", lambda *segment: seen.append(segment) or read(*segment))
    asked = ZeroShotClassifier(WORDS, build("smoke", "smoke", 16, 0.2, "mean", seed=3).eval())
    asked.predict(files[:8])
    asked.set_params(template="emotion is {}", candidates=["low", "high"]).predict(files[:8])
    clone(asked).set_params(template="{}").predict(files)
    assert sorted(str(segment[0]) for segment in seen) == sorted(files)
    first, second = asked.predict_proba(tables.segments([files[0]] * 2, ends=[0.2, 0.4]))
    assert np.abs(first - second).max() > 0


def test_a_changed_file_is_embedded_again(asked, files, tmp_path):
    file = tmp_path / "utterance.wav"
    shutil.copy(files[0], file)
    before = asked.predict_proba([file])
    write(file, buzz(0.9, 90, 0.01))
    os.utime(file, ns=(1, 1))
    expected = classify(asked.model, [file], WORDS, "speaker is {}")[sorted(WORDS)]
    np.testing.assert_allclose(asked.predict_proba([file]), expected, atol=1e-6)
    assert np.abs(before - expected.to_numpy()).max() > 1e-6


def test_clones_share_the_model_and_keep_it_when_another_one_is_set(asked, other, files):
    before, kept = asked.predict_proba(files), clone(asked)
    assert kept.model is asked.model and kept.get_params() == asked.get_params()
    kept.candidates.append("joy")
    assert asked.candidates == WORDS
    asked.set_params(model=other)
    expected = classify(other, files, WORDS, "speaker is {}")[sorted(WORDS)]
    np.testing.assert_allclose(asked.predict_proba(files), expected, atol=1e-6)
    kept.set_params(candidates=WORDS)
    np.testing.assert_array_equal(kept.predict_proba(files), before)


def test_a_folder_is_found_in_the_project_and_loaded_anew_when_its_weights_change(
    model_folder, other, files, tmp_path, monkeypatch
):
    shutil.copytree(model_folder, tmp_path / "runs" / "demo" / "model")
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path))
    before = VoiceEmbeddings().transform(files)
    np.testing.assert_array_equal(VoiceEmbeddings().transform(files), before)
    other.save_pretrained(tmp_path / "runs" / "demo" / "model")
    assert not np.allclose(VoiceEmbeddings().transform(files), before)


@pytest.mark.parametrize("kind", [ZeroShotClassifier, VoiceEmbeddings])
def test_parameters_are_handled_as_scikit_learn_expects(kind):
    given = {"candidates": WORDS} if kind is ZeroShotClassifier else {}
    estimator = kind(**given, model="nowhere")
    for name in ("get_params_invariance", "set_params", "estimator_repr"):
        getattr(estimator_checks, f"check_{name}")(kind.__name__, estimator)
    assert clone(estimator).get_params() == estimator.get_params()


def test_templates_are_compared_by_a_grid_search(asked, files, truth):
    templates = ["{}", "speaker is {}", "emotion is {}"]
    search = GridSearchCV(asked, {"template": templates}, cv=3).fit(files, truth)
    one_by_one = [ZeroShotClassifier(WORDS, asked.model, one) for one in templates]
    expected = [one.score(files, truth) for one in one_by_one]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected)


def test_a_column_of_paths_goes_through_a_table_of_several_kinds(model, files, truth):
    table = pd.DataFrame({"file": files, "age": range(12), "emotion": truth})
    both = [("file", VoiceEmbeddings(model), "file"), ("age", StandardScaler(), ["age"])]
    assert ColumnTransformer(both).fit_transform(table).shape == (12, 17)
    named = ColumnTransformer([("file", clone(VoiceEmbeddings(model)), ["file"])])
    made = named.set_output(transform="pandas").fit_transform(table)
    assert made["file__embedding-3"].shape == (12,)


def test_a_linear_probe_learns_from_embeddings(model, labels):
    truth, folds = labels["emotion"], StratifiedKFold(3, shuffle=True, random_state=0)
    learner, embedded = LogisticRegression(C=100), VoiceEmbeddings(model)
    scores = cross_val_score(make_pipeline(embedded, learner), labels, truth, cv=folds)
    values = embed_audio(model, labels)
    np.testing.assert_allclose(embedded.fit_transform(labels), values, atol=1e-6)
    np.testing.assert_allclose(scores, cross_val_score(learner, values, truth, cv=folds))
    assert scores.mean() > 0.6


def test_a_pickled_estimator_answers_the_same_and_needs_a_folder(model_folder, asked, files):
    stored = ZeroShotClassifier(WORDS, model_folder, "speaker is {}")
    copied = pickle.loads(pickle.dumps(stored))
    np.testing.assert_allclose(copied.predict_proba(files), asked.predict_proba(files), atol=1e-6)
    with pytest.raises(TypeError, match="give the folder"):
        pickle.dumps(asked)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"candidates": ["angry"]}, "expected two or more"),
        ({"candidates": "angry, sad"}, "expected a list"),
        ({"candidates": {0: "angry", "s": "sad"}}, r"Bad labels \[0, 's'\], .* and not both"),
        ({"candidates": {None: "angry", "s": "sad"}}, r"Bad labels \[None, 's'\]"),
        ({"template": "speaker is"}, "Bad template 'speaker is', expected a slot"),
        ({"model": "/no/such/folder"}, "No model .*/no/such/folder"),
    ],
)
def test_bad_parameters_are_named_when_asked(asked, files, change, message):
    asked.set_params(**change)
    with pytest.raises((ValueError, OSError), match=message):
        asked.predict(files)
