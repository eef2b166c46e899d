"""Chapters as files: the `.py` that is edited, the `.ipynb` beside it, and what each declares.

The `.py` side (percent format) is the one that is edited; the `.ipynb` has the same cells and no
outputs. Its cell ids hold checksums of what was written, so that an edit on that side is noticed.
The header of a chapter names, below the run's folder, what it `reads` and `writes`, and in `inputs`
the parameters that name files or folders of the user's.
"""

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from paraclap import tables

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


class BookError(RuntimeError):
    """A chapter failed, or the pages could not be built; the message is for the reader."""


def book_folder() -> Path:
    """Folder of the chapters; BookError in a plain installation, without the project."""
    folder = tables.project_folder() / "book"
    if not any(folder.glob("[0-9]*.py")):
        msg = f"No chapters in {folder}: the book comes with the project, not with the package "
        raise BookError(f"{msg}alone. Clone the project, or set PARACLAP_HOME to its folder.")
    return folder


def chapters() -> list[Path]:
    """The `.py` side of all chapters, in their order."""
    return sorted(book_folder().glob("[0-9]*.py"))


def select(only: str) -> list[Path]:
    """Choose chapters: "" all, "04" or "4" one, "03-05" some in a row, "01,04" these.

    BookError if nothing has such a number.
    """
    by_number = {int(one.stem[:2]): one for one in chapters()}
    if not only:
        return list(by_number.values())
    wanted: set[int] = set()
    for part in only.split(","):
        first, _, last = part.strip().partition("-")
        if not (first.isdigit() and (last or first).isdigit()):
            raise BookError(f"Bad choice of chapters {only!r}, expected such as 4, 03-05 or 01,04.")
        numbers = range(int(first), int(last or first) + 1)
        if not numbers or not set(numbers) <= by_number.keys():
            there = f"{min(by_number)}-{max(by_number)}"
            raise BookError(f"No chapter for {part!r}, there are {there}.")
        wanted.update(numbers)
    return [by_number[number] for number in sorted(wanted)]


def read(source: Path) -> Any:
    """Read a chapter from its `.py`, as its `.ipynb` should be."""
    return _with_ids(jupytext.read(source))


def _with_ids(notebook: Any) -> Any:
    """Add ids that hold place and content of each cell; that of the last one the header, too."""
    notebook.metadata["kernelspec"] = KERNEL
    notebook.metadata.get("jupytext", {}).pop("text_representation", None)  # of the .py alone
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        end = notebook.metadata.get("paraclap", {}) if cell is notebook.cells[-1] else None
        content = json.dumps([cell.cell_type, cell.source, cell.metadata, end], sort_keys=True)
        cell["id"] = f"{number}-{zlib.crc32(content.encode()):08x}"
    return notebook


def _ids(notebook: Any) -> list[str]:
    return [cell.get("id", "") for cell in notebook.cells]


def files_of(notebook: Any, kind: str) -> list[str]:
    """Names that the header of a chapter lists as `reads`, `writes` or `inputs`."""
    return list(notebook.metadata.get("paraclap", {}).get(kind, []))


def write_pairs() -> None:
    """Write the `.ipynb` beside each chapter anew; a BookError, and none, if one was edited."""
    if edits := [text for one in chapters() for is_edit, text in _complaints(one) if is_edit]:
        raise BookError("\n".join(edits))
    for source in chapters():
        with tables.atomic(source.with_suffix(".ipynb")) as part:
            nbformat.write(read(source), part)


def check_pairs() -> list[str]:
    """Complaints about chapters whose two sides differ, or whose `.ipynb` has outputs."""
    return [text for source in chapters() for _, text in _complaints(source)]


def _complaints(source: Path) -> Iterator[tuple[bool, str]]:
    """Complaints about a pair, and whether its `.ipynb` was edited since it was written."""
    pair = source.with_suffix(".ipynb")
    if not pair.is_file():
        yield False, f"{pair.name} is missing: `make pairs` writes it from {source.name}"
        return
    stored, wanted = nbformat.read(pair, as_version=4), _ids(read(source))
    text = jupytext.writes(stored, "py:percent")  # what a .py can hold of it
    content = _ids(_with_ids(jupytext.reads(text, "py:percent")))
    newer = max(source, pair, key=lambda side: side.stat().st_mtime).name
    differ = f"{pair.name} and {source.name} differ, {newer} is newer: "
    if content == _ids(stored) != wanted:
        yield False, f"{differ}`make pairs` keeps the .py, in which alone cells were edited"
    elif content != wanted:
        also = ", and cells of the .py were, too" * (_ids(stored) != wanted)
        ways = f"`jupytext --to py:percent book/{pair.name}` keeps the .ipynb, "
        ways += f"`jupytext --to ipynb book/{source.name}` the .py"
        yield True, f"{differ}cells of the .ipynb were edited{also}. {ways}"
    if any(cell.get("outputs") or cell.get("execution_count") for cell in stored.cells):
        yield False, f"{pair.name} has outputs: `make pairs` writes it without"
