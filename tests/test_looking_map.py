"""Voices on a map and queries beside them: what the pieces of a page hold, and what they do."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from browser import DESK, PHONE, Browser
from hypothesis import given, settings
from hypothesis import strategies as st

from paraclap import audio, tables
from paraclap.figures import looking as figures
from paraclap.looking import clips, explorer, fragment, neighbours, told, voice_map

NASTY = "</script><img src=x onerror=alert(1)>"
VOICES = 30


def tone(seconds: float = 0.6, pitch: float = 220.0) -> audio.Signal:
    time = np.arange(round(seconds * audio.SAMPLING_RATE)) / audio.SAMPLING_RATE
    return (0.3 * np.sin(2 * np.pi * pitch * time)).astype(np.float32)


def unit(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    points = np.random.default_rng(seed).normal(size=(rows, columns))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def levels() -> pd.DataFrame:
    """What is known of the voices: two emotions, pitch not of every voice."""
    index = tables.segments([f"/corpus/s{number % 5}/{number:02}.wav" for number in range(VOICES)])
    turn = np.arange(VOICES)
    return pd.DataFrame(
        {
            "pitch": pd.Series(np.take(["low", "high", None], turn % 3), dtype="str").to_numpy(),
            "emotion": np.take(["anger", "sadness"], turn % 2),
            "gender": np.take(["female", "male"], turn // 3 % 2),
        },
        index,
    )


@pytest.fixture(scope="module")
def voices(levels: pd.DataFrame) -> pd.DataFrame:
    """The table that a map shows; one speaker has a name that a page must not believe."""
    speaker = [NASTY if row == 0 else f"s{row % 5}" for row in range(VOICES)]
    known = {"corpus": "made-up", "speaker": speaker, "truth": levels["emotion"]}
    places = unit(VOICES, 2, 3) * 7
    answer = {"prediction": "anger", "probability": 0.75, "x": places[:, 0], "y": places[:, 1]}
    return levels.assign(**known, **answer)


@pytest.fixture(scope="module")
def queries(levels: pd.DataFrame) -> pd.DataFrame:
    return told.vocabulary(levels)


@pytest.fixture(scope="module")
def cosines(queries: pd.DataFrame) -> np.ndarray:
    return unit(len(queries), 12, 1) @ unit(VOICES, 12, 2).T


@pytest.fixture(scope="module")
def truths(queries: pd.DataFrame, levels: pd.DataFrame) -> np.ndarray:
    return told.truths(queries, levels)


@pytest.fixture(scope="module")
def signals() -> list[audio.Signal]:
    return [tone(0.4, 150 + 10 * row) for row in range(VOICES)]


@pytest.fixture(scope="module")
def shown(voices, queries, cosines, truths, signals) -> fragment.Fragment:
    colours = figures.palettes(voices, ["emotion", "gender", "pitch"])
    holds = [["has a high pitch", NASTY], *[["has a low pitch"]] * (VOICES - 1)]
    closest = explorer.closest(cosines, truths, queries)
    return voice_map.show(voices, holds, closest, signals, colours, "A map.")


@pytest.fixture(scope="module")
def asked(voices, queries, cosines, truths, signals) -> fragment.Fragment:
    return explorer.show(
        voices, queries, cosines, truths, signals, figures.HOLDS, "speaker is sad", carried=False
    )


# --- signals in a page -------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000])
def test_a_clip_is_heard_as_the_signal_was(rate):
    time = np.arange(rate) / rate
    signal = (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    kind, content = clips.address(signal, rate).split(",")
    heard, read_rate = soundfile.read(io.BytesIO(base64.b64decode(content)))
    assert kind == "data:audio/mpeg;base64"
    assert read_rate == rate
    assert 0 <= len(heard) - rate < 3 * 576 + 1  # whole frames, and what the coder needs to start
    peak = np.argmax(np.abs(np.fft.rfft(heard[:rate], rate)))
    assert abs(peak - 440) <= 2


def test_a_second_of_a_clip_takes_about_4_kb():
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * audio.SAMPLING_RATE).astype(np.float32)
    assert 7_000 <= len(clips.address(noise)) <= 9_500


@pytest.mark.parametrize(
    ("signal", "rate", "said"),
    [
        (np.zeros(0, np.float32), 16_000, "shape (0,)"),
        (np.zeros((2, 9), np.float32), 16_000, "shape (2, 9)"),
        (np.full(9, np.nan, np.float32), 16_000, "finite"),
        (np.zeros(9, np.float32), 44_100, "44100 Hz"),
    ],
)
def test_what_is_no_clip_is_refused(signal, rate, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        clips.address(signal, rate)


def test_a_long_clip_is_cut_and_faded_and_a_short_one_is_left_alone():
    long = clips.short(np.ones(5 * audio.SAMPLING_RATE, np.float32), 2.0)
    assert len(long) == 2 * audio.SAMPLING_RATE
    assert long[-1] == 0
    assert (long[: -round(0.02 * audio.SAMPLING_RATE)] == 1).all()
    own = tone(0.5)
    assert clips.short(own, 2.0) is own
    with pytest.raises(ValueError, match="length 0"):
        clips.short(own, 0.0)


def test_clips_are_read_from_the_files_of_segments(tmp_path):
    file = tmp_path / "a.wav"
    file.write_bytes(audio.encode(tone(1.0)))
    index = tables.segments([file, file], [0, "0.5s"], [pd.NaT, pd.Timedelta(0.75, "s")])
    assert [len(one) for one in clips.read(index, seconds=0.6)] == [9_600, 4_000]


# --- pieces of a page --------------------------------------------------------------------------


@given(st.recursive(st.text() | st.integers() | st.none(), st.lists))
def test_data_come_back_from_the_page_and_end_no_script(data):
    text = str(fragment.as_json(data))
    assert json.loads(text) == data
    assert "<" not in text


def test_a_number_that_is_none_cannot_get_into_a_page():
    with pytest.raises(ValueError, match="JSON compliant"):
        fragment.as_json([float("nan")])


class Marks(HTMLParser):
    """Tags of a piece, names of its voices, and its data."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: list[str] = []
        self.data, self._open = "", ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        json_ = tag == "script" and ("type", "application/json") in attrs
        self._open = "json" if json_ else tag

    def handle_endtag(self, tag):
        self._open = ""

    def handle_data(self, data):
        if self._open == "title":
            self.names.append(data)
        elif self._open == "json":
            self.data += data


