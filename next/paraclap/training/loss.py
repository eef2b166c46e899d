"""The loss of a batch: which text belongs to which utterance?

Conventions: logits ``(n, n)``, a row is an utterance, a column a text, row ``i`` and column ``i``
are a pair; ``temperature`` is the factor of the similarities, as in the paper. Chapter 4. Source:
ParaCLAP (Jing et al., 2024), section 2.1, equations 1 and 2; for the sigmoid loss, which chapter 12
compares, SigLIP (Zhai et al., 2023).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable

import torch
from torch import Tensor
from torch.nn import functional

from paraclap.tables import unknown

SIMILARITIES = ("cosine", "dot")


def scaled_similarity(
    audio: Tensor, text: Tensor, temperature: Tensor | float, similarity: str = "cosine"
) -> Tensor:
    """How well every utterance fits every text: the logits.

    Args:
        audio: Of utterances, shape ``(audio, d)``.
        text: Of texts, shape ``(text, d)``.
        temperature: Factor of the similarities, a scalar.
        similarity: ``"cosine"``, or ``"dot"``, with which the authors' code trains.

    Returns:
        Logits, shape ``(audio, text)``.

    Raises:
        ValueError: If there is no such similarity.
    """
    if similarity not in SIMILARITIES:
        raise ValueError(unknown("similarity", similarity, SIMILARITIES))
    if similarity == "cosine":
        audio = functional.normalize(audio, dim=-1)  # E^a / |E^a|
        text = functional.normalize(text, dim=-1)  # E^t / |E^t|
    return temperature * audio @ text.T  # C = tau E^a E^t, equation 1


def contrastive_loss(logits: Tensor) -> Tensor:
    """Symmetric cross entropy of the paper.

    Args:
        logits: Shape ``(n, n)``, pairs on the diagonal.

    Returns:
        The loss, a scalar; ln n if all logits are equal.

    Raises:
        ValueError: If ``logits`` is not a square matrix.
    """
    if logits.ndim != 2 or logits.shape[0] != logits.shape[1]:
        shape = tuple(logits.shape)
        raise ValueError(f"Bad logits {shape}, expected (n, n): one text for each utterance.")
    pairs = torch.arange(len(logits), device=logits.device)  # text i for utterance i
    to_text = functional.cross_entropy(logits, pairs)  # l_text: softmax over the texts
    to_audio = functional.cross_entropy(logits.T, pairs)  # l_audio: softmax over the utterances
    return (to_text + to_audio) / 2  # equation 2


def sigmoid_loss(logits: Tensor) -> Tensor:
    """Does this text belong to this utterance? Asked of every pair, no softmax between texts.

    Args:
        logits: Shape ``(n, n)``, with the bias added.

    Returns:
        The sum over texts, averaged over utterances, a scalar.
    """
    truth = torch.eye(len(logits), dtype=logits.dtype, device=logits.device)
    each = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return each.sum(1).mean()


def loss_floor(captions: Iterable[Hashable]) -> float:
    """Smallest loss of a batch in which pairs share captions: sum over captions of g ln g / n.

    Equal captions have equal columns, and g utterances cannot each get more than 1 / g of them.

    >>> loss_floor(["is loud", "is quiet"]), loss_floor(["is loud", "is loud"])
    (0.0, 0.6931471805599453)
    """
    shared = Counter(captions).values()
    return sum(g * math.log(g) for g in shared) / max(1, sum(shared))
