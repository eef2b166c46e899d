"""Files and messages: short names, hints, whole files, locks, JSON, CSV of anybody.

Files are written beside their place and then renamed, so nobody reads half of one. Messages name a
file by the last two parts of its path. :mod:`paraclap.tables` passes all names on.
"""

from __future__ import annotations

import contextlib
import difflib
import io
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import filelock
import pandas as pd

Name = str | os.PathLike[str]


def project_folder() -> Path:
    """Folder that holds the package, or the one named by ``PARACLAP_HOME``."""
    return Path(os.environ.get("PARACLAP_HOME") or Path(__file__).parent.parent).resolve()


def run_folder(run: str, runs: str = "runs") -> Path:
    """Folder of one run, created if need be; ``runs`` is relative to the project folder."""
    folder = project_folder() / runs / run
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def short_name(path: Name) -> str:
    """Last two parts of a path, for messages and tables.

    >>> short_name("/data/emodb/wav/03a01Fa.wav")
    'wav/03a01Fa.wav'
    """
    return str(Path(*Path(path).parts[-2:]))


def did_you_mean(name: object, choices: Iterable[object]) -> str:
    """Hint such as ``" Did you mean 'emotion'?"``, empty if nothing is near."""
    near = difflib.get_close_matches(str(name), [str(choice) for choice in choices], n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def unknown(what: str, name: object, choices: Iterable[object], where: str = "") -> str:
    """The message for a word that is not among the choices.

    >>> unknown("split", "tset", ["train", "test"], "labels.csv")
    "Unknown split 'tset' in labels.csv, expected one of train, test. Did you mean 'test'?"
    """
    choices = list(choices)
    listed = ", ".join(map(str, choices[:20])) + (", ..." if len(choices) > 20 else "")
    place = f" in {where}" if where else ""
    return f"Unknown {what} {name!r}{place}, expected one of {listed}.{did_you_mean(name, choices)}"


@contextlib.contextmanager
def atomic(path: Name) -> Iterator[Path]:
    """Temporary path that takes the place of ``path`` when the block ends well.

    Raises:
        OSError: if the file cannot be written; what was there before stays
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.stem}.", dir=path.parent) as folder:
            yield Path(folder) / path.name
            (Path(folder) / path.name).replace(path)
    except OSError as error:
        msg = f"Cannot write {short_name(path)!r} ({error.strerror or error}), what was there stays"
        raise OSError(error.errno, f"{msg}: free some space or choose another folder") from error


@contextlib.contextmanager
def lock(path: Name, message: str) -> Iterator[None]:
    """Hold what is made at ``path`` until the block or the process ends.

    Raises:
        BlockingIOError: with the message, if another process holds it
    """
    place = Path(path).with_name(f".{Path(path).name}.lock")
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(place, timeout=0):
            yield
    except filelock.Timeout as error:
        raise BlockingIOError(message) from error


def existing(path: Name) -> Path:
    """The path of a file that is there.

    Raises:
        FileNotFoundError: if it is not
    """
    if not Path(path).is_file():
        msg = f"No file at {short_name(path)!r}: run the step that writes it first."
        raise FileNotFoundError(msg)
    return Path(path)


def check_suffix(path: Name) -> str:
    """Suffix of a table, in lower case.

    Raises:
        ValueError: if it is neither .parquet nor .csv
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".parquet", ".csv"):
        msg = f"Bad table name {short_name(path)!r}, expected it to end in .parquet or .csv."
        raise ValueError(msg)
    return suffix


def read_csv(path: Name, **settings: Any) -> pd.DataFrame:
    """Read a CSV or Parquet table of anybody: comma, semicolon or tab; UTF-8 or UTF-16.

    Args:
        path: Parquet if it ends so, else CSV
        settings: of ``pandas.read_csv``

    Raises:
        FileNotFoundError: if there is no such file
        ValueError: if it cannot be read, or a row has more cells than the header has names
    """
    name, suffix = repr(short_name(path)), check_suffix(path)
    content = existing(path).read_bytes()
    try:
        if suffix == ".parquet":
            return pd.read_parquet(io.BytesIO(content))
        text, separator = _text(content)
        decimal = "," if separator == ";" else "."
        table: pd.DataFrame = pd.read_csv(
            io.StringIO(text), sep=separator, decimal=decimal, **settings
        )
    except UnicodeDecodeError as error:
        msg = f"{name} is not in UTF-8 (byte {error.start}): save it as CSV in UTF-8."
        raise ValueError(msg) from error
    except Exception as error:  # pandas, Arrow and Thrift have their own kinds
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise ValueError(f"Cannot read {name} as a table ({reason}): write it again.") from error
    if not isinstance(table.index, pd.RangeIndex):
        msg = f"A row of {name} has more cells than the header has names"
        raise ValueError(f"{msg}: name each column, and put cells with commas in quotes.")
    return table


def _text(content: bytes) -> tuple[str, str]:
    """Text of a CSV file, and what separates its cells."""
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    first, _, rest = text.partition("\n")
    if marked := re.fullmatch(r'"?sep=(.)"?', first.strip()):  # a line that Excel writes
        return rest, marked[1]
    return text, max(",;\t", key=first.count)


def write_json(obj: object, path: Name) -> Path:
    """Write plain values as JSON."""
    text = json.dumps(obj, indent=2, allow_nan=False, ensure_ascii=False)
    with atomic(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return Path(path)


def read_json(path: Name) -> Any:
    """Read plain values.

    Raises:
        FileNotFoundError: if there is no such file
        ValueError: if it is not JSON
    """
    try:
        return json.loads(existing(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        msg = f"Cannot read {short_name(path)!r} as JSON ({error}): write it again."
        raise ValueError(msg) from error
