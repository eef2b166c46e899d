"""Voices answered in words: ParaCLAP, from audio and labels to zero-shot answers.

    >>> import paraclap
    >>> sorted(paraclap.__all__)
    ['ParaCLAP', 'VoiceEmbeddings', 'ZeroShotClassifier', 'classify', 'embed_audio', 'embed_text']

The public names are loaded when first used, so that steps without a model never wait for torch.
transformers finds saved models (`AutoModel`, `pipeline`) once this package has been imported.

Source: Jing, Triantafyllopoulos, Schuller: ParaCLAP, Interspeech 2024, arXiv 2406.07203.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from paraclap.registering import look_out

if TYPE_CHECKING:
    from paraclap.estimator import VoiceEmbeddings, ZeroShotClassifier
    from paraclap.model import ParaCLAP
    from paraclap.zeroshot import classify, embed_audio, embed_text

__all__ = [
    "ParaCLAP",
    "VoiceEmbeddings",
    "ZeroShotClassifier",
    "classify",
    "embed_audio",
    "embed_text",
]
__version__ = "0.1.0"

_ROOMS = {
    "ParaCLAP": "model",
    "VoiceEmbeddings": "estimator",
    "ZeroShotClassifier": "estimator",
    "classify": "zeroshot",
    "embed_audio": "zeroshot",
    "embed_text": "zeroshot",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'paraclap' has no attribute {name!r}")
    return getattr(importlib.import_module(f"paraclap.{_ROOMS[name]}"), name)


look_out()
