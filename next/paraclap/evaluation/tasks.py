"""Tasks of a labels table: classes, the words that ask for them, predictions and scores.

A *task* is a corpus with a test split whose column ``label`` has two classes or more; a column
``task:<name>`` holds the classes of a further task over the same utterances. Each class is asked
for by a word in a template. Three sets of words: ``own`` (``tasks.csv``, and the adjectives of
emotions), and for the corpora of the paper ``paper`` and ``released`` (``candidates.csv``), the
names that the paper lists and those in the authors' code.

Utterances are embedded once, ``(n, d)`` float32 of unit length in the order of the labels table.
Chapters 5 and 6. Source: sections 3.2 and 3.3 of the paper; https://github.com/KeiKinn/ParaCLAP,
folder ``Data``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap.evaluation import metrics
from paraclap.evaluation.bootstrap import LEAST_SPEAKERS, bootstrap_interval
from paraclap.evaluation.zeroshot import answer, encode_candidates
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings, embed_audio, embed_text
from paraclap.queries import contrast
from paraclap.queries.levels import FEATURES
from paraclap.queries.templates import emotion_word, load_templates
from paraclap.tables import unknown

NO_CLASS = ("other", "no_agreement")
CANDIDATES = ("own", "paper", "released")
FURTHER = "task:"  # columns of a labels table with the classes of a further task
COLUMNS = ("corpus", "speaker", "truth", "prediction")  # of predictions, before the probabilities
SCORES = [
    *("task", "classes", "chance", "n", "speakers", "template"),
    *("uar", "uar_low", "uar_high", "macro_f1", "accuracy"),
]
ENDS = {"female": "low", "male": "high"}  # the two genders as ends of an attribute
Tasks = Mapping[str, Mapping[str, str]]
_FOLDER = Path(__file__).parent


def task_word(label: str, task: str = "", candidates: str = "own") -> str:
    """Word that asks for a class.

    ``candidates`` names the set; our own words stand in for what it does not have.

    Raises:
        ValueError: if there is no such set

    >>> task_word("sober"), task_word("anger"), task_word("anger", "tess", "paper")
    ('not intoxicated with alcohol', 'angry', 'anger')
    """
    if candidates not in CANDIDATES:
        raise ValueError(unknown("set of candidates", candidates, CANDIDATES))
    theirs = _candidates(candidates).get((task, label)) if candidates != "own" else None
    return theirs or _words().get(label) or emotion_word(label)


@cache
def _words() -> dict[str, str]:
    return dict(pd.read_csv(_FOLDER / "tasks.csv").to_numpy())


@cache
def _candidates(column: str) -> dict[tuple[str, str], str]:
    table = pd.read_csv(_FOLDER / "candidates.csv").set_index(["task", "label"])
    return dict(table[column])


def task_labels(labels: pd.DataFrame, task: str) -> pd.Series:
    """Class of every utterance in a task, missing where it has none."""
    own = labels["label"].where(labels["corpus"] == task)
    further = f"{FURTHER}{task}"
    return own.fillna(labels[further]) if further in labels else own


def task_rows(labels: pd.DataFrame) -> pd.DataFrame:
    """Test utterances that have a class, of tasks with two classes or more.

    Returns:
        rows of ``labels`` with the task as ``corpus`` and the class as ``label``; an utterance of
        several tasks comes several times

    Raises:
        ValueError: if there is none
    """
    test = _with_class(labels[labels["split"] == "test"])
    many = test.groupby("corpus")["label"].transform("nunique") >= 2
    if not many.any():
        raise ValueError(
            f"No task among {len(labels)} utterances, expected a corpus whose test split has two "
            "or more classes in the column 'label': name them, or draw the splits another way."
        )
    return test[many]


def _with_class(labels: pd.DataFrame) -> pd.DataFrame:
    """Utterances with a class of a task, once for each task."""
    columns = [str(name) for name in labels]
    further = [name.removeprefix(FURTHER) for name in columns if name.startswith(FURTHER)]
    names = dict.fromkeys([*labels["corpus"], *further])
    each = [labels.assign(corpus=name, label=task_labels(labels, name)) for name in names]
    parts = [part[part["label"].notna() & ~part["label"].isin(NO_CLASS)] for part in each]
    return pd.concat([part for part in parts if len(part)] or [labels.iloc[:0]])


def tasks(labels: pd.DataFrame, candidates: str = "own") -> dict[str, dict[str, str]]:
    """Tasks of a labels table, in the order of its corpora: task → class → word.

    Classes are those of the test split; ``other`` and missing labels are no classes.

    Raises:
        ValueError: as :func:`task_rows` and :func:`task_word`
    """
    classes = task_rows(labels).groupby("corpus", sort=False)["label"].unique()
    return {
        str(task): {str(label): task_word(label, str(task), candidates) for label in sorted(own)}
        for task, own in classes.items()
    }


def remarks(labels: pd.DataFrame) -> list[str]:
    """What a reader of the scores needs to know of the tasks, one sentence each."""
    found: list[str] = []
    classes, rows = tasks(labels), task_rows(labels)
    for name, own in _with_class(labels).groupby("corpus", sort=False)["label"]:
        task = str(name)
        absent = sorted(set(own) - set(classes.get(task, ())))
        if task not in classes:
            found.append(f"{task} is no task: its test split has fewer than two classes.")
        elif absent:
            found.append(f"{task} goes without {', '.join(absent)}: no test utterance has it.")
    counts = rows.groupby("corpus", sort=False)["speaker"].nunique()
    few = counts[counts < LEAST_SPEAKERS]
    found += [
        f"{task} has {n} speakers, too few to draw from: its interval is over utterances and says "
        "nothing about other speakers."
        for task, n in few.items()
    ]
    return found


def predict(
    model: ParaCLAP,
    labels: pd.DataFrame,
    tasks: Tasks,
    template: str = "speaker is {}",
    embeddings: Embeddings | None = None,
) -> pd.DataFrame:
    """Answer the question of each task for its utterances.

    Args:
        model: a trained model
        labels: labels table of the utterances
        tasks: task → class → word
        template: sentence with a slot for the word
        embeddings: of the utterances; computed here if left out

    Returns:
        one row an utterance and task: :data:`COLUMNS` (``corpus`` is the task), then a probability
        per class of any task, missing where it is no candidate

    Raises:
        ValueError: as ``zeroshot.encode_candidates``, or if a class is called like a column
    """
    embeddings = embed_audio(model, labels) if embeddings is None else embeddings
    parts = []
    for task, words in tasks.items():
        if taken := set(words) & set(COLUMNS):
            raise ValueError(f"Bad classes {sorted(taken)} of {task!r}: they name columns, rename.")
        classes = task_labels(labels, task)
        rows = classes.isin(list(words)).to_numpy()
        question = encode_candidates(model, words, template)
        answers = answer(question, embeddings[rows]).set_axis(labels.index[rows])
        own = labels.loc[rows, ["corpus", "speaker"]].assign(corpus=task, truth=classes[rows])
        parts.append(own.assign(prediction=answers.pop("prediction")).join(answers))
    return pd.concat(parts)


def score(
    predictions: pd.DataFrame,
    tasks: Mapping[str, Collection[str]],
    template: str = "speaker is {}",
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score every task.

    Args:
        predictions: as :func:`predict` gives them; probabilities are not read
        tasks: task → its classes (with or without words)
        template: the sentence of the candidates, to be kept with the scores
        draws: of the bootstrap over speakers
        seed: of the bootstrap

    Returns:
        one row a task, columns :data:`SCORES`; ``speakers`` is 0 where they are unknown

    Raises:
        ValueError: if a column or a task is missing, or as ``metrics.uar``, naming the task
    """
    if missing := [name for name in COLUMNS if name not in predictions]:
        got = [str(name) for name in predictions][:5]
        raise ValueError(f"No column {missing} in the predictions, got {got}: add it.")
    rows = []
    for task, classes in tasks.items():
        own = predictions[predictions["corpus"] == task]
        if own.empty:
            raise ValueError(unknown("task", task, sorted(set(predictions["corpus"]))))
        given = own["truth"], own["prediction"], list(classes)
        try:
            uar, f1 = metrics.uar(*given), metrics.macro_f1(*given)
        except ValueError as error:
            raise ValueError(f"Task {task!r}: {error}") from error
        low, high = bootstrap_interval(*given, own["speaker"], draws, seed)
        size = [task, len(classes), 1 / len(classes), len(own), own["speaker"].nunique(), template]
        rows.append([*size, uar, low, high, f1, metrics.accuracy(*given)])
    return pd.DataFrame(rows, columns=SCORES)


