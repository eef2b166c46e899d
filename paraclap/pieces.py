"""A long list of segments, done piece by piece, and the pieces put together again.

Each piece has a fixed number of rows and a file of its own in ``<out stem>.parts/``, named after
all that its content depends on. Whoever fills them leaves a ``reason`` in the rows that failed;
:meth:`Pieces.join` sorts these out into ``<out stem>_failed.csv``. One piece is in memory at a
time.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from paraclap import tables
from paraclap.provenance import PROVENANCE, keyed_path

Segment = tuple[str, Any, Any]


class Pieces:
    """The pieces of one result, in order: the file of each, and its segments.

    Attributes:
        rows: Segments in all pieces together.
        key: What the result depends on.
    """

    def __init__(
        self, out: Path, base: str, segments: Callable[[], Iterable[Segment]], size: int
    ) -> None:
        """Plan the work.

        Args:
            out: Parquet file of the result.
            base: Fingerprint of what every piece depends on, besides its segments and their files.
            segments: Gives all segments, anew at each call, so that they are never all there.
            size: Rows of a piece.
        """
        self.out, self.size, self._segments = out, size, segments
        self.folder = out.with_name(f"{out.stem}.parts")
        self.failed = out.with_name(f"{out.stem}_failed.csv")
        self.paths: list[Path] = []
        self.rows = 0
        for piece in self._cut():
            states = [_state(file) for file in dict.fromkeys(piece.get_level_values("file"))]
            name = tables.fingerprint(base, len(self.paths), piece, states)
            self.paths.append(self.folder / f"{name}.parquet")
            self.rows += len(piece)
        self.key = tables.fingerprint([path.stem for path in self.paths])

    def _cut(self) -> Iterator[pd.MultiIndex]:
        rows = iter(self._segments())
        while piece := list(itertools.islice(rows, self.size)):
            yield tables.segments(*zip(*piece, strict=True))

    def __iter__(self) -> Iterator[tuple[Path, pd.MultiIndex]]:
        """File and segments of each piece."""
        return zip(self.paths, self._cut(), strict=True)

    def done(self) -> bool:
        """Whether the result and the list of failures are there and current."""
        return all(tables.is_current(path, self.key) for path in (self.out, self.failed))

    def join(self) -> None:
        """Write failures and result, the result last, and remove the pieces.

        Raises:
            ValueError: If all rows failed.
            OSError: If a file cannot be written.
        """
        lost, reasons = self._write_failed()
        if lost == self.rows:
            msg = f"None of {lost} segments could be heard ({'; '.join(reasons)})"
            raise ValueError(f"{msg}: see {tables.short(self.failed)!r}.")
        with tables.atomic_path(self.out) as temporary:
            _copy(self.paths, temporary, self.key)
        shutil.rmtree(self.folder)

    def _write_failed(self) -> tuple[int, list[str]]:
        """How many rows failed, and the first few reasons."""
        lost, reasons = 0, dict[str, None]()
        with (
            keyed_path(self.failed, self.key) as temporary,
            temporary.open("w", encoding="utf-8") as stream,
        ):
            for path in self.paths:
                rows = pq.read_table(path, columns=[*tables.INDEX, "reason"]).to_pandas()
                rows = rows.dropna(subset="reason")
                rows.to_csv(stream, index=False, header=path is self.paths[0])
                lost += len(rows)
                reasons |= dict.fromkeys(rows["reason"][: 5 - len(reasons)])
        return lost, list(reasons)


def write_piece(path: Path, index: pd.MultiIndex, rows: pd.DataFrame, schema: pa.Schema) -> None:
    """Write the file of one piece.

    Args:
        path: As :class:`Pieces` gives it.
        index: The segments of the piece.
        rows: One for each, with the column ``reason``, in the order of ``schema``.
        schema: Of the columns after file, start and end: a piece in which all failed knows none.
    """
    flat = rows.set_axis(index).reset_index()
    flat["file"] = tables.relative(map(os.path.abspath, flat["file"]))
    time = pa.duration("ns")
    fields = [pa.field("file", pa.string()), pa.field("start", time), pa.field("end", time)]
    whole = pa.schema([*fields, *schema], metadata={PROVENANCE: path.stem.encode()})
    with tables.atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_pandas(flat, whole, preserve_index=False), temporary)


def _copy(paths: Sequence[Path], out: Path, key: str) -> None:
    """Copy the rows that did not fail, a row group a piece."""
    schema = pq.read_schema(paths[0])
    schema = schema.remove(schema.get_field_index("reason"))
    schema = schema.with_metadata({PROVENANCE: key.encode()})
    with pq.ParquetWriter(out, schema) as writer:
        for path in paths:
            piece = pq.read_table(path)
            kept = piece.filter(piece["reason"].is_null()).drop_columns("reason")
            if len(kept):
                writer.write_table(kept.cast(schema))


def _state(file: str) -> list[int]:
    """Size and time of change: enough to notice another content without reading it."""
    try:
        status = Path(file).stat()
    except OSError:  # who reads it will say why
        return []
    return [status.st_size, status.st_mtime_ns]
