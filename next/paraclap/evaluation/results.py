"""What has a run measured, with what, and on whose speech? One file that holds it all.

`collect` reads the tables of a run's folder; `results.json` keeps every score with its interval,
beside what it takes to judge or repeat it: candidates, template, settings, seed, versions, commit,
device, a hash of the weights, and what the model had seen before.

Each score names the kind of its speech: synthetic, recorded (people), mixed, or unknown. Scores of
different kinds never share a column, see `side_by_side`.

Conventions: dates are UTC, ISO 8601; scores and shares lie in 0 to 1, null where there is none.
Chapter 14.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from paraclap import __version__, tables
from paraclap.evaluation import contamination
from paraclap.evaluation.bootstrap import units
from paraclap.evaluation.tasks import task_rows, tasks
from paraclap.training.settings import Settings

SCHEMA, NAME = 2, "results.json"
ZERO_SHOT = "zero-shot"  # the system that a run has trained
SPEECH = ("recorded", "synthetic", "mixed", "unknown")
PACKAGES = ("torch", "transformers", "opensmile", "audformat", "audmetric", "numpy", "pandas")
SYSTEMS = ("system", "variant", "recipe", "queries", "seed")  # columns that name whose answers
METRICS = ("uar", "macro_f1", "accuracy")
Result = dict[str, Any]


def speech(labels: pd.DataFrame) -> str:
    """Kind of speech of some utterances: synthetic, recorded, mixed, or unknown.

    >>> speech(pd.DataFrame({"synthetic": [True, False]})), speech(pd.DataFrame({"file": ["a"]}))
    ('mixed', 'unknown')
    """
    if "synthetic" not in labels or labels["synthetic"].isna().any() or labels.empty:
        return "unknown"
    kinds = {"synthetic" if one else "recorded" for one in labels["synthetic"]}
    return kinds.pop() if len(kinds) == 1 else "mixed"


def collect(
    folder: Path,
    seed: int = 0,
    template: str = "speaker is {}",
    candidates: str = "own",
    templates: str = "paper",
    device: str = "auto",
) -> Result:
    """Everything that a run has measured so far, from the tables in its folder.

    Args:
        folder: of the run, with labels, queries, settings, model and `scores.csv`
        seed: of every random draw
        template: prompt
        candidates: the set of words
        templates: the template set of the training queries
        device: what was computed on; auto: what torch takes on this machine

    Raises:
        FileNotFoundError: if a file is not there that everything needs
        ValueError: if a table has a task that the labels do not have
    """
    queries = tables.read_table(folder / "queries.parquet")
    labels = tables.read_table(folder / "labels.parquet").loc[queries.index]
    words = tasks(labels, candidates)
    settings = tables.read_json(folder / "settings.json")
    training = Settings.of(settings)
    classes = contamination.of_run(labels, queries, words, training, templates)
    found = [_scores(path, labels, words) for path in sorted(folder.glob("*.csv"))]
    return {
        "schema": SCHEMA,
        "run": folder.name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "packages": {"paraclap": __version__} | {name: metadata.version(name) for name in PACKAGES},
        "device": str(torch.accelerator.current_accelerator(True) or "cpu")
        if device == "auto"
        else device,
        "seed": seed,
        "speech": speech(labels),
        "model_hash": model_hash(folder / "model"),
        "settings": settings,
        "templates": templates,
        "template": template,
        "tasks": words,
        "scores": _plain(pd.concat(found)),
        "contamination": _plain(contamination.matrix(labels, classes, training)),
        "words": _plain(classes),
    }


def _scores(path: Path, labels: pd.DataFrame, words: Mapping[str, Any]) -> pd.DataFrame:
    """Scores of a table, one a row; none if it has no UAR of tasks or attributes with intervals."""
    table = tables.read_table(path).rename(columns={"attribute": "task"})
    if not {"task", "n", "uar", "uar_low", "uar_high"} <= set(table):
        return pd.DataFrame()
    kind = "attribute" if path.name == "attributes.csv" else "task"
    rows = []
    for row in table.to_dict("records"):
        own, chance = _asked(labels, kind, str(row["task"]), words, path.name)
        about = {"file": path.name, "kind": kind, "task": row["task"], "speech": speech(own)}
        about |= {"n": int(row["n"]), "unit": units(own["speaker"], len(own))[1], "chance": chance}
        about["system"] = " ".join(str(row[one]) for one in SYSTEMS if one in row) or ZERO_SHOT
        for metric in [metric for metric in METRICS if metric in row]:
            ends = {end: row.get(f"{metric}_{end}") for end in ("low", "high")}
            rows.append({**about, "metric": metric, "value": row[metric], **ends})
    return pd.DataFrame(rows)


def _asked(
    labels: pd.DataFrame, kind: str, name: str, words: Mapping[str, Any], file: str
) -> tuple[pd.DataFrame, float]:
    """Utterances that a score is about, and its chance level."""
    if kind == "attribute":
        trained = labels.loc[labels["split"] == "train", "corpus"]
        return labels[(labels["split"] == "test") & labels["corpus"].isin(trained)], 0.5
    if name not in words:
        raise ValueError(tables.unknown("task", name, words, file))
    rows = task_rows(labels)
    return rows[rows["corpus"] == name], 1 / len(words[name])


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table with None for what is missing."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def commit() -> str:
    """The commit of the checkout, `-dirty` if files were changed since; else the version."""
    git, folder = shutil.which("git"), tables.project_folder()
    if git and (folder / ".git").exists():
        command = [git, "--no-optional-locks", "-C", str(folder), "describe", "--always", "--dirty"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout.strip()
    return f"paraclap {__version__}, no checkout"


def model_hash(folder: Path) -> str:
    """Sixteen hex digits of the weights in a model folder, whatever else is there."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def gather(runs: str = "runs") -> tuple[list[Result], list[str]]:
    """The results of all runs, the oldest first, and why some cannot be read."""
    found, problems = [], []
    for path in sorted((tables.project_folder() / runs).glob(f"*/{NAME}")):
        result = tables.read_json(path)
        if isinstance(result, dict) and result.get("schema") == SCHEMA:
            found.append(result)
        else:
            problems.append(
                f"The results of {path.parent.name!r} are of another version, expected {SCHEMA}: "
                "run its last chapter again."
            )
    return sorted(found, key=lambda one: str(one["date"])), problems


