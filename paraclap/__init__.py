"""Voices answered in words: ParaCLAP, from audio and labels to zero-shot answers.

    >>> import paraclap
    >>> sorted(paraclap.__all__)
    ['ParaCLAP', 'VoiceEmbeddings', 'ZeroShotClassifier', 'classify', 'embed_audio', 'embed_text']

The public names load when they are first used, so that steps without a model do not wait for torch.
After this import, transformers finds saved models (`AutoModel`, `pipeline`).

Source: Jing, Triantafyllopoulos, Schuller: ParaCLAP, Interspeech 2024, arXiv 2406.07203.
"""

import importlib
from typing import Any

import wrapt

__version__ = "0.1.0"
_LAZY = {
    "ParaCLAP": "model",
    "VoiceEmbeddings": "interop.sklearn",
    "ZeroShotClassifier": "interop.sklearn",
    "classify": "evaluation.zeroshot",
    "embed_audio": "model.embedding",
    "embed_text": "model.embedding",
}
__all__ = list(_LAZY)


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'paraclap' has no attribute {name!r}")
    return getattr(importlib.import_module(f"paraclap.{_LAZY[name]}"), name)


def _register(_: object) -> None:
    importlib.import_module("paraclap.model")


# Runs at once where transformers is imported already.
wrapt.register_post_import_hook(_register, "transformers")
