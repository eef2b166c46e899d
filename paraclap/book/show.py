"""Source of the functions that are the method, shown to the reader of a chapter.

`show(function)` is the last line of a cell. JupyterLab and the pages of the book print the source
with its colours, and the name of the file that it comes from.
"""

import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from IPython.display import Code

PACKAGE = Path(__file__).parent.parent


class Source(Code):
    """A piece of source with the place it comes from on its first line."""

    _repr_latex_ = None  # type: ignore[assignment]  # else pages load MathJax

    def __init__(self, part: Callable[..., Any] | type) -> None:
        """Read the source of `part`, without the decorators of a class."""
        found = inspect.unwrap(part) if not inspect.isclass(part) else part
        lines, first = inspect.getsourcelines(found)
        file = Path(inspect.getsourcefile(found) or "")
        self.place = f"{file.relative_to(PACKAGE.parent).as_posix()}, line {max(first, 1)}"
        code = f"# {self.place}\n{textwrap.dedent(''.join(lines))}"
        super().__init__(code, language="python")  # type: ignore[no-untyped-call]  # IPython

    def __repr__(self) -> str:
        """Show the source where no colours are to be had."""
        return str(self.data)


def show(part: Callable[..., Any] | type) -> Source:
    """Show the source of a function, method or class; TypeError if it is none of the package."""
    module = getattr(inspect.unwrap(part) if callable(part) else part, "__module__", "") or ""
    if not module.startswith("paraclap"):
        raise TypeError(f"Cannot show {part!r}, expected a function or a class of paraclap.")
    return Source(part)
