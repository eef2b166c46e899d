"""Low, normal or high? From feature values to levels, by quantiles of the training split.

The edges of an attribute are its 30 % and 70 % quantiles (by linear interpolation) over the
training rows alone: low is below the lower edge, high is at or above the upper one, normal lies
between. A missing value has no level. Tables are indexed by segment (file, start, end).

Source: section 2.2 of the paper (bottom 30 %, middle 40 %, top 30 %).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paraclap.leakage import rows_of
from paraclap.tables import read_json, short, write_json
from paraclap.templates import LEVELS, unknown_name

__all__ = ["FEATURES", "LEVELS", "Edges", "assign", "fit", "load", "save"]

FEATURES = {
    "pitch": "F0semitoneFrom27.5Hz_sma3nz_amean",
    "pitch variation": "F0semitoneFrom27.5Hz_sma3nz_stddevNorm",
    "intensity": "equivalentSoundLevel_dBp",
    "loudness": "loudness_sma3_amean",
    "jitter": "jitterLocal_sma3nz_amean",
    "shimmer": "shimmerLocaldB_sma3nz_amean",
    "duration": "duration",
    "arousal": "arousal",
    "valence": "valence",
    "dominance": "dominance",
}
VERSION = 1


class Edges(dict[str, tuple[float, float]]):
    """Attribute → (lower edge, upper edge), in the unit of the feature.

    Args:
        edges: the edges by attribute
        quantiles: the two quantiles they were fitted at
        columns: attribute → the column it is measured by
        fitted_on: of which segments, see `leakage.rows_of`; None where nobody knows
    """

    def __init__(
        self,
        edges: Mapping[str, tuple[float, float]],
        quantiles: tuple[float, float] = (0.3, 0.7),
        columns: Mapping[str, str] | None = None,
        fitted_on: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep the edges together with where they come from."""
        super().__init__(edges)
        self.quantiles = quantiles
        self.columns = {name: FEATURES[name] for name in edges} if columns is None else {**columns}
        self.fitted_on = fitted_on


def fit(
    features: pd.DataFrame,
    quantiles: tuple[float, float] = (0.3, 0.7),
    attributes: Sequence[str] | None = None,
) -> Edges:
    """Find the edges of every attribute on the training rows.

    Args:
        features: one row a segment, with any of the columns in `FEATURES`. With a column `split`
            only the rows of train count; without one all of them do.
        quantiles: where low ends and where high begins, between 0 and 1
        attributes: the attributes wanted; by default all whose column is there and not empty

    Raises:
        ValueError: if quantiles, attributes or columns are unknown, no training row is left, a
            value is infinite, or an attribute does not vary enough to be cut in three

    >>> fit(pd.DataFrame({"duration": np.arange(11.0)}))
    {'duration': (3.0, 7.0)}
    """
    low, high = quantiles
    if not 0 < low < high < 1:
        raise ValueError(f"Bad quantiles {quantiles}, expected 0 < low < high < 1, as (0.3, 0.7).")
    rows = _training_rows(features)
    names = _present(rows) if attributes is None else _wanted(rows, attributes)
    edges = {name: _edges(rows[FEATURES[name]], name, (low, high)) for name in names}
    return Edges(edges, (low, high), fitted_on=rows_of(rows.index))


def varying(features: pd.DataFrame, quantiles: tuple[float, float] = (0.3, 0.7)) -> list[str]:
    """Find the attributes that vary enough to be cut in three; the others are named in a line.

    Segments may all be cut to one length, or a rating may have been given to all alike.

    Args:
        features: as in `fit`
        quantiles: as in `fit`

    Returns:
        attributes for `fit`

    >>> varying(pd.DataFrame({"duration": [3.0] * 9, "arousal": np.arange(9.0)}))
    Left out duration: most training segments have the same value.
    ['arousal']
    """
    rows = _training_rows(features)
    columns = {name: rows[FEATURES[name]].astype(float).dropna() for name in _present(rows)}
    found = {name: np.quantile(column, quantiles) for name, column in columns.items()}
    flat = [name for name, (low, high) in found.items() if low == high]
    if flat:
        print(f"Left out {', '.join(flat)}: most training segments have the same value.")
    return [name for name in found if name not in flat]


