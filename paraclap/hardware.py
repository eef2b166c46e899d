"""What do devices do? This machine, a GPU, and the arithmetic that the paper's model asks of one.

Conventions: FLOPs are model FLOPs, see :mod:`paraclap.flops`; speeds are a second's.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import pandas as pd
import pyarrow.parquet as pq
import torch

from paraclap import flops, tables
from paraclap.audio import SAMPLING_RATE
from paraclap.configuration import ParaCLAPConfig
from paraclap.model import ParaCLAP


def here() -> pd.DataFrame:
    """This machine, in words."""
    gpus = [torch.cuda.get_device_name(one) for one in range(torch.cuda.device_count())]
    facts = {
        "processor": _processor(),
        "cores": str(joblib.cpu_count()),
        "memory": f"{memory() / 1e9:.0f} GB",
        "GPUs": ", ".join(gpus) or "none",
        "torch": torch.__version__,
    }
    return pd.DataFrame({"this machine": facts})


def memory() -> int:
    """Bytes of memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _processor() -> str:
    """Name of the processor, as the operating system has it."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


# --- the paper's model -------------------------------------------------------------------------


class Operations(NamedTuple):
    """Model FLOPs of the paper's model.

    Attributes:
        pair: to learn from one pair, forward and backward
        second: to embed a second of speech
        weights: of the model
        dimension: of an embedding
    """

    pair: float
    second: float
    weights: int
    dimension: int


def operations(crop_seconds: float, voice_seconds: float, tokens: int) -> Operations:
    """What the model of the paper computes, from its configuration alone: both towers learn.

    Args:
        crop_seconds: of speech in a pair
        voice_seconds: length of a voice that is scored, whole
        tokens: of a text
    """
    config = full_size()
    with torch.device("meta"):
        weights = ParaCLAP(config).num_parameters()
    samples = round(crop_seconds * SAMPLING_RATE)
    pair = flops.training_flops(config, samples, tokens)
    voice = flops.forward_flops(config, round(voice_seconds * SAMPLING_RATE))
    return Operations(pair, voice / voice_seconds, weights, config.projection_dim)


def counted(operations: Operations) -> list[tuple[str, float, str, str]]:
    """Size and arithmetic of the model as rows of a table: what, value, unit, how it is known."""
    known = "counted from the configuration"
    return [
        ("weights of the model", operations.weights / 1e6, "million", known),
        ("a pair, forward and backward", operations.pair / 1e12, "TFLOP", known),
        ("a second of speech, scored", operations.second / 1e9, "GFLOP", known),
    ]


def full_size() -> ParaCLAPConfig:
    """Configuration of the paper's model: wav2vec 2.0 large, cut to 12 layers, and BERT base."""
    audio = {
        "model_type": "wav2vec2",
        "hidden_size": 1024,
        "num_hidden_layers": 12,
        "num_attention_heads": 16,
        "intermediate_size": 4096,
        "conv_bias": True,
        "feat_extract_norm": "layer",
        "do_stable_layer_norm": True,
        "layerdrop": 0.0,
    }
    return ParaCLAPConfig(audio_config=audio, text_config={"model_type": "bert"})


def rate_of(operations: float, tera: float, share: float) -> float:
    """Pairs (or seconds of speech) a second on a device, from its speed in numbers.

    Args:
        operations: floating-point operations that one takes
        tera: 1e12 operations a second that the device reaches in large matrix products
        share: of these that is reached, 0 to 1

    Raises:
        ValueError: if one is not above zero, or the share above 1
    """
    if operations <= 0 or tera <= 0 or not 0 < share <= 1:
        msg = (
            f"Bad speed: {operations} operations, {tera} TFLOP/s, a share of {share}, "
            "expected numbers above zero and a share of at most 1."
        )
        raise ValueError(msg)
    return tera * 1e12 * share / operations


class Gpu(NamedTuple):
    """What one GPU does, and how that is known.

    Attributes:
        pairs: that it learns from in a second
        spoken: seconds of speech that it scores in a second
        known: of each of the two, ``"measured on ..."`` or ``"assumed"``
        told: sentences for the reader
    """

    pairs: float
    spoken: float
    known: tuple[str, str]
    told: tuple[str, ...]


