"""Utterances in scikit-learn: what works with its estimators works with these."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_estimator_repr,
    check_get_params_invariance,
    check_set_params,
)
from sklearn.utils.validation import check_is_fitted
from sounds import buzz, write

from paraclap import ParaCLAP, VoiceEmbeddings, ZeroShotClassifier, audio, classify, tables
from paraclap.model import build
from paraclap.model.embedding import embed_audio

WORDS = ["sadness", "anger", "fear"]  # not in the order of the alphabet


@pytest.fixture(scope="module")
def model() -> ParaCLAP:
    return build("smoke", "smoke", 16, 0.2, "mean", seed=1).eval()


@pytest.fixture
def saved(model: ParaCLAP, tmp_path: Path) -> str:
    model.save_pretrained(tmp_path / "model")
    return str(tmp_path / "model")


@pytest.fixture
def files(labels: pd.DataFrame) -> list[str]:
    return labels.index.get_level_values("file")[:12].tolist()


@pytest.fixture
def truth(labels: pd.DataFrame) -> list[str]:
    return labels["emotion"][:12].tolist()


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are read, in order."""
    seen: list[str] = []
    read = audio.read

    def counted(file, *rest):
        seen.append(str(file))
        return read(file, *rest)

    monkeypatch.setattr(audio, "read", counted)
    return seen


@pytest.fixture
def asked(model: ParaCLAP) -> ZeroShotClassifier:
    return ZeroShotClassifier(list(WORDS), model, "speaker is {}")


# --- answers --------------------------------------------------------------------------------------


def test_answers_are_those_of_classify(asked, model, files):
    expected = classify(model, files, WORDS, "speaker is {}")
    assert asked.classes_.tolist() == ["anger", "fear", "sadness"]
    np.testing.assert_allclose(asked.predict_proba(files), expected[sorted(WORDS)], atol=1e-6)
    assert asked.predict(files).tolist() == expected["prediction"].tolist()
    np.testing.assert_allclose(np.exp(asked.predict_log_proba(files)), asked.predict_proba(files))


def test_it_answers_without_fit_and_fit_changes_nothing(asked, files, truth):
    before = asked.predict_proba(files)
    assert asked.fit(files, truth) is asked
    assert asked.fit("anything", None) is asked
    np.testing.assert_array_equal(asked.predict_proba(files), before)
    check_is_fitted(asked)
    assert not get_tags(asked).requires_fit


@pytest.mark.parametrize("labels_", [("a", "s"), (7, 3)])
def test_a_label_of_any_kind_may_stand_for_a_word(model, files, labels_):
    by_word = ZeroShotClassifier(dict(zip(labels_, ("angry", "sad"), strict=True)), model)
    answers = dict(zip(("angry", "sad"), labels_, strict=True))
    expected = classify(model, files, ["angry", "sad"])["prediction"].map(answers)
    assert by_word.predict(files).tolist() == expected.tolist()
    assert by_word.score(files, expected) == 1


@pytest.mark.parametrize(
    "form", ["tuple", "array", "column", "series", "frame", "index", "table", "one"]
)
def test_utterances_come_in_all_forms(asked, labels, files, form):
    table = labels[:12]
    given = {
        "tuple": tuple(map(Path, files)),
        "array": np.array(files, dtype=object),
        "column": np.array(files)[:, None],
        "series": pd.Series(files, index=range(5, 17)),
        "frame": pd.DataFrame({"path": files}),
        "index": table.index,
        "table": table,
        "one": files[0],
    }[form]
    expected = asked.predict_proba(files)[: 1 if form == "one" else None]
    np.testing.assert_allclose(asked.predict_proba(given), expected, atol=1e-6)


def test_segments_of_one_file_are_different_utterances(asked, files):
    index = tables.segments([files[0]] * 2, ends=[0.2, 0.4])
    first, second = asked.predict_proba(index)
    assert np.abs(first - second).max() > 0