def assign(features: pd.DataFrame, edges: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """Give the level of each value.

    Args:
        features: one row a segment, with the column of every attribute in `edges`
        edges: as `fit` gives them

    Returns:
        the index of `features`, one ordered categorical (low < normal < high) an attribute;
        missing where the value is missing

    Raises:
        ValueError: if a column is not there

    >>> values = pd.DataFrame({"duration": [2.9, 3.0, 7.0, np.nan]})
    >>> assign(values, {"duration": (3.0, 7.0)})["duration"].tolist()
    ['low', 'normal', 'high', nan]
    """
    columns = edges.columns if isinstance(edges, Edges) else FEATURES
    ordered = pd.CategoricalDtype(list(LEVELS), ordered=True)
    levels = {}
    for name, (low, high) in edges.items():
        if columns[name] not in features:
            raise ValueError(_no_column(name, columns[name], features))
        values = features[columns[name]].to_numpy(dtype=float)
        codes = (values >= low).astype(np.int8) + (values >= high)
        codes[np.isnan(values)] = -1
        levels[name] = pd.Categorical.from_codes(codes, dtype=ordered)
    return pd.DataFrame(levels, index=features.index)


def save(edges: Edges, path: str | Path, key: str = "") -> Path:
    """Write the edges with their quantiles, columns and segments as JSON."""
    attributes = {
        name: {"column": edges.columns[name], "low": low, "high": high}
        for name, (low, high) in edges.items()
    }
    content = {"version": VERSION, "quantiles": list(edges.quantiles), "attributes": attributes}
    if edges.fitted_on is not None:
        content["fitted_on"] = dict(edges.fitted_on)
    return write_json(content, path, key)


def load(path: str | Path) -> Edges:
    """Read edges that `save` wrote, to the last bit.

    Raises:
        FileNotFoundError: if there is no such file
        ValueError: if it is not JSON, not a file of edges, or of another version
    """
    content = read_json(path)
    version = content.get("version") if isinstance(content, dict) else None
    if version != VERSION:
        raise ValueError(
            f"{short(path)} holds edges of version {version!r}, expected {VERSION}: "
            "fit the levels again."
        )
    try:
        low, high = map(float, content["quantiles"])
        rows = content["attributes"]
        edges = {name: (float(row["low"]), float(row["high"])) for name, row in rows.items()}
        columns = {name: str(row["column"]) for name, row in rows.items()}
        fitted_on = dict(content["fitted_on"]) if "fitted_on" in content else None
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        msg = f"{short(path)} is not a complete file of edges: fit the levels again."
        raise ValueError(msg) from error
    turned = [name for name, (one, other) in edges.items() if not -np.inf < one < other < np.inf]
    if turned:
        raise ValueError(
            f"Bad edges of {turned[:5]} in {short(path)}, expected two finite numbers, the lower "
            "one first: fit the levels again."
        )
    return Edges(edges, (low, high), columns, fitted_on)


def _training_rows(features: pd.DataFrame) -> pd.DataFrame:
    rows = features[features["split"] == "train"] if "split" in features else features
    if rows.empty:
        found = sorted({str(split) for split in features.get("split", [])})
        raise ValueError(
            f"No training rows to fit the levels on ({len(features)} rows, splits {found}), "
            "expected some of split 'train': mark them in the corpus table."
        )
    return rows


def _present(rows: pd.DataFrame) -> list[str]:
    names = [name for name, column in FEATURES.items() if column in rows]
    names = [name for name in names if rows[FEATURES[name]].notna().any()]
    if not names:
        raise ValueError(
            f"No column to fit levels on, got {list(rows.columns)[:5]}, expected any of "
            f"{list(FEATURES.values())}: extract the features first."
        )
    return names


def _wanted(rows: pd.DataFrame, attributes: Sequence[str]) -> list[str]:
    for name in attributes:
        if name not in FEATURES:
            raise ValueError(unknown_name("attribute", name, FEATURES))
        if FEATURES[name] not in rows:
            raise ValueError(_no_column(name, FEATURES[name], rows))
        if rows[FEATURES[name]].isna().all():
            raise ValueError(f"No training row has a value of {name}: leave it out of attributes.")
    return list(attributes)


def _no_column(name: str, column: str, table: pd.DataFrame) -> str:
    found = list(table.columns)[:5]
    return f"No column {column!r} for the attribute {name!r}, got {found} ...: add it."


def _edges(values: pd.Series, name: str, quantiles: tuple[float, float]) -> tuple[float, float]:
    numbers = values.dropna().to_numpy(dtype=float)
    infinite = values.index[np.isinf(values.to_numpy(dtype=float))]
    if len(infinite):
        raise ValueError(
            f"Infinite {name} in {len(infinite)} rows (first: {infinite[0]!r}), expected finite "
            "values: leave these segments out."
        )
    low, high = (float(edge) for edge in np.quantile(numbers, quantiles))
    if low == high:
        raise ValueError(
            f"Too little spread in {name!r}: its {quantiles[0]:.0%} and {quantiles[1]:.0%} "
            f"quantiles over {len(numbers)} training rows are both {low:g}, so low and high are "
            f"the same. Leave it out: fit(features, attributes=[... without {name!r}])."
        )
    return low, high
