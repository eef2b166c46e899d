"""What a frozen text tower says of all texts of a run, computed once.

While it is frozen its output for a text never changes; only the projection head behind it works at
every step. Runs of one process that say the same texts, such as those that differ in their
objective alone, share what was computed.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

import torch

from paraclap import progress
from paraclap.model import ParaCLAP

CHUNK = 128
KEPT = 256e6  # bytes of outputs that are kept for further runs of this process
_kept: OrderedDict[str, torch.Tensor] = OrderedDict()


def pooled_texts(model: ParaCLAP, texts: Sequence[str]) -> torch.Tensor:
    """Output of the text tower for each text, without dropout.

    Args:
        model: Its mode is as before afterwards.
        texts: Texts of similar length are encoded together.

    Returns:
        Shape ``(texts, hidden_size)``, on the device of the model.
    """
    key = _key(model, texts)
    if key not in _kept:
        _kept[key] = _pooled(model, texts)
    _kept.move_to_end(key)
    pooled = _kept[key]
    while sum(one.nbytes for one in _kept.values()) > KEPT:
        _kept.popitem(last=False)
    return pooled


def _key(model: ParaCLAP, texts: Sequence[str]) -> str:
    """Digest of all that the output depends on."""
    digest = hashlib.sha256(f"{model.device} {model.config.text_pooling}".encode())
    digest.update("\n".join(texts).encode())
    for weight in model.text_model.state_dict().values():
        digest.update(weight.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _pooled(model: ParaCLAP, texts: Sequence[str]) -> torch.Tensor:
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    size = model.config.text_config.hidden_size
    pooled = torch.empty(len(texts), size, device=model.device)
    training = model.text_model.training
    model.text_model.eval()
    with torch.no_grad(), progress.bar("embedding texts", len(texts)) as bar:
        for start in range(0, len(order), CHUNK):
            rows = order[start : start + CHUNK]
            inputs = model.prepare(text=[texts[row] for row in rows])
            pooled[rows] = model.pool_text(**inputs)
            bar.update(len(rows))
    model.text_model.train(training)
    return pooled
