"""Does the model prefer some answers? Corrections learned from the unlabelled voices it is asked.

A model may give one answer too often whatever it hears, since the word lies close to everything.
Both corrections here look at **all voices of the test set at once**, not at their truth: they are
*transductive*, an answer depends on which other voices are asked, and every table marks them so.

- `expected`: the EM of Saerens, Latinne and Decaestecker. It takes the probabilities as those of a
  classifier trained with equal shares of classes and looks for the shares under which the voices at
  hand are most likely. What is answered often becomes likelier still.
- `matched`: one bias a class, such that the mean probability of each class over the voices is
  equal. It takes the classes of the voices as balanced, which UAR does, too. The iteration is that
  of Sinkhorn and has one limit.

Conventions: logits `(voices, classes)`; biases are added to logits, in nats.
Source: Saerens, Latinne and Decaestecker, Neural Computation 2002; Liusie, Manakul and Gales,
IJCNLP-AACL 2023 (equal mean probabilities for zero-shot answers); Sinkhorn, Am. Math. Monthly 1967.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from paraclap.evidence.calibration import Floats, probabilities

AS_ASKED, EXPECTED, MATCHED = "as asked", "expected shares", "equal shares"
TRANSDUCTIVE = {AS_ASKED: False, EXPECTED: True, MATCHED: True}
TOLERANCE = 1e-9
ITERATIONS = 20_000
BALANCED = 1e-7  # how far mean probabilities may be apart, as a part of themselves


def expected(
    logits: npt.ArrayLike, prior: npt.ArrayLike | None = None, iterations: int = ITERATIONS
) -> Floats:
    """Bias of each class by the expected shares of the classes among these voices.

    Each round, the shares become the mean probabilities under the shares so far.

    Args:
        logits: of each voice and class
        prior: shares under which the logits were learned; equal if left out
        iterations: at most, after which the shares are taken as they are

    Returns:
        log of expected over prior share, `(classes,)`; very low for a class that is not expected

    Raises:
        ValueError: if a logit is not finite or the prior is not a positive share for each class
    """
    given = probabilities(logits)
    before = _prior(prior, given.shape[1])
    shares = before
    for _ in range(iterations):
        weighted = given * (shares / before)
        renewed = (weighted / weighted.sum(axis=1, keepdims=True)).mean(axis=0)
        moved = float(np.abs(renewed - shares).max())
        shares = np.maximum(renewed, np.finfo(float).tiny)
        if moved < TOLERANCE:
            break
    bias: Floats = np.log(shares / before)
    return bias


def matched(logits: npt.ArrayLike, iterations: int = ITERATIONS) -> Floats:
    """Bias of each class with which all have the same mean probability over these voices.

    Args:
        logits: of each voice and class
        iterations: at most

    Returns:
        biases with mean zero, `(classes,)`

    Raises:
        ValueError: if a logit is not finite, or the mean probabilities do not become equal
    """
    values = np.asarray(logits, float)
    means = probabilities(values).mean(axis=0)
    bias = np.zeros(len(means))
    for _ in range(iterations):
        if np.abs(means * len(means) - 1).max() < BALANCED:
            centred: Floats = bias - bias.mean()
            return centred
        bias = bias - np.log(np.maximum(means, np.finfo(float).tiny) * len(means))
        means = probabilities(values + bias).mean(axis=0)
    raise ValueError(
        f"Mean probabilities are {means.round(4).tolist()[:5]} after {iterations} rounds, expected "
        "equal ones: the logits are too far apart to be balanced; raise the temperature."
    )


def corrected(logits: npt.ArrayLike) -> dict[str, Floats]:
    """Logits as asked, and with each correction: `as asked`, `expected shares`, `equal shares`.

    Which of them are transductive stands in `TRANSDUCTIVE`. Raises as `expected` and `matched`.
    """
    values = np.asarray(logits, float)
    return {
        AS_ASKED: values,
        EXPECTED: values + expected(values),
        MATCHED: values + matched(values),
    }


def _prior(prior: npt.ArrayLike | None, classes: int) -> Floats:
    shares = np.full(classes, 1 / classes) if prior is None else np.asarray(prior, float)
    if shares.shape != (classes,) or not (shares > 0).all() or abs(shares.sum() - 1) > 1e-6:
        raise ValueError(
            f"Bad prior {shares.tolist()[:5]}, expected {classes} shares above 0 that add up to 1."
        )
    return shares
