"""What the loaders of known corpora do on disk: find audio, read label files, bring both together.

An utterance is known by its *key*: the name of its file in lower case, without folder and suffix.
So a label file may name `A.wav`, `a` or `wav/A.WAV` and means the same file. Files whose names
start with a dot (`._a.wav`, `.DS_Store`) are what other systems leave behind: never looked at.
Whatever is left out is said in a note, never filled.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from paraclap.tables import report

SHOWN = 5  # offenders named in a message
SUFFIXES = (".wav", ".sph", ".flac")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def key(name: str) -> str:
    """Key of an utterance, from the name of its file with or without folder and suffix.

    Examples:
        >>> key("wav/Train_001.WAV"), key("train_001")
        ('train_001', 'train_001')
    """
    last = re.split(r"[\\/]", name)[-1].strip().lower()
    return next((last.removesuffix(end) for end in SUFFIXES if last.endswith(end)), last).strip()


def walk(folder: Path) -> Iterator[Path]:
    """All files below a folder, in the order of their paths; links are followed, each once."""
    seen: set[str] = set()
    for here, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (Path(here, name) for name in sorted(files) if not name.startswith("."))


def audio(
    folders: Iterable[Path],
    suffixes: Sequence[str] = SUFFIXES,
    identity: Callable[[str], str] = key,
) -> dict[str, Path]:
    """Audio files below some folders, by key.

    Args:
        folders: where to look
        suffixes: of audio files, in lower case
        identity: name of a file to its key

    Raises:
        ValueError: if two files have one key
    """
    found: dict[str, Path] = {}
    twice: list[tuple[Path, Path]] = []
    for path in (path for folder in folders for path in walk(folder)):
        if path.suffix.lower() not in suffixes:
            continue
        first = found.setdefault(identity(path.name), path)
        if first is not path:
            twice.append((first, path))
    if twice:
        pairs = "; ".join("{!r} and {!r}".format(*_apart(*pair)) for pair in twice[:SHOWN])
        msg = (
            f"Two files for one utterance ({len(twice)} times): {pairs}. Keep one of them, or, "
            "where whole copies lie side by side, give the folder of one copy."
        )
        raise ValueError(msg)
    return found


def _apart(one: Path, other: Path) -> tuple[str, str]:
    """Two paths from where they part, so that copies in two folders are told from each other.

    Examples:
        >>> _apart(Path("/data/new/wav/a.wav"), Path("/data/old/wav/a.wav"))
        ('new/wav/a.wav', 'old/wav/a.wav')
    """
    common = os.path.commonpath([one, other])
    return one.relative_to(common).as_posix(), other.relative_to(common).as_posix()


def tail(path: Path) -> str:
    """Last two parts of a path: messages tell nothing else of this machine."""
    return Path(*path.parts[-2:]).as_posix()


def listed(names: Iterable[object]) -> str:
    """First names of many, for a message.

    Examples:
        >>> listed("abcdefg")
        'a, b, c, d, e, …'
    """
    words = [str(name) for name in names]
    return ", ".join(words[:SHOWN]) + (", …" if len(words) > SHOWN else "")


# --- label files -------------------------------------------------------------------------------


def text(path: Path, notes: list[str]) -> str:
    """Text of a label file in UTF-8 (with or without mark) or, with a note, in Latin-1.

    Raises:
        ValueError: if it is empty or in neither
    """
    if not path.is_file():
        msg = f"{path.name!r} is no file but a folder, a pipe or a link to nothing: copy it again."
        raise ValueError(msg)
    content = path.read_bytes()
    if not content.strip():
        msg = f"{path.name!r} is empty, expected labels: copy it again."
        raise ValueError(msg)
    if b"\0" in content or content.startswith(_UTF16):
        msg = (
            f"{path.name!r} is in neither UTF-8 nor Latin-1 (NUL bytes or the mark of UTF-16 "
            "in it): save it as UTF-8."
        )
        raise ValueError(msg)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        notes.append(f"{path.name} is not in UTF-8: read as Latin-1.")
        return content.decode("latin-1")


def table(
    path: Path,
    columns: Sequence[str],
    notes: list[str],
    sep: str = ",",
    header: bool = True,
) -> pd.DataFrame:
    """Table of a label file, all of it as text, empty cells missing.

    Args:
        path: of the file
        columns: that it must have; their names, in order, when it has no header
        notes: gets what has been decided
        sep: what stands between two cells
        header: whether the first line names the columns

    Raises:
        ValueError: if it cannot be read as a table, or lacks a column
    """
    content = io.StringIO(text(path, notes))
    names = None if header else list(columns)
    try:
        rows = pd.read_csv(
            content, sep=sep, names=names, dtype="str", keep_default_na=False, na_values=[""],
            skipinitialspace=True, on_bad_lines="error",
        )  # fmt: skip
    except (pd.errors.ParserError, csv.Error) as error:
        msg = f"Cannot read {path.name!r} as a table ({error}), expected cells between {sep!r}."
        raise ValueError(msg) from error
    rows.columns = [str(name).strip() for name in rows]
    absent = [name for name in columns if name not in rows]
    if absent or rows.empty or not isinstance(rows.index, pd.RangeIndex):
        msg = (
            f"Bad table {path.name!r}: {len(rows)} rows of {list(rows)[:10]}, expected rows of "
            f"{list(columns)} with {sep!r} between the cells."
        )
        raise ValueError(msg)
    for name in rows.columns:
        rows[name] = rows[name].str.strip()
    return rows


def mapped(
    codes: pd.Series, words: Mapping[str, str], names: Iterable[str], where: str
) -> pd.Series:
    """Codes of a corpus as words.

    Args:
        codes: one per utterance
        words: code to word
        names: of the utterances, for messages
        where: file that the codes come from

    Raises:
        ValueError: if a code has no word
    """
    named = codes.to_frame("label").set_axis(pd.MultiIndex.from_arrays([list(names)]))
    expected = f"one of {list(words)}: correct it there"
    report(named, ~named["label"].isin(list(words)), "label", where, expected)
    return codes.map(dict(words)).astype("str")


# --- labels and audio --------------------------------------------------------------------------


def matched(
    rows: pd.DataFrame, files: Mapping[str, Path], where: str, notes: list[str]
) -> pd.DataFrame:
    """Utterances that have an audio file, with a column `file`; the others are said in a note.

    Args:
        rows: with a column `id`, the name of an utterance
        files: audio by key, see :func:`audio`
        where: file that names the utterances
        notes: gets what has been left out

    Raises:
        ValueError: if an utterance is named twice, or not at all
    """
    bare = rows["id"].isna()
    if bare.any():
        msg = f"{bare.sum()} rows of {where} name no utterance, expected a file name in each."
        raise ValueError(msg)
    keys = rows["id"].map(key)
    twice = rows["id"][keys.duplicated()]
    if len(twice):
        msg = (
            f"{len(twice)} utterances are named twice in {where}: {listed(twice)}. Keep one row "
            "of each."
        )
        raise ValueError(msg)
    lost = ~keys.isin(list(files))
    if lost.any():
        names = listed(rows["id"][lost])
        notes.append(f"No audio for {lost.sum():,} utterances of {where}, left out: {names}.")
    labelled = set(keys)
    more = [path.name for name, path in files.items() if name not in labelled]
    if more:
        notes.append(f"No label in {where} for {len(more):,} audio files: {listed(more)}.")
    return rows.assign(file=keys.map(dict(files)))[~lost].reset_index(drop=True)


def parsed(
    files: Mapping[str, Path], pattern: re.Pattern[str], form: str, notes: list[str]
) -> pd.DataFrame:
    """Files and what their names say, one column per group; other names are said in a note.

    Args:
        files: audio by key
        pattern: that a whole key has to match, with a named group per column
        form: how names should look
        notes: gets what has been left out
    """
    matches = {name: pattern.fullmatch(name) for name in files}
    other = [files[name].name for name, match in matches.items() if match is None]
    if other:
        notes.append(
            f"{len(other):,} audio files not named as {form} have no label, left out: "
            f"{listed(other)}."
        )
    said = [
        {"id": files[name].name, "file": files[name], **match.groupdict()}
        for name, match in matches.items()
        if match
    ]
    return pd.DataFrame(said, columns=["id", "file", *pattern.groupindex], dtype="object")
