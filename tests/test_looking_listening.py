"""Mistakes and long recordings: what is shown is what the tables say, and it plays."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import DESK, PHONE, Browser
from hypothesis import given, settings
from hypothesis import strategies as st

from paraclap import audio, scoring, tables
from paraclap.figures import listening as figures
from paraclap.figures import style
from paraclap.inference import Listener
from paraclap.looking import confused, over_time, recording, timeline
from paraclap.looking.inks import contrast, ink, luminance
from paraclap.zeroshot import Question

CLASSES = ["anger", "sadness", "fear"]
EVIL = "</script><img src=x onerror=alert(1)>"
COLOURS = {"anger": "#d55e00", "sadness": "#0173b2", "fear": "#cc78bc"}
SHADES = figures.shades()
THEME = """
:root {
  --pst-color-text-base: #222832; --pst-color-background: #ffffff; --pst-color-border: #c9c9c9;
}
:root[data-theme="dark"] {
  --pst-color-text-base: #ced6dd; --pst-color-background: #14181e; --pst-color-border: #48566b;
}
html { background: var(--pst-color-background); color: var(--pst-color-text-base); }
body { margin: 16px; }
"""
PAGE = (
    "<!DOCTYPE html><html lang=en data-theme=light><meta charset=utf-8><title>t</title>"
    '<meta name="viewport" content="width=device-width"><style>{}</style>'
    "<article><h1>One</h1>{}</article>"
)


class Tags(HTMLParser):
    """Tags of a piece of a page with their attributes, the text of each kind, and its data."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if self._open and data.strip():
            self.text.setdefault(self._open[-1], []).append(data.strip())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.found if name == tag]

    @property
    def data(self):
        return json.loads(self.text["script"][0])


# --- which voices are heard --------------------------------------------------------------------


@pytest.fixture(scope="module")
def predictions(voices: pd.DataFrame) -> pd.DataFrame:
    """Nine voices: of anger three right and two wrong, of sadness and of fear one of each."""
    rows = [
        ("anger", "anger", 0.5, 0.3, 0.2),
        ("anger", "anger", 0.9, 0.1, 0.0),
        ("anger", "sadness", 0.2, 0.7, 0.1),
        ("anger", "anger", 0.6, 0.2, 0.2),
        ("anger", "sadness", 0.1, 0.8, 0.1),
        ("sadness", "sadness", 0.3, 0.4, 0.3),
        ("sadness", "fear", 0.1, 0.2, 0.7),
        ("fear", "fear", 0.0, 0.0, 1.0),
        ("fear", "anger", 0.4, 0.3, 0.3),
    ]
    columns = ["truth", "prediction", *CLASSES]
    return pd.DataFrame(rows, voices.index[: len(rows)], columns).assign(corpus="tones")


def test_the_surest_voices_of_each_cell_are_heard(predictions):
    found = confused.examples(predictions, each=2)
    cells = found.groupby(["truth", "prediction"], sort=False)["p_prediction"].agg(list)
    assert cells.to_dict() == {
        ("anger", "anger"): [0.9, 0.6],
        ("anger", "sadness"): [0.8, 0.7],
        ("fear", "anger"): [0.4],
        ("fear", "fear"): [1.0],
        ("sadness", "fear"): [0.7],
        ("sadness", "sadness"): [0.4],
    }
    assert found.loc[found["truth"] == "fear", "p_truth"].tolist() == [0.3, 1.0]
    assert found["place"].tolist() == [0, 1, 0, 1, 0, 0, 0, 0]
    assert found.index.isin(predictions.index).all()


def test_where_there_are_too_many_voices_every_cell_keeps_its_first(predictions):
    assert confused.examples(predictions, each=3, most=6)["place"].tolist() == [0] * 6
    kept = confused.examples(predictions, each=3, most=7)
    assert kept.groupby(["truth", "prediction"]).ngroups == 6


def test_mistakes_come_most_frequent_first_with_their_share_of_the_truth(predictions):
    found = confused.largest(predictions, CLASSES)
    assert found.to_numpy().tolist() == [
        ["sadness", "fear", 1, 0.5],
        ["fear", "anger", 1, 0.5],
        ["anger", "sadness", 2, 0.4],
    ]


