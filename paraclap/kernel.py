"""Execute one notebook: papermill, in this environment's own kernel, all or nothing.

The executed copy takes its place only when the last cell has run. A notebook that fails is left
beside it as ``<name>.failed.ipynb``, with the full traceback in its last cell; what is told of it
is the cell and its error (:mod:`paraclap.failing`). The progress that
long steps write into the file named by ``PARACLAP_PROGRESS`` is passed on to stderr meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from paraclap import failing, sources, tables
from paraclap.pages import BookError, from_source, save, source_mark

_POLL = 0.3  # seconds between two looks at the progress file


def execute(
    notebook: Path,
    executed: Path,
    values: Mapping[str, Any],
    key: str,
    artefacts: Callable[[], list[str]] = list,
) -> None:
    """Execute a notebook with some parameters set.

    Args:
        notebook: percent notebook
        executed: where the executed copy goes
        values: parameters that differ from what the notebook says
        key: kept in the executed copy, under ``metadata.paraclap``
        artefacts: asked at the end for the names of what was made, kept there as well

    Raises:
        BookError: if a cell fails or the kernel dies
    """
    import nbformat

    failed = executed.with_name(f"{executed.stem}.failed.ipynb")
    with tempfile.TemporaryDirectory(prefix="paraclap-") as name, _kernel(Path(name)):
        partial = Path(name) / "partial.ipynb"
        mark = source_mark(notebook)
        _papermill(notebook, partial, values, failed)
        done = nbformat.read(partial, as_version=4)
        done.metadata["paraclap"] = {"key": key, "source": mark, "artefacts": artefacts()}
        done.metadata.pop("papermill", None)
        save(done, executed)
    failed.unlink(missing_ok=True)


def _papermill(notebook: Path, partial: Path, values: Mapping[str, Any], failed: Path) -> None:
    """Run all cells into ``partial``; if that fails, keep it as ``failed`` and say why."""
    import nbformat
    import papermill
    from nbclient.exceptions import DeadKernelError
    from traitlets.config import Config

    source = partial.with_name("source.ipynb")
    nbformat.write(from_source(notebook), source)
    try:
        papermill.execute_notebook(
            str(source),
            str(partial),
            parameters=dict(values),
            kernel_name="python3",
            cwd=str(tables.project_folder()),
            progress_bar=False,
            # Otherwise the kernel warns that others on this machine could listen.
            config=Config(KernelManager={"transport_encryption": "auto"}),
        )
    except papermill.PapermillExecutionError as error:
        failed.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError), tables.atomic_path(failed) as whole:
            shutil.copy(partial, whole)
        raise BookError(_told(notebook, error, failed)) from None
    except DeadKernelError:
        msg = f"{notebook.name} stopped: its process died, most likely for want of memory."
        raise BookError(msg) from None
    except OSError as error:
        msg = (
            f"{notebook.name} could not be written down ({error.strerror or error}). "
            "Finished steps are kept: free some space or choose another folder, then run again."
        )
        raise BookError(msg) from error


def _told(notebook: Path, error: Any, failed: Path) -> str:
    """What failed, from what papermill says."""
    cause = f"{error.ename}: {error.evalue}"
    stack = list(error.traceback or ())
    return failing.told(notebook, str(error.source), cause, stack, failed, sources.PACKAGE)


@contextmanager
def _kernel(folder: Path) -> Iterator[None]:
    """See that ``python3`` is this very interpreter, and pass its progress on."""
    from paraclap.forked import possible, provisioner

    spec = folder / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    argv += ["--log-level=CRITICAL"]  # a cell's error comes as a message; this is shutdown noise
    if not possible():
        argv += ["--IPKernelApp.kernel_class=paraclap.ending.Kernel"]
    told = {"argv": argv, "display_name": "Python 3", "language": "python"}
    forked = provisioner() if possible() else {}
    spec.write_text(json.dumps({**told, "metadata": {"supported_encryption": ["curve"], **forked}}))
    progress = folder / "progress"
    progress.touch()
    with environment(
        JUPYTER_PATH=str(folder),
        PARACLAP_PROGRESS=str(progress),
        HF_HUB_DISABLE_PROGRESS_BARS="1",  # theirs would end up in the pages
    ):
        done = threading.Event()
        tail = threading.Thread(target=_pass_on, args=(progress, done), daemon=True)
        tail.start()
        try:
            yield
        finally:
            done.set()
            tail.join()


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Set environment variables for a while.

    Args:
        values: variable → value
    """
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _pass_on(progress: Path, done: threading.Event) -> None:
    """Copy whole lines from a growing file to stderr until told that no more will come."""
    with progress.open(encoding="utf-8") as stream:
        rest, last = "", False
        while not last:
            last = done.wait(_POLL)
            *lines, rest = (rest + stream.read()).split("\n")
            for line in lines:
                print(f"    {line}", file=sys.stderr, flush=True)
        if rest:
            print(f"    {rest}", file=sys.stderr, flush=True)
