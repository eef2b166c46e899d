"""Which speech and which labels there are: from a folder on disk to one labels table.

:func:`load` takes a folder of audio with a CSV (`folder`) or an audformat database (`database`),
whichever lies there, and gives the same table for both: one row per segment on the audformat
index, the columns of ``tables.LABELS``, absolute files, ends filled from the length of the files.

Two lists travel along in ``table.attrs``:

- ``notes``: sentences on what was decided for the user (splits drawn, columns not used, classes
  with one member), to be shown to them;
- ``failed``: ``file`` and ``reason`` of each file that cannot be read. Their segments stay in the
  table, with an end of NaT unless the corpus gives one; the feature step lists them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from paraclap.corpora import database, folder
from paraclap.corpora.labels import finish, parse_columns

__all__ = ["database", "folder", "load"]


def load(
    corpus: str | Path,
    table: str = "",
    label_column: str = "emotion",
    columns: str | Mapping[str, str] = "",
    seed: int = 0,
) -> pd.DataFrame:
    """Labels table of any corpus on disk.

    Args:
        corpus: folder with a CSV and audio, or with an audformat database (``db.yaml``)
        table: name of the CSV (``labels.csv``, or the only one, when empty), or names of the
            tables of the database, with commas between (all when empty)
        label_column: column with the class that the corpus's own task asks for
        columns: other names for the known columns, as a mapping or ``"theirs=ours,theirs=ours"``;
            ``"theirs="`` leaves a column out
        seed: for the split by speaker, when the corpus has no split

    Returns:
        checked labels table, see ``tables.check_labels``

    Raises:
        FileNotFoundError: if the folder, the CSV or an audio file is not there
        ValueError: if a column, word, number, time or split is not as it should be
    """
    root = Path(corpus).expanduser()
    if not root.is_dir():
        msg = f"No folder at {str(corpus)!r}: expected one with audio and a CSV, or a database."
        raise FileNotFoundError(msg)
    names = parse_columns(columns)
    if (root / "db.yaml").is_file():
        wanted = [name.strip() for name in table.split(",") if name.strip()]
        return finish(*database.load(root.resolve(), wanted, names), label_column, seed)
    return finish(*folder.load(root.resolve(), table, names, label_column), label_column, seed)
