"""The likeliest sentence of a language model: beam search by mean log probability.

As in the release of Pengi, sentences that have ended compete with those that have not, all by their
mean log probability per token. transformers' own search compares sums of log probabilities and
divides by the length at the end only, which prefers other sentences.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

Step = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def search(
    first: torch.Tensor, step: Step, beams: int, longest: int, stops: torch.Tensor
) -> list[int]:
    """Find a likely sentence.

    Args:
        first: logits of the first token, shape ``(vocabulary,)``
        step: from the beams that are continued ``(beams,)``, by their places in the beams of the
            step before, and their tokens ``(beams,)``, to the logits of the next, ``(beams,
            vocabulary)``
        beams: sentences kept at each step
        longest: tokens of a sentence
        stops: tokens that end a sentence

    Returns:
        the tokens, the one that ends it left out
    """
    logits = first.unsqueeze(0)
    tokens = torch.empty(1, 0, dtype=torch.long)
    sums, lengths, done = torch.zeros(1), torch.zeros(1), torch.zeros(1, dtype=torch.bool)
    for number in range(longest):
        total, length = _continued(logits, sums, lengths, done)
        rows, words = _best(total / length.unsqueeze(1), beams)
        tokens = torch.cat([tokens[rows], words.unsqueeze(1)], dim=1)
        sums, lengths = total[rows, words], length[rows]
        done = done[rows] | torch.isin(words, stops)
        if done.all() or number == longest - 1:
            break
        logits = step(rows, words)
    best = int((sums / lengths).argmax())
    sentence = tokens[best, : int(lengths[best])].tolist()
    return sentence[:-1] if done[best] else sentence


def _continued(
    logits: torch.Tensor, sums: torch.Tensor, lengths: torch.Tensor, done: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums of log probabilities of all continuations, and lengths; what has ended stays."""
    likely = logits.log_softmax(-1)
    likely[done] = -torch.inf
    likely[done, 0] = 0.0
    return sums.unsqueeze(1) + likely, lengths + ~done


def _best(means: torch.Tensor, beams: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Beams and tokens of the best continuations."""
    possible = int(means.isfinite().sum())
    places = means.flatten().topk(min(beams, possible)).indices
    return places // means.shape[1], places % means.shape[1]
