"""Which sentences hold? The templates of each set, and the words that fill them. Chapter 3.

`templates.csv` holds one template a row. `set` names the sets that hold it; `level` the states of
its own attribute in which it holds, `|` between them; `when` adds conditions on other attributes,
`attribute=state|state; ...`. States are listed in `STATES`; `calm` is one of its own because it is
a degree of arousal: low arousal is "speaker is calm" already, and "speaker is not very calm" would
contradict it. `{emotion}` and `{gender}` are slots. Rows stand in the order of the queries.

The set `paper` is supplementary Table 1 with the emotion and gender sentences of section 2.2 and
"emotion is" of section 4. It differs from the print in five ways:

- An unstable pitch is one of *high* variation (the table has the two columns swapped).
- "but a high pitch variance" and the like hold only where the variation of the pitch is so.
- Intensity sentences about loudness do not hold where the level of `loudness` is known and differs;
  there are none about `loudness` alone.
- There are none for the emotion `other`, which is no word for how somebody sounds.
- `calm` is only a degree of arousal, and never "very" or "not very" calm.

`diverse` adds plain, colloquial and clinical wordings, `loudness` as an attribute of its own, and
synonyms from `emotion_words.csv` in `{emotion}`, as strong as the arousal allows (`INTENSITIES`).
`released` and `released-fixed` are what the authors' code emits, its full and its short list, with
their contradictions. Source: the paper; https://github.com/KeiKinn/ParaCLAP.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

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
INTENSITIES = {
    "plain": ("unknown", *LEVELS),
    "mild": ("low", "normal"),
    "strong": ("normal", "high"),
}  # intensity of a synonym → the states of arousal in which it may stand for the emotion
_FOLDER = Path(__file__).parent
_EMOTIONS = _FOLDER.parent / "corpora" / "emotions.csv"


@dataclass(frozen=True)
class Template:
    """One sentence with its slots, and the states in which it holds.

    Attributes:
        attribute: what it speaks of
        text: the sentence, with the slots `{emotion}` and `{gender}`
        states: attribute → the states in which it holds, its own attribute first
        intensities: the synonyms that may fill `{emotion}` besides the emotion's own word
    """

    attribute: str
    text: str
    states: Mapping[str, frozenset[str]]
    intensities: tuple[str, ...] = ()

    @property
    def reads(self) -> list[str]:
        """The attributes that its truth and its text depend on."""
        degree = ["arousal"] if self.intensities else []
        return [*self.states, *re.findall(r"{(\w+)}", self.text), *degree]

    def fill(
        self, emotion: str | None, gender: str | None, arousal: str = "unknown"
    ) -> tuple[str, ...]:
        """Give its queries: with the emotion's own word, then with each of its synonyms."""
        words = synonyms(emotion, arousal, self.intensities) if emotion else ()
        text = self.text.replace("{gender}", str(gender))
        return tuple(text.replace("{emotion}", str(word)) for word in (emotion, *words))


def matching_templates(templates: Iterable[Template], states: Mapping[str, str]) -> list[Template]:
    """Find the templates that hold for one utterance, in their order.

    Args:
        templates: as `load_templates` reads them
        states: attribute → its state, as `states_of` gives them; one left out is unknown
    """
    return [
        template
        for template in templates
        if all(states.get(name, "unknown") in allowed for name, allowed in template.states.items())
    ]


def states_of(levels: Mapping[str, str], emotion: str | None, gender: str | None) -> dict[str, str]:
    """Give the state of every attribute of one utterance; arguments as in `queries_for`.

    Raises:
        ValueError: if an attribute, level or gender is unknown, or the emotion is no word

    >>> states_of({"pitch": "high"}, "angry", None)
    {'pitch': 'high', 'emotion': 'word', 'gender': 'unknown'}
    """
    for attribute, level in levels.items():
        if attribute not in FEATURES:
            raise ValueError(tables.unknown("attribute", attribute, FEATURES))
        if level not in LEVELS:
            raise ValueError(tables.unknown(f"level of {attribute}", level, LEVELS))
    if emotion is not None and (not isinstance(emotion, str) or not emotion.strip()):
        raise ValueError(f"Bad emotion {emotion!r}, expected a word, or None where it is unknown.")
    if gender is not None and gender not in tables.GENDERS:
        raise ValueError(tables.unknown("gender", gender, tables.GENDERS))
    feeling = "unknown"
    if emotion is not None:
        word = emotion.strip().lower()
        feeling = word if word in (NO_AGREEMENT, "other", "calm") else "word"
    return {**levels, "emotion": feeling, "gender": "known" if gender else "unknown"}


