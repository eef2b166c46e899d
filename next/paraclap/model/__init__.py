"""The model: encoders, projections, processor, checkpoints, embeddings. Chapter 4.

Importing this package registers the model with the Auto classes of transformers.
"""

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
from transformers import AutoConfig, AutoFeatureExtractor, AutoModel, AutoProcessor

from paraclap.model.configuration import ParaCLAPConfig
from paraclap.model.functionals import FUNCTIONALS, FunctionalsEncoder
from paraclap.model.layers import Projection
from paraclap.model.modeling import ParaCLAP, ParaCLAPOutput
from paraclap.model.processing import ParaCLAPFeatureExtractor, ParaCLAPProcessor

AutoConfig.register(ParaCLAPConfig.model_type, ParaCLAPConfig, exist_ok=True)
AutoModel.register(ParaCLAPConfig, ParaCLAP, exist_ok=True)
AutoProcessor.register(ParaCLAPConfig, ParaCLAPProcessor, exist_ok=True)
AutoFeatureExtractor.register(ParaCLAPConfig, ParaCLAPFeatureExtractor, exist_ok=True)

from paraclap.model.encoders import build  # noqa: E402  (needs the registration)

__all__ = [
    "FUNCTIONALS",
    "FunctionalsEncoder",
    "ParaCLAP",
    "ParaCLAPConfig",
    "ParaCLAPFeatureExtractor",
    "ParaCLAPOutput",
    "ParaCLAPProcessor",
    "Projection",
    "build",
]
