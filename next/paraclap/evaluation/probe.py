"""What do a few labelled utterances bring? A linear probe on embeddings, by utterances per class.

A logistic regression learns the classes of a task from `k` utterances of each class and answers for
test utterances of other speakers. Where the corpus of a task has a train or dev split, the probe
learns from there; else from folds of the test split: every utterance is answered once, by a probe
that has learned from none of its speaker. A class with fewer than `k` utterances gives all it has.

The same utterances are drawn for all systems, those of a smaller `k` among those of a larger one.
Vectors are standardised by all utterances that could be drawn. The score is the mean over draws,
its *spread* their standard deviation, its interval is over speakers.

Conventions: UAR lies in 0 to 1. Chapter 12. Source: Radford et al., ICML 2021, section 3.1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

from paraclap.evaluation.bootstrap import bootstrap_interval, units
from paraclap.evaluation.metrics import Floats, uar

SHOTS = (1, 4, 16, 64)
FOLDS = 5
Fold = tuple[NDArray[np.intp], NDArray[np.intp]]
STRENGTH = 0.01  # C of the regression, by the dev split of the built-in corpora


def learning_rows(
    labels: pd.DataFrame, tasks: Mapping[str, Collection[str]], most: int = 128, seed: int = 0
) -> pd.DataFrame:
    """Utterances of train and dev splits that probes may learn from, at most so many of a class.

    No speaker in the test split of the same corpus is among them.
    """
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
    tasks: Mapping[str, Collection[str]],
    shots: Sequence[int] = SHOTS,
    repeats: int = 5,
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score probes of all systems on every task.

    Args:
        systems: name → vectors, on an index that holds that of the utterances
        rows: test utterances, see `tasks.task_rows`
        learn: of `learning_rows`
        tasks: task → its classes; one with fewer than two named speakers is left out with a line
        shots: utterances per class
        repeats: draws of the utterances to learn from
        draws: of the bootstrap over speakers
        seed: of all draws

    Returns:
        `task, system, k, fewest` (of a class), `source, chance, uar, spread, uar_low, uar_high`

    Raises:
        ValueError: if a vector is missing or not finite
    """
    found = []
    for task, classes in tasks.items():
        test = rows[(rows["corpus"] == task) & rows["label"].isin([*classes])]
        other = learn[learn["corpus"] == task]
        everyone = pd.concat([test, other])
        if everyone["speaker"].isna().any() or everyone["speaker"].nunique() < 2:
            print(f"Left out {task}: there are no utterances of other, named speakers.")
            continue
        folds = _folds(test, other)
        source = "train and dev" if len(other) else f"{len(folds)} folds of test"
        about = {"task": task, "source": source, "chance": 1 / len(classes)}
        for name, table in systems.items():
            vectors = table.loc[everyone.index].to_numpy(float)
            if not np.isfinite(vectors).all():
                raise ValueError(
                    f"Missing or infinite values of {name!r} in {task}: leave them out."
                )
            for k in shots:
                answers, fewest = _answers(vectors, everyone["label"], folds, k, repeats, seed)
                scores = _score(test, answers, [*classes], draws, seed)
                found.append({**about, "system": name, "k": k, "fewest": fewest, **scores})
    columns = ["task", "system", "k", "fewest", "source", "chance"]
    return pd.DataFrame(found, columns=[*columns, "uar", "spread", "uar_low", "uar_high"])


def _folds(test: pd.DataFrame, learn: pd.DataFrame) -> list[Fold]:
    """Places to learn from and places to answer for, in `test` followed by `learn`."""
    places = np.arange(len(test))
    if len(learn):
        return [(len(test) + np.arange(len(learn)), places)]
    folds = GroupKFold(min(FOLDS, test["speaker"].nunique()))
    return list(folds.split(places, groups=test["speaker"].to_numpy(object)))


def _answers(
    vectors: Floats, labels: pd.Series, folds: Sequence[Fold], k: int, repeats: int, seed: int
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
) -> dict[str, float]:
    """Mean and spread over draws; laid end to end, the UAR of all answers is their mean."""
    truth, repeats = test["label"].to_numpy(object), len(answers)
    each = [uar(truth, one, classes) for one in answers]
    unit, _ = units(test["speaker"], len(test))
    laid = np.tile(truth, repeats), answers.ravel(), classes, np.tile(unit, repeats)
    low, high = bootstrap_interval(*laid, draws, seed)
    spread = float(np.std(each, ddof=1)) if repeats > 1 else np.nan
    return {"uar": float(np.mean(each)), "spread": spread, "uar_low": low, "uar_high": high}
