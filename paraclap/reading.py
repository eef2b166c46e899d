"""What stands in a file that somebody else wrote? Text and tables, read as they are or refused.

Files come from other people, other systems and broken copies: whatever other packages find wrong
with one is told as an error of ours that names the file and says what to do. Nothing is skipped: a
row with more cells than the header has names is an error, since pandas would shift its cells.

Conventions: text is UTF-8, with or without its mark; a table is as on disk, nothing indexed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from paraclap.whole import first_line, short

KINDS = (".parquet", ".csv")


def text(path: Path) -> str:
    """Text of a file in UTF-8.

    Raises:
        FileNotFoundError: if there is no such file, but nothing, a folder or a pipe
        ValueError: if it is in another encoding
    """
    if not path.is_file():
        msg = f"No file at {short(path)!r}, expected text in UTF-8: give the path of such a file."
        raise FileNotFoundError(msg)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{short(path)!r} is not in UTF-8 ({error.reason}, byte {error.start}): save it so."
        raise ValueError(msg) from error


def table(path: Path) -> pd.DataFrame:
    """Rows of a Parquet or CSV file, by its suffix.

    Raises:
        ValueError: if it is neither, cannot be read, or has more cells than names in a row
    """
    suffix = path.suffix.lower()
    if suffix not in KINDS:
        msg = f"Bad table name {short(path)!r}, expected it to end in .parquet or .csv."
        raise ValueError(msg)
    if suffix == ".csv":
        return csv(path)
    try:
        found = pd.read_parquet(path)
        for number, kind in enumerate(found.dtypes):  # bytes that are no text would be found later
            if kind == "str":
                pa.array(found.iloc[:, number].array).validate(full=True)
        return found
    except Exception as error:  # pandas, Arrow and Thrift have their own kinds
        raise ValueError(_unreadable(path, "parquet", error)) from error


def _unreadable(path: Path, kind: str, error: Exception) -> str:
    return (
        f"Cannot read {short(path)!r} as a {kind} table ({first_line(error)}): "
        "it is cut short or of another type; write it again, CSV in UTF-8."
    )


def csv(path: Path, **settings: Any) -> pd.DataFrame:
    """Rows of a CSV file.

    Args:
        path: of the file, which is there
        settings: of `pandas.read_csv`

    Raises:
        ValueError: if it cannot be read, or has more cells than names in a row
    """
    try:
        found: pd.DataFrame = pd.read_csv(path, encoding="utf-8-sig", **settings)
    except Exception as error:  # pandas and codecs have their own kinds
        raise ValueError(_unreadable(path, "csv", error)) from error
    if not isinstance(found.index, pd.RangeIndex):
        msg = f"More cells than names in {short(path)!r}, it has {list(found)[:20]}"
        raise ValueError(f"{msg}: give each column a name, and cells with commas quotes.")
    return found


def times(values: pd.Series, path: Path, seconds: bool = True) -> pd.Series:
    """Times of a column, as timedeltas; missing where there are none.

    Args:
        values: numbers, timedeltas, or times written out
        path: of the table, for messages
        seconds: whether numbers are seconds; else they are no times

    Raises:
        ValueError: if something else stands there
    """
    is_number = pd.api.types.is_numeric_dtype(values)
    try:
        if is_number and not seconds and values.notna().any():
            raise ValueError(f"numbers such as {values.dropna().iloc[0]}")
        return pd.Series(pd.to_timedelta(values, unit="s" if is_number else None))
    except (ValueError, TypeError, OverflowError) as error:
        expected = "seconds or times" if seconds else "times"
        msg = (
            f"Bad {values.name} in {short(path)!r} ({first_line(error)}), expected {expected} "
            "such as '0 days 00:00:01.5'."
        )
        raise ValueError(msg) from error


def exists(path: str | Path) -> bool:
    """Whether there is something at a path; not so at one that no file can have."""
    return os.path.exists(path)  # noqa: PTH110 (that of pathlib raises where a name is too long)


def outside(files: Iterable[str | Path], folder: Path) -> list[str]:
    """Files that do not lie below a folder, as their paths say: links are not followed.

    Args:
        files: paths, relative ones are meant in the folder
        folder: where they should lie

    >>> outside(["a/b.wav", "../c.wav", "a/../../d.wav", "/etc/e", "/data/f.wav"], Path("/data"))
    ['../c.wav', 'a/../../d.wav', '/etc/e']
    """
    root = Path(os.path.normpath(folder.absolute()))
    places = {str(file): Path(os.path.normpath(root / file)) for file in files}
    return [file for file, place in places.items() if not place.is_relative_to(root)]