def test_the_picture_has_a_named_mark_for_each_voice_and_the_page_its_data(shown, voices):
    found = Marks(shown.html)
    assert found.names[1] == "sadness, made-up, s1/01.wav"
    assert len(found.names) == VOICES
    assert shown.html.count('<g class="pcv-voice" transform') == VOICES
    data = json.loads(found.data)
    assert [len(data[key]) for key in ("voices", "places", "clips")] == [VOICES] * 3
    assert [choice["name"] for choice in data["choices"]] == ["emotion", "gender", "pitch level"]
    assert data["choices"][2]["of"][:3] == [0, 1, -1]  # low, high, not known
    own = [data["queries"][number] for number in data["voices"][0]["holds"]]
    assert own == ["has a high pitch", NASTY]
    assert dict(data["voices"][0]["facts"])["answer"] == "anger (75%), right"


def test_a_name_stays_text_whatever_it_holds(shown):
    assert "img" not in Marks(shown.html).tags
    assert NASTY not in shown.html
    assert dict(json.loads(Marks(shown.html).data)["voices"][0]["facts"])["speaker"] == NASTY


def test_a_piece_with_a_caption_is_a_figure_and_its_words_are_escaped(shown, voices, signals):
    assert shown.html.startswith('<figure class="pcv pcv-map">')
    assert "<figcaption>A map.</figcaption>" in shown.html
    colours = {"emotion": {"anger": "#111111", "sadness": "#222222"}}
    none = [[]] * VOICES
    bare = voice_map.show(voices, none, none, signals, colours).html
    assert bare.startswith('<div class="pcv pcv-map">')
    assert "figcaption>" not in bare.split("</style>")[1]
    named = voice_map.show(voices, none, none, signals, colours, "a < b").html
    assert "<figcaption>a &lt; b</figcaption>" in named


