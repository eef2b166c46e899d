"""The playground: panels around a session, live in JupyterLab.

A page without Python cannot run widgets, and the book is made without anybody who could press a
button: there a sentence says how to get to the playground. Chapter 13.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd
from IPython.display import HTML

from paraclap import tables
from paraclap.evaluation.prompts import frozen
from paraclap.figures import players, style
from paraclap.interactive.page import is_live
from paraclap.interactive.recorder import Recorder
from paraclap.interactive.session import ALL, Session, answer_figure, summary

ABSENT = (
    "<p>The playground needs Python behind it. Start JupyterLab with <code>make lab</code>, open "
    "this chapter there and run its cells: upload or record an utterance, ask about it in your own "
    "words, compare two models, and search.</p>"
)
CLIPS = 300  # to choose from
_FORMATS = ".wav,.flac,.ogg,.mp3,.sph,.aiff,audio/*"


def playground(
    run: str | Path, model: str = "", candidates: str = "angry, happy, sad, neutral", seed: int = 0
) -> Any:
    """Show the playground of a run, or a sentence where nobody can use it.

    Args:
        run: folder of the run
        model: folder of a saved model, asked instead of that of the run
        candidates: typed in at the start
        seed: of the draws of utterances
    """
    if is_live():
        return Panels(Session(run, model, seed), candidates).box
    return HTML(ABSENT)  # type: ignore[no-untyped-call]


class Panels:
    """All widgets around a session, in ``box``; ``tabs``: name → button and result."""

    def __init__(self, session: Session, candidates: str) -> None:
        """Make the widgets; the first clip is taken at once."""
        self.session, self.utterance = session, ipywidgets.HTML()
        names = list(session.models)
        self.candidates = _field("Candidates", (), candidates)
        self.template = _field("Prompt", [ALL, *frozen().query("kind != 'synonym'")["text"]], ALL)
        self.model = _field("Model", names, names[0])
        self.second = _field("Second model", names, names[-1])
        self.query = _field("Query", (), "speaker is angry")
        self.file = _field("File", (), "playground.csv")
        self.tabs: dict[str, tuple[Any, Any]] = {}
        boxes = [
            self._tab("Ask", self._ask, self.candidates, self.template, self.model),
            self._tab(
                "Compare", self._compare, self.candidates, self.template, self.model, self.second
            ),
            self._tab("Search", self._search, self.query, self.model),
            self._tab("Export", self._export, self.file),
        ]
        tabs = ipywidgets.Tab(boxes, titles=list(self.tabs))
        self.box = ipywidgets.VBox([self._sources(), self.utterance, tabs])

    def _sources(self) -> Any:
        """Where the utterance comes from: a clip, an upload, a recording, a path."""
        clips = self.session.labels.empty or self.session.clips()
        rows = [] if clips is True else list(clips.head(CLIPS).index)
        self.clip = ipywidgets.Dropdown(options=[(tables.short_name(row[0]), row) for row in rows])
        self.clip.observe(lambda change: self.use(change.new), "value")
        self.upload = ipywidgets.FileUpload(accept=_FORMATS, description="Choose a file")
        self.upload.observe(lambda change: self._uploaded(change.new), "value")
        self.path = ipywidgets.Text(
            placeholder="a file on the machine where Python runs", continuous_update=False
        )
        self.path.observe(lambda change: self.use(change.new), "value")
        parts = {"Clip of the run": self.clip, "Upload": self.upload}
        parts |= {"Record": Recorder(self.use), "Path": self.path}
        if rows:
            self.use(rows[0])
        return ipywidgets.Tab(list(parts.values()), titles=list(parts))

    def _uploaded(self, files: Iterable[Any]) -> None:
        for file in files:
            self.use(file["name"], bytes(file["content"]))

    def use(self, source: Any, content: bytes = b"") -> None:
        """Take an utterance, as ``Session.use``, and show its player or what went wrong."""
        self.utterance.value = _try(lambda: self._use(source, content))

    def _use(self, source: Any, content: bytes) -> str:
        self.session.use(source, content)
        address = players.data_uri(self.session.signal)
        player = f'<audio controls src="{address}"></audio>'
        return f"<p>{html.escape(self.session.name)}</p>{player}"

    def _tab(self, name: str, work: Callable[[], str], *fields: Any) -> Any:
        """A button, the fields that it reads, and its result."""
        button, result = ipywidgets.Button(description=name), ipywidgets.HTML()

        def press(_: object) -> None:
            button.disabled, result.value = True, "<p>Working ...</p>"
            result.value = _try(work)
            button.disabled = False

        button.on_click(press)
        self.tabs[name] = button, result
        return ipywidgets.VBox([*fields, button, result])

    def _ask(self) -> str:
        model = self.model.value
        answers = self.session.ask(self.candidates.value, self.template.value, [model])
        shown = _html(answer_figure(answers)) + _html(summary(answers))
        levels = _try(lambda: "".join(map(_html, self.session.describe(model))))
        return (
            f"{shown}<h4>Levels beside the run, and the queries that follow from them</h4>{levels}"
        )

    def _compare(self) -> str:
        models = [self.model.value, self.second.value]
        if models[0] == models[1]:
            raise ValueError(f"Got the model {models[0]!r} twice: choose another second model.")
        answers = self.session.ask(self.candidates.value, self.template.value, models)
        return _html(answer_figure(answers)) + _html(summary(answers))

    def _search(self) -> str:
        found = self.session.search(self.query.value, self.model.value)
        values = found["similarity"].map("{:.2f}".format)
        labels = found["corpus"] + ", " + found["label"].fillna("no label") + ", cosine " + values
        return str(players.players(found, list(labels)).data)

    def _export(self) -> str:
        path = self.session.export(self.file.value)
        return f"<p>Written: {html.escape(tables.short_name(path))}</p>"


def _field(name: str, options: Iterable[str], value: str) -> Any:
    """A text field with suggestions."""
    look = {"style": {"description_width": "7em"}, "layout": {"width": "min(44em, 98%)"}}
    return ipywidgets.Combobox(description=name, options=list(options), value=value, **look)


def _try(work: Callable[[], str]) -> str:
    """What some work gives, or in a sentence what went wrong: nobody sees a button's traceback."""
    try:
        return work()
    except Exception as error:
        return f'<p role="alert"><b>{html.escape(str(error) or type(error).__name__)}</b></p>'


def _html(part: style.Picture | pd.DataFrame) -> str:
    if isinstance(part, pd.DataFrame):
        return str(part.to_html(index=False, float_format="{:.3f}".format, border=0, max_rows=20))
    picture = part._repr_mimebundle_()
    source = f"data:image/png;base64,{picture['image/png']}"
    return f'<img style="max-width:100%;width:44rem" alt="Probabilities as bars" src="{source}">'
