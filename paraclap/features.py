"""What openSMILE measures in each segment: the 88 eGeMAPSv02 functionals and the duration.

Input is any table on the segmented index, output a table on the same index with one column per
functional under its openSMILE name, and ``duration`` in seconds. Segments that cannot be measured
are left out and listed with the reason in ``<out stem>_failed.csv``.

The work is cut into shards (:mod:`paraclap.shards`), files in ``<out stem>.shards/`` that are named
after all that their content depends on: a run that was stopped goes on where it was, and a shard of
other audio or of another openSMILE is never taken. Processes of this machine measure them, a Dask
cluster, or the tasks of a Slurm array::

    #SBATCH --array=1-16
    python -m paraclap.features labels.parquet features.parquet --part slurm

and when all have ended ``python -m paraclap.features labels.parquet features.parquet``, which joins
the shards and measures what may be missing. The table is the same in every case.

Source: Eyben et al. 2016, "The Geneva Minimalistic Acoustic Parameter Set (GeMAPS) for voice
research and affective computing"; Eyben et al. 2010, "openSMILE".
"""

from __future__ import annotations

import argparse
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import opensmile
import pandas as pd
from numpy.typing import NDArray

from paraclap import audio, shards
from paraclap.tables import fingerprint, is_current, read_table, short, write_table
from paraclap.whole import alone, is_free
from paraclap.workers import WorkerError

FEATURE_SET = opensmile.FeatureSet.eGeMAPSv02
_WHAT = "Measure segments"
SHORTEST = 0.06  # seconds: below its longest window openSMILE gives NaN for all functionals


def extract(
    table: pd.DataFrame | pd.MultiIndex,
    out: str | Path,
    jobs: int | None = None,
    shard: int = 128,
    engine: str = "processes",
) -> pd.DataFrame:
    """Measure all segments of a table.

    Args:
        table: on the segmented index; an end of NaT is the end of the file; relative files are
            taken from the working folder
        out: Parquet file for the result; when it is there and current it is only read
        jobs: workers; one per core when None
        shard: most segments per shard
        engine: who measures, ``"processes"``, ``"dask"``, or the address of a Dask scheduler,
            see :mod:`paraclap.shards`

    Returns:
        features, rows in the order of ``table``, with absolute files, those of failed segments
        absent (:func:`failed` lists them); functionals float32, duration float64 in seconds

    Raises:
        ValueError: if segments are listed twice, or none can be measured
        OSError: if a result cannot be written, for example because the disk is full
        WorkerError: if segments kill the workers that measure them
    """
    out = Path(out)
    plan = _plan(shards.checked(table), out, shard)
    key = fingerprint([path.stem for path in plan])
    if not (is_free(out) and _is_done(out, key)):
        with alone(out):
            if not _is_done(out, key):  # by the process that was waited for
                shards.run(plan, _write_shard, jobs, engine, _WHAT)
                for path in set(_shard_folder(out).glob("*.parquet")) - set(plan):
                    path.unlink(missing_ok=True)
                _collect(list(plan), out, key)
    return read_table(out)


def _is_done(out: Path, key: str) -> bool:
    return is_current(out, key) and is_current(_failed_path(out), key)


def measure_part(
    table: pd.DataFrame | pd.MultiIndex,
    out: str | Path,
    part: str,
    jobs: int | None = None,
    shard: int = 128,
    engine: str = "processes",
) -> None:
    """Measure one of several parts of a table; :func:`extract` then finds it measured.

    Args:
        table: as for :func:`extract`, the same for all parts
        out: as for :func:`extract`; only its folder of shards is written to
        part: ``"3/16"``, the third of sixteen, or ``"slurm"``, that of this task of a Slurm array
        jobs: as for :func:`extract`
        shard: as for :func:`extract`, the same for all parts
        engine: as for :func:`extract`

    Raises:
        ValueError: if there is no such part; see also :func:`extract`
    """
    out = Path(out)
    plan = _plan(shards.checked(table), out, shard)
    own = shards.share(plan, part)
    with alone(out, shared=True):
        shards.run(own, _write_shard, jobs, engine, _WHAT)


