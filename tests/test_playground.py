"""The playground without a notebook: what is asked comes back right, and is shown as text."""

from __future__ import annotations

import base64
import io
import re
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from conftest import RATE, tone
from hypothesis import given, settings
from hypothesis import strategies as st
from lab import small_run

from paraclap import audio, levels, saying, tables, zeroshot
from paraclap.evidence import wordings_set
from paraclap.figures import playground as figures
from paraclap.model import ParaCLAP
from paraclap.playground import asking, beside, finding, keeping, measuring, showing, voices
from paraclap.playground.live import Playground, playground
from paraclap.playground.opened import Opened, models, opened
from paraclap.playground.session import Session
from paraclap.playground.voices import Voice
from paraclap.towers import build

EMOTIONS = "angry, happy, sad"
EVIL = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def network() -> ParaCLAP:
    return build("smoke", "smoke", 16, 0.2, "mean", seed=1).eval()


@pytest.fixture(scope="module")
def asked(network: ParaCLAP) -> Opened:
    return Opened("tiny", network)


@pytest.fixture(scope="module")
def voice() -> Voice:
    return Voice("tone.wav", tone(200, 0.3, 1.0))


@pytest.fixture(scope="module")
def run(voices: pd.DataFrame, network: ParaCLAP, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run: two models, labels, edges, queries."""
    return small_run(voices, network, tmp_path_factory.mktemp("runs") / "tones")


@pytest.fixture
def session(run: Path) -> Session:
    made = Session.of(run)
    made.example()
    return made


class Tags(HTMLParser):
    """Names of the tags of a piece of HTML, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


# --- the voice ----------------------------------------------------------------------------------


def content(signal: np.ndarray, kind: str, rate: int = RATE) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, signal, rate, format=kind)
    return stream.getvalue()


SHORT = content(tone(200, 0.3, 0.1), "WAV")


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_an_upload_is_read_as_the_file_would_be(kind, tmp_path):
    sent = content(tone(200, 0.3, 0.5), kind)
    (tmp_path / "a").write_bytes(sent)
    read = voices.from_content(f"a.{kind.lower()}", sent)
    np.testing.assert_array_equal(read.signal, audio.read(tmp_path / "a"))
    assert read.seconds == pytest.approx(0.5, abs=0.08)


@pytest.mark.parametrize(
    ("name", "sent", "said"),
    [
        ("a.txt", b"no audio", "cannot be read as audio"),
        ("a.wav", b"", "is empty"),
        ("a.wav", content(tone(200, 0.3, 0.02), "WAV"), "too short: 20 ms, expected at least 60"),
        ("a.wav", content(np.zeros(8000 * 61), "WAV", 8000), "too long: 61 s, expected at most 60"),
    ],
)
def test_what_cannot_be_heard_is_refused_with_a_reason(name, sent, said):
    with pytest.raises(audio.AudioError, match=said):
        voices.from_content(name, sent)


@settings(deadline=None, max_examples=30)  # the first one starts what reads files
@given(
    name=st.text(max_size=120) | st.sampled_from([".", "..", "/", "a/..", "..\\\\b.wav", "ü" * 99])
)
def test_any_name_is_read_and_none_leads_out_of_the_folder(name):
    read = voices.from_content(name, SHORT)
    assert "/" not in read.name
    assert 0 < len(read.name.encode()) <= voices.NAMED


def test_an_upload_leaves_nothing_on_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    voices.from_content("a.wav", content(tone(200, 0.3, 0.5), "WAV"))
    assert list(tmp_path.iterdir()) == []


def test_clips_are_test_voices_of_the_wanted_corpus_and_label(voices, run):
    from paraclap.playground.voices import clips

    chosen = clips(voices, "tones", "anger")
    assert set(chosen["split"]) == {"test"}
    assert set(chosen["label"]) == {"anger"}
    assert clips(voices[voices["split"] == "train"]).shape[0] == (voices["split"] == "train").sum()


def test_a_clip_says_that_it_is_synthetic_and_how_it_is_labelled(session):
    taken = session.take("tones", "sadness", 1)
    assert taken.about == "synthetic speech"
    assert taken.name.endswith(", labelled sadness")


# --- the question -------------------------------------------------------------------------------


