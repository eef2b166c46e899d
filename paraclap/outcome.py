"""What a contest has found: scores, seeds, and which differences are real.

Every contender is compared with the one it is tested against and with the base, on the mean UAR
over the tasks of a kind: paired, speakers redrawn, seeds averaged, with Holm's correction over all
comparisons of the kind (see `evidence.paired`).

Conventions: UAR lies in 0 to 1, differences in -1 to 1.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from paraclap import origin, scores, tables
from paraclap.evidence import paired
from paraclap.evidence.systems import REGRESSION
from paraclap.settings import Settings

BASE = "rand5"
ACTED, UNSEEN, ATTRIBUTES = "acted", "unseen words", "attributes"
KINDS = (ACTED, UNSEEN, ATTRIBUTES)
Answers = dict[str, pd.DataFrame]  # kind → predictions


class Outcome(NamedTuple):
    """What a contest has found.

    Attributes:
        scores: `kind, system, task, uar, uar_low, uar_high, ...`, seeds averaged; the mean over
            the tasks of a kind is called `mean` (see `paired.intervals`)
        seeds: `kind, system, seed, uar`: that mean for each seed
        gains: `kind, system, other, difference, low, high, p, p_holm, real, ...` of that mean (see
            `paired.differences`)
    """

    scores: pd.DataFrame
    seeds: pd.DataFrame
    gains: pd.DataFrame

    def save(self, folder: Path, about: Mapping[str, object]) -> None:
        """Write the tables, and how they came about, to a folder."""
        for name, table in self._asdict().items():
            tables.write_table(table, folder / f"{name}.csv")
        tables.write_json(dict(about), folder / "about.json")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what was saved.

        Raises:
            OSError: if it is not there
        """
        missing = [name for name in cls._fields if not (folder / f"{name}.csv").is_file()]
        if missing:
            raise OSError(
                f"No {missing} in {tables.short(folder)!r}, expected what a contest has saved: set "
                "contest_seeds to 3 to train the contenders now."
            )
        return cls(*(tables.read_table(folder / f"{name}.csv") for name in cls._fields))


def compare(
    answered: Mapping[str, Sequence[Answers]],
    table: pd.DataFrame,
    regression: pd.DataFrame | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Outcome:
    """Score all contenders, and compare each with the one it is tested against and with the base.

    Args:
        answered: as `ask_all` gives it
        table: of `chosen`
        regression: predictions of a trained classifier on the acted tasks, to be scored as well
        draws: of the bootstrap
        seed: of the draws
    """
    against = [(str(name), other) for name, other in table["against"].items() if other]
    pairs = list(dict.fromkeys([*against, *((name, BASE) for name, _ in against)]))
    found: list[list[pd.DataFrame]] = [[], [], []]
    for kind in KINDS:
        given: dict[str, Any] = {
            name: [one[kind] for one in seeds] for name, seeds in answered.items()
        }
        tasks = _classes(given[BASE][0])
        if not tasks:
            continue
        found[1].append(_each_seed(given, tasks).assign(kind=kind))
        if kind == ACTED and regression is not None:
            given[REGRESSION] = regression[regression["corpus"].isin(tasks)]
        scored = paired.redrawn(given, tasks, draws, seed)
        found[0].append(paired.intervals(scored).assign(kind=kind))
        gains = paired.differences(scored, pairs).assign(kind=kind)
        found[2].append(gains[gains["task"] == paired.MEAN])
    return Outcome(*(pd.concat(parts, ignore_index=True) for parts in found))


def _each_seed(
    given: Mapping[str, Sequence[pd.DataFrame]], tasks: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    rows = []
    for name, seeds in given.items():
        for number, one in enumerate(seeds):
            each = [
                scores.uar(own["truth"], own["prediction"], tasks[str(task)])
                for task, own in one.groupby("corpus", sort=False)
            ]
            rows.append({"system": name, "seed": number, "uar": float(np.mean(each))})
    return pd.DataFrame(rows)


def about(seeds: int, main: Settings, labels: pd.DataFrame) -> dict[str, object]:
    """How an outcome came about, to be kept beside it.

    Args:
        seeds: trainings of each contender
        main: settings of the main run
        labels: labels table
    """
    spoken = "synthetic" if labels["synthetic"].all() else "recorded"
    voices = int((labels["split"] == "train").sum())
    return {
        "measured": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": origin.commit(),
        "speech": spoken,
        "training voices": voices,
        "steps": main.steps,
        "seeds": seeds,
    }


def verdicts(gains: pd.DataFrame) -> list[str]:
    """Say of each contender what its change brings, one sentence each.

    Args:
        gains: of an `Outcome`
    """
    said = []
    for (name, other), own in gains.groupby(["system", "other"], sort=False):
        parts = []
        for row in own.to_dict("records"):
            word = "no real change"
            if row["real"]:
                word = "a real gain" if row["difference"] > 0 else "a real loss"
            parts.append(f"{row['kind']} {row['difference']:+.3f} ({word})")
        said.append(f"{name} against {other}: {', '.join(parts)}.")
    return said


def room(scores: pd.DataFrame) -> pd.DataFrame:
    """How much of the room between the base and a trained classifier each contender closes.

    Args:
        scores: of an `Outcome`

    Returns:
        `system, mean UAR, share of the room closed`, on the acted tasks; no row where no trained
        classifier was scored
    """
    own = scores[(scores["kind"] == ACTED) & (scores["task"] == paired.MEAN)]
    mean = own.set_index("system")["uar"]
    if REGRESSION not in mean:
        return pd.DataFrame(columns=["system", "mean UAR", "share of the room closed"])
    share = (mean - mean[BASE]) / (mean[REGRESSION] - mean[BASE])
    closed = pd.DataFrame({"mean UAR": mean, "share of the room closed": share})
    return closed.reset_index()


def _classes(answers: pd.DataFrame) -> dict[str, list[str]]:
    grouped = answers.groupby("corpus", sort=False)["truth"]
    return {str(task): sorted(own.unique()) for task, own in grouped}
