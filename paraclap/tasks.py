"""What is asked of each corpus: its classes, and the words that name them in a question.

A *task* is a corpus with a test split, asked for its own column `label`; a column `task:<name>`
holds the classes of a further task over the same voices. Each class becomes a candidate by a word,
to be put into a template. Three sets of words: `own` (`tasks.csv`, and the adjectives of
emotions), and for the corpora of the paper `paper` and `released` (`candidates.csv`), the names
the paper lists and those that the authors' code asks for.

Source: sections 3.2 and 3.3 of the paper; https://github.com/KeiKinn/ParaCLAP, folder `Data`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd

from paraclap.queries import emotion_word
from paraclap.scores import LEAST_SPEAKERS
from paraclap.templates import unknown_name

NO_CLASS = ("other", "no_agreement")
CANDIDATES = ("own", "paper", "released")
FURTHER = "task:"  # columns of a labels table with the classes of a further task
Tasks = Mapping[str, Mapping[str, str]]
_FOLDER = Path(__file__).parent


def task_word(label: str, task: str = "", candidates: str = "own") -> str:
    """Word by which a class is asked for.

    Args:
        label: the class
        task: its task
        candidates: which set of words; a task or class that the set does not know is asked for
            in our own words: that of `tasks.csv`, or the adjective of the emotion

    Raises:
        ValueError: if there is no such set

    >>> task_word("sober"), task_word("anger"), task_word("anger", "tess", "paper")
    ('not intoxicated with alcohol', 'angry', 'anger')
    """
    if candidates not in CANDIDATES:
        raise ValueError(unknown_name("set of candidates", candidates, CANDIDATES))
    theirs = _candidates(candidates).get((task, label)) if candidates != "own" else None
    return theirs or _words().get(label) or emotion_word(label)


@cache
def _words() -> dict[str, str]:
    table = pd.read_csv(_FOLDER / "tasks.csv")
    return dict(zip(table["label"], table["word"], strict=True))


@cache
def _candidates(column: str) -> dict[tuple[str, str], str]:
    table = pd.read_csv(_FOLDER / "candidates.csv")
    places = zip(table["task"], table["label"], strict=True)
    return dict(zip(places, table[column], strict=True))


def synonyms() -> dict[str, list[str]]:
    """Other words for emotions, none of which a template says: label → words."""
    table = pd.read_csv(_FOLDER / "synonyms.csv")
    return {str(label): list(rows) for label, rows in table.groupby("label")["word"]}


def truth(labels: pd.DataFrame, task: str) -> pd.Series:
    """Class of every voice in a task, missing where the task does not ask for it.

    Args:
        labels: labels table
        task: its name
    """
    own = labels["label"].where(labels["corpus"] == task)
    further = f"{FURTHER}{task}"
    return own.fillna(labels[further]) if further in labels else own


def asked(labels: pd.DataFrame) -> pd.DataFrame:
    """Voices that tasks are made of: test split, with a class, of tasks with two or more.

    Args:
        labels: labels table

    Returns:
        rows of `labels` with the name of the task as `corpus` and its class as `label`; a voice
        that several tasks ask for comes several times

    Raises:
        ValueError: if none is left
    """
    test = _with_class(labels[labels["split"] == "test"])
    many = test.groupby("corpus")["label"].transform("nunique") >= 2
    if not many.any():
        raise ValueError(
            f"No task among {len(labels)} voices, expected a corpus whose test split has two or "
            "more classes in the column 'label': name them, or draw the splits another way."
        )
    return test[many]


def _with_class(labels: pd.DataFrame) -> pd.DataFrame:
    """Voices with a class of a task, once for each task."""
    columns = [str(name) for name in labels]
    further = [name.removeprefix(FURTHER) for name in columns if name.startswith(FURTHER)]
    names = [*dict.fromkeys(labels["corpus"]), *further]
    each = [labels.assign(corpus=name, label=truth(labels, name)) for name in names]
    parts = [part[part["label"].notna() & ~part["label"].isin(NO_CLASS)] for part in each]
    return pd.concat([part for part in parts if len(part)] or [labels.iloc[:0]])


def tasks(labels: pd.DataFrame, candidates: str = "own") -> dict[str, dict[str, str]]:
    """Tasks of a labels table, in the order of its corpora: task → class → word.

    Classes are those of the test split; `other` and missing labels are no classes.

    Args:
        labels: labels table
        candidates: which words, see `task_word`

    Raises:
        ValueError: as `asked`, `task_word`
    """
    classes = asked(labels).groupby("corpus", sort=False)["label"].unique()
    return {
        str(task): {str(label): task_word(label, str(task), candidates) for label in sorted(own)}
        for task, own in classes.items()
    }


def remarks(labels: pd.DataFrame) -> list[str]:
    """What a reader of the scores has to know of the tasks, one sentence each.

    Args:
        labels: labels table
    """
    said: list[str] = []
    known, voices = tasks(labels), asked(labels)
    for name, rows in _with_class(labels).groupby("corpus", sort=False):
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
