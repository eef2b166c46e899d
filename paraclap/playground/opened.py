"""Which models can be asked, and what have they heard? A model that remembers voices and queries.

The same voice is asked about again and again in a playground, with other candidates: it is heard
once, and a query is read once. A model is a folder; when its weights change it is opened anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from paraclap import audio, tables, zeroshot
from paraclap.machine import choose_device
from paraclap.model import ParaCLAP

OPEN_AT_ONCE = 3  # models kept in memory
REMEMBERED = 1000  # voices and queries of each kind; an embedding is about a kilobyte
OWN = "model"  # the name of the model of a run


class Opened:
    """A model that remembers what it heard and read.

    Attributes:
        name: How it is called in tables.
        model: The model, in evaluation mode.
    """

    def __init__(self, name: str, model: ParaCLAP) -> None:
        """Take a model that is loaded."""
        self.name, self.model = name, model.eval()
        self._heard: dict[str, zeroshot.Embeddings] = {}
        self._read: dict[str, zeroshot.Embeddings] = {}
        self._samples: dict[str, zeroshot.Embeddings] = {}

    @property
    def scale(self) -> float:
        """Factor of cosines, the one that was learned."""
        return float(self.model.temperature.detach())

    def hear(self, signal: audio.Signal) -> zeroshot.Embeddings:
        """Embed a voice.

        Args:
            signal: mono, 16 kHz, `(samples,)`

        Returns:
            unit length, `(projection_dim,)`

        Raises:
            AudioError: if the model needs functionals and openSMILE cannot measure them
        """
        key = hashlib.sha256(signal.tobytes()).hexdigest()
        if key not in self._heard:
            with torch.inference_mode():
                inputs = self.model.prepare(audio=[signal], sampling_rate=audio.SAMPLING_RATE)
                found = functional.normalize(self.model.get_audio_features(**inputs), dim=-1)
            _remember(self._heard, {key: found[0].float().cpu().numpy()})
        return self._heard[key]

    def read(self, queries: Sequence[str]) -> zeroshot.Embeddings:
        """Embed queries, `(queries, projection_dim)`, of unit length; only new ones are read.

        Args:
            queries: sentences or words

        Raises:
            ValueError: if there is none, or one is empty
        """
        new = [query for query in dict.fromkeys(queries) if query not in self._read]
        found = {}
        if new or not len(queries):
            found = dict(zip(new, zeroshot.embed_text(self.model, new), strict=True))
        known = self._read | found
        _remember(self._read, found)
        return np.stack([known[query] for query in queries])

    def hear_all(self, voices: pd.DataFrame, store: Path | None = None) -> zeroshot.Embeddings:
        """Embed many voices, `(voices, projection_dim)`; the same table is heard once.

        Args:
            voices: on the segmented index
            store: folder of decoded signals; None reads the files

        Raises:
            AudioError: if one cannot be read
        """
        key = tables.fingerprint(voices.index)
        if key not in self._samples:
            self._samples[key] = zeroshot.embed_audio(self.model, voices, store=store)
        return self._samples[key]


def _remember(known: dict[str, zeroshot.Embeddings], new: dict[str, zeroshot.Embeddings]) -> None:
    """Add what is new; the oldest go when there are too many."""
    known |= new
    for key in list(known)[: max(0, len(known) - REMEMBERED)]:
        del known[key]


def models(run: Path) -> dict[str, Path]:
    """Models that a run has trained: name → folder, its own first.

    Args:
        run: folder of the run
    """
    known = {OWN: run / "model"}
    known |= {f"variant {path.parent.name}": path for path in sorted(run.glob("variants/*/model"))}
    return {name: path for name, path in known.items() if (path / "config.json").is_file()}


def opened(folder: str | Path, name: str = "") -> Opened:
    """Open a model, or give the one that is open.

    Args:
        folder: as ``save_pretrained`` writes it
        name: in tables; its last folders when empty

    Raises:
        FileNotFoundError: if there is no model; says how to come by one
        OSError: if its weights cannot be read
        ValueError: if it is the model of another architecture
    """
    path = Path(folder).expanduser()
    path = path if path.is_absolute() or path.is_dir() else tables.project_folder() / path
    if not (path / "config.json").is_file():
        raise FileNotFoundError(
            f"No model at {tables.short(path)!r}, expected the folder of a trained one, such as "
            "runs/<run>/model: make one with `make model`, "
            "or name another folder."
        )
    weights = [(file.name, file.stat().st_mtime_ns) for file in sorted(path.glob("*"))]
    return _opened(path, name or "/".join(path.parts[-2:]), str(weights))


@lru_cache(OPEN_AT_ONCE)
def _opened(path: Path, name: str, _weights: str) -> Opened:
    return Opened(name, ParaCLAP.from_pretrained(path).to(choose_device("auto")))
