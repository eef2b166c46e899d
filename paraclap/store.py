"""Signals decoded once, into a folder of 16 kHz samples that every later step reads from.

A store holds the signals of an audformat index, as :func:`paraclap.audio.read` gives them:

- ``<key>.int16`` or ``<key>.float32``: one shard, its signals one after the other, little-endian
  samples without a header;
- ``<key>.parquet``: what lies where in this shard, or why not (``reason``);
- ``index.parquet``, written last: a row per segment, with the file's ``size`` (bytes),
  ``mtime_ns`` and ``sha256``, its length in ``seconds``, the ``shard`` it lies in, from sample
  ``offset``, ``length`` samples long;
- ``failed.csv``: segments that cannot be read, with the reason; they are left out.

An ``int16`` value is the signal times 32,768, rounded and clipped: exact for 16-bit mono files at
16 kHz; of others it keeps what 16 bits can hold. ``float32`` is exact for all, and twice as large.

A file whose size and time of change are those of the index is trusted. If they changed and the
content did not, it is only looked at; if the content changed, its shard is decoded again.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from paraclap import audio, progress, shards
from paraclap.tables import (
    atomic_path,
    fingerprint,
    is_current,
    read_table,
    short,
    write_table,
)
from paraclap.whole import alone, is_free

DTYPES = ("int16", "float32")
SCALE = 2**15  # int16 values in a signal of 1
_SHARD = 256  # most segments in a shard
_STATE = ["size", "mtime_ns", "sha256"]
ABSENT = (-1, -1)  # size and time of change of a file that is not here
_OWN = re.compile(r"[0-9a-f]{16}\.(parquet|int16|float32)")


def build(
    index: pd.DataFrame | pd.Index[Any],
    folder: str | Path,
    dtype: str = "int16",
    jobs: int | None = None,
    engine: str = "processes",
) -> None:
    """Decode all segments of an index into a store, or what is missing of it.

    Args:
        index: audformat index (file, start, end), or a table on it
        folder: of the store; what a stopped build has left there is gone on with
        dtype: ``"int16"`` or ``"float32"``
        jobs: workers; one per core when None
        engine: who decodes, see :mod:`paraclap.shards`

    Raises:
        ValueError: if the index or dtype is a bad one, or no segment can be read
        RuntimeError: if a file is changed while it is read
        OSError: if the store cannot be written, for example because the disk is full
    """
    if dtype not in DTYPES:
        msg = f"Bad dtype {dtype!r}, expected one of {DTYPES}."
        raise ValueError(msg)
    folder = Path(folder)
    segments = shards.checked(index)
    if not _can_decode() and index_path(folder).is_file():
        print(f"Nothing can be decoded here: {short(folder)!r} is used as it is.")
        return
    table = _states(segments, folder, jobs)
    if not (is_free(folder) and _is_done(table, folder, dtype)):
        with alone(folder):
            if not _is_done(table, folder, dtype):  # by the process that was waited for
                _make(table, folder, dtype, jobs, engine)


def _is_done(table: pd.DataFrame, folder: Path, dtype: str) -> bool:
    plan = _plan(table, folder, dtype)
    key = _key(plan, table)
    closed = is_current(index_path(folder), key) and is_current(_failed(folder), key)
    return closed and all(path.is_file() and not _is_damaged(path, dtype) for path in plan)


def _key(plan: dict[Path, pd.DataFrame], table: pd.DataFrame) -> str:
    return fingerprint([path.stem for path in plan], table)


def _make(table: pd.DataFrame, folder: Path, dtype: str, jobs: int | None, engine: str) -> None:
    """Decode what is missing; called by one process at a time."""
    plan = _plan(table, folder, dtype)
    for path in plan:
        if _is_damaged(path, dtype):
            path.unlink()
    work = functools.partial(_write_shard, dtype=dtype)
    shards.run(plan, work, jobs, engine, "Decode signals")
    _collect(plan, folder, dtype, _key(plan, table))
    if all(status(file) != ABSENT for file in table.index.get_level_values("file").unique()):
        _remove_others(folder, plan)  # else what they hold may be all there is of these files


def failed(folder: str | Path) -> pd.DataFrame:
    """Segments that could not be read, with the column ``reason``.

    Args:
        folder: of the store
    """
    return read_table(_failed(Path(folder)))


def index_path(folder: Path) -> Path:
    """The table that closes a store."""
    return folder / "index.parquet"


def _failed(folder: Path) -> Path:
    return folder / "failed.csv"


def _states(index: pd.MultiIndex, folder: Path, jobs: int | None) -> pd.DataFrame:
    """Size, time of change and digest of each segment's file; those known are not read again."""
    known = _known(folder)
    files = list(index.get_level_values("file").unique())
    seen = {file: (file, *status(file)) for file in files}
    # A file that is not here now, as on another machine, counts as it was when it was decoded.
    decoded = {state[0]: state for state in known if state[1:] != ABSENT}
    seen |= {file: decoded[file] for file in files if seen[file][1:] == ABSENT and file in decoded}
    new = [file for file in files if seen[file] not in known]
    with ThreadPoolExecutor(jobs or joblib.cpu_count()) as threads:
        digests = progress.track(threads.map(_digest, new), "Look at files", len(new))
        known |= {seen[file]: digest for file, digest in zip(new, digests, strict=True)}
    rows = [(*seen[file][1:], known[seen[file]]) for file in index.get_level_values("file")]
    return pd.DataFrame(rows, index=index, columns=_STATE)


