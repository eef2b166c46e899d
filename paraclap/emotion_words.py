"""Which other words say an emotion, how strongly, and which words no template may say.

`emotion_words.csv` holds one word a row: `emotion` (the noun of `emotions.csv`), `word` (an
adjective), `intensity` and `register` (plain, colloquial, clinical, literary). A word of the
intensity `plain` may always take the place of the emotion's own adjective. A `strong` one
("livid") is said where arousal is known and not low, a `mild` one ("cross") where it is known and
not high. Only the template set `diverse` says them.

`reserved_stems.csv` holds the stems (regular expressions) of all words that belong to one class
alone: those of the emotions, which nothing but the emotion's own sentences may say; the unseen
synonyms of `synonyms.csv`, on which a trained model is tested; and the classes of other tasks.
Stems, so that inflections and compounds ("overjoyed") are found as well.

Source: the outlook of section 5 of the paper, on more diverse queries.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

INTENSITIES = {
    "plain": ("unknown", "low", "normal", "high"),
    "mild": ("low", "normal"),
    "strong": ("normal", "high"),
}  # intensity → the states of arousal in which its words are said
_FOLDER = Path(__file__).parent


def read_rows(name: str) -> list[dict[str, str]]:
    """Read a table of the package's own data, one dictionary a row."""
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def synonyms(
    emotion: str, arousal: str = "unknown", intensities: tuple[str, ...] = tuple(INTENSITIES)
) -> tuple[str, ...]:
    """Give the words that may stand for an emotion, without its own adjective.

    Args:
        emotion: its adjective ("angry"); of any other word no synonym is known
        arousal: the state of the arousal: unknown, low, normal, high
        intensities: those that may be said

    Raises:
        ValueError: if a row of the data names an unknown emotion or intensity

    >>> synonyms("angry"), synonyms("angry", "low", ("mild",))
    (('mad', 'wrathful', 'indignant'), ('cross', 'ill-tempered'))
    """
    return tuple(
        word
        for word, intensity in _words().get(emotion, ())
        if intensity in intensities and arousal in INTENSITIES[intensity]
    )


@cache
def _words() -> dict[str, list[tuple[str, str]]]:
    adjectives = {row["noun"]: row["adjective"] for row in read_rows("emotions.csv")}
    words: dict[str, list[tuple[str, str]]] = {}
    for row in read_rows("emotion_words.csv"):
        if row["emotion"] not in adjectives or row["intensity"] not in INTENSITIES:
            raise ValueError(
                f"Bad row {row} in emotion_words.csv, expected an emotion of emotions.csv and an "
                f"intensity of {list(INTENSITIES)}."
            )
        words.setdefault(adjectives[row["emotion"]], []).append((row["word"], row["intensity"]))
    return words


@cache
def _stems() -> tuple[tuple[str, re.Pattern[str]], ...]:
    rows = read_rows("reserved_stems.csv")
    return tuple((row["of"], re.compile(row["stem"], re.IGNORECASE)) for row in rows)


def reserved(text: str, own: str = "") -> list[str]:
    """Find what a text says that belongs to a class.

    Args:
        text: a template or a word
        own: the emotion (a noun) whose own words are allowed

    Returns:
        the words found, each with what it belongs to

    >>> reserved("sounds overjoyed"), reserved("sounds furious"), reserved("talks loudly")
    (["'joy' (joy)"], ["'furi' (unseen)"], [])
    """
    hits = [(of, stem.search(text)) for of, stem in _stems() if of != own]
    return [f"{hit.group()!r} ({of})" for of, hit in hits if hit]
