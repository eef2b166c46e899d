"""Answers about many or long recordings, written to one Parquet file.

The work is cut into parts of a fixed number of rows. A finished part is a file in
``<out stem>.parts/``, named after all that it depends on: model, question, settings, segments, size
and time of their files. A run that was stopped goes on where it was and writes the same file.
Segments that cannot be read are left out and listed with the reason in ``<out stem>_failed.csv``.
Memory does not grow with the number of files, their names aside.

Conventions: a row is a segment on the audformat index (file, start, end), with one probability per
candidate and ``prediction``. Windows have one length and start every ``hop`` seconds; the last one
ends where its segment ends, so that nothing is left out; a shorter segment is one row. Chapter 8.
"""

from __future__ import annotations

import itertools
import math
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm.auto import tqdm

from paraclap import audio, tables
from paraclap.corpora.segments import list_segments
from paraclap.evaluation import zeroshot
from paraclap.model import ParaCLAP
from paraclap.model.embedding import LONGEST, Embeddings, embed_audio

PART = 512  # rows: what a stopped run loses at most
RESERVED = (*tables.INDEX, "reason")
Segment = tuple[str, Any, Any]


def score_files(
    model: ParaCLAP,
    files: tables.Files | pd.Index,
    candidates: zeroshot.Given,
    out: str | Path,
    template: str = "{}",
    *,
    precision: str = "auto",
    window: float | None = None,
    hop: float | None = None,
) -> Path:
    """Answer a question for many utterances and write the answers down.

    Args:
        model: A trained model with its processor.
        files: A folder, a table on disk, paths or an index, see ``corpora.segments``.
        candidates: Words, or a mapping from label to word.
        out: Parquet file; nothing is computed if it is there and current.
        template: Sentence with a slot for the word.
        precision: ``"float32"``, ``"bf16"``, or ``"auto"``: bf16 where the device is fast in it.
        window: Length of windows in seconds; None takes each segment as it is.
        hop: Seconds from window to window; None is half a window.

    Returns:
        ``out``; rows in the order of ``files``.

    Raises:
        FileNotFoundError: If there are no such files.
        ValueError: If candidates, window or files are bad, or no segment can be read.
    """
    out = Path(out)
    if out.suffix != ".parquet":
        raise ValueError(f"Bad result {out.name!r}, expected a name that ends in .parquet.")
    hop = _check_windows(window, hop)
    index = list_segments(files)
    question = zeroshot.encode_candidates(model, candidates, template)
    if taken := set(question.labels) & set(RESERVED):
        raise ValueError(f"Bad candidates {sorted(taken)}: they name columns, choose others.")
    asked = [zeroshot.check_candidates(candidates), template, precision, window, hop]
    base = joblib.hash([_content(model), asked])
    failed, folder = out.with_name(f"{out.stem}_failed.csv"), out.with_name(f"{out.stem}.parts")
    with tables.lock(out, f"{tables.short_name(out)!r} is being written by another process."):
        paths = [folder / f"{_name(base, part)}.parquet" for part in _parts(index, window, hop)]
        key = joblib.hash([path.stem for path in paths])
        if failed.exists() and out.exists() and _key(out) == key:
            return out
        parts = zip(paths, _parts(index, window, hop), strict=True)
        for path, part in tqdm(parts, "Score", len(paths), unit="part", disable=None):
            if not path.exists():
                found, reasons = _embed(model, part, precision)
                answers = zeroshot.answer(question, found).set_axis(part)
                answers["reason"] = reasons
                _write_part(answers, path)
        _join(paths, out, failed, key)
        shutil.rmtree(folder)
    return out


def _check_windows(window: float | None, hop: float | None) -> float | None:
    """The hop: half a window where none is given."""
    if window is None and hop is None:
        return None
    if window is None:
        raise ValueError(f"Got a hop of {hop} s and no window, expected both: set the window.")
    hop = window / 2 if hop is None else hop
    if not 0 < hop <= window <= LONGEST:
        raise ValueError(
            f"Bad window {window} s and hop {hop} s, expected a hop above 0 that is not longer "
            f"than the window, and a window of at most {LONGEST} s."
        )
    return hop


def windows(
    segments: pd.MultiIndex, window: float | None = None, hop: float | None = None
) -> Iterator[Segment]:
    """Rows to be scored, one after the other: segments, or the windows in each of them.

    A file that cannot be opened gives its segment: reading it reports why.
    """
    hop = _check_windows(window, hop)
    for first in range(0, len(segments), PART):  # iterated at once, an index copies all its rows
        for file, start, end in segments[first : first + PART]:
            if window is None or hop is None:
                yield file, start, end
                continue
            begin = start.total_seconds()
            try:
                last = audio.duration(file) if pd.isna(end) else end.total_seconds()
            except audio.AudioError:
                yield file, start, end
                continue
            for low, high in spans(last - begin, window, hop):
                yield file, *(pd.Timedelta(round((begin + t) * 1e9), "ns") for t in (low, high))


