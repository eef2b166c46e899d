"""The panels: widgets that hand what was typed to a session and show what comes back.

A panel is a box of fields (:mod:`paraclap.playground.fields`). Whatever goes wrong is said in a
sentence below its button, and what was shown before stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets

from paraclap import tables
from paraclap.playground import asking, finding, keeping, showing
from paraclap.playground.fields import LONG, WIDE, Doing, Either, choice, telling
from paraclap.playground.recorder import Recorder
from paraclap.playground.session import Session
from paraclap.playground.voices import ANY, clips, corpora, from_content, from_file, store_of, title

Box, HTML = ipywidgets.VBox, ipywidgets.HTML
CANDIDATES = "angry, happy, sad, neutral"
CLIPS = 100  # of a corpus and class, to choose from
FORMATS = ".wav,.flac,.ogg,.mp3,.sph,.aiff,audio/*"


# --- the voice ----------------------------------------------------------------------------------


class VoicePanel:
    """Where the voice comes from: a clip of the run, an upload, a recording, a file."""

    def __init__(self, session: Session) -> None:
        """Make the panel; the first clip is taken at once."""
        self.session = session
        self.told, self.heard = HTML(), HTML()
        sources = self._sources()
        self.source = ipywidgets.ToggleButtons(
            options=list(sources), style={"button_width": "auto"}
        )
        wide = ipywidgets.Layout(width="100%", overflow="hidden")
        self.stack = ipywidgets.Stack(list(sources.values()), selected_index=0, layout=wide)
        ipywidgets.jslink((self.source, "index"), (self.stack, "selected_index"))
        self.box = Box([self.source, self.stack, self.told, self.heard])

    def _sources(self) -> Mapping[str, Any]:
        self.upload = ipywidgets.FileUpload(accept=FORMATS, description="Choose a file")
        self.upload.observe(lambda _: self._uploaded(), "value")
        self.recorder = Recorder(self.receive)
        self.path = ipywidgets.Text(
            description="Path", placeholder="on the machine where Python runs", layout=LONG
        )
        read = ipywidgets.Button(description="Read")
        read.on_click(lambda _: self._take(lambda: from_file(self.path.value.strip())))
        clip = {} if self.session.labels.empty else {"Clip of the run": self._clips()}
        return clip | {
            "Upload": ipywidgets.HBox([self.upload]),
            "Record": self.recorder,
            "File by its path": ipywidgets.HBox([self.path, read]),
        }

    def _clips(self) -> Any:
        self.corpus = choice("Corpus", corpora(self.session.labels))
        self.label = choice("Label", [ANY])
        self.clip = choice("Clip", [])
        self.corpus.observe(lambda _: self._list_labels(), "value")
        self.label.observe(lambda _: self._list_clips(), "value")
        self.clip.observe(lambda _: self._choose(), "value")
        self._list_labels()
        return Box([self.corpus, self.label, self.clip], layout=ipywidgets.Layout(width="98%"))

    def _list_labels(self) -> None:
        own = clips(self.session.labels, self.corpus.value)["label"].dropna().unique()
        self.label.options = [ANY, *sorted(own)]
        self._list_clips()

    def _list_clips(self) -> None:
        chosen = clips(self.session.labels, self.corpus.value, self.label.value).head(CLIPS)
        names = [title(chosen.index[place], chosen.iloc[place]) for place in range(len(chosen))]
        own = self.corpus.value, self.label.value
        self.clip.options = [(name, (*own, place)) for place, name in enumerate(names)]
        self.clip.index = 0 if names else None

    def _choose(self) -> None:
        if self.clip.value is not None:
            self._take(lambda: self.session.take(*self.clip.value))

    def _uploaded(self) -> None:
        for file in self.upload.value:
            self.receive(file["name"], bytes(file["content"]))

    def receive(self, name: str, content: bytes) -> None:
        """Take what a browser sent as the voice.

        Args:
            name: of the file
            content: of it
        """
        self._take(lambda: from_content(name, content))

    def _take(self, read: Callable[[], Any]) -> None:
        with telling(self.told, "Reading …"):
            voice = read()
            self.session.voice, self.heard.value = voice, showing.player(voice)


# --- the question, and what is done with it -----------------------------------------------------


class Question:
    """What is asked: candidates and wordings, for all panels the same."""

    def __init__(self, candidates: str = CANDIDATES) -> None:
        """Make the panel.

        Args:
            candidates: typed in at the start
        """
        self.candidates = ipywidgets.Text(
            candidates,
            description="Candidates",
            placeholder="words with commas between",
            style=WIDE,
            layout=LONG,
        )
        instead = "a sentence of yours with {} where the word goes"
        self.template = Either("Wording", asking.templates(), instead)
        self.box = Box([self.candidates, self.template.box])

    @property
    def asked(self) -> tuple[str, str]:
        """Candidates and template as they are now."""
        return self.candidates.value, self.template.value


def ask(session: Session, question: Question) -> tuple[Any, Doing]:
    """The panel that asks one model about the voice.

    Args:
        session: answers
        question: what is asked
    """
    model = _model("Model", session)
    doing = Doing(
        "Ask", "Listening …", lambda: showing.answer(session.ask(*question.asked, model.value))
    )
    return _panel(doing, model.box), doing


def compare(session: Session, question: Question) -> tuple[Any, Doing]:
    """The panel that asks two models the same.

    Args:
        session: answers
        question: what is asked
    """
    first, second = _model("First model", session), _model("Second model", session, 1)

    def work() -> str:
        table, said = session.compare(*question.asked, first.value, second.value)
        return showing.comparison(table, said, session.voice)

    doing = Doing("Compare", "Listening with both …", work)
    return _panel(doing, first.box, second.box), doing


def find(session: Session) -> tuple[Any, Doing]:
    """The panel that looks for voices by a query.

    Args:
        session: answers
    """
    model = _model("Model", session)
    query = Either("Query", finding.suggestions(session.run), "a sentence of yours")
    shown = ipywidgets.BoundedIntText(
        finding.SHOWN, min=1, max=10, description="Voices", style=WIDE
    )

    def work() -> str:
        voices = session.find(query.value, model.value, shown.value)
        lead = showing.sentence(f"“{query.value}” among voices of this run, heard by {model.value}")
        return lead + showing.found(voices, store_of(session.run))

    doing = Doing("Find", "Listening to voices of the run; the first time takes long …", work)
    return _panel(doing, query.box, shown, model.box), doing


def export(session: Session) -> tuple[Any, Doing]:
    """The panel that writes all answers so far.

    Args:
        session: knows them
    """
    file = ipywidgets.Text("playground-answers.csv", description="File", style=WIDE, layout=LONG)
    place = f"All answers so far go to this file: .csv or .parquet, in {tables.short(session.run)}."

    def work() -> str:
        path = session.export(file.value)
        table = keeping.joined(session.answers)
        links = {f"{path.stem}{kind}": keeping.address(table, kind) for kind in keeping.KINDS}
        said = f"{len(table)} rows written to {tables.short(path)}."
        return showing.sentence(said) + showing.links(links) + showing.table(table.head(8))

    doing = Doing("Export", "Writing …", work)
    return _panel(doing, HTML(showing.plain(place)), file), doing


def _panel(doing: Doing, *fields: Any) -> Any:
    return Box([*fields, doing.button, doing.told, doing.result])


def _model(name: str, session: Session, first: int = 0) -> Either:
    """A model of the run by its name, or the folder of any."""
    return Either(name, list(session.models), "the folder of any saved model", first)
