"""How do other systems answer the same questions?

    system = systems.load("clap-2023=weights/clap-2023")
    systems.predict(system, labels, tasks)

CLAP of Microsoft (2022 and 2023), CLAP of LAION, and Pengi, which describes an utterance in words,
stand behind one interface (:class:`System`). A fifth model (:class:`Dimensional`) rates arousal,
dominance and valence. Their weights are not here: `commands` fetch them. Chapter 10.
"""

from __future__ import annotations

from typing import Any

from paraclap import tables
from paraclap.systems.clap import load_laion, load_microsoft
from paraclap.systems.interface import System, catalogue, commands, compare, predict
from paraclap.systems.pengi import load_pengi
from paraclap.systems.ratings import Dimensional, load_dimensional

__all__ = ["Dimensional", "System", "catalogue", "commands", "compare", "load", "predict"]

LOADERS = {"laion-clap": load_laion, "pengi": load_pengi, "dimensional": load_dimensional}


def load(spec: str) -> Any:
    """Read a :class:`System`, or :class:`Dimensional`, by its name and the place of its weights.

    Args:
        spec: `pengi=weights/pengi`, a folder or the published file; the name alone: from the hub

    Raises:
        FileNotFoundError: if the weights are absent, with the commands that fetch them
        ValueError: if there is no such system, or the weights are not those of the model
    """
    name, _, place = spec.partition("=")
    if name not in catalogue().index:
        raise ValueError(tables.unknown("system", name, catalogue().index))
    try:
        return LOADERS.get(name, load_microsoft)(name, place)
    except OSError as error:
        where = tables.short_name(place or f"weights/{name}")
        lines = [
            f"No weights of {name!r} at {where!r} ({type(error).__name__}), expected the published "
            "files: where there is a network, run",
            *commands(name),
            f"and give the folder: {name}=weights/{name}",
        ]
        raise FileNotFoundError("\n  ".join(lines)) from error
