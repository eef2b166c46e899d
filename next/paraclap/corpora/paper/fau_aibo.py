"""FAU Aibo: children speak to a robot dog that does not always obey; two tasks on one audio.

``labels/IS2009EmotionChallenge/chunk_labels_{2cl,5cl}_corpus.txt`` have a line per utterance: name,
class and confidence. The first part of a name is the school, Ohm for training and Mont for testing;
the second is the child. With both files the label is that of five classes, and the column
``task:fau-aibo-2`` has that of two. The class P is called positive, as in the paper; the released
code says motherese.

Source: Steidl 2009; the Interspeech 2009 emotion challenge.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from paraclap.corpora.labels import TASK
from paraclap.corpora.paper import base

CLASSES = {
    "5": {"A": "anger", "E": "emphatic", "N": "neutral", "P": "positive", "R": "rest"},
    "2": {"NEG": "negative", "IDL": "non-negative"},
}
SCHOOLS = {"Ohm": "train", "Mont": "test"}


def rows(home: Path, notes: list[str]) -> pd.DataFrame:
    """One row per utterance, see :mod:`paraclap.corpora.paper.base`."""
    folder = home / "labels" / "IS2009EmotionChallenge"
    files = {number: folder / f"chunk_labels_{number}cl_corpus.txt" for number in CLASSES}
    there = [number for number, path in files.items() if path.is_file()]
    labels = pd.concat([_labels(files[number], number, notes) for number in there], axis=1)
    alone = labels.index[labels.isna().any(axis=1)]
    if len(there) == 1:
        lost = next(path.name for path in files.values() if not path.is_file())
        notes.append(f"{lost} is not there: only the task of {there[0]} classes is read.")
    elif len(alone):
        shown = base.first(alone)
        notes.append(f"{len(alone):,} utterances are in one label file only: {shown}.")
    rows = labels.reset_index(names="id")
    rows = base.matched(rows, base.audio([home / "wav"], notes), "the label files", notes)
    names = rows["id"].str.extract(r"(?P<school>[^_]+)_(?P<child>[^_]+)")
    where = "the schools that names in the label files start with"
    columns = {"2": f"{TASK}fau-aibo-2"} | {there[0]: "label"}
    return rows.rename(columns=columns).assign(
        corpus=f"fau-aibo-{there[0]}",
        split=base.mapped(names["school"], SCHOOLS, rows["id"], where),
        speaker=names["school"] + "-" + names["child"],
    )


def _labels(path: Path, name: str, notes: list[str]) -> pd.Series:
    """Classes by utterance, from one label file."""
    rows = base.table(path, ["id", "class", "confidence"], notes, sep=r"\s+", header=False)
    rows["id"] = rows["id"].str.split(".").str[0]
    twice = rows["id"][rows["id"].duplicated()]
    if len(twice):
        msg = f"{len(twice)} utterances are named twice in {path.name}: {base.first(twice)}."
        raise ValueError(f"{msg} Keep one line of each.")
    words = base.mapped(rows["class"], CLASSES[name], rows["id"], path.name)
    return words.set_axis(rows["id"].to_numpy()).rename(name)
