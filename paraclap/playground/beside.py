"""Do two models agree about a voice? Their answers side by side."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from paraclap.playground import asking


def compared(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Mean probabilities of two models and their difference, the widest apart first.

    Args:
        first: answers of one model, see :func:`paraclap.playground.asking.ask`
        second: those of the other to the same question

    Returns:
        `candidate`, a column named after each model, and `difference` (second minus first)

    Raises:
        ValueError: if the questions differ
    """
    one, other = (asking.summary(table).set_index("candidate") for table in (first, second))
    if set(one.index) != set(other.index):
        raise ValueError(
            f"Got answers about {list(one.index)[:5]} and about {list(other.index)[:5]}, expected "
            "the same candidates: ask both models the same question."
        )
    names = model_names([str(first["model"].iloc[0]), str(second["model"].iloc[0])])
    table = pd.DataFrame({names[0]: one["probability"], names[1]: other["probability"]})
    table["difference"] = table[names[1]] - table[names[0]]
    order = table["difference"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].rename_axis("candidate").reset_index()


def model_names(names: Sequence[str]) -> list[str]:
    """Names that differ, so that a table can have a column for each.

    >>> model_names(["model", "model"]), model_names(["model", "other"])
    (['model (1)', 'model (2)'], ['model', 'other'])
    """
    if len(set(names)) == len(names):
        return list(names)
    return [f"{name} ({place})" for place, name in enumerate(names, 1)]


def sentence(first: pd.DataFrame, second: pd.DataFrame) -> str:
    """Whether two models agree, in words.

    Args:
        first: answers of one model
        second: those of the other to the same question
    """
    answers = [str(asking.summary(table)["candidate"].iloc[0]) for table in (first, second)]
    table = compared(first, second)
    names, widest = list(table)[1:3], table.iloc[0]
    apart = f"They differ most about “{widest['candidate']}”, by {abs(widest['difference']):.2f}."
    if answers[0] == answers[1]:
        return f"Both answer “{answers[0]}”. {apart}"
    return f"{names[0]} answers “{answers[0]}”, {names[1]} “{answers[1]}”. {apart}"
