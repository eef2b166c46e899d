"""Bad input by the thousand: how it is made, how it is tried, and what may come of it.

A case is made from a seed alone, so a failure is repeated by its kind and its seed::

    PYTHONPATH=. python tests/fuzzing.py audio 1234

Of each case one of two things may come. It is *read*, and what was read holds together (the reader
of a kind checks that nothing was skipped). Or it is *refused*: by a ValueError or an OSError that
paraclap itself raised, which names the file or folder and says what was expected or what to do.
All else is a failure: any other error, one that comes from the inside of another package, a
message that names nothing, more than `LONGEST` seconds, code that ran.

The kinds are in `fuzz_kinds`.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import paraclap

PACKAGE = Path(paraclap.__file__).resolve().parent
LONGEST = 20  # seconds that a case may take
Rng = np.random.Generator

# Words by which a message says what was expected or what to do.
REMEDY = re.compile(
    r"did you mean|\b(expected|add|build|choose|copy|convert|correct|delete|download|fit|give|keep"
    r"|leave|map|remove|rename|resample|run the|save|write)\b",
    re.IGNORECASE,
)


class Kind(NamedTuple):
    """A kind of input.

    Attributes:
        name: of the kind
        make: writes a bad input into an empty folder and gives what to read
        read: reads it, and asserts that nothing was skipped
    """

    name: str
    make: Callable[[Rng, Path], Any]
    read: Callable[[Any], object]


class Outcome(NamedTuple):
    """What came of a case.

    Attributes:
        kind: of the input
        seed: that it was made from
        refused: message of our own error, empty if it was read
        wrong: what is wrong, empty if nothing is
        seconds: that it took to read it or to refuse it
    """

    kind: str
    seed: int
    refused: str
    wrong: str
    seconds: float

    def __str__(self) -> str:
        """What went wrong, and how to see it again."""
        again = f"PYTHONPATH=. python tests/fuzzing.py {self.kind} {self.seed}"
        return f"{again}: {self.wrong}"


class HungError(BaseException):
    """A case took too long; no `except Exception` swallows it."""


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Stop what takes longer."""

    def stop(*_: object) -> None:
        raise HungError(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def attempt(kind: Kind, seed: int, above: Path | None = None) -> Outcome:
    """Make a case, read it, and judge what came of it."""
    rng = np.random.default_rng([seed, zlib.crc32(kind.name.encode())])
    folder = Path(tempfile.mkdtemp(prefix="case", dir=above))
    try:
        given = kind.make(rng, folder)
        began = time.perf_counter()
        refused, wrong = _tried(kind, given, folder)
        seconds = time.perf_counter() - began
        if (folder / "pwned").exists():
            wrong = "code in the data was run"
        return Outcome(kind.name, seed, refused, wrong, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tried(kind: Kind, given: Any, folder: Path) -> tuple[str, str]:
    """Message of our own error, and what is wrong."""
    try:
        with (
            at_most(LONGEST),
            warnings.catch_warnings(action="ignore"),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            kind.read(given)
    except (Exception, HungError, SystemExit) as error:
        return str(error), judged(error, names(given, folder))
    return "", ""


def names(given: Any, folder: Path) -> list[str]:
    """What a message may name: the files of a case, its folder, and what was given if a text."""
    own = [path.name for path in folder.rglob("*")] + ["'mine'", " in mine"]  # all databases
    pieces = [piece.strip() for piece in re.split("[=,]", given)] if isinstance(given, str) else []
    return [*own, folder.name, *pieces]


def judged(error: BaseException, known: list[str]) -> str:
    """What is wrong with an error, empty if it is one of our own and says enough."""
    told = str(error)
    what = f"{type(error).__name__}: {told[:300]}"
    if not isinstance(error, ValueError | OSError):
        return f"not an error of ours, {what}\n{''.join(traceback.format_tb(error.__traceback__))}"
    raised = Path(traceback.extract_tb(error.__traceback__)[-1].filename).resolve()
    if PACKAGE not in raised.parents:
        return f"raised in {raised.name}, not by paraclap, {what}"
    if not any(name in told or repr(name)[1:-1] in told for name in known if name):
        return f"names no file or value, {what}"
    if not REMEDY.search(told):
        return f"says not what to do, {what}"
    return ""


# --- bytes -------------------------------------------------------------------------------------

INTERESTING = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
)


def mutated(content: bytes, rng: Rng, text: bool = False) -> bytes:
    """Content with one to four faults: cut, flipped, overwritten, inserted, removed, repeated."""
    for _ in range(int(rng.integers(1, 5))):
        content = _fault(content, rng, text)
    return content


def _fault(content: bytes, rng: Rng, text: bool) -> bytes:
    near = len(content) if text or rng.random() < 0.4 else min(len(content), 160)
    at = int(rng.integers(0, near + 1))
    many = int(rng.integers(1, 1 + min(64, max(1, len(content)))))
    extra = nasty(rng).encode("utf-8", "surrogatepass") if text else rng.bytes(many)
    other = INTERESTING[rng.integers(len(INTERESTING))]
    return (
        lambda: content[:at],
        lambda: (
            content[:at] + bytes([content[at] ^ 1 << int(rng.integers(8))]) + content[at + 1 :]
            if at < len(content)
            else content
        ),
        lambda: content[:at] + other + content[at + len(other) :],
        lambda: content[:at] + extra + content[at:],
        lambda: content[:at] + content[at + many :],
        lambda: content[:at] + content[at : at + many] * 3 + content[at + many :],
    )[rng.integers(6)]()


# --- text --------------------------------------------------------------------------------------

CELLS = (
    *("", " ", "nan", "NaN", "NA", "null", "None", "inf", "-inf", "1e400", "-1", "0", "0x10"),
    *("1,5", "1.5", "99999999999999999999", "9223372036854775808", "-0.0", "True", "on", "{}"),
    *("0 days 00:00:01", "2020-01-01", "10675199 days", "P1D", "1 fortnight", "NaT", "00:00:61"),
    *("../../etc/passwd", "/etc/passwd", "/dev/zero", "~", "a\\b", "c:\\x", ".", "..", "a/../b"),
    *("<script>alert(1)</script>", "=1+1", "'", '"', "`id`", "$(id)", "${HOME}", "%s", "{emotion}"),
    *("|", "$x$", "\\", "\t", "\n", "\r\n", "\0", "\x1b[31m", "\u202e", "\ufeff", "é", "😀"),
    *("anger|fear", "train", "Test", "male", "a" * 3_000, "'; DROP TABLE x", "!!python/object:os"),
    *("*a", "&a", "? a", "- a", "a: b", "# a", "[a", "{a", "!!binary", ": ", "---", "%YAML 9"),
)  # fmt: skip


def nasty(rng: Rng) -> str:
    """A cell or word that nobody expects."""
    return CELLS[rng.integers(len(CELLS))]


def csv_of(rows: list[list[str]], rng: Rng) -> bytes:
    """Rows as CSV with faults in some cells, in the header, in the quoting or in the bytes."""
    rows = [list(row) for row in rows]
    for _ in range(int(rng.integers(0, 4))):
        row = rows[rng.integers(len(rows)) if rng.random() < 0.8 else 0]
        row[rng.integers(len(row))] = nasty(rng)
    if rng.random() < 0.2:
        rows[rng.integers(len(rows))].pop()
    if rng.random() < 0.1:
        rows.append(list(rows[rng.integers(len(rows))]))
    quote = '"{}"' if rng.random() < 0.5 else "{}"
    text = "\n".join(",".join(quote.format(cell) for cell in row) for row in rows) + "\n"
    content = text.encode(("utf-8", "utf-8-sig", "utf-16")[rng.choice(3, p=(0.8, 0.1, 0.1))])
    return mutated(content, rng, text=True) if rng.random() < 0.4 else content


def altered(tree: Any, rng: Rng, share: float = 0.15) -> Any:
    """Plain values (of JSON or YAML) with some replaced, renamed or removed."""
    if rng.random() < share / 4:
        return odd_value(rng)
    if isinstance(tree, dict):
        stay = [key for key in tree if rng.random() > share / 4]
        kept = {key: altered(tree[key], rng, share) for key in stay}
        return kept | ({nasty(rng): odd_value(rng)} if rng.random() < 0.05 else {})
    if isinstance(tree, list):
        return [altered(one, rng, share) for one in tree if rng.random() > 0.02]
    return odd_value(rng) if rng.random() < share else tree


def odd_value(rng: Rng) -> Any:
    """A plain value of any type."""
    values = (
        None,
        True,
        -1,
        0,
        10**30,
        1e308,
        float("nan"),
        float("inf"),
        [],
        {},
        [[1]],
        {"a": {}},
    )
    return nasty(rng) if rng.random() < 0.4 else values[rng.integers(len(values))]


if __name__ == "__main__":
    import fuzz_kinds

    found = fuzz_kinds.attempt(fuzz_kinds.KINDS[sys.argv[1]], int(sys.argv[2]))
    print(found._replace(wrong="") if not found.wrong else found)