def test_a_piece_says_in_words_what_it_shows(shown, asked):
    assert repr(shown) == f"<map of {VOICES} voices>"
    assert f"{VOICES} voices" in repr(asked)
    assert shown._repr_html_() == shown.html


def test_classes_have_shapes_and_colours_and_no_word_is_without(levels):
    found = voice_map.classes(levels["pitch"], {"high": "#1", "normal": "#2", "low": "#3"})
    assert found == [("high", "#1", "circle", 10), ("low", "#3", "square", 10)]
    known = pd.Series(["high"] * 3, dtype=pd.CategoricalDtype(["low", "high"]))
    assert voice_map.classes(known, {"high": "#1"}) == [("high", "#1", "circle", 3)]
    with pytest.raises(ValueError, match=r"No colour for \['high'\] in 'pitch'"):
        voice_map.classes(levels["pitch"], {"low": "#3"})


def test_what_is_not_given_of_each_voice_is_refused(voices, signals):
    none: list[list[str]] = [[]] * VOICES
    with pytest.raises(ValueError, match=r"queries of 2 voices, expected 30"):
        voice_map.show(voices, none[:2], none, signals, {})


@given(
    st.lists(
        st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=3, max_size=20, unique=True
    )
)
def test_positions_fill_the_picture_and_turn_nothing_but_up_and_down(points):
    given_places = np.array(points)
    found = voice_map.positions(given_places)
    box = np.array([voice_map.WIDTH, voice_map.HEIGHT])
    assert (found >= voice_map.MARGIN - 0.1).all()
    assert (found <= box - voice_map.MARGIN + 0.1).all()
    order = np.argsort(given_places[:, 1], kind="stable")
    assert (np.diff(found[order, 1]) <= 1e-9).all()


def test_as_many_voices_of_each_emotion_are_drawn_and_always_the_same():
    rows = 90
    index = tables.segments([f"/c/{row:03}.wav" for row in range(rows)])
    emotion = np.repeat(["anger", "sadness", "fear"], [70, 15, 5])
    labels = pd.DataFrame(
        {"corpus": "c", "speaker": "s", "emotion": emotion, "gender": "male"}, index
    )
    shares = pd.DataFrame({"anger": 0.2, "sadness": 0.5, "fear": 0.3}, index)
    answers = shares.assign(truth=emotion, prediction="sadness")
    drawn = voice_map.draw(labels, answers, 30, seed=1)
    assert drawn["emotion"].value_counts().to_dict() == {"anger": 15, "sadness": 10, "fear": 5}
    assert (drawn["probability"] == 0.5).all()
    assert drawn.equals(voice_map.draw(labels, answers, 30, seed=1))
    assert not drawn.index.equals(voice_map.draw(labels, answers, 30, seed=2).index)
    with pytest.raises(ValueError, match="number of voices 2"):
        voice_map.draw(labels, answers, 2)
    with pytest.raises(ValueError, match=r"truth .*\(80 segments, first: '010.wav'\)"):
        voice_map.draw(labels.iloc[:10], answers, 30)


# --- neighbours --------------------------------------------------------------------------------


@given(st.integers(4, 25), st.integers(0, 99))
@settings(deadline=None, max_examples=20)
def test_nearest_are_those_of_largest_cosine(rows, seed):
    points = unit(rows, 5, seed)
    cosine = (points @ points.T).astype(float)
    np.fill_diagonal(cosine, -2)
    slow = np.argsort(-cosine, axis=1, kind="stable")[:, :3]
    assert np.array_equal(neighbours.nearest(points, 3), slow)


def test_a_map_that_changes_nothing_keeps_all_neighbours():
    places = np.random.default_rng(0).normal(size=(40, 2))
    assert neighbours.kept(places.astype(np.float32), places * 3 + 1) == 1.0
    other = np.random.default_rng(1).normal(size=(40, 2))
    assert neighbours.kept(places.astype(np.float32), other) < 0.5


