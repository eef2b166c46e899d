"""How do other systems answer the same questions?

    system = systems.load("clap-2023=weights/clap-2023")
    systems.predict(system, labels, tasks)

CLAP of Microsoft (2022 and 2023), CLAP of LAION, and Pengi, which describes an utterance in words,
stand behind one interface (:class:`System`). A fifth model rates arousal, dominance and valence.
Their weights are not here: `catalogue` and `commands` state where they come from. Chapter 10.
"""

from __future__ import annotations

from paraclap.systems import clap, pengi
from paraclap.systems.interface import System, compare, predict
from paraclap.systems.ratings import Dimensional, correlations, load_dimensional
from paraclap.systems.weights import catalogue, commands, source

__all__ = ["Dimensional", "System", "catalogue", "commands", "compare", "correlations", "load"]
__all__ += ["load_dimensional", "parse", "predict"]


def load(spec: str) -> System:
    """Read a system.

    Args:
        spec: its name in the catalogue, and where its weights are: `pengi=weights/pengi`, a folder
            or the published file; the name alone: fetched from the hub

    Raises:
        FileNotFoundError: if the weights are absent, with the commands that fetch them
        ValueError: if there is no such system, or the weights are not those of the model
    """
    name, _, place = spec.partition("=")
    if source(name).name == Dimensional.name:
        raise ValueError(f"Bad system {name!r}: it takes no queries, use load_dimensional.")
    if name in clap.SETTINGS:
        return clap.load_microsoft(name, place or None)
    return (clap.load_laion if name == clap.LaionCLAP.name else pengi.load_pengi)(place or None)


def parse(specs: str) -> dict[str, str]:
    """Split a parameter that lists systems, name → `name=path`; a ValueError if one is unknown.

    >>> parse("pengi=weights/pengi, clap-2023=w")
    {'pengi': 'pengi=weights/pengi', 'clap-2023': 'clap-2023=w'}
    """
    parts = [part.strip() for part in specs.split(",") if part.strip()]
    return {str(source(part.partition("=")[0]).name): part for part in parts}
