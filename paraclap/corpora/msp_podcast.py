"""MSP-Podcast: spontaneous speech from podcasts, the corpus that the paper learns from.

`Labels/labels_consensus.csv` has a row per file with the class and the mean ratings (1 to 7) of
its raters, the speaker, and the published split. Utterances whose raters do not agree get the
class `no_agreement`, those of another emotion `other`. Of the test sets the labels of the third
are hidden; it is left out.

The only number to compare with is the paper's: utterances to learn from in release 1.9, those
without agreement included. Other releases have other numbers.

Source: Lotfian and Busso 2019; section 3.1 of the paper.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from paraclap.corpora import disk
from paraclap.corpora.corpus import Corpus
from paraclap.tables import report

EMOTIONS = {
    "A": "anger", "S": "sadness", "H": "happiness", "U": "surprise", "F": "fear",
    "D": "disgust", "C": "contempt", "N": "neutral", "O": "other", "X": "no_agreement",
}  # fmt: skip
SPLITS = {
    "train": "train", "development": "dev", "validation": "dev", "test1": "test", "test2": "test",
}  # fmt: skip
HIDDEN = "test3"
TABLE = "Labels/labels_consensus.csv"
_RATINGS = {"EmoAct": "arousal", "EmoVal": "valence", "EmoDom": "dominance"}
_LOWEST, _HIGHEST = 1, 7  # of the scale that raters were given
_COLUMNS = ("FileName", "EmoClass", *_RATINGS, "SpkrID", "Gender", "Split_Set")
_UNKNOWN = ("unknown", "")


def _rows(home: Path, notes: list[str]) -> pd.DataFrame:
    where = Path(TABLE).name
    rows = disk.table(home / TABLE, _COLUMNS, notes).rename(columns={"FileName": "id"})
    folders = [home / name for name in ("Audios", "Audio") if (home / name).is_dir()]
    rows = disk.matched(rows, disk.audio(folders), where, notes)
    sets = rows["Split_Set"].str.lower()
    hidden = sets == HIDDEN
    if hidden.any():
        notes.append(f"{hidden.sum():,} utterances of Test3 left out: their labels are hidden.")
    rows, sets = rows[~hidden].reset_index(drop=True), sets[~hidden].reset_index(drop=True)
    known = ~rows["SpkrID"].str.lower().isin(_UNKNOWN)
    return rows[["id", "file"]].assign(
        **_rated(rows, where),
        emotion=disk.mapped(rows["EmoClass"], EMOTIONS, rows["id"], where),
        split=disk.mapped(sets, SPLITS, rows["id"], f"Split_Set of {where}"),
        speaker=rows["SpkrID"].where(known),
        gender=rows["Gender"],
    )


def _rated(rows: pd.DataFrame, where: str) -> dict[str, pd.Series]:
    """Mean ratings by our names; where there is none it stays missing.

    Raises:
        ValueError: if one is no number, or lies outside the scale
    """
    named = rows.set_index(pd.MultiIndex.from_arrays([rows["id"]]))
    ratings = {}
    for theirs, ours in _RATINGS.items():
        values = pd.to_numeric(rows[theirs], errors="coerce")
        bad = rows[theirs].notna() & ~values.between(_LOWEST, _HIGHEST)
        expected = f"ratings from {_LOWEST} to {_HIGHEST}: correct it there"
        report(named, bad, theirs, where, expected)
        ratings[ours] = values
    return ratings


CORPUS = Corpus(
    name="msp-podcast",
    title="MSP-Podcast",
    language="en",
    licence="for research, on request",
    url="https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html",
    reference="lotfian2019podcast",
    layout=f"{TABLE}, and the files that it names in Audios/",
    key=(TABLE, "Audios|Audio"),
    classes=tuple(EMOTIONS.values())[:8],
    rows=_rows,
)
