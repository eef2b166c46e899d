"""What has one run of the book made already that another one would make alike?

Runs of a sweep differ in few parameters, so that their first steps are often equal. A step is equal
in two runs if its key is, once the names of the runs are left out of it (:func:`keys`). What such a
step has made is not made again but taken over: files are linked (no two runs ever write into one
file: all writing is into a new one that then takes the place of the old), and where a table names
voices below the folder of the first run, its copy names those of the second, which are the same
files. So every run is whole by itself: any other may be deleted.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from paraclap import manifest, steps, tables
from paraclap.steps import Step, is_finished


def keys(notebooks: Sequence[Path], values: Mapping[str, Any]) -> list[str]:
    """Keys of all steps that do not depend on the name of the run.

    Args:
        notebooks: of the book, in order
        values: of all parameters, by name
    """
    return [step.key for step in steps.plan(notebooks, {**values, "run": ""}, Path())]


def take_over(own: Sequence[Step], finished: Sequence[Step], equal: int) -> list[Step]:
    """Take over the first steps from another run.

    Args:
        own: steps of the run that is to be made
        finished: the same of the other run
        equal: how many of the first are equal, see :func:`keys`

    Returns:
        the steps that were taken over: those that are finished there and not yet here

    Raises:
        OSError: if something cannot be linked or written
    """
    pairs = list(zip(own, finished, strict=True))[:equal]
    done = list(takewhile(lambda pair: is_finished(pair[1]), pairs))
    new = [(here, there) for here, there in done if not is_finished(here)]
    for here, there in new:
        for name in steps.artefacts(there):
            _link(_folder(there) / name, _folder(here) / name)
            _rename(_folder(here) / name, _folder(there), _folder(here))
        _copy_notebook(there, here)
    if new:
        keys = {here.notebook.stem: here.key for here, _ in new}
        manifest.take_over(_folder(own[0]), _folder(finished[0]), keys)
    return [here for here, _ in new]


def _folder(step: Step) -> Path:
    return step.executed.parent.parent


def _link(there: Path, here: Path) -> None:
    """A file or a folder in a second place, without its content a second time where possible."""
    if here.is_dir():
        shutil.rmtree(here)
    here.unlink(missing_ok=True)
    if there.is_dir():
        shutil.copytree(there, here, copy_function=_link_file)
    else:
        _link_file(there, here)


def _link_file(there: str | Path, here: str | Path) -> None:
    try:
        os.link(there, here)
    except OSError:  # another file system, or one that has no links
        shutil.copy2(there, here)


def _rename(place: Path, there: Path, here: Path) -> None:
    """Have the tables at a place name voices below one folder instead of another."""
    before, after = (f"{folder}{os.sep}" for folder in tables.relative([there, here]))
    for file in [place, *place.rglob("*")]:
        if file.suffix == ".parquet" and file.is_file():
            _rename_in_parquet(file, before, after)
        elif file.suffix == ".csv" and file.is_file():
            text = file.read_text("utf-8")
            lines = [_moved(line, before, after) for line in text.splitlines(keepends=True)]
            if (moved := "".join(lines)) != text:
                with tables.atomic_path(file) as temporary:
                    temporary.write_text(moved, "utf-8")


def _rename_in_parquet(file: Path, before: str, after: str) -> None:
    table = pq.read_table(file)
    if "file" not in table.column_names:
        return
    place = table.column_names.index("file")
    column = table.column(place)
    names = [_moved(name, before, after) for name in column.to_pylist()]
    moved = table.set_column(place, table.schema.field(place), pa.array(names, column.type))
    with tables.atomic_path(file) as temporary:
        pq.write_table(moved.replace_schema_metadata(table.schema.metadata), temporary)


def _moved(name: str, before: str, after: str) -> str:
    return after + name.removeprefix(before) if name.startswith(before) else name


def _copy_notebook(there: Step, here: Step) -> None:
    """The executed copy under the name and the key of the other run."""
    notebook = json.loads(there.executed.read_text("utf-8"))
    notebook["metadata"]["paraclap"]["key"] = here.key
    names = [json.dumps(_folder(step).name) for step in (there, here)]
    for cell in notebook["cells"]:
        if "injected-parameters" in cell["metadata"].get("tags", ()):
            old, new = (f"run = {name}\n" for name in names)
            cell["source"] = [line.replace(old, new) for line in cell["source"]]
    with tables.atomic_path(here.executed) as temporary:
        temporary.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")
