"""Table 1 of the paper, and what may stand beside it."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from paraclap.evaluation import paper_table

PAPER = yaml.safe_load((Path(__file__).parents[1] / "data" / "paper.yaml").read_text("utf-8"))
ROWS = [("tess", 7, 2800, 0.5, 0.4, 0.6), ("podcast", 8, 90, 0.6, 0.5, 0.7)]
ROWS += [("iemocap", 4, 200, 0.7, 0.6, 0.8)]
SCORES = pd.DataFrame(ROWS, columns=["task", "classes", "n", "uar", "uar_low", "uar_high"])
PEOPLE = pd.DataFrame({"synthetic": [False, False, False]})
PREDICTIONS = pd.DataFrame({"corpus": "iemocap", "truth": ["anger"], "prediction": ["anger"]})


def test_the_table_is_that_of_the_paper():
    table = paper_table.paper_scores().set_index("task")
    assert table["utterances"].tolist() == [5531, 1440, 7442, 2800, 8257, 8257, 3000, 228]
    assert table["classes"].tolist() == [4, 8, 6, 7, 2, 5, 2, 2]
    scores = table[["clap", "pengi", "no_emo_rand5", "only_emo", "rand1", "rand5"]]
    assert dict(zip(scores.index, scores.to_numpy().tolist(), strict=True)) == PAPER["table_1"]


def test_scores_stand_beside_those_of_the_same_corpus_and_classes():
    table = paper_table.beside_paper(SCORES, PEOPLE, PREDICTIONS).set_index("task")
    assert table.loc["tess", ["uar", "uar_low", "uar_high", "n"]].tolist() == [0.5, 0.4, 0.6, 2800]
    assert table["uar"].notna().sum() == 2
    assert table.loc["iemocap", "only_emo"] == 0.567
    fewer = paper_table.beside_paper(SCORES.assign(classes=3), PEOPLE, PREDICTIONS)
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
    labels = labels if synthetic is None else labels.assign(synthetic=synthetic)
    table = paper_table.beside_paper(SCORES, labels, PREDICTIONS)
    assert table[["n", "uar", "uar_low", "uar_high", "sessions"]].isna().all(axis=None)


def test_only_the_training_corpus_was_met_before():
    seen = paper_table.paper_exposure().set_index("corpus")
    tested = seen.loc["IEMOCAP":]
    assert (tested == "-").all(axis=None)
    assert set(paper_table.paper_scores()["corpus"]) == set(tested.index)
    assert "fine-tuned" in seen.loc["MSP-Podcast", "audio encoder"]
