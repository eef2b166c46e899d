"""The model, which the Auto classes of transformers know once this is imported. Chapter 4."""

import paraclap._torchaudio  # noqa: F401  (before transformers, which fails without it)

# isort: split
from transformers import AutoConfig, AutoFeatureExtractor, AutoModel, AutoProcessor

from paraclap.model.configuration import ParaCLAPConfig as ParaCLAPConfig
from paraclap.model.layers import Projection as Projection
from paraclap.model.modeling import ParaCLAP as ParaCLAP
from paraclap.model.modeling import ParaCLAPOutput as ParaCLAPOutput
from paraclap.model.processing import ParaCLAPFeatureExtractor as ParaCLAPFeatureExtractor
from paraclap.model.processing import ParaCLAPProcessor as ParaCLAPProcessor

AutoConfig.register(ParaCLAPConfig.model_type, ParaCLAPConfig, exist_ok=True)
AutoModel.register(ParaCLAPConfig, ParaCLAP, exist_ok=True)
AutoProcessor.register(ParaCLAPConfig, ParaCLAPProcessor, exist_ok=True)
AutoFeatureExtractor.register(ParaCLAPConfig, ParaCLAPFeatureExtractor, exist_ok=True)

from paraclap.model.encoders import build as build  # noqa: E402  (needs the registration)
