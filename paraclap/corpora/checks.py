"""Leaks between splits: are the segments that a model is tested on among those it learns from?

A speaker of a corpus in two splits is an error. Seconds of one file, or files of one content, are
an error if they are in train and in another split, else a note. Every corpus is checked when it is
loaded. Chapter 1.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap.tables import short_name


class LeakError(ValueError):
    """Test data are among the data to learn from, and which."""


def check_leaks(
    labels: pd.DataFrame, where: str = "the labels table", *, drawn: bool = False
) -> list[str]:
    """Check that no speaker, no second and no content of a file is in two splits.

    Args:
        labels: labels table; files that are not there are not compared
        where: its name in messages
        drawn: whether its splits were drawn by speaker: then only speakers are an error

    Returns:
        notes on what is in two splits without being an error

    Raises:
        LeakError: if something must not be in two splits, with the first five offenders
    """
    splits = labels.groupby(["corpus", "speaker"], sort=False)["split"].unique()
    leaks = splits[splits.str.len() > 1].droplevel("corpus")
    if len(leaks):
        first = "; ".join(f"{name} ({', '.join(own)})" for name, own in leaks.head().items())
        raise LeakError(
            f"{len(leaks)} of {len(splits)} speakers are in two splits in {where} (first: {first}),"
            " expected each in one: correct the splits, leave them out to have them drawn by "
            "speaker, or leave the speakers out if they are none."
        )
    rows = labels.index.to_frame(index=False).assign(split=labels["split"].to_numpy())
    learned, held_out = rows["split"] == "train", rows[rows["split"] != "train"]
    shared = _shared(rows.assign(side=learned), f"train and in dev or test of {where}")
    if shared and not drawn:
        raise LeakError(" ".join(shared))
    side = held_out["split"] == "dev"
    return shared + _shared(held_out.assign(side=side), f"dev and in test of {where}")


def _shared(rows: pd.DataFrame, sides: str) -> list[str]:
    """Sentences on seconds and contents that are on both sides."""
    kinds = {
        "Seconds of {} files": (_overlapping(rows), "correct start, end or split"),
        "{} recordings, under two names each,": (_copies(rows), "leave the copies out"),
    }
    return [
        f"{what.format(len(names))} are in {sides} (first: {'; '.join(names[:5])}): {remedy}."
        for what, (names, remedy) in kinds.items()
        if names
    ]


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
    rows = rows[[Path(file).is_file() for file in rows["file"]]]
    for length in (0, 2**12, -1):
        rows = rows.assign(content=[_content(Path(file), length) for file in rows["file"]])
        same = rows.groupby("content")
        sides, files = (same[name].transform("nunique") for name in ("side", "file"))
        rows = rows[(sides == 2) & (files > 1)]
    groups = rows.groupby("content", sort=False)["file"].unique()
    return [" and ".join(map(short_name, files[:2])) for files in groups]


def _content(file: Path, length: int) -> str:
    with file.open("rb") as stream:
        start = hashlib.sha256(stream.read(length)).hexdigest()
    return f"{file.stat().st_size} {start}"
