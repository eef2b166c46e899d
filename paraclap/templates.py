"""What may be said: the sentences of each template set and when each of them holds.

`templates.csv` holds one sentence a row: `set`, `attribute`, `level`, `when`, `template`.

- `set` names the sets that hold the sentence, `|` between them.
- `level` names the states of the sentence's own attribute in which it holds, `|` between them.
- `when` adds conditions on other attributes, `attribute=state|state`, semicolons between them.
- States are `unknown`, `low`, `normal`, `high`; of gender `unknown`, `known`; of emotion
  `unknown`, `no_agreement`, `other`, `calm` and `word` (any other emotion word). Calm stands
  apart because it is a degree of arousal: "speaker is calm" is said of low arousal already,
  and "speaker is not very calm" would contradict it.
- `{emotion}` and `{gender}` are the slots of a template.
- The order of the rows is the order of the queries.

Four sets. `paper` is supplementary Table 1 with the emotion and gender sentences of section 2.2
and "emotion is" of section 4. Five readings differ from its print:

- The table prints the stable and unstable pitch in swapped columns: here an unstable pitch is one
  of *high* variation.
- A jitter or shimmer continuation ("but a high pitch variance") is said only where the pitch
  variation really is the opposite.
- The intensity sentences that speak of loudness are left out where the level of `loudness` is
  known and differs; of `loudness` alone, with no `intensity`, nothing is said.
- Nothing is said of the emotion `other`, which is no word for how somebody sounds.
- `calm` is said as a degree of arousal alone, and never as "very" or "not very" calm.

`diverse` says all that `paper` says, in further registers: plainly ("the person speaks at a high
pitch"), colloquially ("talks in a high voice"), clinically ("fundamental frequency is elevated").
It speaks of loudness as an attribute of its own, and its `{emotion}` sentences take further words
besides the emotion's own, as strong as the arousal allows, see `emotion_words`.

`released` and `released-fixed` are what the authors' code emits, its full and its short list,
contradictions included.

Source: Jing, Triantafyllopoulos, Schuller: ParaCLAP, Interspeech 2024, section 2.2 and
supplementary Table 1; https://github.com/KeiKinn/ParaCLAP for the released sets.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from paraclap import reading
from paraclap.emotion_words import INTENSITIES, read_rows, synonyms
from paraclap.tables import GENDERS

LEVELS = ("low", "normal", "high")
NUMERIC = (
    "pitch",
    "pitch variation",
    "intensity",
    "loudness",
    "jitter",
    "shimmer",
    "duration",
    "arousal",
    "valence",
    "dominance",
)
COLUMNS = ("set", "attribute", "level", "when", "template")
FORMS = ("adjective", "noun")
NO_AGREEMENT = "no_agreement"

_STATES = {
    **dict.fromkeys(NUMERIC, ("unknown", *LEVELS)),
    "emotion": ("unknown", NO_AGREEMENT, "other", "calm", "word"),
    "gender": ("unknown", "known"),
}
_MANY_WORDS = ("diverse",)  # sets whose emotion sentences take synonyms


@dataclass(frozen=True)
class Sentence:
    """One template and the states in which it may be said.

    Args:
        attribute: the attribute it speaks of
        template: its text, with `{emotion}` or `{gender}` as slots
        states: attribute → the states in which it holds; its own attribute comes first
        intensities: which synonyms may take the place of the emotion word, see `emotion_words`
    """

    attribute: str
    template: str
    states: Mapping[str, frozenset[str]]
    intensities: tuple[str, ...] = ()

    @property
    def says_emotion(self) -> bool:
        """Whether the emotion word is part of the sentence."""
        return "{emotion}" in self.template

    @property
    def reads(self) -> tuple[str, ...]:
        """The attributes its truth and its text depend on."""
        slots = [name for name in ("emotion", "gender") if f"{{{name}}}" in self.template]
        degree = ["arousal"] if self.intensities else []
        return tuple(dict.fromkeys([*self.states, *slots, *degree]))

    def holds(self, states: Mapping[str, str]) -> bool:
        """Whether it may be said of these states (an attribute left out is unknown)."""
        return all(states.get(name, "unknown") in good for name, good in self.states.items())

    def fill(self, emotion: str | None, gender: str | None) -> str:
        """The query: the template with its slot filled."""
        return self.template.replace("{emotion}", str(emotion)).replace("{gender}", str(gender))

    def fillings(
        self, emotion: str | None, gender: str | None, arousal: str = "unknown"
    ) -> list[str]:
        """All its queries: that of the emotion word itself, then those of its synonyms.

        Args:
            emotion: the word of the emotion; synonyms are known of an adjective
            gender: female or male
            arousal: its state, which says how strong a synonym may be
        """
        words = synonyms(emotion, arousal, self.intensities) if emotion else ()
        return [self.fill(word, gender) for word in (emotion, *words)]


def unknown_name(what: str, got: object, known: Iterable[str], where: str = "") -> str:
    """Write the message of an error about a name nobody knows, with the nearest known one."""
    known = list(known)
    near = get_close_matches(str(got), known, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"Unknown {what} {got!r}{where}, expected one of {known}.{hint}"


def check_level(attribute: str, level: str) -> None:
    """Raise a ValueError for an attribute or a level that no sentence can speak of."""
    if attribute not in NUMERIC:
        raise ValueError(unknown_name("attribute", attribute, NUMERIC))
    if level not in LEVELS:
        raise ValueError(unknown_name("level", level, LEVELS, f" of {attribute}"))


def emotion_state(emotion: str | None) -> str:
    """Say which state of the attribute emotion a word stands for.

    Raises:
        ValueError: if it is no word

    >>> [emotion_state(word) for word in (None, "angry", "calm", "no_agreement")]
    ['unknown', 'word', 'calm', 'no_agreement']
    """
    if emotion is None:
        return "unknown"
    if not isinstance(emotion, str) or not emotion.strip():
        raise ValueError(f"Bad emotion {emotion!r}, expected a word, or None where it is unknown.")
    word = emotion.strip().lower()
    return word if word in _STATES["emotion"][1:-1] else "word"


def gender_state(gender: str | None) -> str:
    """Say which state of the attribute gender a word stands for.

    Raises:
        ValueError: if the word is neither female nor male
    """
    if gender is None:
        return "unknown"
    if gender not in GENDERS:
        raise ValueError(unknown_name("gender", gender, GENDERS))
    return "known"


@cache
def _emotions() -> dict[str, dict[str, str]]:
    words = read_rows("emotions.csv")
    return {word: row for row in words for word in (row["adjective"], row["noun"])}


def emotion_word(emotion: str, form: str = "adjective") -> str:
    """Give an emotion as an adjective or as a noun; a word not in `emotions.csv` stays as it is.

    Raises:
        ValueError: if `form` is neither adjective nor noun

    >>> emotion_word("fear"), emotion_word("angry", "noun"), emotion_word("saudade")
    ('fearful', 'anger', 'saudade')
    """
    if form not in FORMS:
        raise ValueError(unknown_name("form of the emotion word", form, FORMS))
    row = _emotions().get(emotion)
    return emotion if row is None else row[form]


@cache
def sentences(templates: str = "paper") -> tuple[Sentence, ...]:
    """Give all sentences of a template set, in the order in which they are said.

    Args:
        templates: name of a set of `templates.csv`, or a file with columns as there, all of whose
            rows are said; its name ends in `.csv`

    Raises:
        OSError: if there is no such file
        ValueError: if there is no such set, or a row of the data names an unknown state

    >>> sentences("paper")[0].template
    'has low arousal'
    """
    rows = template_rows(templates)
    many = any(name in _MANY_WORDS for row in rows for name in (row["set"], templates))
    where = Path(templates).name if templates.endswith(".csv") else "templates.csv"
    return tuple(_sentence(row, many, where) for row in rows)


def template_rows(templates: str) -> list[dict[str, str]]:
    """Give the rows of a template set: `set`, `attribute`, `level`, `when`, `template`.

    Args:
        templates: as in `sentences`

    Raises:
        OSError: if there is no such file
        ValueError: if there is no such set or the file has other columns
    """
    if templates.endswith(".csv"):
        return _file_rows(Path(templates))
    rows = [(row["set"].split("|"), row) for row in read_rows("templates.csv")]
    known = list(dict.fromkeys(name for sets, _ in rows for name in sets))
    if templates not in known:
        raise ValueError(unknown_name("template set", templates, known))
    return [row for sets, row in rows if templates in sets]


def _file_rows(path: Path) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(reading.text(path), newline=""), strict=True)
        columns, rows = list(reader.fieldnames or ()), list(reader)
    except csv.Error as error:
        msg = f"Cannot read {path.name!r} as CSV ({error}): write it again, cells in quotes."
        raise ValueError(msg) from error
    wrong = sorted(columns) != sorted(COLUMNS)
    odd = [] if wrong else [row for row in rows if not _is_whole(row)]
    if odd:
        raise ValueError(
            f"Bad rows in {path.name!r} ({len(odd)} of {len(rows)}, "
            f"first: {list(odd[0].values())}), "
            f"expected {len(COLUMNS)} cells and a template in each."
        )
    if wrong or not any(row["attribute"] == "emotion" for row in rows):
        raise ValueError(
            f"No template set in {path.name} (columns {columns}, {len(rows)} rows), "
            f"expected the columns {list(COLUMNS)}, and among the rows one of the emotion: "
            "copy the header of templates.csv."
        )
    return rows


def _is_whole(row: Mapping[str | None, str | None]) -> bool:
    """Whether a row has a cell for each column, no more, and something to say."""
    return None not in row and None not in row.values() and bool((row["template"] or "").strip())


def _sentence(row: Mapping[str, str], many_words: bool, where: str) -> Sentence:
    """Make a sentence of a row.

    One of the arousal ("very {emotion}") has a degree of its own: of the synonyms of the emotion
    word it takes the plain ones alone.
    """
    states = {row["attribute"]: _states(row["attribute"], row["level"], where)}
    for condition in filter(None, row["when"].split("; ")):
        name, _, values = condition.partition("=")
        states[name] = _states(name, values, where)
    degrees = tuple(INTENSITIES) if row["attribute"] == "emotion" else ("plain",)
    wide = many_words and "{emotion}" in row["template"]
    return Sentence(row["attribute"], row["template"], states, degrees if wide else ())


def _states(attribute: str, values: str, where: str) -> frozenset[str]:
    if attribute not in _STATES:
        raise ValueError(unknown_name("attribute", attribute, _STATES, f" in {where}"))
    for value in values.split("|"):
        if value not in _STATES[attribute]:
            place = f" of {attribute} in {where}"
            raise ValueError(unknown_name("state", value, _STATES[attribute], place))
    return frozenset(values.split("|"))