def gpu_speeds(training: str, scoring: str, pairs: float, spoken: float) -> Gpu:
    """Speeds of a GPU: as benchmarks have measured them, else as assumed.

    Args:
        training: JSON of ``benchmarks.gpu_training``, below the project folder
        scoring: JSON of ``benchmarks.gpu_scoring``, too
        pairs: a second, assumed where the first is not there
        spoken: seconds of speech a second, assumed where the second is not there

    Raises:
        ValueError: if a benchmark was made with another model than the paper's
    """
    learned, first, one = _speed(training, "pairs", pairs, _pairs)
    scored, second, other = _speed(scoring, "seconds of speech", spoken, _spoken)
    return Gpu(learned, scored, (first, second), (one, other))


def _pairs(page: Mapping[str, Any]) -> float | None:
    """Pairs a second of the page of a training benchmark."""
    return page.get("pairs_per_second")


def _spoken(page: Mapping[str, Any]) -> float | None:
    """Seconds of speech a second of the page of a scoring benchmark: its fastest way of ours."""
    ways = page.get("ways", {})
    return max(
        (ways[way]["hours_per_hour"] for way in ways if way.startswith("ours")), default=None
    )


def _speed(
    file: str, unit: str, assumed: float, of: Callable[[Mapping[str, Any]], float | None]
) -> tuple[float, str, str]:
    """A speed, how it is known, and a sentence about it."""
    path = tables.project_folder() / file
    if not path.is_file():
        command = f"python -m benchmarks.{path.stem}"
        told = f"No {file} is there ({command}): {assumed:,.0f} {unit} a second are assumed."
        return assumed, "assumed", told
    page = tables.read_json(path)
    speed = of(page)
    if page.get("model") != "full size" or not speed:
        got = f"{speed} {unit} a second of the model {page.get('model')!r}"
        msg = (
            f"Bad {file}: {got}, expected a number, of 'full size': run the benchmark again "
            "without --tiny, or remove the file."
        )
        raise ValueError(msg)
    where = f"measured on {page['device']}, {page['date']}"
    return float(speed), where, f"{where[0].upper()}{where[1:]}: {speed:,.0f} {unit} a second."


# --- what a run has left behind ----------------------------------------------------------------


def speed_of(folder: Path) -> pd.DataFrame:
    """What training wrote down of its speed, see :mod:`paraclap.speed`; no row if nothing.

    Args:
        folder: of the run
    """
    path = folder / "speed.csv"
    known = ["step", "pairs", "seconds", "waiting", "flops", "peak_flops", "peak_memory"]
    return tables.read_table(path) if path.is_file() else pd.DataFrame(columns=known)


def settled(speed: pd.DataFrame) -> pd.DataFrame:
    """All windows but the first, in which libraries are loaded; that one if there is no other."""
    return speed.iloc[1:] if len(speed) > 1 else speed


def told(speed: pd.DataFrame) -> list[str]:
    """How busy training was, in sentences.

    Args:
        speed: of :func:`speed_of`
    """
    if speed.empty:
        return ["This run has no speed.csv: it was trained before speeds were written down."]
    sums = settled(speed)[["seconds", "waiting", "flops"]].sum()
    peak = float(speed["peak_flops"].median())
    share = flops.utilisation(sums["flops"], sums["seconds"], peak)
    return [
        f"Waiting for voices: {100 * sums['waiting'] / sums['seconds']:.1f} % of the time.",
        f"Utilisation: {100 * share:.1f} % of {peak / 1e9:,.0f} GFLOP/s, the device's own speed.",
        f"Memory at most: {speed['peak_memory'].max() / 1e9:.2f} GB.",
    ]


def bytes_per_voice(folder: Path) -> dict[str, float]:
    """Room that tables of a run take for a voice: table → bytes on disk.

    Args:
        folder: of the run
    """
    files = {name: folder / f"{name}.parquet" for name in ("features", "queries")}
    return {name: path.stat().st_size / _rows(path) for name, path in files.items()}


def _rows(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)
