"""What a model answers about many voices: a folder, a list or a table, at full speed.

    python -m paraclap.scoring MODEL FILES --candidates happy,sad,angry --out answers.parquet

Candidates are embedded once. The segments are cut into pieces of a fixed number of rows; in a
piece voices of like length make a batch, bounded by the seconds it holds with its padding. A
finished piece is a file named after all that it depends on: weights, candidates, settings,
segments and the state of their files. A run that was stopped goes on where it was and writes the
same file as one that was not. Segments that cannot be heard are left out and listed with the
reason in ``<out stem>_failed.csv``. What is in memory does not grow with the number of files,
their names aside.

Conventions: a row is a segment on the audformat index (file, start, end), windows see
:mod:`paraclap.listing`; one probability column per candidate, the softmax over them, and
``prediction``; ``embedding``, if asked for, is a list of float32 of unit length.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from paraclap import listing, progress, tables, zeroshot
from paraclap.inference import LONGEST, Listener, content, listen
from paraclap.machine import choose_device
from paraclap.model import ParaCLAP
from paraclap.pieces import Pieces, write_piece
from paraclap.whole import alone, is_free

PIECE = 512  # rows: what a killed run loses at most
RESERVED = (*tables.INDEX, "prediction", "embedding", "reason")


def score(
    model: ParaCLAP,
    files: zeroshot.Files,
    candidates: zeroshot.Candidates,
    out: str | Path,
    template: str = "{}",
    *,
    precision: str = "auto",
    window: float | None = None,
    hop: float | None = None,
    batch_seconds: float | None = None,
    embeddings: bool = False,
    compiled: bool = False,
) -> Path:
    """Score many voices and write the answers to a Parquet file.

    Args:
        model: A trained model with its processor; it is not changed.
        files: A folder, a table on disk, paths or an index, see :func:`paraclap.listing.listed`.
        candidates: Words, or a mapping from label to word.
        out: Parquet file; when it is there and current, nothing is computed.
        template: Sentence with a slot for the word.
        precision: ``"float32"``, ``"bf16"``, or ``"auto"``: bf16 where that is fast.
        window: Length of windows in seconds; None scores each segment whole.
        hop: Seconds from window to window; None is half a window.
        batch_seconds: Most seconds of padded audio in a batch; None suits the device. Changes
            speed and memory, not the result beyond rounding.
        embeddings: Whether the embeddings are written too.
        compiled: Whether ``torch.compile`` translates the tower, see
            :class:`paraclap.inference.Listener`.

    Returns:
        ``out``; rows in the order of ``files``, those that failed absent.

    Raises:
        FileNotFoundError: If there are no such files.
        ValueError: If candidates, window or files are bad, or no segment can be heard.
        OSError: If a result cannot be written, for example because the disk is full.
    """
    out = Path(out)
    hop = listing.check_windows(window, hop)
    if window is not None and window > LONGEST:
        msg = f"Bad window {window} s, expected at most {LONGEST} s, which are heard at once."
        raise ValueError(msg)
    _check_names(out, candidates)
    index = listing.listed(files)
    question = zeroshot.Question.of(model, candidates, template)
    listener = Listener(model, precision, compiled)
    settings = [window, hop, embeddings, compiled, str(listener.dtype), LONGEST]
    base = tables.fingerprint(content(model), _asked(model, candidates, template), settings)
    pieces = Pieces(out, base, lambda: listing.windows(index, window, hop), PIECE)
    if is_free(out) and pieces.done() and not pieces.folder.exists():
        return out
    with alone(out), progress.bar("Score voices", pieces.rows) as shown:
        if pieces.done():  # by the process that was waited for, or was killed at its very end
            shutil.rmtree(pieces.folder, ignore_errors=True)
            return out
        for path, piece in pieces:
            if not tables.is_current(path, path.stem):
                _score_piece(piece, path, listener, question, batch_seconds, embeddings)
            shown.update(len(piece))
        pieces.join()
    return out


def _check_names(out: Path, candidates: zeroshot.Candidates) -> None:
    if out.suffix != ".parquet":
        raise ValueError(f"Bad result {out.name!r}, expected a name that ends in .parquet.")
    if bad := [label for label in zeroshot.words(candidates) if label in RESERVED]:
        raise ValueError(f"Bad candidates {bad}, expected other names than those of {RESERVED}.")


def _asked(model: ParaCLAP, candidates: zeroshot.Candidates, template: str) -> list[Any]:
    """Labels, the tokens of what is asked, and how signals are prepared."""
    words = zeroshot.words(candidates)
    tokens = model.prepare(text=[zeroshot.fill(template, word) for word in words.values()])
    extractor = model.processor.feature_extractor if model.processor else None
    names = ("do_normalize", "shortest", "sampling_rate")
    prepared = [getattr(extractor, name, None) for name in names]
    return [list(words), tokens["input_ids"].tolist(), prepared]


# --- one piece ---------------------------------------------------------------------------------


def _score_piece(
    piece: pd.MultiIndex,
    path: Path,
    listener: Listener,
    question: zeroshot.Question,
    batch_seconds: float | None,
    embeddings: bool,
) -> None:
    """Score the segments of one piece and write them down, with the reasons of those that fail."""
    found, reasons = listen(piece, listener, batch_seconds)
    answers = question.answer(found)
    answers["reason"] = pd.Series(reasons, dtype="str")
    fields = dict.fromkeys(question.labels, pa.float32()) | {"prediction": pa.string()}
    if embeddings:
        answers["embedding"] = pd.Series(list(found), dtype=object)
        fields["embedding"] = pa.list_(pa.float32())
    write_piece(path, piece, answers, pa.schema(list((fields | {"reason": pa.string()}).items())))


# --- command line ------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m paraclap.scoring",
        description="Ask a model which candidate fits each voice best.",
    )
    parser.add_argument("model", help="folder or hub id of a model")
    parser.add_argument("files", help="folder, audio file, or CSV or Parquet table of segments")
    parser.add_argument(
        "--candidates", required=True, help="happy,sad or labels with their words: joy=happy,..."
    )
    parser.add_argument("--out", required=True, type=Path, help="Parquet file for the answers")
    parser.add_argument("--template", default="{}", help='such as "speaker is {}"')
    parser.add_argument("--window", type=float, help="seconds; default: each segment whole")
    parser.add_argument("--hop", type=float, help="seconds; default: half a window")
    parser.add_argument("--precision", default="auto", help="auto, float32 or bf16")
    parser.add_argument("--batch-seconds", type=float, help="default: what suits the device")
    parser.add_argument("--embeddings", action="store_true", help="write the embeddings too")
    parser.add_argument("--compiled", action="store_true", help="translate with torch.compile")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, ...")
    return parser


def candidates_of(text: str) -> dict[str, str] | list[str]:
    """Candidates of the command line.

    Examples:
        >>> candidates_of("happy, sad"), candidates_of("joy=happy,sad")
        (['happy', 'sad'], {'joy': 'happy', 'sad': 'sad'})

    Raises:
        ValueError: If a label is given two words.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if "=" not in text:
        return words
    pairs = [word.partition("=") for word in words]
    asked = {label.strip(): (said or label).strip() for label, _, said in pairs}
    if len(asked) < len(pairs):
        raise ValueError(f"Bad candidates {text!r}, expected each label once.")
    return asked


def _stop(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    args = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    settings = vars(args)
    folder, device = settings.pop("model"), settings.pop("device")
    try:
        candidates = candidates_of(settings.pop("candidates"))
        model = ParaCLAP.from_pretrained(folder).to(choose_device(device))
        out = score(model, candidates=candidates, **settings)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; run the same command again to go on.", file=sys.stderr)
        return 130
    print(f"{os.path.relpath(out)}: {_summary(out)}")
    return 0


def _summary(out: Path) -> str:
    rows = pq.ParquetFile(out).metadata.num_rows
    failed = out.with_name(f"{out.stem}_failed.csv")
    lost = len(tables.read_table(failed))
    return f"{rows} segments scored, {lost} could not be heard" + (
        f" (see {failed.name})." if lost else "."
    )


if __name__ == "__main__":
    sys.exit(main())
