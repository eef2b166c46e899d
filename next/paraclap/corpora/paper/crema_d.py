"""CREMA-D: 91 actors say twelve sentences in six emotions.

The name of a file gives actor, sentence, emotion and level: ``AudioWAV/1001_DFA_ANG_XX.wav``. The
labels are the intended emotions; those that listeners perceived often differ. Gender comes from
``VideoDemographics.csv``. No split is published. One file is published without sound; it stays in
the table, and the steps that read audio report it.

Source: Cao et al. 2014, and the files' own documentation.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from paraclap.corpora.paper import base

EMOTIONS = {
    "ANG": "anger", "DIS": "disgust", "FEA": "fear",
    "HAP": "happiness", "NEU": "neutral", "SAD": "sadness",
}  # fmt: skip
PEOPLE = "VideoDemographics.csv"
SILENT = "1076_mti_sad_xx"
_NAME = r"(?P<actor>\d{4})_[a-z]{3}_(?P<code>[a-z]+)_\w+"


def rows(home: Path, notes: list[str]) -> pd.DataFrame:
    """One row per utterance, see :mod:`paraclap.corpora.paper.base`."""
    folder = home / "AudioWAV" if (home / "AudioWAV").is_dir() else home
    files = base.audio([folder], notes)
    rows = base.parsed(files, _NAME, "1001_DFA_ANG_XX.wav", notes)
    if SILENT in files:
        notes.append(f"{files[SILENT].name} is published without sound: kept, and of no use.")
    codes, where = rows["code"].str.upper(), "the file names of CREMA-D"
    return rows.assign(
        emotion=base.mapped(codes, EMOTIONS, rows["id"], where),
        speaker=rows["actor"],
        gender=_genders(home, rows["actor"], notes),
    )


def _genders(home: Path, actors: pd.Series, notes: list[str]) -> pd.Series:
    if not (home / PEOPLE).is_file():
        notes.append(f"{PEOPLE} is not there: gender is unknown.")
        return pd.Series(None, actors.index, dtype="object")
    people = base.table(home / PEOPLE, ["ActorID", "Sex"], notes)
    genders = actors.map(people.drop_duplicates("ActorID").set_index("ActorID")["Sex"])
    absent = sorted(actors[genders.isna()].unique())
    if absent:
        notes.append(f"Gender of {len(absent)} actors is not in {PEOPLE}: {base.first(absent)}.")
    return genders
