"""Open databases fetched by name with audb: their emotion tables, and the files that these name.

audb looks in its repositories (by default a public one of audEERING), converts audio to mono at
16 kHz and keeps it in its cache, so a second run needs no network. Databases in :data:`PINNED` have
the version and the tables named there. Their splits are audEERING's, by speaker; the authors of the
corpora have published none (``attrs["unofficial_split"]``). Of other databases the latest version
and all tables with a column ``emotion`` are taken. Chapter 1.

Source: https://audeering.github.io/audb, https://audeering.github.io/datasets
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import audb
import audformat

from paraclap import audio
from paraclap.corpora import database
from paraclap.tables import did_you_mean

PINNED = {  # version, emotion tables; speakers are in the table "files"
    "crema-d": ("1.3.0", [f"emotion.categories.desired.{s}" for s in ("train", "dev", "test")]),
    "emodb": ("1.4.1", [f"emotion.categories.{s}.gold_standard" for s in ("train", "test")]),
    "ravdess": ("1.1.3", [f"emotion.speech.{s}" for s in ("train", "dev", "test")]),
}


def load(name: str, version: str = "") -> database.Found:
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
    with _explained(name, version):
        if not version:
            version = PINNED[name][0] if name in PINNED else audb.latest_version(name)
        header = audb.info.header(name, version=version, load_tables=False)
    emotions, speakers = _tables(header, name, version, notes)
    wanted: dict[str, Any] = {"version": version, "tables": [*emotions, *speakers]}
    wanted |= {"num_workers": 8, "verbose": False}
    form = {"sampling_rate": audio.SAMPLING_RATE, "mixdown": True, "format": "wav"}
    with _explained(name, version):
        bare = audb.load(name, only_metadata=True, full_path=False, **wanted)
        media = sorted({file for table in emotions for file in bare[table].files})
        found = audb.load(name, media=media, **form, **wanted)
    table, _, more = database.read(found, Path(), wanted["tables"], {})
    table["corpus"] = name
    if "speaker" in table:
        table["speaker"] = name + "-" + table["speaker"].astype("str")
    if name in PINNED:
        table.attrs["unofficial_split"] = True
        notes.append("The split by speaker is audEERING's: the authors have published none.")
    licence = f"licence: {found.license or 'not given'}, use: {found.usage}"
    return table, name, [f"Version {version} from audb, {licence}.", *notes, *more]


def _tables(
    header: audformat.Database, name: str, version: str, notes: list[str]
) -> tuple[list[str], list[str]]:
    """Names of the tables with emotions, and of the one with speakers, if they name none."""
    if name in PINNED and {*PINNED[name][1], "files"} <= set(header.tables):
        return PINNED[name][1], ["files"]
    columns = {table: set(header[table].columns) for table in header.tables}
    emotions = [table for table in columns if "emotion" in columns[table]]
    if not emotions:
        raise ValueError(
            f"No table of {name} {version} from audb has a column 'emotion', its columns are "
            f"{sorted(set().union(*columns.values()))[:20]}: take another database, or save this "
            "one with audb.load_to and give its folder as corpus, with names of columns."
        )
    notes.append(f"Tables of {name} {version} that are used: {', '.join(emotions)}. Where they ")
    notes[-1] += "differ the first one counts."
    if all("speaker" in columns[table] for table in emotions):
        return emotions, []
    people = [table for table in columns if "speaker" in columns[table] and table not in emotions]
    # A table of a split knows the speakers of that split alone.
    return emotions, [table for table in people if database.split_of(header, table) is None][:1]


@contextlib.contextmanager
def _explained(name: str, version: str) -> Iterator[None]:
    """Errors of audb as ours, which say what was asked of which repositories, and what to do."""
    try:
        yield
    except RuntimeError as error:  # not there, or no repository can be reached
        versions = list(audb.versions(name))
        places = [f"{r.name} ({Path(r.host).name})" for r in audb.config.REPOSITORIES]
        msg = (
            f"No database {name!r} in version {version or 'any'!r} in audb's repositories {places}"
        )
        if versions:
            msg += f", versions there: {versions[-20:]}. Name one: audb:{name}@{versions[-1]}."
            raise FileNotFoundError(msg + did_you_mean(version, versions)) from error
        raise FileNotFoundError(
            f"{msg}. Is the name right (pinned are {sorted(PINNED)}), and is there a network? "
            "Other repositories are named in ~/.config/audb.yaml; a cache filled on another "
            "machine is found by AUDB_CACHE_ROOT."
        ) from error
    except Exception as error:  # of the network, the disk, the decoders
        cause = getattr(error, "exception", error)
        reason = (str(cause).splitlines() or [""])[0][:120]
        raise OSError(
            f"Cannot fetch {name} {version} with audb ({type(cause).__name__}: {reason}): is there "
            "a network, and room in the cache (AUDB_CACHE_ROOT)? What has arrived is kept: run "
            "again."
        ) from error
