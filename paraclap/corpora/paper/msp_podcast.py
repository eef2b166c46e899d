"""MSP-Podcast: spontaneous speech from podcasts, the training corpus of the paper.

``Labels/labels_consensus.csv`` (in releases up to 1.8 ``labels_concensus.csv``) has a row per file
with the class, the mean ratings (1 to 7), the speaker, and the published split. Utterances whose
raters do not agree get the class `no_agreement`, those of another emotion `other`. The labels of
the third test set are hidden; it is left out. The published count is the paper's: utterances for
training in release 1.9, those without agreement included. Other releases have other numbers.

Source: Lotfian and Busso 2019; section 3.1 of the paper.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from paraclap.corpora.paper import base
from paraclap.tables import report_rows

EMOTIONS = {
    "A": "anger", "S": "sadness", "H": "happiness", "U": "surprise", "F": "fear",
    "D": "disgust", "C": "contempt", "N": "neutral", "O": "other", "X": "no_agreement",
}  # fmt: skip
SPLITS = {
    "train": "train", "development": "dev", "validation": "dev", "test1": "test", "test2": "test",
}  # fmt: skip
RATINGS = {"EmoAct": "arousal", "EmoVal": "valence", "EmoDom": "dominance"}
_COLUMNS = ("FileName", "EmoClass", *RATINGS, "SpkrID", "Gender", "Split_Set")


def msp_podcast(home: Path, notes: list[str]) -> pd.DataFrame:
    """One row per utterance with labels."""
    path = max(home.glob("Labels/labels_con[sc]ensus.csv"))
    rows = base.table(path, _COLUMNS).rename(columns={"FileName": "id"})
    rows = base.matched(
        rows, base.audio([home / "Audios", home / "Audio"], notes), path.name, notes
    )
    hidden = rows["Split_Set"].str.lower() == "test3"
    if hidden.any():
        notes.append(f"{hidden.sum():,} utterances of Test3 left out: their labels are hidden.")
    rows = rows[~hidden].reset_index(drop=True)
    sets, where = rows["Split_Set"].str.lower(), f"Split_Set of {path.name}"
    return rows.assign(
        **{ours: _ratings(rows, theirs, path.name) for theirs, ours in RATINGS.items()},
        emotion=base.mapped(rows["EmoClass"], EMOTIONS, rows["id"], path.name),
        split=base.mapped(sets, SPLITS, rows["id"], where),
        speaker=rows["SpkrID"].mask(rows["SpkrID"].str.lower() == "unknown"),
        gender=rows["Gender"],
    )


def _ratings(rows: pd.DataFrame, column: str, where: str) -> pd.Series:
    values = pd.to_numeric(rows[column], errors="coerce")
    bad = rows[column].notna() & ~values.between(1, 7)
    named = rows.set_index(pd.MultiIndex.from_arrays([rows["id"]]))
    report_rows(named, bad, column, where, "ratings from 1 to 7: correct it there")
    return values
