"""FAU Aibo, ALC, SLD: as the Interspeech challenges of 2009, 2011 and 2012 have given them away.

Their splits are those of the challenges. Names of classes are those of the paper.

Sources: Steidl 2009; Schiel et al. 2012; Burkhardt et al. 2011; section 3.3 of the paper.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from paraclap.corpora.labels import TASK
from paraclap.corpora.paper import base

FAU_AIBO = {
    "5": {"A": "anger", "E": "emphatic", "N": "neutral", "P": "positive", "R": "rest"},
    "2": {"NEG": "negative", "IDL": "non-negative"},
}
ALC = {"AL": "intoxicated", "NAL": "sober"}
SLD = {"L": "likable", "NL": "non-likable"}


def fau_aibo(home: Path, notes: list[str]) -> pd.DataFrame:
    """Children speak to a robot dog that does not always obey; two tasks on one audio.

    ``labels/IS2009EmotionChallenge/chunk_labels_{2cl,5cl}_corpus.txt`` have a line per utterance:
    name, class and confidence. The first part of a name is the school, Ohm for training and Mont
    for testing; the second is the child. With both files the label is that of five classes, and
    the column ``task:fau-aibo-2`` has that of two. The released code says motherese for positive.
    """
    folder = home / "labels" / "IS2009EmotionChallenge"
    files = {number: folder / f"chunk_labels_{number}cl_corpus.txt" for number in FAU_AIBO}
    parts = [_aibo_labels(path, number) for number, path in files.items() if path.is_file()]
    rows = pd.concat(parts, axis=1).reset_index(names="id")
    rows = base.matched(rows, base.audio([home / "wav"], notes), "the label files", notes)
    names = rows["id"].str.extract(r"(?P<school>[^_]+)_(?P<child>[^_]+)")
    schools, where = {"Ohm": "train", "Mont": "test"}, "the schools of the label files"
    main = str(parts[0].name)
    return rows.rename(columns={"2": f"{TASK}fau-aibo-2"} | {main: "label"}).assign(
        corpus=f"fau-aibo-{main}",
        split=base.mapped(names["school"], schools, rows["id"], where),
        speaker=names["school"] + "-" + names["child"],
    )


def _aibo_labels(path: Path, number: str) -> pd.Series:
    """Classes by utterance, from one label file."""
    lines = [line.split() for line in path.read_text("latin-1").splitlines() if line.strip()]
    rows = pd.DataFrame([(line[0].split(".")[0], line[-2]) for line in lines if len(line) == 3])
    rows = rows.reindex(columns=[0, 1]).drop_duplicates()
    words = base.mapped(rows[1], FAU_AIBO[number], rows[0], path.name)
    return words.set_axis(rows[0].to_numpy()).rename(number)


def alc(home: Path, notes: list[str]) -> pd.DataFrame:
    """The same people sober and after drinking.

    ``ALC.csv`` has a row per file with its class, AL or NAL. The files for testing lie in
    ``DIST/TEST``; others are taken where ``DIST/TRAIN`` or ``DIST/DEVEL`` is there. Columns
    `speaker` and `gender` are used if the table has them; without speakers each file counts as one.
    """
    rows = base.table(home / "ALC.csv", ["file", "challenge_class"]).rename(columns={"file": "id"})
    rows["label"] = base.mapped(rows["challenge_class"], ALC, rows["id"], "ALC.csv")
    folders = {"TRAIN": "train", "DEVEL": "dev", "TEST": "test"}
    files = base.audio([home / "DIST" / name for name in folders], notes)
    rows = base.matched(rows, files, "ALC.csv", notes)
    rows["split"] = [folders[file.relative_to(home).parts[1]] for file in rows["file"]]
    if "speaker" not in rows:
        notes.append("No column speaker in ALC.csv: each file counts as one.")
        rows["speaker"] = rows["id"].map(base.key)
    return rows


def sld(home: Path, notes: list[str]) -> pd.DataFrame:
    """Are these telephone voices likable?

    ``LSC_final_geheim.csv``, with semicolons, has a row per file with its class, L or NL. The name
    of a file starts with its split, such as ``devel_…``. Each file has another speaker.
    """
    table = "LSC_final_geheim.csv"
    rows = base.table(home / table, ["file", "likability"]).rename(columns={"file": "id"})
    rows["label"] = base.mapped(rows["likability"], SLD, rows["id"], table)
    rows = base.matched(rows, base.audio([home / "wav"], notes), table, notes)
    rows["speaker"] = rows["id"].map(base.key)
    starts, where = rows["speaker"].str.split("_").str[0], f"what file names in {table} start with"
    splits = {"train": "train", "devel": "dev", "test": "test"}
    rows["split"] = base.mapped(starts, splits, rows["id"], where)
    return rows