def load_templates(templates: str = "paper") -> tuple[Template, ...]:
    """Read a template set, in the order of its queries.

    Args:
        templates: a set of `templates.csv`, or a `.csv` file with columns as there, all of whose
            rows count; where its column `set` is `diverse`, synonyms are used

    Raises:
        FileNotFoundError: if there is no such file
        ValueError: if there is no such set, or a row of the file is wrong
    """
    if templates in SETS:
        return _read_set(templates)
    if not templates.endswith(".csv"):
        raise ValueError(tables.unknown("template set", templates, (*SETS, "a .csv file")))
    return _templates(_read_file(Path(templates)), Path(templates).name)


@cache
def _read_set(name: str) -> tuple[Template, ...]:
    table = _read(_FOLDER / "templates.csv")
    own = table[[name in sets.split("|") for sets in table["set"]]]
    return _templates(own.assign(set=name), "templates.csv")


def _templates(table: pd.DataFrame, name: str) -> tuple[Template, ...]:
    rows: list[Any] = table.to_dict("records")
    lines = table.index + 2  # line 1 has the names of the columns
    return tuple(
        _template(row, f"line {line} of {name!r}") for line, row in zip(lines, rows, strict=True)
    )


def _read_file(path: Path) -> pd.DataFrame:
    table = tables.read_csv(path, dtype="str", keep_default_na=False).fillna("")
    if sorted(table.columns) != sorted(COLUMNS) or table.empty:
        raise ValueError(
            f"No template set in {path.name!r} (columns {list(table.columns)[:9]}, {len(table)} "
            f"rows), expected the columns {COLUMNS} and a row for each template."
        )
    return table


def _template(row: Mapping[str, str], where: str) -> Template:
    """Make the template of a row, or say what is wrong with it."""
    text, attribute = row["template"].strip(), row["attribute"]
    slots = re.findall(r"{.*?}|[{}]", text)
    if not text or not {*slots} <= {"{emotion}", "{gender}"}:
        raise ValueError(
            f"Bad template {text!r} in {where}, expected a sentence, and no slots but "
            "{emotion} and {gender}."
        )
    conditions = [f"{attribute}={row['level']}", *filter(None, row["when"].split(";"))]
    # One of the arousal ("very {emotion}") is about a degree: it takes plain words only.
    several = tuple(INTENSITIES) if attribute == "emotion" else ("plain",)
    words = several if row["set"] == "diverse" and "{emotion}" in slots else ()
    return Template(attribute, text, dict(_states(one, where) for one in conditions), words)


def _states(condition: str, where: str) -> tuple[str, frozenset[str]]:
    name, _, states = condition.strip().partition("=")
    if name not in STATES:
        raise ValueError(tables.unknown("attribute", name, STATES, where))
    for state in states.split("|"):
        if state not in STATES[name]:
            raise ValueError(tables.unknown(f"state of {name}", state, STATES[name], where))
    return name, frozenset(states.split("|"))


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
    table = _read(_EMOTIONS)
    return {word: own for name in FORMS for word, own in zip(table[name], table[form], strict=True)}


@cache
def synonyms(
    emotion: str, arousal: str = "unknown", intensities: tuple[str, ...] = tuple(INTENSITIES)
) -> tuple[str, ...]:
    """Give the words that may stand for an emotion (its adjective) besides its own.

    >>> synonyms("angry"), synonyms("angry", "low", ("mild",))
    (('mad', 'wrathful', 'indignant'), ('cross', 'ill-tempered'))
    """
    table = _read(_FOLDER / "emotion_words.csv")
    fitting = [one for one in intensities if arousal in INTENSITIES[one]]
    own = table["emotion"].map(emotion_word) == emotion
    return tuple(table.loc[own & table["intensity"].isin(fitting), "word"])


@cache
def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype="str", keep_default_na=False)
