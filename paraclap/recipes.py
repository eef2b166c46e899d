"""Two recipes: what the paper says it did, and what the authors' released code does.

`recipes.csv` lists what differs, one element a row: the parameter that sets it here, its value in
each recipe, and what it changes. Some elements are no parameter, because this project does neither.

Source: sections 2 and 3.3 of the paper; https://github.com/KeiKinn/ParaCLAP (`train.py`,
`dataset.py`, `models_xin.py`, `configs/config.yaml`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from paraclap.settings import Settings
from paraclap.templates import unknown_name

RECIPES = ("paper", "released")


def elements() -> pd.DataFrame:
    """What differs: `element, parameter, paper, released, effect`, all as text."""
    return pd.read_csv(Path(__file__).with_name("recipes.csv"), dtype="str", keep_default_na=False)


def differences() -> pd.DataFrame:
    """The elements for a reader: `element` (with its parameter), `paper`, `released`, `effect`."""
    table = elements()
    named = table["element"] + table["parameter"].map(lambda name: f" ({name})" if name else "")
    shown = table.assign(element=named).drop(columns="parameter")
    return shown.replace("4.605170185988092", "4.605")


def values(recipe: str) -> dict[str, Any]:
    """Parameters of a recipe with their values.

    Args:
        recipe: one of `RECIPES`; parameters with `+` before them are taken from the other one

    Raises:
        ValueError: if there is no such recipe or parameter

    >>> values("released")["join"], values("paper")["join"], values("paper+join")["join"]
    ('all', 'rand', 'all')
    """
    name, *swapped = recipe.split("+")
    if name not in RECIPES:
        raise ValueError(unknown_name("recipe", name, RECIPES))
    table = elements()
    own = table[table["parameter"] != ""].set_index("parameter")
    for parameter in swapped:
        if parameter not in own.index:
            raise ValueError(unknown_name("element", parameter, own.index, f" of {recipe!r}"))
    other = RECIPES[1 - RECIPES.index(name)]
    return {
        str(parameter): yaml.safe_load(row[other if parameter in swapped else name])
        for parameter, row in own.iterrows()
    }


def of(base: Settings, recipe: str, steps: int = 0, batch: int = 0, **other: Any) -> Settings:
    """Settings with the elements of a recipe, everything else as in `base`.

    Args:
        base: where the rest comes from, such as the encoders
        recipe: see `values`
        steps: of the recipe `paper`; `released` takes as many more as its batches and passes ask
            for. 0: passes over the training voices, as the recipe says
        batch: of the recipe `paper`; `released` takes half of it. 0: as the recipe says
        other: settings that are stronger than the recipe
    """
    own, paper = values(recipe), values("paper")
    fields = {field.name for field in dataclasses.fields(base)}
    chosen = {name: value for name, value in own.items() if name in fields}
    smaller = own["batch"] / paper["batch"]
    if batch:
        chosen["batch"] = max(2, round(batch * smaller))
    chosen["steps"] = round(steps * own["epochs"] / paper["epochs"] / smaller)
    return base.but(**chosen | other)


def grid(
    base: Settings,
    recipes: Sequence[str],
    sets: Sequence[str],
    seeds: int,
    steps: int,
    batch: int = 0,
) -> dict[tuple[str, str, int], Settings]:
    """Settings of every recipe with every set of sentences, some seeds each.

    Dropout in frozen towers is left out: without it the texts of a frozen tower are encoded once.

    Args:
        base: where all that no recipe names comes from
        recipes: see `values`
        sets: template sets
        seeds: how many
        steps: of the recipe `paper`, see `of`
        batch: of the recipe `paper`, see `of`

    Returns:
        (recipe, set, seed) → settings
    """
    return {
        (recipe, templates, seed): of(
            base,
            recipe,
            steps,
            batch,
            seed=base.seed + seed,
            emotion_form=form(templates),
            frozen_dropout=False,
        )
        for recipe in recipes
        for templates in sets
        for seed in range(seeds)
    }


def form(templates: str) -> str:
    """Whether a set of sentences names emotions by adjectives or by nouns.

    >>> form("paper"), form("released-fixed")
    ('adjective', 'noun')
    """
    return "noun" if templates.startswith("released") else "adjective"
