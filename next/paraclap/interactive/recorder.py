"""Recorder of the microphone: from the browser to Python as the content of a WAV file.

The browser gathers samples (``recorder.js``) and sends them when the reader stops. Where there is
no microphone, or it is refused, the recorder says so and what to do. Chapter 13.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget

NAME = "recording.wav"


class Recorder(anywidget.AnyWidget):
    """A button that records the microphone."""

    _esm = Path(__file__).with_name("recorder.js")
    _css = Path(__file__).with_name("recorder.css")

    def __init__(self, receive: Callable[[str, bytes], None]) -> None:
        """Make a recorder; ``receive`` gets a name and the content of each finished recording."""
        super().__init__()
        self._receive = receive
        self.on_msg(self._on_message)

    def _on_message(self, _: Any, content: dict[str, Any], buffers: Sequence[Any]) -> None:
        if content.get("what") == "recording" and buffers:
            self._receive(NAME, bytes(buffers[0]))
