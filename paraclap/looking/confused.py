"""What do the mistakes sound like? A confusion matrix whose cells play what lies in them.

Rows are truths, columns answers; a row adds up to one, so that the diagonal holds the recalls. Of
each cell the voices are heard of which the model was surest: on the diagonal the clearest right
answers, elsewhere the mistakes that it was surest of.

Conventions: predictions on the audformat index (file, start, end), as `evaluation.predict` gives
them; probabilities and shares in 0 to 1; colours as hex values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paraclap import scores
from paraclap.looking import clips, fragment
from paraclap.looking.inks import ink
from paraclap.templates import unknown_name

EACH, MOST = 3, 120  # clips of a cell, and of a page


def busiest(found: pd.DataFrame, classes: int = 7) -> str:
    """The task to listen to: furthest above chance, among those whose matrix is no crowd.

    Args:
        found: `task, classes, chance, uar`
        classes: most of them; if all tasks have more, the one with fewest is taken

    Raises:
        ValueError: if there is no task
    """
    if found.empty:
        raise ValueError("No task to listen to, expected at least one row of scores.")
    small = found[found["classes"] <= max(classes, found["classes"].min())]
    many = small[small["classes"] > 2]
    rows = many if len(many) else small
    return str(rows.loc[(rows["uar"] - rows["chance"]).idxmax(), "task"])


def of_task(predictions: pd.DataFrame, task: str) -> pd.DataFrame:
    """Predictions of one task, with the columns of its own classes.

    Args:
        predictions: of several tasks: `corpus, truth, prediction`, and a probability per class
        task: its name

    Raises:
        ValueError: if there is no such task
    """
    own = predictions[predictions["corpus"] == task]
    if own.empty:
        raise ValueError(unknown_name("task", task, sorted(predictions["corpus"].unique())))
    return own.dropna(axis=1, how="all")


def examples(predictions: pd.DataFrame, each: int = EACH, most: int = MOST) -> pd.DataFrame:
    """Voices of each cell of which the model is surest.

    Args:
        predictions: of one task: `truth, prediction`, and a probability per class
        each: voices of a cell
        most: voices of all cells; where there are more, every cell loses its last ones first

    Returns:
        on the index of `predictions`, cell by cell, the surest first: `truth, prediction,
        p_truth, p_prediction`, and `place` in its cell, from 0
    """
    found = predictions[["truth", "prediction"]].astype("str")
    for side in ("truth", "prediction"):
        found[f"p_{side}"] = _of(predictions, side)
    found = found.sort_values("p_prediction", ascending=False, kind="stable")
    found["place"] = found.groupby(["truth", "prediction"]).cumcount()
    kept = found[found["place"] < each].sort_values("place", kind="stable").head(most)
    return kept.sort_values(["truth", "prediction", "place"], kind="stable")


def _of(predictions: pd.DataFrame, side: str) -> np.ndarray:
    """Probability of what the column `side` says, of each row."""
    names = [str(name) for name in predictions]
    places = [names.index(str(label)) for label in predictions[side]]
    rows = predictions.to_numpy(dtype=object)
    return rows[np.arange(len(predictions)), places].astype(float)


def largest(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Which class is taken for which, most often first: `truth, prediction, voices, share`.

    Args:
        predictions: of one task: `truth, prediction`
        classes: the task's
    """
    counts = scores.confusion(predictions["truth"], predictions["prediction"], classes)
    shares = counts.div(counts.sum(axis=1), axis=0)
    both = pd.DataFrame({"voices": counts.stack(), "share": shares.stack()}).reset_index()
    wrong = both[(both["truth"] != both["prediction"]) & (both["voices"] > 0)]
    return wrong.sort_values("share", ascending=False, kind="stable", ignore_index=True)


def between(
    predictions: pd.DataFrame, levels: pd.DataFrame, mistakes: pd.DataFrame
) -> pd.DataFrame:
    """Whether the mistaken voices are more like those of their class, or of that answered.

    The level of an attribute that is most frequent among the rightly answered voices of a class
    is taken for what is usual in it. Attributes count in which the two classes differ.

    Args:
        predictions: of one task: `truth, prediction`
        levels: of the same voices: a column per attribute, low, normal or high
        mistakes: `truth, prediction`, as `largest` gives them

    Returns:
        `truth, prediction, voices`, and: `differ`, the number of those attributes; `as_truth` and
        `as_prediction`, the share of the levels that are usual in either class; missing where a
        class has no right answer, or nothing differs
    """
    own = levels.loc[predictions.index]
    right = (predictions["truth"] == predictions["prediction"]).to_numpy()
    classes = sorted({*mistakes["truth"], *mistakes["prediction"]})
    usual = _usual(own[right], predictions.loc[right, "truth"].to_numpy()).reindex(classes)
    rows = []
    for truth, answer in zip(mistakes["truth"], mistakes["prediction"], strict=True):
        wrong = (predictions["truth"] == truth) & (predictions["prediction"] == answer)
        rows.append(_between(own[wrong.to_numpy()], usual.loc[truth], usual.loc[answer]))
    columns = ["differ", "as_truth", "as_prediction"]
    found = pd.DataFrame(rows, mistakes.index, columns)
    return mistakes[["truth", "prediction", "voices"]].join(found)


