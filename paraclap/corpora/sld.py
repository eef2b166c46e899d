"""SLD: are these telephone voices likable? In the form of the Interspeech 2012 challenge.

`LSC_final_geheim.csv`, with semicolons, has a row per file with its class, L or NL. The name of a
file starts with its split: `train_…`, `devel_…`, `test_…`. Each utterance is by another speaker.

Source: Burkhardt et al. 2011; section 3.3 of the paper.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from paraclap.corpora import disk
from paraclap.corpora.corpus import Corpus

CLASSES = {"L": "likable", "NL": "non-likable"}
TABLE = "LSC_final_geheim.csv"
SPLITS = {"train": "train", "devel": "dev", "test": "test"}


def _rows(home: Path, notes: list[str]) -> pd.DataFrame:
    rows = disk.table(home / TABLE, ["file", "likability"], notes, sep=";")
    rows = rows.rename(columns={"file": "id"})
    rows["label"] = disk.mapped(rows["likability"], CLASSES, rows["id"], TABLE)
    rows = disk.matched(rows, disk.audio([home / "wav"]), TABLE, notes)
    keys = rows["id"].map(disk.key)
    starts = keys.str.split("_").str[0]
    table = rows[["id", "file", "label"]].assign(
        split=disk.mapped(starts, SPLITS, rows["id"], f"what file names in {TABLE} start with"),
        speaker=keys,
    )
    return table.assign(gender=rows["gender"]) if "gender" in rows else table


CORPUS = Corpus(
    name="sld",
    title="SLD (Speaker Likability Database)",
    language="de",
    licence="for research, from the organisers of the challenge",
    url="http://www.compare.openaudio.eu",
    reference="burkhardt2011sld",
    layout=f"{TABLE} (file; likability), and wav/<file>",
    key=(TABLE, "wav"),
    classes=tuple(CLASSES.values()),
    rows=_rows,
)