@pytest.mark.parametrize("method", neighbours.METHODS)
def test_places_keep_groups_apart_and_are_the_same_each_time(method):
    groups = np.repeat(np.eye(3, 8), 8, axis=0) + 0.1 * unit(24, 8)
    points = (groups / np.linalg.norm(groups, axis=1, keepdims=True)).astype(np.float32)
    found = neighbours.places(points, method, seed=1)
    assert found.shape == (24, 2)
    assert np.array_equal(found, neighbours.places(points, method, seed=1))
    beside = neighbours.nearest(found, 5)
    assert (beside // 8 == np.arange(24)[:, None] // 8).all()


def test_a_few_voices_are_laid_out_too_and_fewer_than_three_are_none():
    assert np.isfinite(neighbours.places(unit(3, 4))).all()
    assert np.isfinite(neighbours.places(unit(9, 4))).all()
    with pytest.raises(ValueError, match="Got 2 voices"):
        neighbours.places(unit(2, 4))
    with pytest.raises(ValueError, match="'umap'"):
        neighbours.places(unit(9, 4), "umap")


def test_agreement_is_the_share_of_neighbours_with_the_same_word():
    points = np.array([[0.0, 0], [1, 0], [10, 0], [11, 0], [99, 0]])
    table = pd.DataFrame(
        {
            "same": ["a", "a", "b", "b", None],
            "other": ["a", "b", "a", "b", None],
            "one": ["a"] * 5,
            "few": ["a", "b", None, None, None],
        }
    )
    found = neighbours.agreement(points, table, ["same", "other", "one", "few"], draws=300, n=1)
    assert found["attribute"].tolist() == ["same", "other"]
    assert found["share"].tolist() == [1.0, 0.0]
    assert found["n"].tolist() == [4, 4]
    assert abs(found["chance"] - 1 / 3).max() < 0.08  # one of three others has the same word


def test_gap_is_the_mean_cosine_of_pairs():
    one, other = np.eye(4, dtype=np.float32)[:2], np.eye(4, dtype=np.float32)[1:]
    found = neighbours.gap(one, other)
    assert found == pytest.approx({"voices": 0, "queries": 0, "between": 1 / 6, "closest": 0.5})


# --- queries and of whom they are true -----------------------------------------------------------


def test_a_model_was_told_what_is_true_of_its_voices_and_its_emotion_words(queries):
    assert "has a high pitch" in set(queries["query"])
    assert "has a low shimmer" not in set(queries["query"])
    words = queries.loc[queries["attribute"] == told.WORD, "query"].tolist()
    assert words == ["angry", "sad"]
    assert queries["query"].is_unique
    assert told.first(queries) == "speaker is angry"
    assert told.first(queries, "nobody is {}") == queries["query"].iloc[0]


def test_no_more_sentences_than_a_page_can_carry_are_taken(levels):
    few = told.vocabulary(levels, most=3)
    assert (few["attribute"] != told.WORD).sum() == 3


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("has a high pitch", [0, 1, -1, 0, 1, -1]),  # low, high, not known
        ("speaker is angry", [1, 0, 1, 0, 1, 0]),
        ("angry", [1, 0, 1, 0, 1, 0]),
        ("the speaker is female", [1, 1, 1, 0, 0, 0]),
    ],
)
def test_a_query_is_true_not_true_or_not_known(queries, truths, query, expected):
    row = queries["query"].tolist().index(query)
    assert truths[row, :6].tolist() == expected


def test_a_query_is_true_of_the_voices_whose_queries_hold_it(queries, levels, truths):
    table = told.Pool.from_table(levels).table()
    for row, (query, attribute) in enumerate(queries.itertuples(index=False)):
        if attribute != told.WORD:
            assert ((truths[row] == 1) == [query in own for own in table["queries"]]).all()


def test_what_contradicts_a_query_is_enough_though_something_is_not_known(levels):
    table = pd.DataFrame({"query": ["speaker is very sad"], "attribute": ["arousal"]})
    known = levels.iloc[:3].assign(arousal=[None, None, "high"], emotion=["anger", "sadness", "x"])
    assert told.truths(table, known).tolist() == [[0, -1, 0]]
    with pytest.raises(ValueError, match="Unknown query 'hello'"):
        told.truths(table.assign(query="hello"), known)


