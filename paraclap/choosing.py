"""Which notebooks are meant: `04`, `03,05`, `03-05`, `04-`, or `-05`?

    >>> names = ["01_corpora", "02_features", "03_queries", "04_training"]
    >>> chosen(names, "02-03"), chosen(names, "01,04"), chosen(names, "03-")
    (['02_features', '03_queries'], ['01_corpora', '04_training'], ['03_queries', '04_training'])

Conventions: parts are separated by commas; a part is the beginning of a name (`04`, `04_tr`; `0`
means chapters 1 to 9), or a range of numbers, both ends included, an end left out open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from paraclap.pages import BookError

_RANGE = re.compile(r"(\d*)\s*-\s*(\d*)")


def chosen(names: Sequence[str], only: str) -> list[str]:
    """The names that are meant, in their order; all if nothing is said.

    Args:
        names: of notebooks, each beginning with its number
        only: what is said

    Raises:
        BookError: if a part means no notebook, or a range runs backwards
    """
    if not only.strip():
        return list(names)
    meant: set[str] = set()
    for part in only.split(","):
        found = _part(names, part.strip())
        if not found:
            raise BookError(
                f"No notebook for {part.strip()!r} in --only {only!r}, there are {list(names)}: "
                "write the beginning of a name such as 04, a range such as 03-05 or 04-, or "
                "several such as 03,05."
            )
        meant |= found
    return [name for name in names if name in meant]


def _part(names: Sequence[str], part: str) -> set[str]:
    ends = _RANGE.fullmatch(part)
    if ends is None:
        return {name for name in names if part and name.startswith(part)}
    if not any(ends.groups()):
        return set()
    first, last = int(ends[1] or 0), int(ends[2] or 99)
    return {name for name in names if first <= int(name[:2]) <= last}
