"""A model for machines without torch: both encoders as ONNX graphs.

    from paraclap.interop.onnx import export
    export(model, "onnx")

writes `audio.onnx` and `text.onnx` with batch and length left open, and the files of the processor.
Inputs are what the processor gives (masks as int64), outputs are embeddings of unit length. A
softmax over `temperature` (in the metadata) times their cosines gives the probabilities. Needs the
packages of `pip install paraclap[onnx]`.
"""

import warnings
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from paraclap.audio import SAMPLING_RATE
from paraclap.model import ParaCLAP
from paraclap.model.layers import is_exact_with_mask

INPUTS = {"audio": "input_values audio_attention_mask", "text": "input_ids attention_mask"}


class Encoder(nn.Module):
    """One side of a model, `audio` or `text`: unit-length embeddings."""

    def __init__(self, model: ParaCLAP, side: str) -> None:
        """Take one side."""
        super().__init__()
        self.model, self.side = model, side

    def forward(self, inputs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Embeddings, shape ``(batch, projection_dim)``."""
        encode = getattr(self.model, f"get_{self.side}_features")
        embeddings: torch.Tensor = encode(inputs, mask).pooler_output
        return embeddings


def export(model: ParaCLAP, folder: str | Path) -> dict[str, Path]:
    """Write both encoders of a model as ONNX graphs: `audio` and `text` → file.

    A ValueError if the model has no processor, or its audio encoder reads padding past the mask.
    """
    if not is_exact_with_mask(model.config.audio_config):
        got = f"Bad audio encoder {model.config.audio_config.model_type!r} for ONNX"
        raise ValueError(f"{got}, expected one that ignores padding, as wav2vec2 with layer norm.")
    model.require_processor().save_pretrained(folder)
    signals = [np.ones(seconds * SAMPLING_RATE, np.float32) for seconds in (1, 2)]
    inputs = model.prepare(text=["speaker is angry", "sad"]) | model.prepare(audio=signals)
    files = {side: Path(folder) / f"{side}.onnx" for side in INPUTS}
    sizes = dict.fromkeys(("inputs", "mask"), dict.fromkeys((0, 1), torch.export.Dim.DYNAMIC))
    for side, file in files.items():
        names = INPUTS[side].split()
        values, mask = (inputs[name] for name in names)
        encoder = Encoder(deepcopy(model).eval(), side)
        given: Any = {"input_names": names, "output_names": [f"{side}_embeds"], "verbose": False}
        given |= {"args": (values, mask.long()), "dynamic_shapes": sizes, "dynamo": True}
        with warnings.catch_warnings(action="ignore"):  # of the exporter about itself
            program: Any = torch.onnx.export(encoder, **given)
        program.model.metadata_props["temperature"] = str(float(model.temperature.detach()))
        program.save(file)
    return files