def test_the_demo_model_is_looked_for_in_the_project(saved, files, tmp_path, monkeypatch):
    shutil.copytree(saved, tmp_path / "home" / "runs" / "demo" / "model")
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path / "home"))
    assert len(ZeroShotClassifier(WORDS).predict(files)) == 12


# --- embeddings are computed once ----------------------------------------------------------------


def test_an_utterance_is_embedded_once_whatever_is_asked(files, reads):
    asked = ZeroShotClassifier(WORDS, build("smoke", "smoke", 16, 0.2, "mean", seed=3).eval())
    asked.predict(files[:8])
    asked.set_params(template="emotion is {}", candidates=["low", "high"]).predict(files[:8])
    clone(asked).set_params(template="{}").predict(files)
    assert sorted(reads) == sorted(files)


def test_a_changed_file_is_embedded_again(asked, files, tmp_path):
    file = tmp_path / "utterance.wav"
    shutil.copy(files[0], file)
    before = asked.predict_proba([file])
    write(file, buzz(0.9, 90, 0.01))
    os.utime(file, ns=(1, 1))
    expected = classify(asked.model, [file], WORDS, "speaker is {}")[sorted(WORDS)]
    np.testing.assert_allclose(asked.predict_proba([file]), expected, atol=1e-6)
    assert np.abs(before - expected.to_numpy()).max() > 1e-6


def test_another_model_embeds_anew_and_clones_keep_theirs(asked, files):
    other = build("smoke", "smoke", 16, 0.2, "mean", seed=2).eval()
    before, kept = asked.predict_proba(files), clone(asked)
    asked.set_params(model=other)
    expected = classify(other, files, WORDS, "speaker is {}")[sorted(WORDS)]
    np.testing.assert_allclose(asked.predict_proba(files), expected, atol=1e-6)
    np.testing.assert_array_equal(kept.predict_proba(files), before)


def test_a_folder_whose_weights_are_others_now_is_loaded_anew(saved, files):
    before = VoiceEmbeddings(saved).transform(files)
    np.testing.assert_array_equal(VoiceEmbeddings(saved).transform(files), before)
    build("smoke", "smoke", 16, 0.2, "mean", seed=2).save_pretrained(saved)
    assert not np.allclose(VoiceEmbeddings(saved).transform(files), before)


# --- scikit-learn ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ZeroShotClassifier, VoiceEmbeddings])
def test_parameters_are_handled_as_scikit_learn_expects(kind):
    given = {"candidates": WORDS} if kind is ZeroShotClassifier else {}
    estimator = kind(**given, model="nowhere")
    for check in (check_get_params_invariance, check_set_params, check_estimator_repr):
        check(kind.__name__, estimator)
    assert clone(estimator).get_params() == estimator.get_params()
    with pytest.raises(ValueError, match="Invalid parameter 'tempalte'"):
        estimator.set_params(tempalte="{}")


def test_clones_share_the_model_and_nothing_else(asked, model, files):
    copy = clone(asked)
    assert copy.model is asked.model and copy.get_params() == asked.get_params()
    copy.candidates.append("joy")
    assert asked.candidates == WORDS
    made = clone(VoiceEmbeddings(model).set_output(transform="pandas"))
    assert made.transform(files)["embedding-3"].shape == (12,)


def test_templates_are_compared_by_a_grid_search(asked, files, truth):
    templates = ["{}", "speaker is {}", "emotion is {}"]
    search = GridSearchCV(asked, {"template": templates}, cv=3).fit(files, truth)
    one_by_one = [ZeroShotClassifier(WORDS, asked.model, one) for one in templates]
    expected = [one.score(files, truth) for one in one_by_one]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected)


@pytest.mark.parametrize("scoring", ["accuracy", "balanced_accuracy", "neg_log_loss"])
def test_it_is_cross_validated_in_a_pipeline(asked, labels, scoring):
    table = labels[:12]
    asked.set_params(candidates=["sadness", "anger"])
    scores = cross_val_score(make_pipeline(asked), table, table["emotion"], cv=3, scoring=scoring)
    assert np.isfinite(scores).all()


