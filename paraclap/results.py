"""What has a run measured, by what, and on whose speech? One file that tells it all.

`results.json` holds every score of a run with its interval, beside all that it takes to judge or
to repeat it: split, candidates, template, seed, commit, package versions, device, hashes of model,
settings and sentences; `collecting` makes it. `results.csv` holds the scores alone, one a row.

The kind of speech stands at each score: synthetic, recorded (people), mixed, or unknown. Scores of
different kinds are never put into one column, see `side_by_side`.

Conventions: `schema` is the version of the format; `results.schema.json` is its JSON Schema, and
every file is checked against it when it is written and when it is read. Dates are UTC in ISO
8601; scores and shares lie in 0 to 1, null where there is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # no types come with it

from paraclap import tables
from paraclap.templates import unknown_name

SCHEMA = 1
NAME, FLAT = "results.json", "results.csv"
ZERO_SHOT = "zero-shot"  # the system that a run has trained and asked
KINDS = ("recorded", "synthetic", "mixed", "unknown")  # of speech
_KINDS_IN = {  # speech of a run → of its scores
    **{kind: {kind} for kind in KINDS},
    "mixed": set(KINDS),
    "unknown": set(KINDS),
}
_ORIGIN = ("run", "date", "commit", "device", "seed", "model_hash", "settings_hash")
_ABOUT = ("run", "date", "commit", "speech")
Result = dict[str, Any]


def speech(labels: pd.DataFrame) -> str:
    """Whose speech some voices are: synthetic, recorded, mixed, or unknown.

    Args:
        labels: labels table, with the column `synthetic` where it is known

    >>> speech(pd.DataFrame({"synthetic": [True, False]})), speech(pd.DataFrame({"file": ["a"]}))
    ('mixed', 'unknown')
    """
    if "synthetic" not in labels or labels["synthetic"].isna().any() or labels.empty:
        return "unknown"
    if labels["synthetic"].nunique() > 1:
        return "mixed"
    return "synthetic" if labels["synthetic"].iloc[0] else "recorded"


def check(found: Any, where: str) -> Result:
    """Check values against the schema.

    Args:
        found: what was read or collected
        where: its name in messages

    Raises:
        ValueError: naming at most five places, what stands there, and what is expected
    """
    version = found.get("schema") if isinstance(found, dict) else None
    if version != SCHEMA:
        raise ValueError(
            f"Bad schema {version!r} in the results of {where!r}, expected {SCHEMA}: they were "
            "written by another version of paraclap; run its last chapter again."
        )
    schema = json.loads((Path(__file__).parent / "results.schema.json").read_text("utf-8"))
    errors = sorted(Draft202012Validator(schema).iter_errors(found), key=lambda one: one.json_path)
    if errors:
        told = "; ".join(f"{one.json_path}: {one.message[:120]}" for one in errors[:5])
        raise ValueError(
            f"{len(errors)} bad values in the results of {where!r} ({told}), expected those of "
            "paraclap/results.schema.json: run the last chapter of this run again."
        )
    odd = {one["speech"] for one in found["scores"]} - _KINDS_IN[found["speech"]]
    if odd:
        raise ValueError(
            f"Bad speech in the results of {where!r}: {found['speech']!r} and scores on "
            f"{sorted(odd)}, expected those of one kind, or 'mixed': run the last chapter of this "
            "run again."
        )
    result: Result = found
    return result


def write(result: Result, folder: Path) -> Path:
    """Write `results.json` and `results.csv` into the folder of a run.

    Raises:
        ValueError: if it is not valid
        OSError: if it cannot be written
    """
    key = tables.fingerprint(check(result, folder.name))
    tables.write_table(flat(result), folder / FLAT, key)
    return tables.write_json(result, folder / NAME, key)


def read(path: Path) -> Result:
    """Read and check a results file.

    Raises:
        FileNotFoundError: if there is none
        ValueError: if it is not valid, or not as it was written
    """
    found = check(tables.read_json(path), path.parent.name)
    if not tables.is_current(path, tables.fingerprint(found)):
        raise ValueError(
            f"The results of {path.parent.name!r} were changed after they were written, or "
            f"{path.name}.key is missing: run the last chapter of this run again."
        )
    return found


def gather(runs: str = "runs") -> tuple[list[Result], list[str]]:
    """The results of all runs, the oldest first, and why some of them cannot be read.

    Args:
        runs: folder of all runs, relative to the project folder unless absolute
    """
    found, complaints = [], []
    for path in sorted((tables.project_folder() / runs).glob(f"*/{NAME}")):
        try:
            found.append(read(path))
        except ValueError as error:
            complaints.append(str(error))
    return sorted(found, key=lambda one: str(one["date"])), complaints


# --- tables ------------------------------------------------------------------------------------


def flat(result: Result) -> pd.DataFrame:
    """The scores of a run, one a row, with what says where they come from."""
    table = pd.DataFrame(result["scores"])
    table["candidates"] = [" / ".join(one.values()) for one in table["candidates"]]
    for place, name in enumerate(_ORIGIN):
        table.insert(place, name, result[name])
    return table


def side_by_side(
    found: Iterable[Result], kind: str, metric: str = "uar", system: str = ZERO_SHOT
) -> pd.DataFrame:
    """Scores of several runs on one kind of speech: a row a run, a column a task.

    Args:
        found: results of runs
        kind: of speech, one of `KINDS`; they are never mixed in a column
        metric: which score
        system: whose answers

    Returns:
        `run, date, commit, speech`, then a column for each task with score and interval as text;
        no row where no run has a score of this kind

    Raises:
        ValueError: if there is no such kind
    """
    if kind not in KINDS:
        raise ValueError(unknown_name("kind of speech", kind, KINDS))
    rows = []
    for result in found:
        table = asked(flat(result), metric, system)
        own = table[table["speech"] == kind]
        cells = {row["task"]: _cell(row) for row in own.to_dict("records")}
        if cells:
            told = [result["run"], result["date"][:10], result["commit"], kind]
            rows.append(dict(zip(_ABOUT, told, strict=True)) | cells)
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(_ABOUT))


def asked(table: pd.DataFrame, metric: str = "uar", system: str = ZERO_SHOT) -> pd.DataFrame:
    """The scores of a system on the tasks of a run.

    Args:
        table: as `flat` gives it, of one run or of several below each other
        metric: which score
        system: whose answers
    """
    rows = (table["file"] == "scores.csv") & (table["kind"] == "task")
    return table[rows & (table["metric"] == metric) & (table["system"] == system)]


def _cell(row: Mapping[Any, Any]) -> str:
    ends = "" if pd.isna(row["low"]) else f" [{row['low']:.2f}, {row['high']:.2f}]"
    return f"{row['value']:.3f}{ends}"
