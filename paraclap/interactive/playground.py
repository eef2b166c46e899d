# mypy: disable-error-code="no-untyped-call"
"""The playground: panels around a session, live in JupyterLab.

A page without Python cannot run widgets: there a sentence says how to get here. Chapter 13.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import numpy as np
from IPython.display import HTML, Audio, display

from paraclap import audio, tables
from paraclap.evaluation.prompts import frozen
from paraclap.interactive.page import is_live
from paraclap.interactive.session import ALL, Session, answer_figure, summary


def playground(
    run: str | Path, model: str = "", candidates: str = "angry, happy, sad, neutral", seed: int = 0
) -> Any:
    """Show the playground of a run (its folder), or a sentence where nobody can use it.

    ``model`` is a folder to ask instead of the run's own; ``candidates`` are typed in at the start.
    """
    if is_live():
        return Panels(Session(run, model, seed), candidates)
    return HTML("The playground needs Python: open this chapter with <code>make lab</code>.")


class Recorder(anywidget.AnyWidget):
    """A button that sends what the microphone gives, float32 at 16 kHz, or says why it cannot."""

    _esm = Path(__file__).with_name("recorder.js")


@contextmanager
def _plainly() -> Iterator[None]:
    """Say in a sentence what goes wrong."""
    try:
        yield
    except Exception as error:
        print(str(error) or type(error).__name__)


class Panels(ipywidgets.VBox):  # type: ignore[misc]  # untyped
    """Widgets around a session: where the utterance comes from, its player, and a question."""

    def __init__(self, session: Session, candidates: str) -> None:
        """Make the widgets; the first clip is taken at once."""
        self.session, utterance = session, ipywidgets.Output()
        # Takes an utterance, as that of the session, and shows its player.
        self.use = utterance.capture(clear_output=True)(self._use)
        names, prompts = list(session.models), frozen().query("kind != 'synonym'")["text"]
        first, second = _field("Model", names[0], names), _field("Second model", "", names)
        fields = {"candidates": _field("Candidates", candidates), "model": first}
        fields |= {"prompt": _field("Prompt", ALL, [ALL, *prompts]), "second_model": second}
        button = {"manual": True, "manual_name": "Ask"}
        self.ask = ipywidgets.interactive(self._ask, button, **fields)
        super().__init__([self._sources(), utterance, self.ask])

    def _sources(self) -> Any:
        """Where the utterance comes from: a clip, an upload, a recording."""
        rows = self.session.clips.index[:300]
        clip = ipywidgets.Dropdown(options=[(tables.short_name(row[0]), row) for row in rows])
        clip.observe(lambda change: self.use(change.new), "value")
        upload = ipywidgets.FileUpload(accept="audio/*,.sph", description="Choose a file")
        take = lambda file: self.use(file["name"], bytes(file["content"]))  # noqa: E731  (short)
        upload.observe(lambda change: take(change.new[-1]), "value")
        recorder, encode = Recorder(), lambda one: audio.encode(np.frombuffer(one, np.float32))
        recorder.on_msg(lambda _, __, sent: self.use("recording.wav", encode(sent[0])))
        if len(rows):
            self.use(rows[0])
        return ipywidgets.Tab([clip, upload, recorder], titles=["Clip", "Upload", "Record"])

    @_plainly()
    def _use(self, source: Any, content: bytes = b"") -> None:
        self.session.use(source, content)
        print(self.session.name)
        signal = np.clip(self.session.signal, -1, 1)
        display(Audio(signal, rate=audio.SAMPLING_RATE, normalize=False))

    @_plainly()
    def _ask(self, candidates: str, prompt: str, model: str, second_model: str) -> None:
        answers = self.session.ask(candidates, prompt, [model, second_model or model])
        display(answer_figure(answers), summary(answers).round(3))
        print("Levels beside the run, and the queries that follow from them:")
        display(*self.session.describe(model))


def _field(name: str, value: str, options: Iterable[str] = ()) -> Any:
    """A text field with suggestions."""
    look = {"style": {"description_width": "7em"}, "layout": {"width": "min(44em, 98%)"}}
    return ipywidgets.Combobox(description=name, options=list(options), value=value, **look)
