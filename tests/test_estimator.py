"""Voices in scikit-learn: what works with its estimators works with these."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import RATE, tone
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_estimator_repr,
    check_get_params_invariance,
    check_set_params,
)
from sklearn.utils.validation import check_is_fitted

from paraclap import ParaCLAP, VoiceEmbeddings, ZeroShotClassifier, audio, zeroshot
from paraclap.towers import build

WORDS = ["sadness", "anger", "fear"]  # not in the order of the alphabet


@pytest.fixture
def files(voices: pd.DataFrame) -> list[str]:
    return voices.index.get_level_values("file")[:12].tolist()


@pytest.fixture
def truth(voices: pd.DataFrame) -> list[str]:
    return voices["emotion"][:12].tolist()


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
    return ZeroShotClassifier(WORDS, model, "speaker is {}")


# --- answers -----------------------------------------------------------------------------------


def test_answers_are_those_of_classify(asked, model, files):
    expected = zeroshot.classify(model, files, WORDS, "speaker is {}")
    assert asked.classes_.tolist() == ["anger", "fear", "sadness"]
    np.testing.assert_allclose(asked.predict_proba(files), expected[sorted(WORDS)], atol=1e-6)
    assert asked.predict(files).tolist() == expected["prediction"].tolist()


def test_it_answers_without_fit_and_fit_changes_nothing(asked, files, truth):
    before = asked.predict_proba(files)
    assert asked.fit(files, truth) is asked
    assert asked.fit("anything", None) is asked
    np.testing.assert_array_equal(asked.predict_proba(files), before)
    check_is_fitted(asked)
    assert not get_tags(asked).requires_fit


def test_a_label_may_be_asked_for_by_another_word(model, files):
    by_word = ZeroShotClassifier({"a": "angry", "s": "sad"}, model)
    expected = zeroshot.classify(model, files, {"a": "angry", "s": "sad"})
    assert by_word.predict(files).tolist() == expected["prediction"].tolist()


@pytest.mark.parametrize("form", ["tuple", "array", "column", "index", "table", "one"])
def test_voices_come_in_all_forms(asked, voices, files, form):
    table = voices[:12]
    given = {
        "tuple": tuple(map(Path, files)),
        "array": np.array(files, dtype=object),
        "column": np.array(files)[:, None],
        "index": table.index,
        "table": table,
        "one": files[0],
    }[form]
    expected = asked.predict_proba(files)[: 1 if form == "one" else None]
    np.testing.assert_allclose(asked.predict_proba(given), expected, atol=1e-6)


def test_segments_of_one_file_are_different_voices(asked, files):
    index = zeroshot.segments([files[0], files[0]]).to_frame(index=False)
    index["end"] = pd.to_timedelta([0.2, 0.4], unit="s")
    first, second = asked.predict_proba(pd.MultiIndex.from_frame(index))
    assert np.abs(first - second).max() > 0


def test_a_model_is_named_by_its_folder(saved, model, files):
    by_folder = ZeroShotClassifier(WORDS, saved).predict_proba(files)
    np.testing.assert_allclose(by_folder, ZeroShotClassifier(WORDS, model).predict_proba(files))


def test_the_demo_model_is_looked_for_in_the_project(saved, files, tmp_path, monkeypatch):
    shutil.copytree(saved, tmp_path / "home" / "runs" / "demo" / "model")
    monkeypatch.setenv("PARACLAP_HOME", str(tmp_path / "home"))
    assert len(ZeroShotClassifier(WORDS).predict(files)) == 12


# --- embeddings are computed once ---------------------------------------------------------------


def test_a_voice_is_heard_once_whatever_is_asked(asked, model, files, reads):
    asked.predict(files[:8])
    asked.set_params(template="emotion is {}", candidates=["low", "high"]).predict(files[:8])
    clone(asked).set_params(template="{}").predict(files)
    assert sorted(reads) == sorted(files)


def test_a_changed_file_is_heard_again(asked, files, tmp_path):
    file = tmp_path / "voice.wav"
    shutil.copy(files[0], file)
    before = asked.predict_proba([file])
    soundfile.write(file, tone(90, 0.01, 0.9), RATE)
    os.utime(file, ns=(1, 1))
    expected = zeroshot.classify(asked.model, [file], WORDS, "speaker is {}")[sorted(WORDS)]
    np.testing.assert_allclose(asked.predict_proba([file]), expected, atol=1e-6)
    assert np.abs(before - expected.to_numpy()).max() > 1e-6


def test_another_model_hears_anew_and_clones_keep_theirs(asked, files):
    other = build("smoke", "smoke", 16, 0.2, "mean", seed=2).eval()
    before, kept = asked.predict_proba(files), clone(asked)
    asked.set_params(model=other)
    np.testing.assert_allclose(
        asked.predict_proba(files),
        zeroshot.classify(other, files, WORDS, "speaker is {}")[sorted(WORDS)],
        atol=1e-6,
    )
    np.testing.assert_array_equal(kept.predict_proba(files), before)


def test_clones_share_the_model_and_own_the_rest(asked):
    copy = clone(asked)
    assert copy.model is asked.model
    assert copy.get_params() == asked.get_params()
    copy.candidates.append("joy")
    assert asked.candidates == WORDS


# --- scikit-learn ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ZeroShotClassifier, VoiceEmbeddings])
def test_parameters_are_handled_as_scikit_learn_expects(kind):
    given = {"candidates": WORDS} if kind is ZeroShotClassifier else {}
    estimator = kind(**given, model="nowhere")
    for check in (check_get_params_invariance, check_set_params, check_estimator_repr):
        check(kind.__name__, estimator)
    assert clone(estimator).get_params() == estimator.get_params()
    with pytest.raises(ValueError, match="Invalid parameter 'tempalte'"):
        estimator.set_params(tempalte="{}")


def test_templates_are_compared_by_a_grid_search(asked, files, truth, reads):
    templates = ["{}", "speaker is {}", "emotion is {}"]
    search = GridSearchCV(asked, {"template": templates}, cv=3).fit(files, truth)
    expected = [
        ZeroShotClassifier(WORDS, asked.model, one).score(files, truth) for one in templates
    ]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected)
    assert sorted(set(reads)) == sorted(files)
    assert len(reads) == len(files) * (1 + len(templates))  # one search, and those built by hand


@pytest.mark.parametrize("scoring", ["accuracy", "balanced_accuracy", "neg_log_loss"])
def test_it_is_cross_validated_in_a_pipeline(asked, voices, scoring):
    table = voices[:12]
    asked.set_params(candidates=["sadness", "anger"])
    scores = cross_val_score(make_pipeline(asked), table, table["emotion"], cv=3, scoring=scoring)
    assert np.isfinite(scores).all()


def test_columns_are_in_the_order_that_scorers_expect(asked, files, truth):
    truth = [*truth[:-1], "fear"]
    probabilities = asked.predict_proba(files)
    expected = -np.log(
        [row[sorted(WORDS).index(label)] for row, label in zip(probabilities, truth, strict=True)]
    )
    assert log_loss(truth, probabilities) == pytest.approx(expected.mean(), abs=1e-6)


def test_cross_validated_answers_are_plain_answers(asked, files, truth):
    crossed = cross_val_predict(asked, files, truth, cv=3)
    assert crossed.tolist() == asked.predict(files).tolist()


def test_a_linear_probe_learns_from_embeddings(model, voices):
    truth, folds = voices["emotion"], StratifiedKFold(3, shuffle=True, random_state=0)
    learner = LogisticRegression(C=100)
    probe = make_pipeline(VoiceEmbeddings(model), learner)
    scores = cross_val_score(probe, voices, truth, cv=folds)
    values = zeroshot.embed_audio(model, voices)
    np.testing.assert_allclose(scores, cross_val_score(learner, values, truth, cv=folds))
    assert scores.mean() > 0.6


def test_embeddings_are_those_of_the_model_and_have_names(model, files):
    made = VoiceEmbeddings(model)
    values = made.fit_transform(files)
    np.testing.assert_allclose(values, zeroshot.embed_audio(model, files), atol=1e-6)
    names = made.get_feature_names_out().tolist()
    assert names[:2] == ["embedding-0", "embedding-1"] and len(names) == values.shape[1]


def test_a_clone_keeps_its_form_of_output(model, files):
    made = clone(VoiceEmbeddings(model).set_output(transform="pandas"))
    assert made.transform(files)["embedding-3"].shape == (12,)


def test_several_processes_cross_validate_a_loaded_model_and_one_named_by_its_folder(
    saved, model, files, truth
):
    cut = StratifiedKFold(2)
    for asked in (model, str(saved)):
        plain = ZeroShotClassifier(WORDS, asked)
        alone, together = (
            cross_val_score(plain, files, truth, cv=cut, n_jobs=jobs) for jobs in (1, 2)
        )
        np.testing.assert_array_equal(together, alone)


def test_a_folder_whose_weights_are_others_now_is_loaded_anew(saved, files):
    before = VoiceEmbeddings(str(saved)).transform(files)
    np.testing.assert_array_equal(VoiceEmbeddings(str(saved)).transform(files), before)
    build("smoke", "smoke", 16, 0.2, "mean", seed=2).save_pretrained(saved)
    assert not np.allclose(VoiceEmbeddings(str(saved)).transform(files), before)


def test_a_saved_estimator_answers_the_same_and_carries_no_model(saved, files, tmp_path):
    asked = ZeroShotClassifier(WORDS, str(saved))
    before = asked.predict_proba(files)
    joblib.dump(asked, tmp_path / "asked.joblib")
    assert (tmp_path / "asked.joblib").stat().st_size < 2_000
    np.testing.assert_array_equal(
        joblib.load(tmp_path / "asked.joblib").predict_proba(files), before
    )


# --- what is wrong is said ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"candidates": ["angry"]}, r"Bad candidates \['angry'\], expected two or more"),
        ({"template": "speaker is"}, "Bad template 'speaker is', expected a slot"),
        ({"model": "/no/such/folder"}, "No model at '/no/such/folder'"),
    ],
)
def test_bad_parameters_are_said_when_asked(asked, files, change, said):
    asked.set_params(**change)
    with pytest.raises((ValueError, OSError), match=said):
        asked.predict(files)


@pytest.mark.parametrize("array", [np.zeros((3, 2)), np.array([["a", "b"]]), np.zeros(3)])
def test_numbers_and_several_columns_are_no_voices(asked, array):
    with pytest.raises(ValueError, match=r"Bad array of voices, shape .* in one column"):
        asked.predict(array)


def test_a_file_that_is_not_there_is_named(asked, files):
    with pytest.raises(audio.AudioError, match=r"gone\.wav' is not there"):
        asked.predict([files[0], "gone.wav"])
