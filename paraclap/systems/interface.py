"""What every system offers, so that it can be asked the questions of this book, and its weights.

Weights are read from a folder, `weights/<name>` by custom: the published file and, in subfolders,
what each text encoder needs. Embeddings are ``(n, d)`` float32 of unit length. Chapter 10.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import audiofile
import audresample
import huggingface_hub
import numpy as np
import pandas as pd
import torch
from torch.nn import functional
from tqdm import tqdm

from paraclap import audio, tables
from paraclap.evaluation import tasks as evaluation
from paraclap.evaluation import zeroshot
from paraclap.model.checkpoint import read_weights
from paraclap.model.embedding import Embeddings

# Not learned: buffers of older versions of transformers, filters, places of attention windows.
CONSTANT = re.compile(
    r"position_ids$|\.attn\.(masked_)?bias$|(spectrogram|logmel)_extractor\."
    r"|relative_position_index$|attn_mask$|num_batches_tracked$|lm_head\.weight$"
)


class System:
    """A model that embeds utterances and queries in one space: the closest query is the answer."""

    name: str  # in the catalogue
    sampling_rate: int  # of the signals that it takes, Hz
    scale: float  # factor of cosines before the softmax
    encode_audio: Callable[..., Any]  # embeddings of a list of signals, (batch, d), of any length
    encode_text: Callable[..., Any]  # those of a list of queries

    def embed_audio(self, files: Any) -> Embeddings:
        """Embed utterances, shape ``(n, d)``; an AudioError if a file cannot be read."""
        return _embed(read_signals(files, self.sampling_rate), self.encode_audio)

    def embed_text(self, queries: Sequence[str]) -> Embeddings:
        """Embed queries, shape ``(m, d)``; a ValueError for one text or an empty one."""
        if isinstance(queries, str) or not all(query.strip() for query in queries):
            raise ValueError(f"Bad queries {queries!r}, expected a list of texts, none empty.")
        return _embed(iter(queries), self.encode_text)


def _embed(items: Iterator[Any], encode: Callable[[list[Any]], torch.Tensor]) -> Embeddings:
    """Unit-length embeddings, eight at once."""
    batches = iter(lambda: list(islice(items, 8)), [])
    with torch.inference_mode():
        parts = [functional.normalize(encode(batch).float(), dim=-1) for batch in batches]
    return np.asarray(torch.cat(parts))


def read_signals(files: Any, sampling_rate: int) -> Iterator[audio.Signal]:
    """Signals of files or segments at any sampling rate, one after the other."""
    for file, start, end in tqdm(tables.as_index(files), "reading", disable=None, leave=False):
        signal = audio.read(file, start, end)  # finds what is wrong with a file or a segment
        if sampling_rate != audio.SAMPLING_RATE:
            times = len(signal) / audio.SAMPLING_RATE, tables.seconds(start)
            channels, rate = audiofile.read(file, *times, always_2d=True)
            signal = audresample.resample(channels.mean(axis=0), rate, sampling_rate)[0]
        yield signal


def predict(
    system: System, labels: pd.DataFrame, tasks: evaluation.Tasks, template: str = "speaker is {}"
) -> pd.DataFrame:
    """Ask a system the questions of the tasks, as :func:`paraclap.evaluation.tasks.predict`."""
    questions = {}
    for task, words in tasks.items():
        given = zeroshot.check_candidates(words)  # label -> word, such as "anger" -> "angry"
        texts = [zeroshot.fill(template, word) for word in given.values()]  # "speaker is angry"
        embeddings = system.embed_text(texts)  # T, (candidates, d)
        questions[task] = zeroshot.Candidates(tuple(words), embeddings, system.scale)
    return evaluation.answer_tasks(labels, questions, system.embed_audio(labels))


@cache
def catalogue() -> pd.DataFrame:
    """The other systems by name; `sampling_rate` in Hz, `seconds` at most (0: all)."""
    file = Path(__file__).with_name("catalogue.csv")
    return pd.read_csv(file, index_col="name", keep_default_na=False)


def commands(name: str) -> list[str]:
    """Shell commands that fetch a system into `weights/<name>`, where there is a network."""
    return str(catalogue()["commands"][name]).split("; ")


def find(name: str, place: str) -> tuple[Path, list[str]]:
    """The published file of a system, and its text encoders: folders beside the file, or hub ids.

    ``place`` is the file or its folder; the hub when empty. A FileNotFoundError if it is not there.
    """
    row, path = catalogue().T[name], Path(place or f"weights/{name}")
    if not place and row["repository"]:
        path = Path(huggingface_hub.hf_hub_download(row["repository"], row["file"]))
    path = path / row["file"] if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(path)
    folders = {one: path.parent / Path(one).name for one in row["tokenizers"].split()}
    return path, [str(folder) if folder.is_dir() else one for one, folder in folders.items()]


def fill(model: Any, path: Path) -> Any:
    """Put the weights of a published file into a model; a ValueError if they are of another one."""
    missing, unknown = model.load_state_dict(read_weights(path), strict=False)
    refuse([*missing, *unknown], path)
    return model.eval()


def refuse(keys: Iterable[str], path: str | Path) -> None:
    """Raise a ValueError that names weights, the constant ones aside."""
    if wrong := sorted(key for key in keys if not CONSTANT.search(key)):
        got = f"{len(wrong)} missing or unknown in {tables.short_name(path)} (first: {wrong[:5]})"
        raise ValueError(f"Bad weights: {got}, expected those of the published model.")
