"""In which words is a task asked? A frozen, versioned set of wordings.

A wording is a template and a word for each class. Which of them works best is found out only by
looking at answers, and choosing it by test voices would be training on them. So the set is fixed
before: it lies in `wordings_<version>.csv` (columns `version, id, form, template`) and, for words
that training never said, in `synonyms.csv`. What a version holds is fixed by a hash of both; a set
that was changed is refused, and a new one gets a new version. The words that name the classes are
those of `tasks`, set `own`, and belong to the version, too.

The *form* says which words a template takes:

- `predicate`: any word of a task ("speaker is {}": angry, not likable), unless it is a sentence;
- `attributive`: single words only ("this is the sound of {} speech");
- `noun`: nouns of emotions ("this voice expresses {}": anger), asked of tasks made of emotions.

Kinds of wordings: `template` (the words of the task) and `unseen` (synonyms, where all classes of a
task have them, in the templates that take adjectives).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pandas as pd

from paraclap.queries import emotion_word
from paraclap.tasks import synonyms
from paraclap.templates import unknown_name

VERSION = "v1"
FROZEN = {"v1": "580e2d36dfd52571"}
FORMS = ("predicate", "attributive", "noun")
TEMPLATE, UNSEEN = "template", "unseen"
FIXED = ("wording", "kind", "template")  # columns beside those of queries
_FOLDER = Path(__file__).parent.parent


def fingerprint(templates: pd.DataFrame, words: Mapping[str, Iterable[str]]) -> str:
    """Hash of what a version says: templates in their order, and the words of `vocabulary`.

    Args:
        templates: columns `version, id, form, template`
        words: label → its words

    Returns:
        the first 16 digits of SHA-256
    """
    columns = ["version", "id", "form", "template"]
    rows = ["\t".join(map(str, row)) for row in templates[columns].to_numpy()]
    said = [f"{label}\t{word}" for label in sorted(words) for word in words[label]]
    return hashlib.sha256("\n".join([*rows, *said]).encode()).hexdigest()[:16]


def vocabulary() -> dict[str, list[str]]:
    """Words for each class that a version may put into its templates: label → words.

    Those of an emotion are its adjective, its noun, and its synonyms.
    """
    others = synonyms()
    emotions = {
        label: [emotion_word(label), emotion_word(label, "noun"), *words]
        for label, words in others.items()
    }
    named = pd.read_csv(_FOLDER / "tasks.csv", dtype="str")
    return emotions | {row["label"]: [row["word"]] for row in named.to_dict("records")}


@cache
def templates(version: str = VERSION) -> pd.DataFrame:
    """Templates of a version: `version, id, form, template`.

    Raises:
        ValueError: if there is no such version, or what it says is not what was frozen
    """
    if version not in FROZEN:
        raise ValueError(unknown_name("version of the wordings", version, tuple(FROZEN)))
    table = pd.read_csv(_FOLDER / f"wordings_{version}.csv", dtype="str")
    check(table, version)
    return table


def check(table: pd.DataFrame, version: str) -> None:
    """Refuse a set of templates that differs from the frozen one.

    Args:
        table: its templates
        version: which version they should be

    Raises:
        ValueError: if they, or the words of the classes, were changed
    """
    found = fingerprint(table, vocabulary())
    if found != FROZEN[version]:
        raise ValueError(
            f"The wordings {version} have the fingerprint {found}, expected {FROZEN[version]}: "
            f"wordings_{version}.csv, synonyms.csv or words of tasks and emotions were changed. A "
            "version stays as it is; give the new wordings a new one."
        )


def asked(words: Mapping[str, str], version: str = VERSION) -> pd.DataFrame:
    """All wordings of one task.

    Args:
        words: class → its word, as `tasks.tasks` gives it
        version: of the set

    Returns:
        a row a wording: `wording` (its id), `kind`, `template`, then a column of queries per class;
        templates that do not take the words of this task are left out

    Raises:
        ValueError: as `templates`
    """
    known = synonyms()
    rows = []
    for row in templates(version).to_dict("records"):
        name, form, template = row["id"], row["form"], row["template"]
        rows += _filled(name, TEMPLATE, form, template, _formed(words, form))
        if form != "noun" and set(words) <= set(known):
            for turn in range(min(len(known[label]) for label in words)):
                other = {label: known[label][turn] for label in words}
                rows += _filled(f"{name}/{turn + 1}", UNSEEN, form, template, other)
    return pd.DataFrame(rows)


def one(words: Mapping[str, str], template: str) -> pd.DataFrame:
    """A single wording of a task, as a table like that of `asked`.

    Raises:
        ValueError: if the template has no slot
    """
    if "{}" not in template:
        raise ValueError(f"Bad template {template!r}, expected a slot, as in 'speaker is {{}}'.")
    return pd.DataFrame(_filled("own", TEMPLATE, "predicate", template, words))


def _formed(words: Mapping[str, str], form: str) -> dict[str, str]:
    """Words of a task as a form takes them; nouns of emotions, none for other tasks."""
    if form != "noun":
        return dict(words)
    emotions = set(words) <= set(synonyms())
    return {label: emotion_word(label, "noun") for label in words} if emotions else {}


def _filled(
    wording: str, kind: str, form: str, template: str, words: Mapping[str, str]
) -> list[dict[str, str]]:
    """The row of a wording, none if the template does not take these words."""
    single = all(" " not in word for word in words.values())
    sentence = any(word.endswith(".") for word in words.values()) and template != "{}"
    if not words or sentence or (form == "attributive" and not single):
        return []
    queries = {label: template.replace("{}", word) for label, word in words.items()}
    return [{"wording": wording, "kind": kind, "template": template, **queries}]