def test_the_task_listened_to_is_answered_well_and_has_few_classes():
    table = pd.DataFrame(
        {
            "task": ["two", "five", "six", "nine"],
            "classes": [2, 5, 6, 9],
            "chance": [0.5, 0.2, 1 / 6, 1 / 9],
            "uar": [0.99, 0.5, 0.6, 0.95],
        }
    )
    assert confused.busiest(table) == "six"
    assert confused.busiest(table[:1]) == "two"
    assert confused.busiest(table[3:]) == "nine"
    with pytest.raises(ValueError, match="No task to listen to"):
        confused.busiest(table[:0])


def test_a_task_that_is_not_there_is_named_with_those_that_are(predictions):
    assert len(confused.of_task(predictions, "tones")) == len(predictions)
    with pytest.raises(ValueError, match=r"'tonse'.*tones"):
        confused.of_task(predictions, "tonse")


def test_mistakes_are_put_between_the_two_classes_by_what_is_measured(predictions):
    high = ["pitch", "loudness"]
    levels = pd.DataFrame("normal", predictions.index, [*high, "jitter"])
    right = predictions["truth"] == predictions["prediction"]
    levels.loc[right & (predictions["truth"] == "anger"), high] = "high"
    levels.loc[right & (predictions["truth"] == "sadness"), high] = "low"
    levels.iloc[[2, 4], 0] = "high", "low"  # anger taken for sadness: pitch
    levels.iloc[[2, 4], 1] = "low"  # and loudness
    found = confused.between(predictions, levels, confused.largest(predictions, CLASSES))
    row = found[found["truth"] == "anger"].iloc[0]
    assert (row["voices"], row["differ"]) == (2, 2)
    assert (row["as_truth"], row["as_prediction"]) == (0.25, 0.75)


def test_where_nothing_differs_nothing_is_said_of_mistakes(predictions):
    levels = pd.DataFrame("low", predictions.index, ["pitch"])
    mistakes = confused.largest(predictions, CLASSES)
    found = confused.between(predictions, levels, mistakes)
    assert (found["differ"] == 0).all()
    assert found[["as_truth", "as_prediction"]].isna().all(axis=None)
    never = predictions[predictions["truth"] != predictions["prediction"]]
    assert (confused.between(never, levels, mistakes)["differ"] == 0).all()


# --- the matrix --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def matrix(predictions) -> str:
    shown = confused.examples(predictions, each=2)
    queries = pd.Series([[f"query {i}"] for i in range(len(predictions))], predictions.index)
    said = confused.matrix(predictions, CLASSES, shown, queries, SHADES, "What is confused.")
    return said._repr_html_()


def test_a_cell_says_share_and_count_and_plays_if_it_has_voices(matrix):
    tags = Tags(matrix)
    assert tags.text["b"] == ["60%", "40%", "0%", "0%", "50%", "50%", "50%", "0%", "50%"]
    assert tags.text["small"] == ["3", "2", "0", "0", "1", "1", "1", "0", "1"]
    buttons = tags.all("button")
    assert len(buttons) == 6
    assert buttons[1]["aria-label"] == "anger answered sadness: 40% (2 of 5 voices): listen"
    heads = [one["scope"] for one in tags.all("th")]
    assert (heads.count("col"), heads.count("row")) == (4, 3)
    assert tags.text["figcaption"] == ["What is confused."]


def test_each_cell_leads_to_its_own_voices_with_what_holds_for_them(matrix, predictions):
    tags = Tags(matrix)
    clips = [[tags.data[int(i)] for i in one["data-clips"].split()] for one in tags.all("button")]
    assert [[clip["sure"] for clip in cell] for cell in clips[:2]] == [
        [[["anger", 0.9]], [["anger", 0.6]]],
        [[["anger", 0.1], ["sadness", 0.8]], [["anger", 0.2], ["sadness", 0.7]]],
    ]
    assert [clip["queries"] for clip in clips[1]] == [["query 4"], ["query 2"]]
    assert all(clip["sound"].startswith("data:audio/mpeg;base64,") for clip in tags.data)
    name = Path(predictions.index[4][0]).name
    assert clips[1][0]["file"].endswith(name)
    assert clips[1][0]["file"].count("/") == 1


def test_cells_are_shaded_by_share_and_their_words_can_be_read(matrix):
    looks = [one["style"] for one in Tags(matrix).all("td")]
    pairs = [[part.split(":")[1] for part in look.split(";")] for look in looks]
    assert all(contrast(*pair) >= 4.5 for pair in pairs)
    assert [SHADES.index(ground) for ground, _ in pairs] == [12, 8, 0, 0, 10, 10, 10, 0, 10]


