"""Table 1 of the paper, typed once more from the paper, and what may stand beside it."""

from __future__ import annotations

import pandas as pd
import pytest

from paraclap.evaluation import paper_table

# Typed from Table 1: CLAP, Pengi, then no emo rand 5, only emo, rand 1, rand 5.
TABLE_1 = {
    "iemocap": (4, 0.353, 0.345, 0.309, 0.567, 0.307, 0.560),
    "ravdess": (8, 0.199, 0.148, 0.170, 0.302, 0.116, 0.234),
    "crema-d": (6, 0.230, 0.245, 0.201, 0.332, 0.202, 0.291),
    "tess": (7, 0.232, 0.177, 0.212, 0.484, 0.219, 0.389),
    "fau-aibo-2": (2, 0.500, 0.470, 0.538, 0.535, 0.468, 0.604),
    "fau-aibo-5": (5, 0.211, 0.185, 0.225, 0.216, 0.216, 0.232),
    "alc": (2, 0.511, 0.473, 0.490, 0.512, 0.501, 0.503),
    "sld": (2, 0.472, 0.485, 0.472, 0.554, 0.443, 0.507),
}
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
PEOPLE = pd.DataFrame({"synthetic": [False, False, False]})


def test_all_48_values_are_those_of_the_paper():
    table = paper_table.paper_scores().set_index("task")
    assert list(table.index) == list(TABLE_1)
    columns = ["clap", "pengi", "no_emo_rand5", "only_emo", "rand1", "rand5"]
    assert columns == paper_table.SYSTEMS
    for task, (classes, *values) in TABLE_1.items():
        assert table.loc[task, "classes"] == classes
        assert table.loc[task, columns].tolist() == values
    sizes = [5531, 1440, 7442, 2800, 8257, 8257, 3000, 228]
    assert table["utterances"].tolist() == sizes


def test_scores_stand_beside_those_of_the_same_corpus_and_classes():
    table = paper_table.beside_paper(SCORES, PEOPLE).set_index("task")
    assert table.loc["tess", ["uar", "uar_low", "uar_high", "n"]].tolist() == [0.5, 0.4, 0.6, 2800]
    assert table["uar"].notna().sum() == 2
    assert table.loc["iemocap", "only_emo"] == 0.567
    fewer = paper_table.beside_paper(SCORES.assign(classes=3), PEOPLE)
    assert fewer["uar"].isna().all()


def test_the_mean_over_sessions_stands_beside():
    index = pd.RangeIndex(4)
    labels = pd.DataFrame({"synthetic": False, "session": ["1", "1", "2", "2"]}, index)
    answers = {"truth": ["anger", "sadness"] * 2, "prediction": ["anger", "sadness", "anger", "x"]}
    predictions = pd.DataFrame({"corpus": "iemocap", **answers}, index)
    table = paper_table.beside_paper(SCORES, labels, predictions).set_index("task")
    assert table.loc["iemocap", "sessions"] == pytest.approx((1 + 0.5) / 2)
    assert table["sessions"].notna().sum() == 1


@pytest.mark.parametrize("synthetic", [[True, True], [False, True], [False, None], None])
def test_synthetic_speech_never_stands_beside_the_paper(synthetic):
    labels = pd.DataFrame({"corpus": ["tess"] * 2})
    if synthetic is not None:
        labels["synthetic"] = synthetic
    assert paper_table.is_synthetic(labels)
    table = paper_table.beside_paper(SCORES, labels)
    assert table[["n", "uar", "uar_low", "uar_high", "sessions"]].isna().all(axis=None)


def test_a_task_of_the_paper_is_itself_or_its_imitation():
    assert paper_table.local_task("tess", ["tess", "tess-like"]) == "tess"
    assert paper_table.local_task("fau-aibo-5", ["podcast"]) == "aibo5-like"


def test_only_the_training_corpus_was_met_before():
    seen = paper_table.paper_exposure().set_index("corpus")
    tested = seen.loc["IEMOCAP":]
    assert (tested == "-").all(axis=None)
    assert set(paper_table.paper_scores()["corpus"]) == set(tested.index)
    assert "fine-tuned" in seen.loc["MSP-Podcast", "audio encoder"]


def test_the_caption_names_synthetic_speech():
    assert "synthetic" in paper_table.caption(pd.DataFrame({"corpus": ["tess"]}))
    assert "synthetic" not in paper_table.caption(PEOPLE)


def test_attributes_above_chance_are_counted_by_variant():
    table = pd.DataFrame(
        {
            "variant": ["only_emo"] * 3 + ["rand1"],
            "kind": ["attribute", "attribute", "task", "attribute"],
            "task": ["pitch", "gender", "tess", "pitch"],
            "uar_low": [0.6, 0.5, 0.1, 0.7],
        }
    )
    assert paper_table.describe_attributes(table) == [
        "only emotion: 1 of 2 with the whole interval above chance, not: gender.",
        "rand 1: 1 of 1 with the whole interval above chance, not: none.",
    ]
