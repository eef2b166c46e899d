"""The eight corpora of the paper: their names, their folders, and what is published about them.

A notebook has a parameter for the folder of each, its name with `_` for `-` (`crema_d`). A params
file that is shared gives an environment variable instead: ``crema_d: ${PARACLAP_CREMA_D}``. Each
corpus is a row of ``corpora.csv`` and a function in `LOADERS`. Chapter 1.

Source: section 3 of the paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import pandas as pd

from paraclap.corpora.paper.acted import crema_d, ravdess, tess
from paraclap.corpora.paper.base import Corpus, Loader
from paraclap.corpora.paper.challenges import alc, fau_aibo, sld
from paraclap.corpora.paper.iemocap import iemocap
from paraclap.corpora.paper.msp_podcast import msp_podcast

LOADERS: dict[str, Loader] = {
    "msp-podcast": msp_podcast, "iemocap": iemocap, "ravdess": ravdess, "crema-d": crema_d,
    "tess": tess, "fau-aibo": fau_aibo, "alc": alc, "sld": sld,
}  # fmt: skip
_TABLE = pd.read_csv(Path(__file__).with_name("corpora.csv"))
_TABLE["classes"] = _TABLE["classes"].str.split(" ")
_TABLE["key"] = _TABLE["key"].str.split(";")
_ROWS = cast(Any, _TABLE.to_dict("records"))
CORPORA = {row["name"]: Corpus(**row, rows=LOADERS[row["name"]]) for row in _ROWS}


def overview() -> pd.DataFrame:
    """What is published about the corpora, one row each.

    Returns:
        name, title, language, utterances (of the first task, as published), classes (how many),
        licence, where (to get it or to apply for it)
    """
    counts = [corpus.counts for corpus in CORPORA.values()]
    first = [count[count["corpus"] == count["corpus"].iloc[0]]["count"].sum() for count in counts]
    classes = _TABLE["classes"].str.len()
    table = _TABLE.assign(classes=classes, utterances=first, where=_TABLE["url"])
    return table[["name", "title", "language", "utterances", "classes", "licence", "where"]]


def folders(values: Mapping[str, Any]) -> dict[str, str]:
    """Folders of the corpora by name, from parameters such as the globals of a notebook.

    >>> folders({"crema_d": "data/crema", "seed": 0})
    {'crema-d': 'data/crema'}
    """
    found = {name: values.get(name.replace("-", "_")) for name in CORPORA}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def homes(names: Iterable[str], folders: Mapping[str, str]) -> dict[str, Path]:
    """Checked folders of some corpora, by name, from those that were given.

    Raises:
        FileNotFoundError: one error that names each corpus that is not there
    """
    found, absent = dict[str, Path](), list[str]()
    for name in names:
        try:
            found[name] = _home(CORPORA[name], folders.get(name, "").strip())
        except FileNotFoundError as error:
            absent.append(f"- {error}")
    if absent:
        head = f"{len(absent)} of {len(found) + len(absent)} corpora cannot be read:"
        raise FileNotFoundError("\n".join([head, *absent]))
    return found


def _home(corpus: Corpus, value: str) -> Path:
    name = corpus.name.replace("-", "_")
    if unset := re.search(r"\$\{(\w+)\}", value):
        reason = f"the environment variable {unset[1]} is not set (parameter {name})"
    elif value:
        return corpus.home(Path(value).expanduser())
    else:
        reason = f"no folder given: set the parameter {name} to it, or to ${{PARACLAP_"
        reason += f"{name.upper()}}} and this environment variable to the folder"
    raise FileNotFoundError(corpus.absent(reason))
