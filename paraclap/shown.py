"""What a command of the shell leaves behind: a file, CSV on stdout, or a table for people.

Conventions: results go to stdout or to a file, what went wrong to stderr. A table is first written
to a Parquet file by the step that makes it; a ``.csv`` file and stdout are made from that. In CSV
a list of queries becomes a row per query.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import pandas as pd

ROWS, COLUMNS = 20, 12  # more columns are shown as rows
FEW = 4  # columns of a table shown that way


@contextlib.contextmanager
def one_line() -> Iterator[None]:
    """Turn errors that say what to do into a line on stderr and exit status 1.

    Raises:
        SystemExit: if there was one; its status is 130 if the command was interrupted
    """
    from paraclap.workers import WorkerError

    try:
        yield
    except (OSError, ValueError, ModuleNotFoundError, ArithmeticError, WorkerError) as error:
        print(_without_lost_files(str(error)), file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("Stopped; run the same command again.", file=sys.stderr)
        raise SystemExit(130) from None


def _without_lost_files(message: str) -> str:
    """A message without its last reference to a list of failures that is not kept."""
    match = re.search(r":? \(?see '([^']+_failed\.csv)'\)?\.$", message)
    lost = match is not None and not Path(match[1]).exists()
    return message[: match.start()] + "." if match and lost else message


@contextlib.contextmanager
def written(out: str) -> Iterator[Path]:
    """The Parquet file that a step is to write, brought to ``out`` when it has.

    Args:
        out: ``.parquet`` or ``.csv`` file, ``"-"`` for CSV on stdout, ``""`` for a table for people

    Raises:
        ValueError: if the name ends otherwise
        OSError: if the folder is not there
    """
    _check(out)
    if out.endswith(".parquet"):
        yield Path(out)
        print(f"Written: {out}", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory(prefix="paraclap-") as folder:
        path = Path(folder) / "result.parquet"
        yield path
        _bring(path, out)


def _check(out: str) -> None:
    if out not in ("", "-") and Path(out).suffix not in (".parquet", ".csv"):
        raise ValueError(f"Bad --out {out!r}, expected a name that ends in .parquet or .csv, or -.")
    if not Path(out).parent.is_dir():
        raise FileNotFoundError(f"No folder {str(Path(out).parent)!r} for --out {out!r}: make it.")


def _bring(path: Path, out: str) -> None:
    """Bring a finished Parquet file to a CSV file or to stdout."""
    from paraclap import tables

    table = _row_each(tables.read_table(path))
    if not out:
        print(readable(table))
    elif out == "-":
        table.reset_index().to_csv(sys.stdout, index=False)
    else:
        with tables.atomic_path(out) as temporary:
            table.reset_index().to_csv(temporary, index=False)
        failed = _failed(path)
        if failed.is_file() and len(tables.read_table(failed)):
            shutil.copy(failed, _failed(Path(out)))
        print(f"Written: {out}", file=sys.stderr)


def _row_each(table: pd.DataFrame) -> pd.DataFrame:
    """A table of queries as a row per query; other tables as they are."""
    if "queries" not in table:
        return table
    return table[["queries"]].explode("queries").rename(columns={"queries": "query"})


def readable(table: pd.DataFrame) -> str:
    """A table for people: short file names, the first rows; many columns stand below each other.

    Args:
        table: on the segmented index
    """
    from paraclap import tables

    if "query" in table:
        return _listed(table)
    wide = table.shape[1] > COLUMNS
    head = tables.show(table, FEW if wide else ROWS).reset_index()
    if head["end"].isna().all() and not head["start"].any():
        head = head.drop(columns=["start", "end"])
    form = {"header": False} if wide else {"index": False, "float_format": "{:.3f}".format}
    text = str((head.T if wide else head).to_string(**form))
    more = len(table) - len(head)
    return text + (f"\n... and {more:,} more: name a file with --out." if more else "")


def _listed(table: pd.DataFrame) -> str:
    """The queries of each segment below its name."""
    lines = []
    for segment, rows in table.groupby(level=[0, 1, 2], sort=False, dropna=False)["query"]:
        file, start, _ = cast("tuple[str, pd.Timedelta, pd.Timedelta]", segment)
        seconds = start.total_seconds()
        name = "/".join(Path(file).parts[-2:])
        lines += [f"{name}, from {seconds:.2f} s" if seconds else name]
        lines += [f"  {query}" for query in rows.dropna()] or ["  nothing is known"]
    return "\n".join(lines)


def _failed(path: Path) -> Path:
    return path.with_name(f"{path.stem}_failed.csv")


def say_failed(path: Path, out: str) -> None:
    """Say on stderr what could not be heard, if anything.

    Args:
        path: Parquet file of a step that lists its failures beside it
        out: as in :func:`written`
    """
    from paraclap import tables

    lost = tables.read_table(_failed(path))
    if lost.empty:
        return
    where = f" (see {_failed(Path(out))})" if Path(out).suffix else ""
    print(f"{len(lost)} segments could not be heard{where}:", file=sys.stderr)
    for reason in lost["reason"][:5]:
        print(f"  {reason}", file=sys.stderr)