def test_one_wording_gives_what_classify_gives(asked, run, session):
    clip = voices.clips(session.labels).iloc[[3]]
    answers = asking.ask(asked, voices.from_clip(clip), EMOTIONS, "speaker is {}")
    words = ["angry", "happy", "sad"]
    expected = zeroshot.classify(asked.model, clip, words, "speaker is {}")
    np.testing.assert_allclose(answers["probability"], expected[words].iloc[0], atol=1e-6)


def test_the_answer_is_the_mean_over_all_wordings_that_take_the_words(asked, voice):
    answers = asking.ask(asked, voice, EMOTIONS)
    assert answers["wording"].nunique() == len(wordings_set.templates())
    sums = answers.groupby("wording")["probability"].sum()
    np.testing.assert_allclose(sums, 1, atol=1e-9)
    first = answers[answers["wording"] == "01"]
    assert first["query"].tolist() == ["speaker is angry", "speaker is happy", "speaker is sad"]
    table = asking.summary(answers).set_index("candidate")
    angry = answers.loc[answers["candidate"] == "angry", "probability"]
    assert table.loc["angry", ["probability", "low", "high"]].tolist() == pytest.approx(
        [angry.mean(), angry.min(), angry.max()]
    )
    assert table["first"].sum() == answers["wording"].nunique()


@pytest.mark.parametrize(
    ("candidates", "said", "never"),
    [
        ("angry, happy", "this voice expresses anger", "expresses angry"),
        ("angry, tired", "this is the sound of tired speech", "expresses"),
        ("very tired, wide awake", "speaker is very tired", "the sound of"),
        ("kind, wording, template", "speaker is kind", "expresses"),
        ("joy=happy, rage=angry", "speaker is happy", "speaker is joy"),
    ],
)
def test_only_wordings_that_take_the_words_are_asked(candidates, said, never):
    known = asking.words(candidates)
    table = asking.wordings(known)
    queries = table[list(range(len(known)))].to_numpy().ravel().tolist()
    assert said in queries
    assert not any(never in query for query in queries)


@pytest.mark.parametrize(
    ("candidates", "template", "said"),
    [
        ("angry", asking.ALL, "expected two or more"),
        ("", asking.ALL, "expected two or more"),
        ("sad, sad", asking.ALL, "expected two or more"),
        ("joy=a, joy=b", asking.ALL, "each label once"),
        (",".join(map(str, range(60))), asking.ALL, "at most 50"),
        (EMOTIONS, "speaker is", "expected a slot"),
    ],
)
def test_a_bad_question_is_refused_with_a_reason(asked, voice, candidates, template, said):
    with pytest.raises(ValueError, match=said):
        asking.ask(asked, voice, candidates, template)


def test_what_lacks_is_named_before_anything_is_asked(tmp_path, asked, session):
    empty = Session.of(tmp_path)
    with pytest.raises(ValueError, match=r"No voices in .* expected its labels"):
        empty.find("a high voice")
    with pytest.raises(ValueError, match="Bad number of voices 0"):
        finding.sample(session.labels, 0, 1)
    with pytest.raises(ValueError, match="Got no query"):
        finding.found(asked, session.labels, "  ", 3, None)
    with pytest.raises(ValueError, match="expected a label and a word in each"):
        asking.words("=happy, sad")


def test_a_session_without_a_voice_asks_for_one(run):
    with pytest.raises(ValueError, match="Got no voice yet"):
        Session.of(run).ask(EMOTIONS)


def test_an_example_may_be_a_file_of_ones_own(run, tmp_path):
    soundfile.write(tmp_path / "mine.wav", tone(200, 0.3, 0.5), RATE)
    made = Session.of(run)
    assert made.example(str(tmp_path / "mine.wav")) is made.voice
    assert len(made.voice.signal) == RATE // 2


def test_one_wording_is_told_without_a_share_of_wordings(asked, voice):
    told = asking.sentence(asking.ask(asked, voice, EMOTIONS, "speaker is {}"))
    assert re.fullmatch(r"Closest is “\w+”, probability 0\.\d\d \(guessing gives 0\.\d\d\)\.", told)


