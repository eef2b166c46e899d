"""What had a model seen of a task before, so that its answers to it are not zero-shot?

`WAYS` are the ways in which a task can be known; shares are NaN where nobody knows. Chapter 14.
Source: sections 2.1 and 3 of the paper; `pretraining.csv` for the encoders.
"""

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


def pretrained_on(encoder: str, side: str) -> tuple[str, set[str] | None]:
    """What an audio or text encoder was pretrained on: in words, and corpora among the tasks."""
    table = pd.read_csv(Path(__file__).with_name("pretraining.csv"), keep_default_na=False)
    name = encoder.removeprefix("egemaps+")
    for row in table[(table["encoder"] == name) & (table["side"] == side)].itertuples():
        return str(row.seen), set(filter(None, str(row.corpora).split("|")))
    return "unknown", None


def holds_word(queries: Iterable[str], word: str) -> bool:
    """Whether a query holds a word or phrase as a whole.

    >>> holds_word(["speaker is angry"], "angry"), holds_word(["speaker is angry"], "anger")
    (True, False)
    """
    pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
    return any(pattern.search(query) for query in queries)


def of_run(
    labels: pd.DataFrame, queries: pd.DataFrame, tasks: Tasks, settings: Settings, templates: str
) -> pd.DataFrame:
    """Which classes of every task training utterances have, and which words training queries hold.

    Returns `task, label, word, utterances` (of training, with the class), `in_queries`.
    """
    rows = (labels["split"] == "train").to_numpy()
    train, table = labels[rows], queries[rows]
    if settings.agreed_only:
        table = table[(train["emotion"] != NO_AGREEMENT).to_numpy()]
    if settings.only_emotion:
        table = table[["emotion"]]
    elif settings.emotion == "never":
        table = table.drop(columns="emotion")
    texts = QueryPool(table, templates, settings.emotion_form).vocabulary
    found = []
    for task, words in tasks.items():
        classes = task_labels(train, task).fillna(train["emotion"])
        for label, word in words.items():
            found.append((task, label, word, (classes == label).sum(), holds_word(texts, word)))
    return pd.DataFrame(found, columns=["task", "label", "word", "utterances", "in_queries"])


def matrix(labels: pd.DataFrame, classes: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """What had been seen of every task: `task`, shares for `WAYS`, `seen`; `classes` as `of_run`.

    `seen` is the corpus, words or nothing of it, or unknown; with words or nothing it is zero-shot.
    """
    other = labels[labels["split"] != "test"]
    encoders = (settings.audio_encoder, "audio"), (settings.text_encoder, "text")
    met = [pretrained_on(*encoder)[1] for encoder in encoders]
    rows = []
    for task, names in classes.groupby("task", sort=False):
        test = labels[(labels["split"] == "test") & task_labels(labels, str(task)).notna()]
        corpora, speakers = test["corpus"], test["speaker"].drop_duplicates()
        splits = set(other.loc[other["corpus"].isin(corpora), "split"])
        pretrained = [np.nan if one is None else float(corpora.isin(one).any()) for one in met]
        shares = dict(zip(WAYS, pretrained, strict=False)) | {
            "training": float("train" in splits),
            "speakers": float(speakers.isin(other["speaker"]).mean()),
            "epoch": float({"train", "dev"} <= splits),
            "classes": float((names["utterances"] > 0).mean()),
            "words": float(names["in_queries"].mean()),
        }
        ways = ("audio encoder", "training", "speakers", "epoch")
        words = "words of it" if shares["words"] > 0 else "nothing of it"
        zero_shot = "an encoder: unknown" if np.isnan(pretrained).any() else words
        seen = "the corpus" if any(shares[way] > 0 for way in ways) else zero_shot
        rows.append({"task": task, **shares, "seen": seen})
    return pd.DataFrame(rows, columns=["task", *WAYS, "seen"])
