"""The playground answers in tables; whatever goes wrong is a sentence."""

import numpy as np
import pytest
from sounds import buzz

from paraclap import audio, tables
from paraclap.features import extract
from paraclap.interactive.playground import Panels, playground
from paraclap.interactive.session import Session, answer_figure, summary
from paraclap.model import build
from paraclap.queries import fit_levels, save_edges

WORDS = "angry, happy, sad"


@pytest.fixture(scope="module")
def run(labels, tmp_path_factory):
    """Folder of a run with two untrained models, labels and edges."""
    folder = tmp_path_factory.mktemp("run")
    for seed, place in enumerate(("model", "variants/rand1/model")):
        build("smoke", "smoke", 16, 0.1, "mean", seed=seed).save_pretrained(folder / place)
    tables.write_table(labels, folder / "labels.parquet")
    save_edges(fit_levels(extract(labels, jobs=1)), folder / "edges.json")
    return folder


@pytest.fixture
def session(run):
    session = Session(run)
    session.use()
    return session


def test_an_answer_is_the_mean_over_prompts_that_each_add_up_to_one(session):
    answers = session.ask(WORDS)
    assert answers["prompt"].nunique() > 5
    sums = answers.groupby("prompt")["probability"].sum()
    np.testing.assert_allclose(sums, 1, atol=1e-6)
    table = summary(answers).set_index("candidate")
    own = answers[answers["candidate"] == "sad"]["probability"]
    assert table.loc["sad", "probability"] == pytest.approx(own.mean())
    assert table.loc["sad", ["low", "high"]].tolist() == pytest.approx([own.min(), own.max()])
    assert answers["query"].str.contains("anger|happiness|sadness").any()  # nouns


def test_models_are_asked_in_a_template_of_ones_own_and_drawn_side_by_side(session):
    answers = session.ask("old, young", "this person is {}", ("", "variant rand1"))
    assert answers["query"].tolist() == ["this person is old", "this person is young"] * 2
    names = [text.get_text() for text in answer_figure(answers).axes[0].get_legend().get_texts()]
    assert names[:2] == ["model", "variant rand1"]


def test_levels_and_queries_follow_from_the_utterance(session):
    levels, queries = session.describe()
    assert set(levels["attribute"]) >= {"pitch", "intensity", "duration"}
    assert set(levels["level"]) <= {"low", "normal", "high"}
    assert queries["cosine"].is_monotonic_decreasing and len(queries) > 3


def test_an_upload_is_used_as_it_was_and_a_bad_one_is_refused(session):
    signal = buzz(1.0)
    session.use("me/mine.wav", audio.encode(signal))
    assert session.name == "mine.wav"
    np.testing.assert_allclose(session.signal, signal, atol=1e-4)
    with pytest.raises(audio.AudioError, match="cannot be read"):
        session.use("text.wav", b"no audio at all")
    with pytest.raises(audio.AudioError, match=r"has 61.00 s, expected at most 60 s"):
        session.use("long.wav", audio.encode(np.tile(signal, 61)))


def test_the_panels_show_an_answer_and_take_a_recording(session, capsys):
    panels = Panels(session, WORDS)
    panels.ask.manual_button.click()
    panels.use("recording.wav", audio.encode(buzz(0.5)))
    shown = capsys.readouterr().out
    for words in ("Audio", "Figure(", "candidate", "attribute", "cosine", "recording.wav"):
        assert words in shown
    assert panels.session.name == "recording.wav"


def test_what_goes_wrong_is_said_and_a_voice_is_asked_without_labels(run, tmp_path, capsys):
    panels = Panels(Session(tmp_path), WORDS)
    panels.ask.manual_button.click()
    panels.use("no.wav")
    panels.use("")
    said = capsys.readouterr().out
    for words in ("No model at", "'no.wav'", "No labels in this run"):
        assert words in said
    (tmp_path / "model").symlink_to(run / "model")
    panels.use("recording.wav", audio.encode(buzz(0.5)))
    panels.ask.manual_button.click()
    assert "probability" in capsys.readouterr().out


def test_without_a_reader_a_sentence_stands_in_the_page(run, monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert "make lab" in playground(run).data
    monkeypatch.setenv("JPY_SESSION_NAME", "chapter.ipynb")
    assert isinstance(playground(run), Panels)
