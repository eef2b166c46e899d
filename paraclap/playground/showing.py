"""How do answers get into a panel? As HTML in which nothing from people or files is a tag.

Pieces are macros of ``fragments.html.jinja``, which escapes all that it is given. Colours follow
the theme of JupyterLab where it has one.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from paraclap import levels
from paraclap.figures import playground as figures
from paraclap.figures import style
from paraclap.looking import clips
from paraclap.playground.session import Answer
from paraclap.playground.voices import LONGEST, Voice, title

PLAYED = 10.0  # seconds of a found voice that can be heard
QUERIES = 12  # of those that hold


@cache
def _macros() -> Any:
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    rules = jinja2.Environment(autoescape=True, loader=loader, undefined=jinja2.StrictUndefined)
    return rules.get_template("fragments.html.jinja").module


def styles() -> str:
    """The looks of all pieces, once for a page."""
    return str(_macros().styles())


def sentence(text: str) -> str:
    """The answer, in larger letters."""
    return str(_macros().sentence(text, True))


def plain(text: str) -> str:
    """A line of text."""
    return str(_macros().sentence(text, False))


def note(text: str, *, bad: bool = False) -> str:
    """A sentence in a box; if `bad`, one that a screen reader reads out at once."""
    return str(_macros().note(text, bad))


def heading(text: str) -> str:
    """What the next piece shows."""
    return str(_macros().heading(text))


def without_kernel(command: str = "make lab") -> str:
    """What stands in a page in the place of the playground.

    Args:
        command: starts JupyterLab
    """
    return str(_macros().without_kernel(command))


def table(frame: pd.DataFrame, decimals: int = 2) -> str:
    """A table; numbers to the right, levels coloured.

    Args:
        frame: its index is not shown
        decimals: of numbers that are not whole
    """
    numbers = [pd.api.types.is_numeric_dtype(frame[name]) for name in frame]
    columns = [{"name": n, "number": k} for n, k in zip(frame, numbers, strict=True)]
    rows = [
        [_cell(*pair, decimals) for pair in zip(row, numbers, strict=True)]
        for row in frame.itertuples(index=False)
    ]
    return str(_macros().table(columns, rows))


def _cell(value: Any, number: bool, decimals: int) -> dict[str, Any]:
    known = isinstance(value, str) and value in levels.LEVELS
    text = f"{value:.{decimals}f}" if isinstance(value, float) else str(value)
    text = "–" if pd.isna(value) else text  # noqa: RUF001  (a dash for what is not known)
    return {"text": text, "number": number, "level": value if known else ""}


def picture(figure: style.Picture, alt: str) -> str:
    """A figure, with what it shows in words.

    Args:
        figure: of :mod:`paraclap.figures`
        alt: for those who cannot see it
    """
    return str(_macros().picture(figure._repr_mimebundle_()["image/png"], alt))


def player(voice: Voice) -> str:
    """A voice to be heard, whole.

    Args:
        voice: at most `voices.LONGEST` seconds
    """
    sound = clips.address(clips.short(voice.signal, LONGEST))
    return str(_macros().player(voice.name, f"{voice.seconds:.2f}", voice.about, sound))


def heard(voice: Voice) -> style.Sound:
    """A voice to be heard in a page.

    Args:
        voice: at most `voices.LONGEST` seconds
    """
    return style.Sound([player(voice)])


def answer(given: Answer) -> str:
    """All that one model says of one voice: sentence, bars, numbers, levels, queries.

    Args:
        given: see :meth:`paraclap.playground.session.Session.ask`
    """
    bars = picture(figures.answer(given.table, given.summary), alternative(given))
    who, whom = given.table["voice"].iloc[0], given.table["model"].iloc[0]
    lead = sentence(given.sentence) + plain(f"Asked about {who}, answered by {whom}.")
    parts = [lead, bars, table(given.summary.rename(columns=NAMES))]
    if given.remark:
        return "".join([*parts, note(given.remark)])
    shown = [
        heading("Measured, beside the voices of the run") + table(given.levels, 3),
        heading("What holds, closest first for this model") + table(given.queries.head(QUERIES)),
    ]
    return "".join([*parts, str(_macros().columns([Markup(part) for part in shown]))])


NAMES = {"low": "lowest", "high": "highest", "first": "wordings in which it is first"}


def alternative(given: Answer) -> str:
    """What the bars show, in words.

    Args:
        given: see :func:`answer`
    """
    rows = given.summary.itertuples()
    told = [
        f"{row.candidate} {row.probability:.2f} ({row.low:.2f} to {row.high:.2f})" for row in rows
    ]
    return f"Mean probability and its range over wordings: {'; '.join(told)}."


def comparison(compared: pd.DataFrame, said: str, voice: Voice | None = None) -> str:
    """Two models side by side.

    Args:
        compared: as :func:`paraclap.playground.beside.compared` gives it
        said: the same in words
        voice: who was asked about
    """
    first, second = list(compared)[1:3]
    rows = compared.itertuples(index=False)
    told = [f"{row[0]} {row[1]:.2f} and {row[2]:.2f}" for row in rows]
    alt = f"Probabilities by {first} and by {second}: {'; '.join(told)}."
    lead = sentence(said) + (plain(f"Asked about {voice.name}.") if voice else "")
    return lead + picture(figures.two_models(compared), alt) + table(compared)


def found(voices: pd.DataFrame, store: Path | None = None) -> str:
    """Players of the voices that were found, closest and farthest.

    Args:
        voices: as :func:`paraclap.playground.finding.found` gives them
        store: folder of decoded signals; None reads the files
    """
    signals = clips.read(voices.index, store, PLAYED)
    rows = zip(voices.index, voices.iterrows(), signals, strict=True)
    cards = [
        (
            str(row["place"]),
            {
                "name": title(segment, row),
                "cosine": f"{row['similarity']:.2f}",
                "about": "synthetic speech" if row.get("synthetic", False) is True else "",
                "sound": clips.address(signal),
            },
        )
        for segment, (_, row), signal in rows
    ]
    places = list(dict.fromkeys(place for place, _ in cards))
    groups = [(place.capitalize(), [one for at, one in cards if at == place]) for place in places]
    return str(_macros().cards(groups))


def links(addresses: dict[str, str]) -> str:
    """Links that give the reader files.

    Args:
        addresses: name of the file → its address
    """
    return str(_macros().links(list(addresses.items())))
