"""Bokeh figures in a page: live where scripts run, in words where they do not.

The pages of the book load bokeh's scripts from ``../_static``, so they need no network. JupyterLab
cannot reach those files: there the scripts come with the figure.
"""

from __future__ import annotations

import html
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bokeh
from bokeh.embed import json_item
from bokeh.themes import Theme

SCRIPTS = ("bokeh.min.js", "bokeh-widgets.min.js")
_BOX = "background:#fff;color:#222;color-scheme:light;padding:0.5em"
_LETTERS = {"major_label_text_font_size": "13px", "axis_label_text_font_size": "13px"}
_THEME = Theme(json={"attrs": {"Axis": _LETTERS, "Div": {"styles": {"font-size": "14px"}}}})
_SHOW = """
(() => {
  const find = (part) => document.getElementById("ID-" + part);
  const load = (name) => new Promise((onload, onerror) => {
    const src = "../_static/" + name;
    document.head.append(Object.assign(document.createElement("script"), {src, onload, onerror}));
  });
  const loadAll = async () => { for (const name of NAMES) await load(name); };
  if (!window.Bokeh) window.bokehScripts ??= loadAll();
  Promise.resolve(window.bokehScripts).then(async () => {
    await Bokeh.embed.embed_item(JSON.parse(find("data").textContent), "ID-figure");
    find("words").open = false;
  }).catch(() => {});
})();
""".replace("NAMES", json.dumps(SCRIPTS))


def static_files() -> dict[str, Path]:
    """Scripts that the pages of the book need in their folder ``_static``: name → file."""
    folder = Path(bokeh.__file__).parent / "server" / "static" / "js"
    return {name: folder / name for name in SCRIPTS}


def is_live() -> bool:
    """Whether a reader sits before this Python, in JupyterLab; the book is made without one."""
    return "JPY_SESSION_NAME" in os.environ


def legend(entries: Iterable[tuple[str, str, str]]) -> str:
    """Legend as HTML, from a sign, its colour and the text behind it."""
    part = '<span style="white-space:nowrap"><span style="color:{}">{}</span> {}</span>'
    return " &ensp; ".join(part.format(colour, sign, html.escape(t)) for sign, colour, t in entries)


class Page:
    """A bokeh layout that a notebook shows, its title, and HTML that says what it shows."""

    def __init__(self, layout: Any, title: str, words: str) -> None:
        """Keep the parts."""
        self.layout, self.title, self.words = layout, title, words

    def _repr_html_(self) -> str:
        item = json_item(self.layout, theme=_THEME)
        name = f"bokeh-{item['root_id']}"
        data = json.dumps({**item, "target_id": None}, allow_nan=False).replace("<", "\\u003c")
        title = f"{html.escape(self.title)}, in words"
        files = static_files().values() if is_live() else ()
        code = [f"(function() {{{file.read_text('utf-8')}}}).call(window);" for file in files]
        return (
            f'<div id="{name}-figure" style="{_BOX}"></div>'
            f'<details id="{name}-words" open><summary>{title}</summary>{self.words}</details>'
            f'<script type="application/json" id="{name}-data">{data}</script>'
            f"<script>if (!window.Bokeh) {{{''.join(code)}}}</script>"
            f"<script>{_SHOW.replace('ID', name)}</script>"
        )

    def __repr__(self) -> str:
        """What it is."""
        return f"<{self.title}>"
