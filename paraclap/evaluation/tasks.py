"""Tasks of a labels table: classes, the words that ask for them, predictions and scores.

A *task* is a corpus with a test split whose column ``label`` has two classes or more; a column
``task:<name>`` holds the classes of a further task. ``candidates.csv`` has ``own`` words for
classes, those of the ``paper`` and of the ``released`` code. Chapters 5 and 6. Source: sections 3.2
and 3.3 of the paper; https://github.com/KeiKinn/ParaCLAP.
"""

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from paraclap.evaluation import metrics
from paraclap.evaluation.bootstrap import LEAST_SPEAKERS, bootstrap_interval
from paraclap.evaluation.zeroshot import Candidates, answer, encode_candidates
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings, embed_audio
from paraclap.queries import FEATURES, contrast, emotion_word, load_templates
from paraclap.queries.templates import NO_AGREEMENT
from paraclap.tables import unknown

CANDIDATES = ("own", "paper", "released")
FURTHER = "task:"  # prefix of columns with the classes of a further task
COLUMNS = ("corpus", "speaker", "truth", "prediction")  # of predictions, before the probabilities
SCORES = [
    *("task", "classes", "chance", "n", "speakers", "template"),
    *("uar", "uar_low", "uar_high", "macro_f1", "accuracy"),
]
Tasks = Mapping[str, Mapping[str, str]]  # task → class → word
Classes = Mapping[str, Collection[str]]  # task → classes, with or without words


def task_word(label: str, task: str = "", candidates: str = "own") -> str:
    """Word that asks for a class; ours stand in for what another set does not have.

    >>> task_word("sober"), task_word("anger"), task_word("anger", "tess", "paper")
    ('not intoxicated with alcohol', 'angry', 'anger')
    """
    if candidates not in CANDIDATES:
        raise ValueError(unknown("set of candidates", candidates, CANDIDATES))
    theirs, ours = (_words().get((name, label), {}) for name in (task, ""))
    return theirs.get(candidates) or ours.get("own") or emotion_word(label)


@cache
def _words() -> dict[Any, dict[Any, str]]:
    table = pd.read_csv(Path(__file__).with_name("candidates.csv"), keep_default_na=False)
    return table.set_index(["task", "label"]).to_dict("index")


def task_labels(labels: pd.DataFrame, task: str) -> pd.Series:
    """Class of every utterance in a task, missing where it has none."""
    classes = labels["label"].where(labels["corpus"] == task)
    return classes.fillna(labels.get(f"{FURTHER}{task}", classes))


def task_rows(labels: pd.DataFrame) -> pd.DataFrame:
    """Test utterances of tasks with two classes or more, once for each; ValueError if none is.

    ``corpus`` is the task and ``label`` the class, of which ``other`` is none.
    """
    test = _with_class(labels[labels["split"] == "test"])
    many = test.groupby("corpus")["label"].transform("nunique") >= 2
    if not many.any():
        msg = f"No task among {len(labels)} utterances, expected two classes in a test split:"
        raise ValueError(f"{msg} add labels (column 'label'), or draw other splits.")
    return test[many]


def _with_class(labels: pd.DataFrame) -> pd.DataFrame:
    """Utterances with a class of a task, once for each task."""
    further = [name.removeprefix(FURTHER) for name in map(str, labels) if name.startswith(FURTHER)]
    names = dict.fromkeys([*labels["corpus"], *further])
    parts = [labels.assign(corpus=name, label=task_labels(labels, name)) for name in names]
    each = pd.concat([labels.iloc[:0], *parts])
    return each[each["label"].notna() & ~each["label"].isin(["other", NO_AGREEMENT])]


def tasks(labels: pd.DataFrame, candidates: str = "own") -> dict[str, dict[str, str]]:
    """Tasks of a labels table: task → class → word, with the classes of :func:`task_rows`."""
    classes = task_rows(labels).groupby("corpus", sort=False)["label"].unique()
    return {
        str(task): {str(label): task_word(label, str(task), candidates) for label in sorted(names)}
        for task, names in classes.items()
    }


def remarks(labels: pd.DataFrame) -> list[str]:
    """What a reader of the scores needs to know of the tasks, one sentence each."""
    found: list[str] = []
    rows = task_rows(labels)
    for task, classes in _with_class(labels).groupby("corpus", sort=False)["label"]:
        test = rows[rows["corpus"] == task]
        if absent := sorted(set(classes) - set(test["label"])):
            why = "its test split has none, or only that"
            found.append(f"{task} goes without {', '.join(absent)}: {why}.")
        if 0 < (few := test["speaker"].nunique()) < LEAST_SPEAKERS:
            found.append(f"{task} has {few} speakers: its interval is over utterances only.")
    return found


