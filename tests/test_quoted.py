from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paraclap import quoted

SCORES = pd.DataFrame(
    {
        "task": ["tess", "podcast", "iemocap"],
        "classes": [7, 8, 4],
        "n": [2800, 90, 200],
        "uar": [0.5, 0.6, 0.7],
        "uar_low": [0.4, 0.5, 0.6],
        "uar_high": [0.6, 0.7, 0.8],
    }
)
SESSIONS = pd.DataFrame({"task": ["iemocap"] * 2, "group": ["1", "2"], "uar": [0.5, 0.7]})
PEOPLE = pd.DataFrame({"synthetic": [False, False]})


def test_our_scores_stand_beside_those_of_the_same_corpus() -> None:
    table = quoted.beside(SCORES, PEOPLE, SESSIONS).set_index("task")
    assert table.loc["tess", ["measured", "measured_low", "measured_high"]].tolist() == [
        0.5,
        0.4,
        0.6,
    ]
    assert table.loc["iemocap", "sessions"] == pytest.approx(0.6)
    assert table["measured"].notna().sum() == 2
    assert table.loc["iemocap", "only_emo"] == 0.567
    assert list(table.columns[3:9]) == list(quoted.SYSTEMS)


def test_a_page_shows_intervals_in_brackets_and_nothing_where_nothing_was_measured() -> None:
    table = quoted.shown(quoted.beside(SCORES, PEOPLE, SESSIONS)).set_index("corpus (classes)")
    assert table.loc["TESS (7)", "measured"] == "0.500 [0.400, 0.600]"
    part = "0.700 [0.600, 0.800], 200 of 5,531 voices"
    assert table.loc["IEMOCAP (4)", "measured"] == part
    assert table.loc["IEMOCAP (4)", "only emo"] == 0.567
    assert table["measured"].notna().sum() == 2


@pytest.mark.parametrize(
    "labels",
    [
        pd.DataFrame({"synthetic": [True, True]}),
        pd.DataFrame({"synthetic": [False, True]}),
        pd.DataFrame({"synthetic": [False, None]}),
        pd.DataFrame({"corpus": ["tess"]}),
    ],
)
def test_synthetic_speech_is_never_put_beside_the_paper(labels: pd.DataFrame) -> None:
    table = quoted.beside(SCORES, labels, SESSIONS)
    names = ["measured", "measured_low", "measured_high", "sessions"]
    assert table[names].isna().all(axis=None)
    assert "synthetic speech" in quoted.title(labels, "rand5")
    with pytest.raises(ValueError, match="Bad title 'Table 1': this run was measured on synthetic"):
        quoted.title(labels, "rand5", "Table 1")


def test_a_question_with_fewer_classes_is_not_that_of_the_paper() -> None:
    table = quoted.beside(SCORES.assign(classes=3), PEOPLE, SESSIONS)
    assert table[["measured", "sessions"]].isna().all(axis=None)


def test_a_run_on_people_may_have_any_title() -> None:
    assert quoted.title(PEOPLE, "rand5", "Table 1") == "Table 1"
    assert quoted.title(PEOPLE, "rand1").endswith("and this run, rand1 (measured)")


def test_the_quoted_table_is_that_of_the_paper() -> None:
    table = quoted.paper_scores()
    assert len(table) == 8
    best = table[list(quoted.SYSTEMS)].idxmax(axis=1).tolist()
    assert best == ["only_emo"] * 4 + ["rand5", "rand5", "only_emo", "only_emo"]
    means = table[["only_emo", "rand5"]].mean()
    np.testing.assert_allclose(means, [0.438, 0.415], atol=1e-3)


def test_only_the_training_corpus_was_met_before_it_is_asked() -> None:
    met = quoted.exposure().set_index("corpus")
    tested = met.loc["IEMOCAP":]  # type: ignore[misc]  # a slice of labels
    assert (tested == "-").all(axis=None)
    assert set(quoted.paper_scores()["corpus"]) == set(tested.index)
    assert "fine-tuned" in met.loc["MSP-Podcast", "audio tower"]
