"""Which sentences hold? The templates of each set, and the words that fill them. Chapter 3.

`templates.csv` holds one template a row, in the order of the queries. `set` names its sets; `level`
the states of its own attribute in which it holds (see `STATES`), `|` between them; `when` adds
conditions on other attributes, `attribute=state|state; ...`. The sets are

- `paper`: supplementary Table 1, and the sentences about emotion and gender of sections 2.2 and 4.
  Unlike the print, an unstable pitch is one of *high* variation (the table swaps two columns);
  "but a high pitch variance" holds only where it is so; intensity sentences about loudness do not
  hold where `loudness` differs; `other` is no word; `calm` is a low arousal, and never "very" calm.
- `diverse`: more wordings, `loudness` as an attribute, and synonyms from `emotion_words.csv`, as
  strong as the arousal allows (`INTENSITIES`).
- `released`, `released-fixed`: the full and the short list of the authors' code, contradictions
  included. Source: the paper; https://github.com/KeiKinn/ParaCLAP.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from paraclap import tables
from paraclap.queries.levels import FEATURES, LEVELS

SETS = ("paper", "diverse", "released", "released-fixed")
COLUMNS = ["set", "attribute", "level", "when", "template"]
FORMS = ("adjective", "noun")
NO_AGREEMENT = "no_agreement"
STATES = {
    **dict.fromkeys(FEATURES, ("unknown", *LEVELS)),
    "emotion": ("unknown", NO_AGREEMENT, "other", "calm", "word"),
    "gender": ("unknown", "known"),
}  # attribute → its states
# Intensity of a synonym → the states of arousal in which it may stand for the emotion.
INTENSITIES = {"plain": ("unknown", *LEVELS), "mild": LEVELS[:2], "strong": LEVELS[1:]}
Word = str | None  # None: unknown


@dataclass(frozen=True)
class Template:
    """One sentence with its slots, and the states in which it holds."""

    attribute: str  # what it speaks of
    text: str  # with the slots {emotion} and {gender}
    states: Mapping[str, frozenset[str]]  # attribute → where it holds, its own attribute first
    intensities: tuple[str, ...] = ()  # of the synonyms that may fill {emotion}, too

    @property
    def reads(self) -> list[str]:
        """The attributes that its truth and its text depend on."""
        degree = ["arousal"] if self.intensities else []
        return [*self.states, *re.findall(r"{(\w+)}", self.text), *degree]

    def fill(self, emotion: Word, gender: Word, arousal: str = "unknown") -> tuple[str, ...]:
        """Give its queries: with the emotion's own word, then with each of its synonyms."""
        words = synonyms(emotion, arousal, self.intensities) if emotion else ()
        text = self.text.replace("{gender}", str(gender))
        return tuple(text.replace("{emotion}", str(word)) for word in (emotion, *words))


def matching_templates(templates: Iterable[Template], states: Mapping[str, str]) -> list[Template]:
    """Find the templates that hold for one utterance, in their order.

    `states` are those of :func:`states_of`; an attribute that is left out is unknown.
    """
    return [
        one
        for one in templates
        if all(states.get(name, "unknown") in fit for name, fit in one.states.items())
    ]


def states_of(levels: Mapping[str, str], emotion: Word, gender: Word) -> dict[str, str]:
    """Give the state of every attribute of one utterance; arguments and errors as `queries_for`."""
    for attribute, level in levels.items():
        if attribute not in FEATURES:
            raise ValueError(tables.unknown("attribute", attribute, FEATURES))
        if level not in LEVELS:
            raise ValueError(tables.unknown(f"level of {attribute}", level, LEVELS))
    if gender is not None and gender not in tables.GENDERS:
        raise ValueError(tables.unknown("gender", gender, tables.GENDERS))
    feeling = "unknown" if emotion is None else emotion_state(emotion)
    return {**levels, "emotion": feeling, "gender": "known" if gender else "unknown"}


def emotion_state(emotion: str) -> str:
    """Give the state of an emotion word."""
    return emotion if emotion in (NO_AGREEMENT, "other", "calm") else "word"


