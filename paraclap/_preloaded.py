"""What kernels are forked with, see :mod:`paraclap.forked`: packages of others, nothing of ours.

Importing this module imports them. The model is not registered meanwhile, since that would import
modules of ours.
"""

from __future__ import annotations

import importlib
import os
import sys

from paraclap import _torchaudio, registering

# Not matplotlib: what it draws with is settled when it is imported, which each kernel does itself.
PACKAGES = (
    "torch",
    "transformers.models.bert.modeling_bert",
    "transformers.models.wav2vec2.modeling_wav2vec2",
    "pyarrow.parquet",
    "scipy.stats",
    "sklearn.linear_model",
    "ipykernel.kernelapp",
)

os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"  # read on import; they would end up in the pages
_torchaudio.ensure_torchaudio()
sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, registering.Lookout)]
for name in PACKAGES:
    importlib.import_module(name)
