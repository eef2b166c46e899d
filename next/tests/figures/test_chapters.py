"""Figures of chapters 1 to 6 show what their tables hold."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sounds import buzz, write

from paraclap import tables
from paraclap.figures import corpora, evaluation, features, queries, training
from paraclap.queries import FEATURES, fit_levels

WORDS = ["anger", "happiness", "sadness"]


@pytest.fixture(scope="module")
def table():
    """Features of 60 rows: pitch follows the emotion, everything else is noise."""
    rng = np.random.default_rng(0)
    values = {column: rng.normal(size=60) for column in FEATURES.values()}
    found = pd.DataFrame(values).assign(emotion=WORDS * 20, split="train")
    found[FEATURES["pitch"]] += 5.0 * (found["emotion"] == "anger")
    return found


def test_examples_are_of_one_speaker_with_each_emotion_once(labels):
    found = corpora.examples(labels)
    assert found["speaker"].nunique() == 1
    assert found["emotion"].tolist() == ["anger", "sadness"]


def test_examples_without_any_label_are_the_first_rows(labels):
    plain = labels.assign(emotion=None, label=None)
    pd.testing.assert_frame_equal(corpora.examples(plain, 3), plain.head(3))


def test_segments_are_shown_as_signal_spectrum_and_pitch(tmp_path):
    files = [write(tmp_path / f"{hertz}.wav", buzz(0.6, hertz)) for hertz in (120, 240)]
    fig = corpora.contours(pd.DataFrame(index=tables.segments(files)), ["low", "high"])
    assert [ax.get_title() for ax in fig.axes[:2]] == ["low", "high"]
    medians = [np.nanmedian(ax.get_lines()[0].get_ydata()) for ax in fig.axes[4:6]]
    assert medians == [pytest.approx(120, rel=0.15), pytest.approx(240, rel=0.15)]


def test_a_box_for_each_emotion_and_both_edges_in_each_panel(table):
    edges = fit_levels(table)
    fig = features.distributions(table, edges)
    assert len(fig.axes) == len(features.SHOWN)
    lines = fig.axes[0].get_lines()
    upright = {x[0] for x in (line.get_xdata() for line in lines) if len(x) == 2 and x[0] == x[1]}
    assert set(edges["pitch"]) <= upright
    fig._repr_mimebundle_()
    assert [one.get_text() for one in fig.axes[0].get_yticklabels()] == WORDS


def test_without_emotions_all_rows_are_one_group(table):
    fig = features.distributions(table.assign(emotion=None), {})
    assert [one.get_text() for one in fig.axes[0].get_yticklabels()] == ["not given"]


def test_intended_prosody_is_shown_against_its_feature_and_a_real_corpus_has_none(table, capsys):
    prosody = {name: np.arange(60.0) for name in features.INTENDED}
    followed = table.assign(**prosody, **{FEATURES["pitch"]: np.arange(60.0) ** 3})
    assert features.intended(followed).axes[0].get_title() == "pitch (r = 1.00)"
    features.intended(table)
    assert "A real corpus" in capsys.readouterr().out


def test_separation_is_one_for_constant_groups_and_chance_for_noise():
    groups = pd.Series(["a", "b"] * 500)
    noise = np.random.default_rng(0).normal(size=1000)
    values = pd.DataFrame({"noise": noise, "same": groups == "a", "flat": 1.0}, dtype=float)
    found = features.separation(values, groups)
    assert found.index.tolist() == ["same", "noise"]
    assert found["same"] == pytest.approx(1)
    assert found["noise"] < 0.01


def test_shares_of_levels_fill_a_hundred_per_cent_in_each_split():
    levels = pd.DataFrame({"pitch": ["low", "low", "high", None], "jitter": ["normal"] * 4})
    split = pd.Series(["train", "train", "test", "test"])
    assert queries.level_shares(levels).loc["pitch"].tolist() == pytest.approx([2 / 3, 0, 1 / 3])
    fig = queries.shares(levels, split)
    assert [ax.get_title() for ax in fig.axes] == ["train (2)", "test (2)"]
    for ax in fig.axes:
        widths = np.array([bar.get_width() for bar in ax.patches]).reshape(3, 2)
        assert widths.sum(axis=0).tolist() == pytest.approx([100, 100])


def test_curves_show_the_loss_of_guessing_and_the_kept_model():
    steps = np.arange(40)
    dev = np.where(steps % 10 == 9, 0.3 + 0.1 * (steps == 29), np.nan)
    table = pd.DataFrame({"step": steps, "loss": 4.0 - steps / 20, "dev_uar": dev})
    left, right = training.curves({"model": table}, 64, 4).axes
    heights = {line.get_label(): line.get_ydata() for line in left.get_lines()}
    assert heights["chance, ln 64"][0] == pytest.approx(np.log(64))
    star = next(line for line in right.get_lines() if line.get_marker() == "*")
    assert star.get_xydata().tolist() == [[29, pytest.approx(0.4)]]
    never = training.curves({"model": table.assign(dev_uar=np.nan)}, 64)
    assert not [line for line in never.axes[1].get_lines() if line.get_marker() == "*"]


def test_similarities_name_equal_rows_once_and_refuse_other_shapes():
    matrix = np.zeros((5, 2))
    rows = ["anger"] * 3 + ["fear"] * 2
    ax = training.similarities({"before": matrix, "after": matrix}, rows, ["a", "b"]).axes[0]
    assert [one.get_text() for one in ax.get_yticklabels()] == ["anger", "fear"]
    assert ax.get_yticks().tolist() == [1.0, 3.5]
    with pytest.raises(ValueError, match=r"Bad shapes .* expected \(5, 3\)"):
        training.similarities({"before": matrix}, rows, ["a", "b", "c"])


def test_confusions_are_shares_of_the_true_class():
    one = pd.DataFrame(
        {"truth": ["anger", "anger", "fear"], "prediction": ["anger", "fear", "fear"]}
    )
    classes = ["fear", "anger"]
    fig = evaluation.confusions({"a": one, "b": one, "c": one}, dict.fromkeys("abc", classes))
    shown = [ax for ax in fig.axes if ax.axison]
    assert [ax.get_title() for ax in shown] == ["a", "b", "c"]
    assert [text.get_text() for text in shown[0].texts] == ["0.50", "0.50", "0.00", "1.00"]


def test_the_best_of_a_row_is_bold_and_the_second_underlined_ties_alike():
    wide = pd.DataFrame({"task": ["a", "b"], "x": [0.5, 0.3], "y": [0.7, 0.3], "z": [0.6, np.nan]})
    styled = evaluation.ranked(wide)
    page = styled.to_html()
    looks = re.findall(r"((?:#T_\w+_row\d_col\d,? ?)+) \{\s+(.*?);", page)
    found = {look: sorted(re.findall(r"row(\d)_col(\d)", cells)) for cells, look in looks}
    assert found["font-weight: bold"] == [("0", "2"), ("1", "1"), ("1", "2")]
    assert found["text-decoration: underline"] == [("0", "3")]


def test_an_empty_table_is_an_error(table):
    empty = table.head(0)
    for draw in (corpora.examples, lambda one: features.distributions(one, {})):
        with pytest.raises(ValueError, match="Nothing to draw"):
            draw(empty)
    with pytest.raises(ValueError, match="Nothing to draw"):
        queries.shares(empty, pd.Series(dtype=str))
