"""Small databases in the form of EmoDB, CREMA-D and RAVDESS, published where audb finds them.

Buzzes under the names, versions, tables, columns, schemes and file names of the real databases, see
``data/open_databases.yaml``, in a repository that is a folder.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def clips(name: str, channel: str = "speech") -> pd.DataFrame:
    """Utterances of a database: each speaker in each emotion."""
    form, columns = FORMS[name], ["file", "speaker", "emotion", "split", "gender"]
    rows = [
        (form[channel].format(speaker, code), speaker, emotion, *person)
        for speaker, person in form["speakers"].items()
        for code, emotion in form["emotions"].items()
    ]
    return pd.DataFrame(rows, columns=columns).assign(channel=channel)


def values(row: Mapping[str, Any], utterances: pd.DataFrame) -> pd.DataFrame:
    """Columns of a table; what starts with $ is a value of the utterances."""
    found = {name: utterances.get(str(one).removeprefix("$"), one) for name, one in row.items()}
    return pd.DataFrame(found, utterances.index)


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


def build(name: str, utterances: pd.DataFrame) -> Database:
    """Header and tables of a database."""
    form = FORMS[name]
    found = Database(name, **form["about"])
    for scheme, options in form["schemes"].items():
        found.schemes[scheme] = Scheme(**options)
    people = values(form["person"], utterances.drop_duplicates("speaker").set_index("speaker"))
    labels: Any = people.to_dict("index")
    if form.get("person_table"):
        add_table(found, "speaker", people.index.astype("Int64"), people)
        labels = "speaker"
    found.schemes["speaker"] = Scheme(form["speaker"], labels=labels)
    for table, row in form["tables"].items():
        names = [table.format(**clip) for clip in utterances.to_dict("records")]
        for part, own in utterances.groupby(np.array(names), sort=False):
            split = own["split"].iloc[0] if "{split}" in table else None
            index = audformat.filewise_index(list(own["file"]))
            add_table(found, str(part), index, values(row, own), split)
    return found


def publish(folder: Path) -> audb.Repository:
    """Repository in a folder with the three databases, for ``audb.config.REPOSITORIES``."""
    repository = repository_in(folder)
    for name, form in FORMS.items():
        channels = [clips(name, channel) for channel in ("speech", "song") if channel in form]
        utterances = pd.concat(channels, ignore_index=True)
        root = folder / "sources" / name
        for number, file in enumerate(utterances["file"]):
            layouts.speak(root / file, number, form["rate"])
        if form["rate"] == 48_000:  # one with two channels
            write(root / utterances["file"].iloc[0], np.stack([buzz(), buzz()], axis=1), 48_000)
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