def test_labels_and_queries_stay_text(predictions):
    names = {"fear": EVIL}
    table = predictions.rename(columns=names).replace(names)
    shown = confused.examples(table, each=1)
    queries = pd.Series([[EVIL]] * len(table), table.index)
    classes = ["anger", "sadness", EVIL]
    tags = Tags(confused.matrix(table, classes, shown, queries, SHADES, EVIL)._repr_html_())
    assert tags.all("img") == []
    assert len(tags.all("script")) == 2
    assert tags.data[0]["queries"] == [EVIL]
    assert tags.text["figcaption"] == [EVIL]


@given(st.integers(0, 0xFFFFFF))
def test_there_is_an_ink_for_every_ground(colour):
    assert contrast(ink(f"#{colour:06x}"), f"#{colour:06x}") >= 4.5


def test_shades_grow_darker_and_a_colour_must_be_one():
    darkness = [luminance(colour) for colour in SHADES]
    assert darkness == sorted(darkness, reverse=True)
    with pytest.raises(ValueError, match="Bad colour 'red'"):
        ink("red")


# --- a long recording --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long(voices: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Stretches of a recording of the tones."""
    return recording.make(voices, tmp_path_factory.mktemp("long"), stretch=3.0, rounds=2)


def test_stretches_fill_their_recording(long):
    (file,) = long.index.unique("file")
    starts, ends = over_time.times(long, "start"), over_time.times(long, "end")
    assert starts[0] == 0
    assert starts[1:].tolist() == ends[:-1].tolist()
    assert ends[-1] == pytest.approx(audio.duration(file), abs=1e-4)
    assert all(one != other for one, other in pairwise(long["truth"]))
    assert long["speaker"].nunique() == 1


def test_a_recording_holds_the_utterances_of_its_plan_and_pauses(voices, tmp_path):
    own = voices[voices["speaker"] == "s5"]
    planned = recording.plan(own, stretch=2.0, rounds=1)
    assert planned.index.is_unique
    stretches = recording.record(planned, tmp_path / "long.wav", pause=0.25)
    signal = audio.read(tmp_path / "long.wav")
    silence = np.zeros(4000, np.float32)
    parts = [part for row in planned.index for part in (audio.read(*row), silence)]
    np.testing.assert_allclose(signal, np.concatenate(parts), atol=1 / 16_000)
    assert stretches["voices"].sum() == len(planned)
    first = planned[planned["turn"] == 0]
    spoken = sum(len(audio.read(*row)) / 16_000 + 0.25 for row in first.index)
    assert over_time.times(stretches, "end")[0] == pytest.approx(spoken - 0.125)
    assert set(first["label"]) == {stretches["truth"].iloc[0]}


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 4), st.floats(0.1, 9))
def test_no_class_comes_twice_in_a_row_and_no_voice_twice(voices, seed, rounds, stretch):
    own = voices[voices["speaker"] == "s4"]
    planned = recording.plan(own, stretch, rounds, seed)
    assert planned.index.is_unique
    turns = planned.groupby("turn")["label"].agg(["nunique", "first"])
    assert (turns["nunique"] == 1).all()
    assert all(one != other for one, other in pairwise(turns["first"]))


def test_who_speaks_longest_in_most_classes_comes_first(voices):
    found = recording.speakers(voices, stretch=9.0)
    assert found["speaker"].tolist() == ["s5", "s4", "s3", "s2", "s1", "s0"]  # later: longer
    assert (found["classes"] == 2).all()
    cut = recording.speakers(voices, stretch=1.0)
    assert cut["seconds"].tolist() == [2.0] * 6


def test_where_no_speaker_has_two_classes_several_take_turns(voices, tmp_path):
    apart = voices.assign(speaker=voices["label"])
    made = recording.make(apart, tmp_path, stretch=2.0)
    assert set(made["speaker"]) == {recording.SEVERAL}
    with pytest.raises(ValueError, match="No recording can be made of 30 voices"):
        recording.make(voices[voices["label"] == "anger"], tmp_path)


# --- answers over time -------------------------------------------------------------------------


