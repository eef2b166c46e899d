"""What has a run measured? From the tables of its folder to one result.

Each table of `PARTS` gives a score a row and a metric; one that is not there is named in
`missing`, never invented. Tables of other forms are named in `files` with the hash of their
content, so that a figure made from them can be traced.

Conventions: as in `results`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from paraclap import exposure, origin, tables
from paraclap.queries import contrast
from paraclap.results import FLAT, SCHEMA, ZERO_SHOT, Result, check, speech
from paraclap.scores import LEAST_SPEAKERS
from paraclap.settings import Settings
from paraclap.tasks import Tasks, asked, tasks
from paraclap.templates import sentences, unknown_name

# Table → what names its systems (columns), and which columns are scores of what.
PARTS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "scores.csv": ((), {"uar": "uar", "macro_f1": "macro_f1", "accuracy": "accuracy"}),
    "attributes.csv": ((), {"uar": "uar"}),
    "references.csv": ((), {"logistic": "uar", "majority": "uar"}),
    "ablation.csv": (("variant",), {"uar": "uar"}),
    "recipes.csv": (("recipe", "sentences", "seed"), {"uar": "uar"}),
    "systems.csv": (("system",), {"uar": "uar"}),
    "control.csv": (("queries",), {"uar": "uar"}),
}
_SELF_NAMED = ("logistic", "majority")  # columns that are systems of their own
_ENDS = ("low", "high", "female", "male")
_METHOD = {"value": "", "low": "_low", "high": "_high"}  # of a score → end of its column


def collect(
    folder: Path,
    seed: int = 0,
    template: str = "speaker is {}",
    candidates: str = "own",
    templates: str = "paper",
    device: str = "unknown",
    other_model: str = "",
) -> Result:
    """Everything that a run has measured so far.

    Args:
        folder: of the run, with at least labels, queries, settings, model and `scores.csv`
        seed: of every random draw
        template: sentence that the words of classes were put into
        candidates: which set of words, see `tasks.task_word`
        templates: the set of sentences that training said
        device: what was computed on
        other_model: folder of a model that was asked instead of the run's own; what it was made
            with and what it had met is not known here

    Returns:
        plain values, valid against the schema

    Raises:
        FileNotFoundError: if a file is not there without which nothing can be said
        ValueError: if a table speaks of a task that the labels do not have
    """
    queries = tables.read_table(folder / "queries.parquet")
    labels = tables.read_table(folder / "labels.parquet").loc[queries.index]
    questions = tasks(labels, candidates)
    about = _tasks_asked(labels, questions) | _attributes_asked(labels, queries, templates)
    scores, missing = _scores(folder, about, template)
    settings, known, met = {}, pd.DataFrame(), pd.DataFrame()
    if not other_model:
        settings = tables.read_json(folder / "settings.json")
        known = exposure.of_run(labels, queries, questions, Settings(**settings), templates)
        met = exposure.matrix(labels, known, Settings(**settings))
    found = {
        "schema": SCHEMA,
        "run": folder.name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": origin.commit(),
        "packages": origin.packages(),
        "device": device,
        "seed": seed,
        "speech": speech(labels),
        "model_hash": origin.model_hash(Path(other_model) if other_model else folder / "model"),
        "settings": settings,
        "settings_hash": tables.fingerprint(settings),
        "templates": templates,
        "templates_hash": origin.templates_hash(templates),
        "template": template,
        "candidates": candidates,
        "scores": scores,
        "exposure": _plain(met),
        "words": _plain(known),
        "files": _others(folder),
        "missing": [*missing, *(["exposure"] if other_model else [])],
    }
    return check(found, folder.name)


def _tasks_asked(labels: pd.DataFrame, questions: Tasks) -> dict[str, dict[str, Any]]:
    """What every score of a task has to say beside its value, by the name of the task."""
    voices = asked(labels)
    return {
        task: _about(voices[voices["corpus"] == task], "task", words)
        for task, words in questions.items()
    }


def _attributes_asked(
    labels: pd.DataFrame, queries: pd.DataFrame, templates: str
) -> dict[str, dict[str, Any]]:
    """The same of attributes, which test voices of the training corpora are asked for."""
    learned = labels.loc[labels["split"] == "train", "corpus"].unique()
    own = labels[(labels["split"] == "test") & labels["corpus"].isin(learned)]
    said = {one.attribute for one in sentences(templates)} - {"emotion"}
    found = {}
    for name in [name for name in queries if name in said]:
        ends = queries.loc[own.index, name].isin(_ENDS).to_numpy()
        if ends.any():
            low, high = contrast(name, templates)
            found[name] = _about(own[ends], "attribute", {"low": low, "high": high})
    return found


def _about(voices: pd.DataFrame, kind: str, words: Mapping[str, str]) -> dict[str, Any]:
    speakers = int(voices["speaker"].nunique())
    return {
        "kind": kind,
        "split": "test",
        "speech": speech(voices),
        "candidates": dict(words),
        "chance": 1 / len(words),
        "speakers": speakers,
        "unit": "speakers" if speakers >= LEAST_SPEAKERS else "utterances",
    }


def _scores(
    folder: Path, about: Mapping[str, Mapping[str, Any]], template: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """The scores in the tables of a run, and the names of tables that are not there."""
    there = [name for name in PARTS if name == "scores.csv" or (folder / name).is_file()]
    found: list[dict[str, Any]] = []
    for file in there:
        for row in tables.read_table(folder / file).to_dict("records"):
            task = str(row.get("task", row.get("attribute")))
            if task not in about:
                raise ValueError(unknown_name("task", task, list(about), f" in {file}"))
            own = _row(file, row)
            asked_in = template if about[task]["kind"] == "task" else "{}"
            found += [{**about[task], "task": task, "template": asked_in, **one} for one in own]
    return found, [name for name in PARTS if name not in there]


def _row(file: str, row: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """What one row of a table says: a score for each metric; trained systems ask no template."""
    systems, metrics = PARTS[file]
    system = " ".join(str(row[column]) for column in systems) or ZERO_SHOT
    found = []
    for column, metric in metrics.items():
        own = {"file": file, "system": system, "metric": metric, "n": int(row["n"])}
        if column in _SELF_NAMED:
            own |= {"system": column, "template": ""}
        values = {end: _number(row.get(f"{column}{tail}")) for end, tail in _METHOD.items()}
        found.append(own | values)
    return found


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table with None for what is missing."""
    rows = table.to_dict("records")
    return [{str(k): None if pd.isna(v) else v for k, v in row.items()} for row in rows]


def _others(folder: Path) -> dict[str, str]:
    """Other tables of a run with the hash of their content."""
    files = sorted({*folder.glob("*.csv"), *folder.glob("*.parquet")})
    return {one.name: tables.fingerprint(one) for one in files if one.name not in (*PARTS, FLAT)}
