"""What is asked of each corpus: its classes, and the words that name them in a question.

A *task* is a corpus with a test split, asked for its own column `label`: each class becomes a
candidate by a word (`tasks.csv`, and the adjectives of emotions) to be put into a template.

Source: section 3.3 of the paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from paraclap.queries import emotion_word
from paraclap.scores import LEAST_SPEAKERS

NO_CLASS = ("other", "no_agreement")
Tasks = Mapping[str, Mapping[str, str]]


def task_word(label: str) -> str:
    """Word by which a class is asked for: its own, or the adjective of the emotion.

    >>> task_word("sober"), task_word("anger")
    ('not intoxicated with alcohol', 'angry')
    """
    table = pd.read_csv(Path(__file__).with_name("tasks.csv"))
    return dict(zip(table["label"], table["word"], strict=True)).get(label) or emotion_word(label)


def synonyms() -> dict[str, list[str]]:
    """Other words for emotions, none of which a template says: label → words."""
    table = pd.read_csv(Path(__file__).with_name("synonyms.csv"))
    return {str(label): list(rows) for label, rows in table.groupby("label")["word"]}


def paper_scores() -> pd.DataFrame:
    """Table 1 of the paper: UAR on the real corpora, with the task that imitates each here."""
    return pd.read_csv(Path(__file__).with_name("paper_table1.csv"))


def asked(labels: pd.DataFrame) -> pd.DataFrame:
    """Voices that a task is made of: test split, with a class, of corpora with two or more.

    Args:
        labels: labels table

    Raises:
        ValueError: if none is left
    """
    test = labels[_with_class(labels) & (labels["split"] == "test")]
    many = test.groupby("corpus")["label"].transform("nunique") >= 2
    if not many.any():
        raise ValueError(
            f"No task among {len(labels)} voices, expected a corpus whose test split has two or "
            "more classes in the column 'label': name them, or draw the splits another way."
        )
    return test[many]


def _with_class(labels: pd.DataFrame) -> pd.Series:
    return labels["label"].notna() & ~labels["label"].isin(NO_CLASS)


def tasks(labels: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Tasks of a labels table, in the order of its corpora: task → class → word.

    Classes are those of the test split; `other` and missing labels are no classes.

    Args:
        labels: labels table

    Raises:
        ValueError: as `asked`
    """
    voices = asked(labels)
    classes = {
        task: sorted(set(rows)) for task, rows in voices.groupby("corpus", sort=False)["label"]
    }
    return {str(task): {label: task_word(label) for label in own} for task, own in classes.items()}


def remarks(labels: pd.DataFrame) -> list[str]:
    """What a reader of the scores has to know of the tasks, one sentence each.

    Args:
        labels: labels table
    """
    said: list[str] = []
    known, voices = tasks(labels), asked(labels)
    for name, rows in labels[_with_class(labels)].groupby("corpus", sort=False):
        corpus = str(name)
        absent = sorted(set(rows["label"]) - set(known.get(corpus, ())))
        if corpus not in known:
            said.append(f"{corpus} is no task: its test split has fewer than two classes.")
        elif absent:
            said.append(f"{corpus} is asked without {', '.join(absent)}: no test voice has it.")
    for task, names in voices.groupby("corpus", sort=False)["speaker"]:
        if names.nunique() < LEAST_SPEAKERS:
            said.append(
                f"{task} has {names.nunique()} speakers, too few to draw from: its interval is "
                "over utterances and says nothing of other speakers."
            )
    return said
