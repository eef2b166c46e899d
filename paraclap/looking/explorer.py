"""Which voices are closest to a sentence, which are farthest, and of which is it true?

The queries of `told` against the voices of a page: a table of cosines, so small that the page
carries it and needs no model. A reader types a part of a query, chooses one, and hears both ends.

Conventions: tables of queries and truths are those of `told`; cosines have the shape
`(queries, voices)`. A voice of which it is not known whether a query is true counts nowhere.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap import audio
from paraclap.looking import clips
from paraclap.looking.fragment import Fragment, name_of, render
from paraclap.looking.voice_map import HEIGHT, WIDTH, name, positions

SHOWN = 4  # voices at each end
_STEPS = 32_767  # of a cosine in the page
_SIGNS = {1: "1", 0: "0", -1: "?"}


def precision(
    cosines: npt.NDArray[Any], truths: npt.NDArray[np.int8], k: int = SHOWN
) -> pd.DataFrame:
    """How many of the voices closest to each query it is true of.

    Args:
        cosines: shape `(queries, voices)`
        truths: the same shape
        k: voices at each end

    Returns:
        a row a query: `closest` and `farthest`, shares among the k at that end, and `chance`, the
        share among all; missing where nothing is known
    """
    order = np.argsort(-cosines, axis=1, kind="stable")
    sorted_truths = np.take_along_axis(truths, order, axis=1)
    ends = {"closest": sorted_truths[:, :k], "farthest": sorted_truths[:, -k:], "chance": truths}
    return pd.DataFrame({end: _share(values) for end, values in ends.items()})


def _share(truths: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
    """Share of the known ones that are true, a row each."""
    known = (truths >= 0).sum(axis=1)
    return np.where(known, (truths == 1).sum(axis=1) / np.maximum(known, 1), np.nan)


def closest(
    cosines: npt.NDArray[Any], truths: npt.NDArray[np.int8], queries: pd.DataFrame, n: int = 3
) -> list[list[str]]:
    """Queries closest to every voice, as lines: the query, its cosine, whether it is true.

    Args:
        cosines: shape `(queries, voices)`
        truths: the same shape
        queries: as `told.vocabulary` gives them
        n: how many of each voice
    """
    said = queries["query"].to_numpy()
    words = {1: "true", 0: "not true", -1: "not known"}
    best = np.argsort(-cosines, axis=0, kind="stable")[:n].T
    return [
        [f"{said[at]} ({cosines[at, row]:.2f}, {words[int(truths[at, row])]})" for at in own]
        for row, own in enumerate(best)
    ]


def packed(cosines: npt.NDArray[Any]) -> str:
    """A table of cosines as base64 of 16-bit integers, row by row, little end first.

    Raises:
        ValueError: if a value is not in -1 … 1
    """
    if not (np.abs(cosines) <= 1 + 1e-5).all():
        raise ValueError("Bad cosines, expected values in -1 ... 1: embeddings of unit length.")
    steps = np.round(np.clip(cosines, -1, 1) * _STEPS).astype("<i2")
    return base64.b64encode(steps.tobytes()).decode()


def unpacked(text: str, queries: int) -> npt.NDArray[np.float64]:
    """The table that `packed` has written, within half a step of 1/32767.

    Args:
        text: base64
        queries: rows of the table
    """
    steps = np.frombuffer(base64.b64decode(text), "<i2")
    return steps.reshape(queries, -1) / _STEPS


def show(
    voices: pd.DataFrame,
    queries: pd.DataFrame,
    cosines: npt.NDArray[Any],
    truths: npt.NDArray[np.int8],
    signals: Sequence[audio.Signal],
    colours: Mapping[str, str],
    first: str = "",
    *,
    carried: bool = True,
    caption: str = "",
) -> Fragment:
    """Make the explorer.

    Args:
        voices: table of voices with `x`, `y`, as `voice_map` shows
        queries: as `told.vocabulary` gives them
        cosines: shape `(queries, voices)`
        truths: the same shape
        signals: of the voices, 16 kHz
        colours: of a voice that a query is true of, and of another: `true`, `false`
        first: the query that is shown first; the first of all when empty
        carried: whether the piece carries the signals; if not, a map of the same voices in the
            same page does
        caption: below it; empty where a notebook gives one

    Raises:
        ValueError: if shapes do not fit, or `first` is no query
    """
    said = queries["query"].tolist()
    _check(cosines, truths, signals, (len(queries), len(voices)))
    if first and first not in said:
        raise ValueError(f"Unknown query {first!r}, expected one of {said[:5]} or another of them.")
    sounds = [clips.address(signal) for signal in signals]
    labels = _labels(voices)
    xy = positions(voices[["x", "y"]].to_numpy(float)).tolist()
    data = {
        "set": name_of(sounds),
        "clips": sounds if carried else None,
        "voices": labels,
        "places": xy,
        "queries": queries[["query", "attribute"]].to_numpy().tolist(),
        "cosines": packed(cosines),
        "steps": _STEPS,
        "truths": ["".join(_SIGNS[int(one)] for one in row) for row in truths],
        "shown": min(SHOWN, len(voices) // 2),
        "first": said.index(first) if first else 0,
        "colours": dict(colours),
    }
    return render(
        "explorer.html.jinja",
        f"{len(queries)} queries and {len(voices)} voices",
        data,
        ("voices.css", "explorer.css"),
        ("voices.js", "explorer.js"),
        rows=_rows(queries, cosines, truths, [label[0] for label in labels]),
        shown=SHOWN,
        count=len(voices),
        places=xy,
        box=(WIDTH, HEIGHT),
        caption=caption,
    )


def _check(
    cosines: npt.NDArray[Any],
    truths: npt.NDArray[np.int8],
    signals: Sequence[audio.Signal],
    shape: tuple[int, int],
) -> None:
    if cosines.shape != shape or truths.shape != shape or len(signals) != shape[1]:
        raise ValueError(
            f"Got cosines {cosines.shape}, truths {truths.shape} and {len(signals)} signals, "
            f"expected {shape[0]} queries and {shape[1]} voices of each."
        )


def _labels(voices: pd.DataFrame) -> list[tuple[str, str]]:
    """What is shown of a voice in a list: what it is, and where it is from."""
    columns = [column for column in ("emotion", "gender") if column in voices]
    known = voices[columns].to_dict("records")
    said = [", ".join(str(one) for one in row.values() if not pd.isna(one)) for row in known]
    own = [one or str(truth) for one, truth in zip(said, voices["truth"], strict=True)]
    return list(zip(own, [name(segment) for segment in voices.index], strict=True))


def _rows(
    queries: pd.DataFrame,
    cosines: npt.NDArray[Any],
    truths: npt.NDArray[np.int8],
    names: Sequence[str],
) -> list[tuple[str, ...]]:
    """All queries as lines of a table: query, attribute, closest voice, farthest, shares."""
    shares = precision(cosines, truths)
    ends = zip(cosines.argmax(axis=1), cosines.argmin(axis=1), strict=True)
    return [
        (query, attribute, names[near], names[far], *_percent(share))
        for (query, attribute), (near, far), share in zip(
            queries[["query", "attribute"]].itertuples(index=False),
            ends,
            shares.itertuples(index=False),
            strict=True,
        )
    ]


def _percent(shares: Sequence[float]) -> list[str]:
    return ["not known" if np.isnan(share) else f"{share:.0%}" for share in shares]
