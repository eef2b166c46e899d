"""Small databases in the form of EmoDB, CREMA-D and RAVDESS, published where audb finds them.

Buzzes under the names, versions, tables, columns, schemes and file names of the real databases, see
``data/open_databases.yaml``, in a repository that is a folder.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import audb
import audbackend
import audeer
import audformat
import layouts
import numpy as np
import pandas as pd
import yaml
from audformat import Database, Scheme
from sounds import buzz, write

FORMS = yaml.safe_load((Path(__file__).parent / "data" / "open_databases.yaml").read_text("utf-8"))


class Clip(NamedTuple):
    """An utterance to be."""

    file: str
    speaker: Any
    emotion: str
    split: str
    gender: str
    channel: str

    def values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Values of columns; what starts with $ is a value of this utterance."""
        own = {f"${name}": value for name, value in self._asdict().items()}
        return {column: own.get(value, value) for column, value in row.items()}


def clips(name: str, channel: str = "speech") -> list[Clip]:
    """Utterances of a database: each speaker in each emotion."""
    form = FORMS[name]
    return [
        Clip(form[channel].format(speaker, code), speaker, emotion, split, gender, channel)
        for speaker, (split, gender) in form["speakers"].items()
        for code, emotion in form["emotions"].items()
    ]


def add_table(
    found: Database, name: str, index: pd.Index, columns: Any, split: str | None = None
) -> None:
    """Add a table; each column has the scheme of its name, made of words if there is none."""
    if split and split not in found.splits:
        found.splits[split] = audformat.Split(type=split)
    misc = index.name == "speaker"
    found[name] = audformat.MiscTable(index) if misc else audformat.Table(index, split_id=split)
    for column, values in columns.items():
        if column not in found.schemes:
            found.schemes[column] = Scheme("str")
        found[name][column] = audformat.Column(scheme_id=column)
        found[name][column].set(values)


def build(name: str, utterances: Sequence[Clip]) -> Database:
    """Header and tables of a database."""
    form = FORMS[name]
    found = Database(name, **form["about"])
    for scheme, options in form["schemes"].items():
        found.schemes[scheme] = Scheme(**options)
    people: Any = {clip.speaker: clip.values(form["person"]) for clip in utterances}
    if form.get("person_table"):
        table = pd.DataFrame.from_dict(people, "index")
        add_table(found, "speaker", table.index.astype("Int64").rename("speaker"), table)
        people = "speaker"
    found.schemes["speaker"] = Scheme(form["speaker"], labels=people)
    for table, row in form["tables"].items():
        parts: dict[str, list[Clip]] = {}
        for clip in utterances:
            parts.setdefault(table.format(**clip._asdict()), []).append(clip)
        for part, own in parts.items():
            index = audformat.filewise_index([clip.file for clip in own])
            columns = pd.DataFrame([clip.values(row) for clip in own])
            add_table(found, part, index, columns, own[0].split if "{split}" in table else None)
    return found


def publish(folder: Path) -> audb.Repository:
    """Repository in a folder with the three databases, for ``audb.config.REPOSITORIES``."""
    repository = repository_in(folder)
    for name, form in FORMS.items():
        utterances = [*clips(name), *(clips(name, "song") if "song" in form else [])]
        root = folder / "sources" / name
        for number, clip in enumerate(utterances):
            layouts.speak(root / clip.file, number, form["rate"])
        if form["rate"] == 48_000:  # one with two channels
            write(root / utterances[0].file, np.stack([buzz(), buzz()], axis=1), 48_000)
        publish_one(build(name, utterances), root, form["version"], repository)
    return repository


def repository_in(folder: Path, name: str = "audb-local") -> audb.Repository:
    """An empty repository in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    audbackend.backend.FileSystem.create(str(folder), name)
    return audb.Repository(name, str(folder), "file-system")


def publish_one(found: Database, root: Path, version: str, repository: audb.Repository) -> None:
    """Publish a database whose files lie in a folder."""
    found.save(str(root))
    cache = audeer.mkdir(str(root.parent / "cache"))
    form: dict[str, Any] = {"previous_version": None, "cache_root": cache, "verbose": False}
    audb.publish(str(root), version, repository, **form)
