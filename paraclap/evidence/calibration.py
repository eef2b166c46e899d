"""Does the model know how sure it may be? Reliability, calibration error, and a temperature.

An answer is calibrated if, of all answers given with probability 0.7, seven in ten are right. The
*expected calibration error* (ECE) is the gap between the two, averaged over bins of probability by
their number of voices. Bins of equal width show where on the scale the gap lies; bins of equal mass
hold the same number of voices each, so that none is made of a few. A *temperature* divides all
logits by one number, fitted to labelled voices of the **dev split only**: probabilities change,
answers do not.

Conventions: logits `(voices, classes)`; truth as positions of classes `(voices,)`; confidence is
the probability of the answer given, in 0 to 1.
Source: Guo, Pleiss, Sun and Weinberger, ICML 2017 (temperature, ECE); Nguyen and O'Connor, EMNLP
2015 (bins of equal mass).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
TEMPERATURES = (0.01, 1000.0)  # where the fit looks


def probabilities(logits: npt.ArrayLike, temperature: float = 1.0) -> Floats:
    """Softmax over classes, `(voices, classes)`.

    Args:
        logits: of each voice and class
        temperature: above 1 makes answers less sure, below 1 surer

    Raises:
        ValueError: if the temperature is not above 0 or a logit is not finite

    >>> probabilities([[2.0, 0.0]], temperature=1e6).round(3).tolist()
    [[0.5, 0.5]]
    """
    if not temperature > 0:
        raise ValueError(f"Bad temperature {temperature}, expected more than 0.")
    shares: Floats = softmax(_finite(logits) / temperature, axis=1)
    return shares


def sureness(shares: Floats, truth: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Confidence of each answer, and whether it is right.

    Args:
        shares: probabilities `(voices, classes)`
        truth: position of the true class, `(voices,)`
    """
    return shares.max(axis=1), shares.argmax(axis=1) == np.asarray(truth)


def reliability(
    confidence: npt.ArrayLike, right: npt.ArrayLike, bins: int = 10, equal_mass: bool = False
) -> pd.DataFrame:
    """Confidence and share of right answers, bin by bin.

    Args:
        confidence: of each answer
        right: whether it is right
        bins: how many; those of equal width hold their upper edge
        equal_mass: bins with the same number of voices instead of the same width

    Returns:
        `bin_low, bin_high, n, confidence, right`, empty bins left out; with equal mass the edges
        are the least and the largest confidence in the bin

    Raises:
        ValueError: if nothing is given, lengths differ, a confidence is not in 0 to 1, or there is
            no bin
    """
    sure, hit = _answers(confidence, right, bins)
    table = pd.DataFrame({"confidence": sure, "right": hit, "bin": _bins(sure, bins, equal_mass)})
    grouped = table.groupby("bin")
    found = grouped.agg(
        n=("right", "size"), confidence=("confidence", "mean"), right=("right", "mean")
    )
    edges = np.linspace(0, 1, bins + 1)
    places = found.index.to_numpy()
    low, high = edges[places], edges[places + 1]
    if equal_mass:
        ends = grouped["confidence"].agg(["min", "max"])
        low, high = ends["min"].to_numpy(), ends["max"].to_numpy()
    return found.assign(bin_low=low, bin_high=high).reset_index(drop=True)[
        ["bin_low", "bin_high", "n", "confidence", "right"]
    ]


def ece(
    confidence: npt.ArrayLike, right: npt.ArrayLike, bins: int = 10, equal_mass: bool = False
) -> float:
    """Expected calibration error, 0 to 1. Arguments and errors as `reliability`.

    >>> round(ece([0.9, 0.9, 0.6, 0.6], [True, True, True, False]), 3)
    0.1
    """
    table = reliability(confidence, right, bins, equal_mass)
    gaps = (table["confidence"] - table["right"]).abs()
    return float(np.average(gaps, weights=table["n"]))


def fit_temperature(parts: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]]) -> float:
    """Fit one temperature to labelled voices of the dev split.

    It minimises the mean negative log-likelihood of the truth, over all voices of all questions
    together. The likelihood has one maximum in 1 / temperature.

    Args:
        parts: for each question asked of dev voices, logits `(voices, classes)` and the positions
            of the true classes `(voices,)`

    Returns:
        the temperature, within 0.01 to 1000; at an end of the range where logits and truth have
        nothing to do with each other

    Raises:
        ValueError: if there is no dev voice, or a logit is not finite
    """
    pairs = [(np.asarray(logits, float), np.asarray(truth, np.intp)) for logits, truth in parts]
    ready = [(_finite(logits), truth) for logits, truth in pairs if len(truth)]
    if not ready:
        raise ValueError("No dev voices to fit a temperature to, expected one at least.")

    def loss(log: float) -> float:
        return float(np.concatenate([_surprise(z / np.exp(log), t) for z, t in ready]).mean())

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded")
    return float(np.exp(found.x))


def _surprise(logits: Floats, truth: Codes) -> Floats:
    """Negative log-likelihood of the truth in nats, `(voices,)`."""
    logs: Floats = log_softmax(logits, axis=1)
    return -logs[np.arange(len(truth)), truth]


def _bins(sure: Floats, bins: int, equal_mass: bool) -> Codes:
    if equal_mass:
        ranks = np.argsort(np.argsort(sure, kind="stable"), kind="stable")
        return (ranks * bins) // len(sure)
    return np.clip(np.ceil(sure * bins).astype(np.intp) - 1, 0, bins - 1)


def _finite(logits: npt.ArrayLike) -> Floats:
    values = np.asarray(logits, float)
    if values.ndim != 2 or not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise ValueError(
            f"Bad logits of shape {values.shape} ({bad} not finite), expected finite ones of shape "
            "(voices, classes)."
        )
    return values


def _answers(confidence: npt.ArrayLike, right: npt.ArrayLike, bins: int) -> tuple[Floats, Floats]:
    sure, hit = np.asarray(confidence, float), np.asarray(right, float)
    if sure.shape != hit.shape or not sure.size or bins < 1:
        raise ValueError(
            f"Got {sure.size} confidences, {hit.size} answers and {bins} bins, expected one "
            "confidence an answer, and at least one of each."
        )
    bad = sure[~((sure >= 0) & (sure <= 1 + 1e-6))]
    if len(bad):
        raise ValueError(f"Bad confidence {bad[:5].tolist()}, expected 0 to 1.")
    return sure, hit
