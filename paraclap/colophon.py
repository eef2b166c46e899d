"""How was this page made? A folded note at the foot of each page that was executed.

It says the run, the parameters that differ from what the notebook declares, the seed, the commit of
the checkout that made the page, when the notebook was executed, and the command that makes it
again. All but the commit is read from the executed copy.
"""

from __future__ import annotations

import ast
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Where a run lies and how many work at it: it changes nothing in a page.
_NOT_TOLD = ("run", "runs", "jobs", "workers", "processes")


def copy(executed: Path, target: Path) -> None:
    """Copy an executed notebook, with a note on its making as the last cell.

    Args:
        executed: in the folder ``notebooks`` of its run
        target: where the copy goes
    """
    import nbformat

    notebook = nbformat.read(executed, as_version=4)
    if "paraclap" not in notebook.metadata:
        shutil.copy(executed, target)
        return
    cell = nbformat.v4.new_markdown_cell(text(notebook, executed), id=f"{executed.stem}-made"[:64])
    notebook.cells.append(cell)
    nbformat.write(notebook, target)


def text(notebook: Any, executed: Path) -> str:
    """The note, in MyST Markdown.

    Args:
        notebook: as read from ``executed``
        executed: ``<runs>/<run>/notebooks/<chapter>.ipynb``
    """
    from paraclap import origin

    run = executed.parent.parent.name
    declared, given = _values(notebook, "parameters"), _values(notebook, "injected-parameters")
    changed = [f"`{k} = {v}`" for k, v in given.items() if k not in _NOT_TOLD and k != "seed"]
    again = f"python -m paraclap.book runs/{run}/params.yaml --only {executed.stem[:2]}"
    told = {
        "Run": f"`{run}`",
        "Seed": {**declared, **given}.get("seed", "none, nothing is drawn"),
        "Parameters that differ from the defaults": ", ".join(changed) or "none",
        "Code": f"`{origin.commit()}`",
        "Executed": _when(notebook) or "not noted",
        "To make it again": f"`{again}`",
    }
    return _note("How this page was made", told)


def of_book(executed: Sequence[Path]) -> str:
    """The note for the first page of the book, in MyST Markdown.

    Args:
        executed: all chapters, ``<runs>/<run>/notebooks/<chapter>.ipynb`` each
    """
    import nbformat

    from paraclap import origin

    run = executed[0].parent.parent.name
    times = [_when(nbformat.read(file, as_version=4)) for file in executed]
    told = {
        "Run": f"`{run}`",
        "Chapters": f"{len(executed)}",
        "Code": f"`{origin.commit()}`",
        "Executed": " to ".join(sorted({min(times), max(times)})) or "not noted",
        "To make it again": f"`python -m paraclap.book runs/{run}/params.yaml`",
    }
    return _note("How this book was made", told)


def _note(title: str, told: Mapping[str, str]) -> str:
    lines = "\n".join(f"- **{name}**: {value}" for name, value in told.items())
    return f"```{{admonition}} {title}\n:class: dropdown made-by\n\n{lines}\n```"


def _values(notebook: Any, tag: str) -> dict[str, str]:
    """What the cells with a tag assign: name → value as it is written."""
    cells = [cell for cell in notebook.cells if tag in cell.metadata.get("tags", ())]
    found: dict[str, str] = {}
    for node in ast.parse("\n".join(cell.source for cell in cells)).body:
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            found[ast.unparse(node.target)] = ast.unparse(node.value)
        elif isinstance(node, ast.Assign):
            found[ast.unparse(node.targets[0])] = ast.unparse(node.value)
    return found


def _when(notebook: Any) -> str:
    """Day and time (UTC) at which the last cell had run, empty if no cell says so."""
    ends = [cell.metadata.get("papermill", {}).get("end_time") or "" for cell in notebook.cells]
    last = max(ends, default="")
    return f"{last[:10]}, {last[11:16]} UTC" if last else ""
