"""Files that are whole and know what they were made from.

Two things hold for every artefact of a run:

- it is there in full or not at all (:func:`paraclap.whole.atomic_path`);
- it remembers the key it was made with (:func:`fingerprint` of its inputs), so that a step whose
  inputs did not change need not run again (:func:`is_current`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from paraclap.whole import absolute, atomic_path, first_line, project_folder, relative, short

__all__ = [
    "PROVENANCE",
    "absolute",
    "atomic_path",
    "fingerprint",
    "first_line",
    "is_current",
    "key_path",
    "keyed_path",
    "project_folder",
    "relative",
    "short",
    "stamp",
]

PROVENANCE = b"paraclap"


@contextlib.contextmanager
def keyed_path(path: str | Path, key: str) -> Iterator[Path]:
    """As :func:`atomic_path`, for a file that has its key beside it: what is noted is its own.

    Of two processes that write one file at once, neither may note its key for what the other wrote.

    Args:
        path: of a file that cannot carry its key inside
        key: what it was made from, see :func:`fingerprint`

    Raises:
        OSError: if one of the two files cannot be written
    """
    path = Path(path)
    with atomic_path(path) as temporary:
        yield temporary
        made = fingerprint(key, temporary)
        key_path(path).unlink(missing_ok=True)
    _note(path, made)


def is_current(path: str | Path, key: str) -> bool:
    """Whether a file or folder is there, whole, and was made with this key.

    Parquet files carry the key inside; all others have it in ``<name>.key`` beside them, together
    with their content, so that an edited file is not current.
    """
    path = Path(path)
    if path.suffix == ".parquet":
        return path.is_file() and _parquet_key(path) == key
    note = key_path(path)
    if not path.exists() or not note.is_file():
        return False
    return note.read_text(encoding="utf-8", errors="replace").strip() == fingerprint(key, path)


def _parquet_key(path: Path) -> str | None:
    try:
        metadata = pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError, ValueError):
        return None
    return metadata[PROVENANCE].decode(errors="replace") if PROVENANCE in metadata else None


def stamp(path: str | Path, key: str) -> None:
    """Note beside a finished file or folder (not a Parquet table) the key it was made with."""
    _note(Path(path), fingerprint(key, Path(path)))


def _note(path: Path, made: str) -> None:
    with atomic_path(key_path(path)) as temporary:
        temporary.write_text(made + "\n", encoding="utf-8")


def key_path(path: Path) -> Path:
    """Where the key of a file or folder is kept that cannot carry it inside."""
    return path.with_name(f"{path.name}.key")


def fingerprint(*parts: object) -> str:
    """Sixteen hex digits that change when one of the parts does.

    Args:
        parts: plain values, tables and indices (names, order and content count; files of the
            project are taken relative to it), and paths (the bytes of the file, or of all
            files of the folder)

    Examples:
        >>> fingerprint("eGeMAPSv02", 0.3, {"b": 1, "a": 2})
        'd871c861adf4589f'
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(_digest(part))
    return digest.hexdigest()[:16]


def _digest(part: object) -> bytes:
    if isinstance(part, (pd.DataFrame, pd.Series, pd.Index)):
        return _table_digest(part)
    if isinstance(part, Path):
        return _path_digest(part)
    text = json.dumps(part, sort_keys=True, default=_plain, ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def _plain(value: object) -> object:
    """JSON stand-in for a value that JSON does not know."""
    if isinstance(value, (pd.DataFrame, pd.Series, pd.Index, Path)):
        return _digest(value).hex()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, (pd.Timedelta, pd.Timestamp)):
        return str(value)
    msg = f"Cannot fingerprint a {type(value).__name__}, expected plain values, tables or paths."
    raise TypeError(msg)


def _table_digest(table: pd.DataFrame | pd.Series | pd.Index) -> bytes:
    frame = table.to_frame(index=False) if isinstance(table, pd.Index) else table.reset_index()
    digest = hashlib.sha256(json.dumps([str(name) for name in frame.columns]).encode())
    for position, name in enumerate(frame.columns):
        digest.update(_column_bytes(frame.iloc[:, position], name))
    return digest.digest()


def _column_bytes(column: pd.Series, name: Hashable) -> bytes:
    if name == "file":
        column = pd.Series(relative(column), dtype="str")
    if pd.api.types.is_timedelta64_dtype(column):
        column = column.astype("timedelta64[ns]")
    elif not pd.api.types.is_numeric_dtype(column):
        column = column.astype(object).map(_word)
    hashes: np.ndarray[Any, Any] = pd.util.hash_pandas_object(column, index=False).to_numpy()
    return hashes.tobytes()


def _word(value: Any) -> str:
    """Text that stands for one cell: missing values alike, lists by their content."""
    if isinstance(value, (list, tuple, np.ndarray, Mapping)):
        return json.dumps(value, default=_plain, sort_keys=True)
    return "\0" if pd.isna(value) else str(value)


def _path_digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        if file.is_file():
            digest.update(file.relative_to(path).as_posix().encode() + b"\0")
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        elif not path.is_dir():
            digest.update(b"not there")
    return digest.digest()
