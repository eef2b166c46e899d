"""RAVDESS: 24 actors say two sentences in eight emotions.

The name of a file has the labels: ``03-01-EE-II-SS-RR-AA.wav`` are modality (03 audio only),
channel (01 speech, 02 song), emotion, intensity, statement, repetition and actor. Only speech
without a picture is taken. Actors with odd numbers are male. No split is published.

Source: Livingstone and Russo 2018, section "Filename convention".
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from paraclap.corpora.paper import base

EMOTIONS = {
    "01": "neutral", "02": "calm", "03": "happiness", "04": "sadness",
    "05": "anger", "06": "fear", "07": "disgust", "08": "surprise",
}  # fmt: skip
_NAME = r"(?P<kind>\d\d-\d\d)-(?P<code>\d\d)(?:-\d\d){3}-(?P<actor>\d\d)"


def rows(home: Path, notes: list[str]) -> pd.DataFrame:
    """One row per utterance, see :mod:`paraclap.corpora.paper.base`."""
    suffixes = (*base.SUFFIXES, ".mp4")  # video is counted among what is left out
    files = base.audio([home], notes, suffixes, lambda name: base.key(name).removesuffix(".mp4"))
    rows = base.parsed(files, _NAME, "03-01-05-01-02-01-12.wav", notes)
    other = rows["kind"] != "03-01"
    if other.any():
        notes.append(f"{other.sum():,} files of song or with a picture left out.")
    rows = rows[~other].reset_index(drop=True)
    odd = rows["actor"].astype(int) % 2 == 1
    return rows.assign(
        emotion=base.mapped(rows["code"], EMOTIONS, rows["id"], "the file names of RAVDESS"),
        speaker=rows["actor"],
        gender=odd.map({True: "male", False: "female"}),
    )
