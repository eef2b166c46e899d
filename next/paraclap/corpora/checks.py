"""Leaks between splits: are the segments that a model is tested on among those it learns from?

An error is a speaker of a corpus in two splits, a second of one file in two splits, or a file of
one split that is in another under a second name (identical by content). Dev counts as learned from,
since it chooses the epoch. :func:`paraclap.corpora.load` checks every corpus. Chapter 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from paraclap.tables import short_name


class LeakError(ValueError):
    """Test data are among the data to learn from, and which."""


def check_leaks(labels: pd.DataFrame, where: str = "the labels table") -> None:
    """Check that no speaker, no second and no content of a file is in two splits.

    Args:
        labels: labels table of all corpora of a run; files that are not there are not compared
        where: its name in messages

    Raises:
        LeakError: if one is
    """
    _check_speakers(labels, where)
    _check_seconds(labels)
    _check_copies(labels)


def _check_speakers(labels: pd.DataFrame, where: str) -> None:
    splits = labels.groupby(["corpus", "speaker"], sort=False)["split"].unique()
    leaks = splits[splits.str.len() > 1].droplevel("corpus")
    if len(leaks):
        first = "; ".join(f"{name} ({', '.join(own)})" for name, own in leaks.head().items())
        raise LeakError(
            f"{len(leaks)} of {len(splits)} speakers are in two splits in {where} (first: {first}),"
            " expected each in one: correct the splits, leave them out to have them drawn by "
            "speaker, or leave the speakers out if they are none."
        )


def _check_seconds(labels: pd.DataFrame) -> None:
    rows = labels.index.to_frame(index=False).assign(split=labels["split"].to_numpy())
    rows = rows[rows.groupby("file")["split"].transform("nunique") > 1].sort_values("start")
    leaks = [str(file) for file, segments in rows.groupby("file") if _overlap(segments)]
    if leaks:
        raise LeakError(
            f"Seconds of {len(leaks)} files are in two splits (first: "
            f"{', '.join(map(short_name, leaks[:5]))}), expected each second in one: correct start "
            "and end, or give a column split that has each file in one."
        )


def _overlap(segments: pd.DataFrame) -> bool:
    """Whether segments of one file, sorted by start, overlap across splits."""
    latest: dict[str, pd.Timedelta] = {}
    ends = segments["end"].fillna(pd.Timedelta.max)
    for start, end, split in zip(segments["start"], ends, segments["split"], strict=True):
        if any(start < last for other, last in latest.items() if other != split):
            return True
        latest[split] = max(end, latest.get(split, end))
    return False


def _check_copies(labels: pd.DataFrame) -> None:
    """Compare files by size, those of equal size by their beginning, then as a whole."""
    splits: dict[str, set[str]] = {}
    for (file, _, end), split in zip(labels.index, labels["split"], strict=True):
        if not pd.isna(end):  # else it cannot be read
            splits.setdefault(file, set()).add(split)
    groups = [[file for file in splits if Path(file).is_file()]]
    for size in (0, 2**12, None):
        groups = [same for group in groups for same in _equal(group, size, splits)]
    if groups:
        pairs = [" and ".join(map(short_name, group[:2])) for group in groups[:5]]
        raise LeakError(
            f"{len(groups)} files are in two splits, identical under other names (first: "
            f"{'; '.join(pairs)}), expected each recording in one: leave the copies out."
        )


def _equal(files: Iterable[str], size: int | None, splits: dict[str, set[str]]) -> list[list[str]]:
    """Files of one length and equal first bytes, in groups of more than one split."""
    groups: dict[tuple[int, bytes], list[str]] = {}
    for file in map(Path, files):
        with file.open("rb") as stream:
            content = hashlib.sha256(stream.read(size)).digest() if size != 0 else b""
        groups.setdefault((file.stat().st_size, content), []).append(str(file))
    several = [same for same in groups.values() if len(same) > 1]
    return [same for same in several if len(set().union(*(splits[file] for file in same))) > 1]
