"""A stopwatch for steps that handle many items: how many a second, and how sure is that?

A step first runs once unmeasured, so that processes, libraries and files are warm, then with more
items until it is busy for long enough, then as often as its :class:`Watch` says. The median counts,
the slowest and the fastest stand beside it. Nothing is kept for later: a speed belongs to a machine
and an hour, not to the code.

Conventions: a measurement handles an *amount* of some unit that stands for so many seconds of
*speech*; ``real_time`` is that speech over the seconds it took. ``cores`` is what a step may use:
processes, or threads where one process computes.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Row = dict[str, Any]
Seconds = npt.NDArray[np.float64]
Work = Callable[[int, Path], object]  # handles so many items; may write into an empty folder
Unit = Literal["hours of speech/h", "rows/s", "crops/s", "pairs/s"]

COLUMNS = [
    "stage",
    "unit",
    "cores",
    "amount",
    "speech",
    "seconds",
    "rate",
    "low",
    "high",
    "repeats",
    "real_time",
]
OWN = ".measured-"  # how folders begin that live no longer than a measurement
HOURS: Unit = "hours of speech/h"
_PILOT = 8  # items a core of the first, unmeasured pass


@dataclass(frozen=True)
class Watch:
    """How long and how often is measured.

    Attributes:
        seconds: of one measurement, about
        repeats: measurements of a step; their median counts
        folder: where steps may write; what they wrote is removed
    """

    seconds: float = 1.0
    repeats: int = 3
    folder: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what measures nothing.

        Raises:
            ValueError: naming what was got and what was expected
        """
        if self.seconds <= 0 or self.repeats < 1:
            msg = (
                f"Bad measurement of {self.seconds} s, {self.repeats} times, "
                "expected more than 0 s and at least once."
            )
            raise ValueError(msg)

    def measure(
        self, stage: str, unit: Unit, work: Work, speech: Seconds, cores: int = 1, grain: int = 1
    ) -> Row:
        """Measure one step.

        Args:
            stage: its name
            unit: what is counted, an hour or a second
            work: handles as many of the items as it is told, in a folder of its own
            speech: seconds of speech that each item stands for; there are no more items
            cores: that the step may use
            grain: fewest items that are worth a measurement

        Returns:
            a row with :data:`COLUMNS`
        """
        count = min(_PILOT * cores * grain, len(speech))
        self._once(work, count)
        taken = [self._once(work, count)]
        while taken[0] < self.seconds / 2 and count < len(speech):
            # A step with a price of its own looks slow on few items: look again with more.
            enough = count * self.seconds / taken[0]
            count = int(np.clip(enough, count + 1, len(speech)))
            taken = [self._once(work, count)]
        taken += [self._once(work, count) for _ in range(self.repeats - 1)]
        return row(stage, unit, cores, [count] * len(taken), [speech[:count].sum()], taken)

    def _once(self, work: Work, count: int) -> float:
        """Seconds that some items take."""
        with quiet(), tempfile.TemporaryDirectory(prefix=OWN, dir=self.folder) as folder:
            begin = time.perf_counter()
            work(count, Path(folder))
            return time.perf_counter() - begin


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No progress of steps that are only measured."""
    before = os.environ.get("PARACLAP_PROGRESS")
    os.environ["PARACLAP_PROGRESS"] = os.devnull
    try:
        yield
    finally:
        os.environ.pop("PARACLAP_PROGRESS")
        if before is not None:
            os.environ["PARACLAP_PROGRESS"] = before


def row(
    stage: str,
    unit: Unit,
    cores: int,
    items: list[int],
    speech: list[float],
    seconds: list[float],
) -> Row:
    """A row with :data:`COLUMNS` of several measurements; amounts are those of a median one.

    Args:
        stage: name of the step
        unit: what is counted, an hour or a second
        cores: that the step may use
        items: of each measurement
        speech: seconds of speech they stand for
        seconds: that each took
    """
    each = float(np.mean(speech)) / float(np.mean(items))  # seconds of speech an item
    amounts = np.array(items) * (each / 3600 if unit == HOURS else 1.0)
    rates = amounts / np.array(seconds) * (3600 if unit == HOURS else 1)
    rate, amount = float(np.median(rates)), float(np.median(amounts))
    taken = amount / rate * (3600 if unit == HOURS else 1)
    heard = float(np.median(items)) * each
    found = [stage, unit, cores, amount, heard, taken, rate, rates.min(), rates.max()]
    return dict(zip(COLUMNS, [*found, len(seconds), heard / taken], strict=True))


def table(rows: Iterable[Row]) -> pd.DataFrame:
    """Measurements as a table with :data:`COLUMNS`."""
    return pd.DataFrame(list(rows), columns=COLUMNS)


def powers(jobs: int, most: int = 16) -> list[int]:
    """Numbers of processes to try: 1, 2, 4, … and ``jobs`` itself.

    Args:
        jobs: processes that there may be
        most: of them that are tried: what is measured in a moment is not cut into more shards

    Examples:
        >>> powers(6), powers(64)
        ([1, 2, 4, 6], [1, 2, 4, 8, 16])
    """
    jobs = min(jobs, most)
    return sorted({2**power for power in range(jobs.bit_length()) if 2**power <= jobs} | {jobs})


def efficiency(measured: pd.DataFrame) -> pd.DataFrame:
    """How steps that were measured with several numbers of processes gain from them.

    Args:
        measured: table with :data:`COLUMNS`

    Returns:
        `stage, cores, speedup` over one process, and `efficiency`, the speedup over `cores`
    """
    single = measured[measured["cores"] == 1].set_index("stage")["rate"]
    several = measured.groupby("stage")["cores"].transform("nunique") > 1
    own = measured[several & measured["stage"].isin(single.index)]
    speedup = own["rate"] / own["stage"].map(single).astype(float)
    found = own[["stage", "cores"]].assign(speedup=speedup, efficiency=speedup / own["cores"])
    return found.reset_index(drop=True)


def per_core(measured: pd.DataFrame) -> dict[str, float]:
    """What one core does of each step when as many work as were tried: step → rate.

    Args:
        measured: table with :data:`COLUMNS`
    """
    most = measured.sort_values("cores", kind="stable").drop_duplicates("stage", keep="last")
    return dict(zip(most["stage"], most["rate"] / most["cores"], strict=True))
