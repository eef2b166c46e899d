"""Which voice belongs to which query: the contrastive objective.

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
    by_audio = functional.cross_entropy(logits, pairs)
    by_text = functional.cross_entropy(logits.T, pairs)
    return (by_audio + by_text) / 2


def contrastive_share(
    audio: torch.Tensor,
    text: torch.Tensor,
    all_audio: torch.Tensor,
    all_text: torch.Tensor,
    first: int,
    temperature: torch.Tensor,
    similarity: str = "cosine",
) -> torch.Tensor:
    """Loss of the pairs that one process holds of a batch; its mean over processes is the whole.

    Args:
        audio: Features of its voices, shape ``(n, d)``.
        text: Features of their queries, shape ``(n, d)``.
        all_audio: Of all processes, shape ``(all, d)``.
        all_text: Of all processes, shape ``(all, d)``.
        first: Row of its first pair among all.
        temperature: What similarities are multiplied with, a scalar.
        similarity: See :func:`scaled_similarity`.

    Returns:
        The loss, a scalar; with all pairs in one process, that of :func:`contrastive`.
    """
    by_audio = scaled_similarity(audio, all_text, temperature, similarity)
    if len(all_audio) == len(audio):
        return contrastive(by_audio)
    by_text = scaled_similarity(text, all_audio, temperature, similarity)
    pairs = torch.arange(first, first + len(audio), device=audio.device)
    return (
        functional.cross_entropy(by_audio, pairs) + functional.cross_entropy(by_text, pairs)
    ) / 2


def chance(batch: int) -> float:
    """Loss of a model that knows nothing: ln of the number of pairs in a batch."""
    return float(torch.tensor(math.log(batch), dtype=torch.float32))
