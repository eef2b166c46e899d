"""Figures and players of the corpora show what is in the labels table, and say what is not."""

from __future__ import annotations

import base64

import pytest

from paraclap.contours import contours
from paraclap.figures import corpora as figures
from paraclap.figures import style


@pytest.fixture
def both(voices):
    """The tones, and a second corpus that is only tested on."""
    corpus = voices["corpus"].mask(voices["split"] == "test", "held")
    return voices.assign(corpus=corpus)


def texts(fig):
    return [text.get_text() for text in fig.axes[0].texts]


def test_a_figure_shows_itself_as_png_and_is_unknown_to_pyplot(voices):
    from matplotlib import pyplot

    shown = figures.speakers(voices)._repr_mimebundle_()
    assert base64.b64decode(shown["image/png"]).startswith(b"\x89PNG")
    assert shown["text/plain"].startswith("<Figure: Speakers")
    assert pyplot.get_fignums() == []


def test_examples_are_of_one_speaker_with_each_emotion_once(voices):
    chosen = figures.examples(voices, 6)
    assert chosen["speaker"].nunique() == 1
    assert chosen["emotion"].tolist() == ["anger", "sadness"]


def test_examples_without_any_label_are_the_first_rows(voices):
    unlabelled = voices.assign(emotion=None, label=None).astype({"emotion": "str", "label": "str"})
    assert figures.examples(unlabelled, 3).index.equals(voices.index[:3])


def test_players_hold_the_sound_and_its_label_and_no_path(voices):
    chosen = figures.examples(voices)
    page = style.players(chosen, ["<angry>", "sad"])._repr_html_()
    assert page.count("<audio") == 2
    assert "&lt;angry&gt;" in page
    assert chosen.index[0][0] not in page


def test_two_voices_are_shown_as_signal_spectrum_and_pitch(voices):
    pair = figures.contrast(figures.examples(voices))
    fig = figures.looks(*(contours(*segment) for segment in pair.index), ("angry", "sad"))
    names = [ax.get_ylabel() for ax in fig.axes]
    assert {"signal", "frequency in kHz", "pitch in Hz", "level in dB"} <= set(names)
    assert [ax.get_title() for ax in fig.axes[:2]] == ["angry", "sad"]
    assert fig.axes[4].get_xlabel() == "time in s"


def test_a_bar_for_each_class_and_split_with_equal_shares_drawn(voices):
    ax = figures.classes(voices).axes[0]
    assert len(ax.patches) == 2 * 3
    assert [line.get_label() for line in ax.lines] == ["equal shares"]
    assert ax.lines[0].get_xdata()[0] == pytest.approx(50)
    assert ax.get_xlabel() == "share of the split in %"


def test_speakers_are_counted_by_split_and_gender(voices):
    left, right = figures.speakers(voices).axes
    assert sum(bar.get_height() for bar in left.patches) == voices["speaker"].nunique()
    assert right.get_xlabel() == "segments of a speaker"


def test_speakers_without_gender_are_counted_as_not_given(voices):
    unknown = voices.assign(gender=None).astype({"gender": "str"})
    left, _ = figures.speakers(unknown).axes
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["not given"]


def test_each_emotion_has_its_word_in_the_plane(voices):
    assert texts(figures.plane(voices)) == ["anger", "sadness"]


def test_without_ratings_the_plane_says_so(voices, capsys):
    fig = figures.plane(voices.assign(arousal=float("nan")))
    assert "no ratings" in texts(fig)[0] or "No segment has" in texts(fig)[0]
    assert "No segment has" in capsys.readouterr().out


def test_a_panel_for_each_held_out_corpus(both, capsys):
    titles = [ax.get_title() for ax in figures.held_out(both).axes if ax.axison]
    assert titles == ["held"]
    assert capsys.readouterr().out == ""


def test_without_held_out_corpora_a_sentence_stands_in_the_figure(voices, capsys):
    assert texts(figures.held_out(voices)) == [capsys.readouterr().out.strip()]


@pytest.mark.parametrize("draw", ["classes", "speakers", "plane", "held_out"])
def test_an_empty_table_is_an_error_that_says_so(voices, draw):
    with pytest.raises(ValueError, match="table is empty"):
        getattr(figures, draw)(voices.iloc[:0])


def test_words_keep_their_colours_whatever_stands_beside_them():
    alone = style.colours(["anger"])
    among = style.colours(["joyous", "anger", "bored"])
    assert among["anger"] == alone["anger"]
    assert len(set(among.values())) == 3
