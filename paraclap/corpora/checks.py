"""Leaks between splits: are the segments that a model is tested on among those it learns from?

Every corpus is checked when it is loaded. A speaker in two splits is an error; seconds of one file,
or files of one content, are one if they are in train and in another split, else a note. Chapter 1.
"""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap.tables import short_name


class LeakError(ValueError):
    """Test data are among the data to learn from, and which."""


def check_leaks(table: pd.DataFrame, where: str = "the table", *, drawn: bool = False) -> list[str]:
    """Check that no speaker, no second and no content of a file is in two splits; else LeakError.

    Files that are not there are not compared; ``where`` is the name of the table in messages. Where
    splits were ``drawn`` by speaker, only speakers are an error, the rest is in the notes returned.
    """
    splits = table.groupby(["corpus", "speaker"], sort=False)["split"].unique()
    leaks = splits[splits.str.len() > 1].droplevel("corpus")
    if len(leaks):
        first = "; ".join(f"{name} ({', '.join(own)})" for name, own in leaks.head().items())
        got = f"{len(leaks)} of {len(splits)} speakers are in two splits in {where}"
        msg = f"{got} (first: {first}), expected each in one: correct the splits, leave them out "
        msg += "to have them drawn by speaker, or leave the speakers out if they are none."
        raise LeakError(msg)
    rows = table.index.to_frame(index=False).assign(split=table["split"].to_numpy())
    shared = _shared(rows, "train", f"train and in dev or test of {where}")
    if shared and not drawn:
        raise LeakError(" ".join(shared))
    return shared + _shared(rows[rows["split"] != "train"], "dev", f"dev and in test of {where}")


def _shared(rows: pd.DataFrame, split: str, sides: str) -> list[str]:
    """Sentences on seconds and contents that are both in a split and in others."""
    rows = rows.assign(side=rows["split"] == split)
    seconds, copies = _overlapping(rows), _copies(rows)
    found = {
        f"Seconds of {len(seconds)} files are": (seconds, "correct start, end or split"),
        f"{len(copies)} recordings, under two names each, are": (copies, "leave the copies out"),
    }
    form = "{} in {} (first: {}): {}."
    return [form.format(w, sides, "; ".join(n[:5]), r) for w, (n, r) in found.items() if n]


def _overlapping(rows: pd.DataFrame) -> list[str]:
    """Files with segments of both sides that overlap."""
    rows = rows.sort_values("start")
    starts, ends = rows["start"].dt.total_seconds(), rows["end"].dt.total_seconds().fillna(np.inf)
    leaks = pd.Series(False, rows.index)
    for side in (True, False):
        latest = ends.mask(rows["side"] == side, -np.inf).groupby(rows["file"]).cummax()
        leaks |= (rows["side"] == side) & (starts < latest)
    return [short_name(file) for file in rows["file"][leaks].unique()]


def _copies(rows: pd.DataFrame) -> list[str]:
    """Pairs of files of one content: by size, those of one size by their beginning, then whole."""
    rows = rows[rows["end"].notna()].drop_duplicates(["file", "side"])  # others cannot be read
    rows = rows[rows["file"].map(lambda file: Path(file).is_file()).astype(bool)]
    for length in (0, 2**12, -1):
        content = rows["file"].map(lambda file, length=length: _content(Path(file), length))
        rows = rows[(rows.groupby(content)[["side", "file"]].transform("nunique") > 1).all(axis=1)]
    groups = rows.groupby(content, sort=False)["file"].unique()
    return [" and ".join(map(short_name, files[:2])) for files in groups]


def _content(file: Path, length: int) -> str:
    with file.open("rb") as stream:
        start = hashlib.sha256(stream.read(length)).hexdigest()
    return f"{file.stat().st_size} {start}"
