"""The signals of a table, for steps that hear them again and again.

A signal comes from a store (:mod:`paraclap.store`) where one holds it, and of a crop no more is
read than the crop. Else its file is read: the results are the same, and so are the errors.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paraclap import audio
from paraclap.shards import absolute
from paraclap.store import SCALE, build, failed, index_path, seconds, status
from paraclap.tables import read_table, short

__all__ = ["Signals", "StoreError", "build", "failed", "index_path"]

_STEP = np.float32(1 / SCALE)
_MOST_OPEN = 256  # shards that are mapped at once: each takes a file handle


class StoreError(ValueError):
    """A store that is not whole, and what to do."""


class Signals:
    """The signals of an index, from a store where they are in it, else from their files.

    A signal is taken from the store if its file has the size and time of change that it had when
    it was decoded, or is not on this machine. May be sent to other processes.
    """

    def __init__(self, index: pd.Index[Any], store: str | Path | None = None) -> None:
        """Serve the signals of an index.

        Args:
            index: audformat index (file, start, end)
            store: folder written by :func:`build`; None reads all files

        Raises:
            FileNotFoundError: if there is no store in this folder, or its build has not ended
            StoreError: if samples are missing in it
        """
        self.index = index
        self._shards: list[Path] = []
        self._number, self._offset, self._length = np.full((3, len(index)), -1)
        self._seconds = np.full(len(index), np.nan)
        self._mapped: dict[int, NDArray[Any]] = {}
        if store is not None:
            self._find(Path(store))

    def __len__(self) -> int:
        """Number of segments."""
        return len(self.index)

    def __getstate__(self) -> dict[str, Any]:
        """What goes to another process; that maps the shards itself."""
        return {**self.__dict__, "_mapped": {}}

    @property
    def stored(self) -> NDArray[np.bool_]:
        """Which signals come from the store, shape ``(n,)``."""
        return self._number >= 0

    def read(self, row: int) -> audio.Signal:
        """The whole signal of a segment.

        Args:
            row: its place in the index

        Raises:
            AudioError: if it is not in the store and its file cannot be read
        """
        if self._number[row] < 0:
            return audio.read(*self._segment(row))
        return _decoded(self._samples(row))

    def crop(self, row: int, samples: int, rng: np.random.Generator) -> audio.Signal:
        """Random part of a signal, see :func:`paraclap.audio.crop`; no more of it is read.

        Args:
            row: its place in the index
            samples: how many to keep
            rng: where the randomness comes from

        Raises:
            AudioError: if it is not in the store and its file cannot be read
        """
        if self._number[row] < 0:
            return audio.crop(self.read(row), samples, rng)
        return _decoded(audio.crop(self._samples(row), samples, rng))

    def seconds(self) -> NDArray[np.float64]:
        """Length of each segment, shape ``(n,)``.

        Raises:
            AudioError: if a header has to be read and cannot be
        """
        lengths = self._seconds.copy()
        for row in np.flatnonzero(~self.stored):
            lengths[row] = seconds(self._segment(row))
        return lengths

    def _segment(self, row: int | np.intp) -> tuple[Any, ...]:
        segment: tuple[Any, ...] = self.index[int(row)]
        return segment

    def _samples(self, row: int) -> NDArray[Any]:
        """Samples of a segment as they lie in the store."""
        first = self._offset[row]
        return self._shard(int(self._number[row]))[first : first + self._length[row]]

    def _shard(self, number: int) -> NDArray[Any]:
        if number not in self._mapped:
            if len(self._mapped) >= _MOST_OPEN:
                self._mapped.pop(next(iter(self._mapped)))
            path = self._shards[number]
            dtype = np.dtype(path.suffix[1:]).newbyteorder("<")
            try:
                self._mapped[number] = np.asarray(np.memmap(path, dtype, "r"))
            except FileNotFoundError:
                msg = f"{short(path)!r} is gone: the store was built anew meanwhile; run again."
                raise StoreError(msg) from None
        return self._mapped[number]

    def _find(self, store: Path) -> None:
        """Look up where the segments lie."""
        table = read_table(index_path(store))
        if not table.index.is_unique:
            msg = f"Damaged audio store {short(store)!r}: {index_path(store).name} lists segments "
            raise StoreError(f"{msg}twice, expected each once. Build the store again.")
        sizes = (table["offset"] + table["length"]).groupby(table["shard"]).max()
        _check_whole(store, sizes)
        self._shards = [store.absolute() / name for name in sizes.index]
        places = table.index.get_indexer(absolute(self.index))
        places[~_unchanged(table)[places]] = -1
        own, places = places >= 0, places[places >= 0]
        self._number[own] = sizes.index.get_indexer(pd.Index(table["shard"].iloc[places]))
        for name, column in (("offset", self._offset), ("length", self._length)):
            column[own] = table[name].iloc[places]
        self._seconds[own] = table["seconds"].iloc[places]
        self._tell(store)

    def _tell(self, store: Path) -> None:
        missing = np.flatnonzero(~self.stored)
        if len(missing):
            first = Path(self._segment(missing[0])[0]).name
            print(
                f"{len(missing):,} of {len(self):,} segments are not in the store "
                f"{short(store)!r} as their files are now (first: {first!r}): they are read from "
                "the files, which is slower."
            )


def _decoded(samples: NDArray[Any]) -> audio.Signal:
    """Stored samples as a signal of its own memory."""
    if samples.dtype.kind == "i":
        signal: audio.Signal = np.multiply(samples, _STEP, dtype=np.float32)
        return signal
    return samples.astype(np.float32)


def _unchanged(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Which segments of a store have a file that is as it was, or not on this machine."""
    files = table.index.get_level_values("file")
    now = {file: status(file) for file in files.unique()}
    then = zip(files, table["size"], table["mtime_ns"], strict=True)
    return np.array([now[file] in ((-1, -1), (size, time)) for file, size, time in then])


def _check_whole(store: Path, samples: pd.Series) -> None:
    """Whether each shard is there and has all its samples.

    Raises:
        StoreError: if not
    """
    for name, count in samples.items():
        path = store / str(name)
        expected, there = int(count) * np.dtype(path.suffix[1:]).itemsize, status(str(path))[0]
        if there != expected:
            msg = (
                f"Damaged audio store {short(store)!r}: {name!r} has {max(there, 0):,} bytes, "
                f"expected {expected:,}. Build the store again: what is whole is kept."
            )
            raise StoreError(msg)
