"""Pages of a run: its executed chapters and the prose, built by Jupyter Book offline.

Warnings are errors; pages take the place of the former ones when they are complete. The module is
an extension of Sphinx, too: it says what to do where chapters were not executed.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from copy import deepcopy
from importlib import metadata
from pathlib import Path
from typing import Any

import joblib
import nbformat
import yaml

from paraclap import interactive, tables
from paraclap.book.notebooks import BookError, book_folder

WIDGET = "application/vnd.jupyter.widget-view+json"
FIRST = 11  # lines of a list of parameters that are shown at least
FOLDED = {"tags": ["hide-input"], "mystnb": {"code_prompt_show": "All other parameters"}}


def build(executed: Sequence[Path], run: str, site: Path) -> str:
    """Build the pages of executed chapters, unless those in `site/html` are of the same files.

    A folder with the name of the run is where they are made. What is returned says how it went.
    BookError if Jupyter Book warns or fails; the former pages stay.
    """
    start = time.monotonic()
    index, note = site / "html" / "index.html", site / "html" / ".made-from"
    prose = [f for f in sorted(book_folder().rglob("*")) if f.suffix not in (".py", ".ipynb")]
    files = [*executed, *filter(Path.is_file, prose), *Path(__file__).parents[1].rglob("*.py")]
    files += [book_folder().parent / name for name in ("_config.yml", "_toc.yml")]
    made_from = joblib.hash([(file.name, file.read_bytes()) for file in files])
    if note.is_file() and note.read_text() == made_from:
        return f"pages: up to date, {index}"
    site.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{run}-", dir=site) as folder:
        work = Path(folder)
        _gather(executed, work / "src")
        _jupyter_book(work)
        for name, file in interactive.static_files().items():  # before, all pages would load them
            shutil.copy(file, work / "_build" / "html" / "_static" / name)
        (work / "_build" / "html" / ".made-from").write_text(str(made_from))
        with tables.lock(site / "html", "Another process moves pages: try again.", wait=60):
            shutil.rmtree(site / "html", ignore_errors=True)
            (work / "_build" / "html").rename(site / "html")
    return f"pages: {time.monotonic() - start:.1f} s\n{index}"


def _gather(executed: Sequence[Path], target: Path) -> None:
    """Copy what the pages are made from into one folder."""
    folder = book_folder()
    pages = target / "book"
    shutil.copytree(folder, pages, ignore=shutil.ignore_patterns("*.py", "*.ipynb", ".*", "__*"))
    for file in executed:
        notebook = nbformat.read(file, as_version=4)
        notebook.cells = [part for cell in notebook.cells for part in _fold(cell)]
        notebook.cells.append(nbformat.v4.new_markdown_cell(_how_made(notebook)))
        for cell in notebook.cells:
            if "injected-parameters" in cell.metadata.get("tags", []):
                cell.metadata["tags"] = [*cell.metadata["tags"], "hide-input"]
            if "outputs" in cell:  # a progress bar says nothing on a page
                cell.outputs = [one for one in cell.outputs if WIDGET not in one.get("data", {})]
        nbformat.write(notebook, pages / file.name)
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(folder.parent / name, target / name)
    shutil.copytree(folder / "_static", target / "_static", dirs_exist_ok=True)


def _fold(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """A cell; of a long list of parameters the first groups, and the others folded."""
    lines = cell.source.splitlines()
    later = [place for place, line in enumerate(lines) if place >= FIRST and line.startswith("# ")]
    if "parameters" not in cell.metadata.get("tags", []) or not later:
        return [cell]
    folded = deepcopy(cell)
    cell.source, folded.source = "\n".join(lines[: later[0]]), "\n".join(lines[later[0] :])
    folded.update(id=f"{cell.id}-folded", metadata=FOLDED)
    return [cell, folded]


def _how_made(notebook: nbformat.NotebookNode) -> str:
    """A folded note: when, with which parameters and versions a chapter was executed."""
    about = notebook.metadata["papermill"]
    values = yaml.safe_dump(about["parameters"], sort_keys=False, allow_unicode=True)
    names = ("torch", "transformers", "opensmile")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    note = "````{admonition} How this page was made\n:class: dropdown\n"
    note += f"Executed {about['start_time'][:10]} in {about['duration']:.0f} s; {versions}.\n\n"
    return f"{note}```yaml\n{values}```\n````"


def _jupyter_book(work: Path) -> None:
    """Run Jupyter Book on `work/src`; what it says is shown only when it complains."""
    print("pages ...", flush=True)
    start = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", start, "build", str(work / "src")]
    command += ["--path-output", str(work), "-W", "--keep-going"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    said = f"{done.stdout}\n{done.stderr}".replace(f"{work / 'src'}/", "").splitlines()
    complaints = [line for line in said[:-15] if "WARNING" in line or "ERROR" in line][:20]
    raise BookError("Jupyter Book complains:\n\n" + "\n".join(complaints + said[-15:]))


def setup(app: Any) -> None:
    """Have Sphinx end with a sentence if chapters have no outputs."""
    for chapter in Path(app.srcdir, "book").glob("[0-9]*.ipynb"):
        if "papermill" not in nbformat.read(chapter, as_version=4).metadata:
            sys.exit("Chapters without outputs: run `make book`, its pages are in _build/html.")