def test_voices_of_which_no_emotion_and_no_gender_is_known_are_asked_about_the_rest(levels):
    nothing = pd.Series([None] * VOICES, levels.index, dtype="str")
    bare = levels.assign(emotion=nothing, gender=nothing)
    told_of = told.vocabulary(bare)
    assert set(told_of["attribute"]) == {"pitch"}
    found = told.truths(told_of, bare)
    assert set(np.unique(found)) == {-1, 0, 1}
    assert (found[:, 2::3] == -1).all()
    assert (told.truths(told.vocabulary(levels), bare)[-2:] == -1).all()


# --- the explorer ------------------------------------------------------------------------------


@given(st.integers(1, 6), st.integers(1, 30), st.integers(0, 99))
@settings(deadline=None)
def test_cosines_come_back_within_half_a_step_and_in_their_order(rows, columns, seed):
    table = np.random.default_rng(seed).uniform(-1, 1, (rows, columns))
    found = explorer.unpacked(explorer.packed(table), rows)
    assert np.abs(found - table).max() <= 0.5001 / 32_767
    order = np.argsort(-found, axis=1, kind="stable")
    assert (np.diff(np.take_along_axis(table, order, axis=1)) <= 1.1 / 32_767).all()


def test_cosines_beyond_one_are_refused():
    with pytest.raises(ValueError, match="Bad cosines"):
        explorer.packed(np.array([[1.1]]))


def test_precision_is_what_counting_gives(cosines, truths):
    found = explorer.precision(cosines, truths, 4)
    for row in range(len(cosines)):
        order = sorted(range(VOICES), key=lambda voice, row=row: -cosines[row, voice])
        ends = {"closest": order[:4], "farthest": order[-4:], "chance": order}
        for end, own in ends.items():
            known = [truths[row, voice] for voice in own if truths[row, voice] >= 0]
            slow = np.mean(known) if known else np.nan
            assert found.loc[row, end] == pytest.approx(slow, nan_ok=True)


def test_closest_queries_of_a_voice_are_told_with_their_truth(queries, cosines, truths):
    lines = explorer.closest(cosines, truths, queries, 2)
    best = cosines[:, 5].argmax()
    word = {1: "true", 0: "not true", -1: "not known"}[int(truths[best, 5])]
    assert lines[5][0] == f"{queries['query'][best]} ({cosines[best, 5]:.2f}, {word})"
    assert [len(own) for own in lines] == [2] * VOICES


def test_the_explorer_is_a_table_where_no_script_runs(asked, queries):
    assert asked.html.count("<tr>") == len(queries) + 1
    assert "img" not in Marks(asked.html).tags


def test_an_explorer_refuses_what_does_not_fit(voices, queries, cosines, truths, signals):
    with pytest.raises(ValueError, match=r"expected \d+ queries and 30 voices"):
        explorer.show(voices, queries, cosines[:, :3], truths, signals, figures.HOLDS)
    with pytest.raises(ValueError, match="Unknown query 'hello'"):
        explorer.show(voices, queries, cosines, truths, signals, figures.HOLDS, "hello")


# --- figures -----------------------------------------------------------------------------------


def test_a_column_of_which_nothing_is_known_colours_nothing(levels):
    nothing = levels.assign(pitch=pd.Series([None] * VOICES, levels.index, dtype="str"))
    assert set(figures.palettes(nothing, ["emotion", "pitch"])) == {"emotion"}
    assert list(figures.palettes(levels, ["pitch"])["pitch"]) == ["low", "high"]


def test_agreements_are_drawn_from_the_most_to_the_least():
    table = pd.DataFrame(
        {"attribute": ["a", "b"], "share": [0.2, 0.9], "chance": 0.3, "chance_low": 0.2}
    ).assign(chance_high=0.4)
    picture = figures.agreements({"here": table, "there": table.iloc[:1]})
    assert [tick.get_text() for tick in picture.axes[0].get_yticklabels()] == ["b", "a"]
    assert figures.agreements({"here": table.iloc[:0]}).axes


# --- in a browser ------------------------------------------------------------------------------

