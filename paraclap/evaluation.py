"""How well does a model answer? Predictions, attributes, references, and groups of voices.

The tasks are those of `tasks`, each of their words put into one template. Voices are embedded once;
everything here works on these embeddings, float32 of unit length, one row a voice, in the order of
the table of voices given beside them.

Conventions: predictions are on the audformat index (file, start, end); recall, UAR and
probabilities lie in 0 to 1. Source: section 3.3 of the paper.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap import references, scores, zeroshot
from paraclap.model import ParaCLAP
from paraclap.queries import contrast
from paraclap.tasks import NO_CLASS, Tasks, asked, remarks, synonyms, task_word, tasks, truth
from paraclap.templates import NUMERIC, sentences

__all__ = [
    "asked",
    "attribute_queries",
    "attributes",
    "by_group",
    "by_session",
    "nearest",
    "one_each",
    "other_words",
    "predict",
    "recalls",
    "reference_scores",
    "remarks",
    "score",
    "task_word",
    "tasks",
    "together",
]

GENDER_LEVELS = {"female": "low", "male": "high"}
Embeddings = npt.NDArray[np.float32]


def predict(
    model: ParaCLAP,
    voices: pd.DataFrame,
    tasks: Tasks,
    template: str = "speaker is {}",
    embeddings: Embeddings | None = None,
) -> pd.DataFrame:
    """Ask every voice the questions of the tasks it belongs to.

    Args:
        model: a trained model
        voices: labels table of the voices, as `asked` gives it
        tasks: task → class → word
        template: sentence with a slot for the word
        embeddings: of the voices, `(voices, projection_dim)`; made here if left out

    Returns:
        one row a voice: `corpus, speaker, truth, prediction`, then one probability column per
        class of any task, missing where it is no candidate

    Raises:
        ValueError: if a template has no slot or a task has fewer than two classes
    """
    embedded = zeroshot.embed_audio(model, voices) if embeddings is None else embeddings
    parts = []
    for task, words in tasks.items():
        classes = truth(voices, task)
        rows = classes.isin(words).to_numpy()
        answers = zeroshot.answer(model, embedded[rows], words, template)
        answers.index = voices.index[rows]
        said = voices.loc[rows, ["corpus", "speaker"]].assign(corpus=task, truth=classes[rows])
        parts.append(said.assign(prediction=answers.pop("prediction")).join(answers))
    return pd.concat(parts)


def score(
    predictions: pd.DataFrame,
    tasks: Tasks,
    template: str = "speaker is {}",
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score every task, see `scores.score_table`."""
    classes = {task: list(words) for task, words in tasks.items()}
    return scores.score_table(predictions, classes, template, draws, seed)


def attribute_queries(levels: pd.DataFrame, templates: str = "paper") -> dict[str, tuple[str, str]]:
    """The two queries that ask for the ends of each attribute with values, attribute → queries.

    Args:
        levels: a column per attribute, and gender
        templates: the set they are taken from
    """
    said = {one.attribute for one in sentences(templates)}
    known = [name for name in (*NUMERIC, "gender") if name in levels and name in said]
    return {name: contrast(name, templates) for name in known if levels[name].notna().any()}


