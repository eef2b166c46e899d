"""The loss of a batch: which caption belongs to which utterance?

The losses themselves are parts of the model. Chapters 4, 12. Source: ParaCLAP (Jing et al., 2024).
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable

from torch import Tensor
from torch.nn import functional

from paraclap.model.layers import contrastive_loss as contrastive_loss
from paraclap.model.layers import sigmoid_loss as sigmoid_loss
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


def loss_floor(captions: Iterable[Hashable]) -> float:
    """Smallest loss of a batch in which pairs share captions: sum over captions of g ln g / n.

    Equal captions have equal columns, and g utterances cannot each get more than 1 / g of them.

    >>> loss_floor(["is loud", "is quiet"]), loss_floor(["is loud", "is loud"])
    (0.0, 0.6931471805599453)
    """
    shared = Counter(captions).values()
    return sum(g * math.log(g) for g in shared) / max(1, sum(shared))
