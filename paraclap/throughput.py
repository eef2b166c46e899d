"""How fast is each step of the book on this machine? Short measurements of a run's own voices.

How they are measured and what a row of them says is told in :mod:`paraclap.stopwatch`.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import torch

from paraclap import features, levels, signals, tables, zeroshot
from paraclap.audio import SAMPLING_RATE
from paraclap.hardware import settled
from paraclap.inference import Listener, listen
from paraclap.machine import Machine, choose_device
from paraclap.model import ParaCLAP
from paraclap.queries import Pool
from paraclap.stopwatch import HOURS, OWN, Row, Seconds, Watch, quiet, row

_MOST_ROWS = 200_000  # of the table that queries are made from
_MOST_CROPS, _BATCH = 100_000, 64


@contextlib.contextmanager
def stored(index: pd.MultiIndex, folder: Path | None = None) -> Iterator[Path]:
    """An audio store of some voices for as long as something is measured on it.

    Args:
        index: of the voices
        folder: where the store lies meanwhile
    """
    with quiet(), tempfile.TemporaryDirectory(prefix=OWN, dir=folder) as place:
        signals.build(index, Path(place), jobs=1)
        yield Path(place)


def sample(labels: pd.DataFrame, seed: int = 0, most: int = 1000) -> pd.MultiIndex:
    """Voices in an order that mixes corpora, so that any part of them is like the whole.

    Args:
        labels: table on the segmented index
        seed: of the order
        most: voices
    """
    rows = np.random.default_rng(seed).permutation(len(labels))[:most]
    return cast("pd.MultiIndex", labels.index[rows])


def lengths(index: pd.MultiIndex) -> Seconds:
    """Seconds of each voice."""
    seconds: Seconds = signals.Signals(index).seconds()
    return seconds


# --- the steps ---------------------------------------------------------------------------------


def decoding(index: pd.MultiIndex, speech: Seconds, watch: Watch, cores: int = 1) -> Row:
    """Decode and resample voices into an audio store."""

    def work(count: int, folder: Path) -> None:
        signals.build(index[:count], folder / "store", jobs=cores)

    return watch.measure("audio store", HOURS, work, speech, cores)


def measuring(index: pd.MultiIndex, speech: Seconds, watch: Watch, cores: int = 1) -> Row:
    """Measure the eGeMAPS functionals of voices."""

    def work(count: int, folder: Path) -> None:
        features.extract(index[:count], folder / "features.parquet", cores)

    return watch.measure("features", HOURS, work, speech, cores)


def describing(
    table: pd.DataFrame, speech: Seconds, edges: Mapping[str, tuple[float, float]], watch: Watch
) -> Row:
    """Turn features into levels and levels into queries; a small table is repeated.

    Args:
        table: features and labels of voices
        speech: their durations in seconds
        edges: of the levels
        watch: how to measure
    """
    times = -(-_MOST_ROWS // len(table))
    known = [*{levels.FEATURES.get(name, name) for name in edges}, "emotion", "gender"]
    large = pd.concat([table[[name for name in known if name in table]]] * times)

    def work(count: int, _: Path) -> None:
        rows = large.iloc[:count]
        Pool.build(levels.assign(rows, edges), rows["emotion"], rows["gender"]).table()

    return watch.measure("queries", "rows/s", work, np.tile(speech, times), grain=250)


def cropping(
    index: pd.MultiIndex, store: Path | None, crop_seconds: float, watch: Watch, seed: int = 0
) -> Row:
    """Read random crops, as training does, from an audio store or, without one, from the files.

    Args:
        index: of the voices
        store: folder of the audio store
        crop_seconds: longest crop
        watch: how to measure
        seed: of the crops
    """
    voices = signals.Signals(index, store)
    samples = round(crop_seconds * SAMPLING_RATE)
    heard = np.tile(np.minimum(voices.seconds(), crop_seconds), max(1, _MOST_CROPS // len(index)))

    def work(count: int, _: Path) -> None:
        rng, batch = np.random.default_rng(seed), np.zeros((_BATCH, samples), np.float32)
        for number in range(count):
            crop = voices.crop(number % len(index), samples, rng)
            batch[number % _BATCH, : len(crop)] = crop

    stage = "crops from files" if store is None else "crops from the store"
    return watch.measure(stage, "crops/s", work, heard, grain=4)


def scoring(
    model: ParaCLAP, index: pd.MultiIndex, speech: Seconds, watch: Watch, cores: int = 1
) -> Row:
    """Read voices, embed them, and compare them with a few candidates, as `paraclap.scoring` does.

    Args:
        model: whose answers are asked for
        index: of the voices
        speech: their durations in seconds
        watch: how to measure
        cores: threads
    """
    asked = ["angry", "happy", "sad", "neutral"]
    listener = Listener(model)

    def work(count: int, _: Path) -> None:
        embedded, _reasons = listen(index[:count], listener)
        zeroshot.answer(model, embedded, asked, "speaker is {}")

    before = torch.get_num_threads()
    torch.set_num_threads(cores)
    try:
        return watch.measure("scoring", HOURS, work, speech, cores)
    finally:
        torch.set_num_threads(before)


def trained(speed: pd.DataFrame, heard: float, machine: Machine) -> Row:
    """What training wrote down of its own speed, its first window left out.

    Args:
        speed: windows of steps with `step, pairs, seconds, waiting, flops, peak_memory`
        heard: seconds of speech in a pair, on average
        machine: what it computed with
    """
    own = settled(speed)
    pairs = [int(number) for number in own["pairs"]]
    speech = [heard * number for number in pairs]
    on_gpu = choose_device(machine.device).type != "cpu"
    stage = "training on a GPU" if on_gpu else "training"
    cores = machine.jobs * machine.processes
    return row(stage, "pairs/s", cores, pairs, speech, own["seconds"].tolist())


def write(measured: pd.DataFrame, folder: Path) -> Path:
    """Write measurements to ``throughput.csv`` of a run, over those of an earlier hour."""
    return tables.write_table(measured, folder / "throughput.csv")
