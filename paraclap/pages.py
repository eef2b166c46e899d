"""Notebooks as files, and the book's pages: pairs, executed copies, Jupyter Book.

The ``.py`` side of a pair (percent format) is the one that is edited; the ``.ipynb`` beside it
has the same cells and no outputs. Pages are built away from ``book/``, from the executed copies,
offline and with warnings as errors, and replace the former pages only when they are complete. At
the foot of each executed page stands how it was made.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from paraclap import colophon, sources, tables


class BookError(RuntimeError):
    """A notebook failed or the pages could not be built; the message is for the reader."""


# --- notebooks ---------------------------------------------------------------------------------


def from_source(notebook: Path) -> Any:
    """Notebook to execute, from its percent form.

    It knows nothing of its pair: Jupytext would write what papermill adds back into the source.
    """
    fresh = _read_source(notebook)
    fresh.metadata.pop("jupytext", None)
    return fresh


def _read_source(notebook: Path) -> Any:
    """Notebook from its percent form, with cell ids that stay the same from time to time."""
    import jupytext

    fresh = jupytext.read(notebook)
    fresh.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    fresh.nbformat, fresh.nbformat_minor = 4, 5
    for number, cell in enumerate(fresh.cells):
        cell["id"] = f"{notebook.stem}-{number}"
    return fresh


def save(notebook: Any, file: Path) -> None:
    """Write a notebook whole or not at all."""
    import nbformat

    with tables.atomic_path(file) as temporary:
        nbformat.write(notebook, temporary)


def source_mark(notebook: Path) -> str:
    """Fingerprint of a notebook's source, prose included."""
    return tables.fingerprint(notebook.read_text("utf-8"))


def carry_over_prose(notebook: Path, executed: Path) -> None:
    """Give an executed copy the prose and cell tags that its source has now.

    Args:
        notebook: percent notebook; its code is that of the copy
        executed: the executed copy, changed in place if its prose is another
    """
    import nbformat

    mark = source_mark(notebook)
    if json.loads(executed.read_text("utf-8"))["metadata"]["paraclap"]["source"] == mark:
        return
    old = nbformat.read(executed, as_version=4)
    fresh = from_source(notebook)
    ran = [cell for cell in old.cells if cell.cell_type == "code"]
    injected = [cell for cell in ran if _has_tag(cell, "injected-parameters")]
    outputs = iter([cell for cell in ran if not _has_tag(cell, "injected-parameters")])
    cells = []
    for cell in fresh.cells:
        if cell.cell_type == "code":
            before = next(outputs)
            cell.outputs, cell.execution_count = before.outputs, before.execution_count
            cell.metadata |= {k: v for k, v in before.metadata.items() if k == "papermill"}
        cells += [cell, *(injected if _has_tag(cell, "parameters") else [])]
    fresh.cells = cells
    fresh.metadata = {**old.metadata, **fresh.metadata}
    fresh.metadata["paraclap"] = {**old.metadata["paraclap"], "source": mark}
    save(fresh, executed)


def _has_tag(cell: Any, tag: str) -> bool:
    return tag in cell.metadata.get("tags", [])


def write_pairs(notebooks: Iterable[Path]) -> None:
    """Write the ``.ipynb`` beside each notebook anew, without outputs."""
    for notebook in notebooks:
        save(_read_source(notebook), notebook.with_suffix(".ipynb"))


def unpaired(folder: Path) -> list[str]:
    """Complaints about notebooks that differ from their pair, or carry outputs.

    Args:
        folder: holds ``name.py`` and ``name.ipynb``
    """
    stems = sorted({f.stem for f in folder.iterdir() if f.suffix in (".py", ".ipynb")})
    return [complaint for stem in stems for complaint in _complaints(folder / stem)]


