"""The kernel that notebooks of the book run in: IPython's, which ends at once when it is asked to.

A kernel first ends the processes that it started, and waits for them. Among these is the one that
keeps track of what worker processes share: it ignores that signal, and ends when the kernel has
ended. Jupyter would lose patience, and a killed kernel cleans nothing up.
"""

from __future__ import annotations

from typing import Any

from ipykernel.ipkernel import IPythonKernel


class Kernel(IPythonKernel):
    """IPython's kernel, which waits for no process that waits for it."""

    def _process_children(self) -> list[Any]:
        ours: list[Any] = super()._process_children()  # type: ignore[no-untyped-call]  # theirs
        return [one for one in ours if not _waits_for_us(one)]


def _waits_for_us(process: Any) -> bool:
    import psutil

    try:
        return "resource_tracker" in " ".join(process.cmdline())
    except psutil.Error:  # it has ended meanwhile
        return False
