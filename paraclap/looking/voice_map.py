"""Which voices lie beside each other, and what is true of them? A map whose points play.

The map is a picture of a voice per point. Where scripts run it is more: a point that is pointed at,
or reached with the arrow keys, shows what is known of its voice; a click or the enter key plays it.
The reader chooses what colours the points; each class has a shape of its own besides.

Conventions: a table of voices is on the audformat index (file, start, end), with the columns of
`draw` and, joined to them, `x`, `y` and levels; whatever else is given of the voices is in its
order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap import audio
from paraclap.looking import clips
from paraclap.looking.fragment import Fragment, name_of, render
from paraclap.tables import report

WIDTH, HEIGHT, MARGIN = 480, 420, 16  # of the picture, in its own units
UNKNOWN = "unknown"
NAMES = {
    "truth": "class",
    "prediction": "answer of the model",
    "pitch": "pitch level",
    "loudness": "loudness level",
    "duration": "duration level",
}
# Each has about the area of a circle of radius 5.
SHAPES = {
    "circle": "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0Z",
    "square": "M-4.5,-4.5h9v9h-9Z",
    "triangle": "M0,-6L5.6,4.4H-5.6Z",
    "diamond": "M0,-6.2L5.4,0L0,6.2L-5.4,0Z",
    "plus": "M-2,-6h4v4h4v4h-4v4h-4v-4h-4v-4h4Z",
    "star": "M0,-6.8L1.7,-2.3L6.5,-2.1L2.8,.9L4,5.5L0,2.9L-4,5.5L-2.8,.9L-6.5,-2.1L-1.7,-2.3Z",
    "wedge": "M0,6L5.6,-4.4H-5.6Z",
    "cross": "M2.8,-5.7L5.7,-2.8L2.8,0L5.7,2.8L2.8,5.7L0,2.8L-2.8,5.7L-5.7,2.8L-2.8,0L-5.7,-2.8"
    "L-2.8,-5.7L0,-2.8Z",
}


def draw(labels: pd.DataFrame, predictions: pd.DataFrame, n: int, seed: int = 0) -> pd.DataFrame:
    """Draw voices for a map from those that the model has answered, alike many of each emotion.

    Args:
        labels: labels table
        predictions: as :func:`paraclap.evaluation.predict` gives them
        n: how many voices, about: as many of each emotion, or all of an emotion that has fewer;
            classes take the place of emotions where none is known
        seed: of the draw

    Returns:
        `corpus, speaker, emotion, gender, truth, prediction, probability` (of the prediction), in
        random order

    Raises:
        ValueError: if `n` is below three, or a voice has no label
    """
    if n < 3:
        raise ValueError(f"Bad number of voices {n} for a map, expected three or more.")
    answers = predictions[~predictions.index.duplicated()]
    absent = pd.Series(~answers.index.isin(labels.index), answers.index)
    report(answers, absent, "truth", "the predictions", "voices of the labels table")
    known = labels.loc[answers.index, ["corpus", "speaker", "emotion", "gender"]]
    voices = known.join(answers[["truth", "prediction"]])
    drawn = _alike_many(voices, "emotion" if known["emotion"].notna().any() else "truth", n, seed)
    sure = [answers.at[row, name] for row, name in drawn["prediction"].items()]
    return drawn.assign(probability=np.asarray(sure, float))


def _alike_many(voices: pd.DataFrame, column: str, n: int, seed: int) -> pd.DataFrame:
    """As many rows of each class of a column, at least one, those without a class left out."""
    mixed = voices[voices[column].notna()].sample(frac=1, random_state=seed)
    each = max(1, n // max(1, mixed[column].nunique()))
    few = mixed.groupby(column, sort=False).head(each)
    rest = mixed[~mixed.index.isin(few.index)].head(max(0, n - len(few)))
    return pd.concat([few, rest]).head(max(n, 3)).sample(frac=1, random_state=seed)


def classes(column: pd.Series, colours: Mapping[str, str]) -> list[tuple[str, str, str, int]]:
    """Classes of what colours a map: word, colour, shape and how many voices have it.

    Args:
        column: a word a voice
        colours: word → colour, in the order of the legend; each with a voice at least is taken

    Raises:
        ValueError: if a word has no colour
    """
    counts = column.astype(object).value_counts()  # not of categories that no voice has
    bad = sorted(set(map(str, counts.index)) - set(colours))
    if bad:
        msg = f"No colour for {bad[:5]} in {column.name!r}, expected one of {list(colours)}."
        raise ValueError(msg)
    words = [word for word in colours if word in counts.index]
    shapes = list(SHAPES)
    return [
        (word, colours[word], shapes[place % len(shapes)], int(counts[word]))
        for place, word in enumerate(words)
    ]


def positions(places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Places as positions in the picture, both directions in the same scale, centred.

    Args:
        places: shape `(voices, 2)`

    Returns:
        the same shape, within the margins of the picture, y downwards
    """
    low, high = places.min(axis=0), places.max(axis=0)
    room = np.array([WIDTH, HEIGHT]) - 2 * MARGIN
    scale = float((room / np.maximum(high - low, 1e-12)).min())
    middle = np.array([WIDTH, HEIGHT]) / 2
    centred = (places - (low + high) / 2) * scale * np.array([1, -1])
    return np.asarray(np.round(middle + centred, 1), np.float64)