def load_templates(templates: str = "paper") -> tuple[Template, ...]:
    """Read a template set, in the order of its queries.

    `templates` is a set of `templates.csv`, or a `.csv` file with columns as there, all of whose
    rows count; where its column `set` is `diverse`, synonyms are used. FileNotFoundError or
    ValueError if there is no such file or set, or a row is wrong.
    """
    if templates.endswith(".csv"):
        table = tables.read_csv(templates, dtype="str", keep_default_na=False).fillna("")
        return _parse(table, Path(templates).name)
    if templates not in SETS:
        raise ValueError(tables.unknown("template set", templates, (*SETS, "a .csv file")))
    return _read_set(templates)


@cache
def _read_set(name: str) -> tuple[Template, ...]:
    table = _read("templates.csv")
    rows = table[table["set"].str.get_dummies("|")[name] == 1]
    return _parse(rows.assign(set=name), "templates.csv")


def _parse(table: pd.DataFrame, file: str) -> tuple[Template, ...]:
    if set(table) != set(COLUMNS) or table.empty:
        got = f"columns {list(table)[:5]}, {len(table)} rows"
        raise ValueError(f"No template set in {file!r} ({got}), expected a row and {COLUMNS}.")
    rows = zip(table.index, table[COLUMNS].itertuples(index=False), strict=True)
    return tuple(_template(f"line {place + 2} of {file!r}", *row) for place, row in rows)


def _template(where: str, sets: str, attribute: str, level: str, when: str, text: str) -> Template:
    """Make the template of a row, or say what is wrong with it."""
    slots = {*re.findall(r"{.*?}|[{}]", text)}
    if not text.strip() or not slots <= {"{emotion}", "{gender}"}:
        msg = f"Bad template {text!r} in {where}, expected a sentence, and no slots but "
        raise ValueError(msg + "{emotion} and {gender}.")
    states: dict[str, frozenset[str]] = {}
    for condition in (f"{attribute}={level}", *filter(None, when.split(";"))):
        name, _, allowed = condition.strip().partition("=")
        if name not in STATES:
            raise ValueError(tables.unknown("attribute", name, STATES, where))
        states[name] = frozenset(allowed.split("|"))
        if not states[name] <= set(STATES[name]):
            raise ValueError(tables.unknown(f"state of {name}", allowed, STATES[name], where))
    # A template of the arousal ("very {emotion}") is about a degree: it takes plain words only.
    words = tuple(INTENSITIES) if attribute == "emotion" else ("plain",)
    has_synonyms = sets == "diverse" and "{emotion}" in slots
    return Template(attribute, text.strip(), states, words if has_synonyms else ())


def emotion_word(emotion: str, form: str = "adjective") -> str:
    """Give an emotion as an adjective or as a noun; a word that is not listed stays as it is.

    >>> emotion_word("fear"), emotion_word("angry", "noun"), emotion_word("saudade")
    ('fearful', 'anger', 'saudade')
    """
    if form not in FORMS:
        raise ValueError(tables.unknown("form of the emotion word", form, FORMS))
    return emotion_words(form).get(emotion, emotion)


@cache
def emotion_words(form: str = "adjective") -> dict[str, str]:
    """Noun or adjective of every listed emotion → its word in a form."""
    table = _read("../corpora/emotions.csv")
    return {word: own for name in FORMS for word, own in zip(table[name], table[form], strict=True)}


@cache
def synonyms(emotion: str, arousal: str, intensities: tuple[str, ...]) -> tuple[str, ...]:
    """Give the words that may stand for an emotion (its adjective) besides its own.

    >>> synonyms("angry", "low", ("mild", "strong"))
    ('cross', 'ill-tempered')
    """
    table = _read("emotion_words.csv")
    fitting = [one for one in intensities if arousal in INTENSITIES[one]]
    own = table["emotion"].map(emotion_word) == emotion
    return tuple(table.loc[own & table["intensity"].isin(fitting), "word"])


@cache
def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(Path(__file__).parent / name, dtype="str", keep_default_na=False)