def _complaints(stem: Path) -> Iterator[str]:
    import nbformat

    source, pair = stem.with_suffix(".py"), stem.with_suffix(".ipynb")
    for side in (source, pair):
        if not side.is_file():
            yield f"{side.name} is not there, but its pair is: make pairs writes .ipynb from .py"
            return
    fresh, stored = _read_source(source), nbformat.read(pair, as_version=4)
    if _content(fresh) != _content(stored):
        yield f"{pair.name} differs from {source.name}: make pairs, or jupytext --sync"
    if any(cell.get("outputs") or cell.get("execution_count") for cell in stored.cells):
        yield f"{pair.name} has outputs: make pairs writes it without"


def _content(notebook: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    """What counts in the comparison of a pair: kind, source and tags of each cell."""
    return [(c.cell_type, c.source, tuple(c.metadata.get("tags", []))) for c in notebook.cells]


# --- pages -------------------------------------------------------------------------------------


def first_page(site: Path) -> Path:
    """First page of the book under ``site``."""
    return site / "_build" / "html" / "index.html"


def build(folder: Path, executed: Sequence[Path], site: Path) -> str:
    """Build the pages, unless those that are there were built from the same sources.

    Args:
        folder: of the prose, with ``_config.yml`` and ``_toc.yml`` in its parent
        executed: executed notebooks
        site: the pages go to ``_build/html`` in it

    Returns:
        one line that says how it went

    Raises:
        BookError: if Jupyter Book warns or fails; the former pages stay
    """
    start = time.monotonic()
    prose = [file for file in sorted(folder.rglob("*")) if _is_prose(file, folder)]
    settings = [folder.parent / name for name in ("_config.yml", "_toc.yml")]
    index = first_page(site)
    package = sorted(sources.PACKAGE.rglob("*.py"))  # the reference is made of its docstrings
    files = [*prose, *executed, *settings, *package]
    key = tables.fingerprint([file.name for file in files], *files)
    note = index.parent / ".made-from"
    if index.is_file() and note.is_file() and note.read_text() == key:
        return "pages: up to date"
    work = index.parent.parent / "work"
    shutil.rmtree(work, ignore_errors=True)
    _gather(folder, prose, executed, settings, work / "src")
    _jupyter_book(work)
    (work / "_build" / "html" / ".made-from").write_text(key)
    shutil.rmtree(index.parent, ignore_errors=True)
    (work / "_build" / "html").rename(index.parent)
    shutil.rmtree(work)
    return f"pages: {time.monotonic() - start:.1f} s"


def _is_prose(file: Path, folder: Path) -> bool:
    parts = file.relative_to(folder).parts
    hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
    return file.is_file() and file.suffix not in (".py", ".ipynb") and not hidden


def _gather(
    folder: Path,
    prose: Iterable[Path],
    executed: Sequence[Path],
    settings: Iterable[Path],
    target: Path,
) -> None:
    """Copy what the pages are made from into one folder."""
    for file in prose:
        copy = target / folder.name / file.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    for file in executed:
        (target / folder.name).mkdir(parents=True, exist_ok=True)
        colophon.copy(file, target / folder.name / file.name)
    if (first := target / folder.name / "index.md").is_file():
        first.write_text(f"{first.read_text('utf-8')}\n{colophon.of_book(executed)}\n", "utf-8")
    for file in settings:
        shutil.copy(file, target / file.name)
    if (static := folder / "_static").is_dir():
        shutil.copytree(static, target / "_static")


def _jupyter_book(work: Path) -> None:
    """Run Jupyter Book on ``work/src``; its words are shown only when it complains."""
    print("pages ...", flush=True)
    start = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", start, "build", str(work / "src")]
    command += ["--path-output", str(work), "-W", "--keep-going"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    lines = [line.replace(f"{work / 'src'}/", "") for line in done.stderr.splitlines()]
    told = [line for line in lines if "WARNING" in line or "ERROR" in line] or lines[-10:]
    shutil.rmtree(work)
    msg = "Jupyter Book complains:\n\n" + "\n".join(f"    {line}" for line in told[:20])
    raise BookError(msg)
