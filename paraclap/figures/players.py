"""Players: what the reader of a page listens to, as MP3 inside the page.

Signals are mono float32 at 16 kHz, ``(samples,)``, and become about 4 kB a second.
"""

import base64
import html
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from IPython.display import HTML

from paraclap import audio, tables

_FADE = 320  # samples: a signal that is cut ends without a click


def data_uri(signal: audio.Signal, seconds: float | None = None) -> str:
    """Signal as an MP3 in a data address; what is longer than ``seconds`` is cut and faded out."""
    if seconds is not None and len(signal) > (keep := round(seconds * audio.SAMPLING_RATE)):
        fade = np.clip(np.arange(keep, 0, -1) / _FADE, 0, 1).astype(np.float32)
        signal = signal[:keep] * fade
    content = io.BytesIO()
    settings = {"format": "MP3", "bitrate_mode": "CONSTANT", "compression_level": 0.9}
    with soundfile.SoundFile(content, "w", audio.SAMPLING_RATE, 1, **settings) as stream:
        stream.write(np.clip(signal, -1, 1))
    return f"data:audio/mpeg;base64,{base64.b64encode(content.getvalue()).decode()}"


def clips(index: Iterable[tuple[Any, Any, Any]], seconds: float | None = 2.0) -> list[str]:
    """Data addresses of segments, cut to their first seconds; AudioError if one is not read."""
    return [data_uri(audio.read(*segment), seconds) for segment in index]


def players(table: pd.DataFrame | pd.MultiIndex, labels: Sequence[str]) -> HTML:
    """Players of segments side by side, at full length, a label above each."""
    cards = [
        f'<div style="width:13.5em"><div style="font-size:0.9em">{html.escape(label)}</div>'
        f'<audio controls preload="none" style="width:100%" src="{address}"></audio></div>'
        for label, address in zip(labels, clips(tables.as_index(table), None), strict=True)
    ]
    style = "display:flex;flex-wrap:wrap;gap:0.8em 1.2em;margin:0.6em 0"
    page = f'<div style="{style}">{"".join(cards)}</div>'
    return HTML(page)  # type: ignore[no-untyped-call]  # IPython