def hand_made(file: str = "/x/long.wav") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Five windows of two seconds, every second, over stretches that change at 3 seconds."""

    def index(starts, ends):
        times = (pd.to_timedelta(side, unit="s") for side in (starts, ends))
        return tables.segments([file] * len(starts), *times)

    shares = [(0.9, 0.1), (0.6, 0.4), (0.7, 0.3), (0.2, 0.8), (0.1, 0.9)]
    windows = pd.DataFrame(shares, index(range(5), range(2, 7)), ["anger", "sadness"])
    windows["prediction"] = ["anger", "anger", "anger", "sadness", "sadness"]
    stretches = pd.DataFrame({"truth": ["anger", "sadness"]}, index([0, 3], [3, 6]))
    return windows, stretches


def test_a_window_answers_for_its_middle_and_is_whole_within_a_stretch():
    windows = over_time.with_truth(*hand_made())
    assert over_time.middles(windows).tolist() == [1, 2, 3, 4, 5]
    assert windows["truth"].tolist() == ["anger", "anger", "sadness", "sadness", "sadness"]
    assert windows["whole"].tolist() == [True, True, False, True, True]
    found = over_time.recalls(windows).set_index("which")
    assert found["n"].tolist() == [5, 4]
    assert found["right"].tolist() == [0.8, 1]
    assert found["uar"].tolist() == pytest.approx([(1 + 2 / 3) / 2, 1])


def test_uar_is_missing_where_a_class_has_no_window():
    windows = over_time.with_truth(*hand_made())
    windows["whole"] = windows["truth"] == "anger"
    assert over_time.recalls(windows)["uar"].isna().tolist() == [False, True]


def test_stretches_that_end_too_early_are_an_error():
    windows, stretches = hand_made()
    with pytest.raises(ValueError, match=r"No stretch at the end of 'long\.wav'"):
        over_time.with_truth(windows, stretches[:1])


def test_consecutive_windows_with_the_same_answer_are_told_together():
    found = over_time.stays(over_time.with_truth(*hand_made()))
    assert found.to_dict("list") == {
        "from": [1, 3, 4],
        "to": [2, 3, 5],
        "truth": ["anger", "sadness", "sadness"],
        "answer": ["anger", "anger", "sadness"],
        "probability": pytest.approx([0.75, 0.7, 0.85]),
    }


def test_windows_and_answers_are_those_of_scoring(model, long, tmp_path):
    (file,) = long.index.unique("file")
    words = {"anger": "angry", "sadness": "sad"}
    question = Question.of(model, words, "speaker is {}")
    found = over_time.along(Listener(model), question, file, 1.0, 0.4, long)
    out = scoring.score(
        model, [file], words, tmp_path / "a.parquet", "speaker is {}", window=1.0, hop=0.4
    )
    written = tables.read_table(out)
    pd.testing.assert_index_equal(found.index, written.index)
    pd.testing.assert_frame_equal(found[list(written)], written, check_dtype=False, atol=1e-5)
    assert set(found["truth"]) == {"anger", "sadness"}


def test_lengths_of_windows_are_scored_one_by_one(model, long):
    question = Question.of(model, ["anger", "sadness"])
    found = over_time.by_length(Listener(model), question, long, [0.5, 2.0])
    assert found["window"].tolist() == [0.5, 0.5, 2.0, 2.0]
    assert found["which"].tolist() == [over_time.EVERY, over_time.WHOLE] * 2
    assert (found["chance"] == 0.5).all()
    assert found["n"].is_monotonic_decreasing
    files = list(long.index.unique("file"))
    alone = over_time.with_truth(over_time.answers(Listener(model), question, files, 2.0), long)
    assert found["uar"].tolist()[2:] == over_time.recalls(alone)["uar"].tolist()


def test_a_recording_that_is_not_there_is_named(tmp_path):
    with pytest.raises(audio.AudioError, match=r"Bad recording 'no/such\.wav'.*is not there"):
        over_time.file_of("no/such.wav")
    (tmp_path / "text.wav").write_text("no audio")
    with pytest.raises(audio.AudioError, match=r"expected the path of an audio file.*text\.wav"):
        over_time.file_of(tmp_path / "text.wav")


# --- the picture of a recording ----------------------------------------------------------------


def picture(truth: bool = True, seconds: float = 6.0, **more) -> str:
    windows, stretches = hand_made()
    windows = over_time.with_truth(windows, stretches) if truth else windows
    tone = 0.3 * np.sin(np.arange(round(seconds * 16_000)) * 2 * np.pi * 200 / 16_000)
    colours = {name: COLOURS[name] for name in ("anger", "sadness")}
    known = stretches if truth else None
    drawn = timeline.timeline(
        windows, tone.astype(np.float32), colours, "Over time.", known, **more
    )
    return drawn._repr_html_()


def test_lines_go_through_the_probabilities_at_the_middle_of_each_window():
    first = Tags(picture()).all("polyline")[0]["points"].split()
    points = np.array([[float(value) for value in point.split(",")] for point in first])
    assert points[0].tolist() == [0, 10]
    assert points[-1].tolist() == [1000, 90]
    np.testing.assert_allclose(points[1:-1, 0], np.arange(1, 6) * 1000 / 6, atol=0.1)
    np.testing.assert_allclose(points[1:-1, 1], [10, 40, 30, 80, 90])


def test_truth_and_answers_fill_the_width_and_can_be_read():
    spans = [one for one in Tags(picture()).all("span") if "background" in one.get("style", "")]
    places = [
        [float(part.split(":")[1].rstrip("%")) for part in one["style"].split(";")[:2]]
        for one in spans
    ]
    truth, answers = places[:2], places[2:]
    assert truth == [[0, 50], [50, 50]]
    np.testing.assert_allclose(answers, [[0, 58.333], [58.333, 41.667]], atol=1e-3)
    assert [one["title"] for one in spans][2] == "anger, 0.0 to 3.5 s"
    for one in spans:
        assert contrast(*(part.split(":")[1] for part in one["style"].split(";")[2:])) >= 4.5


def test_lines_differ_in_dashes_too():
    tags = Tags(picture())
    dashes = [one["stroke-dasharray"] for one in tags.all("polyline")]
    assert len(set(dashes)) == 2
    assert len(set(timeline.DASHES)) == len(timeline.DASHES)


def test_what_nobody_knows_is_not_shown():
    tags = Tags(picture(truth=False))
    assert tags.data["truths"] == []
    assert "truth" not in tags.text["th"]
    assert "truth" not in tags.text["p"]
    assert "truth" in Tags(picture()).text["p"]


def test_a_very_long_recording_is_cut_to_what_a_page_can_carry():
    tags = Tags(picture(longest=3.2))
    assert tags.data["seconds"] == 3.2
    assert tags.data["moments"] == [1, 2, 3]
    with pytest.raises(ValueError, match=r"No window in the first 0\.50 s"):
        picture(longest=0.5)


def test_a_candidate_without_a_column_is_named():
    windows, _ = hand_made()
    with pytest.raises(ValueError, match=r"No column \['fear'\]"):
        timeline.timeline(windows, np.ones(96_000, np.float32), COLOURS, "")


def test_silence_has_no_pitch_and_is_drawn():
    windows, _ = hand_made()
    colours = dict(list(COLOURS.items())[:2])
    html = timeline.timeline(windows, np.zeros(96_000, np.float32), colours, "")._repr_html_()
    assert "pitch in Hz" not in html
    assert "nan" not in html


def test_uar_of_windows_stands_beside_chance():
    table = pd.DataFrame(
        {
            "window": [1.0, 1.0, 2.0, 2.0],
            "which": [over_time.EVERY, over_time.WHOLE] * 2,
            "uar": [0.5, 0.6, 0.7, np.nan],
            "chance": 0.25,
        }
    )
    every, whole, chance = figures.window_lengths(table).axes[0].lines
    assert every.get_xydata().tolist() == [[1, 0.5], [2, 0.7]]
    assert whole.get_xydata().tolist() == [[1, 0.6]]
    assert list(chance.get_ydata()) == [0.25, 0.25]


def test_a_figure_without_recordings_says_so(capsys):
    assert isinstance(figures.window_lengths(pd.DataFrame()), style.Picture)
    assert "nothing to score" in capsys.readouterr().out


# --- in a browser ------------------------------------------------------------------------------


@pytest.fixture
def show(browser: Browser, tmp_path: Path):
    """Open a page with these pieces in its article."""

    def opened(*pieces: str, width: int = DESK) -> Browser:
        page = tmp_path / "page.html"
        page.write_text(PAGE.format(THEME, "".join(pieces)), "utf-8")
        browser.size(width)
        browser.open(page)
        return browser

    return opened


def focused(browser: Browser, what: str) -> str:
    return browser.run(f"document.activeElement.{what}")


def press(browser: Browser, key: str) -> None:
    for kind in ("keyDown", "keyUp"):
        browser.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key)


def test_a_cell_that_is_pressed_shows_and_plays_its_voices(show, matrix):
    browser = show(matrix, matrix)
    second = "document.querySelectorAll('.pcv-confused')[1]"
    browser.run(f"{second}.querySelectorAll('button')[1].click()")
    title = browser.run(f"{second}.querySelector('.pcv-title').textContent")
    assert title == "anger answered sadness: 40% (2 of 5 voices)"
    assert browser.run(f"{second}.querySelectorAll('audio').length") == 2
    assert browser.wait(f"{second}.querySelector('audio').currentTime > 0")
    assert browser.run("document.querySelectorAll('audio').length") == 2  # none in the other piece
    assert "query 4" in browser.run(f"{second}.querySelector('.pcv-heard').textContent")
    assert browser.check("players") == {}
    assert browser.complaints == []


def test_arrow_keys_walk_over_the_cells_that_have_voices(show, matrix):
    browser = show(matrix)
    browser.run("document.querySelector('.pcv-confused button').focus()")
    names = []
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowRight", "ArrowDown", "ArrowLeft"):
        press(browser, key)
        names.append(focused(browser, "title").split(":")[0])
    assert names == [
        "anger answered sadness",
        "anger answered sadness",
        "sadness answered sadness",
        "sadness answered fear",
        "fear answered fear",
        "fear answered anger",
    ]
    assert browser.run("document.querySelectorAll('[tabindex=\"0\"]').length") == 1


def test_the_player_goes_where_the_picture_is_pressed_and_a_line_goes_along(show):
    browser = show(picture())
    browser.wait("document.querySelector('audio').readyState >= 1")
    place = browser.run(
        "(() => { const r = document.querySelector('.pcv-tall').getBoundingClientRect();"
        "return [r.left + r.width * 0.75, r.top + r.height / 2]; })()"
    )
    for kind in ("mousePressed", "mouseReleased"):
        what = {"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1}
        browser.ask("Input.dispatchMouseEvent", **what)
    assert browser.wait("document.querySelector('audio').currentTime") == pytest.approx(
        4.5, abs=0.05
    )
    assert browser.run("document.querySelector('.pcv-now').textContent").startswith(
        "4.5 s: truth sadness, answer sadness 0.80, then anger 0.20"
    )
    left = "parseFloat(document.querySelector('.pcv-head').style.left)"
    before = browser.run(left)
    assert before == pytest.approx(75, abs=1)
    browser.run("document.querySelector('audio').play()")
    browser.wait(f"{left} > {before} + 1")
    assert browser.complaints == []


def test_the_line_is_moved_by_keys_and_says_where_it_is(show):
    browser = show(picture())
    browser.wait("document.querySelector('audio').readyState >= 1")
    browser.run("document.querySelector('.pcv-head').focus()")
    press(browser, "End")
    press(browser, "ArrowLeft")
    assert focused(browser, "role") == "slider"
    assert focused(browser, "ariaValueText").startswith("5.0 s: truth sadness")
    press(browser, "Home")
    assert focused(browser, "ariaValueNow") == "0.0"


def test_a_candidate_stands_out_when_it_is_chosen(show):
    browser = show(picture())
    browser.run("document.querySelectorAll('.pcv-key button')[1].click()")
    lines = "[...document.querySelectorAll('.pcv-lane .pcv-line')]"
    assert browser.run(f"{lines}.map(e => getComputedStyle(e).opacity)") == ["0.12", "1"]


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_all_can_be_read_at_every_width_in_light_and_in_dark(show, matrix, width):
    browser = show(matrix, picture(), width=width)
    browser.run("document.querySelector('.pcv-confused button').click()")
    browser.run("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    for theme in ("light", "dark"):
        browser.theme(theme)
        assert browser.check("contrast", "sideways", "clipped", "headings") == {}, theme
    assert browser.complaints == []


def test_without_scripts_matrix_and_picture_are_still_seen(show, matrix):
    browser = show(
        matrix.replace("<script>", "<script type=none>"),
        picture(truth=False).replace("<script>", "<script type=none>"),
    )
    assert browser.run("document.querySelector('.pcv-matrix').innerText").count("%") == 9
    assert (
        browser.run("document.querySelector('.pcv-tall svg').getBoundingClientRect().height") > 100
    )
    assert browser.run("document.querySelector('.pcv-head').checkVisibility()") is False
