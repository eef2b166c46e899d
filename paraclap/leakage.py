"""Has a model met what it is asked about? Leaks between splits, found before they make a number.

What is learned from (train, and dev, which chooses the epoch) and what is tested on must not be
the same voices. Four ways in which they may be, each an error with counts:

- a speaker of a corpus is in two splits;
- two splits share seconds of one file;
- a file of one split is there again in another, under another name: the same bytes;
- the edges of low and high were fitted on other segments than those to learn from.

Conventions: labels tables as in `tables`. Files that are not on this machine are not looked into;
what they hold was compared where they were. Copies are looked for among files of the same size,
first by their beginning, then by all of their bytes, so that few are read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from paraclap.tables import INDEX, fingerprint

SHOWN = 5  # offenders named
HEAD = 2**16  # bytes by which files of one size are told apart at first


class LeakError(ValueError):
    """What is tested on was learned from, and where."""


def check(labels: pd.DataFrame) -> None:
    """Look for speakers, seconds and files that are in two splits.

    Args:
        labels: labels table of all corpora of a run

    Raises:
        LeakError: if there are some
    """
    check_speakers(labels)
    check_seconds(labels)
    check_copies(labels)


def check_speakers(labels: pd.DataFrame, where: str = "the labels table") -> None:
    """Look for speakers who are in two splits of a corpus.

    Args:
        labels: labels table
        where: its name in messages

    Raises:
        LeakError: if there are some
    """
    splits = labels.groupby(["corpus", "speaker"], sort=False)["split"].unique()
    leaks = splits[splits.str.len() > 1]
    if len(leaks):
        names = leaks.index.get_level_values("speaker")[:SHOWN]
        first = [f"{name} ({', '.join(own)})" for name, own in zip(names, leaks, strict=False)]
        raise LeakError(
            f"{len(leaks)} of {len(splits)} speakers are in two splits in {where} (first: "
            f"{'; '.join(first)}), expected each in one: correct the splits, leave them out to "
            "have them drawn by speaker, or leave the speakers out if they are none."
        )


def check_seconds(labels: pd.DataFrame) -> None:
    """Look for segments of one file that overlap and are in two splits.

    Args:
        labels: labels table

    Raises:
        LeakError: if there are some
    """
    rows = labels.index.to_frame(index=False).assign(split=labels["split"].to_numpy())
    by_file = rows.groupby("file")["split"].nunique()
    rows = rows[rows["file"].isin(by_file.index[by_file > 1])]
    leaks = [file for file, own in rows.groupby("file", sort=False) if _overlaps(own)]
    if leaks:
        raise LeakError(
            f"Seconds of {len(leaks)} files are in two splits (first: {_names(leaks)}), expected "
            "each second in one: correct the splits, or start and end."
        )


def _overlaps(rows: pd.DataFrame) -> bool:
    """Whether two segments of a file that are in two splits overlap."""
    rows = rows.sort_values("start")
    ends = rows["end"].fillna(pd.Timedelta.max)
    latest: dict[str, pd.Timedelta] = {}
    for start, end, split in zip(rows["start"], ends, rows["split"], strict=True):
        if any(start < last for other, last in latest.items() if other != split):
            return True
        latest[split] = max(end, latest.get(split, end))
    return False


def check_copies(labels: pd.DataFrame) -> None:
    """Look for files that are in two splits under two names.

    Args:
        labels: labels table

    Raises:
        LeakError: if there are some
    """
    files = labels.index.get_level_values("file")
    splits = pd.Series(labels["split"].to_numpy(), files).groupby(level=0).agg(frozenset)
    groups = [list(splits.index)]
    for told in (_size, _head, _whole):
        groups = [same for group in groups for same in _alike(group, told, splits)]
    if groups:
        pairs = [" and ".join(_names(group[:2])) for group in groups[:SHOWN]]
        raise LeakError(
            f"{len(groups)} files are in two splits, the same bytes under other names (first: "
            f"{'; '.join(pairs)}), expected each recording in one: leave the copies out."
        )


def _alike(files: Iterable[str], told: Any, splits: pd.Series) -> list[list[str]]:
    """Files that are told alike, in groups that reach over two splits."""
    groups: dict[Any, list[str]] = {}
    for file in files:
        if (key := told(Path(file))) is not None:
            groups.setdefault(key, []).append(file)
    return [same for same in groups.values() if len(same) > 1 and _leaks(splits[same])]


def _leaks(splits: Iterable[frozenset[str]]) -> bool:
    """Whether some of several files are in other splits than others."""
    return len(frozenset().union(*splits)) > 1


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except OSError:
        return None


def _head(file: Path) -> bytes | None:
    try:
        with file.open("rb") as stream:
            return stream.read(HEAD)
    except OSError:
        return None


def _whole(file: Path) -> str | None:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def _names(files: Iterable[Any]) -> list[str]:
    """Last two parts of some paths."""
    return ["/".join(Path(str(file)).parts[-2:]) for file in list(files)[:SHOWN]]


# --- edges -------------------------------------------------------------------------------------


def rows_of(index: pd.Index[Any]) -> dict[str, Any]:
    """What edges note of the segments that they were fitted on, in any order.

    Args:
        index: of these segments

    Returns:
        `segments`, how many, and their `fingerprint`
    """
    return {"segments": len(index), "fingerprint": fingerprint(index.sort_values())}


def check_edges(fitted_on: Mapping[str, Any] | None, labels: pd.DataFrame) -> None:
    """Look whether edges were fitted on the training segments and no others.

    Args:
        fitted_on: what the edges note, see `rows_of`; None: they were written before that was
            noted, and a line says that nobody knows
        labels: labels of all segments that have features

    Raises:
        LeakError: if they were fitted on others
    """
    if fitted_on is None:
        print("edges.json does not say which segments it was fitted on: run chapter 3 again.")
        return
    expected = rows_of(labels.index[(labels["split"] == "train").to_numpy()])
    if dict(fitted_on) != expected:
        raise LeakError(
            f"The edges were fitted on {fitted_on.get('segments')} segments, expected the "
            f"{expected['segments']} of train and no others, by {INDEX}: run chapter 3 again."
        )
