"""Scores of answers: recall, F1, confusion, and calibration.

Truth and prediction are sequences of labels of the same length. ``labels`` is the ordered list of
the classes of the task: each of them must occur in the truth, and nothing else may occur. The main
score is the unweighted average recall (UAR): the mean over classes of the share that was found, so
that chance is 1 / classes however unbalanced a corpus is. All scores lie in 0 to 1.

An answer is *calibrated* if, of all answers given with probability 0.7, seven in ten are right. The
expected calibration error (ECE) is the gap between the two, averaged over bins of probability. A
temperature divides all logits by one number, fitted to labelled utterances of the dev split:
probabilities change, answers do not.

Chapters 5 and 11. Source: section 3 of the paper (UAR); Guo, Pleiss, Sun and Weinberger, ICML 2017
(temperature, ECE); Nguyen and O'Connor, EMNLP 2015 (bins of equal mass).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import audmetric
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.calibration import calibration_curve

from paraclap.tables import unknown

Answers = Sequence[str] | pd.Series | npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
TEMPERATURES = (0.01, 1000.0)  # where the fit looks


def uar(truth: Answers, prediction: Answers, labels: Sequence[str]) -> float:
    """Unweighted average recall: every class counts the same, however rare it is.

    Raises:
        ValueError: if a class has no truth, a label is unknown or missing, or lengths differ

    >>> uar(["a", "a", "b"], ["a", "b", "b"], ["a", "b"])
    0.75
    """
    t, p = label_codes(truth, prediction, labels)  # positions in labels, one per utterance
    recall = [np.mean(p[t == k] == k) for k in range(len(labels))]  # of class k: share found
    return float(np.mean(recall))


def accuracy(truth: Answers, prediction: Answers, labels: Sequence[str]) -> float:
    """Share of utterances answered right; raises as :func:`uar`."""
    return float(audmetric.accuracy(*label_codes(truth, prediction, labels)))


def macro_f1(truth: Answers, prediction: Answers, labels: Sequence[str]) -> float:
    """Mean over classes of F1; a class that is never answered counts 0. Raises as :func:`uar`."""
    t, p = label_codes(truth, prediction, labels)
    return float(audmetric.unweighted_average_fscore(t, p, labels=list(range(len(labels)))))


def confusion(
    truth: Answers, prediction: Answers, labels: Sequence[str], normalize: bool = False
) -> pd.DataFrame:
    """Count how often each class (row) was given each answer (column).

    Args:
        truth: true labels
        prediction: answers
        labels: classes, in the order of rows and columns
        normalize: shares of the row instead of counts: the diagonal is the recall

    Raises:
        ValueError: as :func:`uar`

    >>> confusion(["a", "a", "b"], ["a", "b", "b"], ["a", "b"]).to_numpy().tolist()
    [[1, 1], [0, 1]]
    """
    t, p = label_codes(truth, prediction, labels)
    numbers = list(range(len(labels)))
    counts = audmetric.confusion_matrix(t, p, labels=numbers, normalize=normalize)
    rows, columns = (pd.Index(list(labels), name=name) for name in ("truth", "prediction"))
    return pd.DataFrame(counts, index=rows, columns=columns)


def label_codes(truth: Answers, prediction: Answers, labels: Sequence[str]) -> tuple[Codes, Codes]:
    """Positions of truth and prediction in ``labels``, each ``(n,)``; raises as :func:`uar`."""
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise ValueError(f"Bad labels {list(labels)}, expected two or more distinct classes.")
    if len(truth) != len(prediction) or not len(truth):
        sizes = f"{len(truth)} truths and {len(prediction)} predictions"
        raise ValueError(f"Got {sizes}, expected one of each per utterance.")
    t, p = _positions(truth, labels, "truth"), _positions(prediction, labels, "prediction")
    absent = [label for k, label in enumerate(labels) if not (t == k).any()]
    if absent:
        raise ValueError(
            f"No truth of {absent[:5]} among {len(t)} utterances, expected each of {list(labels)}: "
            "its recall is not defined; leave the class out or add utterances of it."
        )
    return t, p


def _positions(values: Answers, labels: Sequence[str], what: str) -> Codes:
    found = np.asarray(list(values), object)
    codes = pd.Index(list(labels)).get_indexer(pd.Index(found, dtype=object))
    if (codes < 0).any():
        bad = ", ".join(dict.fromkeys(map(str, found[codes < 0][:5])))
        where = f"the {what} ({int((codes < 0).sum())} utterances)"
        raise ValueError(unknown("label", bad, labels, where))
    return codes


def recalls(predictions: pd.DataFrame) -> pd.DataFrame:
    """Recall and precision of every class of every task.

    A class that is always answered has recall 1 and a low precision: both belong together.

    Args:
        predictions: columns ``corpus`` (the task), ``truth``, ``prediction``

    Returns:
        ``task, label, n, recall, answered`` (how often it was the answer), ``precision`` (share of
        these that was right, missing if it was never the answer)
    """
    right = predictions.assign(right=predictions["truth"] == predictions["prediction"])
    found = right.groupby(["corpus", "truth"], sort=False)["right"].agg(["size", "mean"])
    given = right.groupby(["corpus", "prediction"])["right"].agg(["size", "mean"])
    given = given.reindex(found.index)
    found["answered"] = given["size"].fillna(0).astype(int)
    found["precision"] = given["mean"]
    names = ["task", "label", "n", "recall", "answered", "precision"]
    return found.reset_index().set_axis(names, axis=1)


def describe_recalls(table: pd.DataFrame) -> list[str]:
    """The classes with the highest and the lowest F1, and tasks with one answer set apart.

    Args:
        table: of :func:`recalls`
    """
    answers = (table["answered"] > 0).groupby(table["task"]).transform("sum")
    several, single = table[answers > 1], table.loc[answers == 1, "task"].unique()
    recall, precision = several["recall"], several["precision"].fillna(0)
    f1 = (2 * recall * precision / (recall + precision)).fillna(0)
    sentences = [f"Always the same answer, so left out here: {task}." for task in single]
    for word, row in (("Highest", f1.argmax()), ("Lowest", f1.argmin())) if len(f1) else ():
        one = several.iloc[row]
        scores = f"recall {one['recall']:.2f} of {one['n']}, precision {precision.iloc[row]:.2f}"
        where = f"{one['label']} in {one['task']}"
        sentences.append(f"{word} F1: {where} ({scores} of {one['answered']} answers).")
    return sentences


def by_group(predictions: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    """UAR of each task within each group, such as each gender.

    Args:
        predictions: columns ``corpus``, ``truth``, ``prediction``
        group: one value per row, in the same order; rows without one are left out

    Returns:
        ``task, group, n, uar``, the UAR over the classes that the group has
    """
    right = predictions["truth"] == predictions["prediction"]
    keys = {"task": predictions["corpus"], "group": group.to_numpy(), "label": predictions["truth"]}
    table = pd.DataFrame({**keys, "right": right}).dropna()
    found = table.groupby(["task", "group", "label"], sort=False)["right"].agg(["size", "mean"])
    grouped = found.groupby(["task", "group"], sort=False)
    result = pd.DataFrame({"n": grouped["size"].sum(), "uar": grouped["mean"].mean()})
    return result.reset_index()


def reliability(
    confidence: npt.ArrayLike, right: npt.ArrayLike, bins: int = 10, equal_mass: bool = False
) -> pd.DataFrame:
    """Mean confidence and share of right answers in bins of confidence.

    Args:
        confidence: probability of each answer, ``(n,)``
        right: whether it is right, ``(n,)``
        bins: how many; a value at an edge belongs to the lower bin
        equal_mass: bins between quantiles (about as many answers each) instead of equal width

    Returns:
        ``bin_low, bin_high, n, confidence, right``, empty bins left out

    Raises:
        ValueError: if nothing is given, lengths differ, or a confidence is not in 0 to 1
    """
    sure, hit = np.asarray(confidence, float), np.asarray(right, int)
    if sure.shape != hit.shape or not sure.size or bins < 1:
        msg = f"Got {sure.size} confidences, {hit.size} answers and {bins} bins"
        raise ValueError(f"{msg}, expected one confidence per answer, and at least one bin.")
    if (bad := sure[~((sure >= 0) & (sure <= 1 + 1e-6))]).size:
        raise ValueError(f"Bad confidence {bad[:5].tolist()}, expected 0 to 1.")
    sure, steps = sure.clip(0, 1), np.linspace(0, 1, bins + 1)
    strategy = "quantile" if equal_mass else "uniform"
    shares, means = calibration_curve(hit, sure, pos_label=1, n_bins=bins, strategy=strategy)
    edges = np.percentile(sure, steps * 100) if equal_mass else steps
    counts = np.bincount(np.searchsorted(edges[1:-1], sure), minlength=bins)
    table = pd.DataFrame({"bin_low": edges[:-1], "bin_high": edges[1:], "n": counts})
    table = table[table["n"] > 0].reset_index(drop=True)
    return table.assign(confidence=means, right=shares)


def ece(
    confidence: npt.ArrayLike, right: npt.ArrayLike, bins: int = 10, equal_mass: bool = False
) -> float:
    """Expected calibration error, 0 to 1; arguments and errors as :func:`reliability`.

    >>> round(ece([0.9, 0.9, 0.6, 0.6], [True, True, True, False]), 3)
    0.1
    """
    table = reliability(confidence, right, bins, equal_mass)
    gaps = (table["confidence"] - table["right"]).abs()
    return float(np.average(gaps, weights=table["n"]))


def fit_temperature(parts: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]]) -> float:
    """Fit one temperature to labelled utterances of the dev split.

    It minimises the mean negative log-likelihood of the truth over all utterances of all questions,
    which may have different numbers of classes.

    Args:
        parts: for each question, logits ``(n, classes)`` and positions of the truth ``(n,)``

    Returns:
        the temperature, within 0.01 to 1000; above 1 it makes answers less sure

    Raises:
        ValueError: if there is no utterance, or a logit is not finite
    """
    pairs = [(np.asarray(z, float), np.asarray(truth, np.intp)) for z, truth in parts]
    pairs = [(z, truth) for z, truth in pairs if len(truth)]
    if not pairs or not all(np.isfinite(z).all() for z, _ in pairs):
        what = "a logit that is not finite" if pairs else "no dev utterances"
        raise ValueError(f"Got {what}, expected finite logits of one utterance at least.")

    def loss(log: float) -> float:
        logs = [log_softmax(z / np.exp(log), axis=1)[np.arange(len(t)), t] for z, t in pairs]
        return -float(np.concatenate(logs).mean())

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded")
    return float(np.exp(found.x))