def answers_of(probabilities: dict[str, list[float]]) -> pd.DataFrame:
    """Answers of a model in as many wordings as there are probabilities of a candidate."""
    rows = [
        {"voice": "v", "model": "m", "wording": f"{place}", "candidate": word, "probability": value}
        for word, values in probabilities.items()
        for place, value in enumerate(values)
    ]
    return pd.DataFrame(rows).assign(template="{}", query="q", cosine=0.0)


def test_the_sentence_says_when_the_wordings_disagree():
    agreed = asking.sentence(answers_of({"angry": [0.7, 0.9], "sad": [0.3, 0.1]}))
    assert "“angry”" in agreed
    assert "0.80 (0.70 to 0.90; guessing gives 0.50)" in agreed
    assert agreed.endswith("It is first in all of them.")
    other = asking.sentence(answers_of({"angry": [0.4, 0.9], "sad": [0.6, 0.1]}))
    assert "first in 1 of them: the answer depends on the wording" in other


# --- models -------------------------------------------------------------------------------------


def test_a_voice_is_heard_once_and_a_query_read_once(asked, voice):
    assert asked.hear(voice.signal) is asked.hear(voice.signal.copy())
    both = asked.read(["angry", "sad", "angry"])
    np.testing.assert_array_equal(both[0], both[2])
    expected = zeroshot.embed_text(asked.model, ["angry", "sad", "angry"])
    np.testing.assert_allclose(both, expected, atol=1e-6)


def test_a_model_is_opened_once_until_its_weights_change(saved):
    first = opened(saved)
    assert opened(saved) is first
    build("smoke", "smoke", 16, 0.2, "mean", seed=5).save_pretrained(saved)
    assert opened(saved) is not first


def test_without_a_model_the_command_that_makes_one_is_said(tmp_path):
    session = Session.of(tmp_path)
    session.voice = Voice("a", tone(200, 0.3, 0.5))
    with pytest.raises(FileNotFoundError, match="make model"):
        session.ask(EMOTIONS)


def test_models_of_a_run_are_listed_its_own_first(run):
    assert list(models(run)) == ["model", "variant b"]
    assert list(Session.of(run, "elsewhere").models) == ["named model", "model", "variant b"]


# --- measured, said, compared, found ------------------------------------------------------------


def test_levels_and_queries_are_those_of_the_run(asked, voice, run, tmp_path):
    measured = measuring.measured(voice)
    table = measuring.level_table(measured, run / "edges.json").set_index("attribute")
    edges = levels.load(run / "edges.json")
    expected = levels.assign(measured, edges).iloc[0]
    assert table["level"].to_dict() == expected.to_dict()
    assert table.loc["pitch", "low below"] == edges["pitch"][0]
    soundfile.write(tmp_path / "a.wav", voice.signal, RATE, subtype="FLOAT")
    said = saying.queries(saying.measure([tmp_path / "a.wav"], 1), run / "edges.json")
    found = measuring.queries(asked, voice, measured, run / "edges.json")
    assert sorted(found["query"]) == sorted(said["queries"].iloc[0])
    assert found["cosine"].is_monotonic_decreasing


def test_a_silent_voice_is_answered_though_nothing_can_be_measured(session):
    session.voice = Voice("silence", np.zeros(RATE, np.float32))
    answer = session.ask(EMOTIONS)
    assert len(answer.summary) == 3
    assert answer.queries.empty
    assert "Silent" in answer.remark


def test_two_models_are_compared_by_their_means(session):
    table, said = session.compare(EMOTIONS, asking.ALL, "model", "variant b")
    back, _ = session.compare(EMOTIONS, asking.ALL, "variant b", "model")
    merged = table.merge(back, on="candidate", suffixes=("", " again"))
    np.testing.assert_allclose(merged["difference"], -merged["difference again"])
    own = session.ask(EMOTIONS).summary.set_index("candidate")["probability"]
    np.testing.assert_allclose(table.set_index("candidate")["model"], own[table["candidate"]])
    assert table["difference"].abs().is_monotonic_decreasing
    assert said.startswith(("Both answer", "model answers"))
    with pytest.raises(ValueError, match="twice"):
        session.compare(EMOTIONS, asking.ALL, "model", "model")


def test_answers_to_different_questions_are_not_compared():
    one, other = answers_of({"a": [1.0], "b": [0.0]}), answers_of({"a": [1.0], "c": [0.0]})
    with pytest.raises(ValueError, match="the same candidates"):
        beside.compared(one, other)


