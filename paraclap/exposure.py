"""What had a model met before it was asked, and what is therefore not zero-shot?

A question can be known in several ways: a tower has heard the corpus before, voices or speakers of
the corpus were trained on, its dev split chose the epoch, its classes are borne by training
voices, or the word of a class was said in training. `matrix` gives the share of each for every
task of a run; `words` tells it class by class. What the paper's own model had met is quoted in
:func:`paraclap.quoted.exposure`.

Conventions: shares lie in 0 to 1, and are missing where nobody knows. A word counts as said if a
query of training holds it as a whole word, whatever it says of it ("speaker is not very angry"
says "angry"); another form of a word is another word.

Source: sections 2.1 and 3 of the paper for its towers; `pretraining.csv` for all that are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap.queries import Pool
from paraclap.settings import Settings
from paraclap.tasks import Tasks, truth
from paraclap.templates import NO_AGREEMENT

OCCASIONS = ("audio tower", "text tower", "training", "speakers", "epoch", "classes", "words")
SHARES = ("speakers", "classes", "words")  # the others are yes or no: 1 or 0
MEANING = {
    "audio tower": "the audio tower had heard this corpus before",
    "text tower": "the text tower had read of this corpus before",
    "training": "the model was trained on other voices of this corpus",
    "speakers": "share of the speakers asked about that were trained on, or chose the epoch",
    "epoch": "other voices of this corpus chose the epoch",
    "classes": "share of the classes that voices of training bear",
    "words": "share of the classes whose word a query of training says",
}
CLASS = ("task", "label", "word", "voices", "said")  # columns of `words`
NOTHING, WORDS, CORPUS = "nothing of it", "words of it", "the corpus"
UNKNOWN = "not known: a tower"


def pretraining() -> pd.DataFrame:
    """What known encoders have met: `encoder, tower, met, corpora` (tasks, `|` between)."""
    return pd.read_csv(Path(__file__).parent / "pretraining.csv").fillna({"corpora": ""})


def tower(encoder: str, kind: str) -> str:
    """What a tower had met before training, in words.

    Args:
        encoder: its name in the settings
        kind: audio or text

    >>> tower("bert-base-uncased", "text"), tower("my/encoder", "audio")
    ('Wikipedia, BooksCorpus', 'not known')
    """
    known = pretraining()
    rows = known[(known["encoder"] == encoder) & (known["tower"] == kind)]
    return str(rows["met"].iloc[0]) if len(rows) else "not known"


def _heard(encoder: str, kind: str, corpora: Iterable[str]) -> float:
    """1 if a tower has met one of some corpora, 0 if none, missing if nobody knows."""
    known = pretraining()
    rows = known[(known["encoder"] == encoder) & (known["tower"] == kind)]
    if rows.empty:
        return np.nan
    return float(not set(rows["corpora"].iloc[0].split("|")).isdisjoint(corpora))


def vocabulary(
    queries: pd.DataFrame, labels: pd.DataFrame, settings: Settings, templates: str = "paper"
) -> list[str]:
    """All distinct queries that training may have said.

    Args:
        queries: queries table of the run, on the index of `labels`
        labels: labels table
        settings: of the training
        templates: the template set

    Returns:
        the queries in the order of the set; none if no voice is for training
    """
    rows = labels["split"] == "train"
    if settings.agreed_only:
        rows &= labels["emotion"] != NO_AGREEMENT
    if not rows.any():
        return []
    table = queries[rows.to_numpy()]
    if settings.only_emotion:
        table = table[["emotion"]]
    elif settings.emotion == "never":
        table = table.drop(columns="emotion")
    return Pool.from_table(table, templates, settings.emotion_form).vocabulary


def says(queries: Iterable[str], word: str) -> bool:
    """Whether a query holds a word or a phrase as a whole.

    >>> says(["speaker is angry"], "angry"), says(["speaker is angry"], "anger")
    (True, False)
    """
    whole = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
    return any(whole.search(query) for query in queries)


def words(labels: pd.DataFrame, tasks: Tasks, said: Iterable[str]) -> pd.DataFrame:
    """Which classes of every task training has borne, and which words of theirs it has said.

    Args:
        labels: labels table
        tasks: task → class → word
        said: the queries of training, see `vocabulary`

    Returns:
        `task, label, word, voices` (of training that bear the class, of whatever corpus), `said`
    """
    train = labels[labels["split"] == "train"]
    queries = list(said)
    rows = []
    for task, own in tasks.items():
        borne = truth(train, task).fillna(train["emotion"])
        for label, word in own.items():
            voices = int((borne == label).sum())
            rows.append((task, label, word, voices, says(queries, word)))
    return pd.DataFrame(rows, columns=list(CLASS))


def of_run(
    labels: pd.DataFrame,
    queries: pd.DataFrame,
    tasks: Tasks,
    settings: Settings,
    templates: str = "paper",
) -> pd.DataFrame:
    """`words`, with what the training of a run has said, see `vocabulary`."""
    return words(labels, tasks, vocabulary(queries, labels, settings, templates))


def matrix(labels: pd.DataFrame, known: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """What had been met of every task, as shares.

    Args:
        labels: labels table
        known: as `words` gives it
        settings: of the training

    Returns:
        one row a task: `task`, a column for each of `OCCASIONS`, and `met`: the corpus, words of
        it, nothing of it, or not known; the middle two are zero-shot, the latter with new words
    """
    rows = []
    for task, own in known.groupby("task", sort=False):
        shares = _met(labels, str(task), settings)
        shares |= {"classes": float((own["voices"] > 0).mean()), "words": float(own["said"].mean())}
        rows.append({"task": task, **shares, "met": _verdict(shares)})
    return pd.DataFrame(rows, columns=["task", *OCCASIONS, "met"])


def _met(labels: pd.DataFrame, task: str, settings: Settings) -> dict[str, float]:
    test = labels[(labels["split"] == "test") & truth(labels, task).notna()]
    corpora = set(test["corpus"])
    other = labels[labels["split"] != "test"]
    splits = set(other.loc[other["corpus"].isin(corpora), "split"])
    speakers = pd.Series(test["speaker"].unique())
    return {
        "audio tower": _heard(settings.audio_encoder, "audio", corpora),
        "text tower": _heard(settings.text_encoder, "text", corpora),
        "training": float("train" in splits),
        "speakers": float(speakers.isin(other["speaker"]).mean()),
        "epoch": float("dev" in splits and "train" in splits),
    }


def _verdict(shares: dict[str, float]) -> str:
    if any(shares[name] > 0 for name in ("audio tower", "training", "speakers", "epoch")):
        return CORPUS
    if np.isnan([shares["audio tower"], shares["text tower"]]).any():
        return UNKNOWN
    return WORDS if shares["words"] > 0 else NOTHING
