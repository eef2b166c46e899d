"""What the paper measured, and what a run of ours measured beside it.

Quoted numbers are those of Table 1 of the paper (`paper_table1.csv`), measured on the real
corpora. A score of ours stands beside them only if it was measured on the same corpus and on
people: files of synthetic speech say in a comment that they are, and a run on them is never put
beside the paper, whatever its corpora are called.

`exposure.csv` says which tower has met which corpus before any question is asked.

Source: Jing, Triantafyllopoulos, Schuller: ParaCLAP, Interspeech 2024, sections 2.1 and 3, Table 1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

SYSTEMS = ("clap", "pengi", "no_emo_rand5", "only_emo", "rand1", "rand5")
MEASURED = {"n": "n", "measured": "uar", "measured_low": "uar_low", "measured_high": "uar_high"}
_FOLDER = Path(__file__).parent


def paper_scores() -> pd.DataFrame:
    """Table 1 of the paper: UAR by corpus and system.

    Returns:
        `corpus, task` (its name here), `imitation` (the built-in corpus like it), `classes`, and
        a column for each of `SYSTEMS`
    """
    return pd.read_csv(_FOLDER / "paper_table1.csv")


def exposure() -> pd.DataFrame:
    """What each part of the paper's model has met of which corpus before a question is asked.

    Returns:
        `corpus`, and a column for each occasion to meet it; "-" where it was not met
    """
    return pd.read_csv(_FOLDER / "exposure.csv").fillna("-")


def is_synthetic(labels: pd.DataFrame) -> bool:
    """Whether any of the voices is synthetic speech, or nobody knows.

    Args:
        labels: labels table, with the column `synthetic` where it is known
    """
    return "synthetic" not in labels or not labels["synthetic"].eq(False).all()


def here(task: str, known: Collection[str]) -> str:
    """Name of a task of the paper in a run: itself, or the built-in corpus that imitates it.

    Args:
        task: such as iemocap
        known: the tasks of the run

    >>> here("iemocap", ["podcast", "iemocap-like"])
    'iemocap-like'
    """
    imitation = paper_scores().set_index("task")["imitation"][task]
    return task if task in known else str(imitation)


def beside(
    scores: pd.DataFrame, labels: pd.DataFrame, sessions: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Put the scores of a run beside the paper's.

    Args:
        scores: `task, classes, n, uar, uar_low, uar_high` of the run
        labels: labels table of the run, see `is_synthetic`
        sessions: `task, uar` of each session, for corpora whose protocol takes their mean

    Returns:
        one row a corpus of the paper: `corpus, task, classes, voices` (published for testing), the
        quoted columns `SYSTEMS`, then `n` (voices asked), `measured, measured_low, measured_high`
        and `sessions` (their mean), missing where the run has no such task, its voices are
        synthetic, or it lacks classes, as that is another question
    """
    table = paper_scores().drop(columns="imitation")
    human = [] if is_synthetic(labels) else scores["task"].tolist()
    own = scores.set_index("task").reindex(table["task"].where(table["task"].isin(human)))
    whole = (own["classes"].to_numpy() == table["classes"]).to_numpy()
    for name, column in MEASURED.items():
        table[name] = own[column].where(whole).to_numpy()
    nothing = pd.DataFrame({"task": [], "uar": []})
    means = (nothing if sessions is None else sessions).groupby("task")["uar"].mean()
    table["sessions"] = means.reindex(own.index).where(whole).to_numpy()
    return table


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The table of `beside` for a page: an interval in brackets, and which part was asked.

    A corpus of which fewer or more voices were asked than are published for testing says so.
    """
    quoted = table[list(SYSTEMS)].rename(columns=lambda name: name.replace("_", " "))
    names = table["corpus"] + " (" + table["classes"].astype("str") + ")"
    quoted.insert(0, "corpus (classes)", names)
    cells = [_cell(row) for row in table.to_dict("records")]
    measured = pd.Series(cells, table.index, dtype="str")
    return quoted.assign(measured=measured, sessions=table["sessions"])


def _cell(row: Mapping[Any, Any]) -> str | None:
    if pd.isna(row["measured"]):
        return None
    cell = f"{row['measured']:.3f} [{row['measured_low']:.3f}, {row['measured_high']:.3f}]"
    part = "" if row["n"] == row["voices"] else f", {row['n']:,.0f} of {row['voices']:,} voices"
    return cell + part


def title(labels: pd.DataFrame, variant: str, wish: str = "") -> str:
    """Heading of the table beside the paper's.

    Args:
        labels: labels table of the run, see `is_synthetic`
        variant: which of the paper's variants the run is, see `settings.variant`
        wish: a heading of one's own

    Raises:
        ValueError: if one is wished for a run on synthetic speech, or that says of a run which
            is not the paper's variant that it is
    """
    if not is_synthetic(labels):
        if "paper" in wish.lower() and variant not in SYSTEMS:
            raise ValueError(
                f"Bad title {wish!r}: this run is {variant}, expected a title that does not call "
                "its scores the paper's. Leave the title empty to have it said."
            )
        return wish or f"Table 1 of the paper (quoted), and this run, {variant} (measured)"
    if wish:
        raise ValueError(
            f"Bad title {wish!r}: this run was measured on synthetic speech, expected none. "
            "Its scores are not the paper's; give real corpora, or leave the title empty."
        )
    return (
        "Table 1 of the paper (quoted). This run heard synthetic speech: nothing stands beside it"
    )
