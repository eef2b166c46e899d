"""What do models of the demo answer about synthetic speech from other hands? For chapter 5.

    python -m benchmarks.demo                     # makes the runs
    python -m benchmarks.other_generator          # asks their models, about ten minutes
    python -m benchmarks.other_generator dev RUN  # the half to choose by; writes nothing

The same tasks and words, for the held-out corpora of the runs and those of :mod:`.other_speech`. A
regression on the functionals stands beside: learned from the training corpus as the model, and
learned there, from the other half, which says how difficult the tasks are. Speakers are drawn.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from statsmodels.stats.multitest import multipletests

from benchmarks import other_speech
from paraclap import ParaCLAP, corpora, features, tables
from paraclap.evaluation import baselines, compare, metrics, tasks

RUNS = ("demo", "demo-seed1", "demo-seed2")


def main(half: str = "test", *runs: str) -> None:
    """Ask, print and, for the half to report, write."""
    there, far = map(other_corpora, sorted(other_speech.HALVES, key=lambda one: one != half))
    own, other, regression = list[pd.DataFrame](), list[pd.DataFrame](), list[pd.Series]()
    for folder in map(tables.run_folder, runs or RUNS):
        model = ParaCLAP.from_pretrained(folder / "model")
        labels = with_gender(tables.read_table(folder / "labels.parquet"))
        here = labels[labels["corpus"].isin(other_speech.CORPORA.index)]
        answers = tasks.predict(model, here[here["split"] == "test"], tasks.tasks(there))
        own.append(answers.assign(speaker=f"{folder.name} " + answers["speaker"]))
        other.append(tasks.predict(model, there, tasks.tasks(there)))
        known = tables.read_table(folder / "features.parquet")
        regression.append(regressed(here[here["split"] == "train"], known, there))
    table = generators(pd.concat(own), other).set_index("task")
    table["regression"] = pd.concat(regression, axis=1).mean(axis=1)
    table["learned there"] = regressed(far, functionals(far), there)
    table = table.fillna(table[["regression", "learned there"]].mean()).reset_index()
    print(table.round(3).to_string(index=False))
    if half == "test":
        tables.write_table(table.round(4), Path(__file__).with_suffix(".csv"))


def other_corpora(half: str) -> pd.DataFrame:
    """Labels of a half of the other corpora, which are made unless they are there."""
    folder = other_speech.build(tables.run_folder("other-speech") / half, half)
    return with_gender(corpora.load(folder, for_testing=True))


def with_gender(labels: pd.DataFrame) -> pd.DataFrame:
    """Labels with a further task: the gender of the speakers of the first corpus."""
    return labels.assign(**{"task:gender": labels["gender"].where(labels["corpus"] == "podcast")})


def functionals(labels: pd.DataFrame) -> pd.DataFrame:
    """Functionals of a half, kept beside it."""
    return features.extract(labels, Path(labels.index[0][0]).parents[2] / "features.parquet", 1)


def regressed(learned: pd.DataFrame, known: pd.DataFrame, there: pd.DataFrame) -> pd.Series:
    """UAR of a regression on functionals, by task of the other corpora."""
    both = pd.concat([learned, learned.assign(label=learned["gender"])]).assign(split="train")
    given = pd.concat([known, functionals(there)]), pd.concat([both, there]), tasks.tasks(there)
    answers = baselines.baseline_predictions(*given)
    return metrics.recalls(answers).groupby("task")["recall"].mean()


def generators(own: pd.DataFrame, other: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """UAR for both generators by task, and what ``compare.differences`` gives; Holm over the tasks.

    ``own`` has the answers of all models, ``other`` a table for each model, which are averaged.
    """
    classes = {str(task): sorted(set(rows["truth"])) for task, rows in own.groupby("corpus")}
    parts = [{"own generator": own}, {"other generator": other}]
    drawn = [compare.score_systems(part, classes, seed=seed) for seed, part in enumerate(parts)]
    scored = pd.concat(drawn, axis=1)
    table = compare.differences(scored, [tuple(name for part in parts for name in part)])
    each = table["task"] != compare.MEAN
    table.loc[each, "p_holm"] = multipletests(table.loc[each, "p"], method="holm")[1]
    table["real"] = table["p_holm"] <= compare.ALPHA
    scores = scored.loc[0].unstack()
    scores.loc[compare.MEAN] = scores.mean()
    table.insert(1, "chance", table["task"].map({task: 1 / len(classes[task]) for task in classes}))
    return table.merge(scores.reset_index(names="task"), on="task")


if __name__ == "__main__":
    main(*sys.argv[1:])
