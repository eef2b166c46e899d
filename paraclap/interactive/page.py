"""Bokeh figures in a page: live where scripts run, in words where they do not.

Pages of the book load bokeh's scripts from ``../_static``; in JupyterLab they come along.
"""

import html
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bokeh
from bokeh.embed import components
from bokeh.themes import Theme

_LETTERS = {"major_label_text_font_size": "13px", "axis_label_text_font_size": "13px"}
_THEME = Theme(json={"attrs": {"Axis": _LETTERS, "Div": {"styles": {"font-size": "14px"}}}})
_BOX = "background:#fff;color:#222;color-scheme:light;padding:0.5em"
_FOLD = "if (window.Bokeh) document.currentScript.previousElementSibling.open = false"


def static_files() -> dict[str, Path]:
    """Scripts that the pages of the book need in their folder ``_static``: name → file."""
    folder = Path(bokeh.__file__).parent / "server" / "static" / "js"
    return {name: folder / name for name in ("bokeh.min.js", "bokeh-widgets.min.js")}


def is_live() -> bool:
    """Whether a reader sits before this Python, in JupyterLab; the book is made without one."""
    return "JPY_SESSION_NAME" in os.environ


def legend(entries: Iterable[tuple[str, str, str]]) -> str:
    """Legend as HTML, from a sign, its colour and the text behind it."""
    part = '<span style="white-space:nowrap"><span style="color:{}">{}</span> {}</span>'
    return " &ensp; ".join(part.format(colour, sign, html.escape(t)) for sign, colour, t in entries)


@dataclass
class Page:
    """A bokeh layout that a notebook shows, its title, and HTML that says what it shows."""

    layout: Any = field(repr=False)
    title: str
    words: str = field(repr=False)

    def _repr_html_(self) -> str:
        script, figure = components(self.layout, theme=_THEME)
        load = "<script>{1}</script>" if is_live() else '<script src="../_static/{0}"></script>'
        files = static_files().items()
        loads = "".join(load.format(name, file.read_text("utf-8")) for name, file in files)
        title = f"<summary>{html.escape(self.title)}, in words</summary>"
        words = f"<details open>{title}{self.words}</details><script>{_FOLD}</script>"
        return f'<div style="{_BOX}">{figure}</div>{loads}{script}{words}'
