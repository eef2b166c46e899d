"""The 88 eGeMAPSv02 functionals of each segment, and its duration.

Segments without features are left out and listed with the reason in ``<out stem>_failed.csv``.
Finished parts of the work are kept in ``<out stem>.parts/``, named after all that their content
depends on, so a run that was stopped goes on where it was. Chapter 2. Sources: Eyben et al. 2016,
"The Geneva Minimalistic Acoustic Parameter Set (GeMAPS)"; Eyben et al. 2010, "openSMILE".
"""

import contextlib
import importlib
import os
import tempfile
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
    """The 88 functionals of a signal and its duration in seconds, ``(89,)``.

    AudioError if it is too short, silent, or in steps of 16 bits, or some functional is NaN.
    """
    seconds = len(signal) / audio.SAMPLING_RATE
    if seconds < SHORTEST:
        raise audio.AudioError(f"{seconds:.3f} s of signal, openSMILE needs {SHORTEST} s.")
    audio.check_scale(signal)
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
        out: Parquet or CSV file for the result; nothing is kept when None
        jobs: worker processes; one per core when None
        engine: ``"loky"`` (processes of this machine), ``"dask"`` (a local Dask cluster), or the
            address of a Dask scheduler, ``"tcp://host:8786"``, whose workers see the same files

    Returns:
        functionals (float32) and duration in the order of the table, with absolute files; without
        failed segments, which :func:`failed` and ``attrs["failed"]`` list; ValueError if segments
        are listed twice, or none has features
    """
    files, *times = map(tables.as_index(table).get_level_values, tables.INDEX)
    index = tables.segments(map(os.path.abspath, files), *times)  # workers have other folders
    if index.has_duplicates:
        first = tables.short_name(index[index.duplicated()].get_level_values("file")[0])
        raise ValueError(f"Segments come twice, the first in {first!r}: give each once.")
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            return extract(index, Path(folder) / "features.parquet", jobs, engine)
    out = Path(out).absolute()
    busy = f"{tables.short_name(out)!r} is being written by another process: wait for it."
    with tables.lock(out, busy):
        rows = _rows(index, out.with_name(f"{out.stem}.parts"), jobs, engine)
        lost = rows.loc[rows["reason"].notna(), ["reason"]]
        tables.write_table(lost, out.with_name(f"{out.stem}_failed.csv"))
        if len(lost) == len(rows):
            reasons = lost["reason"].str.replace(r"^'.*?':? ", "", regex=True).unique()[:5]
            raise ValueError(f"None of {len(lost)} segments is usable: {'; '.join(reasons)}")
        features = rows[rows["reason"].isna()].drop(columns="reason")
        tables.write_table(features, out)
    features.attrs["failed"] = lost.reset_index().to_dict("records")
    return features


def failed(out: str | Path) -> pd.DataFrame:
    """Segments without features and the ``reason``; ``out`` is that of :func:`extract`."""
    return tables.read_table(Path(out).with_name(f"{Path(out).stem}_failed.csv"))


def _rows(index: pd.MultiIndex, folder: Path, jobs: int | None, engine: str) -> pd.DataFrame:
    """Features or the reason why not, made in parts that are kept in a folder."""
    size = min(128, max(-(-len(index) // 16), 8))  # small parts keep all workers busy to the end
    parts = [index[first : first + size] for first in range(0, len(index), size)]
    made = (_SET.value, opensmile.__version__, SHORTEST)
    paths = [folder / f"{audio.fingerprint(part, made)}.parquet" for part in parts]
    backend = "loky" if engine == "loky" else "dask"
    with _client(engine, jobs), joblib.parallel_config(backend, n_jobs=jobs or -1):
        done = joblib.Parallel(return_as="generator")(map(joblib.delayed(_part), parts, paths))
        found: list[pd.DataFrame] = list(tqdm(done, "features", len(parts), disable=None))
    for path in set(folder.glob("*.parquet")).difference(paths):
        path.unlink(missing_ok=True)  # of other audio or other segments
    return pd.concat(found)


def _part(part: pd.MultiIndex, path: Path) -> pd.DataFrame:
    """Features of some segments, from their file if it is there."""
    if not path.exists():
        columns = [*feature_names(), "reason"]
        rows = pd.DataFrame([_row(*segment) for segment in part], part, columns)
        types = dict.fromkeys(_smile().feature_names, np.float32) | {"reason": "str"}
        tables.write_table(rows.astype(types), path)
    return tables.read_table(path)


def _row(file: str, start: pd.Timedelta, end: pd.Timedelta) -> list[object]:
    try:
        return [*functionals(audio.read(file, start, end)), None]
    except audio.AudioError as error:
        name = repr(tables.short_name(file))
        return [*[np.nan] * 89, str(error) if name in str(error) else f"{name}: {error}"]


def _client(engine: str, jobs: int | None) -> Any:
    """Dask, while it is open; nothing for processes of this machine."""
    if engine == "loky":
        return contextlib.nullcontext()
    if engine != "dask" and "://" not in engine:
        raise ValueError(tables.unknown("engine", engine, ["loky", "dask", "tcp://host:8786"]))
    distributed: Any = importlib.import_module("distributed")  # of the extra paraclap[cluster]
    local = {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": None}
    return distributed.Client(**(local if engine == "dask" else {"address": engine}))
