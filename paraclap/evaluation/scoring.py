"""Answers about many or long recordings, written to one Parquet file.

Windows have one length and start every ``hop`` seconds; the last one ends where its segment ends.
Segments that cannot be read are listed with the reason in ``<out stem>_failed.csv``. Finished parts
are files in ``<out stem>.parts/``, so a stopped run goes on. Chapter 8.
"""

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from tqdm import tqdm

from paraclap import audio, tables
from paraclap.corpora.folder import list_segments
from paraclap.evaluation import zeroshot
from paraclap.model import ParaCLAP
from paraclap.model.embedding import LONGEST, Embeddings, embed_audio

PART = 512  # rows: what a stopped run loses at most


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
    """Answer a question for many utterances and write the answers, in order, to ``out``.

    ``files`` are a folder, a table on disk, paths or an index; ``out`` is a Parquet file, and left
    as it is if it is current; ``precision`` is that of ``embed_audio``. Windows of ``window``
    seconds start every ``hop`` seconds, by default half a window; without, segments stay whole.
    ValueError if candidates, window or files are bad, or no segment can be read.
    """
    out = Path(out)
    if out.suffix != ".parquet":
        raise ValueError(f"Bad result {out.name!r}, expected a name that ends in .parquet.")
    index = windows(list_segments(files), window, hop)
    index = index.set_levels(index.levels[0].map(os.path.abspath).tolist(), level=0)
    parts = [index[first : first + PART] for first in range(0, len(index), PART)]
    question = zeroshot.encode_candidates(model, candidates, template)
    asked = [zeroshot.check_candidates(candidates), template, precision]
    base = joblib.hash([content(model), asked])
    failed, folder = out.with_name(f"{out.stem}_failed.csv"), out.with_name(f"{out.stem}.parts")
    with tables.lock(out, f"{tables.short_name(out)!r} is being written by another process."):
        paths = [folder / f"{audio.fingerprint(part, base)}.parquet" for part in parts]
        key = joblib.hash([path.stem for path in paths])
        if failed.exists() and out.exists() and key in str(pq.read_schema(out).metadata):
            return out
        todo = zip(paths, parts, strict=True)
        for path, part in tqdm(todo, "Score", len(paths), unit="part", disable=None):
            if not path.exists():
                found, reasons = _embed(model, part, precision)
                answers = zeroshot.answer(question, found).set_axis(part)
                tables.write_table(answers.assign(reason=reasons), path)
        _join(paths, out, failed, key)
        shutil.rmtree(folder)
    return out


def windows(
    segments: pd.MultiIndex, window: float | None = None, hop: float | None = None
) -> pd.MultiIndex:
    """The segments, or the windows in each; a file that cannot be opened keeps its segment."""
    if window is None and hop is None:
        return segments
    hop = window / 2 if window and hop is None else hop
    if not (window and hop and 0 < hop <= window <= LONGEST):
        wanted = f"a hop above 0, and a window that is not shorter, of at most {LONGEST} s"
        raise ValueError(f"Bad window {window} s and hop {hop} s, expected {wanted}.")
    rows: list[tuple[str, float, float]] = []
    for file, start, end in segments:
        begin, last = start.total_seconds(), end.total_seconds()
        with contextlib.suppress(audio.AudioError):
            last = audio.duration(file) if np.isnan(last) else last
        rows += [(file, begin + a, begin + b) for a, b in spans(last - begin, window, hop)]
    return tables.segments(*zip(*rows, strict=True))


def spans(seconds: float, window: float, hop: float) -> list[tuple[float, float]]:
    """Windows in a stretch of ``seconds``; a short stretch, or one of unknown length, is one.

    >>> spans(10.0, 4.0, 2.5)
    [(0.0, 4.0), (2.5, 6.5), (5.0, 9.0), (6.0, 10.0)]
    """
    if not seconds > window:
        return [(0.0, seconds)]
    last = seconds - window
    starts = np.arange(0, last + 1e-9, hop).tolist()
    starts += [last] if last - starts[-1] > 1e-9 else []  # what is left at the end
    return [(start, start + window) for start in starts]


def _embed(model: ParaCLAP, part: pd.MultiIndex, precision: str) -> tuple[Embeddings, list[str]]:
    """Embeddings, zero where a segment cannot be read, and the reason why not, else empty."""
    try:
        return embed_audio(model, part, precision=precision), [""] * len(part)
    except audio.AudioError as error:
        if len(part) == 1:
            return np.zeros((1, model.config.projection_dim), np.float32), [str(error)]
    half = len(part) // 2  # find out which it is
    (one, why), (two, other) = (_embed(model, p, precision) for p in (part[:half], part[half:]))
    return np.concatenate([one, two]), why + other


def _join(paths: Sequence[Path], out: Path, failed: Path, key: str) -> None:
    """Put the parts together, the result last: where it is, all is there."""
    table = pd.concat(map(pd.read_parquet, paths), ignore_index=True)
    lost = table.loc[table["reason"] != "", [*tables.INDEX, "reason"]]
    if len(lost) == len(table):
        raise ValueError(f"None of the segments can be read ({'; '.join(lost['reason'][:5])}).")
    answers = table.drop(index=lost.index, columns="reason")
    answers.attrs["paraclap"] = key
    with tables.atomic(out) as one, tables.atomic(failed) as other:
        lost.to_csv(other, index=False)
        answers.to_parquet(one, index=False)


def content(model: ParaCLAP) -> str:
    """A checksum, which changes when weights, configuration or processor of a model do."""
    reader = model.require_processor()
    weights = {name: v.detach().cpu().float().numpy() for name, v in model.state_dict().items()}
    about = repr(model.config.to_dict()), repr(reader.feature_extractor.to_dict())
    return str(joblib.hash([about, reader.tokenizer.get_vocab(), weights]))
