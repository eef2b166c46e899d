"""Where do answers go? Into a table on disk, or to the reader's own machine by a link."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from paraclap import tables
from paraclap.playground.asking import ANSWERS

KINDS = (".csv", ".parquet")


def joined(answers: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All answers so far in one table; what was asked twice stands there once.

    Args:
        answers: tables as :func:`paraclap.playground.asking.ask` gives them

    Raises:
        ValueError: if nothing was asked yet
    """
    if not answers:
        raise ValueError("Nothing was asked yet, expected at least one answer: press Ask first.")
    table = pd.concat(answers, ignore_index=True)
    return table.drop_duplicates(list(ANSWERS[:6]), keep="last", ignore_index=True)


def save(table: pd.DataFrame, file: str | Path) -> Path:
    """Write a table; a file of the same name gives way.

    Args:
        table: on an unnamed index
        file: ends in .csv or .parquet; below the project folder unless absolute

    Raises:
        ValueError: if it ends otherwise
        OSError: if it cannot be written, or its folder is not there
    """
    path = tables.project_folder() / Path(file).expanduser()
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"No folder {tables.short(path.parent)!r} for {path.name!r}: make it, or name another."
        )
    return tables.write_table(table, path)


def content(table: pd.DataFrame, kind: str = ".csv") -> bytes:
    """Content of a file with the table.

    Args:
        table: on an unnamed index
        kind: .csv or .parquet

    Raises:
        ValueError: if it is another one
    """
    if kind not in KINDS:
        raise ValueError(f"Bad kind of file {kind!r}, expected one of {list(KINDS)}.")
    if kind == ".csv":
        return table.to_csv(index=False).encode()
    stream = io.BytesIO()
    table.to_parquet(stream, index=False)
    return stream.getvalue()


def address(table: pd.DataFrame, kind: str = ".csv") -> str:
    """Address that gives the reader the table as a file, with no server.

    Args:
        table: on an unnamed index
        kind: .csv or .parquet

    Raises:
        ValueError: if it is another one
    """
    mime = {".csv": "text/csv;charset=utf-8"}.get(kind, "application/octet-stream")
    return f"data:{mime};base64,{base64.b64encode(content(table, kind)).decode()}"
