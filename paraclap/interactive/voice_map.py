"""A map of utterances whose points play: places, neighbours, and the figure.

Embeddings are ``(n, d)`` of unit length; places ``(n, 2)``, whose axes mean nothing. Chapter 13.
Source: van der Maaten and Hinton, Visualizing data using t-SNE, JMLR 9, 2008.
"""

import html
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, CustomJS, Div, HoverTool, Select, TapTool
from bokeh.plotting import figure
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

from paraclap import tables
from paraclap.figures import players, style
from paraclap.interactive.page import Page, legend

NEAREST = 10  # neighbours that are looked at
SIGNS = "●■▲◆✚★▼⬢"  # in the legend; on the map:
MARKS = ("circle", "square", "triangle", "diamond", "plus", "star", "inverted_triangle", "hex")
COLOURS = {**style.EMOTIONS, **style.LEVELS, **style.GENDERS, "not known": style.INK}
_PLAY = """
const {data, selected: {indices: [row]}} = cb_data.source;
window.paraclapSound?.pause();
(window.paraclapSound = new Audio(data.clip[row])).play();
"""
_COLOUR = """
const [columns, text] = looks[cb_obj.value];
source.data = {...source.data, ...columns};
legend.text = text;
"""


def sample_utterances(
    labels: pd.DataFrame, predictions: pd.DataFrame, n: int, seed: int = 0
) -> pd.DataFrame:
    """Draw about ``n`` answered utterances, as many of each emotion, or class where none is known.

    Columns are ``corpus, speaker, emotion, gender, truth, prediction``.
    """
    answers = predictions.loc[~predictions.index.duplicated(), ["truth", "prediction"]]
    given = labels.loc[answers.index, ["corpus", "speaker", "emotion", "gender"]].join(answers)
    by = "emotion" if given["emotion"].notna().any() else "truth"
    mixed = given[given[by].notna()].sample(frac=1, random_state=seed)
    place = mixed.groupby(by).cumcount().argsort(kind="stable")
    return mixed.iloc[place[:n]].sample(frac=1, random_state=seed)


def places(embeddings: NDArray[Any], method: str = "tsne", seed: int = 0) -> NDArray[np.float64]:
    """Lay three or more utterances out by ``tsne`` (keeps neighbours together) or ``pca``."""
    # The exact method gives the same places with any number of threads.
    exact = {"init": "pca", "metric": "cosine", "method": "exact", "random_state": seed}
    tsne = TSNE(2, perplexity=min(30, (len(embeddings) - 1) / 3), **exact)
    layouts = {"tsne": tsne, "pca": PCA(2, svd_solver="full")}
    if method not in layouts:
        raise ValueError(tables.unknown("method", method, layouts))
    return np.asarray(layouts[method].fit_transform(embeddings), np.float64)


def nearest(points: NDArray[Any], n: int = NEAREST) -> NDArray[np.intp]:
    """Nearest neighbours of every point ``(points, n)``, nearest first; no point is its own."""
    found = NearestNeighbors(n_neighbors=min(n, len(points) - 1)).fit(points)
    return np.asarray(found.kneighbors(return_distance=False), np.intp)


def kept_neighbours(embeddings: NDArray[Any], places: NDArray[Any], n: int = NEAREST) -> float:
    """Share of the nearest neighbours among embeddings that are nearest on the map as well."""
    pairs = zip(nearest(embeddings, n), nearest(places, n), strict=True)
    return float(np.mean([np.isin(one, other).mean() for one, other in pairs]))


