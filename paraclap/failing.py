"""What failed, for the reader of a notebook: the cell and its error, not the way to them.

The cell is shown with the numbers of its lines in the notebook, the one that failed marked; below
it stand the error, where in the package it was raised, and what can be done next. All this is read
from what the kernel has sent; the whole stack stands in the notebook that was left behind.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_IN_CELL = re.compile(r"Cell In\[\d+\], line (\d+)")
_IN_FILE = re.compile(r"^(?:File )?(\S+\.py):(\d+), in ([\w.<>]+)", re.MULTILINE)
_AROUND = 8  # lines of a long cell that are shown before and behind the one that failed


def told(
    notebook: Path, source: str, error: str, stack: Sequence[str], failed: Path, package: Path
) -> str:
    """What failed, as some lines of text.

    Args:
        notebook: percent notebook
        source: of the cell that failed
        error: name and message of the exception
        stack: its traceback as the kernel sent it, with colours
        failed: notebook with the cells that ran, and the whole traceback
        package: folder whose code is worth naming
    """
    plain = _COLOURS.sub("", "\n".join(stack))
    first = _first_line(notebook, source)
    start = f" (line {first})" if first else ""
    mark = _IN_CELL.search(plain)
    cell = _numbered(source, first or 1, int(mark[1]) if mark else 0)
    return (
        f"{notebook.name} failed in this cell{start}:\n\n{cell}\n\n"
        f"{_COLOURS.sub('', error)}{_raised(plain, package)}\n\n"
        "Finished steps are kept. The cells that ran, and the full traceback: "
        f"{os.path.relpath(failed)}\n"
        f"Put right what the error says, in the params file or in {os.path.relpath(notebook)}, "
        "then give the same command again: it goes on with this step."
    )


def _first_line(notebook: Path, source: str) -> int:
    """Line at which a cell starts in its notebook; 0 if it is not there as it is."""
    before, found, _ = notebook.read_text("utf-8").partition(source)
    return before.count("\n") + 1 if found and source else 0


def _numbered(source: str, first: int, failed: int) -> str:
    """Lines of a cell with their numbers, the one that failed marked; of a long cell a part."""
    lines = source.splitlines()
    shown = range(len(lines))
    if failed and len(lines) > 2 * _AROUND + 1:
        shown = range(max(0, failed - 1 - _AROUND), min(len(lines), failed + _AROUND))
    width = len(str(first + len(lines)))
    told = []
    for number in shown:
        mark = ">" if number == failed - 1 else " "
        told.append(f"  {mark} {first + number:{width}}  {lines[number]}".rstrip())
    return "\n".join(told)


def _raised(plain: str, package: Path) -> str:
    """Where in the package it was raised, if it was."""
    frames = [match for match in _IN_FILE.finditer(plain) if _inside(match[1], package)]
    if not frames:
        return ""
    file, line, function = frames[-1].groups()
    inner = Path(file).expanduser().resolve().relative_to(package.parent)
    return f"\n    raised in {inner}, line {line}, by {function}"


def _inside(file: str, package: Path) -> bool:
    return Path(file).expanduser().resolve().is_relative_to(package)