def attributes(
    model: ParaCLAP,
    voices: pd.DataFrame,
    embeddings: Embeddings,
    levels: pd.DataFrame,
    templates: str = "paper",
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Ask for both ends of every attribute, of voices at one of its ends.

    Args:
        model: a trained model
        voices: labels table
        embeddings: of the voices
        levels: on the index of `voices`: a column of low, normal, high per attribute, and gender
        templates: the set the two queries are taken from
        draws: of the bootstrap over speakers
        seed: of the bootstrap

    Returns:
        `attribute, n, uar, uar_low, uar_high`, best first; an attribute with voices at fewer than
        two ends is left out
    """
    rows = []
    for attribute, ends_said in attribute_queries(levels, templates).items():
        truth = levels[attribute].replace(GENDER_LEVELS if attribute == "gender" else {})
        ends = truth.isin(["low", "high"]).to_numpy()
        if truth[ends].nunique() < 2:
            continue
        queries = dict(zip(("low", "high"), ends_said, strict=True))
        answers = zeroshot.answer(model, embeddings[ends], queries)["prediction"].to_numpy()
        given = (truth[ends].to_numpy(), answers, ["low", "high"])
        low, high = scores.interval(*given, voices["speaker"][ends], draws, seed)
        found = {"n": int(ends.sum()), "uar": scores.uar(*given), "uar_low": low, "uar_high": high}
        rows.append({"attribute": attribute, **found})
    columns = ["attribute", "n", "uar", "uar_low", "uar_high"]
    return pd.DataFrame(rows, columns=columns).sort_values(
        "uar", ascending=False, ignore_index=True
    )


def together(scores: pd.DataFrame, attributes: pd.DataFrame) -> pd.DataFrame:
    """Put tasks and attributes into one table: `kind, task, chance, n, uar, uar_low, uar_high`."""
    asked_for = attributes.rename(columns={"attribute": "task"}).assign(chance=0.5)
    both = pd.concat([scores.assign(kind="task"), asked_for.assign(kind="attribute")])
    names = ["kind", "task", "chance", "n", "uar", "uar_low", "uar_high"]
    return both[names].reset_index(drop=True)


def reference_scores(
    features: pd.DataFrame, labels: pd.DataFrame, tasks: Tasks, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Score a logistic regression on features, and a majority vote, on every task.

    Both learn from the voices of the train split, of whatever corpus, that bear a class of the
    task. A class without such a voice counts as missed.

    Args:
        features: one row a segment; voices that have none are left out
        labels: labels table
        tasks: task → class → word
        draws: of the bootstrap over speakers
        seed: of the bootstrap

    Returns:
        `task, classes, learnable, n, logistic, logistic_low, logistic_high, majority`, the scores
        missing where fewer than two classes are learnable
    """
    labels = labels[labels.index.isin(features.index)]
    train, test = labels[labels["split"] == "train"], asked(labels)
    rows = []
    for task, words in tasks.items():
        own = test[(test["corpus"] == task) & test["label"].isin(list(words))]
        able = references.learnable(train["label"], list(words))
        row = {"task": task, "classes": len(words), "learnable": len(able), "n": len(own)}
        rows.append(row | _references(features, train, own, list(words), able, draws, seed))
    return pd.DataFrame(rows)


def _references(
    features: pd.DataFrame,
    train: pd.DataFrame,
    own: pd.DataFrame,
    classes: list[str],
    able: list[str],
    draws: int,
    seed: int,
) -> dict[str, float]:
    if len(able) < 2 or set(own["label"]) != set(classes):
        return dict.fromkeys(("logistic", "logistic_low", "logistic_high", "majority"), np.nan)
    given = references.logistic(
        features.loc[train.index], train["label"], features.loc[own.index], classes
    )
    blind = references.majority(train["label"], own.index, classes)
    low, high = scores.interval(own["label"], given, classes, own["speaker"], draws, seed)
    return {
        "logistic": scores.uar(own["label"], given, classes),
        "logistic_low": low,
        "logistic_high": high,
        "majority": scores.uar(own["label"], blind, classes),
    }


def other_words(
    model: ParaCLAP,
    voices: pd.DataFrame,
    embeddings: Embeddings,
    tasks: Tasks,
    template: str = "speaker is {}",
) -> pd.DataFrame:
    """Ask emotion tasks again in words that no template says.

    Args:
        model: a trained model
        voices: labels table
        embeddings: of the voices
        tasks: task → class → word; those with a class that has no synonym are left out
        template: sentence with a slot for the word

    Returns:
        one row per task and wording: `task, wording, words, chance, uar`
    """
    known = synonyms()
    rows = []
    for task, words in tasks.items():
        if not set(words) <= set(known):
            continue
        wordings = {"as trained": dict(words)} | {
            f"synonyms {turn + 1}": {label: known[label][turn] for label in words}
            for turn in range(min(len(known[label]) for label in words))
        }
        for wording, own in wordings.items():
            answers = predict(model, voices, {task: own}, template, embeddings)
            value = scores.uar(answers["truth"], answers["prediction"], list(own))
            said = ", ".join(own.values())
            rows.append(
                {
                    "task": task,
                    "wording": wording,
                    "words": said,
                    "chance": 1 / len(own),
                    "uar": value,
                }
            )
    return pd.DataFrame(rows, columns=["task", "wording", "words", "chance", "uar"])


def recalls(predictions: pd.DataFrame) -> pd.DataFrame:
    """Share found of each class: `task, label, n, recall`."""
    right = predictions.assign(recall=predictions["truth"] == predictions["prediction"])
    found = right.groupby(["corpus", "truth"], sort=False)["recall"].agg(["size", "mean"])
    return found.reset_index().set_axis(["task", "label", "n", "recall"], axis=1)


def by_group(predictions: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    """UAR of each task among the voices of each group, such as each gender.

    Args:
        predictions: as `predict` gives them
        group: the group of each of their rows, in the same order; missing ones are left out

    Returns:
        `task, group, n, uar`, the UAR over the classes that the group has
    """
    right = predictions["truth"] == predictions["prediction"]
    keys = {"task": predictions["corpus"], "group": group.to_numpy(), "label": predictions["truth"]}
    table = pd.DataFrame({**keys, "right": right}).dropna()
    found = table.groupby(["task", "group", "label"], sort=False)["right"].agg(["size", "mean"])
    grouped = found.groupby(["task", "group"], sort=False)
    result = pd.DataFrame({"n": grouped["size"].sum(), "uar": grouped["mean"].mean()})
    return result.reset_index()


def by_session(predictions: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """UAR of each task in each recording session, of corpora that have sessions.

    Args:
        predictions: as `predict` gives them
        labels: labels table, with a column `session` where a corpus has sessions

    Returns:
        `task, group` (the session), `n, uar`, without rows where no corpus has sessions
    """
    if "session" not in labels:
        return pd.DataFrame(columns=["task", "group", "n", "uar"])
    return by_group(predictions, labels.loc[predictions.index, "session"])


def nearest(
    model: ParaCLAP, voices: pd.DataFrame, embeddings: Embeddings, query: str, n: int = 3
) -> pd.DataFrame:
    """Voices that fit a query best, and those that fit it worst.

    Args:
        model: a trained model
        voices: labels table
        embeddings: of the voices
        query: a sentence
        n: how many of each

    Returns:
        rows of `voices` with the column `similarity` (cosine), best first
    """
    similarity = embeddings @ zeroshot.embed_text(model, [query])[0]
    order = np.argsort(-similarity, kind="stable")
    chosen = order if len(order) <= 2 * n else np.concatenate([order[:n], order[-n:]])
    return voices.iloc[chosen].assign(similarity=similarity[chosen])


def one_each(voices: pd.DataFrame, column: str, n: int, least: int = 1) -> pd.DataFrame:
    """The first few voices of each class of a column, classes in the order of their names.

    Args:
        voices: labels table
        column: such as emotion; voices without it, or with no real class, are left out
        n: how many voices in all, about
        least: of each class
    """
    known = voices[voices[column].notna() & ~voices[column].isin(NO_CLASS)]
    each = max(least, n // max(1, known[column].nunique()))
    return known.sort_values(column, kind="stable").groupby(column).head(each)
