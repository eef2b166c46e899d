"""Chapters as files: the `.py` that is edited, the `.ipynb` beside it, and what each declares.

The `.py` side (percent format) is the one that is edited; the `.ipynb` has the same cells and no
outputs. The header of a chapter names, below the run's folder, what it `reads` and `writes`, and in
`inputs` the parameters that name files or folders of the user's.
"""

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
    """Read a chapter from its `.py`, with cell ids that stay the same."""
    notebook = jupytext.read(source)
    notebook.metadata["kernelspec"] = KERNEL
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"{source.stem}-{number}"
    return notebook


def files_of(notebook: Any, kind: str) -> list[str]:
    """Names that the header of a chapter lists as `reads`, `writes` or `inputs`."""
    return list(notebook.metadata.get("paraclap", {}).get(kind, []))


def write_pairs() -> None:
    """Write the `.ipynb` beside each chapter anew, without outputs."""
    for source in chapters():
        with tables.atomic(source.with_suffix(".ipynb")) as part:
            nbformat.write(read(source), part)


def check_pairs() -> list[str]:
    """Complaints about chapters whose two sides differ, or whose `.ipynb` has outputs."""
    return [complaint for source in chapters() for complaint in _complaints(source)]


def _complaints(source: Path) -> Iterator[str]:
    pair = source.with_suffix(".ipynb")
    if not pair.is_file():
        yield f"{pair.name} is missing: `make pairs` writes it from {source.name}"
        return
    stored = nbformat.read(pair, as_version=4)
    if _content(read(source)) != _content(stored):
        newer = source if source.stat().st_mtime >= pair.stat().st_mtime else pair
        yield (
            f"{pair.name} and {source.name} differ, {newer.name} is newer: `make pairs` keeps the "
            f".py, `jupytext --to py:percent book/{pair.name}` keeps the .ipynb"
        )
    if any(cell.get("outputs") or cell.get("execution_count") for cell in stored.cells):
        yield f"{pair.name} has outputs: `make pairs` writes it without"


def _content(notebook: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    """Kind, source and tags of each cell: what counts when two sides are compared."""
    return [(c.cell_type, c.source, tuple(c.metadata.get("tags", []))) for c in notebook.cells]