def spans(seconds: float, window: float, hop: float) -> list[tuple[float, float]]:
    """Windows in a stretch of ``seconds``.

    >>> spans(10, 4, 2.5)
    [(0.0, 4.0), (2.5, 6.5), (5.0, 9.0), (6.0, 10.0)]
    >>> spans(3, 4, 2)
    [(0.0, 3.0)]
    """
    if seconds <= window:
        return [(0.0, float(seconds))]
    starts = [turn * hop for turn in range(math.floor((seconds - window) / hop + 1e-9) + 1)]
    if seconds - window - starts[-1] > 1e-6:
        starts.append(seconds - window)
    return [(float(start), float(start + window)) for start in starts]


def _parts(
    index: pd.MultiIndex, window: float | None, hop: float | None
) -> Iterator[pd.MultiIndex]:
    rows = windows(index, window, hop)
    while part := list(itertools.islice(rows, PART)):
        yield tables.segments(*zip(*part, strict=True))


def _embed(
    model: ParaCLAP, part: pd.MultiIndex, precision: str
) -> tuple[Embeddings, list[str | None]]:
    """Embeddings, zero where a segment cannot be read, and the reason why not."""
    try:
        return embed_audio(model, part, precision=precision), [None] * len(part)
    except audio.AudioError as error:
        if len(part) == 1:
            return np.zeros((1, model.config.projection_dim), np.float32), [str(error)]
    half = len(part) // 2  # find out which it is
    (one, why), (two, other) = (_embed(model, p, precision) for p in (part[:half], part[half:]))
    return np.concatenate([one, two]), why + other


def _write_part(answers: pd.DataFrame, path: Path) -> None:
    flat = answers.reset_index()
    files = flat["file"].map(os.path.abspath)
    flat["file"] = files.str.removeprefix(f"{tables.project_folder()}{os.sep}")
    texts = dict.fromkeys(["file", "prediction", "reason"], pa.string())
    times = dict.fromkeys(["start", "end"], pa.duration("ns"))
    schema = pa.schema([(name, (texts | times).get(name, pa.float32())) for name in flat])
    with tables.atomic(path) as temporary:
        pq.write_table(pa.Table.from_pandas(flat, schema, preserve_index=False), temporary)


def _join(paths: Sequence[Path], out: Path, failed: Path, key: str) -> None:
    """Put the parts together, the result last: where it is, all is there."""
    reasons: dict[str, None] = {}
    kept = 0
    schema = pq.read_schema(paths[0]).with_metadata({"paraclap": key})
    schema = schema.remove(schema.get_field_index("reason"))
    with tables.atomic(out) as whole, tables.atomic(failed) as lost:
        with pq.ParquetWriter(whole, schema) as writer, lost.open("w", encoding="utf-8") as stream:
            for path in paths:
                part = pq.read_table(path)
                good = part.filter(part["reason"].is_null()).drop_columns("reason")
                writer.write_table(good.cast(schema))
                bad = part.filter(part["reason"].is_valid())
                rows = bad.select([*tables.INDEX, "reason"]).to_pandas()
                rows.to_csv(stream, index=False, header=path == paths[0])
                reasons |= dict.fromkeys(rows["reason"][: 5 - len(reasons)])
                kept += len(good)
        if not kept:
            raise ValueError(f"None of the segments can be read ({'; '.join(reasons)}).")


def _name(base: str, part: pd.MultiIndex) -> str:
    lines = [base]
    for file, start, end in part:
        state = os.stat(file) if os.path.exists(file) else None  # noqa: PTH116, PTH110 (names too long)
        lines.append(f"{file} {start} {end} {state and (state.st_size, state.st_mtime_ns)}")
    return str(joblib.hash(lines))


def _key(out: Path) -> str:
    return ((pq.read_schema(out).metadata or {}).get(b"paraclap") or b"").decode()


def _content(model: ParaCLAP) -> str:
    """Changes when weights, configuration or processor of a model do."""
    config, processor = model.config.to_dict(), model.require_processor()
    for name in ("_name_or_path", "transformers_version"):  # where it lies is not what it is
        config.pop(name, None)
    weights = {name: v.detach().cpu().float().numpy() for name, v in model.state_dict().items()}
    extractor = processor.feature_extractor.to_dict()
    return str(
        joblib.hash([repr(config), repr(extractor), processor.tokenizer.get_vocab(), weights])
    )
