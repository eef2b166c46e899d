"""The loss of a batch: which caption belongs to which utterance?

Logits are ``(n, n)``, a row is an utterance, a column a caption, pairs lie on the diagonal.
Chapters 4, 12. Sources: ParaCLAP (Jing et al., 2024), equations 1, 2; SigLIP (Zhai et al., 2023).
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable

import torch
from torch import Tensor
from torch.nn import functional

from paraclap.tables import unknown


def scaled_similarity(
    audio: Tensor, text: Tensor, temperature: Tensor | float, similarity: str = "cosine"
) -> Tensor:
    """How well every utterance fits every caption: the logits ``(audio, text)``.

    Features are ``(audio, d)`` and ``(text, d)``. The authors' code trains with ``"dot"``.
    """
    if similarity not in ("cosine", "dot"):
        raise ValueError(unknown("similarity", similarity, ["cosine", "dot"]))
    if similarity == "cosine":
        audio = functional.normalize(audio, dim=-1)  # E^a / |E^a|
        text = functional.normalize(text, dim=-1)  # E^t / |E^t|
    return temperature * audio @ text.T  # C = tau E^a E^t, equation 1


def contrastive_loss(logits: Tensor) -> Tensor:
    """Symmetric cross entropy of the paper, a scalar; ValueError if logits are not ``(n, n)``."""
    if logits.ndim != 2 or logits.shape[0] != logits.shape[1]:
        shape = tuple(logits.shape)
        raise ValueError(f"Bad logits {shape}, expected (n, n): one caption for each utterance.")
    pairs = torch.arange(len(logits), device=logits.device)  # caption i for utterance i
    to_text = functional.cross_entropy(logits, pairs)  # l_text: softmax over the captions
    to_audio = functional.cross_entropy(logits.T, pairs)  # l_audio: softmax over the utterances
    return (to_text + to_audio) / 2  # equation 2


def sigmoid_loss(logits: Tensor) -> Tensor:
    """Does this caption belong to this utterance? Every pair by itself; logits have a bias."""
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
