"""TESS: two actresses say 200 words in seven emotions.

The name of a file says actress (OAF, the older, or YAF, the younger), word and emotion:
`OAF_back_angry.wav`. Copies differ: flat or a folder per emotion, names in any case, and one file
may be `OA_bite_neutral.wav`. `ps`, pleasant surprise, is taken as surprise. No split is published,
and of two speakers none can be drawn.

Source: Dupuis and Pichora-Fuller 2010.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from paraclap.corpora import disk
from paraclap.corpora.corpus import Corpus

EMOTIONS = {
    "angry": "anger", "disgust": "disgust", "fear": "fear", "happy": "happiness",
    "neutral": "neutral", "ps": "surprise", "sad": "sadness",
}  # fmt: skip
_FORM = "OAF_back_angry.wav"
_NAME = re.compile(r"(?P<actress>[oy]af)_(?P<word>[^_]+)_(?P<code>.+)")
_WAV = "[oOyY][aA]*_*_*.[wW][aA][vV]"


def _rows(home: Path, notes: list[str]) -> pd.DataFrame:
    files = disk.audio([home], identity=_identity)
    rows = disk.parsed(files, _NAME, _FORM, notes)
    emotions = disk.mapped(rows["code"], EMOTIONS, rows["id"], "the file names of TESS")
    return rows[["id", "file"]].assign(
        emotion=emotions, speaker=rows["actress"].str.upper(), gender="female"
    )


def _identity(name: str) -> str:
    """Key of an utterance, whose actress is OA in one published name.

    Examples:
        >>> _identity("OA_bite_neutral.wav")
        'oaf_bite_neutral'
    """
    return re.sub(r"^([oy]a)_", r"\1f_", disk.key(name))


CORPUS = Corpus(
    name="tess",
    title="TESS (Toronto Emotional Speech Set)",
    language="en",
    licence="CC BY-NC-ND 4.0",
    url="https://doi.org/10.5683/SP2/E8H2MF",
    reference="dupuis2010tess",
    layout=f"files such as {_FORM}, flat, in data/, or in a folder per actress and emotion",
    key=("|".join(prefix + _WAV for prefix in ("", "*/", "*/*/")),),
    classes=tuple(EMOTIONS.values()),
    rows=_rows,
)
