"""What does training look like? Curves, similarities before and after, the texts of a batch.

Curves are the table `curves.csv`: one row a step, with `dev_uar` where an epoch ends.
Similarities are cosines in -1 to 1, arrays of shape `(voices, queries)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from paraclap.figures import style

Matrix = npt.NDArray[np.floating[Any]]


def losses(curves: pd.DataFrame, batch: int) -> style.Picture:
    """Loss of every step, its running mean, and the loss of a model that knows nothing.

    Args:
        curves: with `step` and `loss`
        batch: pairs in a batch; chance is the natural logarithm of it
    """
    style.need(curves, ["step", "loss"])
    fig, axes = style.figure(height=3.4)
    ax = axes[0, 0]
    ax.plot(curves["step"], curves["loss"], color=style.BLUE, alpha=0.35, lw=0.8, label="a step")
    mean = curves["loss"].rolling(max(1, len(curves) // 20), min_periods=1, center=True).mean()
    ax.plot(curves["step"], mean, color=style.BLUE, lw=2, label="running mean")
    style.chance(ax, float(np.log(batch)), f"chance, ln {batch}")
    ax.set(xlabel="step", ylabel="loss (nats)")
    ax.legend()
    return fig


def dev_scores(curves: pd.DataFrame, classes: int) -> style.Picture:
    """UAR on the dev split after every epoch, with the model that was kept.

    Args:
        curves: with `step` and `dev_uar`
        classes: emotions asked for; chance is one divided by it
    """
    style.need(curves, ["step", "dev_uar"])
    ends = curves[curves["dev_uar"].notna()]
    if ends.empty:
        return style.note("The dev split has fewer than two emotions: there is no dev score.")
    fig, axes = style.figure(height=3.2)
    ax = axes[0, 0]
    ax.plot(ends["step"], ends["dev_uar"], "o-", color=style.GREEN, label="dev split")
    best = ends.iloc[int(ends["dev_uar"].to_numpy().argmax())]
    star: dict[str, Any] = {"marker": "*", "s": 220, "color": style.ORANGE, "zorder": 3}
    ax.scatter([best["step"]], [best["dev_uar"]], label="kept", **star)
    style.chance(ax, 1 / classes)
    ax.set(xlabel="step", ylabel="UAR of emotions", ylim=(0, 1))
    ax.legend()
    return fig


def rates(curves: pd.DataFrame) -> style.Picture:
    """Learned temperature, and the learning rate of the heads, at every step.

    Args:
        curves: with `step`, `temperature` and `learning_rate`
    """
    style.need(curves, ["step", "temperature", "learning_rate"])
    fig, axes = style.figure(1, 2, height=2.9)
    named = {"temperature": "temperature (factor)", "learning_rate": "learning rate of the heads"}
    for ax, (column, label) in zip(axes[0], named.items(), strict=True):
        ax.plot(curves["step"], curves[column], color=style.PURPLE, lw=2)
        ax.set(xlabel="step", ylabel=label)
    axes[0, 0].axhline(1 / 0.07, color="#444444", ls=":", label="at the start, 1 / 0.07")
    axes[0, 0].legend()
    return fig


def speed(rows: pd.DataFrame) -> style.Picture:
    """Pairs a second, share of the time that was waited for data, memory, and use of the device.

    Args:
        rows: the table `speed.csv`, see :mod:`paraclap.speed`
    """
    style.need(rows, ["step", "pairs", "seconds", "waiting", "flops", "peak_flops", "peak_memory"])
    time = rows["seconds"]
    shown = {
        "pairs a second": rows["pairs"] / time,
        "waited for data (% of time)": 100 * rows["waiting"] / time,
        "model FLOP utilisation (%)": 100 * rows["flops"] / (time * rows["peak_flops"]),
        "peak memory (GB)": rows["peak_memory"] / 1e9,
    }
    fig, axes = style.figure(2, 2, height=4.4, sharex=True)
    for ax, (label, values) in zip(axes.flat, shown.items(), strict=True):
        ax.plot(rows["step"], values, color=style.PURPLE, lw=2, marker="." if len(rows) < 5 else "")
        ax.set(ylabel=label, ylim=(0, 1.15 * max(values.max(), 1e-9)))
    for ax in axes[-1]:
        ax.set_xlabel("step")
    return fig


def voices_against_words(
    matrices: Mapping[str, Matrix], truths: Sequence[str], words: Mapping[str, str]
) -> style.Picture:
    """Similarity of voices, in the order of their emotions, and emotion words.

    Args:
        matrices: title → similarities, `(voices, words)`
        truths: emotion of each voice, in blocks
        words: emotion → word, in the order of the columns
    """
    _same(matrices, (len(truths), len(words)))
    fig, axes = style.figure(1, len(matrices), height=4.6, sharey=True)
    starts = [row for row, truth in enumerate(truths) if row == 0 or truth != truths[row - 1]]
    ends = [*starts[1:], len(truths)]
    for ax, (title, matrix) in zip(axes[0], matrices.items(), strict=True):
        _heat(ax, matrix, title)
        ax.set_xticks(range(len(words)), list(words.values()), rotation=60, ha="right")
        for start, end in zip(starts, ends, strict=True):
            ax.axhline(start - 0.5, color="white", lw=1)
            if truths[start] in words:
                place = list(words).index(truths[start])
                box = ([place - 0.5, place + 0.5, place + 0.5, place - 0.5, place - 0.5],)
                ax.plot(*box, [start - 0.5, start - 0.5, end - 0.5, end - 0.5, start - 0.5], "k-")
        ax.set_xlabel("asked")
    middles = [(start + end - 1) / 2 for start, end in zip(starts, ends, strict=True)]
    axes[0, 0].set_yticks(middles, [truths[start] for start in starts])
    axes[0, 0].set_ylabel("voices, by true emotion")
    return fig


def queries_against_queries(
    matrices: Mapping[str, Matrix], queries: Sequence[str]
) -> style.Picture:
    """Similarity of queries with each other.

    Args:
        matrices: title → similarities, `(queries, queries)`
        queries: in the order of rows and columns
    """
    _same(matrices, (len(queries), len(queries)))
    fig, axes = style.figure(1, len(matrices), height=4.6, sharey=True)
    for ax, (title, matrix) in zip(axes[0], matrices.items(), strict=True):
        _heat(ax, matrix, title)
        ax.set_xticks(range(len(queries)), list(queries), rotation=90, fontsize=7)
    axes[0, 0].set_yticks(range(len(queries)), list(queries), fontsize=7)
    return fig


def pairs_and_others(matrices: Mapping[str, Matrix]) -> style.Picture:
    """Cosine of voices with their own text, and with those of others.

    Args:
        matrices: title → similarities, `(n, n)`, pairs on the diagonal
    """
    sizes = {len(matrix) for matrix in matrices.values()}
    _same(matrices, (max(sizes, default=0),) * 2)
    fig, axes = style.figure(1, len(matrices), height=3.0, sharex=True)
    for ax, (title, matrix) in zip(axes[0], matrices.items(), strict=True):
        own = np.eye(len(matrix), dtype=bool)
        for which, colour, label in ((~own, style.GREY, "others"), (own, style.ORANGE, "pairs")):
            values: dict[str, Any] = {
                "color": colour,
                "alpha": 0.6,
                "label": label,
                "density": True,
            }
            ax.hist(matrix[which], bins=np.linspace(-1, 1, 61), **values)
        ax.set(title=title, xlabel="cosine of voice and text", ylabel="density")
    low = min(float(matrix.min()) for matrix in matrices.values())
    high = max(float(matrix.max()) for matrix in matrices.values())
    axes[0, 0].set_xlim(low - 0.05, high + 0.05)
    axes[0, 0].legend()
    return fig


def _heat(ax: Axes, matrix: Matrix, title: str) -> None:
    image = ax.imshow(matrix, cmap=sns.color_palette("vlag", as_cmap=True), vmin=-1, vmax=1)
    ax.set(title=title, aspect="auto")
    ax.grid(visible=False)
    assert ax.figure is not None
    ax.figure.colorbar(image, ax=ax, shrink=0.6, label="cosine")


def _same(matrices: Mapping[str, Matrix], shape: tuple[int, int]) -> None:
    """Check that all matrices have the shape that their rows and columns ask for."""
    if not matrices or 0 in shape:
        raise ValueError("Nothing to draw: no similarities, expected at least one row and column.")
    for title, matrix in matrices.items():
        if matrix.shape != shape:
            msg = f"Bad shape {matrix.shape} of the similarities {title!r}, expected {shape}."
            raise ValueError(msg)
