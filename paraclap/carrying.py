"""What does a model folder need so that it works where paraclap is not installed?

The code of its classes. `carry` writes one file beside the weights, made from the package's own
source, and names its classes in `config.json` and `processor_config.json` (`auto_map`), where
`AutoModel.from_pretrained(folder, trust_remote_code=True)` looks for them. Only what these classes
reach is taken, each definition as it stands in the package; so nothing is written twice by hand,
and a folder keeps the code that its weights were published with.

A tower that reads functionals (:mod:`paraclap.measured`) takes openSMILE's part along and then
needs `opensmile` there, which transformers says where it lacks. Where `import paraclap` came first
the package answers, not the file. Nothing here is run by carrying it; whoever loads such a folder
decides for themselves whether its code is to be trusted.

Source: https://huggingface.co/docs/transformers/custom_models.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from paraclap import __version__, tables

CODE = "modeling_paraclap.py"
CLASSES = {  # of transformers → module and class that it stands for here
    "AutoConfig": ("configuration", "ParaCLAPConfig"),
    "AutoFeatureExtractor": ("processor", "ParaCLAPFeatureExtractor"),
    "AutoProcessor": ("processor", "ParaCLAPProcessor"),
    "AutoModel": ("model", "ParaCLAP"),
}
MEASURED = "paraclap-measured"  # the type of an audio tower that reads functionals
TOWER = (("measured", "MeasuredConfig"), ("measured", "MeasuredTower"), ("features", "measure"))
NOT_MEASURED = b'raise ImportError("This code is of a model that measures nothing.")'
LEFT_OUT = {"from_released", "push_to_hub"}  # methods that need the rest of the package
PACKAGE = Path(__file__).parent
HEAD = '''"""The classes of a ParaCLAP model, which answers in words how a voice sounds.

