"""Units of features that have a word; intended prosody of synthetic speech. Chapter 2."""

import pandas as pd

from paraclap.figures import style
from paraclap.queries import FEATURES
from paraclap.queries.levels import UNITS as UNITS

SHOWN = ("pitch", "pitch variation", "intensity", "jitter", "shimmer", "duration")
INTENDED = ("pitch", "variation", "level", "jitter", "shimmer", "rate")  # of synthetic speech


def intended(table: pd.DataFrame) -> style.Picture:
    """Intended prosody of synthetic speech against its features.

    ``table`` has features joined with ``synthetic.intended_prosody``; a real corpus gives a note.
    """
    if table.empty or not set(INTENDED) <= set(table.columns):
        return style.note("A real corpus: no prosody was intended.")
    rows = table.sample(min(len(table), 1200), random_state=0)
    fig, axes = style.figure(2, 3, 4.8)
    for ax, name, prosody in zip(axes.flat, SHOWN, INTENDED, strict=True):
        values = rows[FEATURES[name]]
        rho = rows[prosody].corr(values, method="spearman")
        ax.scatter(rows[prosody], values, s=4, alpha=0.3, linewidths=0)
        low, high = values.quantile([0.005, 0.995])
        ax.set(title=f"{name} (r = {rho:.2f})", ylim=(low, high) if high > low else None)
        ax.set(xlabel=f"intended {prosody} (z)", ylabel=UNITS[name])
    return fig
