"""Parameters of a run: what the notebooks declare, what the params file and the caller say.

One flat YAML file serves all notebooks; each takes the keys it declares. A declaration is a
typed line of the cell tagged ``parameters``::

    audio_lr: float = 1.0e-5  # learning rate of the audio encoder, per step

Types are ``str``, ``int``, ``float``, ``bool``, ``list`` of one of them, and ``... | None``.
An unknown key, a value of another type, or two notebooks that declare a key differently are
errors: papermill alone would only log the first and run on with the others.

In the text of a params file ``${NAME}`` stands for the environment variable of that name, so that
one file serves on several machines::

    tess: ${PARACLAP_TESS}

A variable that is not set leaves ``${NAME}`` as it is, for whoever uses the value to report.
"""

from __future__ import annotations

import ast
import difflib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from paraclap import reading, tables
from paraclap.sources import cells

Value = str | int | float | bool | list[Any] | None

_PLAIN: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class ParamsError(ValueError):
    """A params file, an override or a declaration is not as it should be."""


class Parameter(NamedTuple):
    """A declared parameter: name, annotation, default, comment, notebook that declares it."""

    name: str
    kind: str
    default: Value
    comment: str
    notebook: str


def declared(notebook: Path) -> dict[str, Parameter]:
    """Parameters that a notebook declares, in order.

    Args:
        notebook: percent notebook; one without a ``parameters`` cell declares none

    Raises:
        ParamsError: if a line of the cell is not ``name: type = literal``
    """
    found: dict[str, Parameter] = {}
    for cell in cells(notebook):
        if "parameters" not in cell.tags:
            continue
        lines = cell.source.splitlines()
        for node in ast.parse(cell.source).body:
            line = cell.line + node.lineno - 1
            parameter = _declaration(node, lines[node.end_lineno - 1 if node.end_lineno else 0])
            if parameter is None:
                msg = (
                    f"Bad declaration in {notebook.name}, line {line}: "
                    f"{ast.unparse(node)!r}, expected name: type = literal  # unit and meaning, "
                    f"with a type of {sorted(_PLAIN)}, list[...] of one, or ... | None."
                )
                raise ParamsError(msg)
            found[parameter.name] = parameter._replace(notebook=notebook.name)
    return found


def _declaration(node: ast.stmt, line: str) -> Parameter | None:
    """Parameter declared by a statement, ``None`` if it does not declare one properly."""
    if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value):
        return None
    kind = ast.unparse(node.annotation)
    if not re.fullmatch(r"(list\[(str|int|float|bool)\]|str|int|float|bool)( \| None)?", kind):
        return None
    try:
        default = ast.literal_eval(node.value)
    except ValueError:
        return None
    comment = line.encode()[node.end_col_offset :].decode().partition("#")[2].strip()
    return Parameter(node.target.id, kind, _typed(kind, default), comment, "")


def declared_by_all(notebooks: Iterable[Path]) -> dict[str, Parameter]:
    """Parameters of several notebooks together.

    Args:
        notebooks: percent notebooks, in order

    Raises:
        ParamsError: if two of them declare a parameter with another type or default
    """
    found: dict[str, Parameter] = {}
    for notebook in notebooks:
        for name, parameter in declared(notebook).items():
            first = found.setdefault(name, parameter)
            if (first.kind, first.default) != (parameter.kind, parameter.default):
                msg = (
                    f"Parameter {name!r} is {first.kind} = {first.default!r} in "
                    f"{first.notebook}, but {parameter.kind} = {parameter.default!r} in "
                    f"{parameter.notebook}: declare it alike in both."
                )
                raise ParamsError(msg)
    return found


def read(file: Path) -> dict[str, Any]:
    """Read a params file; ``${NAME}`` in it is replaced by the environment variable, if set.

    Args:
        file: YAML, one flat mapping; an empty file says nothing

    Raises:
        FileNotFoundError: if it is not there; the message names the files beside it
        ParamsError: if it is not YAML, not a flat mapping, or names a key twice
    """
    if not file.is_file():
        folder, others = _neighbours(file)
        name = file.relative_to(folder) if file.is_relative_to(folder) else file
        msg = f"No params file {str(name)!r} in {folder.name or '.'}/, there are: {others[:20]}."
        raise FileNotFoundError(msg)
    try:
        text = reading.text(file)
        values = yaml.safe_load(text)
    except Exception as error:  # of YAML, codecs, dates and numbers that are none
        msg = f"Cannot read {file.name} as YAML: {error}\nExpected lines of the form key: value."
        raise ParamsError(msg) from error
    values = {} if values is None else values
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        msg = f"Bad params file {file.name}: expected lines of the form key: value."
        raise ParamsError(msg)
    keys = re.findall(r"^([A-Za-z_]\w*)\s*:", text, flags=re.MULTILINE)
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        msg = f"Bad params file {file.name}: {twice[:5]} given more than once, keep one."
        raise ParamsError(msg)
    for key, value in values.items():  # never looked into deeper: aliases may go on for ever
        if isinstance(value, dict | set) or (isinstance(value, list) and any(map(_is_tree, value))):
            msg = f"Bad {key} in {file.name}: values in values, expected a plain value or a list."
            raise ParamsError(msg)
    return {key: _filled_in(value) for key, value in values.items()}


def _is_tree(value: object) -> bool:
    return isinstance(value, dict | list | set | tuple)