def agreement(points: NDArray[Any], table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """How often neighbours share an attribute, and how often they would by chance.

    Chance is the mean and the middle 95 % of 200 random deals. Utterances without a value are left
    out, and attributes with a single one.
    """
    rng, rows = np.random.default_rng(0), []
    for name in columns:
        there = table[name].notna().to_numpy()
        codes, words = pd.factorize(table[name][there])
        if len(words) > 1:
            beside = nearest(points[there])
            deals = [codes, *(rng.permutation(codes) for _ in range(200))]
            share, *dealt = [float((deal[beside] == deal[:, None]).mean()) for deal in deals]
            ends = np.quantile(dealt, [0.025, 0.975])
            rows.append([name, len(codes), share, np.mean(dealt), *ends])
    names = ["attribute", "n", "share", "chance", "chance_low", "chance_high"]
    return pd.DataFrame(rows, columns=names)


def voice_map(
    utterances: pd.DataFrame, columns: Sequence[str], cosines: pd.DataFrame | None = None
) -> Page:
    """Draw the map: point at an utterance to see what is known of it, press it to hear it.

    ``utterances`` have ``x``, ``y`` and the columns to colour by, the first one at the start;
    ``cosines`` are further colours to choose from, of the same utterances, a column a query.
    """
    words = utterances[list(columns)].astype("str").fillna("not known")
    looks = {name: _classes(words[name]) for name in columns}
    if cosines is not None:
        looks |= {str(query): _shades(column) for query, column in cosines.items()}
    files = [tables.short_name(file) for file, *_ in utterances.index]
    data = words.assign(file=files, clip=players.clips(utterances.index), **utterances[["x", "y"]])
    source = ColumnDataSource(data.to_dict("list") | looks[columns[0]][0])
    plain = [f"<li>{html.escape(one)}: {re.sub('<[^>]*>', '', looks[one][1])}" for one in columns]
    layout = _layout(source, columns, looks)
    return Page(layout, f"A map of {len(utterances)} utterances", f"<ul>{''.join(plain)}</ul>")


def _layout(source: ColumnDataSource, columns: Sequence[str], looks: dict[str, Any]) -> Any:
    # Nothing is active at first: fingers and wheels scroll the page.
    tools = {"tools": "pan,wheel_zoom,reset", "active_drag": None, "active_scroll": None}
    plot = figure(height=480, sizing_mode="stretch_width", toolbar_location="above", **tools)
    plot.axis.visible, plot.grid.visible, plot.toolbar.logo = False, False, None
    look = {"size": 10, "alpha": 0.85, "marker": "mark", "color": "colour"}
    plot.scatter("x", "y", source=source, nonselection_alpha=0.85, **look)
    facts = "".join(f"<div>{html.escape(name)}: @{{{name}}}</div>" for name in ("file", *columns))
    tap = TapTool(mode="replace", callback=CustomJS(code=_PLAY))
    plot.add_tools(HoverTool(tooltips=facts), tap)
    signs = Div(text=looks[columns[0]][1])
    choose = Select(title="Colour by", value=columns[0], options=list(looks))
    args = {"source": source, "legend": signs, "looks": looks}
    choose.js_on_change("value", CustomJS(args=args, code=_COLOUR))
    return column(choose, plot, signs, sizing_mode="stretch_width")


def _classes(words: pd.Series) -> tuple[dict[str, list[str]], str]:
    """Colour and mark of each point, and a legend with counts."""
    order, counts = style.ordered(words, COLOURS), words.value_counts()
    colours, place = style.colours(order, COLOURS), {one: n % 8 for n, one in enumerate(order)}
    text = legend((SIGNS[place[one]], colours[one], f"{one} ({counts[one]})") for one in order)
    return {"colour": [*words.map(colours)], "mark": [MARKS[place[one]] for one in words]}, text


def _shades(cosines: pd.Series) -> tuple[dict[str, list[str]], str]:
    """The same for a query: by rank, dark for the closest."""
    shades = sns.color_palette("viridis_r", 32).as_hex()
    ranks = (cosines.rank(pct=True) * 31).round().astype(int)
    ends = f"light: farthest, cosine {cosines.min():.2f}; dark: closest, {cosines.max():.2f}"
    return {"colour": [shades[one] for one in ranks], "mark": ["circle"] * len(ranks)}, ends
