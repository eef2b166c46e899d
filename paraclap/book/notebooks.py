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
    """Folder of the chapters.

    Raises:
        BookError: if this is a plain installation, without the project
    """
    folder = tables.project_folder() / "book"
    if not any(folder.glob("[0-9]*.py")):
        raise BookError(
            f"No chapters in {folder}: the book comes with the project, not with the package "
            "alone. Clone the project, or set PARACLAP_HOME to its folder."
        )
    return folder


def chapters() -> list[Path]:
    """The `.py` side of all chapters, in their order."""
    return sorted(book_folder().glob("[0-9]*.py"))


def select(only: str) -> list[Path]:
    """Choose chapters: "" all, "04" or "4" one, "03-05" some in a row, "01,04" these.

    Raises:
        BookError: if nothing has such a number
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
            raise BookError(
                f"No chapter for {part!r}, there are {min(by_number)}-{max(by_number)}."
            )
        wanted.update(numbers)
    return [by_number[number] for number in sorted(wanted)]


def read(source: Path) -> Any:
    """Read a chapter from its `.py`, as its `.ipynb` should be."""
    return _with_ids(jupytext.read(source))


def _with_ids(notebook: Any) -> Any:
    """The notebook with ids that tell position and content of each cell, and the header."""
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


def _content(notebook: Any) -> list[str]:
    """Ids by what a `.py` can hold of an `.ipynb`."""
    return _ids(_with_ids(jupytext.reads(jupytext.writes(notebook, "py:percent"), "py:percent")))


def write_pairs() -> None:
    """Write the `.ipynb` beside each chapter anew, without outputs.

    Raises:
        BookError: if one of them was edited; then all stay as they are
    """
    if edited := [one for pair in _pairs() for one in _edited(pair)]:
        raise BookError("\n".join(edited))
    for source in chapters():
        with tables.atomic(source.with_suffix(".ipynb")) as part:
            nbformat.write(read(source), part)


def check_pairs() -> list[str]:
    """Complaints about chapters whose two sides differ, or whose `.ipynb` has outputs."""
    return [one for pair in _pairs() for one in (list(_edited(pair)) or _outdated(pair))]


def _pairs() -> list[Path]:
    """The `.ipynb` of each chapter, there or not, and those that have no `.py`."""
    made = (source.with_suffix(".ipynb") for source in chapters())
    return sorted({*made, *book_folder().glob("[0-9]*.ipynb")})


def _edited(pair: Path) -> Iterator[str]:
    """What to do where an `.ipynb` has what its `.py` has not, and did not get it from there."""
    source, take = pair.with_suffix(".py"), f"`jupytext --to py:percent book/{pair.name}`"
    if not source.is_file():
        yield f"{pair.name} has no {source.name} beside it: {take} writes that"
    elif pair.is_file():
        stored, wanted = nbformat.read(pair, as_version=4), _ids(read(source))
        if _content(stored) not in (wanted, _ids(stored)):
            both = f" and {source.name}" * (_ids(stored) != wanted)
            newer = max(source, pair, key=lambda side: side.stat().st_mtime).name
            yield (
                f"{pair.name}{both} was edited, and they differ; {newer} is newer. {take} keeps "
                f"the .ipynb, `jupytext --to ipynb book/{source.name}` keeps the .py"
            )


def _outdated(pair: Path) -> Iterator[str]:
    stored = nbformat.read(pair, as_version=4) if pair.is_file() else nbformat.v4.new_notebook()
    if _content(stored) != _ids(read(pair.with_suffix(".py"))):
        yield f"{pair.name} is missing or older than its .py: `make pairs` writes it"
    if any(cell.get("outputs") or cell.get("execution_count") for cell in stored.cells):
        yield f"{pair.name} has outputs: `make pairs` writes it without"
