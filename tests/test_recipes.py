"""Claims about the two recipes: what differs, and that params files and defaults say the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paraclap import comparison, params, recipes
from paraclap.settings import CHOICES, VARIANTS, Settings

ROOT = Path(__file__).resolve().parent.parent
PAPER = ROOT / "params" / "paper"
NOTEBOOKS = sorted((ROOT / "book").glob("[0-9][0-9]_*.py"))


def effective(name: str) -> dict:
    """All parameters of a run of a params file."""
    known = params.declared_by_all(NOTEBOOKS)
    given = params.check(params.read(PAPER / f"{name}.yaml"), known, name)
    return params.effective(known, given, run=name)


@pytest.mark.parametrize(("recipe", "file"), [("paper", "rand5"), ("released", "released")])
def test_params_file_of_a_recipe_holds_all_its_elements(recipe: str, file: str) -> None:
    run = effective(file)
    assert {name: run[name] for name in recipes.values(recipe)} == recipes.values(recipe)


def test_every_parameter_that_differs_between_the_two_files_is_an_element() -> None:
    paper, released = effective("rand5"), effective("released")
    differ = {name for name in paper if paper[name] != released[name]}
    assert differ - {"run", "variants"} == {
        name
        for name, value in recipes.values("paper").items()
        if value != recipes.values("released")[name]
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_params_files_of_the_variants_differ_in_what_is_said_alone(variant: str) -> None:
    run, main = effective(variant), effective("rand5")
    differ = {name: run[name] for name in run if run[name] != main[name]}
    assert set(differ) <= {"run", "variants", "rand", "emotion", "only_emotion"}
    of = Settings.of(run)
    assert of.but(**VARIANTS[variant]) == of, "chapter 06 would train this variant again"


def test_notebook_defaults_of_training_are_the_recipe_of_the_paper() -> None:
    known = params.declared_by_all(NOTEBOOKS)
    own = {name: value for name, value in recipes.values("paper").items() if name != "candidates"}
    assert {name: known[name].default for name in own} == own
    assert Settings.of({name: one.default for name, one in known.items()}) == Settings()


def test_values_are_words_that_the_settings_know() -> None:
    for recipe in recipes.RECIPES:
        for name, value in recipes.values(recipe).items():
            assert value in CHOICES.get(name, (value,))
            if hasattr(Settings(), name):
                assert type(value) is type(getattr(Settings(), name))


def test_the_released_recipe_takes_four_times_as_many_steps_of_half_as_many_pairs() -> None:
    paper, released = (recipes.of(Settings(), name, 50, 10) for name in recipes.RECIPES)
    assert (paper.steps, paper.batch) == (50, 10)
    assert (released.steps, released.batch) == (200, 5)
    assert released.freeze_audio and released.freeze_text and released.similarity == "dot"
    assert not (paper.freeze_audio or paper.freeze_text) and paper.similarity == "cosine"
    assert recipes.of(Settings(), "released").batch == 32


def test_grid_has_every_recipe_with_every_set_and_seed() -> None:
    cells = recipes.grid(Settings(seed=7), ["released"], ["paper", "released"], 2, 5)
    assert list(cells) == [("released", s, k) for s in ("paper", "released") for k in (0, 1)]
    assert [one.seed for one in cells.values()] == [7, 8, 7, 8]
    assert [one.emotion_form for one in cells.values()] == ["adjective"] * 2 + ["noun"] * 2


def test_single_elements_are_taken_from_the_other_recipe() -> None:
    paper, released = recipes.values("paper"), recipes.values("released")
    mixed = recipes.values("paper+similarity+batch")
    assert mixed == paper | {name: released[name] for name in ("similarity", "batch")}
    assert recipes.values("released+" + "+".join(released)) == paper
    with pytest.raises(ValueError, match=r"Unknown element 'joins' of 'paper\+joins'.*'join'"):
        recipes.values("paper+joins")


def test_unknown_recipe_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"Unknown recipe 'papers'.*mean 'paper'"):
        recipes.values("papers")


# --- comparing them ----------------------------------------------------------------------------


def predictions(right: float, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    truth = np.array(["a", "b"] * 40)
    other = np.where(truth == "a", "b", "a")
    given = np.where(rng.random(80) < right, truth, other)
    speakers = np.arange(80) // 8
    table = {"corpus": "task", "speaker": speakers, "truth": truth, "prediction": given}
    return pd.DataFrame(table).astype({"speaker": "str"})


def test_seeds_together_score_their_mean() -> None:
    answers = {("paper", "paper", k): predictions(0.8, k) for k in range(3)}
    table = comparison.compare(answers, {"task": {"a": "a", "b": "b"}}, draws=200)
    assert list(table.columns) == comparison.COLUMNS
    each = table[table["seed"] != comparison.TOGETHER]
    (whole,) = table[table["seed"] == comparison.TOGETHER].to_dict("records")
    assert whole["uar"] == pytest.approx(each["uar"].mean())
    assert whole["uar_low"] < whole["uar"] < whole["uar_high"]
    (mean,) = comparison.means(table).to_dict("records")
    assert mean["lowest seed"] == each["uar"].min() <= mean["mean"] <= mean["highest seed"]


def test_nothing_trained_is_an_empty_comparison() -> None:
    table = comparison.compare({}, {"task": {"a": "a", "b": "b"}})
    assert table.empty and list(table.columns) == comparison.COLUMNS
    assert comparison.means(table).empty
