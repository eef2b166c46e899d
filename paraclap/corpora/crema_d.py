"""CREMA-D: 91 actors say twelve sentences in six emotions.

The name of a file says actor, sentence, emotion and level: `AudioWAV/1001_DFA_ANG_XX.wav`. The
labels are the emotions that were *meant*; what listeners heard often differs. Gender comes from
`VideoDemographics.csv`. No split is published. One file is published without sound; it stays in
the table, and the steps that read audio report it.

Source: Cao et al. 2014, and the files' own documentation.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from paraclap.corpora import disk
from paraclap.corpora.corpus import Corpus

EMOTIONS = {
    "ANG": "anger", "DIS": "disgust", "FEA": "fear",
    "HAP": "happiness", "NEU": "neutral", "SAD": "sadness",
}  # fmt: skip
PEOPLE = "VideoDemographics.csv"
SILENT = "1076_mti_sad_xx"
_FORM = "1001_DFA_ANG_XX.wav"
_NAME = re.compile(r"(?P<actor>\d{4})_(?P<sentence>[a-z]{3})_(?P<code>[a-z]+)_(?P<level>\w+)")
_WAV = "[0-9]*_*_*_*.[wW][aA][vV]"


def _rows(home: Path, notes: list[str]) -> pd.DataFrame:
    folder = home / "AudioWAV" if (home / "AudioWAV").is_dir() else home
    files = disk.audio([folder])
    rows = disk.parsed(files, _NAME, _FORM, notes)
    if SILENT in files:
        notes.append(f"{files[SILENT].name} is published without sound: kept, and of no use.")
    codes = rows["code"].str.upper()
    emotions = disk.mapped(codes, EMOTIONS, rows["id"], "the file names of CREMA-D")
    return rows[["id", "file"]].assign(
        emotion=emotions, speaker=rows["actor"], gender=_genders(home, rows["actor"], notes)
    )


def _genders(home: Path, actors: pd.Series, notes: list[str]) -> pd.Series:
    if not (home / PEOPLE).is_file():
        notes.append(f"{PEOPLE} is not there: gender is not known.")
        return pd.Series(None, actors.index, dtype="object")
    people = disk.table(home / PEOPLE, ["ActorID", "Sex"], notes)
    people = people.drop_duplicates("ActorID").set_index("ActorID")
    genders = actors.map(people["Sex"])
    if genders.isna().any():
        absent = sorted(actors[genders.isna()].unique())
        notes.append(f"Gender of {len(absent)} actors is not in {PEOPLE}: {disk.listed(absent)}.")
    return genders


CORPUS = Corpus(
    name="crema-d",
    title="CREMA-D (Crowd-sourced Emotional Multimodal Actors Dataset)",
    language="en",
    licence="Open Database License 1.0",
    url="https://github.com/CheyneyComputerScience/CREMA-D",
    reference="cao2014cremad",
    layout=f"AudioWAV/ with files such as {_FORM}, and beside it {PEOPLE} for gender",
    key=(f"AudioWAV/{_WAV}|{_WAV}",),
    classes=tuple(EMOTIONS.values()),
    rows=_rows,
)
