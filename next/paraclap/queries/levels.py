"""Low, normal or high? From values to levels, by quantiles of the training split.

The edges of an attribute are its 30 % and 70 % quantiles (linear interpolation) over the training
rows alone. Low is below the lower edge, high is at or above the upper one, normal lies between. A
missing value has no level. Tables are indexed by segment (file, start, end). Chapter 3.

Source: section 2.2 of the paper (bottom 30 %, middle 40 %, top 30 %).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap import tables

LEVELS = ("low", "normal", "high")
FEATURES = {
    "pitch": "F0semitoneFrom27.5Hz_sma3nz_amean",
    "pitch variation": "F0semitoneFrom27.5Hz_sma3nz_stddevNorm",
    "intensity": "equivalentSoundLevel_dBp",
    "loudness": "loudness_sma3_amean",
    "jitter": "jitterLocal_sma3nz_amean",
    "shimmer": "shimmerLocaldB_sma3nz_amean",
    "duration": "duration",
    **{dimension: dimension for dimension in tables.DIMENSIONS},
}  # attribute → the column of its values


class Edges(dict[str, tuple[float, float]]):
    """Attribute → (lower edge, upper edge), in the unit of its column; and their quantiles."""

    quantiles: tuple[float, float] = (0.3, 0.7)


def fit_levels(
    features: pd.DataFrame,
    quantiles: tuple[float, float] = (0.3, 0.7),
    attributes: Sequence[str] | None = None,
) -> Edges:
    """Find the two edges of every attribute, on the training rows alone.

    Args:
        features: any columns of `FEATURES`; with a column `split` only its rows of train count
        quantiles: where low ends and where high begins, between 0 and 1
        attributes: None for all that can be cut in three; the others are named on stderr

    Raises:
        ValueError: if quantiles or attributes are unknown, or there is nothing to fit on
    """
    _check(quantiles)
    train = features[features["split"] == "train"] if "split" in features else features
    values = _values(train, attributes)  # (rows, attributes)
    cuts = values.quantile(list(quantiles))  # (2, attributes), missing values aside
    cuts = _varying(cuts, attributes)  # without attributes whose two edges are equal
    edges = Edges({str(name): (float(low), float(high)) for name, (low, high) in cuts.items()})
    edges.quantiles = quantiles
    return edges


def assign_levels(features: pd.DataFrame, edges: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """Give every value its level.

    Args:
        features: one row a segment, with the column of every attribute in `edges`
        edges: as `fit_levels` finds them

    Returns:
        the index of `features`; one ordered categorical (low < normal < high) an attribute

    Raises:
        ValueError: if a column is absent
    """
    values = _columns(features, edges)
    levels = pd.DataFrame(index=features.index)
    for name, (low, high) in edges.items():
        bins = [-np.inf, low, high, np.inf]  # [-∞, low) [low, high) [high, ∞)
        levels[name] = pd.cut(values[name], bins, right=False, labels=list(LEVELS))
    return levels


def save_edges(edges: Edges, path: str | Path) -> Path:
    """Write the edges, with their quantiles and columns, as JSON."""
    rows = {n: {"column": FEATURES[n], "low": lo, "high": hi} for n, (lo, hi) in edges.items()}
    content = {"version": 1, "quantiles": list(edges.quantiles), "attributes": rows}
    return tables.write_json(content, path)


def load_edges(path: str | Path) -> Edges:
    """Read edges that `save_edges` wrote, to the last bit.

    Raises:
        FileNotFoundError: if there is no such file
        ValueError: if it is not JSON, or not a complete file of edges
    """
    content = tables.read_json(path)
    try:
        rows = content["attributes"].items()
        edges = Edges({name: (float(row["low"]), float(row["high"])) for name, row in rows})
        low, high = content["quantiles"]
        edges.quantiles = low, high
        _check(edges.quantiles)
        if all(FEATURES[name] and low < high for name, (low, high) in edges.items()):
            return edges
    except (KeyError, TypeError, AttributeError, ValueError):
        pass
    raise ValueError(
        f"{tables.short_name(path)!r} is not a complete file of edges, expected two numbers for "
        "each attribute, the lower one first: fit the levels again."
    )


def _check(quantiles: tuple[float, float]) -> None:
    if not 0 < quantiles[0] < quantiles[1] < 1:
        raise ValueError(f"Bad quantiles {quantiles}, expected 0 < low < high < 1, as (0.3, 0.7).")


def _values(train: pd.DataFrame, attributes: Sequence[str] | None) -> pd.DataFrame:
    """Values of the training rows, one column an attribute."""
    given = [n for n, column in FEATURES.items() if column in train and train[column].notna().any()]
    values = _columns(train, given if attributes is None else attributes)
    bad = [name for name in values if values[name].isna().all() or np.isinf(values[name]).any()]
    if bad or values.empty:
        raise ValueError(
            f"No finite values of {bad or list(FEATURES)} in {len(train)} rows of split 'train', "
            "expected some and none infinite: extract the features, or mark the rows of train."
        )
    return values


def _varying(cuts: pd.DataFrame, attributes: Sequence[str] | None) -> pd.DataFrame:
    """Edges that differ; the others are named, or refused where they were asked for."""
    equal = [str(name) for name in cuts if cuts[name].nunique() < 2]
    what = f"{', '.join(equal)}: most training rows have the same value, so none would be normal."
    if equal and (attributes is not None or len(equal) == len(cuts.columns)):
        raise ValueError(f"Too little spread in {what} Leave it out of attributes.")
    if equal:
        print(f"Left out {what}", file=sys.stderr)
    return cuts.drop(columns=equal)


def _columns(features: pd.DataFrame, attributes: Iterable[str]) -> pd.DataFrame:
    """The columns of some attributes as floats, under the names of these."""
    for name in attributes:
        if name not in FEATURES:
            raise ValueError(tables.unknown("attribute", name, FEATURES))
        if FEATURES[name] not in features:
            got = f"got {list(features)[:5]} ..."
            raise ValueError(f"No column {FEATURES[name]!r} for {name!r}, {got}: add it.")
    found = {name: features[FEATURES[name]].astype(float) for name in attributes}
    return pd.DataFrame(found, index=features.index)
