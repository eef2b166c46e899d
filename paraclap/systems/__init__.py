"""How do other systems answer the same questions about voices?

Four models for sounds of all kinds stand behind the same two calls as ParaCLAP, embed voices and
embed queries, and are asked by the same code: CLAP of Microsoft (2022 and 2023) and of LAION, and
Pengi, which describes a voice in words of its own. A fifth rates arousal, dominance and valence.

    system = systems.load("clap-2023", "weights/clap-2023")
    systems.predict(system, voices, tasks)

Their weights are not here. `catalogue` says where they come from, and whoever asks for one that is
absent is told the commands that fetch it. `msclap`, which is slow to import, is imported when a
model is made of its parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from paraclap.systems import laion, microsoft, pengi, ratings
from paraclap.systems.catalogue import catalogue, shown, source
from paraclap.systems.ratings import Dimensional, agreement
from paraclap.systems.system import Ours, System, answer, beside, compare, predict

__all__ = [
    "Dimensional",
    "Ours",
    "System",
    "agreement",
    "answer",
    "beside",
    "catalogue",
    "compare",
    "descriptions",
    "load",
    "load_all",
    "load_dimensional",
    "named",
    "predict",
    "rate",
    "shown",
    "source",
]

load_dimensional = ratings.load


def load(name: str, weights: str | Path | None = None) -> System:
    """Read a system.

    Args:
        name: Of the catalogue, but not `dimensional`, see :func:`load_dimensional`.
        weights: Folder with the published file, and with a subfolder of configuration and
            tokenizer for each text tower where the hub is out of reach; or the file itself;
            None: fetched from the hub, where it is there.

    Raises:
        FileNotFoundError: If the weights are absent, with the commands that fetch them.
        OSError: If something cannot be read.
        ValueError: If there is no such system, or the weights are not those of the model.
    """
    if name in microsoft.SOUNDS:
        return microsoft.load(name, weights)
    if name == laion.LaionCLAP.name:
        return laion.load(weights)
    if name == pengi.Pengi.name:
        return pengi.load(weights)
    if name == Dimensional.name:
        raise ValueError(f"Bad system {name!r}: it knows no words, use load_dimensional.")
    raise ValueError(f"Bad system {name!r}, expected one of {list(catalogue()['name'])}.")


def named(given: str) -> dict[str, str]:
    """Names and folders that a parameter lists.

    Args:
        given: such as `clap-2023=weights/clap-2023, pengi=weights/pengi`; empty: none

    Raises:
        ValueError: if a part is no `name=path`, or there is no such system

    >>> named("pengi=weights/pengi")
    {'pengi': 'weights/pengi'}
    >>> named("")
    {}
    """
    parts = [part.strip().partition("=") for part in given.split(",") if part.strip()]
    bad = [name for name, sign, path in parts if not (name and sign and path)]
    if bad:
        raise ValueError(f"Bad systems {given!r}, expected 'name=path, name=path' ({bad[:5]}).")
    return {source(name.strip()).name: path.strip() for name, _, path in parts}


def load_all(given: Mapping[str, str]) -> dict[str, System]:
    """Read every system that knows words.

    Args:
        given: name → folder, of `named`
    """
    return {name: load(name, path) for name, path in given.items() if name != Dimensional.name}


def descriptions(systems: Mapping[str, System], rows: int = 5) -> pd.DataFrame:
    """What systems that describe voices have said of those embedded last.

    Args:
        systems: name → system
        rows: voices of each, evenly spread

    Returns:
        `system, file, description`, no row if none of them describes
    """
    parts = []
    for name, system in systems.items():
        if isinstance(system, pengi.Pengi):
            said = system.described.iloc[:: max(1, len(system.described) // rows)][:rows]
            files = [Path(file).name for file in said.index.get_level_values("file")]
            parts.append(pd.DataFrame({"system": name, "file": files, "description": list(said)}))
    columns = ["system", "file", "description"]
    return pd.concat(parts) if parts else pd.DataFrame(columns=columns)


def rate(given: Mapping[str, str], voices: pd.DataFrame) -> pd.DataFrame:
    """Correlation of the dimensional model with people, if it is given, see :func:`agreement`.

    Args:
        given: name → folder, of `named`
        voices: labels table
    """
    if Dimensional.name not in given:
        return agreement(voices[[]], voices.iloc[:0])
    rated = load_dimensional(given[Dimensional.name]).dimensions(voices)
    return agreement(rated, voices)
