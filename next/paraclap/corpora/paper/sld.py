"""SLD: are these telephone voices likable? In the form of the Interspeech 2012 challenge.

``LSC_final_geheim.csv``, with semicolons, has a row per file with its class, L or NL. The name of a
file starts with its split: ``train_…``, ``devel_…``, ``test_…``. Each file has another speaker.

Source: Burkhardt et al. 2011; section 3.3 of the paper.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from paraclap.corpora.paper import base

CLASSES = {"L": "likable", "NL": "non-likable"}
TABLE = "LSC_final_geheim.csv"
SPLITS = {"train": "train", "devel": "dev", "test": "test"}


def rows(home: Path, notes: list[str]) -> pd.DataFrame:
    """One row per utterance, see :mod:`paraclap.corpora.paper.base`."""
    rows = base.table(home / TABLE, ["file", "likability"], notes, sep=";")
    rows = rows.rename(columns={"file": "id"})
    rows["label"] = base.mapped(rows["likability"], CLASSES, rows["id"], TABLE)
    rows = base.matched(rows, base.audio([home / "wav"], notes), TABLE, notes)
    rows["speaker"] = rows["id"].map(base.key)
    starts, where = rows["speaker"].str.split("_").str[0], f"what file names in {TABLE} start with"
    rows["split"] = base.mapped(starts, SPLITS, rows["id"], where)
    return rows
