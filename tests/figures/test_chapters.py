"""Figures of chapters 1 to 6 show what their tables hold."""

import re

import numpy as np
import pandas as pd
import pytest
from sounds import buzz, write

from paraclap import tables
from paraclap.figures import corpora, evaluation, training


def test_segments_are_shown_as_signal_spectrum_and_pitch(tmp_path):
    files = [write(tmp_path / f"{hertz}.wav", buzz(0.6, hertz)) for hertz in (120, 240)]
    fig = corpora.contours(pd.DataFrame(index=tables.segments(files)), ["low", "high"])
    assert [ax.get_title() for ax in fig.axes[:2]] == ["low", "high"]
    medians = [np.nanmedian(ax.get_lines()[0].get_ydata()) for ax in fig.axes[4:6]]
    assert medians == [pytest.approx(120, rel=0.15), pytest.approx(240, rel=0.15)]


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
    assert all(len(line.get_xdata()) == 0 for line in never.axes[1].get_lines())


def test_confusions_are_shares_of_the_true_class():
    truth, prediction = ["anger", "anger", "fear"], ["anger", "fear", "fear"]
    one = pd.DataFrame({"truth": truth, "prediction": prediction})
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
