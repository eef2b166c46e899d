"""What the list of untested places says of lines, branches and exceptions."""

from __future__ import annotations

import doctest

import pytest

from benchmarks import untested


def summary(lines: float, branches: float, whole: float) -> dict[str, float]:
    return {
        "percent_statements_covered": lines,
        "percent_branches_covered": branches,
        "percent_covered": whole,
    }


REPORT = {
    "meta": {"version": "7"},
    "totals": summary(97.0, 94.0, 96.0) | {"num_statements": 40, "num_branches": 9},
    "files": {
        "paraclap/whole.py": {"summary": summary(100, 100, 100)},
        "paraclap/partly.py": {
            "summary": summary(90, 80, 88),
            "missing_lines": [3, 4, 9],
            "missing_branches": [[2, 3], [7, 10], [8, -6]],
        },
    },
}


def test_a_branch_is_named_only_where_both_its_ends_are_reached():
    assert untested.missing(REPORT["files"]["paraclap/partly.py"]) == "3-4, 9, 7->10, 8->end"


def test_the_examples_hold():
    assert doctest.testmod(untested).failed == 0


def test_modules_that_are_reached_wholly_are_counted_and_not_listed():
    page = untested.page(REPORT)
    assert list(page["partly"]) == ["paraclap/partly.py"]
    text = "\n".join(untested.told(page))
    assert "| paraclap/partly.py | 90 | 80 | 3-4, 9, 7->10, 8->end |" in text
    assert "2 modules, 1 reached wholly; 97.0 % of 40 lines, 94.0 % of 9 branches" in text


def test_the_page_tells_lines_branches_and_both_together():
    text = "\n".join(untested.told(untested.page(REPORT)))
    assert "96.0 % of both together (bar: 95 %)" in text


@pytest.mark.parametrize(
    ("reached", "failed", "status"), [(94.9, 0, 1), (95.0, 0, 0), (99.0, 2, 2)]
)
def test_too_little_reached_fails_and_so_do_tests_that_fail(reached, failed, status):
    totals = REPORT["totals"] | {"percent_covered": reached}
    assert untested.status(untested.page(REPORT | {"totals": totals}), failed) == status


def test_each_excepted_place_has_its_reason_in_the_list():
    places = list(untested.excepted())
    marked = sum(
        file.read_text("utf-8").count("# pragma:")
        for file in (untested.ROOT / "paraclap").rglob("*.py")
    )
    assert len(places) == marked > 0
    assert all(place["code"] and place["why"] for place in places)