def failed(out: str | Path) -> pd.DataFrame:
    """Segments that could not be measured, with the column ``reason``.

    Args:
        out: the file given to :func:`extract`
    """
    return read_table(_failed_path(Path(out)))


def _failed_path(out: Path) -> Path:
    return out.with_name(f"{out.stem}_failed.csv")


def _shard_folder(out: Path) -> Path:
    return out.with_name(f"{out.stem}.shards")


def _plan(index: pd.MultiIndex, out: Path, shard: int) -> dict[Path, pd.MultiIndex]:
    """Shard files in the order of the table, each with its segments."""
    states = {file: _state(Path(file)) for file in index.get_level_values("file").unique()}
    plan = {}
    for rows in shards.cut(len(index), shard):
        part = index[rows]
        files = [states[file] for file in part.get_level_values("file")]
        name = fingerprint(FEATURE_SET.value, opensmile.__version__, SHORTEST, part, files)
        plan[_shard_folder(out) / f"{name}.parquet"] = part
    return plan


def _state(file: Path) -> list[int]:
    """Size and time of change: enough to notice another content without reading it."""
    try:
        status = file.stat()
    except OSError:  # who reads it will say why
        return []
    return [status.st_size, status.st_mtime_ns]


# --- measuring ---------------------------------------------------------------------------------


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
        values = measure(signal)
    except audio.AudioError as error:
        return [np.float32("nan")] * len(_smile().feature_names) + [np.nan, str(error)]
    return [*values[:-1].astype(np.float32), values[-1], None]


def measure(signal: audio.Signal) -> NDArray[np.float64]:
    """The 88 functionals of a signal and its duration, the columns of :func:`extract`.

    Args:
        signal: mono at 16 kHz, shape `(samples,)`

    Returns:
        shape `(89,)`; the last is in seconds

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
    values = _smile()(signal, audio.SAMPLING_RATE)[0, :, 0].astype(np.float64)
    bad = list(np.array(_smile().feature_names)[np.isnan(values)])
    if bad:
        msg = f"NaN functionals: {', '.join(bad[:5])} ({len(bad)} of {len(values)})."
        raise audio.AudioError(msg)
    return np.append(values, len(signal) / audio.SAMPLING_RATE)


def _collect(paths: list[Path], out: Path, key: str) -> pd.DataFrame:
    """Write the list of failures and the features."""
    rows = pd.concat([read_table(path) for path in paths])
    return shards.close(rows, out, _failed_path(out), key, "measured")


# --- command line ------------------------------------------------------------------------------


def main() -> None:
    """Measure the segments of a table, or one part of it."""
    parser = argparse.ArgumentParser(
        prog="python -m paraclap.features", description="Measure the segments of a table."
    )
    parser.add_argument("labels", type=Path, help="table with the segments, Parquet or CSV")
    parser.add_argument("out", type=Path, help="Parquet file for the features")
    parser.add_argument("--part", help="3/16: the third of sixteen parts; slurm: by array task")
    parser.add_argument("--jobs", type=int, help="workers, one per core if left out")
    parser.add_argument("--shard", type=int, default=128, help="most segments written at a time")
    parser.add_argument("--engine", default="processes", help="processes, dask, or tcp://host:port")
    args = parser.parse_args()
    settings = {"jobs": args.jobs, "shard": args.shard, "engine": args.engine}
    try:
        table = read_table(args.labels)
        if args.part:
            measure_part(table, args.out, args.part, **settings)
            return
        measured = extract(table, args.out, **settings)
    except (OSError, ValueError, ModuleNotFoundError, WorkerError) as error:
        sys.exit(f"\n{error}")
    lost = len(failed(args.out))
    print(f"{len(measured):,} segments measured, {lost:,} could not be: {short(args.out)}")


if __name__ == "__main__":
    # By its name, for the workers: they do not know this file as "__main__".
    from paraclap import features

    features.main()
