"""How do the runs of a sweep compare? One page that needs nothing beside it, and one table.

The page has a row a run: what is varied, and the UAR of each task with its interval; the runs with
the highest mean stand first, and the highest value of a column is marked. Scores on synthetic
speech and on people never share a column. `scores.csv` has a row for each run and task.

Conventions: scores are those of `scores.csv` in the folder of a run, which chapter 5 writes;
intervals are its 95 % intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from paraclap import origin, results, tables

PAGE, TABLE = "index.html", "scores.csv"
_MOST_DRAWN = 24  # runs in the figure
_COLUMNS = ["run", "task", "speech", "n", "chance", "uar", "uar_low", "uar_high"]


class Compared(Protocol):
    """What a run has to say of itself."""

    @property
    def name(self) -> str:
        """Of the run."""

    @property
    def file(self) -> Path:
        """Its params file."""

    @property
    def varied(self) -> dict[str, Any]:
        """Parameters that the sweep varies, with their values."""

    @property
    def folder(self) -> Path:
        """Where it was made."""


def write(runs: Sequence[Compared], failed: Mapping[str, str], target: Path) -> Path:
    """Write the page and the table of all runs that have scores.

    Args:
        runs: of a sweep
        failed: why runs failed, by name
        target: folder of the page

    Returns:
        the page

    Raises:
        OSError: if it cannot be written
    """
    scores = scored(runs)
    tables.write_table(scores, target / TABLE)
    with tables.atomic_path(target / PAGE) as temporary:
        temporary.write_text(page(runs, scores, failed, target.name), "utf-8")
    return target / PAGE


def scored(runs: Sequence[Compared]) -> pd.DataFrame:
    """The scores of all runs that have some.

    Returns:
        `run`, the varied parameters, `task, speech, n, chance, uar, uar_low, uar_high`
    """
    varied = list(dict.fromkeys(key for run in runs for key in run.varied))
    found = [table for run in runs if (table := _scores(run)) is not None]
    if not found:
        return pd.DataFrame(columns=["run", *varied, *_COLUMNS[1:]])
    return pd.concat(found, ignore_index=True)[["run", *varied, *_COLUMNS[1:]]]


def _scores(run: Compared) -> pd.DataFrame | None:
    """Scores of a run with what was varied in it; None if it has none yet."""
    if not (run.folder / TABLE).is_file():
        return None
    table = tables.read_table(run.folder / TABLE)
    labels = tables.read_table(run.folder / "labels.parquet")
    kinds = {task: results.speech(labels[labels["corpus"] == task]) for task in table["task"]}
    own = {
        key: ", ".join(map(str, v)) if isinstance(v, list) else v for key, v in run.varied.items()
    }
    return table.assign(run=run.name, speech=table["task"].map(kinds), **own)


def ranked(scores: pd.DataFrame) -> pd.DataFrame:
    """UAR by run and task, the highest mean first.

    Args:
        scores: see `scored`

    Returns:
        a row a run; columns are pairs of speech and task, and of speech and "mean" where it has
        several tasks
    """
    wide = scores.pivot(index="run", columns=["speech", "task"], values="uar")
    for kind in dict.fromkeys(wide.columns.get_level_values(0)):
        if wide[kind].shape[1] > 1:
            wide[kind, "mean"] = wide[kind].mean(axis=1, skipna=False)
    columns: list[Any] = wide.columns.to_list()
    first = [column for column in columns if column[1] == "mean"] or columns
    first = sorted(first, key=lambda column: results.KINDS.index(column[0]))
    wide = wide[[*first, *(column for column in columns if column not in first)]]
    order = wide[first].apply(tuple, axis=1).sort_values(ascending=False, kind="stable").index
    return wide.loc[order]


def page(
    runs: Sequence[Compared], scores: pd.DataFrame, failed: Mapping[str, str], name: str
) -> str:
    """The page as HTML, everything in it escaped and nothing loaded from elsewhere.

    Args:
        runs: of a sweep
        scores: see `scored`
        failed: why runs failed, by name
        name: of the sweep
    """
    from jinja2 import Environment, FileSystemLoader

    loader = FileSystemLoader(Path(__file__).parent)
    template = Environment(loader=loader, autoescape=True, trim_blocks=True).get_template(
        "compared.txt"
    )
    done = ranked(scores) if len(scores) else pd.DataFrame()
    columns: list[Any] = done.columns.to_list()
    known = {run.name: run for run in runs}
    return template.render(
        name=name,
        runs=runs,
        varied=list(dict.fromkeys(key for run in runs for key in run.varied)),
        columns=[_column(scores, kind, task) for kind, task in columns],
        rows=[(known[run], _cells(scores, done, run)) for run in done.index],
        kinds=list(dict.fromkeys(scores["speech"])),
        failed=failed,
        waiting=[run.name for run in runs if run.name not in {*done.index, *failed}],
        figure=_figure(scores),
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {origin.commit()}",
        table=TABLE,
    )


def _column(scores: pd.DataFrame, kind: str, task: str) -> dict[str, Any]:
    own = scores[(scores["speech"] == kind) & (scores["task"] == task)]
    return {"task": task, "speech": kind, "chance": own["chance"].max() if len(own) else None}


def _cells(scores: pd.DataFrame, done: pd.DataFrame, run: str) -> list[dict[str, Any]]:
    """What stands in the row of a run: value, interval, and whether none is higher."""
    own = scores[scores["run"] == run].set_index(["speech", "task"])
    cells = []
    for column in done.columns.to_list():
        value = done[column].loc[run]
        ends = own.loc[[column]][["uar_low", "uar_high"]].iloc[0] if column in own.index else None
        cells.append(
            {
                "value": None if pd.isna(value) else float(value),
                "ends": None if ends is None or ends.isna().any() else tuple(ends),
                "best": len(done) > 1 and bool(value == done[column].max()),
            }
        )
    return cells


def _figure(scores: pd.DataFrame) -> str:
    """The scores as a picture, base64; empty where there are none, or too many to tell apart."""
    if not 0 < scores["run"].nunique() <= _MOST_DRAWN:
        return ""
    from paraclap.figures import results as figures

    names = {"uar": "value", "uar_low": "low", "uar_high": "high"}
    return str(figures.runs(scores.rename(columns=names))._repr_mimebundle_()["image/png"])