THEMES = """<style>
html { --pst-color-text-base: #222832; --pst-color-background: #fff; --pst-color-border: #d1d5da }
html[data-theme=dark] { --pst-color-text-base: #ced6dd; --pst-color-background: #121212;
  --pst-color-border: #48566b }
body { background: var(--pst-color-background); color: var(--pst-color-text-base) }
</style>"""
PRESS = (
    "document.querySelector('.pcv-picture')"
    ".dispatchEvent(new KeyboardEvent('keydown', {{key: '{}'}}))"
)
# Marks of every colour can be told from the ground by their edge, which is as dark as the text.
EDGES = (
    "[...document.querySelectorAll('.pcv-voice path')].every(one =>"
    "getComputedStyle(one).stroke === getComputedStyle(document.body).color)"
)
ACTIVE = (
    "document.querySelector('.pcv-picture').getAttribute('aria-activedescendant').split('-')[1]"
)


@pytest.fixture(scope="module")
def page(shown, asked, tmp_path_factory) -> Path:
    """Both pieces, the map twice: pieces of a page must not get into each other's way."""
    file = tmp_path_factory.mktemp("map") / "page.html"
    head = f"<!DOCTYPE html><html lang=en><meta charset=utf-8><title>t</title>{THEMES}"
    pieces = "".join(piece.html for piece in (shown, asked, shown))
    file.write_text(f"{head}<body><article><h1>Map</h1>{pieces}</article>", "utf-8")
    return file


@pytest.fixture
def opened(browser: Browser, page: Path) -> Browser:
    browser.size(DESK)
    browser.open(page)
    return browser


def click(browser: Browser, voice: int) -> None:
    """A real click of the mouse, four pixels beside the middle of a mark of the first map."""
    x, y = browser.run(
        "(() => { document.querySelector('.pcv-map').scrollIntoView({behavior: 'instant'});"
        f"const box = document.querySelectorAll('.pcv-voice[role]')[{voice}].firstElementChild"
        ".getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"
    )
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        how = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
        browser.ask("Input.dispatchMouseEvent", **how)


def test_a_click_on_a_voice_plays_it_and_shows_what_is_true_of_it(opened, shown):
    places = np.array(json.loads(Marks(shown.html).data)["places"])
    free = int(np.argmax(np.sort(np.hypot(*(places[:, None] - places).T), axis=1)[:, 1]))
    click(opened, free)
    assert opened.wait("document.querySelector('.pcv-card audio')?.currentTime > 0")
    card = opened.run("document.querySelector('.pcv-card').innerText")
    assert f"{free:02}.wav" in card
    assert "has a low pitch" in card
    assert "Closest to it" in card
    assert opened.run("document.querySelectorAll('.pcv-card audio').length") == 1
    assert opened.complaints == []


def test_a_script_in_a_name_is_shown_and_not_run(opened):
    opened.run(PRESS.format("Home"))
    assert NASTY in opened.run("document.querySelector('.pcv-card').innerText")
    assert opened.run("document.querySelectorAll('img').length") == 0
    assert opened.complaints == []


def test_arrow_keys_walk_from_voice_to_voice_and_enter_plays(opened, shown):
    places = json.loads(Marks(shown.html).data)["places"]
    opened.run(PRESS.format("Home"))
    left = min(range(VOICES), key=lambda voice: places[voice][0])
    walked = [opened.run(ACTIVE)]
    for _ in range(VOICES):
        opened.run(PRESS.format("ArrowLeft"))
        walked.append(opened.run(ACTIVE))
    xs = [places[int(voice)][0] for voice in walked]
    assert walked[0] == "0"
    assert xs == sorted(xs, reverse=True)
    assert len(set(walked)) > 2 or left == 0
    opened.run(PRESS.format("Enter"))
    assert opened.wait("document.querySelector('.pcv-card audio')?.currentTime > 0")
    opened.run(PRESS.format("Escape"))
    assert opened.run("document.querySelector('.pcv-card audio')") is None