def test_found_voices_are_in_the_order_of_brute_force(session):
    asked = session.open()
    table = session.find("speaker is angry", n=2)
    pool = finding.sample(session.labels, 120)
    query = zeroshot.embed_text(asked.model, ["speaker is angry"])[0]
    cosines = zeroshot.embed_audio(asked.model, pool) @ query
    order = np.argsort(-cosines, kind="stable")
    assert list(table.index) == list(pool.index[[*order[:2], *order[-2:]]])
    assert table["place"].tolist() == ["closest", "closest", "farthest", "farthest"]


def test_a_sample_is_balanced_and_drawn_by_its_seed(voices):
    mixed = voices.assign(corpus=["a", "b", "b", "b", "b", "c"] * 10, split="test")
    drawn = finding.sample(mixed, 12, seed=3)
    assert drawn["corpus"].value_counts().to_dict() == {"a": 4, "b": 4, "c": 4}
    assert drawn.index.equals(finding.sample(mixed, 12, seed=3).index)
    assert not drawn.index.equals(finding.sample(mixed, 12, seed=4).index)


def test_suggestions_begin_with_emotions_and_hold_what_is_said_of_the_run(run):
    said = finding.suggestions(run)
    assert said[0].startswith("speaker is ")
    assert {"is loud", "has a high pitch"} <= set(said)
    assert len(said) == len(set(said))


# --- kept and shown -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", keeping.KINDS)
def test_an_export_reads_back_as_it_was(session, kind, tmp_path):
    session.ask(EMOTIONS)
    session.ask(EMOTIONS)  # the same again: kept once
    path = session.export(str(tmp_path / f"out{kind}"))
    read = tables.read_table(path)
    assert list(read) == list(asking.ANSWERS)
    assert len(read) == 3 * len(wordings_set.templates())
    np.testing.assert_allclose(read["probability"], session.answers[0]["probability"])
    sent = base64.b64decode(keeping.address(read, kind).partition(",")[2])
    assert sent == keeping.content(read, kind)


def test_export_goes_to_the_run_and_says_what_is_wrong(session, run):
    with pytest.raises(ValueError, match="press Ask first"):
        session.export("a.csv")
    session.ask(EMOTIONS)
    assert session.export(" a.csv ") == run / "a.csv"
    with pytest.raises(ValueError, match=r"\.parquet or \.csv"):
        session.export("a.xlsx")
    with pytest.raises(FileNotFoundError, match="No folder"):
        session.export("nowhere/a.csv")


def test_nothing_that_people_type_or_files_hold_becomes_a_tag(session):
    session.voice = Voice(EVIL, tone(200, 0.3, 0.5), EVIL)
    answer = session.ask(f"{EVIL}, sad$_x$")
    compared, said = session.compare(f"{EVIL}, sad", asking.ALL, "model", "variant b")
    labels = session.labels.assign(label=EVIL, corpus=EVIL)
    found = finding.found(session.open(), voices.clips(labels), "angry", 1)
    pieces = {
        "answer": showing.answer(answer),
        "comparison": showing.comparison(compared, said, session.voice),
        "player": showing.player(session.voice),
        "found": showing.found(found),
        "note": showing.note(EVIL, bad=True),
        "links": showing.links({EVIL: "data:,"}),
    }
    for name, html in pieces.items():
        parsed = Tags(html)
        pictures = html.count('<img src="data:image/png;base64,')
        assert parsed.tags.count("img") == pictures, name
        assert "script" not in parsed.tags, name


def test_levels_are_coloured_and_numbers_rounded():
    frame = pd.DataFrame({"level": ["high", None], "value": [0.125, np.nan], "n": [3, 4]})
    html = showing.table(frame, 2)
    assert '<span class="pcp-level pcp-high">high</span>' in html
    assert re.findall(r'<td class="([a-z-]*)">([^<]+)</td>', html) == [
        ("pcp-number", "0.12"),
        ("pcp-number", "3"),
        ("", "–"),  # noqa: RUF001
        ("pcp-number", "–"),  # noqa: RUF001
        ("pcp-number", "4"),
    ]