def predict(
    model: ParaCLAP,
    labels: pd.DataFrame,
    tasks: Tasks,
    template: str = "speaker is {}",
    embeddings: Embeddings | None = None,
) -> pd.DataFrame:
    """Answer the question of each task for its utterances, whose embeddings may be given.

    Returns one row an utterance and task: :data:`COLUMNS` (``corpus`` is the task), then a
    probability per class of any task, missing where it is no candidate.
    """
    embeddings = embed_audio(model, labels) if embeddings is None else embeddings
    questions = {task: encode_candidates(model, words, template) for task, words in tasks.items()}
    return answer_tasks(labels, questions, embeddings)


def answer_tasks(
    labels: pd.DataFrame, questions: Mapping[str, Candidates], embeddings: Embeddings
) -> pd.DataFrame:
    """Answer encoded questions (task → candidates), as :func:`predict`."""
    parts = []
    for task, question in questions.items():
        if taken := set(question.labels) & set(COLUMNS):
            raise ValueError(f"Bad classes {sorted(taken)} of {task!r}: they name columns, rename.")
        classes = task_labels(labels, task)
        rows = classes.isin(question.labels).to_numpy()
        answers = answer(question, embeddings[rows]).set_axis(labels.index[rows])
        part = labels.loc[rows, ["corpus", "speaker"]].assign(corpus=task, truth=classes[rows])
        parts.append(part.assign(prediction=answers.pop("prediction")).join(answers))
    return pd.concat(parts)


def score(
    predictions: pd.DataFrame,
    tasks: Classes,
    template: str = "speaker is {}",
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score every task: a table of :data:`SCORES`; ``speakers`` is 0 where they are unknown.

    ``draws`` and ``seed`` are those of the bootstrap; the template is only kept. ValueError if a
    task has no predictions, or as ``metrics.uar``, naming the task.
    """
    rows = []
    for task, classes in tasks.items():
        part = predictions[predictions["corpus"] == task]
        if part.empty:
            raise ValueError(unknown("task", task, sorted(set(predictions["corpus"]))))
        given = part["truth"], part["prediction"], list(classes)
        try:
            uar, f1 = metrics.uar(*given), metrics.macro_f1(*given)
        except ValueError as error:
            raise ValueError(f"Task {task!r}: {error}") from error
        low, high = bootstrap_interval(*given, part["speaker"], draws, seed)
        size = [task, len(classes), 1 / len(classes), len(part), part["speaker"].nunique()]
        rows.append([*size, template, uar, low, high, f1, metrics.accuracy(*given)])
    return pd.DataFrame(rows, columns=SCORES)


def attribute_queries(levels: pd.DataFrame, templates: str = "paper") -> dict[str, tuple[str, str]]:
    """Queries for both ends, low and high, of each attribute that has levels and templates."""
    asked = {template.attribute for template in load_templates(templates)}
    names = [name for name in (*FEATURES, "gender") if name in levels and name in asked]
    return {name: contrast(name, templates) for name in names if levels[name].notna().any()}


def attribute_answers(
    model: ParaCLAP,
    labels: pd.DataFrame,
    embeddings: Embeddings,
    levels: pd.DataFrame,
    templates: str = "paper",
) -> pd.DataFrame:
    """Ask each attribute for its low or its high end, of utterances at one of the ends.

    ``levels`` is on the index of ``labels``. Returns :data:`COLUMNS`, where ``corpus`` is the
    attribute, of attributes with both ends.
    """
    parts = [pd.DataFrame(columns=COLUMNS)]
    for attribute, queries in attribute_queries(levels, templates).items():
        ends = levels[attribute].astype(object).replace({"female": "low", "male": "high"})
        at_end = ends.isin(["low", "high"]).to_numpy()
        if ends[at_end].nunique() == 2:
            question = encode_candidates(model, {"low": queries[0], "high": queries[1]})
            rows = labels.loc[at_end, ["speaker"]].assign(corpus=attribute, truth=ends[at_end])
            found = answer(question, embeddings[at_end])["prediction"]
            parts.append(rows.assign(prediction=found.to_numpy())[[*COLUMNS]])
    return pd.concat(parts)


def attribute_scores(
    model: ParaCLAP,
    labels: pd.DataFrame,
    embeddings: Embeddings,
    levels: pd.DataFrame,
    templates: str = "paper",
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """UAR of :func:`attribute_answers`: ``attribute, n, uar, uar_low, uar_high``, best first."""
    answers = attribute_answers(model, labels, embeddings, levels, templates)
    asked = dict.fromkeys(answers["corpus"], ("low", "high"))
    found = score(answers, asked, draws=draws, seed=seed).rename(columns={"task": "attribute"})
    found = found[["attribute", "n", "uar", "uar_low", "uar_high"]]
    return found.sort_values("uar", ascending=False, ignore_index=True)
