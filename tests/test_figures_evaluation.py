"""The figures of the evaluation show what the tables say, chance included."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paraclap.figures import evaluation as figures

TASKS = {"one": ["anger", "fear"], "two": ["rest", "work", "play"]}


@pytest.fixture
def predictions() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for task, labels in TASKS.items():
        for place in range(30):
            shares = rng.dirichlet(np.ones(len(labels)))
            answer = labels[int(shares.argmax())]
            rows.append(
                {
                    "corpus": task,
                    "speaker": f"{task}-{place % 7}",
                    "truth": labels[place % len(labels)],
                    "prediction": answer,
                    **dict(zip(labels, shares, strict=True)),
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture
def scores() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "task": list(TASKS),
            "chance": [1 / 2, 1 / 3],
            "uar": [0.7, 0.4],
            "uar_low": [0.6, 0.3],
            "uar_high": [0.8, 0.5],
        }
    )


def marks(ax) -> list[float]:
    """Where the marks of chance are."""
    (line,) = (line for line in ax.lines if line.get_label() == "chance")
    return np.asarray(line.get_xdata()).tolist()


def test_scores_stand_beside_chance_and_reference(scores):
    beside = pd.DataFrame({"task": ["two", "one"], "logistic": [np.nan, 0.9]})
    beside = beside.assign(logistic_low=0.85, logistic_high=0.95)
    ax = figures.task_scores(scores, beside).axes[0]
    assert marks(ax) == [1 / 2, 1 / 3]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["one (2)", "two (3)"]
    zero_shot, logistic = ax.containers
    assert zero_shot[0].get_xdata().tolist() == [0.7, 0.4]
    assert logistic[0].get_xdata().tolist() == [0.9]
    assert ax.get_xlabel() == "UAR"


def test_scores_can_stand_alone(scores):
    assert len(figures.task_scores(scores).axes[0].containers) == 1


def test_each_task_has_its_confusion_matrix(predictions):
    fig = figures.confusions(predictions, TASKS)
    titled = {ax.get_title(): ax for ax in fig.axes}
    assert set(titled) == set(TASKS)
    shares = np.asarray(titled["two"].collections[0].get_array()).reshape(3, 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert titled["one"].get_ylabel() == "truth"


def test_recalls_have_a_point_for_each_class_and_chance(predictions):
    right = predictions.assign(right=predictions["truth"] == predictions["prediction"])
    recalls = right.groupby(["corpus", "truth"])["right"].mean().reset_index()
    ax = figures.class_recalls(recalls.set_axis(["task", "label", "recall"], axis=1), TASKS).axes[0]
    assert len(ax.collections) == 5
    assert marks(ax) == [1 / 2, 1 / 3]


def test_attributes_have_a_bar_each_and_chance(scores, capsys):
    table = scores.rename(columns={"task": "attribute"})
    ax = figures.attribute_scores(table).axes[0]
    assert [bar.get_width() for bar in ax.patches] == [0.7, 0.4]
    assert 0.5 in [line.get_xdata()[0] for line in ax.lines]
    figures.attribute_scores(table.head(0))
    assert "No attribute" in capsys.readouterr().out


def test_certainty_counts_every_voice(predictions):
    margins, calibration = figures.certainty(predictions, TASKS).axes
    assert sum(bar.get_height() for bar in margins.patches) == len(predictions)
    assert calibration.get_ylabel() == "share right"


def test_groups_have_a_point_each_or_a_sentence(capsys):
    table = pd.DataFrame({"task": ["one", "one"], "group": ["female", "male"], "uar": [0.5, 0.6]})
    ax = figures.group_scores(table, TASKS).axes[0]
    assert marks(ax) == [1 / 2]
    figures.group_scores(table.head(0), TASKS)
    assert "no groups" in capsys.readouterr().out


def test_wordings_have_a_bar_each_or_a_sentence(capsys):
    table = pd.DataFrame(
        {"task": "one", "wording": ["as trained", "synonyms 1"], "chance": 0.5, "uar": [0.7, 0.6]}
    )
    assert len(figures.wordings(table).axes[0].patches) == 2
    figures.wordings(table.head(0))
    assert "synonyms" in capsys.readouterr().out


def test_an_empty_table_is_an_error(scores, predictions):
    with pytest.raises(ValueError, match="Nothing to draw"):
        figures.task_scores(scores.head(0))
    with pytest.raises(ValueError, match="Nothing to draw"):
        figures.confusions(predictions.head(0), TASKS)
    with pytest.raises(ValueError, match="no column"):
        figures.task_scores(scores.drop(columns="chance"))
