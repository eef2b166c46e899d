"""What is measured of the voice, and what may be said of it? Levels beside the voices of a run.

Low, normal and high are relative: the edges are those of the run (:mod:`paraclap.levels`), so a
voice is compared with the voices that were trained on. Ratings such as arousal cannot be measured.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import opensmile
import pandas as pd

from paraclap import features, levels, saying, tables
from paraclap.playground.opened import Opened
from paraclap.playground.voices import Voice

UNITS = {
    "pitch": "semitones above 27.5 Hz",
    "pitch variation": "standard deviation / mean",
    "intensity": "dB",
    "loudness": "of the auditory spectrum",
    "jitter": "share of the period",
    "shimmer": "dB",
    "duration": "s",
}


@cache
def names() -> list[str]:
    """Names of what :func:`paraclap.features.measure` gives, in its order."""
    level = opensmile.FeatureLevel.Functionals
    smile = opensmile.Smile(feature_set=features.FEATURE_SET, feature_level=level)
    return [*smile.feature_names, "duration"]


def measured(voice: Voice) -> pd.DataFrame:
    """The functionals and the duration of a voice, one row on the segmented index.

    Args:
        voice: who is measured

    Raises:
        AudioError: if it is too short or silent
    """
    values = features.measure(voice.signal)
    return pd.DataFrame([values], tables.segments([voice.name]), names())


def level_table(table: pd.DataFrame, edges: Path) -> pd.DataFrame:
    """Where a voice lies: `attribute, value, unit, low below, high from, level`.

    Args:
        table: as :func:`measured` gives it
        edges: file of edges of a run

    Raises:
        FileNotFoundError: if there is no such file
    """
    whole = levels.load(edges)
    kept = {name: ends for name, ends in whole.items() if whole.columns[name] in table}
    known = levels.Edges(kept, whole.quantiles, {name: whole.columns[name] for name in kept})
    found = levels.assign(table, known).iloc[0]
    rows = [
        (name, table[known.columns[name]].iloc[0], UNITS.get(name, ""), low, high, found[name])
        for name, (low, high) in known.items()
    ]
    columns = ["attribute", "value", "unit", "low below", "high from", "level"]
    return pd.DataFrame(rows, columns=columns)


def queries(
    opened: Opened, voice: Voice, table: pd.DataFrame, edges: Path, templates: str = "paper"
) -> pd.DataFrame:
    """Sentences that hold of a voice, and how well the model thinks they fit: `query, cosine`.

    Args:
        opened: the model
        voice: who is spoken of
        table: as :func:`measured` gives it
        edges: file of edges of a run
        templates: the template set

    Returns:
        the closest first

    Raises:
        FileNotFoundError: if there is no file of edges
        ValueError: if it has none of what is measured, or the template set is unknown
    """
    said = saying.queries(table, edges, templates)["queries"].iloc[0]
    found = pd.DataFrame({"query": pd.Series(said, dtype="str"), "cosine": 0.0})
    if said:
        found["cosine"] = opened.read(said) @ opened.hear(voice.signal)
    return found.sort_values("cosine", ascending=False, kind="stable", ignore_index=True)
