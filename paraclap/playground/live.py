"""The playground in a notebook: live where there is Python, a sentence where there is none.

In JupyterLab the panels are shown. A page without a kernel cannot run them, and the book is made
without anybody who could press a button: there a sentence says how to get at the playground.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any

import ipywidgets

from paraclap.playground import panels, showing
from paraclap.playground.session import Session

TABS = ("Ask", "Compare two models", "Find voices", "Export")


class Panels:
    """All panels around one session.

    Attributes:
        voice: The panel of the voice.
        question: The panel of the question.
        doing: Button, message and result of each tab.
        box: What is shown.
    """

    def __init__(self, session: Session, candidates: str) -> None:
        """Make the panels.

        Args:
            session: what they ask
            candidates: typed in at the start
        """
        self.voice, self.question = panels.VoicePanel(session), panels.Question(candidates)
        made = (
            panels.ask(session, self.question),
            panels.compare(session, self.question),
            panels.find(session),
            panels.export(session),
        )
        self.doing = dict(zip(TABS, (doing for _, doing in made), strict=True))
        tabs = ipywidgets.Tab([box for box, _ in made], titles=TABS)
        parts = [showing.styles() + showing.heading("A voice"), showing.heading("A question")]
        voice, question = (ipywidgets.HTML(part) for part in parts)
        self.box = ipywidgets.VBox([voice, self.voice.box, question, self.question.box, tabs])
        self.box.add_class("paraclap-playground")


class Playground:
    """What the last cell of a notebook shows: the panels, made when they are first shown.

    Attributes:
        session: What they ask.
    """

    def __init__(self, session: Session, candidates: str = panels.CANDIDATES) -> None:
        """Keep what the panels are made from.

        Args:
            session: what they ask
            candidates: typed in at the start
        """
        self.session, self._candidates = session, candidates

    @cached_property
    def panels(self) -> Panels:
        """The panels; without a reader none are made, as they would weigh on a page."""
        return Panels(self.session, self._candidates)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """What a notebook shows: panels, and what a page shows in their place."""
        page = {
            "text/html": showing.styles() + showing.without_kernel(),
            "text/plain": "<the playground: run this cell in JupyterLab>",
        }
        return page if _without_reader() else {**self.panels.box._repr_mimebundle_(), **page}


def _without_reader() -> bool:
    """Whether the book is being made (:mod:`paraclap.kernel` names a file for progress then)."""
    return "PARACLAP_PROGRESS" in os.environ


def playground(
    run: Path, model: str = "", candidates: str = panels.CANDIDATES, seed: int = 0
) -> Playground:
    """Open the playground.

    Args:
        run: folder of a run
        model: folder of any saved model, asked instead of that of the run; may be empty
        candidates: typed in at the start
        seed: of the draw of the voices that are searched
    """
    return Playground(Session.of(run, model, seed), candidates)
