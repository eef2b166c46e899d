"""Where the weights of other systems come from, and how a published file gets into a model.

`catalogue.csv` lists the systems. Their weights are not in the package: each is read from a folder,
`weights/<name>` by custom, with the published file and, in subfolders, the configuration and
tokenizer of each text encoder. A file is read as data, code in it is refused. Chapter 10.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

import huggingface_hub
import pandas as pd
from torch import nn

from paraclap.model.checkpoint import read_weights
from paraclap.tables import short_name, unknown

Model = TypeVar("Model", bound=nn.Module)
TOKENIZER = "config.json tokenizer.json tokenizer_config.json"
# Not learned: buffers of older versions of transformers, the filters of torchlibrosa, the places of
# attention windows.
CONSTANT = re.compile(
    r"position_ids$|\.attn\.(masked_)?bias$|(spectrogram|logmel)_extractor\."
    r"|relative_position_index$|attn_mask$|num_batches_tracked$|lm_head\.weight$"
)


@cache
def catalogue() -> pd.DataFrame:
    """The other systems by name; `sampling_rate` in Hz, `seconds` at most (0: all)."""
    path = Path(__file__).with_name("catalogue.csv")
    return pd.read_csv(path, index_col="name", keep_default_na=False)


def source(name: str) -> pd.Series:
    """The row of a system; a ValueError if there is no such system."""
    if name not in catalogue().index:
        raise ValueError(unknown("system", name, catalogue().index))
    return catalogue().T[name]


def commands(name: str) -> list[str]:
    """Shell commands that fetch a system into `weights/<name>`, where there is a network."""
    row, folder = source(name), f"weights/{name}"
    first = f"hf download {row['repository']} {row['file']} --local-dir {folder}"
    if row["url"]:
        first = f"curl --location --create-dirs --output {folder}/{row['file']} {row['url']}"
    texts = [
        f"hf download {one} {TOKENIZER} --local-dir {folder}/{Path(one).name}"
        for one in row["tokenizers"].split()
    ]
    return [" ".join(first.split()), *texts]


@contextmanager
def explained(name: str, place: str | Path) -> Iterator[None]:
    """Turn errors about files that cannot be read into one with the commands that fetch them."""
    try:
        yield
    except (OSError, ValueError) as error:
        lines = [
            f"No weights of {name!r} at {short_name(place)!r} ({type(error).__name__}), expected "
            "the published files: where there is a network, run",
            *commands(name),
            f"and give the folder: {name}=weights/{name}",
        ]
        raise FileNotFoundError("\n  ".join(lines)) from error


def find(name: str, place: str | Path | None) -> Path:
    """The published file of a system: in a folder, the file itself, or (None) from the hub."""
    row, path = source(name), Path(place or f"weights/{name}")
    with explained(name, path):
        if place is None and row["repository"]:
            return Path(huggingface_hub.hf_hub_download(row["repository"], row["file"]))
        path = path / row["file"] if path.is_dir() else path
        if not path.is_file():
            raise FileNotFoundError(path)
    return path


def text_encoders(name: str, path: Path) -> list[str]:
    """Text encoders that a published file needs: folders beside it, else their hub ids."""
    ids = source(name)["tokenizers"].split()
    folders = {one: path.parent / Path(one).name for one in ids}
    return [str(folder) if folder.is_dir() else one for one, folder in folders.items()]


def fill(model: Model, path: Path) -> Model:
    """Put all weights of a published file into a model, for evaluation, or raise a ValueError."""
    given = {key.removeprefix("module."): value for key, value in read_weights(path).items()}
    state = model.state_dict()
    refuse(state.keys() - given.keys(), "missing", path)
    refuse(given.keys() - state.keys(), "unknown", path)
    shared = state.keys() & given.keys()
    refuse([key for key in shared if given[key].shape != state[key].shape], "misshapen", path)
    model.load_state_dict({key: given[key] for key in shared}, strict=False)
    return model.eval()


def refuse(keys: Iterable[str], what: str, path: str | Path) -> None:
    """Raise a ValueError that names weights, the constant ones aside."""
    if wrong := sorted(key for key in keys if not CONSTANT.search(key)):
        raise ValueError(
            f"Bad weights {short_name(path)}: {len(wrong)} {what} (first: {wrong[:5]}), expected "
            "those of the published model: it is the file of another model, or damaged."
        )
