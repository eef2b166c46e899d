"""How do the figures look: sizes, colours, the chance line, and a player for voices.

A figure is made for a page 700 pixels wide: inches times 100 are pixels on the page. It is never
registered with pyplot, so a notebook shows it once, when it is the last expression of a cell. A
figure that has nothing to show says so (:func:`note`), so that a page never breaks off because a
corpus lacks a column.

Colours come from seaborn's colour-blind-safe palette; an emotion has the same in all chapters.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import seaborn as sns
import soundfile
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler
from PIL import Image

from paraclap import audio

WIDTH = 7.0  # inches: the width of a page
DOTS = 140  # per inch, of the picture: sharp on a screen with a fine pitch

_BLIND = sns.color_palette("colorblind").as_hex()
(BLUE, ORANGE, GREEN, RED, PURPLE, BROWN, PINK, GREY, YELLOW, SKY) = _BLIND
EMOTIONS = {
    "anger": RED,
    "happiness": YELLOW,
    "sadness": BLUE,
    "neutral": GREY,
    "fear": PURPLE,
    "disgust": GREEN,
    "surprise": SKY,
    "contempt": BROWN,
    "calm": PINK,
}
LEVELS = {"low": BLUE, "normal": "#c8c8c8", "high": ORANGE}
SPLITS = {"train": BLUE, "dev": GREEN, "test": ORANGE}
GENDERS = {"female": ORANGE, "male": BLUE}
THEME: dict[Any, Any] = {
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.labelsize": 10,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.7,
    "figure.facecolor": "white",
}


class Picture(Figure):
    """A figure that shows itself in a notebook, with no help of pyplot."""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What a notebook shows: the picture, and how it reads where pictures cannot."""
        picture = io.BytesIO()
        with rc_context(THEME):
            self.savefig(picture, format="png", dpi=DOTS)
        titles = [ax.get_title() or ax.get_ylabel() for ax in self.axes]
        return {
            "image/png": base64.b64encode(_lighter(picture)).decode(),
            "text/plain": f"<Figure: {'; '.join(filter(None, titles)) or 'no title'}>",
        }


def _lighter(picture: io.BytesIO) -> bytes:
    """A PNG with a palette: the same to the eye, at a third of the size."""
    packed = io.BytesIO()
    with Image.open(picture) as image:
        few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(packed, "PNG", optimize=True)
    return packed.getvalue()


