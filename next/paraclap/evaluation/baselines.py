"""What simple means reach: logistic regression on the functionals, and the majority class.

Both learn from the utterances of the train split that have a class of the task, of whatever corpus.
A class without such an utterance is never answered and counts as missed. Tables are on the index
(file, start, end). Chapter 5.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from paraclap.evaluation.tasks import COLUMNS, SCORES, score, task_rows
from paraclap.tables import report_rows, unknown

LOGISTIC, MAJORITY = "logistic", "majority"


def baseline_predictions(
    features: pd.DataFrame,
    labels: pd.DataFrame,
    tasks: Mapping[str, Collection[str]],
    baseline: str = LOGISTIC,
) -> pd.DataFrame:
    """Answers of a baseline to all tasks that it can learn.

    Args:
        features: functionals, one row an utterance; utterances without a row are left out
        labels: labels table
        tasks: task → its classes; tasks with fewer than two classes in training are left out
        baseline: ``logistic`` (standardised functionals, classes weighted equally) or
            ``majority`` (the most frequent class of training, of equals the first by name)

    Returns:
        predictions: ``corpus, speaker, truth, prediction``

    Raises:
        ValueError: if there is no such baseline or a feature is missing or infinite
    """
    if baseline not in (LOGISTIC, MAJORITY):
        raise ValueError(unknown("baseline", baseline, (LOGISTIC, MAJORITY)))
    labels = labels[labels.index.isin(features.index)]
    train, test = labels[labels["split"] == "train"], task_rows(labels)
    parts = [test.iloc[:0].assign(truth="", prediction="")]
    for task, classes in tasks.items():
        own = test[(test["corpus"] == task) & test["label"].isin(list(classes))]
        known = train[train["label"].isin(list(classes))]
        if known["label"].nunique() < 2 or own.empty:
            continue
        if baseline == LOGISTIC:
            answers = _logistic(features.loc[known.index], known["label"], features.loc[own.index])
        else:
            answers = known["label"].mode().iloc[0]
        parts.append(own.assign(truth=own["label"], prediction=answers))
    return pd.concat(parts)[list(COLUMNS)]


def _logistic(train: pd.DataFrame, classes: pd.Series, test: pd.DataFrame) -> np.ndarray:
    for table, where in ((train, "training"), (test, "test")):
        for column in table:
            bad = ~table[column].astype(float).map(np.isfinite)
            report_rows(table, bad, str(column), f"the {where} features", "finite numbers")
    regression = LogisticRegression(class_weight="balanced", max_iter=2000)
    model = make_pipeline(StandardScaler(), regression)
    model.fit(train.to_numpy(float), classes.to_numpy(object))
    return np.asarray(model.predict(test.to_numpy(float)))


def describe_baseline(scores: pd.DataFrame, references: pd.DataFrame) -> str:
    """How often the logistic regression scores higher than the model, where it has all classes.

    Args:
        scores: of the model, from ``tasks.score``
        references: of :func:`reference_scores`
    """
    full = references[references["learnable"] == references["classes"]]
    both = full[full["system"] == LOGISTIC].merge(scores, on="task", suffixes=("", "_model"))
    if both.empty:
        return "There is no task of which training has all classes: no regression to compare with."
    higher = both.loc[both["uar"] > both["uar_model"], "task"].tolist()
    names = f" ({', '.join(higher)})" if higher else ""
    return (
        f"Training has all classes of {len(both)} of {len(scores)} tasks. There the regression has "
        f"the higher UAR in {len(higher)}{names}."
    )


def reference_scores(
    features: pd.DataFrame,
    labels: pd.DataFrame,
    tasks: Mapping[str, Collection[str]],
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score both baselines on every task that they can learn.

    Returns:
        ``system`` (the baseline), ``learnable`` (classes of the task that training has), then the
        columns of ``tasks.score``
    """
    train = set(labels.loc[labels["split"] == "train", "label"].dropna())
    tables = []
    for baseline in (LOGISTIC, MAJORITY):
        predictions = baseline_predictions(features, labels, tasks, baseline)
        truth = predictions.groupby("corpus", sort=False)["truth"].agg(set).to_dict()
        full = {task: own for task, own in tasks.items() if set(own) == truth.get(task)}
        if full:
            table = score(predictions, full, "", draws, seed)
            learnable = [len(train & set(full[task])) for task in table["task"]]
            tables.append(table.assign(system=baseline, learnable=learnable))
    found = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return found.reindex(columns=["system", "learnable", *SCORES])
