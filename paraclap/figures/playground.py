"""How does an answer about one voice look? Its mean over wordings, and every wording.

Tables are those of `playground.asking` and `playground.beside`. Probabilities lie in 0 to 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from paraclap.figures import style

_ROW = 0.42  # inches of a candidate


def answer(answers: pd.DataFrame, summary: pd.DataFrame) -> style.Picture:
    """Bars of the mean probability, with a dot for every wording and a line from lowest to highest.

    Args:
        answers: `wording, candidate, probability`, of one voice and model
        summary: `candidate, probability, low, high`, in the order wanted
    """
    style.need(answers, ["wording", "candidate", "probability"])
    style.need(summary, ["candidate", "probability", "low", "high"])
    fig, axes = style.figure(height=0.9 + _ROW * len(summary))
    ax, rows = axes[0, 0], np.arange(len(summary))
    colours = [style.BLUE] + [style.SKY] * (len(summary) - 1)
    ax.barh(rows, summary["probability"], height=0.62, color=colours)
    if answers["wording"].nunique() > 1:
        line: dict[str, Any] = {"color": "#222222", "linewidth": 1.2}
        ax.hlines(rows, summary["low"], summary["high"], **line)
        places = pd.Index(summary["candidate"]).get_indexer(pd.Index(answers["candidate"]))
        look: dict[str, Any] = {"linestyle": "none", "marker": "o", "ms": 4, "alpha": 0.75}
        ax.plot(answers["probability"], places, color="#222222", label="one wording", **look)
    style.chance(ax, 1 / len(summary), "guessing", upright=True)
    ax.set_yticks(rows, [_escaped(word) for word in summary["candidate"]])
    ax.invert_yaxis()
    ax.set(xlim=(0, 1), xlabel="probability, mean over wordings", ylabel="candidate")
    style.legend_outside(ax)
    return fig


def two_models(table: pd.DataFrame) -> style.Picture:
    """Mean probabilities of two models, joined by a line.

    Args:
        table: `candidate`, a column of probabilities a model, `difference`; empty if there is one
            model alone
    """
    if table.empty:
        return style.note("There is one model alone, and nothing to compare it with.")
    style.need(table, ["candidate", "difference"])
    names = [str(name) for name in table if name not in ("candidate", "difference")]
    fig, axes = style.figure(height=0.9 + _ROW * len(table))
    ax, rows = axes[0, 0], np.arange(len(table))
    ax.hlines(rows, table[names[0]], table[names[1]], color="#bbbbbb", linewidth=4)
    for name, colour, mark in zip(names, (style.BLUE, style.ORANGE), "oD", strict=True):
        look: dict[str, Any] = {"linestyle": "none", "marker": mark, "ms": 8, "clip_on": False}
        ax.plot(table[name], rows, color=colour, label=_escaped(name), zorder=3, **look)
    style.chance(ax, 1 / len(table), "guessing", upright=True)
    ax.set_yticks(rows, [_escaped(word) for word in table["candidate"]])
    ax.invert_yaxis()
    ax.set(xlim=(0, 1), xlabel="probability, mean over wordings", ylabel="candidate")
    style.legend_outside(ax)
    return fig


def _escaped(word: object, most: int = 32) -> str:
    """A word as it is: matplotlib takes a pair of dollar signs for mathematics."""
    text = str(word).replace("$", r"\$")
    return text if len(text) <= most else text[: most - 1] + "…"
