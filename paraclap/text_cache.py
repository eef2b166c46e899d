"""What a frozen text tower says of all texts of a run, computed once.

While it is frozen its output for a text never changes; only the projection head behind it works at
every step.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from paraclap import progress
from paraclap.model import ParaCLAP

CHUNK = 128


def pooled_texts(model: ParaCLAP, texts: Sequence[str]) -> torch.Tensor:
    """Output of the text tower for each text, without dropout.

    Args:
        model: Its mode is as before afterwards.
        texts: Texts of similar length are encoded together.

    Returns:
        Shape ``(texts, hidden_size)``, on the device of the model.
    """
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
