"""IEMOCAP: ten actors in five sessions of dialogue, with the usual four emotions.

``SessionN/sentences/wav/<dialogue>/<utterance>.wav`` are the utterances. The lines that start with
a bracket in ``SessionN/dialog/EmoEvaluation/*.txt`` give each the emotion that most raters chose.
Happiness and excitement are one class; other emotions and utterances without agreement are left
out. The name of an utterance gives the session, and last the speaker: ``Ses01F_impro01_M000`` is
the man's, although the woman wears the markers. No split is published; the column `session` is
there for scores by session.

Source: Busso et al. 2008.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from paraclap.corpora.paper import base

EMOTIONS = {
    "ang": "anger", "hap": "happiness", "exc": "happiness", "neu": "neutral", "sad": "sadness",
    **dict.fromkeys(("fru", "sur", "fea", "dis", "oth", "xxx"), ""),
}  # fmt: skip
_LINE = re.compile(r"^\[[^\]]*\][ \t]+(?P<id>\S+)[ \t]+(?P<code>\S+)", re.MULTILINE)
_NAME = r"^Ses0?(?P<session>\d)[FM]_.*_(?P<who>[FM])\d+$"


def iemocap(home: Path, notes: list[str]) -> pd.DataFrame:
    """One row per utterance of the four classes."""
    where = "the files of EmoEvaluation"
    texts = sorted(home.glob("Session?/dialog/EmoEvaluation/[!.]*.txt"))
    found = (match for path in texts for match in _LINE.finditer(path.read_text("latin-1")))
    rows = pd.DataFrame([match.groupdict() for match in found], columns=["id", "code"], dtype="str")
    odd = rows["id"][~rows["id"].str.fullmatch(_NAME)]
    if len(odd):
        notes.append(f"{len(odd):,} lines with unusual names left out: {base.first(odd)}.")
    files = base.audio(sorted(home.glob("Session?/sentences/wav")), notes)
    rows = base.matched(rows.drop(odd.index), files, where, notes)
    rows["emotion"] = base.mapped(rows["code"], EMOTIONS, rows["id"], where)
    other = rows["code"][rows["emotion"] == ""].value_counts()
    if len(other):
        counts = ", ".join(f"{code} {count:,}" for code, count in other.items())
        notes.append(f"{other.sum():,} utterances of other classes left out: {counts}.")
    rows = rows[rows["emotion"] != ""].reset_index(drop=True)
    names = rows["id"].str.extract(_NAME)
    rows["speaker"] = "Ses0" + names["session"] + names["who"]
    return rows.assign(gender=names["who"], session=names["session"])
