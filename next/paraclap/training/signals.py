"""Decoded audio of a run, in one memory-mapped file from which crops are read.

The file holds 16-bit samples at 16 kHz, one segment after the other; a table beside it says where
each begins. What was 16 bit, mono and 16 kHz comes back as it was. A segment with values beyond 1
is stored smaller, and its ``peak`` undoes that. Chapter 4.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Self

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm.auto import tqdm

from paraclap import audio, tables
from paraclap.training.settings import Settings

SCALE = 2**15  # int16 values in a signal of 1


class Signals:
    """Signals of a table of segments, with ``offset``, ``samples`` and ``peak`` of each row."""

    def __init__(self, path: Path, table: pd.DataFrame) -> None:
        """Open a file that :meth:`decode` has written."""
        self.path, self.table = path, table
        columns = (table[name].to_numpy() for name in ("offset", "samples", "peak"))
        self.offsets, self.samples, self.peaks = columns

    @classmethod
    def decode(cls, index: pd.Index, path: Path, jobs: int = 1) -> Self:
        """Decode segments to a file, unless it holds them and their audio files are unchanged.

        Args:
            index: Audformat index.
            path: Gets the samples; the table is its neighbour with the suffix ``.parquet``.
            jobs: Threads.

        Raises:
            AudioError: If segments cannot be read; names at most five.
        """
        place, files = path.with_suffix(".parquet"), _files(index)
        if place.is_file() and path.is_file():
            table = tables.read_table(place)
            is_complete = path.stat().st_size == 2 * table["samples"].sum()
            if is_complete and table.index.equals(index) and files.equals(table[list(files)]):
                return cls(path, table)
        with tables.atomic(path) as temporary:
            table = files.join(_write(index, temporary, jobs))
        tables.write_table(table, place)
        return cls(path, table)

    def __getstate__(self) -> dict[str, Any]:
        """What another process gets; it maps the file itself."""
        return {name: value for name, value in self.__dict__.items() if name != "_file"}

    def select(self, index: pd.Index) -> Self:
        """The audio of other rows, all of them among those that were decoded."""
        return type(self)(self.path, self.table.loc[index])

    def seconds(self) -> npt.NDArray[np.float64]:
        """Length of each segment."""
        return np.asarray(self.samples / audio.SAMPLING_RATE, np.float64)

    def read(self, row: int, first: int = 0, samples: int | None = None) -> audio.Signal:
        """Signal of a segment, or of it ``samples`` samples from ``first`` on."""
        start, end = self.offsets[row] + first, self.offsets[row] + self.samples[row]
        part = self._file[start : end if samples is None else min(end, start + samples)]
        return np.multiply(part, np.float32(self.peaks[row] / SCALE), dtype=np.float32)

    @functools.cached_property
    def _file(self) -> npt.NDArray[np.int16]:
        return np.memmap(self.path, "<i2", "r")


def decode_audio(labels: pd.DataFrame, path: Path, settings: Settings) -> Signals | None:
    """Decode what training reads, the train and dev splits; arguments as in :meth:`Signals.decode`.

    None if the audio encoder reads functionals alone.
    """
    index = labels.index[labels["split"].isin(["train", "dev"])]
    is_read = settings.audio_encoder != "egemaps"
    return Signals.decode(index, path, settings.jobs) if is_read else None


def _files(index: pd.Index) -> pd.DataFrame:
    """Size and time of change of the file of each segment; -1 where there is none."""
    files = index.get_level_values("file")
    found = {file: Path(file).stat() if Path(file).is_file() else None for file in files.unique()}
    states = [(one.st_size, one.st_mtime_ns) if one else (-1, -1) for one in map(found.get, files)]
    return pd.DataFrame(states, index, ["size", "changed"], dtype="int64")


def _write(index: pd.Index, path: Path, jobs: int) -> pd.DataFrame:
    """Write the samples of all segments; where they are."""
    rows, failed = list[tuple[int, int, float]](), list[str]()
    work = joblib.Parallel(jobs, prefer="threads", return_as="generator")
    found = work(joblib.delayed(_decode)(segment) for segment in index)
    with path.open("wb") as stream:
        for one in tqdm(found, "Decode audio", len(index), disable=None):
            if isinstance(one, audio.AudioError):
                failed.append(str(one))
            else:
                rows.append((stream.tell() // 2, len(one[0]), one[1]))
                stream.write(one[0].tobytes())
    if failed:
        msg = f"Cannot read {len(failed)} of {len(index)} segments: {' '.join(failed[:5])}"
        raise audio.AudioError(f"{msg} Repair them, or leave them out of the labels.")
    return pd.DataFrame(rows, index, ["offset", "samples", "peak"])


def _decode(segment: tuple[Any, ...]) -> tuple[npt.NDArray[np.int16], float] | audio.AudioError:
    try:
        signal = audio.read(*segment)
    except audio.AudioError as error:
        return error
    peak = max(1.0, float(np.abs(signal).max()))
    return np.rint(signal * (SCALE / peak)).clip(-SCALE, SCALE - 1).astype("<i2"), peak
