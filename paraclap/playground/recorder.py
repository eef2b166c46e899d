"""How does a recording get from the browser to Python? As the content of a WAV file.

The browser gathers the samples of the microphone (``recorder.js``) and sends them when the reader
stops. Where there is no microphone, or it is refused, the recorder says so and what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget

NAME = "recording.wav"
_HERE = Path(__file__).parent


class Recorder(anywidget.AnyWidget):
    """A button that records the microphone."""

    _esm = _HERE / "recorder.js"
    _css = _HERE / "recorder.css"

    def __init__(self, heard: Callable[[str, bytes], None]) -> None:
        """Make a recorder.

        Args:
            heard: gets a name and the content of a WAV file, whenever a recording is finished
        """
        super().__init__()
        self._tell = heard
        self.on_msg(self._receive)

    def _receive(self, _: Any, content: dict[str, Any], buffers: Sequence[Any]) -> None:
        """Hand on what the browser sent; other messages are not for us."""
        if content.get("what") == "recording" and buffers:
            self._tell(NAME, bytes(buffers[0]))
