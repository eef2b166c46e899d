"""A model for machines without torch: both encoders as ONNX graphs.

    from paraclap.interop.onnx import export
    export(model, "onnx")

writes `audio.onnx` and `text.onnx` with batch and length left open, and the files of the processor.
The graphs include pooling, projection and normalisation. Inputs are what the processor gives:
`input_values` and `audio_attention_mask` (int64, 1 on signal, 0 on padding), or `input_ids` and
`attention_mask`; outputs are embeddings of unit length. A softmax over `temperature` times their
cosines gives the probabilities; the factor stands in the metadata of `audio.onnx`.

Needs the packages onnx, onnxruntime and onnxscript (`pip install paraclap[onnx]`).
"""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from paraclap.audio import SAMPLING_RATE
from paraclap.model import ParaCLAP
from paraclap.model.layers import is_exact_with_mask

INPUTS = {
    "audio": ("input_values", "audio_attention_mask"),
    "text": ("input_ids", "attention_mask"),
}


class Encoder(nn.Module):
    """One side of a model: unit-length embeddings of signals or of tokens."""

    def __init__(self, model: ParaCLAP, side: str) -> None:
        """Take the `audio` or the `text` side."""
        super().__init__()
        self.model, self.side = model, side

    def forward(self, inputs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Embeddings, shape ``(batch, projection_dim)``."""
        audio, text = self.model.get_audio_features, self.model.get_text_features
        features = (audio if self.side == "audio" else text)(inputs, mask)
        return functional.normalize(features, dim=-1)


def export(model: ParaCLAP, folder: str | Path) -> dict[str, Path]:
    """Write both encoders of a model as ONNX graphs.

    Args:
        model: A trained model with its processor; it is not changed.
        folder: Where the graphs and the files of the processor go.

    Returns:
        The files, by side: `audio`, `text`.

    Raises:
        ModuleNotFoundError: If a package for ONNX is not installed.
        ValueError: If the model has no processor, or its audio encoder reads padding past the mask.
    """
    for name in ("onnx", "onnxscript"):
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(f"No package {name}: pip install 'paraclap[onnx]'.")
    if not is_exact_with_mask(model.config.audio_config):
        raise ValueError(
            f"Bad audio encoder {model.config.audio_config.model_type!r} for ONNX, expected one "
            "that gives the same with padding and a mask, such as wav2vec2 with layer norm."
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model.require_processor().save_pretrained(folder)
    return {side: _write(model, side, folder / f"{side}.onnx") for side in INPUTS}


def _write(model: ParaCLAP, side: str, file: Path) -> Path:
    mode = model.training
    encoder, dynamic = Encoder(model, side).eval(), {0: torch.export.Dim.DYNAMIC}
    sizes = dynamic | {1: torch.export.Dim.DYNAMIC}
    try:
        with warnings.catch_warnings(action="ignore"):  # of the exporter about itself
            program = torch.onnx.export(
                encoder,
                _example(model, side),
                dynamo=True,
                dynamic_shapes={"inputs": sizes, "mask": sizes},
                input_names=INPUTS[side],
                output_names=[f"{side}_embeds"],
                verbose=False,
            )
    finally:
        model.train(mode)
    if program is None:
        raise RuntimeError(f"torch has exported nothing of the {side} encoder.")
    program.model.metadata_props["temperature"] = str(float(model.temperature.detach()))
    program.save(file)
    return file


def _example(model: ParaCLAP, side: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Two inputs of different length, as the processor pads them."""
    if side == "text":
        inputs = model.require_processor()(text=["speaker is angry", "sad"])
    else:
        signals = [torch.randn(seconds * SAMPLING_RATE).numpy() for seconds in (1, 2)]
        inputs = model.require_processor()(audio=signals, sampling_rate=SAMPLING_RATE)
    values, mask = (inputs[name] for name in INPUTS[side])
    return values, mask.long()
