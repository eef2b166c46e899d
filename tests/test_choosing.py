"""`--only` means what it says, or says what it could mean."""

from __future__ import annotations

import pytest

from paraclap.choosing import chosen
from paraclap.pages import BookError

NAMES = [f"{number:02d}_step" for number in range(1, 15)]


def numbers(only: str) -> list[int]:
    return [int(name[:2]) for name in chosen(NAMES, only)]


@pytest.mark.parametrize(
    ("only", "meant"),
    [
        ("", range(1, 15)),
        ("04", [4]),
        ("04_st", [4]),
        ("0", range(1, 10)),  # as the beginning of a name
        ("03-05", [3, 4, 5]),
        ("3-5", [3, 4, 5]),
        ("03,05", [3, 5]),
        ("05, 03", [3, 5]),  # in the order of the book
        ("04-", range(4, 15)),
        ("-02", [1, 2]),
        ("09-11,01", [1, 9, 10, 11]),
    ],
)
def test_only_takes_names_ranges_and_lists(only, meant):
    assert numbers(only) == list(meant)


@pytest.mark.parametrize("only", ["15", "05-03", "15-20", "-", "03,,05", "03-05-07", "x", "03;05"])
def test_what_means_no_notebook_is_answered_with_those_there_are(only):
    with pytest.raises(BookError, match=r"No notebook for .* there are \['01_step'.*such as 03-05"):
        chosen(NAMES, only)
