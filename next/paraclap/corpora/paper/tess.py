"""TESS: two actresses say 200 words in seven emotions.

The name of a file has actress (OAF, the older, or YAF, the younger), word and emotion:
``OAF_back_angry.wav``. Copies differ: flat or a folder per emotion, names in any case, and one file
may be ``OA_bite_neutral.wav``. `ps`, pleasant surprise, is taken as surprise. No split is
published, and of two speakers none can be drawn.

Source: Dupuis and Pichora-Fuller 2010.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from paraclap.corpora.paper import base

EMOTIONS = {
    "angry": "anger", "disgust": "disgust", "fear": "fear", "happy": "happiness",
    "neutral": "neutral", "ps": "surprise", "sad": "sadness",
}  # fmt: skip
_NAME = r"(?P<actress>[oy]af)_[^_]+_(?P<code>.+)"


def rows(home: Path, notes: list[str]) -> pd.DataFrame:
    """One row per utterance, see :mod:`paraclap.corpora.paper.base`."""
    files = base.audio([home], notes, identity=_identity)
    rows = base.parsed(files, _NAME, "OAF_back_angry.wav", notes)
    return rows.assign(
        emotion=base.mapped(rows["code"], EMOTIONS, rows["id"], "the file names of TESS"),
        speaker=rows["actress"].str.upper(),
        gender="female",
    )


def _identity(name: str) -> str:
    """Key of an utterance, whose actress is OA in one published name.

    >>> _identity("OA_bite_neutral.wav")
    'oaf_bite_neutral'
    """
    return re.sub(r"^([oy]a)_", r"\1f_", base.key(name))