def test_another_colour_gives_another_legend_and_an_entry_dims_the_rest(opened):
    opened.run(
        "(() => { const one = document.querySelector('.pcv-tools select'); one.selectedIndex = 2;"
        "one.dispatchEvent(new Event('change')); })()"
    )
    words = "[...document.querySelector('.pcv-legend').children].map(one => one.innerText.trim())"
    assert opened.run(words) == ["low (10)", "high (10)"]
    opened.run("document.querySelector('.pcv-legend button').click()")
    assert opened.run("document.querySelectorAll('.pcv-faint').length") == 20
    opened.run("document.querySelector('.pcv-legend button').click()")
    assert opened.run("document.querySelectorAll('.pcv-faint').length") == 0


def test_a_query_is_found_by_its_letters_and_its_voices_are_those_of_brute_force(
    opened, queries, cosines
):
    opened.run(
        "(() => { const one = document.querySelector('.pcv-words input'); one.value = 'HIGH pit';"
        "one.dispatchEvent(new Event('input'));"
        "one.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter'})); })()"
    )
    options = "[...document.querySelector('.pcv-words select').options].map(one => one.text)"
    found = opened.run(options)
    assert "has a high pitch" in found
    assert len(found) < len(queries)
    row = queries["query"].tolist().index(found[0])
    listed = "[...document.querySelectorAll('.pcv-ends button')].map(one => +one.dataset.voice)"
    order = np.argsort(-cosines[row], kind="stable").tolist()
    assert opened.run(listed) == order[:4] + order[:-5:-1]


def test_the_sentence_counts_the_voices_that_a_query_is_true_of(opened, queries, cosines, truths):
    row = queries["query"].tolist().index("speaker is sad")
    near = np.argsort(-cosines[row], kind="stable")[:4]
    said = opened.run("document.querySelector('.pcv-sum').textContent")
    assert f"“speaker is sad” is true of {truths[row, near].sum()} of the 4 closest" in said
    assert f"of all {VOICES} voices it is true of {truths[row].mean():.0%}".replace("%", " %") in (
        said.replace("Of all", "of all")
    )


def test_a_voice_at_an_end_is_heard_from_the_signals_that_the_map_carries(opened):
    opened.run(
        "(() => { window.heard = 0; const play = HTMLMediaElement.prototype.play;"
        "HTMLMediaElement.prototype.play = function () {"
        "this.addEventListener('playing', () => { window.heard += 1; }); return play.call(this); };"
        "document.querySelector('.pcv-ends button').click(); })()"
    )
    assert opened.wait("window.heard > 0")
    assert opened.wait("document.querySelectorAll('.pcv-on').length === 0")  # it has ended
    assert opened.complaints == []


def test_a_click_on_the_small_map_plays_a_voice_and_names_it(opened):
    opened.run(
        "(() => { const dot = document.querySelectorAll('.pcv-mini circle')[1];"
        "const box = dot.getBoundingClientRect(); dot.dispatchEvent(new MouseEvent('click',"
        "{bubbles: true, clientX: box.x + 5, clientY: box.y + 5})); })()"
    )
    said = opened.run("document.querySelector('.pcv-heard').textContent")
    assert re.fullmatch(r"To be heard: .+\.wav \(cosine -?\d\.\d\d, (not )?true of it\)", said)
    assert opened.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_both_pieces_are_read_at_any_width_in_any_theme(browser, page, theme, width):
    browser.size(width)
    browser.open(page)
    browser.theme(theme)
    browser.run(PRESS.format("Home"))
    browser.run(PRESS.format("Enter"))
    browser.run("document.querySelector('.pcv-legend button').click()")
    browser.unfold()
    assert browser.run(EDGES)
    assert browser.check("contrast", "sideways", "clipped", "players", "headings") == {}
    assert browser.complaints == []


def test_without_its_map_an_explorer_says_where_the_voices_are(browser, asked, tmp_path):
    file = tmp_path / "alone.html"
    file.write_text(f"<!DOCTYPE html><meta charset=utf-8><title>t</title>{asked.html}", "utf-8")
    browser.open(file)
    browser.run("document.querySelector('.pcv-ends button').click()")
    assert "show it first" in browser.run("document.querySelector('.pcv-sum').textContent")