def _neighbours(file: Path) -> tuple[Path, list[str]]:
    """Nearest folder that exists above a file, and the params files in it and one level below."""
    folder = next(parent for parent in file.parents if parent.is_dir() or parent == Path())
    found = [*sorted(folder.glob("*.yaml")), *sorted(folder.glob("*/*.yaml"))]
    return folder, [str(other.relative_to(folder).with_suffix("")) for other in found]


def _filled_in(value: Any) -> Any:
    """Value with environment variables in the place of their names, also within a list."""
    if isinstance(value, list):
        return [_filled_in(item) for item in value]
    if not isinstance(value, str):
        return value
    return _VARIABLE.sub(lambda match: os.environ.get(match[1], match[0]), value)


def override(text: str, known: Mapping[str, Parameter]) -> tuple[str, Any]:
    """Key and value of a ``key=value`` given on the command line.

    Args:
        text: as it was given; words for a ``str`` parameter are taken as they are
        known: the declared parameters

    Raises:
        ParamsError: if it has no ``=``, or its value is no YAML
    """
    key, equals, value = text.partition("=")
    if not equals:
        msg = f"Bad override {text!r}, expected key=value."
        raise ParamsError(msg)
    if key in known and known[key].kind.startswith("str") and value not in ("null", ""):
        return key, value
    try:
        return key, "" if value == "" else yaml.safe_load(value)
    except Exception as error:  # as of a file
        msg = f"Bad override {text!r}, expected key=value, the value as in YAML: {error}"
        raise ParamsError(msg) from error


def check(values: Mapping[str, Any], known: Mapping[str, Parameter], where: str) -> dict[str, Any]:
    """Check values against the declarations; whole numbers given for a float become floats.

    Args:
        values: from a params file or the command line
        known: the declared parameters
        where: name of the file in messages

    Raises:
        ParamsError: if a key is not declared by any notebook, or a value is of another type
    """
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {sorted(known)}."
            msg = f"Unknown parameter {key!r} in {where}, no notebook declares it: {hint}"
            raise ParamsError(msg)
    return {key: _checked(known[key], value, where) for key, value in values.items()}


def _checked(parameter: Parameter, value: Any, where: str) -> Value:
    if fits(parameter.kind, value):
        checked: Value = _typed(parameter.kind, value)
        return checked
    hint = ""
    if isinstance(value, str) and "float" in parameter.kind and _is_number(value):
        hint = f" Write {_yaml_number(value)}: YAML takes {value} for a word."
    if isinstance(value, bool) and "str" in parameter.kind:
        hint = ' Put it in quotes: YAML takes on, off, yes and no for true and false, "off" not.'
    msg = (
        f"Bad {parameter.name} in {where}: got {value!r} ({type(value).__name__}), "
        f"expected {parameter.kind}, such as {parameter.default!r}.{hint}"
    )
    raise ParamsError(msg)


def fits(kind: str, value: Any) -> bool:
    """Whether a value is of a declared type; a bool is no number, a whole number is a float.

    Examples:
        >>> fits("float", 1), fits("int", True), fits("list[str] | None", ["a"])
        (True, False, True)
    """
    if kind.endswith(" | None"):
        return value is None or fits(kind.removesuffix(" | None"), value)
    if inner := re.fullmatch(r"list\[(\w+)\]", kind):
        return isinstance(value, list) and all(fits(inner[1], item) for item in value)
    if kind == "float" and type(value) is int:
        return True
    return type(value) is _PLAIN[kind]


def _typed(kind: str, value: Any) -> Any:
    """Value with whole numbers as floats where floats are declared."""
    if isinstance(value, list):
        return [_typed(kind, item) for item in value]
    return float(value) if "float" in kind and type(value) is int else value


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text.strip()) is not None


def _yaml_number(text: str) -> str:
    """Number in a form that YAML takes for one: with a point, and a sign in the exponent.

    Examples:
        >>> _yaml_number("1e-5"), _yaml_number("2.5E3")
        ('1.0e-5', '2.5e+3')
    """
    mantissa, _, exponent = text.strip().lower().partition("e")
    mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
    if not exponent:
        return mantissa
    return f"{mantissa}e{exponent if exponent[0] in '+-' else '+' + exponent}"


def effective(
    known: Mapping[str, Parameter], *given: Mapping[str, Any], run: str
) -> dict[str, Value]:
    """Value of every declared parameter: its default, or what was given, the last word first.

    Args:
        known: the declared parameters
        given: checked values, later ones win
        run: name of the run, where nothing else is given for ``run``
    """
    values: dict[str, Value] = {name: parameter.default for name, parameter in known.items()}
    values["run"] = run
    for more in given:
        values.update(more)
    return values


def of_run(
    file: Path, overrides: Iterable[str] = (), notebooks: Iterable[Path] | None = None
) -> dict[str, Any]:
    """Value of every parameter in a run.

    Args:
        file: YAML; its stem is the name of the run unless ``run`` is given
        overrides: ``key=value`` each, stronger than the file
        notebooks: that declare the parameters, those of the project if left out

    Raises:
        ParamsError: if a parameter is unknown or of the wrong type
    """
    if notebooks is None:
        notebooks = sorted((tables.project_folder() / "book").glob("[0-9][0-9]_*.py"))
    known = declared_by_all(notebooks)
    for name in ("run", "runs"):
        known.setdefault(name, Parameter(name, "str", name, "", ""))
    given = check(read(file), known, file.name)
    more = check(dict(override(text, known) for text in overrides), known, "the command line")
    return effective(known, given, more, run=file.stem)
