"""Answers, and candidates that are refused."""

import numpy as np
import pytest

from paraclap import tables
from paraclap.evaluation import zeroshot
from paraclap.evaluation.zeroshot import Candidates, answer, classify, encode_candidates
from paraclap.model.embedding import embed_audio, embed_text


def test_answers_by_hand():
    question = Candidates(("a", "b"), np.eye(2, dtype=np.float32), 2.0)
    table = answer(question, np.array([[1, 0], [0.6, 0.8]], np.float32))
    # logits 2 and 0, then 1.2 and 1.6
    assert table["a"].tolist() == pytest.approx([1 / (1 + np.exp(-2)), 1 / (1 + np.exp(0.4))])
    assert table["prediction"].tolist() == ["a", "b"]
    assert list(table) == ["a", "b", "prediction"]


def test_classify_gives_probabilities_on_the_audformat_index(model, labels):
    files = labels.index.get_level_values("file")[:3].tolist()
    table = classify(model, files, ["angry", "sad", "calm"], "speaker is {}")
    assert list(table) == ["angry", "sad", "calm", "prediction"]
    assert list(table.index.names) == tables.INDEX
    assert table.index.get_level_values("file").tolist() == files
    np.testing.assert_allclose(table[["angry", "sad", "calm"]].sum(axis=1), 1, atol=1e-5)
    logits = embed_audio(model, files) @ embed_text(model, [f"speaker is {w}" for w in table][:3]).T
    shares = np.exp(logits * model.temperature.item())
    shares /= shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(table.iloc[:, :3], shares, atol=1e-5)
    best = table[["angry", "sad", "calm"]].idxmax(axis=1)
    assert best.tolist() == table["prediction"].tolist()


@pytest.mark.parametrize(
    ("candidates", "message"),
    [
        *((one, "Got .* as candidates, expected a list") for one in ("sad, happy", b"s", None, 1)),
        (iter(["sad"]), r"Got candidates \['sad'\], expected two or more"),
        (["scho\u0308n", "sch\u00f6n"], "are the same word"),
        ({"start": "sad", "joy": "happy"}, "Bad candidate 'start'"),
        (["Sad", "sad"], "Candidates 'Sad' and 'sad' are the same word"),
        ({"low": "sad", "down": " sad"}, "Candidates 'low' and 'down' are the same"),
        (["sad", None], "Bad candidate None"),
        (["sad", float("nan")], "Bad candidate nan"),
        (["sad", " "], "Bad candidate ' '"),
        ({"sadness": "sad", "joy": np.nan}, r"Bad candidate 'joy' \(nan\)"),
        ({"sadness": "sad", 3: "happy"}, "Bad candidate 3"),
        (["prediction", "sad"], "Bad candidate 'prediction'"),
    ],
)
def test_bad_candidates_are_errors_that_name_them(candidates, message):
    with pytest.raises(ValueError, match=message):
        zeroshot.check_candidates(candidates)


@pytest.mark.parametrize("happy", ["🙂", "🙂🙂", "\u200b", "x " * 9000])
def test_candidates_that_the_tokenizer_cannot_tell_apart_are_errors(model, happy):
    same = "'happy' and 'sad' are the same to this model's tokenizer"
    with pytest.raises(ValueError, match=r"No token of .*\['happy'\]" if happy[0] != "x" else same):
        encode_candidates(model, {"happy": happy, "sad": "x " * 9000 + "y"}, "speaker is {}")


def test_templates_have_one_slot_and_take_no_sentences():
    for template in ("speaker is", "{} or {}", "is {0}", "{{}}", ["{}"], None):
        with pytest.raises(ValueError, match=r"Bad template .*expected a slot"):
            zeroshot.fill(template, "sad")
    sentence = "this person is feeling anger."
    assert zeroshot.fill("{}", sentence) == sentence
    with pytest.raises(ValueError, match="expected no sentence"):
        zeroshot.fill("speaker is {}", sentence)


def test_candidates_as_they_are_typed():
    assert zeroshot.parse_candidates("joy=happy, sad") == {"joy": "happy", "sad": "sad"}
    quoted = ' "mad, loud" ,joy="happy, or so","a, b"=says "no, I go"'
    words = {"mad, loud": "mad, loud", "joy": "happy, or so", "a, b": 'says "no, I go"'}
    assert zeroshot.parse_candidates(quoted) == words
    for text in ("joy=happy,joy=glad,sad", '"very angry, shouting', "sad,,happy", "joy=,sad", "a,"):
        with pytest.raises(ValueError, match="Bad candidate"):
            zeroshot.parse_candidates(text)