def _usual(levels: pd.DataFrame, classes: np.ndarray) -> pd.DataFrame:
    """The most frequent level of each attribute (column) in each class (row)."""
    names = sorted(set(classes))
    modes = [levels[classes == name].mode().reindex([0]).iloc[0] for name in names]
    return pd.DataFrame(modes, names, levels.columns)


def _between(voices: pd.DataFrame, truth: pd.Series, answer: pd.Series) -> tuple[int, float, float]:
    """In how many attributes two classes differ, and how often voices have the levels of either."""
    differ = (truth.notna() & answer.notna() & (truth != answer)).to_numpy()
    if not differ.any():
        return 0, np.nan, np.nan
    has = voices.loc[:, differ]
    shares = [float(has.eq(levels[differ]).to_numpy().mean()) for levels in (truth, answer)]
    return int(differ.sum()), shares[0], shares[1]


def matrix(
    predictions: pd.DataFrame,
    classes: Sequence[str],
    shown: pd.DataFrame,
    queries: Mapping[Any, Sequence[str]] | pd.Series,
    shades: Sequence[str],
    caption: str = "",
    store: Path | None = None,
) -> fragment.Fragment:
    """Put the matrix and its clips into one piece of a page.

    Args:
        predictions: of one task: `truth, prediction`
        classes: the task's, in the order of rows and columns
        shown: voices that can be heard, as `examples` gives them
        queries: those that hold, by segment
        shades: colours from no share to all of it
        caption: below it; empty where a notebook gives one
        store: folder of decoded signals, see :mod:`paraclap.signals`; None reads the files

    Raises:
        AudioError: if a voice cannot be read
        ValueError: if a truth has no voice, or an answer is no class
    """
    counts = scores.confusion(predictions["truth"], predictions["prediction"], classes).to_numpy()
    places = _places(shown)
    rows = []
    for truth, own in zip(classes, counts.astype(int).tolist(), strict=True):
        pairs = zip(classes, own, strict=True)
        cells = [_cell(truth, one, count, sum(own), places, shades) for one, count in pairs]
        rows.append((truth, cells))
    return fragment.render(
        "confused.html.jinja",
        f"a confusion matrix of {len(classes)} classes with {len(shown)} voices to listen to",
        _clips(shown, queries, store),
        ["voices.css", "confused.css"],
        ["voices.js", "confused.js"],
        rows=rows,
        classes=list(classes),
        caption=caption,
    )


def _places(shown: pd.DataFrame) -> dict[tuple[str, str], list[int]]:
    """The numbers of the clips of each cell."""
    found: dict[tuple[str, str], list[int]] = {}
    cells = zip(shown["truth"], shown["prediction"], strict=True)
    for number, cell in enumerate(cells):
        found.setdefault(cell, []).append(number)
    return found


def _cell(
    truth: str,
    answer: str,
    count: int,
    voices: int,
    places: Mapping[tuple[str, str], Sequence[int]],
    shades: Sequence[str],
) -> dict[str, Any]:
    """What a cell shows, and the numbers of its clips."""
    share = count / voices
    ground = shades[round(share * (len(shades) - 1))]
    said = f"{truth} answered {answer}: {share:.0%} ({count} of {voices} voices)"
    look = {"ground": ground, "ink": ink(ground), "right": truth == answer}
    shown = {"share": f"{share:.0%}", "count": count, "said": said}
    return {**shown, **look, "clips": places.get((truth, answer), [])}


def _clips(
    shown: pd.DataFrame, queries: Mapping[Any, Sequence[str]] | pd.Series, store: Path | None
) -> list[dict[str, Any]]:
    """What is heard and said of each voice."""
    signals = clips.read(shown.index, store)
    found = []
    for signal, (segment, row) in zip(signals, shown.iterrows(), strict=True):
        names = Path(str(segment[0])).parts[-2:] if isinstance(segment, tuple) else ()
        sure = [[row["truth"], round(float(row["p_truth"]), 3)]]
        if row["truth"] != row["prediction"]:
            sure.append([row["prediction"], round(float(row["p_prediction"]), 3)])
        holds = [str(query) for query in queries.get(segment, ())]
        sound = clips.address(signal)
        found.append({"file": "/".join(names), "sure": sure, "queries": holds, "sound": sound})
    return found