Made from the source of paraclap {version}, which is MIT licensed, for
`AutoModel.from_pretrained(folder, trust_remote_code=True)`; not meant to be edited. It needs
Python 3.11 or later, and transformers 5.
"""

from __future__ import annotations
'''
REGISTER = """AutoConfig.register(MeasuredConfig.model_type, MeasuredConfig, exist_ok=True)
AutoModel.register(MeasuredConfig, MeasuredTower, exist_ok=True)
"""
Name = tuple[str, str]  # module and name of a definition


class Module(NamedTuple):
    """A module of the package: its lines, and what its names stand for."""

    lines: list[bytes]
    defined: dict[str, ast.stmt]
    own: dict[str, Name]  # what it has from the package; a whole module has no name in it
    others: dict[str, str]  # what it has from elsewhere, as one line that imports it


def carry(folder: str | Path) -> Path:
    """Write the code of a model beside its weights, and tell transformers of it.

    Args:
        folder: of a model, with `config.json` and `processor_config.json`

    Returns:
        the file with the code

    Raises:
        FileNotFoundError: if one of the two files is not there
        OSError: if something cannot be written
    """
    folder = Path(folder)
    config, processor = folder / "config.json", folder / "processor_config.json"
    settings, pieces = tables.read_json(config), tables.read_json(processor)
    measures = settings["audio_config"]["model_type"] == MEASURED
    with tables.atomic_path(folder / CODE) as temporary:
        temporary.write_text(code(measures), "utf-8")
    extractor = pieces["feature_extractor"] | {"auto_map": _known("AutoFeatureExtractor")}
    pieces |= {"feature_extractor": extractor, "auto_map": _known("AutoProcessor")}
    _write(pieces, processor)
    _write(settings | {"auto_map": _known(*CLASSES)}, config)
    return folder / CODE


def _known(*names: str) -> dict[str, str]:
    return {name: f"{Path(CODE).stem}.{CLASSES[name][1]}" for name in names}


def _write(values: dict[str, Any], file: Path) -> None:
    with tables.atomic_path(file) as temporary:
        temporary.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", "utf-8")


def code(measures: bool) -> str:
    """The classes of a model and all that they need of the package, as one module.

    Args:
        measures: whether its audio tower reads what openSMILE measures

    Raises:
        ValueError: if two modules of the package define one name differently
    """
    reached: dict[Name, None] = {}
    for root in [*(TOWER if measures else ()), *CLASSES.values()]:
        _reach(root, measures, reached, ())
    parts: dict[str, str] = {}
    for module, name in reached:
        text = _text((module, name), measures)
        if parts.setdefault(name, text) != text:
            raise ValueError(f"{name!r} of {module!r} is defined elsewhere, too: rename one.")
    lines = sorted({line for one in reached for line in _imports(one)})
    start = HEAD.format(version=__version__) + "\n" + "\n".join(lines)
    return "\n\n\n".join([start, *parts.values(), *([REGISTER] if measures else [])])


def _reach(one: Name, measures: bool, reached: dict[Name, None], above: tuple[Name, ...]) -> None:
    """Add a definition behind all that it uses; functions that use each other come as they may."""
    if one in reached or one in above:
        return
    for needed in _uses(one, measures):
        _reach(needed, measures, reached, (*above, one))
    reached[one] = None


def _uses(one: Name, measures: bool) -> Iterator[Name]:
    """Definitions of the package that a definition names."""
    module = _module(one[0])
    own = _own(one, measures)
    for node in _nodes(one):
        if (found := _of_module(node, own)) is not None:
            yield found
        elif isinstance(node, ast.Name) and node.id in module.defined:
            yield one[0], node.id
        elif isinstance(node, ast.Name) and own.get(node.id, ("", ""))[1]:
            yield own[node.id]


def _of_module(node: ast.AST, own: dict[str, Name]) -> Name | None:
    """The definition that such as `features.measure` means, if it means one."""
    if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
        return None
    module, name = own.get(node.value.id, ("", "another package's"))
    return None if name else (module, node.attr)


def _imports(one: Name) -> Iterator[str]:
    others = _module(one[0]).others
    names = {node.id for node in _nodes(one) if isinstance(node, ast.Name)}
    return (others[name] for name in names & others.keys())


def _own(one: Name, measures: bool) -> dict[str, Name]:
    """What a definition has from the package, also what it imports for itself alone."""
    module = _module(one[0])
    inside = [node for node in _nodes(one) if isinstance(node, ast.ImportFrom) and measures]
    return module.own | {name: found for node in inside for name, found in _from_package(node)}


def _nodes(one: Name) -> Iterator[ast.AST]:
    """The syntax of a definition without the methods that are left out."""
    todo: list[ast.AST] = [_module(one[0]).defined[one[1]]]
    while todo:
        node = todo.pop(0)
        if not (isinstance(node, ast.FunctionDef) and node.name in LEFT_OUT):
            yield node
            todo += ast.iter_child_nodes(node)


def _text(one: Name, measures: bool) -> str:
    """A definition as it stands in its module, but for what it says of the package."""
    module, own = _module(one[0]), _own(one, measures)
    node = module.defined[one[1]]
    lines = [*module.lines]
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef) and part.name in LEFT_OUT:
            lines[_first(part) : part.end_lineno] = [b""] * (_last(part) - _first(part))
        elif isinstance(part, ast.If) and isinstance(own_import := part.body[0], ast.ImportFrom):
            last = _last(own_import if measures else part.body[-1])
            lines[own_import.lineno - 1 : last] = [b""] * (last - own_import.lineno + 1)
            if not measures:
                lines[last - 1] = b" " * own_import.col_offset + NOT_MEASURED
        elif isinstance(part, ast.expr) and (found := _of_module(part, own)):
            whole, name = ast.unparse(part).encode(), found[1].encode()
            lines[part.lineno - 1] = lines[part.lineno - 1].replace(whole, name)
    text = b"\n".join(lines[_first(node) : _last(node)]).decode()
    return re.sub(r"\n{3,}", "\n\n", text)


def _first(node: ast.stmt) -> int:
    """Number of lines before a definition and what decorates it."""
    parts = [node, *getattr(node, "decorator_list", ())]
    return min(int(part.lineno) for part in parts) - 1


def _last(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


@cache
def _module(name: str) -> Module:
    source = (PACKAGE / f"{name}.py").read_bytes()
    found = Module(source.split(b"\n"), {}, {}, {})
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom):
            found.own.update(_from_package(node))
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.others.update(_from_elsewhere(node))
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.defined[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found.defined.update({t.id: node for t in targets if isinstance(t, ast.Name)})
    return found


def _from_package(node: ast.ImportFrom) -> Iterator[tuple[str, Name]]:
    """What an import takes from the package: a definition of a module, or a whole module."""
    first, _, module = (node.module or "").partition(".")
    if first == PACKAGE.name:
        for alias in node.names:
            yield alias.asname or alias.name, (module, alias.name) if module else (alias.name, "")


def _from_elsewhere(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
    for alias in node.names:
        if PACKAGE.name not in (module.split(".")[0], alias.name.split(".")[0]):
            line = ast.unparse(ast.Import([alias]))
            line = f"from {module} {line}" if module else line
            yield (alias.asname or alias.name).split(".")[0], line
