"""Published weights of other systems, read as data: code in them is refused, never run.

Microsoft's files are ``{"model": state dict}``, its keys perhaps behind ``module.``. A model gets
every weight from its file or the file is refused by name. What lies in a file and is computed
anew here (tables of positions, masks of attention, the constant filters of a spectrogram) may be
there or not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch

from paraclap.weights import Weights, first

# Nothing learned: buffers of older versions of transformers, the filters of torchlibrosa, the
# places of attention windows.
CONSTANT = re.compile(
    r"position_ids$|\.attn\.(masked_)?bias$|(spectrogram|logmel)_extractor\."
    r"|relative_position_index$|attn_mask$|num_batches_tracked$|lm_head\.weight$"
)


def read(path: Path) -> Weights:
    """State dict of a file, bare or under the key ``model``.

    Raises:
        OSError: If the file is damaged or holds more than data.
        ValueError: If it is no mapping of names to tensors.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise OSError(
            f"Unreadable weights {path.name} ({type(error).__name__}, {path.stat().st_size:,} "
            "bytes): they are cut short, or hold other things than tensors, which could run code "
            "and are refused. Expected a state dict under 'model': download the file again."
        ) from error
    found = found.get("model", found) if isinstance(found, Mapping) else found
    if not isinstance(found, Mapping) or not found:
        raise ValueError(f"Bad weights {path.name}: got {type(found).__name__}, expected names.")
    odd = [str(key) for key, value in found.items() if not isinstance(value, torch.Tensor)]
    if odd:
        raise ValueError(f"Bad weights {path.name}: no tensor in {first(odd)}, expected one each.")
    parallel = all(key.startswith("module.") for key in found)
    return {key.removeprefix("module.") if parallel else key: found[key] for key in found}


def fit(model: torch.nn.Module, weights: Weights, file: str) -> None:
    """Put weights into a model, all of them.

    Args:
        model: With the names of the published file.
        weights: Of `read`.
        file: Its name, for messages.

    Raises:
        ValueError: If a weight is missing, unknown, of another shape, or not finite.
    """
    own = model.state_dict()
    wrong = {
        "missing": [key for key in own if key not in weights],
        "unknown": [key for key in weights if key not in own],
    }
    wrong = {what: [k for k in keys if not CONSTANT.search(k)] for what, keys in wrong.items()}
    known = {key: value for key, value in weights.items() if key in own}
    wrong["misshapen"] = [key for key in known if known[key].shape != own[key].shape]
    wrong["not finite"] = [key for key in known if not known[key].isfinite().all()]
    for what, keys in wrong.items():
        if keys:
            raise ValueError(
                f"Bad weights {file}: {len(keys)} {what} (first: {first(keys)}), expected those "
                f"of {type(model).__name__}: it is the file of another model, or damaged."
            )
    model.load_state_dict(known, strict=False)
