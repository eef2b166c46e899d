"""Do two files of two runs say the same? By content, where their bytes may differ for good reasons.

Tables are compared value by value, weights tensor by tensor, plain values key by key. Names of
folders that differ between the runs are taken for the same. What was measured with a clock, and
when and with which commit something was made, is not compared.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

EQUAL, DIFFERS, TIMED, ABSENT, NEW = "equal", "differs", "timed", "not made", "new"
OUTCOMES = (EQUAL, DIFFERS, TIMED, ABSENT, NEW)
_CLOCKED = {"speed.csv", "throughput.csv", "costs.csv"}  # seconds, and what follows from them
# Columns and keys; a fingerprint is of tables that name files where they lie.
_SINCE = {"mtime_ns", "shard", "date", "commit", "packages", "files", "fingerprint"}
_MADE = re.compile(r"commit [^,]+(, no checkout)?|\d{4}-\d\d-\d\d")  # when and of what, in a page
_KEYED = re.compile(r"[0-9a-f]{16}\.(parquet|int16|float32)")  # named after places and times


def compare(name: str, run_folder: Path, other: Path, place: Path | None = None) -> str:
    """Compare a file of two runs.

    Args:
        name: path in the run folder
        run_folder: of the one run
        other: of the run that was made again
        place: where the first one lay when it was made; where it lies if left out

    Returns:
        equal; differs; timed: not compared, it holds times or is named after them; not made: it is
        in the first run alone; new: in the second alone
    """
    first, second = run_folder / name, other / name
    if Path(name).suffix == ".key" or Path(name).name in _CLOCKED:
        return TIMED
    if _KEYED.fullmatch(first.name):
        return _cached(first, second)
    if not second.is_file():
        return ABSENT
    if not first.is_file():
        return NEW
    if first.read_bytes() == second.read_bytes():
        return EQUAL
    kind = {
        **{".parquet": _tables, ".csv": _tables},
        **{".json": _values, ".md": _pages, ".safetensors": _weights},
    }
    known = kind.get(first.suffix)
    return (
        EQUAL if known and known(first, second, (str(place or run_folder), str(other))) else DIFFERS
    )


def _cached(first: Path, second: Path) -> str:
    """Compare samples with all of the other run, whatever their names; lists of them name files."""
    if first.suffix == ".parquet":
        return TIMED
    one = first if first.is_file() else second
    others = (second if one == first else first).parent.glob(f"*{one.suffix}")
    size, content = one.stat().st_size, one.read_bytes()
    alike = any(path.stat().st_size == size and path.read_bytes() == content for path in others)
    return EQUAL if alike else DIFFERS


def _tables(first: Path, second: Path, folders: tuple[str, str]) -> bool:
    read = pd.read_parquet if first.suffix == ".parquet" else pd.read_csv
    one, two = (read(file).drop(columns=_SINCE, errors="ignore") for file in (first, second))
    try:
        pd.testing.assert_frame_equal(one, _moved(two, folders), check_exact=True)
    except AssertionError:
        return False
    return True


def _moved(table: pd.DataFrame, folders: tuple[str, str]) -> pd.DataFrame:
    """Table with the folder of the second run replaced by that of the first."""
    texts = table.select_dtypes(["object", "str"]).columns
    return table.assign(
        **{name: table[name].map(lambda one: _named(one, folders)) for name in texts}
    )


def _named(value: Any, folders: tuple[str, str]) -> Any:
    return value.replace(folders[1], folders[0]) if isinstance(value, str) else value


def _values(first: Path, second: Path, folders: tuple[str, str]) -> bool:
    one = json.loads(first.read_text("utf-8"), object_hook=_lasting)
    two = json.loads(_named(second.read_text("utf-8"), folders), object_hook=_lasting)
    return bool(one == two)


def _pages(first: Path, second: Path, folders: tuple[str, str]) -> bool:
    one, two = (_MADE.sub("", file.read_text("utf-8")) for file in (first, second))
    return bool(one == _named(two, folders))


def _lasting(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _SINCE}


def _weights(first: Path, second: Path, _: tuple[str, str]) -> bool:
    """Whether two models have the same tensors, bit by bit."""
    from safetensors import deserialize

    read = [deserialize(file.read_bytes()) for file in (first, second)]  # type: ignore[no-untyped-call]
    one, two = map(dict, read)
    return bool(one == two)
