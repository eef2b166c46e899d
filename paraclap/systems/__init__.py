"""Other systems, asked the same questions. Chapter 10.

    system = systems.load("clap-2023=weights/clap-2023")
    systems.predict(system, labels, tasks)

CLAP of Microsoft and of LAION, and Pengi, are each a :class:`System`; a :class:`Dimensional` model
rates arousal, dominance and valence. Their weights are not here: `commands` fetch them.
"""

from typing import Any

from paraclap import tables
from paraclap.systems.clap import load_laion, load_microsoft
from paraclap.systems.interface import System, catalogue, commands, predict
from paraclap.systems.pengi import load_pengi
from paraclap.systems.ratings import Dimensional, load_dimensional

__all__ = ["Dimensional", "System", "catalogue", "commands", "load", "predict"]

LOADERS = {"laion-clap": load_laion, "pengi": load_pengi, "dimensional": load_dimensional}


def load(spec: str) -> Any:
    """Read a :class:`System`, or :class:`Dimensional`, by its name and the place of its weights.

    As in `pengi=weights/pengi`, a folder or the published file; the name alone: from the hub.
    FileNotFoundError, with the commands that fetch them, if the weights are absent; ValueError if
    there is no such system, or the weights are not those of the model.
    """
    name, _, place = spec.partition("=")
    if name not in catalogue().index:
        raise ValueError(tables.unknown("system", name, catalogue().index))
    try:
        return LOADERS.get(name, load_microsoft)(name, place)
    except OSError as error:
        where = f"{tables.short_name(place or f'weights/{name}')!r} ({type(error).__name__})"
        msg = f"No weights of {name!r} at {where}: where there is a network, run"
        lines = [msg, *commands(name), f"and give the folder: {name}=weights/{name}"]
        raise FileNotFoundError("\n  ".join(lines)) from error