def attribute_queries(levels: pd.DataFrame, templates: str = "paper") -> dict[str, tuple[str, str]]:
    """Queries for the low and the high end of each attribute that has values and templates.

    Args:
        levels: a column per attribute, and gender
        templates: the template set
    """
    spoken = {template.attribute for template in load_templates(templates)}
    names = [name for name in (*FEATURES, "gender") if name in levels and name in spoken]
    return {name: contrast(name, templates) for name in names if levels[name].notna().any()}


def attribute_scores(
    model: ParaCLAP,
    labels: pd.DataFrame,
    embeddings: Embeddings,
    levels: pd.DataFrame,
    templates: str = "paper",
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """UAR of the question for the low or the high end, of utterances at one of the ends.

    Args:
        model: a trained model
        labels: labels table of the utterances
        embeddings: of the utterances
        levels: on the same index: a column of low, normal, high per attribute, and gender
        templates: the set that the two queries come from
        draws: of the bootstrap over speakers
        seed: of the bootstrap

    Returns:
        ``attribute, n, uar, uar_low, uar_high``, best first, of attributes with both ends
    """
    rows = []
    for attribute, queries in attribute_queries(levels, templates).items():
        ends = levels[attribute].astype(object).replace(ENDS if attribute == "gender" else {})
        at_end = ends.isin(["low", "high"]).to_numpy()
        if ends[at_end].nunique() < 2:
            continue
        question = encode_candidates(model, dict(zip(("low", "high"), queries, strict=True)))
        answers = answer(question, embeddings[at_end])["prediction"]
        given = (ends[at_end].to_numpy(), answers, ["low", "high"])
        low, high = bootstrap_interval(*given, labels["speaker"][at_end], draws, seed)
        size = {"attribute": attribute, "n": int(at_end.sum())}
        rows.append(size | {"uar": metrics.uar(*given), "uar_low": low, "uar_high": high})
    found = pd.DataFrame(rows, columns=["attribute", "n", "uar", "uar_low", "uar_high"])
    return found.sort_values("uar", ascending=False, ignore_index=True)


def together(scores: pd.DataFrame, attributes: pd.DataFrame) -> pd.DataFrame:
    """Tasks and attributes in one table: ``kind, task, chance, n, uar, uar_low, uar_high``."""
    asked = attributes.rename(columns={"attribute": "task"}).assign(chance=0.5)
    both = pd.concat([scores.assign(kind="task"), asked.assign(kind="attribute")])
    names = ["kind", "task", "chance", "n", "uar", "uar_low", "uar_high"]
    return both[names].reset_index(drop=True)


def nearest(
    model: ParaCLAP, labels: pd.DataFrame, embeddings: Embeddings, query: str, n: int = 3
) -> pd.DataFrame:
    """The ``n`` utterances that fit a query best, and the ``n`` that fit it worst.

    Returns:
        rows of ``labels`` with the column ``similarity`` (cosine), best first
    """
    similarity = embeddings @ embed_text(model, [query])[0]
    order = np.argsort(-similarity, kind="stable")
    chosen = order if len(order) <= 2 * n else np.concatenate([order[:n], order[-n:]])
    return labels.iloc[chosen].assign(similarity=similarity[chosen])
