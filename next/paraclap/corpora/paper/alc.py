"""ALC: the same people sober and after drinking, in the form of the Interspeech 2011 challenge.

``ALC.csv`` has a row per file with its class, AL or NAL. Files whose names start with TE are for
testing and lie in ``DIST/TEST``; the others are taken where ``DIST/TRAIN`` or ``DIST/DEVEL`` is
there. Columns `speaker` and `gender` are used if the table has them; without speakers each file
counts as one.

Source: Schiel et al. 2012; section 3.3 of the paper.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from paraclap.corpora.paper import base

CLASSES = {"AL": "intoxicated", "NAL": "sober"}
TABLE = "ALC.csv"
FOLDERS = {"TRAIN": "train", "DEVEL": "dev", "TEST": "test"}


def rows(home: Path, notes: list[str]) -> pd.DataFrame:
    """One row per utterance, see :mod:`paraclap.corpora.paper.base`."""
    rows = base.table(home / TABLE, ["file", "challenge_class"], notes)
    rows = rows.rename(columns={"file": "id"})
    rows["label"] = base.mapped(rows["challenge_class"], CLASSES, rows["id"], TABLE)
    if not any((home / "DIST" / name).is_dir() for name in ("TRAIN", "DEVEL")):
        other = ~_is_test(rows)
        notes += [f"Neither DIST/TRAIN nor DIST/DEVEL: {other.sum():,} utterances left out."]
        rows = rows[~other]
    folders = [home / "DIST" / name for name in FOLDERS]
    rows = base.matched(rows, base.audio(folders, notes), TABLE, notes)
    rows["split"] = [FOLDERS[file.relative_to(home).parts[1]] for file in rows["file"]]
    wrong = rows["id"][(rows["split"] == "test") != _is_test(rows)]
    if len(wrong):
        raise ValueError(
            f"{len(wrong)} files lie in another folder than their names say: {base.first(wrong)}. "
            "Expected those that start with TE in DIST/TEST, and no others there."
        )
    if "speaker" not in rows:
        notes.append(f"No column speaker in {TABLE}: each file counts as one.")
        rows["speaker"] = rows["id"].map(base.key)
    return rows


def _is_test(rows: pd.DataFrame) -> pd.Series:
    return rows["id"].fillna("").map(base.key).str.startswith("te")
