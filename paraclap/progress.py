"""Progress of long steps: what, how many of how many, how much time is left.

On a terminal it is one line that moves. Elsewhere (a log, a notebook run by the book) it is a
plain line every few seconds, sent to the file that ``PARACLAP_PROGRESS`` names, or to stderr.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Sized
from pathlib import Path
from typing import Any, TextIO, TypeVar

from tqdm import tqdm

T = TypeVar("T")

_FORMAT = "{desc}: {n_fmt} of {total_fmt}, {remaining} left ({elapsed} so far, {rate_fmt})"
_OPEN_FORMAT = "{desc}: {n_fmt} ({elapsed} so far, {rate_fmt})"
_CURSOR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")  # moves between bars that are shown at once
_SECONDS = 2.0


def track(iterable: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Pass items on and show how many went by.

    Args:
        iterable: the items
        what: the step, such as "Extract features"
        total: how many there will be; taken from the items when they know

    Examples:
        >>> list(track("ab", "Spell"))
        ['a', 'b']
    """
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    with bar(what, total) as shown:
        for item in iterable:
            yield item
            shown.update(1)


class _Bar(tqdm):  # type: ignore[type-arg]  # it counts, and holds no items
    """Bar of one process; the semaphore that tqdm takes for several outlives a killed worker."""


_Bar.set_lock(threading.RLock())


@contextlib.contextmanager
def bar(what: str, total: int | None = None) -> Iterator[Any]:
    """Progress to be moved by hand, with ``.update(n)``.

    Args:
        what: the step, such as "Train"
        total: how many there will be, if known
    """
    with _stream() as stream:
        on_terminal = stream.isatty()
        with _Bar(
            desc=what,
            total=total,
            file=stream if on_terminal else _Lines(stream),
            mininterval=0.2 if on_terminal else _SECONDS,
            maxinterval=10 * _SECONDS,
            bar_format=_OPEN_FORMAT if total is None else _FORMAT,
            dynamic_ncols=on_terminal,
        ) as shown:
            yield shown


@contextlib.contextmanager
def _stream() -> Iterator[TextIO]:
    """Where progress goes: the file named by ``PARACLAP_PROGRESS``, else stderr."""
    name = os.environ.get("PARACLAP_PROGRESS")
    if not name:
        yield sys.stderr
        return
    with Path(name).open("a", encoding="utf-8") as stream:
        yield stream


class _Lines:
    """Stream that turns a line rewritten in place into lines of their own."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.last = ""

    def write(self, text: str) -> int:
        line = _CURSOR.sub("", text).strip()
        if line and line != self.last:
            self.stream.write(f"{line}\n")
            self.last = line
        return len(text)

    def flush(self) -> None:
        self.stream.flush()
