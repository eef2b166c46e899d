"""What speaks against taking a text as a paraphrase of a template?

Some faults no reviewer may let pass: a slot is lost, or it says a word that belongs to a class, the
unseen synonyms among them (see `emotion_words`), or it is one of the frozen wordings in which
models are tested. Others are signs, read off single words: it names
another level of the attribute, or denies what the sentence says. Of a source that is no template of
the set `diverse`, which holds the set `paper`, no level is known.

Source: the words of the levels are those of the templates themselves, see `templates`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from paraclap.emotion_words import read_rows, reserved
from paraclap.templates import LEVELS, NUMERIC, sentences

_SLOT = re.compile(r"{.*?}")
_ATTRIBUTE = re.compile("|".join(NUMERIC))  # loudness is no word of the loud
_DENIAL = re.compile(r"\b(not|no|never|nor|neither|without|hardly|barely)\b|n't", re.IGNORECASE)


def objection(source: str, answer: str) -> str:
    """Say what speaks against a paraphrase; the empty string if nothing does.

    Args:
        source: the sentence, a template for example
        answer: what was offered for it

    >>> objection("has a high pitch", "the voice is low")
    "says 'low', a word of low pitch"
    >>> objection("speaker is {emotion}", "the speaker is glad")
    "slots [] instead of ['{emotion}']"
    >>> objection("talks loudly", "the voice is mighty")
    ''
    """
    return (
        fault(source, answer)
        or _known(source, answer)
        or _denied(source, answer)
        or _level(source, answer)
    )


def fault(source: str, answer: str) -> str:
    """Say what no reviewer may let pass: such a text cannot be a template of the source.

    >>> fault("talks loudly", "")
    'empty'
    """
    slots, kept = sorted(_SLOT.findall(source)), sorted(_SLOT.findall(answer))
    if not answer:
        return "empty"
    if kept != slots:
        return f"slots {kept} instead of {slots}"
    if " and " in f" {answer} ":
        return "holds the word 'and', which joins queries"
    if answer in _asked():
        return "a wording in which models are tested"
    words = [word for word in reserved(answer) if word not in reserved(source)]
    return f"says {words[0]}, a word that belongs to a class" if words else ""


def _known(source: str, answer: str) -> str:
    return "a template already" if answer in {source, *_templates()} else ""


def _denied(source: str, answer: str) -> str:
    denied = _DENIAL.search(answer)
    return f"denies: {denied.group()!r}" if denied and not _DENIAL.search(source) else ""


def _level(source: str, answer: str) -> str:
    """Whether it says a word of another level of the attribute that the source speaks of."""
    same = bool(_DENIAL.search(source)) == bool(_DENIAL.search(answer))
    for one in sentences("diverse"):
        words = level_words().get(one.attribute, {}) if one.template == source else {}
        for level in sorted(set(words) - one.states[one.attribute]):
            for word in words[level]:
                if _has(answer, word) and not (same and _has(source, word)):
                    return f"says {word!r}, a word of {level} {one.attribute}"
    return ""


def _has(text: str, word: str) -> bool:
    """Whether a text holds a word or one that begins with it ("lower"), attributes aside."""
    return re.search(rf"\b{word}", _ATTRIBUTE.sub("", text), re.IGNORECASE) is not None


@cache
def _asked() -> frozenset[str]:
    """The frozen wordings of questions."""
    files = sorted(Path(__file__).parent.glob("wordings_*.csv"))
    asked = [row["template"] for file in files for row in read_rows(file.name)]
    return frozenset(template.replace("{}", "{emotion}") for template in asked)


@cache
def _templates() -> frozenset[str]:
    return frozenset(row["template"] for row in read_rows("templates.csv"))


@cache
def level_words() -> dict[str, dict[str, tuple[str, ...]]]:
    """Give the words that name a level: attribute → level → words.

    They are read off the templates of the set `diverse`: words that stand in templates of one
    level alone, whatever the attribute. Templates that name two levels ("neither high nor deep",
    "a low jitter but …") are left out.

    >>> level_words()["pitch"]["low"]
    ('low', 'low-pitched', 'deep', 'reduced')
    """
    found: dict[str, dict[str, list[str]]] = {}
    levels: dict[str, set[str]] = {}
    for one in sentences("diverse"):
        level = min(one.states[one.attribute])
        if level in LEVELS and not re.search(f"{_DENIAL.pattern}| but |{{", one.template):
            words = re.findall(r"[a-z-]{3,}", one.template)
            found.setdefault(one.attribute, {}).setdefault(level, []).extend(words)
            for word in words:
                levels.setdefault(word, set()).add(level)
    return {
        attribute: {
            level: tuple(dict.fromkeys(word for word in words if len(levels[word]) == 1))
            for level, words in of.items()
        }
        for attribute, of in found.items()
    }
