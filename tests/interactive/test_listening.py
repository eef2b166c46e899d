"""Confusions play what lies in their cells; a timeline knows what is true when."""

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
    cells = dict(list(found.groupby(["truth", "prediction"])))
    assert set(cells) == {("anger", "anger"), ("sadness", "anger"), ("sadness", "sadness")}
    for own in cells.values():
        assert own["p_prediction"].is_monotonic_decreasing
        assert own["place"].tolist() == [0, 1, 2]
    wrong = cells["sadness", "anger"]
    assert (wrong["p_truth"] + wrong["p_prediction"]).tolist() == pytest.approx([1, 1, 1])


def test_a_matrix_has_its_shares_and_the_clips_of_each_cell(predictions):
    page = confusion(predictions, ["sadness", "anger"], each=2)
    cells = page.layout.children[0].renderers[0].data_source.data
    assert cells["text"] == ["50%", "50%", "0%", "100%"]
    counts = [len(clips) if isinstance(clips, list) else 0 for clips in cells["clips"]]
    assert counts == [2, 2, 0, 2]
    assert cells["n"] == [15, 15, 0, 30]
    assert "/" in cells["facts"][0][0]
    assert page.words.count("<td>") == 4


@pytest.fixture(scope="module")
def recording(labels, tmp_path_factory):
    """A recording, its stretches, and answers about its windows."""
    file = tmp_path_factory.mktemp("long") / "long.wav"
    stretches = join_utterances(labels[labels["speaker"] == "s3"], file, 3.0)
    index = tables.segments(*zip(*cut(tables.segments([file]), 1.0, 0.5), strict=True))
    answers = {"anger": 0.7, "sadness": 0.3, "prediction": "anger"}
    return file, stretches, pd.DataFrame(answers, index)


def test_a_recording_has_stretches_without_gaps_each_with_the_sound_of_its_class(recording):
    file, stretches, _ = recording
    starts, ends = (stretches.index.get_level_values(level) for level in ("start", "end"))
    assert sorted(stretches["truth"]) == ["anger", "sadness"]
    assert starts[0] == pd.Timedelta(0) and list(starts[1:]) == list(ends[:-1])
    assert ends[-1].total_seconds() == pytest.approx(audio.duration(file))
    for (_, start, end), truth in stretches["truth"].items():
        level = np.abs(audio.read(file, start, end)).max()
        assert (level > 0.15) == (truth == "anger")


def test_a_window_has_the_truth_of_its_middle(recording):
    _, stretches, windows = recording
    for (_, start, end), truth in truth_of(windows, stretches).items():
        middle = start + (end - start) / 2
        inside = [one for one in stretches.index if one[1] <= middle < one[2]]
        assert stretches.loc[inside, "truth"].tolist() == [truth]


def test_a_timeline_draws_each_candidate_and_what_is_true_if_known(recording):
    _, stretches, windows = recording
    page = timeline(windows, stretches)
    _, plot, legend = page.layout.children
    bands = [one.data_source.data for one in plot.renderers if "left" in one.data_source.data]
    assert re.findall(r"</span> (\w+)", legend.text) == ["anger", "sadness"]
    assert [len(band["left"]) for band in bands] == [len(windows), len(stretches)]
    assert f"anger ({len(windows)})" in page.words
    alone = timeline(windows).layout.children[1]
    assert set(alone.yaxis.major_label_overrides.values()) == {"answer"}