def test_bars_are_the_means_and_dots_the_wordings():
    answers = answers_of({"angry": [0.4, 0.9], "sad": [0.6, 0.1]})
    summary = asking.summary(answers)
    ax = figures.answer(answers, summary).axes[0]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([0.65, 0.35])
    dots = next(line for line in ax.lines if line.get_marker() == "o")
    assert sorted(dots.get_xdata()) == pytest.approx([0.1, 0.4, 0.6, 0.9])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["angry", "sad"]


# --- panels -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def live(run: Path) -> Playground:
    return playground(run, candidates=EMOTIONS)


def test_the_playground_answers_out_of_the_box(live):
    doing = live.panels.doing["Ask"]
    doing.do()
    assert doing.told.value == ""
    assert not doing.button.disabled
    shown = Tags(doing.result.value).text
    assert "Closest is" in shown
    assert f"Asked about {live.session.voice.name}" in shown
    assert "What holds" in shown


@pytest.mark.parametrize("tab", ["Compare two models", "Find voices", "Export"])
def test_each_panel_shows_what_came_of_it(live, tab):
    live.panels.doing["Ask"].do()
    doing = live.panels.doing[tab]
    doing.do()
    assert doing.told.value == ""
    assert doing.result.value


def test_what_went_wrong_is_said_and_nothing_shown_is_lost(live):
    doing, field = live.panels.doing["Ask"], live.panels.question.candidates
    doing.do()
    before = doing.result.value
    field.value = "angry"
    doing.do()
    field.value = EMOTIONS
    assert "expected two or more" in Tags(doing.told.value).text
    assert 'role="alert"' in doing.told.value
    assert doing.result.value == before
    assert not doing.button.disabled


def test_a_recording_and_an_upload_become_the_voice(live):
    panel = live.panels.voice
    sent = content(tone(150, 0.3, 0.7), "WAV", 48_000)
    panel.recorder._handle_custom_msg({"what": "recording"}, [memoryview(sent)])
    assert live.session.voice.name == "recording.wav"
    assert live.session.voice.seconds == pytest.approx(0.7 / 3, abs=0.01)
    panel.recorder._handle_custom_msg({"what": "other"}, [])
    file = {
        "name": "mine.flac",
        "type": "",
        "size": 1,
        "content": memoryview(content(tone(150, 0.3, 0.7), "FLAC")),
    }
    panel.upload.value = ({**file, "last_modified": pd.Timestamp(0, tz="UTC")},)
    assert live.session.voice.name == "mine.flac"
    assert "mine.flac" in panel.heard.value
    panel.receive("broken.wav", b"x")
    assert "cannot be read" in panel.told.value
    assert live.session.voice.name == "mine.flac"


def test_choosing_a_label_or_a_clip_takes_that_voice(live):
    panel = live.panels.voice
    panel.label.value = "sadness"
    assert live.session.voice.name.endswith("labelled sadness")
    panel.clip.index = 2
    assert live.session.voice.name == panel.clip.label


def test_a_typed_folder_counts_before_the_list(live, saved):
    from paraclap.playground.fields import Either

    field = Either("Model", ["model"], "a folder")
    assert field.value == "model"
    field.typed.value = f" {saved} "
    assert field.value == str(saved)
    live.session.example()
    assert live.session.ask(EMOTIONS, model=field.value).table["model"].iloc[0] == str(saved)


def test_a_page_gets_a_sentence_and_a_notebook_the_panels(run, monkeypatch):
    monkeypatch.setenv("PARACLAP_PROGRESS", "somewhere")
    made = playground(run)
    page = made._repr_mimebundle_()
    assert set(page) == {"text/html", "text/plain"}
    assert "make lab" in page["text/html"]
    assert "panels" not in vars(made)  # no state of widgets weighs on the page
    monkeypatch.delenv("PARACLAP_PROGRESS")
    assert "application/vnd.jupyter.widget-view+json" in made._repr_mimebundle_()


def test_without_a_run_the_panels_are_there_and_say_what_is_missing(tmp_path):
    made = playground(tmp_path)
    assert "Clip of the run" not in made.panels.voice.source.options
    for tab, said in (("Ask", "No model"), ("Find voices", "No voices"), ("Export", "press Ask")):
        made.session.voice = Voice("a", tone(200, 0.3, 0.5))
        made.panels.doing[tab].do()
        assert said in Tags(made.panels.doing[tab].told.value).text, tab
