"""How is a piece of a page put together? A template, its styles, its script, its data, in one text.

A `Fragment` is an HTML `<figure>` with all it needs inside: it fetches nothing, so that it shows
alike in a notebook and in a page read from disk. The files beside this module are its parts:
`*.html.jinja` (escaped by Jinja2), `*.css` and `*.js`.

A script finds its own pieces by their class and marks those that it has brought to life, so that
several may stand in one page; what it works on lies beside it as JSON. Without a script a piece is
what its template has drawn.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parent


class Fragment:
    """A piece of a page: what a notebook shows of it is its HTML."""

    def __init__(self, html: str, said: str) -> None:
        """Keep it.

        Args:
            html: a figure with all it needs
            said: what it shows, where no HTML can be shown
        """
        self.html, self.said = html, said

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        """What it shows, in words."""
        return f"<{self.said}>"


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(FOLDER, encoding="utf-8")
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def as_json(data: object) -> Markup:
    r"""Values as JSON that may stand inside of `<script type="application/json">`.

    Raises:
        ValueError: if a number is not finite

    >>> print(as_json(["</script>"]))
    ["\u003c/script>"]
    """
    text = json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028"))


def part(*names: str) -> Markup:
    """Styles or scripts beside this module, one after the other, as they are."""
    return Markup("\n".join((FOLDER / name).read_text("utf-8").strip() for name in names))


def name_of(*values: object) -> str:
    """Short name of a content, the same for the same: what it is called within a page."""
    return "p" + hashlib.sha256(repr(values).encode()).hexdigest()[:10]


def render(
    template: str,
    said: str,
    data: object,
    styles: Sequence[str],
    scripts: Sequence[str],
    **values: Any,
) -> Fragment:
    """Put a piece of a page together.

    Args:
        template: name of a `*.html.jinja` file; it sees `data`, `style`, `script` and `values`
        said: what the piece shows, in words
        data: for its script
        styles: names of `*.css` files
        scripts: names of `*.js` files; they share one scope of their own
        values: for the template

    Raises:
        ValueError: if a number of the data is not finite
    """
    script = Markup('(() => {{\n"use strict";\n{}\n}})();').format(part(*scripts))
    given = {"data": as_json(data), "style": part(*styles), "script": script, **values}
    return Fragment(_environment().get_template(template).render(**given), said)
