"""How much do answers depend on the prompt? One question in many prompts, alone and together.

A prompt is a template and a word for each class. The set `prompts.csv` is fixed: to choose by test
utterances would be training on them. Templates are `predicate` (for any word), `attributive`
(single words) or `noun` (of emotions). A prompt is `trained` (the words of the task) or `unseen`
(synonyms that no template uses). Chapter 11. Source: Radford et al., ICML 2021, section 3.1.4.
"""

from collections.abc import Mapping
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score

from paraclap.evaluation.metrics import uar
from paraclap.evaluation.tasks import Tasks, task_labels
from paraclap.model import ParaCLAP
from paraclap.model.embedding import Embeddings, embed_text
from paraclap.queries import emotion_word

MEAN = "mean embedding"  # the prompt that stands for all of its kind together


@cache
def frozen() -> pd.DataFrame:
    """The set: `kind` (of a template, or `synonym`), `name` (an id, or the class), `text`."""
    return pd.read_csv(Path(__file__).with_name("prompts.csv"), dtype="str")


@cache
def synonyms() -> dict[str, list[str]]:
    """Words for emotions that no template uses: label → words."""
    rows = frozen().query("kind == 'synonym'")
    return {str(label): list(words) for label, words in rows.groupby("name")["text"]}


def task_prompts(words: Mapping[str, str]) -> pd.DataFrame:
    """All `prompt` of a task (class → word): `kind`, `template`, a column of queries per class."""
    emotions = set(words) <= set(synonyms())
    nouns = {label: emotion_word(label, "noun") for label in words} if emotions else {}
    turns = list(zip(*(synonyms()[label] for label in words), strict=False)) if emotions else []
    others = [dict(zip(words, turn, strict=True)) for turn in turns]
    rows = []
    for kind, name, template in frozen().query("kind != 'synonym'").itertuples(index=False):
        ways = [(name, "trained", nouns if kind == "noun" else words)]
        if kind != "noun":
            ways += [(f"{name}/{turn}", "unseen", other) for turn, other in enumerate(others, 1)]
        for prompt, use, asked in ways:
            texts = {label: template.format(word) for label, word in asked.items()}
            phrase = kind == "attributive" and " " in "".join(asked.values())
            sentence = template != "{}" and any(word.endswith(".") for word in asked.values())
            if asked and not phrase and not sentence:
                rows.append({"prompt": prompt, "kind": use, "template": template} | texts)
    return pd.DataFrame(rows)


def ask(
    model: ParaCLAP, labels: pd.DataFrame, embeddings: Embeddings, tasks: Tasks
) -> pd.DataFrame:
    """Answer every task in all prompts (``kind, prompt, template``), and in each kind's mean."""
    parts = []
    for task, words in tasks.items():
        classes = task_labels(labels, task)
        asked = classes.isin([*words]).to_numpy()
        rows = labels.loc[asked, ["speaker"]].assign(corpus=task, truth=classes[asked])
        for kind, prompts in task_prompts(words).groupby("kind", sort=False):
            queries = prompts[[*words]].to_numpy().ravel().tolist()
            texts = embed_text(model, queries).reshape(len(prompts), len(words), -1)
            mean = texts.mean(axis=0)
            mean /= np.linalg.norm(mean, axis=-1, keepdims=True)
            names = [*prompts[["prompt", "template"]].itertuples(index=False), (MEAN, "")]
            for (prompt, template), text in zip(names, [*texts, mean], strict=True):
                best = np.array([*words])[(embeddings[asked] @ text.T).argmax(axis=1)]
                about = {"kind": kind, "prompt": prompt, "template": template}
                parts.append(rows.assign(prediction=best, **about))
    return pd.concat(parts)


def prompt_scores(asked: pd.DataFrame) -> pd.DataFrame:
    """UAR of every task in every prompt: `task, kind, prompt, template, chance, uar`."""
    rows = []
    single = asked[asked["prompt"] != MEAN]
    for names, part in single.groupby(["corpus", "kind", "prompt", "template"], sort=False):
        classes = list(part["truth"].unique())
        rows.append([*names, 1 / len(classes), uar(part["truth"], part["prediction"], classes)])
    return pd.DataFrame(rows, columns=["task", "kind", "prompt", "template", "chance", "uar"])


def sensitivity(asked: pd.DataFrame) -> pd.DataFrame:
    """UAR over prompts, `mean, std, worst, best`, and `kappa` (Cohen's), the mean over pairs."""
    grouped = prompt_scores(asked).groupby(["task", "kind"], sort=False)["uar"]
    table = grouped.agg(prompts="size", mean="mean", std="std", worst="min", best="max")
    kappas = []
    for _, part in asked[asked["prompt"] != MEAN].groupby(["corpus", "kind"], sort=False):
        answers = part.groupby("prompt")["prediction"].agg(tuple)
        pairs = [two for two in combinations(answers, 2) if len({*two[0], *two[1]}) > 1]
        kappas.append(pd.Series([cohen_kappa_score(*two) for two in pairs], dtype=float).mean())
    return pd.DataFrame(table).assign(kappa=kappas).reset_index()
