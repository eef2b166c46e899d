"""Weights from a file that others made, read as data: code in it is refused, never run.

Conventions: a state dict maps names to tensors; ``best.pth.tar`` is how the authors of ParaCLAP
call theirs, and no tar archive.
"""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import huggingface_hub
import torch

from paraclap import pretrained

FILE = "best.pth.tar"
HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*(?<!\.tar)(?<!\.pth)(?<!\.pt)")

Weights = dict[str, torch.Tensor]


def find(checkpoint: str | Path) -> Path:
    """File of a checkpoint: itself, the one in its folder, or the one fetched from the hub.

    Raises:
        OSError: If there is none.
    """
    path = Path(checkpoint)
    if path.is_dir():
        path /= FILE
    elif not path.exists() and HUB_ID.fullmatch(str(checkpoint)):
        return _fetch(str(checkpoint))
    if not path.is_file():
        raise FileNotFoundError(
            f"No checkpoint at {pretrained.named(path)!r}, expected a state dict such as {FILE}, "
            "a folder that holds one, or a hub id such as 'KeiKinn/paraclap'."
        )
    return path


def _fetch(name: str) -> Path:
    try:
        return Path(huggingface_hub.hf_hub_download(name, FILE))
    except Exception as error:  # connection, repository and file: each has its own kinds
        raise OSError(
            f"No checkpoint at {name!r}: there is no such file or folder here, and {FILE} could "
            f"not be fetched from the hub ({type(error).__name__}): download "
            f"https://huggingface.co/{name}/resolve/main/{FILE} elsewhere and give its path."
        ) from error


def read(path: Path) -> Weights:
    """Read a state dict, bare or under the key ``state_dict``, without running code in it.

    Raises:
        OSError: If the file is empty, damaged or holds more than data.
        ValueError: If it is no mapping of names to tensors.
    """
    if not path.stat().st_size:
        raise OSError(f"Empty checkpoint {path.name}, 0 bytes: download it again.")
    try:
        with warnings.catch_warnings(action="ignore"):  # of pickles; they are refused below
            found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise OSError(
            f"Refused checkpoint {path.name}: it holds other things than tensors and plain values, "
            "which could run code when read, or it is damaged. Nothing in it was run. Expected a "
            "state dict: download it again, or save the state dict alone where you trust the file."
        ) from error
    except Exception as error:
        raise OSError(
            f"Unreadable checkpoint {path.name} ({type(error).__name__}), it may be cut short, "
            f"{path.stat().st_size} bytes: download it again."
        ) from error
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    _check_state(found, path.name)
    return dict(found)


def _check_state(found: Any, file: str) -> None:
    expected = "expected a state dict, names and tensors: save model.state_dict() alone."
    if not isinstance(found, Mapping) or not found:
        what = "an empty mapping" if isinstance(found, Mapping) else type(found).__name__
        raise ValueError(f"Bad checkpoint {file}: got {what}, {expected}")
    odd = [str(key) for key, value in found.items() if not _is_weight(key, value)]
    if odd:
        raise ValueError(
            f"Bad checkpoint {file}: no tensor in {len(odd)} of its entries (first: {first(odd)}), "
            f"{expected}"
        )
    wrong = [key for key, value in found.items() if not value.isfinite().all()]
    if wrong:
        raise ValueError(
            f"Bad checkpoint {file}: NaN or infinite values in {len(wrong)} of its weights "
            f"(first: {first(wrong)}), expected finite ones: it is damaged or comes from a failed "
            "run; download it again."
        )


def _is_weight(key: object, value: object) -> bool:
    return isinstance(key, str) and isinstance(value, torch.Tensor)


def first(names: Iterable[str]) -> list[str]:
    """The first five names, in order, for messages."""
    return sorted(names)[:5]
