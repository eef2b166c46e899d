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
}  # fmt: skip
LEFT_OUT = ("fru", "sur", "fea", "dis", "oth", "xxx")
_FORM = "Ses01F_impro01_F000"
_LINE = re.compile(r"^\[[^\]]*\][ \t]+(?P<id>\S+)[ \t]+(?P<code>\S+)", re.MULTILINE)
_NAME = r"^Ses0?(?P<session>\d)[FM]_.*_(?P<who>[FM])\d+$"


def rows(home: Path, notes: list[str]) -> pd.DataFrame:
    """One row per utterance, see :mod:`paraclap.corpora.paper.base`."""
    where = "the files of EmoEvaluation"
    files = base.audio(sorted(home.glob("Session?/sentences/wav")), notes)
    rows = base.matched(_labels(home, notes), files, where, notes)
    words = EMOTIONS | dict.fromkeys(LEFT_OUT, "")
    rows["emotion"] = base.mapped(rows["code"], words, rows["id"], where)
    other = rows["code"][rows["emotion"] == ""].value_counts()
    if len(other):
        counts = ", ".join(f"{code} {count:,}" for code, count in other.items())
        notes.append(f"{other.sum():,} utterances of other classes left out: {counts}.")
    rows = rows[rows["emotion"] != ""].reset_index(drop=True)
    names = rows["id"].str.extract(_NAME)
    rows["speaker"] = "Ses0" + names["session"] + names["who"]
    return rows.assign(gender=names["who"], session=names["session"])


def _labels(home: Path, notes: list[str]) -> pd.DataFrame:
    """Utterance and code of each line with a label; those with unusual names are left out."""
    files = sorted(home.glob("Session?/dialog/EmoEvaluation/[!.]*.txt"))
    found = [
        match.groupdict() for path in files for match in _LINE.finditer(base.text(path, notes))
    ]
    rows = pd.DataFrame(found, columns=["id", "code"], dtype="str")
    usual = rows["id"].str.extract(_NAME)["who"].notna()
    odd = rows["id"][~usual]
    if not usual.any():
        got = f"Only unusual utterances ({base.first(odd)})" if len(odd) else "No line with a label"
        form = f"expected lines such as '[time] {_FORM} ang …': copy them again."
        raise ValueError(f"{got} in {len(files)} files of EmoEvaluation, {form}")
    if len(odd):
        names = f"{len(odd):,} label lines of utterances not named as {_FORM} left out"
        notes.append(f"{names}: {base.first(odd)}.")
    return rows[usual]
