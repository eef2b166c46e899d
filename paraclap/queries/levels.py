"""Low, normal or high? From values to levels, by quantiles of the training split. Chapter 3.

The edges of an attribute are its 30 % and 70 % quantiles (linear interpolation) over the training
rows alone. Low is below the lower edge, high at or above the upper one. Source: section 2.2.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paraclap import tables

LEVELS = ("low", "normal", "high")
_TABLE: Any = pd.read_csv(Path(__file__).with_name("features.csv"), index_col="attribute")
FEATURES: dict[str, str] = _TABLE["column"].to_dict()  # attribute → the column of its values
UNITS: dict[str, str] = _TABLE["unit"].dropna().to_dict()
Edges = dict[str, tuple[float, float]]  # attribute → (lower, upper), in the unit of its column


def fit_levels(features: pd.DataFrame, quantiles: tuple[float, float] = (0.3, 0.7)) -> Edges:
    """Find the two edges of every attribute, on the training rows alone.

    `features` have any columns of `FEATURES`; with a column `split` only its rows of train count.
    Attributes that cannot be cut in three have no edges and are named on stderr. ValueError if the
    quantiles are not between 0 and 1, or nothing can be cut.
    """
    if not 0 < quantiles[0] < quantiles[1] < 1:
        raise ValueError(f"Bad quantiles {quantiles}, expected 0 < low < high < 1, as (0.3, 0.7).")
    train = features[features["split"] == "train"] if "split" in features else features
    columns = {column: name for name, column in FEATURES.items() if column in train}
    values = train[list(columns)].rename(columns=columns).astype(float)  # (rows, attributes)
    cuts = values.quantile(list(quantiles)).to_dict("list")  # missing values aside
    edges = {str(name): (low, high) for name, (low, high) in cuts.items() if low < high}
    _report(edges, values)
    return edges


def assign_levels(features: pd.DataFrame, edges: Edges) -> pd.DataFrame:
    """Give every value its level, an ordered categorical (low < normal < high) an attribute.

    `features` have a row a segment, and the column of every attribute in `edges`.
    """
    levels = pd.DataFrame(index=features.index)
    for name, (low, high) in edges.items():
        values = features[FEATURES[name]].astype(float)
        bins = [-np.inf, low, high, np.inf]  # [-∞, low) [low, high) [high, ∞)
        levels[name] = pd.cut(values, bins, right=False, labels=list(LEVELS))
    return levels


def save_edges(edges: Edges, path: str | Path) -> Path:
    """Write the edges, with the columns that they are about, as JSON."""
    rows = {n: {"column": FEATURES[n], "low": lo, "high": hi} for n, (lo, hi) in edges.items()}
    return tables.write_json(rows, path)


def load_edges(path: str | Path) -> Edges:
    """Read edges that `save_edges` wrote; FileNotFoundError or ValueError if there are none."""
    try:
        rows = tables.read_json(path).items()
        return {name: (float(row["low"]), float(row["high"])) for name, row in rows}
    except (KeyError, TypeError, AttributeError) as error:
        name = tables.short_name(path)
        raise ValueError(f"{name!r} holds no edges (low, high): fit the levels again.") from error


def _report(edges: Edges, values: pd.DataFrame) -> None:
    """Name the attributes that have values and no edges; ValueError if there are no edges."""
    equal = [str(name) for name in values if values[name].notna().any() and name not in edges]
    if not edges:
        rows = f"{len(values)} rows of split 'train' (too little spread: {equal})"
        raise ValueError(f"No levels in {rows}, expected values of any of {list(FEATURES)}.")
    if equal:
        why = "most training rows have the same value, none would be normal."
        print(f"Left out {', '.join(equal)}: {why}", file=sys.stderr)
