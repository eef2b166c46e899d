"""How good are the answers? UAR and its company, with intervals over speakers.

Truth and prediction are sequences of labels of the same length. `labels` is the explicit, ordered
list of classes of the task; each of them must occur in the truth, and nothing else may occur.
Unweighted average recall (UAR) is the headline score: the mean over classes of the share found,
so that chance is 1 / classes however unbalanced the corpus. All scores lie in 0 to 1, the
concordance correlation coefficient in -1 to 1.

Source: section 3 of the paper (UAR); Lin, Biometrics 1989 (concordance).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import confusion_matrix, f1_score, recall_score

from paraclap.resampling import (
    LEAST_SPEAKERS,
    draw_segments,
    draw_speakers,
    redraw,
    widened,
)
from paraclap.templates import unknown_name

__all__ = [
    "LEAST_SPEAKERS",
    "Answers",
    "accuracy",
    "ccc",
    "codes",
    "confusion",
    "interval",
    "macro_f1",
    "redraw",
    "score_table",
    "speaker_codes",
    "uar",
    "widened",
]

Answers = Sequence[str] | pd.Series | npt.NDArray[Any]


def uar(truth: Answers, prediction: Answers, labels: Sequence[str]) -> float:
    """Mean over classes of the share of their segments that were found.

    Raises:
        ValueError: if a class has no truth, a label is unknown or missing, or lengths differ

    >>> uar(["a", "a", "b"], ["a", "b", "b"], ["a", "b"])
    0.75
    """
    t, p = codes(truth, prediction, labels)
    return float(recall_score(t, p, average="macro"))


def accuracy(truth: Answers, prediction: Answers, labels: Sequence[str]) -> float:
    """Share of segments answered rightly. Raises as `uar`."""
    t, p = codes(truth, prediction, labels)
    return float(np.mean(t == p))


def macro_f1(truth: Answers, prediction: Answers, labels: Sequence[str]) -> float:
    """Mean over classes of F1; a class that is never predicted counts 0. Raises as `uar`."""
    t, p = codes(truth, prediction, labels)
    return float(f1_score(t, p, average="macro"))


def confusion(
    truth: Answers, prediction: Answers, labels: Sequence[str], normalise: bool = False
) -> pd.DataFrame:
    """Count how often each class (row) was answered by each label (column).

    Args:
        truth: the true labels
        prediction: the labels given
        labels: the classes, in the order of rows and columns
        normalise: shares of the row instead of counts, so that the diagonal is the recall

    Raises:
        ValueError: as `uar`

    >>> confusion(["a", "a", "b"], ["a", "b", "b"], ["a", "b"]).to_numpy().tolist()
    [[1, 1], [0, 1]]
    """
    t, p = codes(truth, prediction, labels)
    shares = "true" if normalise else None
    counts = confusion_matrix(t, p, normalize=shares)
    rows = pd.Index(list(labels), name="truth")
    return pd.DataFrame(counts, index=rows, columns=pd.Index(list(labels), name="prediction"))


def ccc(truth: Answers, prediction: Answers) -> float:
    """Concordance correlation coefficient of numbers.

    Raises:
        ValueError: if lengths differ, a value is missing or infinite, or there are fewer than two

    >>> round(ccc([1.0, 2.0, 3.0], [1.0, 2.0, 4.0]), 3)
    0.857
    """
    t, p = np.asarray(truth, dtype=float), np.asarray(prediction, dtype=float)
    _check_lengths(len(t), len(p))
    bad = np.flatnonzero(~(np.isfinite(t) & np.isfinite(p)))
    if len(bad) or len(t) < 2:
        raise ValueError(
            f"{len(bad)} of {len(t)} values are missing or infinite (positions "
            f"{bad[:5].tolist()}), expected two or more finite ones: leave those rows out."
        )
    import audmetric  # here: a machine that only trains may have no audmetric

    return float(audmetric.concordance_cc(t, p))


def interval(
    truth: Answers,
    prediction: Answers,
    labels: Sequence[str],
    speakers: Answers | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """95 % bootstrap interval of the UAR, whole speakers drawn with replacement.

    Segments of one speaker resemble each other; drawing speakers keeps that in the interval. With
    fewer than 6 speakers, or none known, segments are drawn instead. A class that a draw misses
    is left out of the mean of that draw. Draws are spread as `resampling.widened` says.

    Args:
        truth: the true labels
        prediction: the labels given
        labels: the classes of the task
        speakers: who speaks, for each segment; None if unknown
        draws: how many bootstrap draws
        seed: of the draws

    Returns:
        the ends of the interval

    Raises:
        ValueError: as `uar`, or if a speaker is missing for some segments only

    >>> interval(["a", "b"] * 50, ["a", "b"] * 50, ["a", "b"])
    (1.0, 1.0)
    """
    if draws < 1:
        raise ValueError(f"Bad number of draws {draws}, expected at least 1.")
    t, p = codes(truth, prediction, labels)
    names = speaker_codes(speakers, len(t))
    counts = np.zeros((names.max() + 1, len(labels), 2))
    np.add.at(counts, (names, t, (t == p).astype(int)), 1)
    rng = np.random.default_rng(seed)
    many = len(counts) >= LEAST_SPEAKERS
    drawn = _mean_recall((draw_speakers if many else draw_segments)(counts, draws, rng))
    spread = widened(
        drawn, float(np.mean(_recall(counts.sum(axis=0)))), len(counts) if many else len(t)
    )
    low, high = np.quantile(spread, (0.025, 0.975)).clip(0, 1)
    return float(low), float(high)


def score_table(
    predictions: pd.DataFrame,
    tasks: Mapping[str, Sequence[str]],
    template: str | Mapping[str, str] = "{}",
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score every task.

    Args:
        predictions: one row a segment, columns `corpus`, `speaker`, `truth`, `prediction`; others,
            such as the score of each candidate, are not read
        tasks: name of the task, as it stands in `corpus` → its classes
        template: the sentence the candidates were put in, one for all or one a task
        draws: of the bootstrap
        seed: of the bootstrap

    Returns:
        one row a task: `task, classes, chance, n, speakers, template, uar, uar_low, uar_high,
        macro_f1, accuracy`; `speakers` is 0 where they are unknown

    Raises:
        ValueError: if a column or all rows of a task are missing, or as `uar`, naming the task
    """
    missing = [
        name for name in ("corpus", "speaker", "truth", "prediction") if name not in predictions
    ]
    if missing:
        raise ValueError(
            f"No column {missing} in the predictions, got {list(predictions.columns)[:5]}: add it."
        )
    rows = []
    for task, labels in tasks.items():
        own = predictions[predictions["corpus"] == task]
        if own.empty:
            raise ValueError(unknown_name("task", task, sorted(set(predictions["corpus"]))))
        text = template if isinstance(template, str) else template[task]
        try:
            rows.append({"task": task, **_score(own, labels, text, draws, seed)})
        except ValueError as error:
            raise ValueError(f"Task {task!r}: {error}") from error
    return pd.DataFrame(rows)