def _known(folder: Path) -> dict[tuple[str, int, int], str]:
    """Digests by file, size and time of change, from all that lies in a store."""
    known: dict[tuple[str, int, int], str] = {}
    for path in sorted(folder.glob("*.parquet")):
        if path.name == "index.parquet" or _OWN.fullmatch(path.name):
            try:
                table = read_table(path, _STATE)
            except FileNotFoundError:  # another process that builds here has removed it
                continue
            files = table.index.get_level_values("file")
            rows = zip(files, *(table[name] for name in _STATE), strict=True)
            known |= {(file, size, time): digest for file, size, time, digest in rows}
    return known


def status(file: str) -> tuple[int, int]:
    """Size and time of change; :data:`ABSENT` if there is no such file."""
    if not os.path.isfile(file):  # noqa: PTH113 (that of pathlib raises where a name is too long)
        return ABSENT
    found = Path(file).stat()
    return found.st_size, found.st_mtime_ns


def _digest(file: str) -> str:
    if status(file) == ABSENT:
        return ""
    try:
        with Path(file).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except PermissionError:  # who decodes it will say so
        return ""


def _plan(table: pd.DataFrame, folder: Path, dtype: str) -> dict[Path, pd.DataFrame]:
    """The list of each shard, named after the content of its files, with its segments."""
    import soundfile
    import soxr

    readers = (soundfile.__libsndfile_version__, soxr.__version__)
    plan = {}

    def place(part: pd.DataFrame) -> Path:
        key = fingerprint("signals", dtype, *readers, part.index, list(part["sha256"]))
        return folder / f"{key}.parquet"

    for rows in shards.cut(len(table), _SHARD):
        part = table[rows]
        if not is_current(place(part), place(part).stem):  # it has to be made of what is here
            files = part.index.get_level_values("file")
            absent = np.array([status(file) == ABSENT for file in files])
            part = part.assign(
                **{name: part[name].mask(absent, ABSENT[0]) for name in ("size", "mtime_ns")},
                sha256=part["sha256"].mask(absent, ""),
            )
        plan[place(part)] = part
    return plan


def _can_decode() -> bool:
    """Whether the packages that read audio files are here."""
    return all(importlib.util.find_spec(name) for name in ("soundfile", "soxr"))


def _is_damaged(path: Path, dtype: str) -> bool:
    """Whether the list of a shard is there, and its samples are not all there."""
    if not is_current(path, path.stem):
        return False
    size = int(read_table(path)["length"].sum()) * np.dtype(dtype).itemsize
    return status(str(path.with_suffix(f".{dtype}")))[0] != size


def _write_shard(part: pd.DataFrame, path: Path, dtype: str) -> int:
    """Write the samples of a shard, then their list, which says that they are there."""
    rows: list[tuple[float, int, int, str | None]] = []
    offset = 0
    with atomic_path(path.with_suffix(f".{dtype}")) as temporary, temporary.open("wb") as stream:
        for segment in part.index:
            try:
                signal = audio.read(*segment)
            except audio.AudioError as error:
                rows.append((np.nan, offset, 0, str(error)))
                continue
            stream.write(_encoded(signal, dtype))
            rows.append((seconds(segment), offset, len(signal), None))
            offset += len(signal)
    _check_unchanged(part)
    places = pd.DataFrame(rows, part.index, ["seconds", "offset", "length", "reason"])
    write_table(part.join(places), path, path.stem)
    return len(part)


def _encoded(signal: audio.Signal, dtype: str) -> bytes:
    if dtype == "float32":
        return signal.astype("<f4").tobytes()
    return np.clip(np.rint(signal * SCALE), -SCALE, SCALE - 1).astype("<i2").tobytes()


def _check_unchanged(part: pd.DataFrame) -> None:
    expected = zip(part["size"], part["mtime_ns"], strict=True)
    for file, state in zip(part.index.get_level_values("file"), expected, strict=True):
        if status(file) != state:
            msg = f"{Path(file).name!r} was changed while it was read: build the store again."
            raise RuntimeError(msg)


def seconds(segment: tuple[Any, ...]) -> float:
    """Length of a segment; a file is only looked at where the segment ends with it."""
    file, start, end = segment
    last = audio.duration(file) if pd.isna(end) else end.total_seconds()
    return float(last - start.total_seconds())


def _collect(plan: dict[Path, pd.DataFrame], folder: Path, dtype: str, key: str) -> None:
    """Write the list of failures and the index, which closes the store."""
    parts = []
    for path, part in plan.items():
        # The state is that of now: a file may have been touched since its shard was made.
        shard = f"{path.stem}.{dtype}"
        parts.append(read_table(path).assign(**part, shard=shard))
    shards.close(pd.concat(parts), index_path(folder), _failed(folder), key, "read")


def _remove_others(folder: Path, plan: Iterable[Path]) -> None:
    """Remove shards that belong to the index no more, and nothing else."""
    kept = {path.stem for path in plan}
    for path in folder.iterdir():
        if _OWN.fullmatch(path.name) and path.stem not in kept:
            path.unlink()
