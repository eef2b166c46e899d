"""What a step is made from: notebook cells, and the modules of the package that they import.

A step of the book has to run again when its code changed, not when its prose did. So the code
is what counts here: the code cells of a notebook, and the syntax (no comments, no docstrings)
of every module of the package reached from them by imports, with the data files that those
modules name. Everything is read from source with :mod:`ast`; nothing is imported.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parent

_HEADER = re.compile(r"^# %%(?P<rest>.*)$")


class Cell(NamedTuple):
    """A cell of a percent notebook: kind (code or markdown), tags, source, first line number."""

    kind: str
    tags: tuple[str, ...]
    source: str
    line: int


def cells(notebook: Path) -> list[Cell]:
    """Cells of a notebook in the percent format, in order, without the Jupytext header.

    Args:
        notebook: ``.py`` file with ``# %%`` lines
    """
    found: list[Cell] = []
    header, start, lines = "", 0, list[str]()
    for number, line in enumerate([*notebook.read_text("utf-8").splitlines(), "# %%"], start=1):
        match = _HEADER.match(line)
        if not match:
            lines.append(line)
            continue
        if start:
            found.append(_cell(header, lines, start + 1))
        header, start, lines = match["rest"], number, []
    return found


def _cell(header: str, lines: list[str], line: int) -> Cell:
    kind = "markdown" if re.search(r"\[(markdown|md|raw)\]", header) else "code"
    tags = re.search(r"tags=\[([^\]]*)\]", header)
    names = re.findall(r"[\"']([^\"']+)[\"']", tags[1]) if tags else []
    return Cell(kind, tuple(names), "\n".join(lines).strip("\n"), line)


def code(notebook: Path, without_tag: str = "parameters") -> list[str]:
    """Sources of the code cells, those tagged ``without_tag`` left out."""
    return [c.source for c in cells(notebook) if c.kind == "code" and without_tag not in c.tags]


def modules(source: str, package: Path = PACKAGE) -> set[Path]:
    """Files of a package that a piece of code needs: modules, and data files they name.

    Args:
        source: Python code, of a notebook for example
        package: folder of the package; its imports are followed, no others

    Returns:
        paths of ``.py`` and data files; the package's ``__init__`` is not among them, as it
        only passes names on
    """
    todo = list(_imported(ast.parse(source), package, package))
    found: set[Path] = set()
    while todo:
        file = todo.pop()
        if file in found:
            continue
        found.add(file)
        tree = _tree(file)
        found.update(_data(tree, (file.parent, package)))
        todo.extend(_imported(tree, file.parent, package))
    return found


def _tree(file: Path) -> ast.Module:
    return _parsed(file, file.stat().st_mtime_ns)


@cache
def _parsed(file: Path, _changed: int) -> ast.Module:
    return ast.parse(file.read_text("utf-8"), str(file))


def _imported(tree: ast.Module, here: Path, package: Path) -> Iterator[Path]:
    """Module files that the import statements and attributes of ``tree`` point to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _resolve(alias.name.split("."), [], package)
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            dots = (node.module or "").split(".") if node.module else []
            if node.level:
                base = here if node.level == 1 else here.parents[node.level - 2]
                dots = [package.name, *base.relative_to(package).parts, *dots]
            yield from _resolve(dots, names, package)
        elif isinstance(node, ast.Attribute) and _is_name(node.value, package.name):
            yield from _resolve([package.name], [node.attr], package)


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _resolve(dots: list[str], names: list[str], package: Path) -> Iterator[Path]:
    """Files behind ``import a.b`` or ``from a.b import names``, when ``a`` is the package."""
    if not dots or dots[0] != package.name:
        return
    folder = package
    for part in dots[1:]:
        yield from _module(folder, part)
        folder = folder / part
    for name in names:
        if (file := next(_module(folder, name), None)) is not None:
            yield file
        elif folder == package:
            yield from _public(name, package)


def _module(folder: Path, name: str) -> Iterator[Path]:
    for file in (folder / f"{name}.py", folder / name / "__init__.py"):
        if file.is_file():
            yield file


def _public(name: str, package: Path) -> Iterator[Path]:
    """Module behind a public name of the package; all of them if ``__init__`` does not say."""
    init = package / "__init__.py"
    if not init.is_file() or (name.startswith("__") and name.endswith("__")):
        return
    for node in ast.walk(_tree(init)):
        if isinstance(node, ast.ImportFrom) and name in {a.asname or a.name for a in node.names}:
            dots = [package.name] * bool(node.level) + (node.module or "").split(".")
            yield from _resolve([part for part in dots if part], [], package)
            return
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                pair = (getattr(key, "value", None), getattr(value, "value", None))
                if pair[0] == name and isinstance(pair[1], str):
                    last = pair[1].removeprefix(package.name).strip(".")
                    yield from _resolve([package.name, *last.split(".")], [], package)
                    return
    yield from sorted(package.rglob("*.py"))


def _data(tree: ast.Module, folders: Iterable[Path]) -> Iterator[Path]:
    """Data files, beside a module or at the top of the package, that it names in a string."""
    for node in ast.walk(tree):
        name = node.value if isinstance(node, ast.Constant) else None
        if isinstance(name, str) and re.fullmatch(r"[\w./-]+\.(?!py$)\w+", name):
            yield from (folder / name for folder in folders if (folder / name).is_file())


def digest(file: Path) -> str:
    """Hash of a file: for Python its syntax without comments and docstrings, else its bytes."""
    return _digest(file, file.stat().st_mtime_ns)


@cache
def _digest(file: Path, _changed: int) -> str:
    content = file.read_bytes()
    if file.suffix == ".py":
        content = ast.dump(_bare(ast.parse(content))).encode()
    return hashlib.sha256(content).hexdigest()[:16]


def _bare(tree: ast.Module) -> ast.Module:
    """Syntax without docstrings, nor other strings that stand alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [line for line in node.body if not _is_text(line)] or [ast.Pass()]
    return tree


def _is_text(line: ast.stmt) -> bool:
    value = line.value if isinstance(line, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def listing(value: object, root: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of change of all files at a path given as a parameter, if it is one.

    Args:
        value: of the parameter
        root: folder that relative paths start from
    """
    if not isinstance(value, str) or not value:
        return []
    path = root / Path(value).expanduser()
    try:
        files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.is_file())
        stats = [(str(file.relative_to(path)), file.stat()) for file in files]
    except OSError:
        return []
    return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
