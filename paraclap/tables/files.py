"""Files and their folders: whole or not at all, one writer at a time, tables of anybody."""

import contextlib
import io
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import pandas as pd

Name = str | os.PathLike[str]


def project_folder() -> Path:
    """Folder that holds the package, or the one named by ``PARACLAP_HOME``."""
    return Path(os.environ.get("PARACLAP_HOME") or Path(__file__).parents[2]).resolve()


def run_folder(run: str, runs: str = "runs") -> Path:
    """Folder of one run, created if need be; ``runs`` is relative to the project folder.

    ValueError if ``run`` is empty, or not among the parameters that papermill was given.
    """
    cells = getattr(sys.modules["__main__"], "In", ())  # executed in this kernel
    if not run or any(one[:13] == "# Parameters\n" and "\nrun = " not in one for one in cells):
        raise ValueError("No name of the run among the parameters, expected one: -p run NAME.")
    folder = project_folder() / runs / run
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def short_name(path: Name) -> str:
    """Last two parts of a path, for messages and tables; a slash in front stays if no more are."""
    parts = Path(path).parts
    return str(Path(*(parts if parts[:-2] == (os.sep,) else parts[-2:])))


@contextlib.contextmanager
def atomic(path: Name) -> Iterator[Path]:
    """Temporary path that takes the place of ``path`` when the block ends well; else OSError."""
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
def lock(path: Name, message: str, wait: float = 0) -> Iterator[None]:
    """Hold what is made at ``path``; BlockingIOError if another process does, after ``wait`` s."""
    try:
        with filelock.FileLock(Path(path).with_name(f".{Path(path).name}.lock"), timeout=wait):
            yield
    except filelock.Timeout as error:
        raise BlockingIOError(message) from error


def write_json(obj: object, path: Name) -> Path:
    """Write plain values as JSON."""
    with atomic(path) as temporary:
        text = json.dumps(obj, indent=2, allow_nan=False, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return Path(path)


def _content(path: Name) -> bytes:
    if Path(path).is_file():
        return Path(path).read_bytes()
    raise FileNotFoundError(f"No file at {short_name(path)!r}: run the step that writes it first.")


def read_json(path: Name) -> Any:
    """Read plain values; FileNotFoundError or ValueError if there is no JSON."""
    try:
        return json.loads(_content(path))
    except (ValueError, RecursionError) as error:
        msg = f"Cannot read {short_name(path)!r} as JSON ({error}): write it again."
        raise ValueError(msg) from error


def _decoded(content: bytes) -> str:
    """Text in UTF-8 or UTF-16, marked or not; ValueError says what else it may be."""
    wide = "utf-16-be" if content[:1] == b"\0" else "utf-16"
    try:
        text = content.decode(wide if b"\0" in content[:4] else "utf-8-sig")
    except UnicodeDecodeError as error:
        near = content[max(0, error.start - 9) : error.end + 9]
        one, other = (near.decode(encoding, "replace") for encoding in ("cp1252", "mac_roman"))
        raise ValueError(f"no UTF-8: {one!r} in cp1252, {other!r} in Mac Roman") from error
    if "\0" in text:
        raise ValueError("it is no text")
    return text


def read_csv(path: Name, **settings: Any) -> pd.DataFrame:
    """Read a table of anybody: Parquet, or CSV in UTF-8 or UTF-16 with ``,``, ``;``, tab or ``|``.

    Settings are those of ``pandas.read_csv``; where no commas divide cells, 0,5 is 0.5.
    FileNotFoundError or ValueError if that cannot be, or if two columns have one name.
    """
    content = _content(path)
    try:
        if Path(path).suffix.lower() == ".parquet":
            return pd.read_parquet(io.BytesIO(content))
        text = re.sub(r"\r\n?", "\n", _decoded(content)).lstrip("\n")
        text = re.sub(r'\A"?sep=."?\n', "", text, flags=re.IGNORECASE)  # a line that Excel writes
        separator = max(",;\t|", key=re.sub(r'"[^"]*"', "", text.partition("\n")[0]).count)
        if (cut := re.escape(separator)) != ",":
            number = rf'(^|{cut})("?)([+-]?\d+),(\d+)\2(?=$|{cut})'
            text = re.sub(number, r"\1\3.\4", text, flags=re.MULTILINE)
        settings |= {"sep": separator, "skipinitialspace": True}
        table: pd.DataFrame = pd.read_csv(io.StringIO(text), **settings)
        names = (re.fullmatch(r"(.+)\.\d+", str(name)) for name in table)  # x and x are x, x.1
        if twice := [name[1] for name in names if name and name[1] in table]:
            raise ValueError(f"two columns are called {twice[0]!r}, rename one")
        if not isinstance(table.index, pd.RangeIndex):
            raise ValueError("a row has more cells than the header has names")
    except Exception as error:  # pandas, Arrow and Thrift have their own kinds
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        msg = f"Cannot read {short_name(path)!r} as a table ({reason}): save it as CSV in UTF-8."
        raise ValueError(msg) from error
    return table
