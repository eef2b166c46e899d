"""What does it cost to do this for any amount of speech? A model: arithmetic on given rates.

Nothing is measured here and nothing is assumed: rates, sizes and resources are all given, and the
tables say no more than what follows from them. The steps of a run come one after the other; within
a step the speech is shared evenly among the devices that may work on it.

Conventions: hours of speech, hours of wall-clock time, hours of one device (a core or a GPU);
a megabyte is 1e6 bytes, a gigabyte 1e9.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from paraclap.audio import SAMPLING_RATE
from paraclap.hardware import Gpu

BYTES_PER_SAMPLE = 2  # int16, as in the audio store
STORE = SAMPLING_RATE * BYTES_PER_SAMPLE * 3600  # bytes of an hour of speech in the audio store
ADAM = 12  # bytes a weight in a checkpoint: the weight and two moments, float32 each


class Stage(NamedTuple):
    """One step and what a device does of it.

    Attributes:
        name: of the step
        device: ``"core"`` or ``"GPU"``
        rate: hours of speech that one device handles in an hour
        passes: how often all speech goes through
        most: devices that can share the work; all that there are if None
    """

    name: str
    device: str
    rate: float
    passes: float = 1.0
    most: int | None = None


def costs(stages: Sequence[Stage], hours: Iterable[float], cores: int, gpus: int) -> pd.DataFrame:
    """Time of every step for several amounts of speech.

    Args:
        stages: the steps
        hours: of speech, each amount
        cores: that there are
        gpus: that there are

    Returns:
        `hours, stage, device, devices` (that work on it), `device_hours, wall_hours`; one row a
        step and amount of speech

    Raises:
        ValueError: if a rate, an amount or a resource is not above zero, or a device is unknown

    Examples:
        >>> table = costs([Stage("features", "core", 50.0)], [1000], cores=4, gpus=1)
        >>> table[["device_hours", "wall_hours"]].iloc[0].tolist()
        [20.0, 5.0]
    """
    there, hours = {"core": cores, "GPU": gpus}, list(hours)
    for name, value in [*there.items(), *(("hours of speech", one) for one in hours)]:
        _positive(name, value)
    rows = [_cost(stage, float(amount), there) for amount in hours for stage in stages]
    columns = ["hours", "stage", "device", "devices", "device_hours", "wall_hours"]
    return pd.DataFrame(rows, columns=columns)


def _cost(stage: Stage, hours: float, there: Mapping[str, int]) -> tuple[Any, ...]:
    if stage.device not in there:
        msg = f"Bad device {stage.device!r} of {stage.name!r}, expected one of {list(there)}."
        raise ValueError(msg)
    _positive(f"rate of {stage.name!r}", stage.rate)
    _positive(f"passes of {stage.name!r}", stage.passes)
    devices = min(there[stage.device], stage.most or there[stage.device])
    work = hours * stage.passes / stage.rate
    return hours, stage.name, stage.device, devices, work, work / devices


def _positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        msg = f"Bad {name}: {value}, expected a number above zero."
        raise ValueError(msg)


def totals(table: pd.DataFrame) -> pd.DataFrame:
    """Everything together, for each amount of speech.

    Args:
        table: of :func:`costs`

    Returns:
        `hours, core_hours, gpu_hours, wall_hours`
    """
    rows = []
    for hours, own in table.groupby("hours", sort=False):
        work = own.groupby("device")["device_hours"].sum()
        rows.append((hours, work.get("core", 0.0), work.get("GPU", 0.0), own["wall_hours"].sum()))
    return pd.DataFrame(rows, columns=["hours", "core_hours", "gpu_hours", "wall_hours"])


def bottlenecks(
    stages: Sequence[Stage], hours: float, resources: Iterable[tuple[int, int]]
) -> pd.DataFrame:
    """Which step takes longest with which resources, and by how much it leads.

    Args:
        stages: the steps, at least two
        hours: of speech
        resources: cores and GPUs, several times

    Returns:
        one row a pair of resources: `cores, GPUs, wall_hours` (of all steps), `slowest, share` (of
        these hours), `next` (the step after it) and `lead`: with so many times as many devices for
        the slowest step, the next one takes as long
    """
    rows = []
    for cores, gpus in resources:
        table = costs(stages, [hours], cores, gpus)
        order = table.sort_values("wall_hours", ascending=False, kind="stable")
        (first, second), total = order.to_dict("records")[:2], table["wall_hours"].sum()
        longest = first["wall_hours"]
        shares = longest / total, second["stage"], longest / second["wall_hours"]
        rows.append((cores, gpus, total, first["stage"], *shares))
    columns = ["cores", "GPUs", "wall_hours", "slowest", "share", "next", "lead"]
    return pd.DataFrame(rows, columns=columns)


def storage(
    per_hour: Mapping[str, float], fixed: Mapping[str, float], hours: Iterable[float]
) -> pd.DataFrame:
    """Bytes of everything for several amounts of speech.

    Args:
        per_hour: what → bytes of an hour of speech
        fixed: what → bytes, however much speech there is
        hours: of speech, each amount

    Returns:
        `hours, what, gigabytes`

    Examples:
        >>> storage({"audio store": STORE}, {}, [1000])["gigabytes"].item()
        115.2
    """
    rows = []
    for amount in hours:
        _positive("hours of speech", amount)
        sizes = {name: one * amount for name, one in per_hour.items()} | dict(fixed)
        rows += [(float(amount), name, size / 1e9) for name, size in sizes.items()]
    return pd.DataFrame(rows, columns=["hours", "what", "gigabytes"])


class Feeding(NamedTuple):
    """What training needs to be fed.

    Attributes:
        crops: a second
        megabytes: a second, read from the audio store
        cores: that read crops
    """

    crops: float
    megabytes: float
    cores: float


def feeding(pairs: float, gpus: int, crop_seconds: float, crops_per_core: float) -> Feeding:
    """What several GPUs need at full speed.

    Args:
        pairs: that one GPU learns from in a second
        gpus: that there are
        crop_seconds: of speech in a pair
        crops_per_core: that one core reads in a second

    Raises:
        ValueError: if one of them is not above zero

    Examples:
        >>> feeding(1000, 8, 5.0, 2000)
        Feeding(crops=8000, megabytes=1280.0, cores=4.0)
    """
    given = {"pairs": pairs, "gpus": gpus, "seconds": crop_seconds}
    given |= {"crops per core": crops_per_core}
    for name, value in given.items():
        _positive(name, value)
    crops = pairs * gpus
    samples = crop_seconds * SAMPLING_RATE
    return Feeding(crops, crops * samples * BYTES_PER_SAMPLE / 1e6, crops / crops_per_core)


def pipeline(
    core: Mapping[str, float], gpu: Gpu, voice_seconds: float, epochs: float, together: float
) -> list[Stage]:
    """The steps of a run, from what devices do of each.

    Args:
        core: of the steps `audio store` and `features` hours of speech that a core handles in an
            hour, of `queries` rows a second
        gpu: what a GPU does
        voice_seconds: length of a voice on average
        epochs: passes over all voices in training
        together: share of their speed that several GPUs keep when they train together
    """
    learned = gpu.pairs * voice_seconds * together
    return [
        Stage("audio store", "core", core["audio store"]),
        Stage("features", "core", core["features"]),
        Stage("queries", "core", core["queries"] * voice_seconds, most=1),
        Stage("training", "GPU", learned, passes=epochs),
        Stage("scoring", "GPU", gpu.spoken),
    ]


def sources(stages: Sequence[Stage], gpu: Gpu) -> list[tuple[str, float, str, str]]:
    """Rates of the steps as rows of a table: what, value, unit, how it is known."""
    known = {"training": gpu.known[0], "scoring": gpu.known[1]}
    return [
        (
            f"{stage.name}, one {stage.device}",
            stage.rate,
            "hours of speech/h",
            known.get(stage.name, "measured above"),
        )
        for stage in stages
    ]
