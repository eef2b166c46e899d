"""ALC: the same people sober and after drinking, in the form of the Interspeech 2011 challenge.

`ALC.csv` has a row per file with its class, AL or NAL. Files whose names start with TE are for
testing and lie in `DIST/TEST`; the others are taken where `DIST/TRAIN` or `DIST/DEVEL` is there.
Who speaks is not said: each file counts as a speaker, unless the table has a column `speaker`.
A column `gender` is taken, too.

Source: Schiel et al. 2012; section 3.3 of the paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from paraclap.corpora import disk
from paraclap.corpora.corpus import Corpus

CLASSES = {"AL": "intoxicated", "NAL": "sober"}
TABLE = "ALC.csv"
FOLDERS = {"TRAIN": "train", "DEVEL": "dev", "TEST": "test"}
COLUMNS = ("id", "file", "label", "split", "speaker", "gender")


def _rows(home: Path, notes: list[str]) -> pd.DataFrame:
    rows = disk.table(home / TABLE, ["file", "challenge_class"], notes)
    rows = rows.rename(columns={"file": "id"})
    rows["label"] = disk.mapped(rows["challenge_class"], CLASSES, rows["id"], TABLE)
    folders = {home / "DIST" / name: split for name, split in FOLDERS.items()}
    if not any(folder.is_dir() for folder, split in folders.items() if split != "test"):
        rows = _for_testing(rows, notes)
    rows = disk.matched(rows, disk.audio(folders), TABLE, notes)
    rows["split"] = [_split(file, folders) for file in rows["file"]]
    _check_splits(rows)
    if "speaker" not in rows:
        notes.append(f"No column speaker in {TABLE}: each file counts as one.")
        rows["speaker"] = rows["id"].map(disk.key)
    return rows[[name for name in COLUMNS if name in rows]]


def _is_test(ids: pd.Series) -> pd.Series:
    return ids.fillna("").map(disk.key).str.startswith("te")


def _for_testing(rows: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    other = ~_is_test(rows["id"])
    if other.any():
        notes.append(f"Neither DIST/TRAIN nor DIST/DEVEL: {other.sum():,} utterances left out.")
    return rows[~other]


def _split(file: Path, folders: Mapping[Path, str]) -> str:
    return next(folders[folder] for folder in file.parents if folder in folders)


def _check_splits(rows: pd.DataFrame) -> None:
    """Raise an error if a file lies in another folder than its name says."""
    apart = rows["id"][(rows["split"] == "test") != _is_test(rows["id"])]
    if len(apart):
        msg = (
            f"{len(apart)} files lie in another folder than their names say: {disk.listed(apart)}. "
            "Expected those that start with TE in DIST/TEST, and no others there."
        )
        raise ValueError(msg)


CORPUS = Corpus(
    name="alc",
    title="ALC (Alcohol Language Corpus)",
    language="de",
    licence="for research, on request",
    url="https://www.bas.uni-muenchen.de/Bas/BasALCeng.html",
    reference="schiel2012alc",
    layout=f"{TABLE} (file, challenge_class), and DIST/TEST/<file>.wav",
    key=(TABLE, "DIST/TEST"),
    classes=tuple(CLASSES.values()),
    rows=_rows,
)