def test_columns_are_in_the_order_that_scorers_expect(asked, files, truth):
    truth = [*truth[:-1], "fear"]
    shares = asked.predict_proba(files)
    places = [sorted(WORDS).index(label) for label in truth]
    expected = -np.log(shares[np.arange(12), places]).mean()
    assert log_loss(truth, shares) == pytest.approx(expected, abs=1e-6)


def test_cross_validated_answers_are_plain_answers(asked, files, truth):
    crossed = cross_val_predict(asked, files, truth, cv=3)
    assert crossed.tolist() == asked.predict(files).tolist()


def test_a_column_of_paths_goes_through_a_table_of_several_kinds(model, files, truth):
    table = pd.DataFrame({"file": files, "age": range(12), "emotion": truth})
    both = [("file", VoiceEmbeddings(model), "file"), ("age", StandardScaler(), ["age"])]
    assert ColumnTransformer(both).fit_transform(table).shape == (12, 17)
    named = ColumnTransformer([("file", VoiceEmbeddings(model), ["file"])])
    assert named.set_output(transform="pandas").fit_transform(table).shape == (12, 16)
    asked = ZeroShotClassifier(["anger", "sadness"], model)
    scores = cross_validate(asked, table[["file"]], table["emotion"], cv=2)["test_score"]
    assert np.isfinite(scores).all()


def test_a_linear_probe_learns_from_embeddings(model, labels):
    truth, folds = labels["emotion"], StratifiedKFold(3, shuffle=True, random_state=0)
    learner, embedded = LogisticRegression(C=100), VoiceEmbeddings(model)
    scores = cross_val_score(make_pipeline(embedded, learner), labels, truth, cv=folds)
    values = embed_audio(model, labels)
    np.testing.assert_allclose(embedded.fit_transform(labels), values, atol=1e-6)
    np.testing.assert_allclose(scores, cross_val_score(learner, values, truth, cv=folds))
    assert scores.mean() > 0.6


def test_several_processes_cross_validate_a_loaded_model(model, files, truth):
    plain = ZeroShotClassifier(["anger", "sadness"], model)
    alone, together = (
        cross_val_score(plain, files, truth, cv=StratifiedKFold(2), n_jobs=jobs) for jobs in (1, 2)
    )
    np.testing.assert_array_equal(together, alone)


def test_a_pickled_estimator_answers_the_same(saved, model, files, tmp_path):
    for given, most in ((saved, 2_000), (model, 20_000_000)):
        asked = ZeroShotClassifier(WORDS, given)
        before = asked.predict_proba(files)
        joblib.dump(asked, tmp_path / "asked.joblib")
        assert (tmp_path / "asked.joblib").stat().st_size < most
        for other in (joblib.load(tmp_path / "asked.joblib"), pickle.loads(pickle.dumps(asked))):
            np.testing.assert_allclose(other.predict_proba(files), before, atol=1e-6)


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"candidates": ["angry"]}, "expected two or more"),
        ({"candidates": "angry, sad"}, "expected a list"),
        ({"template": "speaker is"}, "Bad template 'speaker is', expected a slot"),
        ({"model": "/no/such/folder"}, "No model .*/no/such/folder"),
    ],
)
def test_bad_parameters_are_named_when_asked(asked, files, change, message):
    asked.set_params(**change)
    with pytest.raises((ValueError, OSError), match=message):
        asked.predict(files)


@pytest.mark.parametrize("array", [np.zeros((3, 2)), np.array([["a", "b"]]), np.zeros(3)])
def test_numbers_and_several_columns_are_no_utterances(asked, array):
    with pytest.raises(ValueError, match=r"Bad array of utterances, shape .* in one column"):
        asked.predict(array)


def test_a_file_that_is_not_there_is_named(asked, files):
    with pytest.raises(audio.AudioError, match=r"gone\.wav"):
        asked.predict([files[0], "gone.wav"])
