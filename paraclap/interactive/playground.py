# mypy: disable-error-code="no-untyped-call"
"""The playground: panels around a session, live in JupyterLab.

A page without Python cannot run widgets: there a sentence says how to get here. Chapter 13.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import numpy as np
from IPython.display import HTML, Audio, display

from paraclap import audio, tables
from paraclap.evaluation.prompts import frozen
from paraclap.figures.players import players
from paraclap.interactive.page import is_live
from paraclap.interactive.session import ALL, Session, answer_figure, summary

ABSENT = (
    "<p>The playground needs Python behind it. Start JupyterLab with <code>make lab</code>, open "
    "this chapter there and run its cells: upload or record an utterance, ask about it in your own "
    "words, compare two models, and search.</p>"
)


def playground(
    run: str | Path, model: str = "", candidates: str = "angry, happy, sad, neutral", seed: int = 0
) -> Any:
    """Show the playground of a run (its folder), or a sentence where nobody can use it.

    ``model`` is a folder to ask instead of the run's own; ``candidates`` are typed in at the start.
    """
    if is_live():
        return Panels(Session(run, model, seed), candidates)
    return HTML(ABSENT)


class Recorder(anywidget.AnyWidget):
    """A button that records the microphone (``recorder.js``): ``receive(name, content of a WAV)``.

    Where there is no microphone, or it is refused, the button says so and what to do.
    """

    _esm = Path(__file__).with_name("recorder.js")

    def __init__(self, receive: Callable[[str, bytes], None]) -> None:
        """Make a recorder."""
        super().__init__()
        self.on_msg(lambda _, __, buffers: receive("recording.wav", bytes(buffers[0])))


class Panels(ipywidgets.VBox):  # type: ignore[misc]  # untyped
    """Widgets around a session: where the utterance comes from, the utterance, two questions."""

    def __init__(self, session: Session, candidates: str) -> None:
        """Make the widgets; the first clip is taken at once."""
        self.session, self.utterance = session, ipywidgets.Output()
        names, prompts = list(session.models), frozen().query("kind != 'synonym'")["text"]
        self.ask = _panel(
            "Ask",
            self._ask,
            candidates=_field("Candidates", (), candidates),
            prompt=_field("Prompt", [ALL, *prompts], ALL),
            model=_field("Model", names, names[0]),
            second_model=_field("Second model", names),
        )
        model = _field("Model", names, names[0])
        query = _field("Query", (), "speaker is angry")
        self.search = _panel("Search", self._search, query=query, model=model)
        tabs = ipywidgets.Tab([self.ask, self.search], titles=["Ask", "Search"])
        super().__init__([self._sources(), self.utterance, tabs])

    def _sources(self) -> Any:
        """Where the utterance comes from: a clip, an upload, a recording."""
        rows = [] if self.session.labels.empty else list(self.session.clips().index[:300])
        clip = ipywidgets.Dropdown(options=[(tables.short_name(row[0]), row) for row in rows])
        clip.observe(lambda change: self.use(change.new), "value")
        upload = ipywidgets.FileUpload(accept="audio/*,.sph", description="Choose a file")
        upload.observe(self._upload, "value")
        if rows:
            self.use(rows[0])
        parts = {"Clip of the run": clip, "Upload": upload, "Record": Recorder(self.use)}
        return ipywidgets.Tab(list(parts.values()), titles=list(parts))

    def _upload(self, change: Any) -> None:
        for file in change.new:
            self.use(file["name"], bytes(file["content"]))

    def use(self, source: Any, content: bytes = b"") -> None:
        """Take an utterance, as ``Session.use``, and show its player or what went wrong."""
        self.utterance.clear_output()
        with self.utterance:
            _plainly(self._use)(source=source, content=content)

    def _use(self, source: Any, content: bytes) -> None:
        self.session.use(source, content)
        print(self.session.name)
        signal = np.clip(self.session.signal, -1, 1)
        display(Audio(signal, rate=audio.SAMPLING_RATE, normalize=False))

    def _ask(self, candidates: str, prompt: str, model: str, second_model: str) -> None:
        models = [one for one in (model, second_model) if one]
        answers = self.session.ask(candidates, prompt, models)
        display(answer_figure(answers), summary(answers).round(3))
        print("Levels beside the run, and the queries that follow from them:")
        display(*self.session.describe(model))

    def _search(self, query: str, model: str) -> None:
        found = self.session.search(query, model)
        values = found["similarity"].map("{:.2f}".format)
        labels = found["corpus"] + ", " + found["label"].fillna("no label") + ", cosine " + values
        display(players(found, list(labels)))


def _field(name: str, options: Iterable[str], value: str = "") -> Any:
    """A text field with suggestions."""
    look = {"style": {"description_width": "7em"}, "layout": {"width": "min(44em, 98%)"}}
    return ipywidgets.Combobox(description=name, options=list(options), value=value, **look)


def _panel(name: str, work: Callable[..., None], **fields: Any) -> Any:
    """Fields, a button, and what the work shows."""
    return ipywidgets.interactive(_plainly(work), {"manual": True, "manual_name": name}, **fields)


def _plainly(work: Callable[..., None]) -> Callable[..., None]:
    """The work, or in a sentence what went wrong."""

    def tried(**fields: Any) -> None:
        try:
            work(**fields)
        except Exception as error:
            print(error or type(error).__name__)

    return tried
