"""What is to be learned from a batch: the objective of the paper, alone or mixed with another one.

The paper counts the one text drawn for a voice as true of it, and every other text of the batch as
false. Other objectives know more: that two voices were given the same text, that a text is true of
other voices too, how alike voices are. `targets` tells what is known of a batch and is made
where batches are read; `loss` compares it with what the towers found. An objective is one of
``SOFT``, whose target gives every text a share, or an entry of ``OTHERS``; its name stands in
``settings.CHOICES`` too (CONTRIBUTING.md adds one).

Conventions: a process holds ``n`` of the ``all`` pairs of a batch; logits ``by_audio`` are those of
its voices with all texts, ``by_text`` those of its texts with all voices, both ``(n, all)``. The
mean over processes is the loss of the batch. Source: section 2.1 of the paper, and what each
objective names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.nn.functional import one_hot

from paraclap.loss import matched, ranked, sigmoid

Known = Mapping[str, torch.Tensor]
# Logits by_audio and by_text, the column of each pair, what is known, the bias: to a scalar.
Objective = Callable[
    [torch.Tensor, torch.Tensor, torch.Tensor, Known, torch.Tensor | None], torch.Tensor
]


def loss(
    objective: str,
    weight: float,
    by_audio: torch.Tensor,
    by_text: torch.Tensor,
    first: int,
    known: Known,
    bias: torch.Tensor | None = None,
) -> torch.Tensor:
    """Loss of the pairs that a process holds.

    Args:
        objective: One of ``OBJECTIVES``.
        weight: Its share of the loss; the rest is the objective of the paper.
        by_audio: Logits, shape ``(n, all)``.
        by_text: Logits, shape ``(n, all)``.
        first: Column of the first pair of this process.
        known: What :class:`paraclap.targets.Targets` tells of the batch.
        bias: Added to all logits by ``"sigmoid"``.

    Returns:
        A scalar.
    """
    pairs = torch.arange(first, first + len(by_audio), device=by_audio.device)
    if objective in SOFT:
        # Cross entropy is linear in its targets: they are mixed in place of two losses.
        one = one_hot(pairs, by_audio.shape[1]).to(by_audio.dtype)
        to_text, to_audio = (one.lerp(known[name], weight) for name in ("by_audio", "by_text"))
        return (matched(by_audio, to_text) + matched(by_text, to_audio)) / 2
    plain = (matched(by_audio, pairs) + matched(by_text, pairs)) / 2
    if objective == "pairs" or weight == 0:
        return plain
    other = OTHERS[objective](by_audio, by_text, pairs, known, bias)
    return (1 - weight) * plain + weight * other


def _sigmoid(
    by_audio: torch.Tensor,
    by_text: torch.Tensor,
    pairs: torch.Tensor,
    known: Known,
    bias: torch.Tensor | None,
) -> torch.Tensor:
    assert bias is not None
    positives = one_hot(pairs, by_audio.shape[1]).to(by_audio.dtype)
    return sigmoid(by_audio + bias, positives)


def _rank(
    by_audio: torch.Tensor,
    by_text: torch.Tensor,
    pairs: torch.Tensor,
    known: Known,
    bias: torch.Tensor | None,
) -> torch.Tensor:
    distances = known["distances"]
    return (ranked(by_audio, distances) + ranked(by_text, distances)) / 2


SOFT = ("duplicates", "holds", "soft")  # those that give every text a share of the target
OTHERS: dict[str, Objective] = {"sigmoid": _sigmoid, "rank": _rank}
OBJECTIVES = ("pairs", *SOFT, *OTHERS)
