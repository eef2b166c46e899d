"""What the paper measured, and what a run of ours measured beside it.

Quoted numbers are those of Table 1 of the paper (`paper_table1.csv`), measured on the real
corpora. A score of ours stands beside them only if it was measured on the same corpus and on
people: files of synthetic speech say in a comment that they are, and a run on them is never put
beside the paper, whatever its corpora are called.

`exposure.csv` says which tower has met which corpus before any question is asked.

Source: Jing, Triantafyllopoulos, Schuller: ParaCLAP, Interspeech 2024, sections 2.1 and 3, Table 1.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

SYSTEMS = ("clap", "pengi", "no_emo_rand5", "only_emo", "rand1", "rand5")
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


def beside(
    scores: pd.DataFrame, labels: pd.DataFrame, sessions: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Put the scores of a run beside the paper's.

    Args:
        scores: `task, uar, uar_low, uar_high` of the run
        labels: labels table of the run, see `is_synthetic`
        sessions: `task, uar` of each session, for corpora whose protocol takes their mean

    Returns:
        one row a corpus of the paper: `corpus, task, classes`, the quoted columns `SYSTEMS`, then
        `measured, measured_low, measured_high` and `sessions` (their mean), missing where the
        run has no such task or its voices are synthetic
    """
    table = paper_scores().drop(columns="imitation")
    human = [] if is_synthetic(labels) else scores["task"].tolist()
    own = scores.set_index("task").reindex(table["task"].where(table["task"].isin(human)))
    for name, column in (("measured", "uar"), ("measured_low", "uar_low")):
        table[name] = own[column].to_numpy()
    table["measured_high"] = own["uar_high"].to_numpy()
    means = (
        sessions.groupby("task")["uar"].mean() if sessions is not None else pd.Series(dtype=float)
    )
    table["sessions"] = means.reindex(own.index).to_numpy()
    return table


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The table of `beside` for a page: classes beside the corpus, intervals in brackets."""
    quoted = table[list(SYSTEMS)].rename(columns=lambda name: name.replace("_", " "))
    names = table["corpus"] + " (" + table["classes"].astype("str") + ")"
    quoted.insert(0, "corpus (classes)", names)
    bounds = zip(table["measured"], table["measured_low"], table["measured_high"], strict=True)
    here = [f"{m:.3f} [{low:.3f}, {high:.3f}]" if m == m else None for m, low, high in bounds]
    return quoted.assign(
        measured=pd.Series(here, table.index, dtype="str"), sessions=table["sessions"]
    )


def title(labels: pd.DataFrame, wish: str = "") -> str:
    """Heading of the table beside the paper's.

    Args:
        labels: labels table of the run, see `is_synthetic`
        wish: a heading of one's own

    Raises:
        ValueError: if one is wished for a run on synthetic speech
    """
    if not is_synthetic(labels):
        return wish or "Table 1 of the paper (quoted), and this run (measured)"
    if wish:
        raise ValueError(
            f"Bad title {wish!r}: this run was measured on synthetic speech, expected none. "
            "Its scores are not the paper's; give real corpora, or leave the title empty."
        )
    return (
        "Table 1 of the paper (quoted). This run heard synthetic speech: nothing stands beside it"
    )
