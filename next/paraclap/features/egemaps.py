"""The 88 eGeMAPSv02 functionals of each segment, and its duration.

Input is any table on the segmented index, output a table on the same index with one column per
functional under its openSMILE name, and ``duration`` in seconds. Segments without features are left
out and listed with the reason in ``<out stem>_failed.csv``. Finished parts of the work are kept in
``<out stem>.parts/``, named after all that their content depends on, so a run that was stopped goes
on where it was. Chapter 2.

Source: Eyben et al. 2016, "The Geneva Minimalistic Acoustic Parameter Set (GeMAPS) for voice
research and affective computing"; Eyben et al. 2010, "openSMILE".
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import opensmile
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from paraclap import audio, tables

SHORTEST = 0.06  # seconds: below its longest window openSMILE gives NaN for all functionals
_SET = opensmile.FeatureSet.eGeMAPSv02


@cache
def _smile() -> opensmile.Smile:
    return opensmile.Smile(_SET, opensmile.FeatureLevel.Functionals)


def feature_names() -> list[str]:
    """Names of the 88 functionals, and ``duration``."""
    return [*_smile().feature_names, "duration"]


def functionals(signal: audio.Signal) -> NDArray[np.float64]:
    """The 88 functionals of a signal and its duration.

    Args:
        signal: mono at 16 kHz, shape ``(samples,)``

    Returns:
        shape ``(89,)``, in the order of :func:`feature_names`; the last is in seconds

    Raises:
        AudioError: if it is too short or silent, or if some functional is NaN
    """
    seconds = len(signal) / audio.SAMPLING_RATE
    if seconds < SHORTEST:
        msg = f"{1000 * seconds:.0f} ms of signal, openSMILE needs at least {1000 * SHORTEST:.0f}."
        raise audio.AudioError(msg)
    if audio.is_silent(signal):
        raise audio.AudioError("Silent: the signal never moves.")
    values = _smile()(signal, audio.SAMPLING_RATE)[0, :, 0].astype(np.float64)
    if np.isnan(values).any():
        raise audio.AudioError(f"{np.isnan(values).sum()} of {len(values)} functionals are NaN.")
    return np.append(values, seconds)


def extract(
    table: pd.DataFrame | pd.MultiIndex,
    out: str | Path | None = None,
    jobs: int | None = None,
    engine: str = "loky",
) -> pd.DataFrame:
    """Features of all segments of a table.

    Args:
        table: on the segmented index; relative files are taken from the working folder
        out: Parquet or CSV file for the result; nothing is written when None
        jobs: worker processes; one per core when None
        engine: ``"loky"`` (processes of this machine), ``"dask"`` (a local Dask cluster), or the
            address of a Dask scheduler, ``"tcp://host:8786"``, whose workers see the same files

    Returns:
        features in the order of the table, with absolute files; functionals float32, duration
        float64; failed segments are absent (:func:`failed` lists them, ``attrs["failed"]`` too)

    Raises:
        ValueError: if segments are listed twice, or none has features
        OSError: if a result cannot be written
    """
    index = _checked_index(table)
    if out is None:
        return _split(_rows(index, None, jobs, engine), None)
    out = Path(out).absolute()
    busy = f"{tables.short_name(out)!r} is being written by another process: wait for it."
    with tables.lock(out, busy):
        return _split(_rows(index, out, jobs, engine), out)


def failed(out: str | Path) -> pd.DataFrame:
    """Segments without features, with the column ``reason``.

    Args:
        out: as given to :func:`extract`
    """
    return tables.read_table(_failed_path(Path(out)))


def _failed_path(out: Path) -> Path:
    return out.with_name(f"{out.stem}_failed.csv")


def _checked_index(table: pd.DataFrame | pd.MultiIndex) -> pd.MultiIndex:
    index = tables.as_index(table)
    files = map(os.path.abspath, index.get_level_values("file"))  # workers have other folders
    index = tables.segments(files, *(index.get_level_values(side) for side in ("start", "end")))
    if len(twice := index[index.duplicated()]):
        names = [tables.short_name(segment[0]) for segment in twice[:5]]
        msg = f"{len(twice)} segments are listed twice (first: {names}), expected each once."
        raise ValueError(msg)
    return index


def _split(rows: pd.DataFrame, out: Path | None) -> pd.DataFrame:
    """Features without the failed segments; both written down."""
    lost = rows.loc[rows["reason"].notna(), ["reason"]]
    features = rows[rows["reason"].isna()].drop(columns="reason")
    if out is not None:
        tables.write_table(lost, _failed_path(out))
    if features.empty:
        reasons = lost["reason"].str.replace(r"^'.*?' ", "", regex=True).unique()[:5]
        msg = f"None of {len(lost)} segments can be read as speech: {'; '.join(reasons)}"
        raise ValueError(msg)
    if out is not None:
        tables.write_table(features, out)
    features.attrs["failed"] = lost.reset_index().to_dict("records")
    return features


# --- parts and workers --------------------------------------------------------------------------


def _rows(index: pd.MultiIndex, out: Path | None, jobs: int | None, engine: str) -> pd.DataFrame:
    size = min(128, max(-(-len(index) // 16), 8))  # small parts keep all workers busy to the end
    parts = [index[first : first + size] for first in range(0, len(index), size)]
    folder = None if out is None else out.with_name(f"{out.stem}.parts")
    paths = [None if folder is None else folder / _key(part) for part in parts]
    with _workers(engine, jobs):
        tasks = (joblib.delayed(_part)(*task) for task in zip(parts, paths, strict=True))
        done = joblib.Parallel(return_as="generator")(tasks)
        found: list[pd.DataFrame] = list(
            tqdm(done, "features", len(parts), unit="part", disable=None)
        )
    for path in set(folder.glob("*.parquet") if folder else ()).difference(paths):
        path.unlink(missing_ok=True)  # of other audio or other segments
    return pd.concat(found)


def _key(part: pd.MultiIndex) -> str:
    """Name of a part: changes with its segments and the size and time of their files."""
    lines = [f"{_SET.value} {opensmile.__version__} {SHORTEST}"]
    for file, start, end in part:
        state = os.stat(file) if os.path.exists(file) else None  # noqa: PTH116, PTH110 (speed)
        lines.append(f"{file} {start} {end} {state and (state.st_size, state.st_mtime_ns)}")
    return f"{joblib.hash(lines)}.parquet"


def _part(part: pd.MultiIndex, path: Path | None) -> pd.DataFrame:
    """Features of some segments, from their file if it is there."""
    if path is not None and path.exists():
        return tables.read_table(path)
    rows = pd.DataFrame([_row(*segment) for segment in part], part, [*feature_names(), "reason"])
    rows = rows.astype(dict.fromkeys(_smile().feature_names, np.float32) | {"reason": "str"})
    if path is not None:
        tables.write_table(rows, path)
    return rows


def _row(file: str, start: pd.Timedelta, end: pd.Timedelta) -> list[object]:
    try:
        signal = audio.read(file, start, end)
    except audio.AudioError as error:
        return [*[np.nan] * 89, str(error)]
    try:
        return [*functionals(signal), None]
    except audio.AudioError as error:
        return [*[np.nan] * 89, f"{tables.short_name(file)!r} has no features: {error}"]


@contextlib.contextmanager
def _workers(engine: str, jobs: int | None) -> Iterator[None]:
    """Where the parts are made."""
    if engine == "loky":
        with joblib.parallel_config("loky", n_jobs=jobs or -1):
            yield
    elif engine == "dask" or "://" in engine:
        try:
            from distributed import Client
        except ModuleNotFoundError as error:
            msg = "Dask is not installed: pip install 'paraclap[cluster]'."
            raise ModuleNotFoundError(msg) from error
        local = {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": None}
        client: Any = Client
        client = client(**local) if engine == "dask" else client(engine)
        with client, joblib.parallel_config("dask"):
            yield
    else:
        raise ValueError(tables.unknown("engine", engine, ["loky", "dask", "tcp://host:8786"]))
