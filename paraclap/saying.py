"""From audio or features to what holds of voices, in one go; chapters 2 and 3 go step by step.

Conventions: tables on the segmented index; levels are relative, so whoever asks for the queries of
a few voices names the edges of many (:mod:`paraclap.levels`).
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from paraclap import features, levels, listing, tables
from paraclap.queries import Pool

Files = Path | Sequence[Path]


def measured(files: Files) -> pd.DataFrame | None:
    """A table of features on disk; None if the files are something else."""
    if not isinstance(files, Path) or files.suffix.lower() not in listing.TABLES:
        return None
    table = tables.read_table(files)
    known = set(levels.FEATURES.values()) & set(table.columns)
    return table if known and list(table.index.names) == tables.INDEX else None


def measure(files: Files, jobs: int | None = None) -> pd.DataFrame:
    """Features of audio files, a folder, or the segments of a table; they are not kept.

    Args:
        files: see :func:`paraclap.listing.listed`
        jobs: workers; one per core when None

    Raises:
        ValueError: if none can be measured
    """
    with tempfile.TemporaryDirectory(prefix="paraclap-") as folder:
        path = Path(folder) / "features.parquet"
        table = features.extract(listing.listed(files), path, jobs)
        for reason in features.failed(path)["reason"]:
            print(reason, file=sys.stderr)
    return table


def labelled(table: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Features with the labels of their segments.

    Raises:
        ValueError: if segments have none
    """
    lacking = table.index.difference(labels.index)
    if len(lacking):
        names = sorted({Path(str(segment[0])).name for segment in lacking})
        raise ValueError(
            f"No labels of {len(lacking)} of {len(table)} segments (first: {names[:5]}), expected "
            "a row for each, with the same file, start and end."
        )
    own = [column for column in table if column not in labels]
    return table[own].join(labels.loc[table.index])


def edges_of(run: Path) -> Path:
    """The file of edges of a run.

    Raises:
        FileNotFoundError: if it has none yet
    """
    path = run / "edges.json"
    if path.is_file():
        return path
    raise FileNotFoundError(
        f"No edges at {tables.short(path)!r}, expected those of the demo run, which say what is "
        "low and high: make them with `make book`, or name those of another run with --edges FILE."
    )


def queries(
    table: pd.DataFrame,
    edges: Path | None = None,
    templates: str = "paper",
    emotion_form: str = "adjective",
) -> pd.DataFrame:
    """Levels and queries of voices.

    Args:
        table: features, with any of the columns emotion, gender, split, arousal, valence, dominance
        edges: file of edges; None: fitted on the rows of split train, or on all
        templates: the template set
        emotion_form: "adjective" (angry) or "noun" (anger)

    Returns:
        as :meth:`paraclap.queries.Pool.table`

    Raises:
        ValueError: if nothing can be said of the voices, or a name is unknown
    """
    known = _fitted(table) if edges is None else _loaded(edges, table)
    level = levels.assign(table, known)
    gender, emotion = table.get("gender"), table.get("emotion")
    return Pool.build(level, emotion, gender, templates, emotion_form).table()


def _fitted(table: pd.DataFrame) -> levels.Edges:
    with contextlib.redirect_stdout(sys.stderr):
        names = levels.varying(table)
    if not names:
        raise ValueError(
            f"Nothing varies among {len(table)} segments, expected enough of them to tell low from "
            "high: name the edges.json of another run with --edges FILE."
        )
    return levels.fit(table, attributes=names)


def _loaded(edges: Path, table: pd.DataFrame) -> levels.Edges:
    """Edges of the attributes that a table has."""
    whole = levels.load(edges)
    kept = {name: ends for name, ends in whole.items() if whole.columns[name] in table}
    if not kept:
        raise ValueError(
            f"No column of {tables.short(edges)!r} in the table, expected any of "
            f"{list(whole.columns.values())[:5]}: measure the voices with `paraclap features`."
        )
    columns = {name: whole.columns[name] for name in kept}
    return levels.Edges(kept, whole.quantiles, columns)
