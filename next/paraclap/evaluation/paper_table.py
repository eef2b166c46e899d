"""Table 1 of the paper, and the scores of a run beside it.

A score of a run stands beside the paper's only if it comes from the same corpus, with all of its
classes, and from people: synthetic speech is never put beside the paper. Chapters 5 and 6.

Source: Jing, Triantafyllopoulos, Schuller: ParaCLAP, Interspeech 2024, sections 2.1 and 3, Table 1.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from paraclap.evaluation.metrics import by_group

SYSTEMS = ["clap", "pengi", "no_emo_rand5", "only_emo", "rand1", "rand5"]
NAMES = {"no_emo_rand5": "no emotion, rand 5", "only_emo": "only emotion"}
NAMES |= {"rand1": "rand 1", "rand5": "rand 5", "clap": "CLAP", "pengi": "Pengi"}


def paper_scores() -> pd.DataFrame:
    """Table 1: UAR by corpus and system.

    Returns:
        ``corpus, task`` (its name here), ``imitation`` (the synthetic corpus like it), ``classes,
        utterances`` (for testing), and a column for each of :data:`SYSTEMS`
    """
    return pd.read_csv(Path(__file__).with_name("paper_table1.csv"))


def paper_exposure() -> pd.DataFrame:
    """What each part of the paper's model has met of which corpus before a question is asked."""
    return pd.read_csv(Path(__file__).with_name("paper_exposure.csv")).fillna("-")


def local_task(task: str, known: Collection[str]) -> str:
    """A task of the paper in a run: itself, or the synthetic corpus that imitates it.

    >>> local_task("iemocap", ["podcast", "iemocap-like"])
    'iemocap-like'
    """
    return task if task in known else str(paper_scores().set_index("task")["imitation"][task])


def caption(labels: pd.DataFrame) -> str:
    """Heading of the table of :func:`beside_paper`."""
    if is_synthetic(labels):
        return "Table 1 of the paper. This run used synthetic speech: nothing of it stands beside."
    return "Table 1 of the paper, and this run (n to sessions)"


def is_synthetic(labels: pd.DataFrame) -> bool:
    """Whether any utterance is synthetic speech, or nobody knows (column ``synthetic``)."""
    return "synthetic" not in labels or not labels["synthetic"].eq(False).all()


def beside_paper(
    scores: pd.DataFrame, labels: pd.DataFrame, predictions: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Put the scores of a run beside the paper's.

    Args:
        scores: of the run, as ``tasks.score`` gives them
        labels: labels table of the run, with ``synthetic`` and, for IEMOCAP, ``session``
        predictions: of the run, for the mean over sessions (the protocol of the released code)

    Returns:
        :func:`paper_scores` without ``imitation``, then ``n`` (utterances of the run), ``uar,
        uar_low, uar_high`` and ``sessions``, missing where the run has no such score
    """
    table = paper_scores().drop(columns="imitation")
    own = scores.iloc[:0] if is_synthetic(labels) else scores
    own = own[["task", "classes", "n", "uar", "uar_low", "uar_high"]]
    table = table.merge(own, on=["task", "classes"], how="left")  # fewer classes: another question
    sessions = pd.Series(dtype=float)
    if predictions is not None and "session" in labels:
        groups = by_group(predictions, labels.loc[predictions.index, "session"])
        sessions = groups.groupby("task")["uar"].mean()
    return table.assign(sessions=table["task"].map(sessions).where(table["uar"].notna()))


def describe_attributes(table: pd.DataFrame, level: float = 0.5) -> list[str]:
    """For each variant, the attributes whose whole interval is above a level, and the others.

    Args:
        table: ``variant, kind, task, uar_low``, see ``tasks.together``
        level: chance of the two ends
    """
    sentences = []
    for variant, own in table[table["kind"] == "attribute"].groupby("variant", sort=False):
        above = own["uar_low"] > level
        others = ", ".join(own.loc[~above, "task"]) or "none"
        count = f"{above.sum()} of {len(own)} with the whole interval above chance"
        sentences.append(f"{NAMES.get(str(variant), str(variant))}: {count}, not: {others}.")
    return sentences
