"""Which other systems can be asked, what they are made of, and where their weights come from.

`catalogue.csv` is the list. Weights are in no package: each system is read from a folder of its
own, `weights/<name>` by custom, that holds the published file and, in subfolders, the configuration
and tokenizer of each text tower that the file takes for granted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import huggingface_hub
import pandas as pd

from paraclap import pretrained

TOKENIZER = ("config.json", "tokenizer.json", "tokenizer_config.json")


@dataclass(frozen=True)
class Source:
    """Where the weights of a system come from.

    Attributes:
        name: of the system
        file: the published file, empty if its repository is for nothing else
        repository: on the Hugging Face hub, empty if it is elsewhere
        url: of the file elsewhere
        tokenizers: hub ids of the text towers, whose configuration and tokenizer are needed
    """

    name: str
    file: str
    repository: str
    url: str
    tokenizers: tuple[str, ...]

    @property
    def commands(self) -> list[str]:
        """What fetches everything on a machine with a network, into `weights/<name>`."""
        folder = f"weights/{self.name}"
        first = f"hf download {self.repository} {self._part()}--local-dir {folder}"
        if self.url:
            first = f"curl --location --create-dirs --output {folder}/{self.file} {self.url}"
        texts = [
            f"hf download {one} {' '.join(TOKENIZER)} --local-dir {folder}/{tail(one)}"
            for one in self.tokenizers
        ]
        return [first, *texts]

    def absent(self, where: str | Path, reason: str = "") -> str:
        """Message that these weights are not there, and how to fetch them."""
        said = f" ({reason})" if reason else ""
        what = repr(self.file) if self.file else "the files"
        return "\n  ".join(
            [
                f"No weights of {self.name!r} at {pretrained.named(where)!r}{said}, expected "
                f"{what} of {self.url or 'https://huggingface.co/' + self.repository}: "
                "where there is a network, run",
                *self.commands,
                f"and give the folder: {self.name}=weights/{self.name}",
            ]
        )

    def _part(self) -> str:
        """The file, of repositories that hold more than this system."""
        return f"{self.file} " if self.file else ""


def tail(name: str) -> str:
    """Last part of a hub id, which is the name of its subfolder."""
    return name.rsplit("/", 1)[-1]


def catalogue() -> pd.DataFrame:
    """The list of other systems, one a row.

    Returns:
        `name, audio_tower, text_tower, parameters` (how many weights), `sampling_rate` (Hz),
        `seconds` (heard at most; missing: all), `file, repository, url, tokenizers`
    """
    path = Path(__file__).parent / "catalogue.csv"
    words = ["text_tower", "file", "repository", "url", "tokenizers"]
    return pd.read_csv(path).astype({"seconds": "Int64"}).fillna(dict.fromkeys(words, ""))


@cache
def source(name: str) -> Source:
    """Where a system comes from.

    Raises:
        ValueError: if there is no such system
    """
    table = catalogue().set_index("name")
    if name not in table.index:
        raise ValueError(f"Bad system {name!r}, expected one of {list(table.index)}.")
    row = table.loc[name]
    tokenizers = tuple(str(row["tokenizers"]).split())
    file, repository, url = (str(row[column]) for column in ("file", "repository", "url"))
    return Source(name, file, repository, url, tokenizers)


def shown() -> pd.DataFrame:
    """The list for a page: numbers readable, commands that fetch the weights in the last column."""
    table = catalogue()
    millions = (table["parameters"] / 1e6).round().astype(int).astype("str") + " M"
    seconds = ["all" if pd.isna(one) else str(one) for one in table["seconds"]]
    fetch = ["; ".join(source(name).commands) for name in table["name"]]
    columns = ["name", "audio_tower", "text_tower", "sampling_rate"]
    shown = table[columns].assign(parameters=millions, seconds=seconds, fetch=fetch)
    return shown.replace("", "-").rename(columns=lambda name: name.replace("_", " "))


def place(origin: Source, weights: str | Path | None) -> Path:
    """Folder or file of the weights: what is given, or what the hub has of this name.

    Args:
        origin: of the system
        weights: folder that holds the published file, or this file; None: fetched from the hub

    Returns:
        the published file

    Raises:
        FileNotFoundError: if it is neither here nor can be fetched, with the commands that do
    """
    if weights is None:
        return _fetched(origin)
    path = Path(weights)
    path = path / origin.file if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(origin.absent(path))
    return path


def _fetched(origin: Source) -> Path:
    if not origin.repository:
        raise FileNotFoundError(origin.absent(f"weights/{origin.name}"))
    try:
        return Path(huggingface_hub.hf_hub_download(origin.repository, origin.file))
    except Exception as error:  # connection, repository and file: each has its own kinds
        raise FileNotFoundError(origin.absent(origin.repository, type(error).__name__)) from error


def text_files(origin: Source, path: Path, number: int = 0) -> str:
    """Folder beside the weights with configuration and tokenizer of a text tower, or its hub id."""
    name = origin.tokenizers[number]
    folder = path.parent / tail(name)
    return str(folder) if folder.is_dir() else name
