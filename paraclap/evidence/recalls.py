"""How well is each class found, and how sure is that? Recall with intervals.

The interval is that of the bootstrap, speakers or utterances drawn as `tally` says. Where a class
is found always or never, or a single unit has it, every draw gives the same and the bootstrap would
claim to be certain; there the interval is the exact one of a proportion, with the units that have
the class for trials.

Conventions: recall lies in 0 to 1, intervals hold 95 %.
Source: Clopper and Pearson, Biometrika 1934 (exact interval); `tally` for the bootstrap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from paraclap.evidence.tally import Runs, Tally, tally
from paraclap.resampling import widened

BOOTSTRAP, EXACT = "bootstrap", "exact"


def recalls(
    predictions: Mapping[str, Runs],
    tasks: Mapping[str, Sequence[str]],
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Recall of every class of every task by every system, with its interval.

    Args:
        predictions: system → its predictions, one table or one a seed
        tasks: task → its classes
        draws: of the bootstrap
        seed: of the draws

    Returns:
        `task, label, system, n, unit, units, method, recall, recall_low, recall_high`: `n` voices
        of the class, of so many `units`; `method` is bootstrap or exact

    Raises:
        ValueError: as `tally.tally`
    """
    counted = [tally(predictions, task, labels) for task, labels in tasks.items()]
    return pd.DataFrame([row for one in counted for row in _rows(one, draws, seed)])


def _rows(one: Tally, draws: int, seed: int) -> list[dict[str, object]]:
    found, having = one.recalls(), (one.totals > 0).sum(axis=0)
    drawn = widened(one.redrawn(draws, seed), found, np.maximum(having, 2))
    low, high = np.nanquantile(drawn, (0.025, 0.975), axis=0).clip(0, 1)
    rows = []
    for column, label in enumerate(one.labels):
        place = {"task": one.task, "label": label}
        size = {"n": int(one.totals[:, column].sum()), "unit": one.unit, "units": having[column]}
        for row, system in enumerate(one.systems):
            value = float(found[row, column])
            reach = (BOOTSTRAP, low[row, column], high[row, column])
            if value in (0.0, 1.0) or having[column] < 2:
                reach = _exact(value, int(having[column]))
            names = ("method", "recall_low", "recall_high")
            own = dict(zip(names, reach, strict=True)) | {"recall": value}
            rows.append(place | {"system": system} | size | own)
    return rows


def _exact(share: float, trials: int) -> tuple[str, float, float]:
    """Clopper-Pearson interval of none or all of some trials."""
    reach = binomtest(round(share * trials), trials).proportion_ci(0.95, "exact")
    return EXACT, float(reach.low), float(reach.high)
