"""Style of the figures: theme, sizes, colours, the chance line, and tables of words.

Importing this module sets the theme for matplotlib and seaborn. A page is 700 pixels wide: an inch
is 100 pixels there, and 140 in the file. Colours are seaborn's colour-blind-safe palette.
"""

import base64
import html
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import matplotlib.style
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler
from PIL import Image

WIDTH = 7.0  # inches: the width of a page
DOTS = 140  # per inch, of the file: sharp on a screen with a fine pitch
INK = "#444444"  # of chance lines

PALETTE = [str(colour) for colour in sns.color_palette("colorblind").as_hex()]
(BLUE, ORANGE, GREEN, RED, PURPLE, BROWN, PINK, GREY, YELLOW, SKY) = PALETTE
EMOTIONS = {"anger": RED, "happiness": YELLOW, "sadness": BLUE, "neutral": GREY, "fear": PURPLE}
EMOTIONS |= {"disgust": GREEN, "surprise": SKY, "contempt": BROWN, "calm": PINK}
LEVELS = {"low": BLUE, "normal": "#c8c8c8", "high": ORANGE}
GENDERS = {"female": ORANGE, "male": BLUE}
sns.set_theme("paper", "whitegrid", "colorblind", font_scale=1.05)  # letters of 10 points
matplotlib.style.use(Path(__file__).with_name("book.mplstyle"))


class Picture(Figure):
    """A figure that pyplot does not know: shown once, as the last expression of a cell."""

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        picture, packed = io.BytesIO(), io.BytesIO()
        self.savefig(picture, format="png", dpi=DOTS)
        with Image.open(picture) as image:  # a palette: the same to the eye, a third of the size
            few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
            few.save(packed, "PNG", optimize=True)
        titles = filter(None, (ax.get_title() or ax.get_ylabel() for ax in self.axes))
        text = f"<Figure: {'; '.join(titles) or 'no title'}>"
        return {"image/png": base64.b64encode(packed.getvalue()).decode(), "text/plain": text}


def figure(
    rows: int = 1, columns: int = 1, height: float = 4.0, **settings: Any
) -> tuple[Picture, Any]:
    """Empty figure, ``height`` inches high, and its axes; ``settings`` of ``Figure.subplots``."""
    fig = Picture(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(fig)
    return fig, fig.subplots(rows, columns, **settings)


def note(text: str) -> Picture:
    """Figure that says why there is nothing to show; the sentence is printed as well."""
    print(text)
    fig, ax = figure(height=1.0)
    ax.set_axis_off()
    ax.text(0.5, 0.5, text, ha="center", va="center", wrap=True, color="#555555")
    return fig


def chance(ax: Axes, value: float, label: str = "chance", *, upright: bool = False) -> None:
    """Draw the level that guessing reaches; upright where scores lie along the horizontal axis."""
    draw = ax.axvline if upright else ax.axhline
    draw(value, color=INK, linestyle="--", linewidth=1.2, label=label)


def colours(words: Iterable[str], fixed: Mapping[str, str] = EMOTIONS) -> dict[str, str]:
    """Colour of each word: those in ``fixed`` keep theirs, others share the rest of the palette."""
    words = list(dict.fromkeys(words))
    taken = {fixed.get(word) for word in words}
    free = [one for one in PALETTE if one not in taken] or PALETTE
    given = dict(zip(sorted({*words} - {*fixed}), free * len(words), strict=False))
    return {word: fixed.get(word) or given[word] for word in words}


def ordered(words: Iterable[Any], first: Iterable[str] = EMOTIONS) -> list[str]:
    """Each word once: those in ``first`` in its order, then the others by alphabet."""
    there = {str(word) for word in words if not pd.isna(word)}
    head = [word for word in first if word in there]
    return head + sorted(there - set(head))


def text_table(table: pd.DataFrame, caption: str = "") -> Styler:
    """Table of words, without the index; a column of addresses becomes one of links."""
    cell = "text-align: left; vertical-align: top; padding: 0.35em 0.4em"
    rules: list[Any] = [
        {"selector": "", "props": "font-size: 0.85em; line-height: 1.35"},
        {"selector": "td", "props": f"{cell}; border-top: 1px solid rgba(128, 128, 128, 0.35)"},
        {"selector": "th", "props": cell},
        {"selector": "caption", "props": "caption-side: top; text-align: left"},
    ]
    styled = table.style.format(precision=3, na_rep="-", escape="html").hide(axis="index")
    styled = styled.format_index(escape="html", axis=1)
    links = [name for name in table if table[name].astype("str").str.startswith("http").all()]
    styled = styled.set_table_styles(rules).set_caption(html.escape(caption))
    link = '<a href="{0}">{1.netloc}</a>'.format
    return styled.format(lambda url: link(url, urlsplit(str(url))), subset=links, escape="html")
