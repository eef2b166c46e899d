"""Claims about paraphrases: asked once, kept in a file, judged, and taken only where accepted."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast, set_seed

from paraclap import paraphrasing
from paraclap.objections import fault, level_words, objection
from paraclap.paraphrasing import COLUMNS, paraphrase, read, templates_from, write_set
from paraclap.queries import Pool, queries_for
from paraclap.rewording import ASK, Rewriter
from paraclap.templates import COLUMNS as ROW
from paraclap.templates import NUMERIC, sentences

SOURCES = ["has a high pitch", "speaker is {emotion}", "talks loudly"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A folder with a random GPT-2 that knows the words of the templates."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    said = " ".join([ASK, *SOURCES, *(one.template for one in sentences("diverse"))])
    words = dict.fromkeys(["[UNK]", "[END]", *re.findall(r"\w+|[^\w\s]+", said)])
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", eos_token="[END]")
    fast.save_pretrained(folder)
    set_seed(0)
    sizes = {"n_positions": 256, "n_embd": 16, "n_layer": 1, "n_head": 2}
    config = GPT2Config(vocab_size=len(vocabulary), bos_token_id=1, eos_token_id=1, **sizes)
    GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


def verdict(path, answers):
    """Write the file as a reviewer would: source, paraphrase, verdict."""
    rows = [
        dict.fromkeys(COLUMNS, "") | {"source": s, "paraphrase": p, "accepted": v}
        for s, p, v in answers
    ]
    pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(path, index=False)
    return path


# --- asking ------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_answers_whatever_was_asked_before(model, tmp_path):
    together = paraphrase(SOURCES, model, tmp_path / "a.csv", max_tokens=6)
    alone = paraphrase(SOURCES[2:], model, tmp_path / "b.csv", max_tokens=6)
    other = paraphrase(SOURCES, model, tmp_path / "c.csv", max_tokens=6, seed=1)
    last = together[together["source"] == SOURCES[2]]
    assert last["paraphrase"].tolist() == alone["paraphrase"].tolist()
    assert together["paraphrase"].tolist() != other["paraphrase"].tolist()
    assert set(together["source"]) == set(SOURCES)
    assert list(together) == list(COLUMNS)
    assert (together["model"] != str(model)).all()


def test_greedy_answers_are_those_of_a_plain_loop(model):
    rewriter = Rewriter.load(model)
    told = rewriter.answers("talks loudly", count=1, seed=0, temperature=0, max_tokens=5)
    tokens = rewriter.tokenizer(ASK.replace("<sentence>", "talks loudly"), return_tensors="pt")
    ids = tokens["input_ids"]
    for _ in range(5):
        best = rewriter.model(ids).logits[:, -1].argmax(-1, keepdim=True)
        ids = best.new_tensor([[*ids[0].tolist(), best.item()]])
    plain = rewriter.tokenizer.decode(ids[0, -5:], skip_special_tokens=True)
    assert told == [plain.strip(" .\"'“”")[:1].lower() + plain.strip(" .\"'“”")[1:]]


def test_what_was_asked_is_never_asked_again(model, tmp_path, monkeypatch):
    out = tmp_path / "paraphrases.csv"
    first = paraphrase(SOURCES, model, out, max_tokens=6)
    monkeypatch.setattr(Rewriter, "load", lambda *_: pytest.fail("the model was loaded"))
    assert paraphrase(SOURCES, model, out, max_tokens=6).equals(first)


def test_other_sentences_and_settings_extend_the_file_and_keep_the_review(model, tmp_path):
    out = tmp_path / "paraphrases.csv"
    first = paraphrase(SOURCES[:1], model, out, max_tokens=6)
    first.assign(accepted="no", reason="read", by="me").to_csv(out, index=False)
    second = paraphrase(SOURCES, model, out, max_tokens=6)
    third = paraphrase(SOURCES, model, out, max_tokens=5)
    read_by_me = first.assign(accepted="no", reason="read", by="me")
    assert second[: len(first)].equals(read_by_me)
    assert third[: len(second)].equals(second)
    assert len(third) > len(second) > len(first)
    assert read(out).equals(third)


def test_a_model_with_a_chat_template_is_asked_by_it(model):
    rewriter = Rewriter.load(model)
    rewriter.tokenizer.chat_template = "user : {{ messages[0]['content'] }} speaker :"
    words = rewriter.tokenizer.decode(rewriter._asked("talks loudly")["input_ids"][0])
    assert words.endswith("speaker :")
    assert "talks loudly" in words


def test_nothing_is_accepted_by_itself(model, tmp_path):
    table = paraphrase(SOURCES, model, tmp_path / "p.csv", max_tokens=6)
    assert set(table["accepted"]) <= {"no", "unreviewed"}
    assert ((table["reason"] != "") == (table["accepted"] == "no")).all()


def test_a_missing_model_is_reported_without_a_network(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No model 'nobody/nothing' on this machine.*ask"):
        paraphrase(SOURCES, "nobody/nothing", tmp_path / "p.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(OSError, match="No tokenizer at"):
        paraphrase(SOURCES, tmp_path / "empty", tmp_path / "p.csv")
    assert not (tmp_path / "p.csv").exists()


def test_a_checkpoint_without_all_weights_is_refused(model, tmp_path):
    Rewriter.load(model).tokenizer.save_pretrained(tmp_path)
    whole = GPT2LMHeadModel.from_pretrained(model)
    kept = {name: w for name, w in whole.state_dict().items() if "ln_f" not in name}
    whole.save_pretrained(tmp_path, state_dict=kept)
    with pytest.raises(ValueError, match=r"2 missing weights.*ln_f"):
        Rewriter.load(tmp_path)


@pytest.mark.parametrize("bad", [{"count": 0}, {"temperature": -1.0}, {"max_tokens": 0}])
def test_parameters_out_of_range_are_refused(bad, tmp_path):
    with pytest.raises(ValueError, match="Bad parameters"):
        paraphrase(SOURCES, "nobody/nothing", tmp_path / "p.csv", **bad)


# --- judging -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "answer", "reason"),
    [
        ("has a high pitch", "", "empty"),
        ("speaker is {emotion}", "the speaker is sad", "slots [] instead of ['{emotion}']"),
        ("has a high pitch", "a {gender} of high pitch", "slots ['{gender}'] instead of []"),
        ("has a high pitch", "the voice is high and thin", "holds the word 'and', which joins"),
        ("has a high pitch", "a cheery voice of high pitch", "says 'cheer' (unseen)"),
        ("has a high pitch", "a happy pitch", "says 'happy' (happiness)"),
        ("has a high pitch", "has a low pitch", "a template already"),
        ("emotion is {emotion}", "the speaker sounds {emotion}", "a wording in which models"),
        ("has a high pitch", "a lower pitch", "says 'low', a word of low pitch"),
        ("has a high pitch", "an ordinary pitch", "says 'ordinary', a word of normal pitch"),
        ("has a high pitch", "not a high pitch", "denies: 'not'"),
        ("is neither long nor short", "it is long", "says 'long', a word of high duration"),
        ("speaker is calm", "the speaker seems calm", ""),
        ("is neither long nor short", "not too long", ""),
        ("has a high pitch", "the pitch of the voice is high", ""),
        ("speaker is {emotion}", "one who is {emotion}", ""),
        ("no template of ours", "whatever", ""),
    ],
)
def test_faults_and_signs_are_named(source, answer, reason):
    assert objection(source, answer).startswith(reason)
    assert bool(objection(source, answer)) == bool(reason)


NAMED = [one for one in sentences("diverse") if one.attribute in NUMERIC]
NAMED = [one for one in NAMED if not re.search(r"{|but|neither|hardly|calm", one.template)]


def reworded(one):
    """A template with a harmless word more, which makes it no template."""
    return f"{one.template} indeed"


def test_no_template_speaks_against_another_of_its_own_level():
    for one in NAMED:
        for other in NAMED:
            if one.states == other.states:
                assert objection(one.template, reworded(other)) == ""


def test_most_templates_of_another_level_are_found_to_speak_against_it():
    found = [
        objection(one.template, reworded(other)) != ""
        for one in NAMED
        for other in NAMED
        if one.attribute == other.attribute
        and one.states[one.attribute] != other.states[one.attribute]
    ]
    assert sum(found) / len(found) > 0.9


def test_every_attribute_has_words_for_each_of_its_levels():
    for attribute, levels in level_words().items():
        assert set(levels) == {"low", "normal", "high"}, attribute
        assert all(levels.values()), attribute


# --- taking ------------------------------------------------------------------------------------


def test_only_accepted_paraphrases_become_templates_and_hold_where_their_source_holds(tmp_path):
    path = verdict(
        tmp_path / "p.csv",
        [
            ("is quiet", "one has to listen closely", "yes"),
            ("is quiet", "a word that nobody read", "unreviewed"),
            ("has a high pitch", "a tiny pitch", "no"),
            ("emotion is {emotion}", "one who is {emotion}", "Yes"),
        ],
    )
    rows = templates_from(path)
    assert list(rows) == list(ROW)
    assert rows.to_numpy().tolist() == [
        ["paper", "intensity", "low", "loudness=unknown|low", "one has to listen closely"],
        ["paper", "emotion", "word|calm", "", "one who is {emotion}"],
    ]


def test_a_written_set_says_its_templates_and_the_accepted_ones(tmp_path):
    path = verdict(tmp_path / "p.csv", [("has a high pitch", "the pitch is far up", "yes")])
    name = str(write_set(path, tmp_path / "more.csv"))
    levels = {"pitch": "high", "arousal": "high"}
    paper = queries_for(levels, "angry", "male")
    assert queries_for(levels, "angry", "male", name) == [*paper, "the pitch is far up"]
    pool = Pool.build(pd.DataFrame([levels]), templates=name)
    assert "the pitch is far up" in pool.vocabulary


@pytest.mark.parametrize("out", ["p.csv", "more.txt"])
def test_a_set_is_never_written_over_its_review_nor_under_another_suffix(out, tmp_path):
    path = verdict(tmp_path / "p.csv", [("has a high pitch", "the pitch is far up", "yes")])
    with pytest.raises(ValueError, match=r"Bad file .* expected a \.csv beside"):
        write_set(path, tmp_path / out)


def test_a_written_set_keeps_the_synonyms_of_its_own(tmp_path):
    path = verdict(tmp_path / "p.csv", [("has a high pitch", "the pitch is far up", "yes")])
    name = str(write_set(path, tmp_path / "more.csv", "diverse"))
    assert "sounds mad" in queries_for({}, "angry", None, name)
    other = verdict(tmp_path / "q.csv", [("has a low pitch", "the pitch is far down", "yes")])
    again = str(write_set(other, tmp_path / "again.csv", name))
    assert "sounds mad" in queries_for({}, "angry", None, again)
    assert "the pitch is far up" in queries_for({"pitch": "high"}, None, None, again)
    assert "the pitch is far down" in queries_for({"pitch": "low"}, None, None, again)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([("speaker is {emotion}", "somebody", "yes")], "'somebody': slots"),
        ([("has a high pitch", "furious pitch", "yes")], "'furi' .unseen."),
        ([("unheard of", "what", "yes")], "its source is no template of 'paper'"),
        (
            [("has a high pitch", "so it is", "yes"), ("has a low pitch", "so it is", "yes")],
            "2 accepted paraphrases.*another template says so, too",
        ),
        ([("has a high pitch", "has a low pitch", "yes")], "another template says so, too"),
    ],
)
def test_what_cannot_be_a_template_is_refused_although_accepted(answers, message, tmp_path):
    path = verdict(tmp_path / "p.csv", answers)
    with pytest.raises(ValueError, match=message):
        templates_from(path)


def test_a_reviewer_may_overrule_a_sign(tmp_path):
    pair = ("has a high pitch", "the pitch is not where others have it")
    assert objection(*pair)
    assert not fault(*pair)
    assert len(templates_from(verdict(tmp_path / "p.csv", [(*pair, "yes")]))) == 1


def test_bad_files_are_reported(tmp_path):
    path = verdict(tmp_path / "p.csv", [("a", "b", "maybe"), ("a", "c", "yes"), ("a", "d", "")])
    with pytest.raises(ValueError, match=r"2 rows, line 2: 'maybe', line 4: ''\).*expected one of"):
        read(path)
    pd.DataFrame({"source": ["a"]}).to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"No columns \['paraphrase'.*file of paraphrases\?"):
        read(path)


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "set,attribute,level,when,template\n", ""])
def test_a_file_that_holds_no_template_set_is_reported(text, tmp_path):
    path = tmp_path / "more.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"No template set in more\.csv.*copy the header"):
        sentences(str(path))
    with pytest.raises(FileNotFoundError):
        sentences(str(tmp_path / "none.csv"))


# --- the command line --------------------------------------------------------------------------


def test_the_command_asks_and_writes(model, tmp_path, capsys):
    out, more = tmp_path / "p.csv", tmp_path / "more.csv"
    asked = ["--model", str(model), "--out", str(out), "--count", "1", "--max-tokens", "4"]
    assert paraphrasing.main([*asked, "--templates", "released-fixed"]) == 0
    distinct = {one.template for one in sentences("released-fixed")}
    assert set(read(out)["source"]) == distinct
    assert (
        paraphrasing.main(
            ["--out", str(out), "--templates", "released-fixed", "--write", str(more)]
        )
        == 0
    )
    assert len(sentences(str(more))) == len(sentences("released-fixed"))
    assert "0 new" in capsys.readouterr().out


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    assert paraphrasing.main(["--model", str(tmp_path / "no"), "--out", str(tmp_path / "p")]) == 1
    assert "No model" in capsys.readouterr().err
    assert paraphrasing.main(["--out", str(tmp_path / "p"), "--write", "more.csv"]) == 1
