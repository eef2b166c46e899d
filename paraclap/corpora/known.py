"""The eight corpora of the paper: by which names they are asked for, and where their folders are.

A notebook has a parameter for the folder of each, its name with `_` for `-` (`crema_d`). A params
file that is shared gives no folder but an environment variable: `crema_d: ${PARACLAP_CREMA_D}`.

Source: section 3 of the paper.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from paraclap.corpora import alc, crema_d, fau_aibo, iemocap, msp_podcast, ravdess, sld, tess
from paraclap.corpora.corpus import Corpus

__all__ = ["CORPORA", "Corpus", "check", "folders", "parameter", "table", "variable"]

_MODULES = (msp_podcast, iemocap, ravdess, crema_d, tess, fau_aibo, alc, sld)
CORPORA: dict[str, Corpus] = {module.CORPUS.name: module.CORPUS for module in _MODULES}


def parameter(name: str) -> str:
    """Parameter with the folder of a corpus.

    Examples:
        >>> parameter("crema-d")
        'crema_d'
    """
    return name.replace("-", "_")


def variable(name: str) -> str:
    """Environment variable with the folder of a corpus.

    Examples:
        >>> variable("crema-d")
        'PARACLAP_CREMA_D'
    """
    return f"PARACLAP_{parameter(name).upper()}"


def folders(values: Mapping[str, Any]) -> dict[str, str]:
    """Folders of the known corpora, by their names.

    Args:
        values: by parameter, such as the globals of a notebook

    Examples:
        >>> folders({"tess": "data/tess", "seed": 0})
        {'tess': 'data/tess'}
    """
    found = {name: values.get(parameter(name)) for name in CORPORA}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def check(names: Iterable[str], folders: Mapping[str, str]) -> dict[str, Path]:
    """Folders of some known corpora, all of them there and of the right kind.

    Args:
        names: of the corpora
        folders: by name

    Raises:
        FileNotFoundError: one error that names each corpus that is not there
    """
    homes, absent = dict[str, Path](), list[str]()
    for name in names:
        value = folders.get(name, "").strip()
        try:
            homes[name] = CORPORA[name].home(_folder(CORPORA[name], value))
        except FileNotFoundError as error:
            absent.append(f"- {error}")
    if absent:
        count = len(homes) + len(absent)
        head = f"{len(absent)} of {count} corpora cannot be read; nothing has been done yet:"
        raise FileNotFoundError("\n".join([head, *absent]))
    return homes


def _folder(corpus: Corpus, value: str) -> Path:
    """Folder that a parameter names.

    Raises:
        FileNotFoundError: if it names none
    """
    unset = re.findall(r"\$\{(\w+)\}", value)
    if unset:
        reason = f"the environment variable {', '.join(unset)} is not set"
        raise FileNotFoundError(corpus.absent(f"{reason} (parameter {parameter(corpus.name)})"))
    if not value:
        name = corpus.name
        reason = (
            f"no folder given: set the parameter {parameter(name)} to it, or to "
            f"${{{variable(name)}}} and this environment variable to the folder"
        )
        raise FileNotFoundError(corpus.absent(reason))
    return Path(value).expanduser()


def table() -> pd.DataFrame:
    """What is known of the corpora: name, title, language, utterances, classes, licence, where.

    Utterances are those published that the corpora are asked about here, see `Corpus.counts`.
    """
    return pd.DataFrame(
        {
            "name": corpus.name,
            "title": corpus.title,
            "language": corpus.language,
            "utterances": _utterances(corpus),
            "classes": len(corpus.classes),
            "licence": corpus.licence,
            "where": corpus.url,
        }
        for corpus in CORPORA.values()
    )


def _utterances(corpus: Corpus) -> int:
    """Published number; of a corpus with several questions that of its first."""
    counts = corpus.counts
    return int(counts.loc[counts["corpus"] == counts["corpus"].iloc[0], "count"].sum())
