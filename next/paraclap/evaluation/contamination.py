"""What had a model seen of a task before, so that its answers to it are not zero-shot?

A task can be known in several ways: an encoder was pretrained on its corpus, its corpus or speakers
were trained on, its dev split chose the epoch, its classes are those of training utterances, or the
word of a class stands in a training query. `of_run` lists the latter two class by class; `matrix`
gives the share of each way for every task.

Conventions: shares lie in 0 to 1, NaN where nobody knows. A word counts if a training query holds
it as a whole word ("speaker is not very angry" holds "angry"); another form is another word.
Chapter 14. Source: sections 2.1 and 3 of the paper; `pretraining.csv` for the encoders.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap.evaluation.tasks import Tasks, task_labels
from paraclap.queries import QueryPool
from paraclap.queries.templates import NO_AGREEMENT
from paraclap.training.settings import Settings

WAYS = {
    "audio encoder": "the audio encoder was pretrained on this corpus",
    "text encoder": "the text encoder was pretrained on texts about this corpus",
    "training": "other utterances of this corpus were trained on",
    "speakers": "share of its test speakers that were trained on, or chose the epoch",
    "epoch": "other utterances of this corpus chose the epoch",
    "classes": "share of its classes that training utterances have",
    "words": "share of its classes whose word stands in a training query",
}
CORPUS, WORDS, NOTHING, UNKNOWN = (
    "the corpus",
    "words of it",
    "nothing of it",
    "an encoder: unknown",
)


def pretrained_on(encoder: str, side: str) -> tuple[str, set[str] | None]:
    """What an audio or text encoder was pretrained on: in words, and the corpora among the tasks.

    >>> pretrained_on("bert-base-uncased", "text"), pretrained_on("my/encoder", "audio")
    (('Wikipedia, BooksCorpus', set()), ('unknown', None))
    """
    path = Path(__file__).with_name("pretraining.csv")
    table = pd.read_csv(path, keep_default_na=False).set_index(["encoder", "side"])
    key = (encoder.removeprefix("egemaps+"), side)
    if key not in table.index:
        return "unknown", None
    return str(table.loc[key, "seen"]), set(filter(None, str(table.loc[key, "corpora"]).split("|")))


def holds_word(queries: Iterable[str], word: str) -> bool:
    """Whether a query holds a word or phrase as a whole.

    >>> holds_word(["speaker is angry"], "angry"), holds_word(["speaker is angry"], "anger")
    (True, False)
    """
    pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
    return any(pattern.search(query) for query in queries)


def of_run(
    labels: pd.DataFrame,
    queries: pd.DataFrame,
    tasks: Tasks,
    settings: Settings,
    templates: str = "paper",
) -> pd.DataFrame:
    """Which classes of every task training utterances have, and which words training queries hold.

    `queries` is the queries table of the run, on the index of `labels`.

    Returns:
        `task, label, word, utterances` (of training, of any corpus, with the class), `in_queries`
    """
    rows = (labels["split"] == "train").to_numpy()
    train, table = labels[rows], queries[rows]
    if settings.agreed_only:
        table = table[(train["emotion"] != NO_AGREEMENT).to_numpy()]
    if settings.only_emotion:
        table = table[["emotion"]]
    elif settings.emotion == "never":
        table = table.drop(columns="emotion")
    texts = QueryPool.from_table(table, templates, settings.emotion_form).vocabulary
    found = []
    for task, words in tasks.items():
        classes = task_labels(train, task).fillna(train["emotion"])
        for label, word in words.items():
            count = int((classes == label).sum())
            found.append((task, label, word, count, holds_word(texts, word)))
    return pd.DataFrame(found, columns=["task", "label", "word", "utterances", "in_queries"])


def matrix(labels: pd.DataFrame, classes: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """What had been seen of every task, as shares; `classes` is the table of `of_run`.

    Returns:
        one row a task: `task`, a column for each of `WAYS`, and `seen`: the corpus, words of it,
        nothing of it, or unknown; where it is words or nothing, the task is zero-shot
    """
    rows = []
    for task, own in classes.groupby("task", sort=False):
        shares = _shares(labels, str(task), settings)
        shares["classes"] = float((own["utterances"] > 0).mean())
        shares["words"] = float(own["in_queries"].mean())
        rows.append({"task": task, **shares, "seen": _summary(shares)})
    return pd.DataFrame(rows, columns=["task", *WAYS, "seen"])


def _shares(labels: pd.DataFrame, task: str, settings: Settings) -> dict[str, float]:
    test = labels[(labels["split"] == "test") & task_labels(labels, task).notna()]
    other = labels[labels["split"] != "test"]
    corpora, speakers = set(test["corpus"]), pd.Series(test["speaker"].unique())
    splits = set(other.loc[other["corpus"].isin(corpora), "split"])
    shares = {}
    for side, encoder in (("audio", settings.audio_encoder), ("text", settings.text_encoder)):
        seen = pretrained_on(encoder, side)[1]
        shares[f"{side} encoder"] = np.nan if seen is None else float(bool(seen & corpora))
    return shares | {
        "training": float("train" in splits),
        "speakers": float(speakers.isin(other["speaker"]).mean()),
        "epoch": float({"train", "dev"} <= splits),
    }


def _summary(shares: dict[str, float]) -> str:
    if any(shares[way] > 0 for way in ("audio encoder", "training", "speakers", "epoch")):
        return CORPUS
    if np.isnan([shares["audio encoder"], shares["text encoder"]]).any():
        return UNKNOWN
    return WORDS if shares["words"] > 0 else NOTHING
