"""What do a few labelled utterances bring? A linear probe on embeddings, by utterances per class.

A logistic regression learns the classes of a task from `k` utterances of each class (or all it has)
of the train and dev splits, else of folds of the test split by speaker, and answers for other
speakers. All systems learn from the same utterances. The score is the mean over draws, its *spread*
their standard deviation. Chapter 12. Source: Radford et al., ICML 2021, section 3.1.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

from paraclap.evaluation.bootstrap import bootstrap_interval, units
from paraclap.evaluation.metrics import Floats, uar
from paraclap.evaluation.tasks import Classes

STRENGTH = 0.01  # C of the regression, by the dev split of the built-in corpora


def learning_rows(labels: pd.DataFrame, tasks: Classes, most: int, seed: int = 0) -> pd.DataFrame:
    """Train and dev utterances of speakers who are not tested, at most so many of a class."""
    parts = [labels.iloc[:0]]
    for task, classes in tasks.items():
        part = labels[(labels["corpus"] == task) & labels["label"].isin([*classes])]
        tested = part.loc[part["split"] == "test", "speaker"]
        learn = part[(part["split"] != "test") & ~part["speaker"].isin(tested)]
        mixed = learn.sample(frac=1, random_state=seed)
        parts.append(mixed[mixed.groupby("label").cumcount() < most])
    return pd.concat(parts)


def probe_curves(
    systems: Mapping[str, pd.DataFrame],
    rows: pd.DataFrame,
    learn: pd.DataFrame,
    tasks: Classes,
    shots: Sequence[int],
    repeats: int = 5,
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score probes of all systems (name → vectors) on every task.

    The vectors' index holds the test utterances ``rows`` (`tasks.task_rows`) and those to ``learn``
    from. ``shots`` of each class are drawn, ``repeats`` times; ``fewest`` is the number of the
    rarest. A task without two named speakers is left out with a line.
    """
    found = []
    for task, classes in tasks.items():
        test = rows[(rows["corpus"] == task) & rows["label"].isin([*classes])]
        other = learn[learn["corpus"] == task]
        everyone = pd.concat([test, other])
        if everyone["speaker"].isna().any() or everyone["speaker"].nunique() < 2:
            print(f"Left out {task}: there are no utterances of other, named speakers.")
            continue
        folds = [(len(test) + np.arange(len(other)), np.arange(len(test)))]
        if other.empty:
            splits = GroupKFold(min(5, test["speaker"].nunique()))
            folds = list(splits.split(test, groups=test["speaker"].to_numpy(object)))
        source = "train and dev" if len(other) else f"{len(folds)} folds of test"
        for name, table in systems.items():
            vectors = table.loc[everyone.index].to_numpy(float)
            for k in shots:
                answers, fewest = _answers(vectors, everyone["label"], folds, k, repeats, seed)
                scores = _score(test, answers, [*classes], draws, seed)
                found.append([task, name, k, fewest, source, 1 / len(classes), *scores])
    columns = ["task", "system", "k", "fewest", "source", "chance"]
    return pd.DataFrame(found, columns=[*columns, "uar", "spread", "uar_low", "uar_high"])


def _answers(
    vectors: Floats, labels: pd.Series, folds: Sequence[Any], k: int, repeats: int, seed: int
) -> tuple[NDArray[np.object_], int]:
    """Answers of every draw for all test utterances `(repeats, n)`, and the fewest of a class."""
    given = np.empty((repeats, sum(len(asked) for _, asked in folds)), dtype=object)
    fewest = k
    for number, (learned, asked) in enumerate(folds):
        scaled = StandardScaler().fit(vectors[learned]).transform(vectors)
        for repeat in range(repeats):
            places = np.random.default_rng([seed, repeat, number]).permutation(learned)
            drawn = places[labels.iloc[places].groupby(labels.iloc[places]).cumcount() < k]
            counts = labels.iloc[drawn].value_counts().reindex(labels.unique(), fill_value=0)
            fewest = min(fewest, int(counts.min()))
            given[repeat, asked] = labels.iloc[drawn[0]]
            if (counts > 0).sum() > 1:
                regression = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500)
                regression.fit(scaled[drawn], labels.iloc[drawn])
                given[repeat, asked] = regression.predict(scaled[asked])
    return given, fewest


def _score(
    test: pd.DataFrame, answers: NDArray[np.object_], classes: list[str], draws: int, seed: int
) -> tuple[float, float, float, float]:
    """Mean, spread and interval over draws; laid end to end, the UAR of all answers is the mean."""
    truth, repeats = test["label"].to_numpy(object), len(answers)
    each = pd.Series([uar(truth, one, classes) for one in answers])
    unit, _ = units(test["speaker"], len(test))
    laid = np.tile(truth, repeats), answers.ravel(), classes, np.tile(unit, repeats)
    return float(each.mean()), float(each.std()), *bootstrap_interval(*laid, draws, seed)