def figure(
    rows: int = 1, cols: int = 1, width: float = WIDTH, height: float = 4.0, **more: Any
) -> tuple[Picture, np.ndarray[Any, Any]]:
    """Make an empty figure in the style of the book.

    Args:
        rows: of axes
        cols: of axes
        width: inches, 100 pixels on the page each
        height: inches
        more: for ``Figure.subplots``, such as ``sharey=True``

    Returns:
        the figure, and its axes as an array of shape `(rows, cols)`
    """
    with rc_context(THEME):
        fig = Picture(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(fig)
        axes = fig.subplots(rows, cols, squeeze=False, **more)
    return fig, axes


def note(text: str) -> Picture:
    """Make a figure that says why there is nothing to show; the sentence is printed as well.

    Args:
        text: a sentence, such as "This corpus has no ratings of arousal and valence."
    """
    print(text)
    fig, axes = figure(height=1.0)
    axes[0, 0].set_axis_off()
    axes[0, 0].text(0.5, 0.5, text, ha="center", va="center", wrap=True, color="#555555")
    return fig


def need(table: pd.DataFrame, columns: Sequence[str] = ()) -> None:
    """Check that there is something to draw.

    Raises:
        ValueError: if the table is empty or a column is not there
    """
    if table.empty:
        raise ValueError("Nothing to draw: the table is empty, expected at least one row.")
    absent = [name for name in columns if name not in table]
    if absent:
        msg = f"Nothing to draw: no column {absent[:5]} in the table, it has {list(table)[:20]}."
        raise ValueError(msg)


def chance(
    ax: Axes, value: float, label: str = "chance", *, upright: bool = False, **more: Any
) -> None:
    """Draw the level that guessing reaches.

    Args:
        ax: where
        value: in the unit of the axis
        label: in the legend
        upright: a vertical line, where scores lie along the horizontal axis
        more: for the line
    """
    look = {"color": "#444444", "linestyle": "--", "linewidth": 1.2, "label": label, **more}
    if upright:
        ax.axvline(value, **look)
    else:
        ax.axhline(value, **look)


def colours(words: Iterable[str], known: Mapping[str, str] = EMOTIONS) -> dict[str, str]:
    """Give each word its colour: the known ones theirs, others what is left of the palette.

    Args:
        words: emotions, labels, corpora …; the same words always get the same colours
        known: word → colour
    """
    words = list(dict.fromkeys(words))
    taken = {known[word] for word in words if word in known}
    free = [one for one in _BLIND if one not in taken] or list(_BLIND)
    others = sorted(word for word in words if word not in known)
    given = {word: free[place % len(free)] for place, word in enumerate(others)}
    return {word: known[word] if word in known else given[word] for word in words}


def ordered(words: Iterable[Any], known: Iterable[str] = EMOTIONS) -> list[str]:
    """Put words into the book's order: the known ones first, then the others by alphabet."""
    there = {str(word) for word in words if not pd.isna(word)}
    first = [word for word in known if word in there]
    return first + sorted(there - set(first))


def legend_outside(ax: Axes, title: str = "") -> None:
    """Put the legend to the right of the axes."""
    ax.legend(title=title, loc="upper left", bbox_to_anchor=(1.0, 1.0), alignment="left")


def text_table(table: pd.DataFrame, caption: str = "") -> Styler:
    """Show a table of words: whole cells, set from the left and from the top, a line a row.

    Args:
        table: its index is not shown; a column of addresses becomes one of links
        caption: above it
    """
    cell = [("text-align", "left"), ("vertical-align", "top"), ("padding", "0.35em 0.4em")]
    line = [("border-top", "1px solid rgba(128, 128, 128, 0.35)")]
    looks: list[Any] = [
        {"selector": "", "props": [("font-size", "0.85em"), ("line-height", "1.35")]},
        {"selector": "td", "props": [*cell, *line]},
        {"selector": "th", "props": cell},
        {"selector": "caption", "props": [("caption-side", "top"), ("text-align", "left")]},
    ]
    styled = escaped(table).hide(axis="index")
    links = [name for name in table if table[name].astype("str").str.startswith("http").all()]
    styled = styled.format(_link, subset=links).set_table_styles(looks)
    return styled.set_caption(html.escape(caption))


def escaped(table: pd.DataFrame) -> Styler:
    """Style a table whose words are shown as they are, whatever they look like to a browser."""
    styled = table.style.format(precision=3, na_rep="-", escape="html")
    return styled.format_index(escape="html", axis=1)


def _link(url: object) -> str:
    """The address of a page as a link that shows its host alone."""
    host = urlsplit(str(url)).netloc
    return f'<a href="{html.escape(str(url))}">{html.escape(host)}</a>'


class Sound:
    """Players in a page: what a notebook shows of voices."""

    def __init__(self, cards: Sequence[str]) -> None:
        """Keep the HTML of each player."""
        self.cards = list(cards)

    def _repr_html_(self) -> str:
        row = "display:flex;flex-wrap:wrap;gap:0.8em 1.2em;margin:0.6em 0"
        return f'<div style="{row}">{"".join(self.cards)}</div>'

    def __repr__(self) -> str:
        """How many voices there are."""
        return f"<{len(self.cards)} voices to listen to>"


def player(file: str, label: str, start: Any = None, end: Any = None) -> Sound:
    """Let the reader hear a segment: a player with the signal inside the page, as MP3.

    Args:
        file: audio file; it is not needed any more once the page is made
        label: what is heard, shown above the player
        start: of the segment, the file's when left out
        end: of the segment
    """
    signal = audio.read(file, start, end)
    encoded = io.BytesIO()
    soundfile.write(encoded, signal, audio.SAMPLING_RATE, format="MP3")
    data = base64.b64encode(encoded.getvalue()).decode()
    card = (
        '<div style="width:13.5em">'
        f'<div style="font-size:0.9em;margin-bottom:0.2em">{html.escape(label)}</div>'
        '<audio controls preload="none" style="width:100%" '
        f'src="data:audio/mpeg;base64,{data}"></audio></div>'
    )
    return Sound([card])


def players(table: pd.DataFrame, labels: Sequence[str]) -> Sound:
    """Let the reader hear several segments, side by side.

    Args:
        table: on the segmented index
        labels: what is heard, one a row
    """
    pairs = zip(table.index, labels, strict=True)
    sounds = [player(file, label, start, end) for (file, start, end), label in pairs]
    return Sound([card for sound in sounds for card in sound.cards])
