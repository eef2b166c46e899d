"""Parameters of a run: what the chapters declare, what a params file and the command line change.

A chapter declares its parameters in the cell tagged `parameters`, as papermill reads them:
`name: type = default  # help`. One flat YAML file serves all chapters: each takes the keys that it
declares. A key that none declares, a value of another type and a key given twice are refused.
`${oc.env:NAME,''}` in a file stands for an environment variable.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import field, make_dataclass
from pathlib import Path
from typing import Any

import papermill
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from paraclap import tables

TYPES = {"str": str, "int": int, "float": float, "bool": bool}


def declared(notebook: Path) -> Mapping[str, tuple[type, Any]]:
    """Parameters of one chapter, its `.ipynb`: name → type and default."""
    return {
        name: (TYPES[one["inferred_type_name"]], ast.literal_eval(one["default"]))
        for name, one in papermill.inspect_notebook(str(notebook)).items()
    }


def read_params(file: str | Path, overrides: Sequence[str], pairs: list[Path]) -> dict[str, Any]:
    """All parameters that some `.ipynb` files declare, with the values of a run.

    They are read from a flat YAML file, which names the run unless `run` says another, and from
    overrides, `name=value` each. ValueError if the file cannot be read, a name is unknown, or a
    value has another type.
    """
    known, path = dict[str, tuple[type, Any]](), Path(file)
    for notebook in pairs:
        known = {**declared(notebook), **known}
    try:
        given = OmegaConf.load(path)
        if not isinstance(OmegaConf.to_container(given), dict):
            raise ValueError(f"{file} is no list of parameters, expected lines of 'name: value'.")
        changes = OmegaConf.from_dotlist(list(overrides))
        for name in (*given, *changes):
            if name not in known:
                raise ValueError(tables.unknown("parameter", name, known, tables.short_name(path)))
        fields = [(name, kind, field(default=value)) for name, (kind, value) in known.items()]
        base = OmegaConf.structured(make_dataclass("Params", fields))  # checks types
        values = OmegaConf.merge(base, {"run": path.stem} if "run" in known else {}, given, changes)
        found: Any = OmegaConf.to_container(values, resolve=True)
        return dict(found)
    except FileNotFoundError:
        hint = tables.did_you_mean(path.stem, sorted(p.stem for p in path.parent.glob("*.yaml")))
        raise ValueError(f"No params file {file}.{hint}") from None
    except (OmegaConfBaseException, YAMLError, OSError, UnicodeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"Bad parameters in {tables.short_name(path)}: {reason}") from error
