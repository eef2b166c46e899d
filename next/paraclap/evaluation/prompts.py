"""How much do answers depend on the prompt? One question in many prompts, alone and together.

A prompt is a template and a word for each class. Which one works best can only be found out from
answers, and choosing it by test utterances would be training on them. So the set is fixed before:
`prompts.csv` holds the templates and, for words that training never uses, synonyms. Add rows, but
change none: all runs are compared by them. The kind of a template says which words it takes:
`predicate` any word of a task ("speaker is {}"), `attributive` single words, `noun` nouns of
emotions ("this voice expresses {}"). A prompt is `trained` (the words of the task) or `unseen`
(synonyms, where all classes of a task have them).

All prompts together answer in three ways: `mean embedding` averages the embeddings of a class's
queries, `mean probability` the probabilities, `entropy-weighted` too, with weights of 1 / entropy.

Chapter 11. Source: Radford et al., ICML 2021, section 3.1.4 (mean of embeddings); Misra, Bourlard
and Tyagi, ICASSP 2003 (inverse entropy); Cohen, Educ. Psychol. Meas. 1960 (kappa).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import entr, softmax
from sklearn.metrics import cohen_kappa_score

from paraclap.evaluation.metrics import Floats, uar
from paraclap.evaluation.tasks import Tasks, task_labels
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings, embed_text
from paraclap.queries.templates import emotion_word

COLUMNS = ["prompt", "kind", "template"]  # before the queries of the classes
ENSEMBLES = ("mean embedding", "mean probability", "entropy-weighted")


@cache
def frozen() -> pd.DataFrame:
    """The set: `kind` (of a template, or `synonym`), `name` (an id, or the class), `text`."""
    return pd.read_csv(Path(__file__).with_name("prompts.csv"), dtype="str")


@cache
def synonyms() -> dict[str, list[str]]:
    """Words for emotions that no template uses: label → words."""
    rows = frozen()[frozen()["kind"] == "synonym"]
    return {str(label): list(own) for label, own in rows.groupby("name")["text"]}


def task_prompts(words: Mapping[str, str]) -> pd.DataFrame:
    """All prompts of one task.

    Args:
        words: class → its word; templates that do not take these are left out

    Returns:
        a row a prompt: `prompt` (its id), `kind`, `template`, then a column of queries per class
    """
    has_synonyms = set(words) <= set(synonyms())
    turns = min(len(synonyms()[label]) for label in words) if has_synonyms else 0
    others = [{label: synonyms()[label][turn] for label in words} for turn in range(turns)]
    nouns = {label: emotion_word(label, "noun") for label in words} if has_synonyms else {}
    rows = []
    for kind, name, template in frozen().query("kind != 'synonym'").itertuples(index=False):
        ways = [(name, "trained", nouns if kind == "noun" else words)]
        if kind != "noun":
            ways += [(f"{name}/{turn}", "unseen", own) for turn, own in enumerate(others, 1)]
        rows += [
            {"prompt": prompt, "kind": use, "template": template}
            | {label: template.format(word) for label, word in own.items()}
            for prompt, use, own in ways
            if _takes(kind, template, list(own.values()))
        ]
    return pd.DataFrame(rows)


def _takes(kind: str, template: str, words: Sequence[str]) -> bool:
    if kind == "attributive" and any(" " in word for word in words):
        return False
    return bool(words) and (template == "{}" or not any(word.endswith(".") for word in words))


@dataclass(frozen=True)
class Prompted:
    """One task in all its prompts of one kind.

    Attributes:
        rows: its utterances: `corpus` (the task), `speaker, truth` on the audformat index
        prompts: rows of `task_prompts`
        logits: `(prompts, n, classes)`
        mean: logits of the averaged embeddings `(n, classes)`
    """

    rows: pd.DataFrame
    prompts: pd.DataFrame
    logits: Floats
    mean: Floats

    def predictions(self, scores: Floats) -> pd.DataFrame:
        """Predictions table for logits or probabilities `(n, classes)`."""
        labels = np.array(self.prompts.columns[len(COLUMNS) :], dtype=object)
        return self.rows.assign(prediction=labels[scores.argmax(axis=1)])

    def ensembles(self) -> dict[str, pd.DataFrame]:
        """Predictions by all prompts together, a table for each of `ENSEMBLES`."""
        shares = softmax(self.logits, axis=-1)
        scores = (self.mean, shares.mean(axis=0), entropy_weighted(shares))
        return dict(zip(ENSEMBLES, map(self.predictions, scores), strict=True))


def ask(
    model: ParaCLAP, labels: pd.DataFrame, embeddings: Embeddings, tasks: Tasks
) -> list[Prompted]:
    """Answer every task in all its prompts, those of each kind apart.

    Args:
        model: a trained model
        labels: labels table of the utterances
        embeddings: of the utterances, in the same order
        tasks: task → class → word
    """
    scale, found = float(model.temperature.detach()), []
    for task, words in tasks.items():
        classes = task_labels(labels, task)
        asked = classes.isin([*words]).to_numpy()
        rows = labels.loc[asked, ["speaker"]].assign(corpus=task, truth=classes[asked])
        for _, prompts in task_prompts(words).groupby("kind", sort=False):
            queries = prompts[[*words]].to_numpy().ravel().tolist()
            texts = embed_text(model, queries).reshape(len(prompts), len(words), -1)
            mean = texts.mean(axis=0)
            mean = mean / np.linalg.norm(mean, axis=-1, keepdims=True)
            logits = scale * np.einsum("nd,pcd->pnc", embeddings[asked], texts)
            found.append(Prompted(rows, prompts, logits, scale * embeddings[asked] @ mean.T))
    return found


def entropy_weighted(shares: Floats) -> Floats:
    """Average probabilities `(prompts, n, classes)` with weights of 1 / entropy, `(n, classes)`.

    >>> entropy_weighted(np.array([[[0.9, 0.1]], [[0.5, 0.5]]])).round(3).tolist()
    [[0.772, 0.228]]
    """
    weights = 1 / np.maximum(entr(shares).sum(axis=-1), 1e-6)  # no weight is infinite
    averaged: Floats = np.einsum("pn,pnc->nc", weights / weights.sum(axis=0), shares)
    return averaged


def prompt_scores(asked: Sequence[Prompted]) -> pd.DataFrame:
    """UAR of every task in every prompt: `task, kind, prompt, template, chance, uar`."""
    parts = []
    for one in asked:
        classes = list(one.prompts.columns[len(COLUMNS) :])
        answers = [one.predictions(logits)["prediction"] for logits in one.logits]
        scores = [uar(one.rows["truth"], answer, classes) for answer in answers]
        about = {"task": one.rows["corpus"].iloc[0], "chance": 1 / len(classes)}
        parts.append(one.prompts[COLUMNS].assign(**about, uar=scores))
    columns = ["task", "kind", "prompt", "template", "chance", "uar"]
    return pd.concat(parts, ignore_index=True)[columns]


def sensitivity(asked: Sequence[Prompted]) -> pd.DataFrame:
    """How much the answers depend on the prompt.

    Returns:
        `task, kind, prompts`; `mean, std, worst, best` of the UAR over prompts; `equal` and
        `kappa`: share of equal answers of two prompts, and Cohen's kappa, means over all pairs
    """
    grouped = prompt_scores(asked).groupby(["task", "kind"], sort=False)["uar"]
    table = grouped.agg(prompts="size", mean="mean", std="std", worst="min", best="max")
    table[["equal", "kappa"]] = [_agreement(one.logits.argmax(axis=-1)) for one in asked]
    found: pd.DataFrame = table.reset_index()
    return found


def _agreement(answers: NDArray[np.intp]) -> tuple[float, float]:
    """Share of equal answers and kappa over pairs; two constant raters have no kappa."""
    pairs = list(combinations(answers, 2))
    kappas = [cohen_kappa_score(one, two) for one, two in pairs if np.ptp([one, two]) > 0]
    equal = [(one == two).mean() for one, two in pairs]
    return (
        float(np.mean(equal)) if equal else np.nan,
        float(np.mean(kappas)) if kappas else np.nan,
    )
