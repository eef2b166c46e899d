"""IEMOCAP: ten actors in five sessions of dialogue, asked for four emotions as is the custom.

`SessionN/sentences/wav/<dialogue>/<utterance>.wav` are the utterances. The lines that start with a
bracket in `SessionN/dialog/EmoEvaluation/*.txt` name them with the emotion that most raters chose.
Happiness and excitement are one class; other emotions and utterances without agreement are left
out. The name of an utterance says the session, and last who speaks: `Ses01F_impro01_M000` is the
man's, although the woman wears the markers. A line with another form of name is left out and said.
No split is published; the column `session` is there for scores by session.

Source: Busso et al. 2008.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from paraclap.corpora import disk
from paraclap.corpora.corpus import Corpus

EMOTIONS = {
    "ang": "anger", "hap": "happiness", "exc": "happiness", "neu": "neutral", "sad": "sadness",
}  # fmt: skip
LEFT_OUT = ("fru", "sur", "fea", "dis", "oth", "xxx")
_LABELS = "Session?/dialog/EmoEvaluation/*.txt"
_AUDIO = "Session?/sentences/wav"
_FORM = "Ses01F_impro01_F000"
_LINE = re.compile(r"\[[^\]]*\]\s+(?P<id>\S+)\s+(?P<code>\S+)")
_NAME = re.compile(r"Ses0?(?P<session>\d)[FM]_.*_(?P<who>[FM])\d+")


def _rows(home: Path, notes: list[str]) -> pd.DataFrame:
    where = "the files of EmoEvaluation"
    rows = disk.matched(_labels(home, notes), disk.audio(sorted(home.glob(_AUDIO))), where, notes)
    words = EMOTIONS | dict.fromkeys(LEFT_OUT, "")
    rows["emotion"] = disk.mapped(rows["code"], words, rows["id"], where)
    other = rows["code"][rows["emotion"] == ""].value_counts()
    if len(other):
        counts = ", ".join(f"{code} {count:,}" for code, count in other.items())
        notes.append(f"{other.sum():,} utterances of other classes left out: {counts}.")
    rows = rows[rows["emotion"] != ""].reset_index(drop=True)
    said = rows["id"].str.extract(_NAME)
    return rows[["id", "file", "emotion"]].assign(
        speaker="Ses0" + said["session"] + said["who"],
        gender=said["who"],
        session=said["session"],
    )


def _labels(home: Path, notes: list[str]) -> pd.DataFrame:
    """Utterance and code of each line that carries a label; those with unusual names are said.

    Raises:
        ValueError: if no line is left
    """
    files = [path for path in sorted(home.glob(_LABELS)) if path.name[0] != "."]
    lines = [line for path in files for line in disk.text(path, notes).splitlines()]
    found = [match.groupdict() for line in lines if (match := _LINE.match(line))]
    usual = [row for row in found if _NAME.fullmatch(row["id"])]
    odd = [row["id"] for row in found if not _NAME.fullmatch(row["id"])]
    if not usual:
        got = f"Only unusual utterances ({disk.listed(odd)})" if odd else "No line with a label"
        msg = (
            f"{got} in {len(files)} files of EmoEvaluation, expected lines such as "
            f"'[time] {_FORM} ang …': copy them again."
        )
        raise ValueError(msg)
    if odd:
        notes.append(
            f"{len(odd):,} label lines of utterances not named as {_FORM} left out: "
            f"{disk.listed(odd)}."
        )
    return pd.DataFrame(usual)


CORPUS = Corpus(
    name="iemocap",
    title="IEMOCAP (Interactive Emotional Dyadic Motion Capture)",
    language="en",
    licence="for research, on request",
    url="https://sail.usc.edu/iemocap/",
    reference="busso2008iemocap",
    layout="Session1 to Session5, each with dialog/EmoEvaluation/*.txt and sentences/wav/*/*.wav",
    key=(_LABELS, _AUDIO),
    classes=("anger", "happiness", "neutral", "sadness"),
    rows=_rows,
)
