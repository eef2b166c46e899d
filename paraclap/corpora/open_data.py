"""Open databases of speech, fetched by name: their emotion tables, and the files these speak of.

audb looks for a database in its repositories, by default a public one of audEERING, converts the
audio to mono at 16 kHz, and keeps it in its cache, so that a second run needs no network. Both can
be changed as audb documents: repositories in ``~/.config/audb.yaml``, the cache there or by the
environment variable ``AUDB_CACHE_ROOT``.

Three databases are pinned in :data:`PINNED`. Their splits are audEERING's, by speaker; the authors
of the corpora have published none, so ``table.attrs["unofficial_split"]`` is set, and whoever only
tests on such a corpus may take all of it. Of any other database the latest version is taken unless
one is asked for, and all tables with a column ``emotion``.

Sources: audb, https://audeering.github.io/audb; the databases and what is in their tables,
https://audeering.github.io/datasets
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import audformat
import pandas as pd

from paraclap import audio
from paraclap.corpora import database, labels
from paraclap.provenance import first_line


class Pinned(NamedTuple):
    """A database as it was when this was written: version, emotion tables, table of speakers."""

    version: str
    emotions: tuple[str, ...]
    speakers: str


PINNED = {
    "crema-d": Pinned(
        "1.3.0",
        (
            "emotion.categories.desired.train",
            "emotion.categories.desired.dev",
            "emotion.categories.desired.test",
        ),
        "files",
    ),
    "emodb": Pinned(
        "1.4.1",
        ("emotion.categories.train.gold_standard", "emotion.categories.test.gold_standard"),
        "files",
    ),
    "ravdess": Pinned(
        "1.1.3",
        ("emotion.speech.train", "emotion.speech.dev", "emotion.speech.test"),
        "files",
    ),
}

_WORKERS = 8  # files fetched at a time: they wait for the network, not for a processor


def load(name: str, version: str = "") -> tuple[pd.DataFrame, str, list[str]]:
    """Fetch a database, or take it from audb's cache, and read its emotions.

    Args:
        name: of the database, such as ``emodb``
        version: such as ``1.4.1``; the pinned one, else the latest, when empty

    Returns:
        table on the segmented index with absolute files, name of the database, notes for the user

    Raises:
        FileNotFoundError: if no repository has it, or none can be reached
        OSError: if it cannot be fetched as a whole
        ValueError: if it has no table with a column ``emotion``
    """
    notes: list[str] = []
    version = version or _version(name, notes)
    header = _header(name, version)
    emotions, speakers = _tables(header, name, version, notes)
    found = _fetched(name, version, emotions, speakers)
    notes += _differing(found, emotions)
    table, _, more = database.read(found, Path(), [*emotions, *speakers], {})
    table["corpus"] = name
    if "speaker" in table:
        table["speaker"] = _prefixed(table["speaker"], name)
    if name in PINNED:
        table.attrs["unofficial_split"] = True
        notes.append("The split by speaker is audEERING's: the authors have published none.")
    licence = found.license or "not given"
    terms = f"Version {version} from audb, licence: {licence}, use: {found.usage}."
    return table, name, [terms, *notes, *more]


def _version(name: str, notes: list[str]) -> str:
    if name in PINNED:
        return PINNED[name].version
    known, repositories = _versions(name)
    if not known:
        raise _not_found(name, "", known, repositories)
    notes.append(f"No version of {name} asked for: took {known[-1]}, the latest.")
    return known[-1]


def _header(name: str, version: str) -> audformat.Database:
    """Header of a database: its tables with their columns, no rows."""
    import audb

    try:
        return audb.info.header(name, version=version, load_tables=False)
    except RuntimeError as error:  # audb's word for not there as well as for not reached
        raise _not_found(name, version, *_versions(name)) from error
    except Exception as error:
        raise _broken(name, version, error) from error


def _tables(
    header: audformat.Database, name: str, version: str, notes: list[str]
) -> tuple[list[str], list[str]]:
    """Names of the tables with emotions, and of the one with speakers, if they name none."""
    pinned = PINNED.get(name)
    if pinned and {*pinned.emotions, pinned.speakers} <= set(header.tables):
        return list(pinned.emotions), [pinned.speakers]
    emotions = [table for table in header.tables if "emotion" in header[table].columns]
    if not emotions:
        columns = sorted({str(name) for table in header.tables for name in header[table].columns})
        msg = (
            f"No table of {name} {version} from audb has a column 'emotion', its columns are "
            f"{columns[:20]}: take another database, or save this one with audb.load_to and "
            "give its folder as corpus, with names of columns."
        )
        raise ValueError(msg)
    notes.append(f"Tables of {name} {version} that are used: {', '.join(emotions)}.")
    if all("speaker" in header[table].columns for table in emotions):
        return emotions, []
    people = [
        table
        for table in header.tables
        if "speaker" in header[table].columns and table not in emotions
    ]
    # a table that belongs to a split speaks of that split alone, and of another task's at that
    whole = [table for table in people if database.split_of(header, table) is None]
    return emotions, whole[:1]


def _fetched(
    name: str, version: str, emotions: list[str], speakers: list[str]
) -> audformat.Database:
    """Database with these tables, and on disk the files that the emotion tables name."""
    import audb

    wanted: dict[str, Any] = {"version": version, "num_workers": _WORKERS, "verbose": False}
    wanted["tables"] = [*emotions, *speakers]
    try:
        bare = audb.load(name, only_metadata=True, full_path=False, **wanted)
        return audb.load(
            name,
            media=sorted({file for table in emotions for file in bare[table].files}),
            sampling_rate=audio.SAMPLING_RATE,
            mixdown=True,
            format="wav",
            **wanted,
        )
    except Exception as error:  # whatever the network, the disk and the decoders have to say
        raise _broken(name, version, error) from error


def _differing(found: audformat.Database, emotions: Iterable[str]) -> list[str]:
    """A note if two tables give the same segment different emotions."""
    columns = [found[table]["emotion"].get().astype("str") for table in emotions]
    said = pd.concat([column.rename("emotion").reset_index() for column in columns])
    keys = [column for column in said if column != "emotion"]
    differing = int((said.groupby(keys, dropna=False)["emotion"].nunique() > 1).sum())
    if not differing:
        return []
    return [f"{differing} segments have another emotion in another table: the first one counts."]


def _prefixed(speakers: pd.Series, name: str) -> pd.Series:
    """Speakers unique over corpora; numbers are given the same number of digits.

    Examples:
        >>> list(_prefixed(pd.Series([3, 16]), "emodb"))
        ['emodb-03', 'emodb-16']
    """
    words = speakers.astype("str")
    if words.dropna().str.fullmatch(r"\d+").all():
        words = words.str.zfill(int(words.str.len().max()))
    return name + "-" + words


def _versions(name: str) -> tuple[list[str], list[str]]:
    """Versions in all repositories, and the repositories as text, with what is wrong with them."""
    import audb

    told: list[str] = []
    reached = False
    for repository in audb.config.REPOSITORIES:
        place = f"{repository.name} ({Path(repository.host).name}"
        try:
            with repository.create_backend_interface().backend:
                reached = True
        except Exception as error:  # of the backend, of the network, or an unknown backend
            cause = getattr(error, "exception", error)
            told.append(f"{place}, not reached: {type(cause).__name__})")
        else:
            told.append(f"{place})")
    return (list(audb.versions(name)) if reached else []), told


def _not_found(
    name: str, version: str, known: list[str], repositories: list[str]
) -> FileNotFoundError:
    """Error that says what was asked of whom, and what can be done."""
    asked = f"database {name!r}" + (f" in version {version!r}" if version else "")
    if known:
        hint = labels.nearest(version, known)
        return FileNotFoundError(
            f"No {asked} in audb's repositories {repositories}{hint}, versions there: "
            f"{known[-20:]}. Name one of them: audb:{name}@{known[-1]}."
        )
    return FileNotFoundError(
        f"No {asked} in audb's repositories {repositories}. Is the name right (pinned are "
        f"{sorted(PINNED)}), and is there a network? Other repositories are named in "
        "~/.config/audb.yaml; a cache filled on another machine is found by AUDB_CACHE_ROOT."
    )


def _broken(name: str, version: str, error: Exception) -> OSError:
    cause = getattr(error, "exception", error)
    msg = (
        f"Cannot fetch {name} {version} with audb ({type(cause).__name__}: {first_line(cause)}): "
        "is there a network, and room in the cache (AUDB_CACHE_ROOT)? What has arrived is kept, "
        "so run again."
    )
    return OSError(msg)
