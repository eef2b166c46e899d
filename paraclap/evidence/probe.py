"""What do a few labelled voices bring? A linear probe on frozen embeddings, by voices a class.

A logistic regression learns the classes of a task from `k` voices of each class and is asked about
test voices of other speakers. Where the corpus of a task has a train or dev split, the voices are
drawn from there; where it is there for testing only, from folds of its test split: every voice is
asked once, by a probe that has met none of its speaker (with two speakers: by that of the other).
A class with fewer than `k` voices gives all it has, and `fewest` says how many that were.

The same voices are drawn for all systems, and those of a smaller `k` are among those of a larger
one. Embeddings or features are standardised by all voices that could be drawn, whose labels are not
looked at. The score is the mean over several draws; its *spread* is the standard deviation over
draws, its interval is over speakers (utterances, where these are fewer than 6).

Conventions: vectors `(voices, size)` in the order of the table of voices. UAR lies in 0 to 1.
Source: Radford et al., ICML 2021, section 3.1 (zero-shot beside a linear probe by shots).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from paraclap import scores
from paraclap.evidence.weighted import units

Vectors = npt.NDArray[Any]
Rows = npt.NDArray[np.intp]
SHOTS = (1, 4, 16, 64)
COLUMNS = ["system", "k", "fewest", "source", "draws", "chance", "uar", "spread"]
COLUMNS += ["uar_low", "uar_high"]
FOLDS = 5
STRENGTH = 0.01  # C of the regression, by the dev split of the built-in corpora


def curves(
    systems: Mapping[str, pd.DataFrame],
    asked: pd.DataFrame,
    learn: pd.DataFrame,
    tasks: Mapping[str, Sequence[str]],
    counts: Sequence[int] = SHOTS,
    draws: int = 5,
    seed: int = 0,
    redraws: int = 1000,
) -> pd.DataFrame:
    """Score probes of all systems on every task, see `curve`.

    Args:
        systems: name → vectors, on an index that holds that of the voices
        asked: test voices, as `tasks.asked` gives them: `corpus` is the task
        learn: as `voices_to_learn_from` gives them, of all tasks
        tasks: task → its classes; one of a single speaker, or of unnamed ones, is left out with
            a line
        counts: voices a class
        draws: of the voices to learn from
        seed: of the draws
        redraws: of the bootstrap over speakers

    Returns:
        `task`, then as `curve`
    """
    parts = [pd.DataFrame(columns=["task", *COLUMNS])]
    for task, classes in tasks.items():
        own = asked[(asked["corpus"] == task) & asked["label"].isin(list(classes))]
        voices = pd.concat([own, learn[learn["corpus"] == task]])
        if voices["speaker"].isna().any() or voices["speaker"].nunique() < 2:
            print(f"Left out {task}: there are no voices of other, named speakers to learn from.")
            continue
        vectors = {name: table.loc[voices.index].to_numpy(float) for name, table in systems.items()}
        scored = curve(vectors, voices, list(classes), counts, draws, seed, redraws)
        parts.append(scored.assign(task=task)[list(parts[0])])
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def voices_to_learn_from(
    labels: pd.DataFrame, tasks: Mapping[str, Sequence[str]], most: int = 128, seed: int = 0
) -> pd.DataFrame:
    """Voices of train and dev splits that shots may be drawn from.

    Args:
        labels: labels table
        tasks: task, the name of its corpus → its classes
        most: of each class, drawn where there are more
        seed: of the draw

    Returns:
        rows of `labels`, none of corpora that are there for testing only; no speaker of the test
        split of a corpus is among them
    """
    parts = [labels.iloc[:0]]
    for task, classes in tasks.items():
        own = labels[labels["corpus"] == task]
        tested = set(own.loc[own["split"] == "test", "speaker"].dropna())
        known = own[(own["split"] != "test") & own["label"].isin(list(classes))]
        mixed = known[~known["speaker"].isin(tested)].sample(frac=1, random_state=seed)
        parts.append(mixed[mixed.groupby("label").cumcount() < most])
    return pd.concat(parts)


def folds(test: pd.DataFrame, learn: pd.DataFrame) -> list[tuple[Rows, Rows]]:
    """Who learns from whom: rows to learn from and rows asked, of `test` followed by `learn`.

    Args:
        test: labels table of the voices asked
        learn: of those of other splits; folds of `test` are made if there are none

    Raises:
        ValueError: if folds are needed and fewer than two speakers are known
    """
    asked = np.arange(len(test))
    if len(learn):
        return [(len(test) + np.arange(len(learn)), asked)]
    speakers = test["speaker"]
    count = speakers.nunique()
    if count < 2 or speakers.isna().any():
        raise ValueError(
            f"{count} speakers named for {len(test)} voices, expected two or more and a name for "
            "each voice: a probe must not meet the speakers it is asked about."
        )
    parts = GroupKFold(min(FOLDS, count)).split(asked, groups=speakers.to_numpy(object))
    return [(np.asarray(learned), np.asarray(others)) for learned, others in parts]


def shots(labels: npt.NDArray[np.object_], k: int, rng: np.random.Generator) -> Rows:
    """Draw `k` voices of each class, all of a class that has fewer; as places in `labels`.

    The same state of chance gives the voices of a smaller `k` among those of a larger one.
    """
    mixed = rng.permutation(len(labels))
    place = pd.Series(labels[mixed]).groupby(labels[mixed]).cumcount().to_numpy()
    return np.sort(mixed[place < k])


def curve(
    systems: Mapping[str, Vectors],
    voices: pd.DataFrame,
    classes: Sequence[str],
    counts: Sequence[int] = SHOTS,
    draws: int = 5,
    seed: int = 0,
    redraws: int = 1000,
) -> pd.DataFrame:
    """Score probes of all systems on one task, by voices a class.

    Args:
        systems: name → vectors of `voices`
        voices: labels table of the test voices of the task and, if there are, of those to learn
            from, `voices_to_learn_from`
        classes: of the task
        counts: voices a class
        draws: of the voices to learn from
        seed: of the draws
        redraws: of the bootstrap over speakers

    Returns:
        `system, k, fewest, source, draws, chance, uar, spread, uar_low, uar_high`

    Raises:
        ValueError: if vectors and voices differ in number, or as `folds`
    """
    _check(systems, voices)
    order = np.argsort((voices["split"] != "test").to_numpy(), kind="stable")
    voices = voices.iloc[order]
    tested = (voices["split"] == "test").to_numpy()
    parts = folds(voices[tested], voices[~tested])
    source = "train and dev" if len(parts) == 1 else f"{len(parts)} folds of test"
    rows = []
    for system, vectors in systems.items():
        for k in counts:
            given, fewest = _answers(vectors[order], voices, classes, parts, k, draws, seed)
            score = _scored(voices[tested], given, classes, seed, redraws)
            told = {"system": system, "k": k, "fewest": fewest, "source": source, "draws": draws}
            rows.append(told | {"chance": 1 / len(classes)} | score)
    return pd.DataFrame(rows)


def _answers(
    vectors: Vectors,
    voices: pd.DataFrame,
    classes: Sequence[str],
    parts: Sequence[tuple[Rows, Rows]],
    k: int,
    draws: int,
    seed: int,
) -> tuple[npt.NDArray[np.object_], int]:
    """Answers of every draw about the test voices, `(draws, test)`, and the fewest of a class."""
    labels = voices["label"].to_numpy(object)
    given = np.empty((draws, int((voices["split"] == "test").sum())), dtype=object)
    fewest = k
    for number, (learned, asked) in enumerate(parts):
        known = vectors[learned]
        scaled = (vectors - known.mean(axis=0)) / np.maximum(known.std(axis=0), 1e-9)
        for draw in range(draws):
            drawn = learned[shots(labels[learned], k, np.random.default_rng([seed, draw, number]))]
            given[draw, asked] = _probe(scaled[drawn], labels[drawn], scaled[asked])
            fewest = min(fewest, *(int((labels[drawn] == label).sum()) for label in classes))
    return given, fewest


def _probe(
    known: Vectors, labels: npt.NDArray[np.object_], asked: Vectors
) -> npt.NDArray[np.object_]:
    """Answers of a regression; those of the only class, where there is one."""
    if len(set(labels)) < 2:
        return np.full(len(asked), labels[0], dtype=object)
    regression = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=500)
    return np.asarray(regression.fit(known, labels).predict(asked), dtype=object)


def _scored(
    test: pd.DataFrame,
    given: npt.NDArray[np.object_],
    classes: Sequence[str],
    seed: int,
    redraws: int,
) -> dict[str, float]:
    """Mean and spread over draws, and the interval of the mean over speakers.

    A voice comes once a draw in the answers laid end to end, so that their UAR is the mean over
    draws, and drawing its speaker draws all of them.
    """
    truth, draws = test["label"].to_numpy(object), len(given)
    each = [scores.uar(truth, one, classes) for one in given]
    who, _ = units(test["speaker"], len(test))
    laid = np.tile(truth, draws), given.ravel(), classes, np.tile(who, draws)
    low, high = scores.interval(*laid, redraws, seed)
    spread = float(np.std(each, ddof=1)) if draws > 1 else np.nan
    return {"uar": float(np.mean(each)), "spread": spread, "uar_low": low, "uar_high": high}


def _check(systems: Mapping[str, Vectors], voices: pd.DataFrame) -> None:
    for name, vectors in systems.items():
        if vectors.ndim != 2 or len(vectors) != len(voices):
            raise ValueError(
                f"Vectors {vectors.shape} of {name!r} for {len(voices)} voices, expected one row "
                "a voice."
            )
        bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(bad):
            raise ValueError(
                f"Missing or infinite values of {name!r} in {len(bad)} of {len(voices)} voices "
                f"(rows {bad[:5].tolist()}): leave these voices out."
            )