def name(segment: tuple[Any, ...]) -> str:
    """Last two parts of a file's path, and where the segment starts if not with the file."""
    start = pd.Timedelta(segment[1]).total_seconds()
    file = "/".join(Path(str(segment[0])).parts[-2:])
    return f"{file}, from {start:.1f} s" if start else file


def show(
    voices: pd.DataFrame,
    queries: Sequence[Sequence[str]],
    closest: Sequence[Sequence[str]],
    signals: Sequence[audio.Signal],
    colours: Mapping[str, Mapping[str, str]],
    caption: str = "",
) -> Fragment:
    """Make the map.

    Args:
        voices: table of voices with `x`, `y` and each column that colours
        queries: those that hold, of each voice
        closest: what is closest to each voice among queries, a line each
        signals: of the voices, 16 kHz
        colours: column → word → colour (`#rrggbb`), the first column colours the picture
        caption: below it; empty where a notebook gives one

    Raises:
        ValueError: if something is not given of every voice, or a word has no colour
    """
    _check(voices, queries=queries, closest=closest, signals=signals)
    choices = {column: classes(voices[column], own) for column, own in colours.items()}
    sounds = [clips.address(signal) for signal in signals]
    xy = positions(voices[["x", "y"]].to_numpy(float))
    said, ids = _numbered(queries)
    data = {
        "set": name_of(sounds),
        "clips": sounds,
        "choices": [
            {"name": NAMES.get(column, column), "classes": own, "of": _of(voices[column], own)}
            for column, own in choices.items()
        ],
        "queries": said,
        "voices": [
            {"name": called(row), "facts": facts(row), "holds": ids[at], "closest": closest[at]}
            for at, row in enumerate(_rows(voices))
        ],
        "places": xy.tolist(),
        "shapes": SHAPES,
    }
    drawn = _marks(voices, xy, next(iter(choices)), next(iter(choices.values())))
    return render(
        "voice_map.html.jinja",
        f"map of {len(voices)} voices",
        data,
        ("voices.css", "voice_map.css"),
        ("voices.js", "voice_map.js"),
        name=data["set"],
        marks=drawn,
        width=WIDTH,
        height=HEIGHT,
        caption=caption,
        choices=data["choices"],
        shapes=SHAPES,
    )


def _check(voices: pd.DataFrame, **given: Sequence[Any]) -> None:
    for what, values in given.items():
        if len(values) != len(voices):
            msg = f"Got {what} of {len(values)} voices, expected {len(voices)}, one for each row."
            raise ValueError(msg)


def _rows(voices: pd.DataFrame) -> list[dict[str, Any]]:
    names = [name(segment) for segment in voices.index]
    return voices.assign(file=names).to_dict("records")  # type: ignore[return-value]


def called(row: Mapping[str, Any]) -> str:
    """What a voice is called: its class, its corpus and its file."""
    return f"{row['truth']}, {row['corpus']}, {row['file']}"


def facts(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is known of a voice, and what the model answers: name and value."""
    right = "right" if row["truth"] == row["prediction"] else "wrong"
    answer = f"{row['prediction']} ({row['probability']:.0%}), {right}"
    given = {"file": row["file"], "corpus": row["corpus"], "class": row["truth"], "answer": answer}
    more = {key: row[key] for key in ("emotion", "gender", "speaker") if not pd.isna(row.get(key))}
    return [(key, str(value)) for key, value in (given | more).items()]


def _numbered(queries: Sequence[Sequence[str]]) -> tuple[list[str], list[list[int]]]:
    """All different queries, and for each voice the numbers of its own."""
    said = list(dict.fromkeys(query for own in queries for query in own))
    number = {query: place for place, query in enumerate(said)}
    return said, [[number[query] for query in own] for own in queries]


def _of(column: pd.Series, own: Sequence[tuple[str, str, str, int]]) -> list[int]:
    """Number of each voice's class, -1 where it is not known."""
    number = {word: place for place, (word, *_) in enumerate(own)}
    return [number.get(word, -1) for word in column]


def _marks(
    voices: pd.DataFrame,
    xy: npt.NDArray[np.float64],
    column: str,
    own: Sequence[tuple[str, str, str, int]],
) -> list[dict[str, Any]]:
    looks = {word: (colour, SHAPES[shape]) for word, colour, shape, _ in own}
    marks = []
    for row, (x, y) in zip(_rows(voices), xy.tolist(), strict=True):
        colour, path = looks.get(row[column], ("none", SHAPES["circle"]))
        marks.append({"x": x, "y": y, "colour": colour, "path": path, "name": called(row)})
    return marks
