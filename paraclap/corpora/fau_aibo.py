"""FAU Aibo: children speak to a robot dog that does not always obey; two questions, one audio.

`labels/IS2009EmotionChallenge/chunk_labels_{2cl,5cl}_corpus.txt` have a line per utterance: name,
class and confidence. The first part of a name is the school, Ohm to learn from and Mont to test
on; the second is the child. With both files there the label is that of five classes, and the
column `task:fau-aibo-2` has that of two.

The class P is called positive, as in the paper; the released code says motherese.

Source: Steidl 2009; the Interspeech 2009 emotion challenge.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from paraclap.corpora import disk
from paraclap.corpora.corpus import TASK, Corpus

LABELS = "labels/IS2009EmotionChallenge"
CLASSES = {
    "5": {"A": "anger", "E": "emphatic", "N": "neutral", "P": "positive", "R": "rest"},
    "2": {"NEG": "negative", "IDL": "non-negative"},
}
SCHOOLS = {"Ohm": "train", "Mont": "test"}


def _rows(home: Path, notes: list[str]) -> pd.DataFrame:
    files = {number: home / LABELS / f"chunk_labels_{number}cl_corpus.txt" for number in CLASSES}
    there = [number for number, path in files.items() if path.is_file()]
    labels = pd.concat([_labels(files[n], CLASSES[n], n, notes) for n in there], axis=1)
    first = there[0]
    if len(there) == 1:
        lost = next(path.name for number, path in files.items() if number != first)
        notes.append(f"{lost} is not there: only the question of {first} classes is asked.")
    elif labels.isna().any(axis=None):
        alone = labels.index[labels.isna().any(axis=1)]
        notes.append(f"{len(alone):,} utterances are in one label file only: {disk.listed(alone)}.")
    rows = labels.reset_index(names="id")
    rows = disk.matched(rows, disk.audio([home / "wav"]), "the label files", notes)
    names = rows["id"].str.extract(r"(?P<school>[^_]+)_(?P<child>[^_]+)")
    where = "the schools that names in the label files start with"
    columns = {number: f"{TASK}fau-aibo-{number}" for number in there} | {first: "label"}
    return rows.rename(columns=columns).assign(
        corpus=f"fau-aibo-{first}",
        split=disk.mapped(names["school"], SCHOOLS, rows["id"], where),
        speaker=names["school"] + "-" + names["child"],
    )


def _labels(path: Path, classes: dict[str, str], name: str, notes: list[str]) -> pd.Series:
    """Classes by utterance, from one label file."""
    rows = disk.table(path, ["id", "class", "confidence"], notes, sep=r"\s+", header=False)
    rows["id"] = rows["id"].map(lambda written: written.split(".")[0])
    twice = rows["id"][rows["id"].duplicated()]
    if len(twice):
        msg = f"{len(twice)} utterances are named twice in {path.name}: {disk.listed(twice)}."
        raise ValueError(f"{msg} Keep one line of each.")
    words = disk.mapped(rows["class"], classes, rows["id"], path.name)
    return pd.Series(words.to_numpy(), index=rows["id"].to_numpy(), name=name)


CORPUS = Corpus(
    name="fau-aibo",
    title="FAU Aibo Emotion Corpus",
    language="de",
    licence="for research, on request",
    url="https://www5.cs.fau.de/en/our-team/steidl-stefan/fau-aibo-emotion-corpus/",
    reference="steidl2009aibo",
    layout=f"{LABELS}/chunk_labels_2cl_corpus.txt and …_5cl_corpus.txt, and wav/<name>.wav",
    key=(f"{LABELS}/chunk_labels_[25]cl_corpus.txt", "wav"),
    classes=tuple(CLASSES["5"].values()),
    rows=_rows,
)
