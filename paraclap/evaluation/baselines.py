"""What simple means reach: logistic regression on the functionals, and the majority class.

Both learn from the train split of all corpora, utterances that have a class of the task. A class
without any is never answered and counts as missed. Chapter 5.
"""

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from paraclap.evaluation.tasks import COLUMNS, SCORES, Classes, score, task_rows
from paraclap.tables import unknown

LOGISTIC, MAJORITY = "logistic", "majority"


def baseline_predictions(
    features: pd.DataFrame, labels: pd.DataFrame, tasks: Classes, baseline: str = LOGISTIC
) -> pd.DataFrame:
    """Answers of a baseline to all tasks of which training has two classes or more.

    ``logistic`` standardises the functionals and weights the classes equally; utterances without
    features are left out. ``majority`` is the most frequent class of training, of equals the first
    by name. Returns ``corpus, speaker, truth, prediction``.
    """
    if baseline not in (LOGISTIC, MAJORITY):
        raise ValueError(unknown("baseline", baseline, (LOGISTIC, MAJORITY)))
    labels = labels[labels.index.isin(features.index)]
    train, test = labels[labels["split"] == "train"], task_rows(labels)
    parts = [test.iloc[:0].assign(truth="", prediction="")]
    for task, classes in tasks.items():
        asked = test[(test["corpus"] == task) & test["label"].isin(list(classes))]
        learned = train.loc[train["label"].isin(list(classes)), "label"]
        if learned.nunique() < 2 or asked.empty:
            continue
        answers = learned.mode().iloc[0]
        if baseline == LOGISTIC:
            regression = LogisticRegression(class_weight="balanced", max_iter=2000)
            model = make_pipeline(StandardScaler(), regression)
            model.fit(features.loc[learned.index].to_numpy(float), learned.to_numpy(object))
            answers = model.predict(features.loc[asked.index].to_numpy(float))
        parts.append(asked.assign(truth=asked["label"], prediction=answers))
    return pd.concat(parts)[list(COLUMNS)]


def reference_scores(
    features: pd.DataFrame, labels: pd.DataFrame, tasks: Classes, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Score both baselines on every task that they can learn: the columns of ``tasks.score``.

    Before them are ``system`` (the baseline) and ``learnable`` (classes that training has).
    """
    train = set(labels.loc[labels["split"] == "train", "label"])
    found = [pd.DataFrame(columns=["system", "learnable", *SCORES])]
    for baseline in (LOGISTIC, MAJORITY):
        predictions = baseline_predictions(features, labels, tasks, baseline)
        truth = predictions.groupby("corpus", sort=False)["truth"].agg(set).to_dict()
        full = {task: names for task, names in tasks.items() if set(names) == truth.get(task)}
        table = score(predictions, full, "", draws, seed)
        learnable = [len(train & set(full[task])) for task in table["task"]]
        found.append(table.assign(system=baseline, learnable=learnable)[list(found[0])])
    return pd.concat([one for one in found if len(one)] or found, ignore_index=True)
