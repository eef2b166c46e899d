"""Confusions play what lies in their cells; a timeline knows what is true when."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from paraclap import audio, tables
from paraclap.evaluation.scoring import windows as cut
from paraclap.interactive.confusion import confusion, surest
from paraclap.interactive.timeline import join_utterances, timeline, truth_of


@pytest.fixture(scope="module")
def predictions(labels):
    """Answers about 60 utterances: anger is right, sadness is wrong every second time."""
    found = pd.DataFrame({"truth": labels["label"]})
    sure = np.linspace(0.5, 0.99, len(found))
    wrong = (found["truth"] == "sadness") & (np.arange(60) % 4 == 1)
    found["prediction"] = np.where(wrong, "anger", found["truth"])
    found["anger"] = np.where(found["prediction"] == "anger", sure, 1 - sure)
    return found.assign(sadness=1 - found["anger"])


def test_the_surest_of_each_cell_come_first(predictions):
    found = surest(predictions, each=3)
    sizes = found.groupby(["truth", "prediction"]).size()
    assert sizes.to_dict() == {
        ("anger", "anger"): 3,
        ("sadness", "anger"): 3,
        ("sadness", "sadness"): 3,
    }
    for _, own in found.groupby(["truth", "prediction"]):
        assert own["p_prediction"].is_monotonic_decreasing
        assert own["place"].tolist() == [0, 1, 2]
    wrong = found[found["truth"] != found["prediction"]]
    assert (wrong["p_truth"] + wrong["p_prediction"]).tolist() == pytest.approx([1, 1, 1])


def test_a_matrix_has_its_shares_and_the_clips_of_each_cell(predictions):
    page = confusion(predictions, ["sadness", "anger"], each=2)
    plot = page.layout.children[0]
    assert plot.renderers[1].data_source.data["share"] == ["50%", "50%", "0%", "100%"]
    (play,) = plot.js_event_callbacks["tap"]
    cells = play.args["cells"]
    assert [len(cell["clips"]) for cell in cells] == [2, 2, 0, 2]
    assert cells[1]["name"] == "sadness answered anger (15 utterances)"
    assert "/" in cells[1]["facts"][0]
    assert page.words.count("<td>") == 4


@pytest.fixture(scope="module")
def recording(labels, tmp_path_factory):
    file = tmp_path_factory.mktemp("long") / "long.wav"
    return file, join_utterances(labels[labels["speaker"] == "s3"], file, 3.0)


def test_a_recording_has_stretches_without_gaps_that_end_with_it(recording):
    file, stretches = recording
    starts, ends = (stretches.index.get_level_values(level) for level in ("start", "end"))
    assert len(stretches) >= 2
    assert (stretches["truth"].to_numpy()[1:] != stretches["truth"].to_numpy()[:-1]).all()
    assert starts[0] == pd.Timedelta(0)
    assert list(starts[1:]) == list(ends[:-1])
    assert ends[-1].total_seconds() == pytest.approx(audio.duration(file))


def test_each_stretch_sounds_like_its_class(recording):
    file, stretches = recording
    for (_, start, end), truth in stretches["truth"].items():
        level = np.abs(audio.read(file, start, end)).max()
        assert (level > 0.15) == (truth == "anger")


def answered(file, stretches):
    index = tables.segments(*zip(*cut(tables.segments([file]), 1.0, 0.5), strict=True))
    table = pd.DataFrame({"anger": 0.7, "sadness": 0.3, "prediction": "anger"}, index)
    return table.assign(truth=truth_of(table, stretches))


def test_a_window_has_the_truth_of_its_middle(recording):
    file, stretches = recording
    for (_, start, end), truth in answered(file, stretches)["truth"].items():
        middle = start + (end - start) / 2
        inside = [one for one in stretches.index if one[1] <= middle < one[2]]
        assert stretches.loc[inside, "truth"].tolist() == [truth]


def test_a_timeline_draws_each_candidate_and_what_is_true_if_known(recording):
    file, stretches = recording
    page = timeline(answered(file, stretches), stretches)
    plot = page.layout.children[1]
    bands = [one.data_source.data for one in plot.renderers if "left" in one.data_source.data]
    assert re.findall(r"</span> (\w+)", page.layout.children[2].text) == ["anger", "sadness"]
    assert [len(band["left"]) for band in bands] == [len(answered(file, stretches)), len(stretches)]
    assert "anger (" in page.words
    alone = timeline(answered(file, stretches).drop(columns="truth"))
    assert set(alone.layout.children[1].yaxis.major_label_overrides.values()) == {"answer"}
