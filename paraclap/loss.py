"""Which voice belongs to which query: contrastive objectives, the paper's and others.

Conventions: logits have shape ``(audio, text)``; row ``i`` and column ``i`` are a pair. Source:
ParaCLAP (Jing et al., 2024), section 2.1, equations 1 and 2.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional

SIMILARITIES = ("cosine", "dot")


def scaled_similarity(
    audio: torch.Tensor, text: torch.Tensor, temperature: torch.Tensor, similarity: str = "cosine"
) -> torch.Tensor:
    """How well every voice fits every query, equation 1.

    Args:
        audio: Features of voices, shape ``(audio, d)``.
        text: Features of queries, shape ``(text, d)``.
        temperature: What similarities are multiplied with, a scalar.
        similarity: ``"cosine"``, as the paper says, or ``"dot"``, the plain inner product that
            the authors' released code trains with.

    Returns:
        Logits, shape ``(audio, text)``.

    Raises:
        ValueError: If there is no such similarity.
    """
    if similarity not in SIMILARITIES:
        raise ValueError(f"Bad similarity {similarity!r}, expected one of {SIMILARITIES}.")
    if similarity == "cosine":
        audio, text = functional.normalize(audio, dim=-1), functional.normalize(text, dim=-1)
    logits: torch.Tensor = temperature * audio @ text.T
    return logits


def contrastive(logits: torch.Tensor) -> torch.Tensor:
    """Symmetric cross entropy of the paper, averaged over both directions.

    Args:
        logits: Scaled cosine similarities, shape ``(n, n)``, pairs on the diagonal.

    Returns:
        The loss, a scalar; ``chance(n)`` when all logits are equal.

    Raises:
        ValueError: If ``logits`` is not a square matrix.

    Examples:
        >>> contrastive(torch.zeros(4, 4)).item() == chance(4)
        True
    """
    if logits.ndim != 2 or logits.shape[0] != logits.shape[1]:
        raise ValueError(
            f"Bad logits of shape {tuple(logits.shape)}, expected (n, n): "
            "give every voice of the batch exactly one query."
        )
    pairs = torch.arange(logits.shape[0], device=logits.device)
    return (matched(logits, pairs) + matched(logits.T, pairs)) / 2


def matched(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross entropy of some rows of logits with the columns that they should find.

    Args:
        logits: Shape ``(n, all)``.
        targets: The one column of each row, shape ``(n,)``, or a probability of each column,
            shape ``(n, all)``, rows adding up to 1.

    Returns:
        The mean over rows, a scalar.
    """
    return functional.cross_entropy(logits, targets)


def sigmoid(logits: torch.Tensor, positives: torch.Tensor) -> torch.Tensor:
    """Every voice and every text by themselves: do they belong together?

    No softmax sets one text against another, so several may be true. Source: Zhai et al. 2023,
    "Sigmoid loss for language image pre-training" (SigLIP).

    Args:
        logits: Scaled similarities with the bias added, shape ``(n, all)``.
        positives: 1 where voice and text belong together, else 0, same shape.

    Returns:
        The sum over texts, averaged over voices, a scalar.

    Examples:
        >>> round(sigmoid(torch.zeros(2, 2), torch.eye(2)).item(), 4)  # 2 ln 2
        1.3863
    """
    each = functional.binary_cross_entropy_with_logits(logits, positives, reduction="none")
    return each.sum(1).mean()


def ranked(logits: torch.Tensor, distances: torch.Tensor) -> torch.Tensor:
    """Texts of voices with like ratings should fit a voice better than those of unlike ones.

    For every voice ``i`` and every text ``j`` whose voice has a known rating, the softmax of ``j``
    runs over all texts whose voices are at least as far from ``i`` in their ratings. Source: Zha
    et al. 2023, "Rank-N-Contrast"; across modalities: EmotionRankCLAP (arXiv 2505.23732).

    Args:
        logits: Shape ``(n, all)``.
        distances: Between the ratings of the two voices, same shape; nan where one is not known.

    Returns:
        The mean over all such pairs, a scalar; 0 where there is none.
    """
    known = ~distances.isnan()
    far = torch.where(known, distances, -math.inf)
    far, order = far.sort(dim=1, descending=True)
    sums = logits.gather(1, order).logcumsumexp(1)  # those that are not known come last
    # Texts of one distance share the sum that ends with the last of them.
    last = torch.searchsorted(-far, -far, right=True) - 1
    each = sums.gather(1, last) - logits.gather(1, order)
    return each.masked_fill(far.isinf(), 0).sum() / known.sum().clamp(min=1)


def chance(batch: int) -> float:
    """Loss of a model that knows nothing: ln of the number of pairs in a batch."""
    return float(torch.tensor(math.log(batch), dtype=torch.float32))
