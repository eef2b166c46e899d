"""Claims about wordings: a frozen set, what is asked in it, and answers by several together."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics import cohen_kappa_score

from paraclap import evaluation, zeroshot
from paraclap.evidence import asking, systems, wordings_set
from paraclap.references import logistic
from paraclap.tasks import synonyms

EMOTIONS = {"anger": "angry", "sadness": "sad"}
OTHERS = {"intoxicated": "intoxicated with alcohol", "sober": "not intoxicated with alcohol"}


# --- the set -----------------------------------------------------------------------------------


def test_the_first_version_says_what_it_said_when_it_was_frozen():
    table = wordings_set.templates("v1")
    assert len(table) == 12
    assert table["template"].iloc[[0, 1, 11]].tolist() == [
        "speaker is {}",
        "{}",
        "this voice expresses {}",
    ]
    assert wordings_set.FROZEN["v1"] == "580e2d36dfd52571"
    assert wordings_set.fingerprint(table, wordings_set.vocabulary()) == "580e2d36dfd52571"


def test_every_template_has_one_slot_and_a_known_form():
    table = wordings_set.templates()
    assert (table["template"].str.count(r"\{\}") == 1).all()
    assert set(table["form"]) <= set(wordings_set.FORMS)
    assert table["id"].is_unique and table["template"].is_unique


@pytest.mark.parametrize("column", ["id", "form", "template"])
def test_a_changed_template_is_refused(column):
    table = wordings_set.templates().copy()
    table.loc[3, column] += "x"
    with pytest.raises(ValueError, match="A version stays as it is"):
        wordings_set.check(table, "v1")


def test_other_words_or_another_order_have_another_fingerprint():
    table, words = wordings_set.templates(), wordings_set.vocabulary()
    prints = {
        wordings_set.fingerprint(table, words),
        wordings_set.fingerprint(table[::-1], words),
        wordings_set.fingerprint(table, words | {"anger": ["angry", "anger", "furious", "livid"]}),
        wordings_set.fingerprint(table.iloc[:-1], words),
    }
    assert len(prints) == 4


def test_an_unknown_version_is_refused():
    with pytest.raises(ValueError, match="v9"):
        wordings_set.templates("v9")


# --- what is asked -----------------------------------------------------------------------------


def test_emotions_are_asked_in_every_template_and_in_unseen_words():
    table = wordings_set.asked(EMOTIONS)
    own = table[table["kind"] == "template"]
    assert own["wording"].tolist() == [f"{i:02d}" for i in range(1, 13)]
    assert own["anger"].iloc[0] == "speaker is angry"
    assert own["anger"].iloc[-1] == "this voice expresses anger"
    unseen = table[table["kind"] == "unseen"]
    assert len(unseen) == 10 * 2
    assert unseen["sadness"].iloc[:2].tolist() == ["speaker is gloomy", "speaker is sorrowful"]
    assert not unseen["anger"].str.contains("angry|anger").any()


def test_words_that_a_template_does_not_take_are_not_forced_into_it():
    table = wordings_set.asked(OTHERS)
    assert set(table["kind"]) == {"template"}
    assert table["wording"].tolist() == [f"{i:02d}" for i in range(1, 9)]
    sentence = wordings_set.asked({"a": "The person is angry.", "b": "The person is sad."})
    assert sentence["template"].tolist() == ["{}"]


def test_no_query_of_unseen_words_is_said_by_a_task_word():
    words = {label: label for label in synonyms()}
    table = wordings_set.asked(words)
    unseen = table.loc[table["kind"] == "unseen", list(words)].to_numpy().ravel()
    seen = table.loc[table["kind"] == "template", list(words)].to_numpy().ravel()
    assert not set(unseen) & set(seen)


def test_one_wording_is_a_table_of_one_row():
    table = wordings_set.one(EMOTIONS, "so {}")
    assert table[["anger", "sadness"]].to_numpy().tolist() == [["so angry", "so sad"]]
    with pytest.raises(ValueError, match="expected a slot"):
        wordings_set.one(EMOTIONS, "so")


# --- the answers -------------------------------------------------------------------------------


def told(texts, voices, truth, labels=("a", "b"), kinds=None, scale=1.0):
    """A task with given embeddings, `(wordings, classes, dimensions)`."""
    kinds = kinds or ["template"] * len(texts)
    names = [f"{i:02d}" for i in range(len(texts))]
    said = pd.DataFrame({"wording": names, "kind": kinds, "template": "{}"})
    said = said.assign(**{label: label for label in labels})
    rows = pd.DataFrame({"corpus": "one", "speaker": "s", "truth": list(truth)})
    return asking.Asked("one", tuple(labels), rows, said, np.array(texts), np.array(voices), scale)


@pytest.fixture
def two() -> asking.Asked:
    """Two voices that lie on the axes, and three wordings: right, undecided, and turned round."""
    right, flat, turned = np.eye(2), np.full((2, 2), np.sqrt(0.5)), np.eye(2)[::-1]
    return told([right, flat, 0.5 * turned], np.eye(2), "ab")


def test_scores_of_hand(two):
    table = asking.wording_scores([two])
    assert table["uar"].tolist() == [1.0, 0.5, 0.0]
    assert set(table["chance"]) == {0.5}
    row = asking.spread(table).iloc[0]
    assert (row["wordings"], row["mean"], row["worst"], row["best"]) == (3, 0.5, 0, 1)
    assert (row["std"], row["range"]) == (0.5, 1.0)


def test_the_mean_of_embeddings_is_brought_to_unit_length():
    # (1, 0) and (0, 1) average to the diagonal, so that a voice along it fits best
    texts = [[[1.0, 0.0], [0.0, -1.0]], [[0.0, 1.0], [-1.0, 0.0]]]
    one = told(texts, [[np.sqrt(0.5)] * 2, [-1.0, 0.0]], "ab")
    mean = asking.unit(one.texts.mean(axis=0))
    assert mean == pytest.approx(np.array([[1, 1], [-1, -1]]) * np.sqrt(0.5))
    assert asking.ensembles(one)["mean embedding"]["prediction"].tolist() == ["a", "b"]


def test_entropy_weights_of_hand():
    # entropies ln 2 for (1/2, 1/2) and h for (0.9, 0.1); weights are proportional to 1 / entropy
    h = -(0.9 * np.log(0.9) + 0.1 * np.log(0.1))
    sure = (1 / h) / (1 / h + 1 / np.log(2))
    averaged = asking.entropy_weighted(np.array([[[0.9, 0.1]], [[0.5, 0.5]]]))
    assert averaged[0, 0] == pytest.approx(sure * 0.9 + (1 - sure) * 0.5)


def test_a_sure_wording_outvotes_two_that_hardly_know():
    shares = np.array([[[0.02, 0.98]], [[0.75, 0.25]], [[0.75, 0.25]]])
    assert shares.mean(axis=0).argmax() == 0
    assert asking.entropy_weighted(shares).argmax() == 1


def test_certainty_has_a_finite_weight():
    averaged = asking.entropy_weighted(np.array([[[1.0, 0.0]], [[0.0, 1.0]]]))
    assert averaged == pytest.approx(np.array([[0.5, 0.5]]))


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(1, 5), st.integers(2, 4))
def test_averages_are_probabilities_and_equal_wordings_change_nothing(seed, wordings, classes):
    rng = np.random.default_rng(seed)
    shares = softmax(rng.normal(size=(wordings, 6, classes)), axis=-1)
    assert asking.entropy_weighted(shares).sum(axis=-1) == pytest.approx(np.ones(6))
    same = np.repeat(shares[:1], 3, axis=0)
    assert asking.entropy_weighted(same) == pytest.approx(shares[0])


def test_ensembles_leave_unseen_words_out():
    texts = [np.eye(2), np.eye(2)[::-1]]
    one = told(texts, np.eye(2), "ab", kinds=["template", "unseen"])
    assert asking.ensembles(one)["mean embedding"]["prediction"].tolist() == ["a", "b"]
    assert asking.ensembles(one, "unseen")["mean probability"]["prediction"].tolist() == ["b", "a"]
    assert asking.ensembles(told([np.eye(2)], np.eye(2), "ab"), "unseen") == {}


# --- agreement ---------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.integers(2, 4), st.integers(2, 4))
def test_agreement_is_that_of_a_slow_loop_over_pairs(seed, raters, classes):
    answers = np.random.default_rng(seed).integers(0, classes, (raters, 25))
    pairs = [(a, b) for a in range(raters) for b in range(a)]
    slow = [cohen_kappa_score(answers[a], answers[b]) for a, b in pairs]
    equal, kappa = asking.agree(answers, classes)
    assert equal == pytest.approx(np.mean([(answers[a] == answers[b]).mean() for a, b in pairs]))
    assert kappa == pytest.approx(np.mean(slow))


def test_kappa_of_hand():
    # equal 3 of 4; by chance 1/2 x 3/4 + 1/2 x 1/4 = 1/2
    answers = np.array([[0, 0, 1, 1], [0, 0, 0, 1]])
    assert asking.agree(answers, 2) == pytest.approx((0.75, 0.5))


def test_one_answer_throughout_has_no_kappa():
    equal, kappa = asking.agree(np.zeros((3, 5), int), 2)
    assert equal == 1
    assert np.isnan(kappa)


def test_a_single_wording_agrees_with_nothing(two):
    assert asking.agreement([told([np.eye(2)], np.eye(2), "ab")]).empty
    assert asking.agreement([two])["wordings"].tolist() == [3]


# --- with a model ------------------------------------------------------------------------------


def test_a_wording_is_answered_as_zero_shot_questions_are(model, voices):
    test = voices[voices["split"] == "test"]
    heard = zeroshot.embed_audio(model, test)
    tasks = evaluation.tasks(voices)
    sets = {task: wordings_set.asked(words) for task, words in tasks.items()}
    embed, scale = partial(zeroshot.embed_text, model), model.temperature.item()
    [one] = asking.ask(embed, test, heard, sets, scale)
    plain = evaluation.predict(model, test, tasks, "speaker is {}", heard)
    assert one.answers(one.logits()[0])["prediction"].tolist() == plain["prediction"].tolist()
    shares = softmax(one.logits()[0], axis=1)
    np.testing.assert_allclose(shares, plain[list(one.labels)], atol=1e-5)
    assert [one.labels[code] for code in one.codes] == plain["truth"].tolist()
    table = asking.wording_scores([one])
    assert len(table) == 32
    synonym = evaluation.other_words(model, test, heard, tasks).set_index("wording")["uar"]
    unseen = table[table["template"] == "speaker is {}"].set_index("wording")["uar"]
    assert unseen.loc[["01/1", "01/2"]].tolist() == pytest.approx(synonym.iloc[1:].tolist())


def test_tasks_without_a_voice_are_left_out_and_numbers_must_fit(voices):
    none = voices[voices["split"] == "dev"].iloc[:0]
    sets = {"tones": wordings_set.one(EMOTIONS, "{}")}
    assert asking.ask(lambda queries: np.eye(len(queries)), none, np.empty((0, 2)), sets, 1.0) == []
    with pytest.raises(ValueError, match="0 voices and 3 embeddings"):
        asking.ask(lambda queries: np.eye(len(queries)), none, np.empty((3, 2)), sets, 1.0)


# --- systems -----------------------------------------------------------------------------------


def test_the_regression_answers_the_tasks_it_can_learn(voices):
    features = voices[["arousal", "valence"]]
    tasks = evaluation.tasks(voices)
    given = systems.regression(features, voices, tasks)
    train, test = (voices["split"] == split for split in ("train", "test"))
    slow = logistic(features[train], voices.loc[train, "label"], features[test])
    assert given["prediction"].tolist() == slow.tolist()
    assert given["truth"].tolist() == voices.loc[test, "label"].tolist()
    scored = evaluation.reference_scores(features, voices, tasks, 10)
    assert evaluation.score(given, tasks, "{}", 10)["uar"].iloc[0] == scored["logistic"].iloc[0]
    assert systems.regression(features, voices, {"tones": {"x": "x", "y": "y"}}).empty


def test_models_of_a_run_are_found_where_they_lie(tmp_path):
    from paraclap import tables
    from paraclap.settings import Settings

    tables.write_json(Settings().asdict(), tmp_path / "settings.json")
    for place in ("model", "variants/rand1/model"):
        (tmp_path / place).mkdir(parents=True)
    found = systems.models(tmp_path, ["only_emo", "rand1", " rand5"])
    assert found == {
        "rand1": tmp_path / "variants" / "rand1" / "model",
        "rand5": tmp_path / "model",
    }
    assert list(systems.models(tmp_path, ["rand1"])) == ["main run", "rand1"]
