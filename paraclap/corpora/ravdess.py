"""RAVDESS: 24 actors say two sentences in eight emotions.

The name of a file says all: `03-01-EE-II-SS-RR-AA.wav` are modality (03 audio only), channel
(01 speech, 02 song), emotion, intensity, statement, repetition and actor. Only speech without a
picture is taken. Actors with odd numbers are male. No split is published.

Source: Livingstone and Russo 2018, section "Filename convention".
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from paraclap.corpora import disk
from paraclap.corpora.corpus import Corpus

EMOTIONS = {
    "01": "neutral", "02": "calm", "03": "happiness", "04": "sadness",
    "05": "anger", "06": "fear", "07": "disgust", "08": "surprise",
}  # fmt: skip
_FORM = "03-01-05-01-02-01-12.wav"
_NAME = re.compile(r"(?P<modality>\d\d)-(?P<channel>\d\d)-(?P<code>\d\d)(-\d\d){3}-(?P<actor>\d\d)")
_SPEECH = "03-01-*.[wW][aA][vV]"


def _rows(home: Path, notes: list[str]) -> pd.DataFrame:
    # Video is looked at, too, so that what is left out can be counted.
    files = disk.audio([home], (*disk.SUFFIXES, ".mp4"), identity=_stem)
    rows = disk.parsed(files, _NAME, _FORM, notes)
    speech = (rows["modality"] == "03") & (rows["channel"] == "01")
    if not speech.all():
        notes.append(f"{(~speech).sum():,} files of song or with a picture left out.")
    rows = rows[speech].reset_index(drop=True)
    emotions = disk.mapped(rows["code"], EMOTIONS, rows["id"], "the file names of RAVDESS")
    odd = rows["actor"].astype(int) % 2 == 1
    return rows[["id", "file"]].assign(
        emotion=emotions, speaker=rows["actor"], gender=odd.map({True: "male", False: "female"})
    )


def _stem(name: str) -> str:
    return disk.key(name.lower().removesuffix(".mp4"))


CORPUS = Corpus(
    name="ravdess",
    title="RAVDESS (Ryerson Audio-Visual Database of Emotional Speech and Song)",
    language="en",
    licence="CC BY-NC-SA 4.0",
    url="https://zenodo.org/records/1188976",
    reference="livingstone2018ravdess",
    layout=f"files such as {_FORM}, flat or in folders Actor_01 to Actor_24",
    key=("|".join(prefix + _SPEECH for prefix in ("", "*/", "*/*/")),),
    classes=tuple(EMOTIONS.values()),
    rows=_rows,
)