def score_table(found: Iterable[Result]) -> pd.DataFrame:
    """Zero-shot UAR of runs on their tasks, one a row, with `run, date, commit`."""
    parts = [
        pd.DataFrame(one["scores"]).assign(**{key: one[key] for key in ("run", "date", "commit")})
        for one in found
    ]
    table = pd.concat(parts, ignore_index=True)
    rows = (table["file"] == "scores.csv") & (table["metric"] == "uar")
    return table[rows].reset_index(drop=True)


def side_by_side(found: Iterable[Result], kind: str) -> pd.DataFrame:
    """Scores of several runs on one kind of speech: a row a run, a column a task.

    Returns:
        `date, run, commit`, then score and interval of each task as text

    Raises:
        ValueError: if there is no such kind
    """
    if kind not in SPEECH:
        raise ValueError(tables.unknown("kind of speech", kind, SPEECH))
    table = score_table(found).query("speech == @kind")
    cells = table["value"].map("{:.3f}".format)
    ends = table["low"].map(" [{:.2f}, ".format) + table["high"].map("{:.2f}]".format)
    table = table.assign(cell=cells + ends.where(table["low"].notna(), ""))
    order = table["task"].unique()
    wide = table.pivot(index=["date", "run", "commit"], columns="task", values="cell")[order]
    return wide.reset_index().rename_axis(None, axis=1)
