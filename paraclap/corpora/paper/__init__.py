"""The eight corpora of the paper: their names, their folders, and what is published about them.

A notebook has a parameter for the folder of each, its name with `_` for `-` (`crema_d`). Each
corpus is a row of ``corpora.csv`` and a function of its name in `loaders`. Chapter 1.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from paraclap.corpora.paper import loaders
from paraclap.corpora.paper.base import Corpus

_TABLE = pd.read_csv(Path(__file__).with_name("corpora.csv"), index_col="name")
_TABLE = _TABLE.assign(classes=_TABLE["classes"].str.split(), key=_TABLE["key"].str.split(";"))
CORPORA = {
    str(name): Corpus(str(name), rows=getattr(loaders, str(name).replace("-", "_")), **row)
    for name, row in _TABLE.iterrows()
}


def overview() -> pd.DataFrame:
    """What is published about each corpus: utterances are of its first task, classes counted."""
    sums = [corpus.counts.groupby("corpus")["count"].sum().iloc[0] for corpus in CORPORA.values()]
    table = _TABLE.assign(classes=_TABLE["classes"].str.len(), utterances=sums, where=_TABLE["url"])
    columns = ["name", "title", "language", "utterances", "classes", "licence", "where"]
    return table.reset_index()[columns]


def folders(values: Mapping[str, Any]) -> dict[str, str]:
    """Folders of the corpora by name, from parameters such as the globals of a notebook."""
    found = {name: values.get(name.replace("-", "_")) for name in CORPORA}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def homes(names: Iterable[str], folders: Mapping[str, str]) -> dict[str, Path]:
    """Checked folders of some corpora; one FileNotFoundError names each that is not there."""
    found, absent = dict[str, Path](), list[str]()
    for name in names:
        try:
            found[name] = CORPORA[name].home(folders.get(name, "").strip())
        except FileNotFoundError as error:
            absent.append(f"- {error}")
    if absent:
        head = f"{len(absent)} of {len(found) + len(absent)} corpora cannot be read:"
        raise FileNotFoundError("\n".join([head, *absent]))
    return found
