"""What openSMILE measures in each segment: the 88 eGeMAPSv02 functionals and the duration.

Input is any table on the segmented index, output a table on the same index with one column per
functional under its openSMILE name, and ``duration`` in seconds. Segments that cannot be measured
are left out and listed with the reason in ``<out stem>_failed.csv``.

The work is cut into shards, measured in parallel processes. A finished shard is a file in
``<out stem>.shards/``, named after all that its content depends on: a run that was stopped goes on
where it was, and a shard of other audio or of another openSMILE is never taken.

Source: Eyben et al. 2016, "The Geneva Minimalistic Acoustic Parameter Set (GeMAPS) for voice
research and affective computing"; Eyben et al. 2010, "openSMILE".
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import opensmile
import pandas as pd

from paraclap import audio, progress
from paraclap.tables import INDEX, fingerprint, is_current, read_table, short, write_table

FEATURE_SET = opensmile.FeatureSet.eGeMAPSv02
SHORTEST = 0.06  # seconds: below its longest window openSMILE gives NaN for all functionals

_FEWEST_SHARDS = 16  # so that the processes end about together
_SMALLEST_SHARD = 8


def extract(
    table: pd.DataFrame | pd.MultiIndex,
    out: str | Path,
    jobs: int | None = None,
    shard: int = 128,
) -> pd.DataFrame:
    """Measure all segments of a table.

    Args:
        table: on the segmented index; an end of NaT is the end of the file
        out: Parquet file for the result; when it is there and current it is only read
        jobs: processes; all cores when None
        shard: most segments per shard

    Returns:
        features, rows in the order of ``table``, those of failed segments absent
        (:func:`failed` lists them); functionals float32, duration float64 in seconds

    Raises:
        ValueError: if segments are listed twice, or none can be measured
        OSError: if a result cannot be written, for example because the disk is full
    """
    out = Path(out)
    index = _checked(table)
    shards = _plan(index, out, shard)
    key = fingerprint([path.stem for path in shards])
    if is_current(out, key) and is_current(_failed_path(out), key):
        return read_table(out)
    _measure(shards, jobs)
    features = _collect(shards, out, key)
    for path in set(_shard_folder(out).glob("*.parquet")) - set(shards):
        path.unlink()
    return features


def failed(out: str | Path) -> pd.DataFrame:
    """Segments that could not be measured, with the column ``reason``.

    Args:
        out: the file given to :func:`extract`
    """
    return read_table(_failed_path(Path(out)))


def _checked(table: pd.DataFrame | pd.MultiIndex) -> pd.MultiIndex:
    index = table.index if isinstance(table, pd.DataFrame) else table
    if not isinstance(index, pd.MultiIndex) or list(index.names) != INDEX:
        msg = f"Bad index {list(index.names)}, expected {INDEX}."
        raise ValueError(msg)
    twice = index[index.duplicated()]
    if len(twice):
        names = [Path(str(row[0])).name for row in twice[:5]]
        msg = f"{len(twice)} segments are listed twice (first: {names}), expected each once."
        raise ValueError(msg)
    if index.empty:
        msg = "No segment to measure, expected at least one row in the table."
        raise ValueError(msg)
    return index


def _failed_path(out: Path) -> Path:
    return out.with_name(f"{out.stem}_failed.csv")


def _shard_folder(out: Path) -> Path:
    return out.with_name(f"{out.stem}.shards")


def _plan(index: pd.MultiIndex, out: Path, shard: int) -> dict[Path, pd.MultiIndex]:
    """Shard files in the order of the table, each with its segments.

    Sizes do not depend on the number of processes: that may change between two runs.
    """
    even = -(-len(index) // _FEWEST_SHARDS)
    size = max(1, min(shard, max(even, _SMALLEST_SHARD)))
    states = {file: _state(Path(file)) for file in index.get_level_values("file").unique()}
    plan = {}
    for first in range(0, len(index), size):
        part = index[first : first + size]
        files = [states[file] for file in part.get_level_values("file")]
        name = fingerprint(FEATURE_SET.value, opensmile.__version__, SHORTEST, part, files)
        plan[_shard_folder(out) / f"{name}.parquet"] = part
    return plan


def _state(file: Path) -> list[int]:
    """Size and time of change: enough to notice another content without reading it."""
    if not file.is_file():
        return []
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]


# --- measuring ---------------------------------------------------------------------------------


def _measure(shards: dict[Path, pd.MultiIndex], jobs: int | None) -> None:
    """Write the shards that are not there yet."""
    missing = {path: part for path, part in shards.items() if not is_current(path, path.stem)}
    rows = sum(len(part) for part in shards.values())
    done = rows - sum(len(part) for part in missing.values())
    with progress.bar("Measure segments", rows) as shown:
        shown.update(done)
        for count in _counts(missing, jobs):
            shown.update(count)


def _counts(shards: dict[Path, pd.MultiIndex], jobs: int | None) -> Iterator[int]:
    """Measure shards and give the size of each when it is done."""
    jobs = min(jobs or joblib.cpu_count(), len(shards))
    if jobs <= 1:
        yield from (_write_shard(part, path) for path, part in shards.items())
        return
    parent = os.getpid()
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        tasks = (joblib.delayed(_work)(part, path, parent) for path, part in shards.items())
        pool = joblib.Parallel(n_jobs=jobs, batch_size=1, return_as="generator_unordered")
        yield from pool(tasks)


def _work(part: pd.MultiIndex, path: Path, parent: int) -> int:
    """Measure one shard in a worker that ends when its parent does."""
    _follow(parent)
    return _write_shard(part, path)


@cache
def _follow(parent: int) -> None:
    """End this process soon after its parent: a killed parent cannot tell its workers."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _write_shard(part: pd.MultiIndex, path: Path) -> int:
    """Measure the segments of one shard and write them down."""
    rows = [_row(*segment) for segment in part]
    write_table(pd.DataFrame(rows, index=part, columns=_columns()), path, path.stem)
    return len(part)


