"""RAVDESS, CREMA-D, TESS: actors say given sentences, and the names of the files have the labels.

None of them has a published split.

Sources: Livingstone and Russo 2018; Cao et al. 2014; Dupuis and Pichora-Fuller 2010.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from paraclap.corpora.paper import base

RAVDESS = {
    "01": "neutral", "02": "calm", "03": "happiness", "04": "sadness",
    "05": "anger", "06": "fear", "07": "disgust", "08": "surprise",
}  # fmt: skip
CREMA_D = {
    "ANG": "anger", "DIS": "disgust", "FEA": "fear",
    "HAP": "happiness", "NEU": "neutral", "SAD": "sadness",
}  # fmt: skip
TESS = {
    "angry": "anger", "disgust": "disgust", "fear": "fear", "happy": "happiness",
    "neutral": "neutral", "ps": "surprise", "sad": "sadness",
}  # fmt: skip
PEOPLE = "VideoDemographics.csv"


def ravdess(home: Path, notes: list[str]) -> pd.DataFrame:
    """24 actors say two sentences in eight emotions; only speech is taken.

    ``03-01-EE-II-SS-RR-AA.wav``: modality (03 audio only), channel (01 speech, 02 song), emotion,
    intensity, statement, repetition, actor. Actors with odd numbers are male.
    """
    name = r"(?P<kind>\d\d-\d\d)-(?P<code>\d\d)(?:-\d\d){3}-(?P<actor>\d\d)"
    rows = base.parsed(base.audio([home], notes), name, "03-01-05-01-02-01-12.wav", notes)
    other = rows["kind"] != "03-01"
    if other.any():
        notes.append(f"{other.sum():,} files of song left out.")
    rows = rows[~other].reset_index(drop=True)
    odd = rows["actor"].astype(int) % 2 == 1
    return rows.assign(
        emotion=base.mapped(rows["code"], RAVDESS, rows["id"], "the file names of RAVDESS"),
        speaker=rows["actor"],
        gender=odd.map({True: "male", False: "female"}),
    )


def crema_d(home: Path, notes: list[str]) -> pd.DataFrame:
    """91 actors say twelve sentences in six emotions.

    ``AudioWAV/1001_DFA_ANG_XX.wav``: actor, sentence, emotion, level. The labels are the intended
    emotions; those that listeners perceived often differ. One file is published without sound.
    """
    files = base.audio([home / "AudioWAV" if (home / "AudioWAV").is_dir() else home], notes)
    name = r"(?P<actor>\d{4})_[a-z]{3}_(?P<code>[a-z]+)_\w+"
    rows = base.parsed(files, name, "1001_DFA_ANG_XX.wav", notes)
    sexes: dict[str, str] = {}
    if (home / PEOPLE).is_file():
        people = base.table(home / PEOPLE, ["ActorID", "Sex"])
        sexes = dict(zip(people["ActorID"], people["Sex"], strict=True))
    if unknown := sorted(set(rows["actor"]) - set(sexes)):
        names = base.first(unknown)
        notes.append(f"Gender of {len(unknown)} actors is not in {PEOPLE}: {names}.")
    codes, where = rows["code"].str.upper(), "the file names of CREMA-D"
    return rows.assign(
        emotion=base.mapped(codes, CREMA_D, rows["id"], where),
        speaker=rows["actor"],
        gender=rows["actor"].map(sexes),
    )


def tess(home: Path, notes: list[str]) -> pd.DataFrame:
    """Two actresses, OAF the older and YAF the younger, say 200 words in seven emotions.

    ``OAF_back_angry.wav``: actress, word, emotion. Copies differ: flat or a folder per emotion,
    names in any case, and one file may be ``OA_bite_neutral.wav``. `ps`, pleasant surprise, is
    taken as surprise.
    """
    name = r"(?P<actress>[oy]a)f?_[^_]+_(?P<code>.+)"
    rows = base.parsed(base.audio([home], notes), name, "OAF_back_angry.wav", notes)
    return rows.assign(
        emotion=base.mapped(rows["code"], TESS, rows["id"], "the file names of TESS"),
        speaker=rows["actress"].str.upper() + "F",
        gender="female",
    )
