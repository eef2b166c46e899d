"""Table 1 of the paper, and the scores of a run beside it.

A score of people alone stands beside the paper's, with the same classes of the same corpus.
Chapters 5, 6 and 14. Source: ParaCLAP, Interspeech 2024, sections 2.1 and 3, Table 1.
"""

from pathlib import Path

import pandas as pd

from paraclap.evaluation.metrics import by_group
from paraclap.evaluation.results import speech

NAMES = {"no_emo_rand5": "no emotion, rand 5", "only_emo": "only emotion"}
NAMES |= {"rand1": "rand 1", "rand5": "rand 5", "clap": "CLAP", "pengi": "Pengi"}


def paper_scores() -> pd.DataFrame:
    """Table 1: the UAR of each system, a column each, by ``corpus`` or ``task`` (its name here).

    Beside them ``imitation`` (the synthetic corpus like it), ``classes, utterances`` (for testing).
    """
    return pd.read_csv(Path(__file__).with_name("paper_table1.csv"))


def paper_exposure() -> pd.DataFrame:
    """What each part of the paper's model has met of which corpus before a question is asked."""
    return pd.read_csv(Path(__file__).with_name("paper_exposure.csv")).fillna("-")


def beside_paper(
    scores: pd.DataFrame, labels: pd.DataFrame, predictions: pd.DataFrame
) -> pd.DataFrame:
    """Put the scores of a run (``tasks.score``) beside the paper's, where it has them.

    ``sessions`` is the mean over the sessions of IEMOCAP, the protocol of the released code.
    """
    table = paper_scores().drop(columns="imitation")
    scores = scores.iloc[:0] if speech(labels) != "recorded" else scores
    scores = scores[["task", "classes", "n", "uar", "uar_low", "uar_high"]]
    table = table.merge(scores, on=["task", "classes"], how="left")  # fewer classes: not the same
    sessions = pd.Series(dtype=float)
    if "session" in labels:
        groups = by_group(predictions, labels.loc[predictions.index, "session"])
        sessions = groups.groupby("task")["uar"].mean()
    return table.assign(sessions=table["task"].map(sessions).where(table["uar"].notna()))
