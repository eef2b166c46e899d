"""Features, levels and queries in one call, for the shell and the playground (chapters 2 and 3)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from paraclap import tables
from paraclap.queries.levels import FEATURES, Edges, assign_levels, fit_levels, load_edges
from paraclap.queries.pool import QueryPool


def describe(
    files: tables.Files,
    edges: Edges | str | Path | None = None,
    templates: str = "paper",
    emotion_form: str = "adjective",
    labels: pd.DataFrame | None = None,
    jobs: int | None = None,
) -> pd.DataFrame:
    """Find the levels and queries of utterances.

    Args:
        files: audio files or segments, or a table of their features
        edges: where low ends and high begins, or the file with it; None to fit them on the
            utterances themselves, those of split train where `labels` has splits
        templates: the template set
        emotion_form: "adjective" (angry) or "noun" (anger)
        labels: any of the columns emotion, gender, split, arousal, valence, dominance
        jobs: processes that extract features; one per core when None

    Returns:
        as `QueryPool.table`; `attrs["failed"]` lists the segments without features

    Raises:
        ValueError: if there are no features or labels, nothing can be fitted, or a name is unknown
    """
    table = _features(files, jobs)
    failed = table.attrs.get("failed", [])
    if labels is not None:
        missing = table.index.difference(labels.index)
        if len(missing):
            first = [tables.short_name(segment[0]) for segment in missing[:5]]
            raise ValueError(
                f"No labels of {len(missing)} of {len(table)} segments (first: {first}), expected "
                "a row for each, with the same file, start and end."
            )
        table = table.drop(columns=labels.columns, errors="ignore").join(labels)
    if edges is None:
        edges = fit_levels(table)
    elif not isinstance(edges, Edges):
        edges = load_edges(edges)
    known = {name: ends for name, ends in edges.items() if FEATURES[name] in table}
    if not known:
        wanted = [FEATURES[name] for name in edges][:5]
        raise ValueError(f"No column for the edges, got {list(table)[:5]} ..., expected {wanted}.")
    labelled = assign_levels(table, known), table.get("emotion"), table.get("gender")
    found = QueryPool.build(*labelled, templates, emotion_form).table()
    found.attrs["failed"] = failed
    return found


def _features(files: tables.Files, jobs: int | None) -> pd.DataFrame:
    """Features of files, or the table itself if it holds some."""
    if isinstance(files, pd.DataFrame) and not {*FEATURES.values()}.isdisjoint(files.columns):
        return files
    from paraclap import features  # openSMILE loads slowly

    return features.extract(tables.as_index(files), jobs=jobs)
