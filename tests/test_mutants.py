"""Claims about the count of changes that tests notice; `make soak` alone makes the changes."""

from __future__ import annotations

import csv
import tomllib

import pytest

from benchmarks import mutants
from benchmarks.mutants import Change, Score

CONFIG = tomllib.loads((mutants.ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
ONE, OTHER = Change("scores.uar", "a < b", "a <= b"), Change("scores.uar", "a", "None")


def test_modules_and_their_tests_are_there():
    named = CONFIG["only_mutate"] + CONFIG["pytest_add_cli_args_test_selection"]
    assert [path for path in named if not (mutants.ROOT / path).is_file()] == []
    assert set(CONFIG["only_mutate"]) <= set(named[len(CONFIG["only_mutate"]) :])  # doctests


def test_each_change_that_changes_nothing_is_of_a_line_of_its_module_and_has_a_reason():
    with mutants.EQUIVALENT.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(mutants.equivalent()) == len(rows)
    for row in rows:
        source = mutants.ROOT / "paraclap" / f"{row['function'].partition('.')[0]}.py"
        lines = " ".join(line.strip() for line in source.read_text().splitlines())
        assert row["was"] in lines and row["was"] != row["becomes"]
        assert row["reason"]


def test_changes_that_change_nothing_count_as_survived_and_stand_beside(capsys):
    scores = mutants.report({"scores": (10, [ONE, OTHER])}, {ONE})
    assert scores == [Score("scores", 10, 2, 1)]
    assert scores[0].share == pytest.approx(0.8)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "| scores | 10 | 8 | 2 | 1 | 80.0% | 88.9% |"


def test_a_low_score_and_a_line_that_no_survivor_fits_are_problems():
    fine, low = Score("scores", 100, 15, 0), Score("levels", 100, 16, 0)
    assert mutants.problems([fine], [ONE], {ONE}) == []
    assert mutants.problems([fine, low], [ONE], {ONE, OTHER}) == [
        "levels: below 85%",
        f"no survivor, take it out of mutants.csv: {OTHER}",
    ]