@cache
def _smile() -> opensmile.Smile:
    """The openSMILE of this process; starting one takes long."""
    return opensmile.Smile(
        feature_set=FEATURE_SET, feature_level=opensmile.FeatureLevel.Functionals
    )


def _columns() -> list[str]:
    return [*_smile().feature_names, "duration", "reason"]


def _row(file: str, start: pd.Timedelta, end: pd.Timedelta) -> list[Any]:
    """Functionals, duration and, if there are none, the reason."""
    try:
        signal = audio.read(file, start, end)
        values = _functionals(signal)
    except audio.AudioError as error:
        return [np.float32("nan")] * len(_smile().feature_names) + [np.nan, str(error)]
    return [*values, len(signal) / audio.SAMPLING_RATE, None]


def _functionals(signal: audio.Signal) -> list[np.float32]:
    """The 88 functionals of a signal.

    Raises:
        AudioError: if it is too short or silent, or if some functional is NaN
    """
    milliseconds = 1000 * len(signal) / audio.SAMPLING_RATE
    if milliseconds < 1000 * SHORTEST:
        msg = (
            f"{milliseconds:.0f} ms of signal gives NaN functionals: "
            f"openSMILE needs at least {1000 * SHORTEST:.0f} ms."
        )
        raise audio.AudioError(msg)
    if audio.is_silent(signal):
        msg = "Silent: the signal never moves."
        raise audio.AudioError(msg)
    values = _smile()(signal, audio.SAMPLING_RATE)[0, :, 0].astype(np.float32)
    bad = list(np.array(_smile().feature_names)[np.isnan(values)])
    if bad:
        msg = f"NaN functionals: {', '.join(bad[:5])} ({len(bad)} of {len(values)})."
        raise audio.AudioError(msg)
    return list(values)


def _collect(shards: dict[Path, pd.MultiIndex], out: Path, key: str) -> pd.DataFrame:
    """Write the list of failures and the features; the features last, as they close the step."""
    rows = pd.concat([read_table(path) for path in shards])
    lost = rows[["reason"]].dropna()
    write_table(lost, _failed_path(out), key)
    features = rows.drop(lost.index).drop(columns="reason")
    if features.empty:
        reasons = "; ".join(lost["reason"].unique()[:5])
        msg = (
            f"None of {len(lost)} segments could be measured ({reasons}): "
            f"see {short(_failed_path(out))!r}."
        )
        raise ValueError(msg)
    write_table(features, out, key)
    return features
