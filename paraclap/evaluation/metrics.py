"""Scores of answers: recall, F1, confusion, and calibration.

Truth and prediction are labels, one per utterance. ``labels`` are the classes of the task in order:
each must occur in the truth, and nothing else may occur. All scores lie in 0 to 1; guessing has an
unweighted average recall (UAR) of 1 / classes. A temperature, fitted to the dev split, divides all
logits: probabilities change, answers do not. Chapters 5 and 11. Source: section 3 of the paper
(UAR); Guo et al., ICML 2017 (temperature, calibration error).
"""

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
    """Count how often each class (row) was given each answer (column); raises as :func:`uar`.

    ``normalize`` gives shares of the row instead of counts: the diagonal is the recall.
    """
    t, p = label_codes(truth, prediction, labels)
    counts = audmetric.confusion_matrix(t, p, labels=[*range(len(labels))], normalize=normalize)
    rows, columns = (pd.Index(list(labels), name=name) for name in ("truth", "prediction"))
    return pd.DataFrame(counts, index=rows, columns=columns)


def label_codes(truth: Answers, prediction: Answers, labels: Sequence[str]) -> tuple[Codes, Codes]:
    """Positions of truth and prediction in ``labels``, each ``(n,)``; raises as :func:`uar`."""
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise ValueError(f"Bad labels {list(labels)}, expected two or more distinct classes.")
    if len(truth) != len(prediction) or not len(truth):
        sizes = f"{len(truth)} truths and {len(prediction)} predictions"
        raise ValueError(f"Got {sizes}, expected one of each per utterance.")
    codes = []
    for values, what in ((truth, "truth"), (prediction, "prediction")):
        found = pd.Index(list(values), dtype=object)
        codes.append(pd.Index(list(labels)).get_indexer(found))
        if (bad := codes[-1] < 0).any():
            names, where = ", ".join(found[bad].map(str).unique()[:5]), f"the {what}"
            raise ValueError(unknown("label", names, labels, f"{where} ({bad.sum()} utterances)"))
    if absent := [label for k, label in enumerate(labels) if k not in codes[0]]:
        msg = f"No truth of {absent[:5]} among {len(truth)} utterances, expected each of"
        raise ValueError(f"{msg} {list(labels)}: leave the class out or add utterances of it.")
    return codes[0], codes[1]


def recalls(predictions: pd.DataFrame) -> pd.DataFrame:
    """Recall and precision of every class of every task (column ``corpus``).

    Returns ``task, label, n, recall, answered`` (times), ``precision`` (missing if never), ``f1``.
    """
    right = predictions.assign(right=predictions["truth"] == predictions["prediction"])
    found = right.groupby(["corpus", "truth"], sort=False)["right"].agg(["size", "mean", "sum"])
    given = right.groupby(["corpus", "prediction"])["right"].agg(["size", "mean"])
    answered = given["size"].reindex(found.index, fill_value=0)
    f1 = 2 * found.pop("sum") / (found["size"] + answered)
    found = found.assign(answered=answered, precision=given["mean"], f1=f1).reset_index()
    return found.set_axis(["task", "label", "n", "recall", "answered", "precision", "f1"], axis=1)


def by_group(predictions: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    """UAR of tasks by ``group`` (one a row, or none), over its classes: ``task, group, n, uar``."""
    right = predictions["truth"] == predictions["prediction"]
    keys = {"task": predictions["corpus"], "group": group.to_numpy(), "label": predictions["truth"]}
    table = pd.DataFrame({**keys, "right": right}).dropna()
    found = table.groupby(["task", "group", "label"], sort=False)["right"].agg(["size", "mean"])
    grouped = found.groupby(["task", "group"], sort=False)
    return grouped.agg(n=("size", "sum"), uar=("mean", "mean")).reset_index()


def reliability(confidence: npt.ArrayLike, right: npt.ArrayLike, bins: int = 10) -> pd.DataFrame:
    """Mean ``confidence`` and share of ``right`` answers (of ``n``) in bins of equal width.

    A value at an edge of two bins belongs to the lower one; empty bins are left out.
    """
    sure = np.asarray(confidence, float)
    shares, means = calibration_curve(np.asarray(right, int), sure, pos_label=1, n_bins=bins)
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], sure))
    return pd.DataFrame({"n": counts[counts > 0], "confidence": means, "right": shares})


def ece(confidence: npt.ArrayLike, right: npt.ArrayLike, bins: int = 10) -> float:
    """Expected calibration error: mean gap of confidence and right answers over bins."""
    table = reliability(confidence, right, bins)
    return float(np.average((table["confidence"] - table["right"]).abs(), weights=table["n"]))


def fit_temperature(parts: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]]) -> float:
    """The temperature, 0.01 to 1000, with the least mean negative log-likelihood of the truth.

    ``parts`` are, for each question, logits ``(n, classes)`` and positions of the truth ``(n,)``.
    """
    pairs = [(np.asarray(z, float), np.asarray(truth, np.intp)) for z, truth in parts]
    if not all(np.isfinite(z).all() for z, _ in pairs):
        raise ValueError("Got a logit that is not finite, expected numbers.")

    def loss(log: float) -> float:
        logs = [log_softmax(z / np.exp(log), axis=1)[np.arange(len(t)), t] for z, t in pairs]
        return -float(np.concatenate(logs).mean())

    found = minimize_scalar(loss, bounds=np.log([0.01, 1000]), method="bounded")
    return float(np.exp(found.x))