def _score(
    rows: pd.DataFrame, labels: Sequence[str], template: str, draws: int, seed: int
) -> dict[str, Any]:
    truth, prediction = rows["truth"], rows["prediction"]
    low, high = interval(truth, prediction, labels, rows["speaker"], draws, seed)
    return {
        "classes": len(labels),
        "chance": 1 / len(labels),
        "n": len(rows),
        "speakers": rows["speaker"].nunique(),
        "template": template,
        "uar": uar(truth, prediction, labels),
        "uar_low": low,
        "uar_high": high,
        "macro_f1": macro_f1(truth, prediction, labels),
        "accuracy": accuracy(truth, prediction, labels),
    }


def codes(
    truth: Answers, prediction: Answers, labels: Sequence[str]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Turn truth and prediction into positions in `labels`, each `(segments,)`. Raises as `uar`.

    Each position occurs in the truth, so that scores need not be told which classes there are.
    """
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise ValueError(f"Bad labels {list(labels)}, expected two or more distinct classes.")
    _check_lengths(len(truth), len(prediction))
    t, p = _code(truth, labels, "truth"), _code(prediction, labels, "prediction")
    absent = [label for i, label in enumerate(labels) if i not in set(t.tolist())]
    if absent:
        raise ValueError(
            f"No truth of {absent[:5]} among {len(t)} segments, expected each of {list(labels)}: "
            "its recall is not defined; leave the class out or add segments of it."
        )
    return t, p


def _check_lengths(truth: int, prediction: int) -> None:
    if truth != prediction or not truth:
        raise ValueError(
            f"Got {truth} truths and {prediction} predictions, expected one of each a segment."
        )


def _code(values: Answers, labels: Sequence[str], what: str) -> npt.NDArray[np.intp]:
    codes = pd.Index(list(labels)).get_indexer(pd.Index(list(values), dtype=object))
    bad = list(dict.fromkeys(str(values) for values in np.asarray(list(values), object)[codes < 0]))
    if bad:
        count = f" in the {what} ({int((codes < 0).sum())} segments)"
        raise ValueError(unknown_name("label", ", ".join(bad[:5]), labels, count))
    return codes


def speaker_codes(speakers: Answers | None, segments: int) -> npt.NDArray[np.intp]:
    """Number the speakers, `(segments,)`; a single one if they are unknown.

    Raises:
        ValueError: if a speaker is missing for some segments only, or their number differs
    """
    if speakers is None:
        return np.zeros(segments, dtype=np.intp)
    codes, _ = pd.factorize(pd.Series(list(speakers), dtype=object))
    _check_lengths(segments, len(codes))
    missing = int((codes < 0).sum())
    if 0 < missing < segments:
        raise ValueError(
            f"No speaker for {missing} of {segments} segments, expected all or none: name them."
        )
    return np.maximum(codes, 0)


def _mean_recall(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """UAR of each draw, `(draws,)`, over the classes it holds."""
    mean: npt.NDArray[np.float64] = np.nanmean(_recall(counts), axis=1)
    return mean


def _recall(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Recall of each class, `(…, classes)`, NaN where there is none of it."""
    totals = counts.sum(axis=-1)
    found: npt.NDArray[np.float64] = np.full_like(totals, np.nan)
    np.divide(counts[..., 1], totals, out=found, where=totals > 0)
    return found
