"""Whose answers are compared? The models of a run, and a regression that saw labelled voices.

Tables of predictions are those of `evaluation.predict`: `corpus` (the task), `speaker`, `truth`,
`prediction` on the audformat index.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from paraclap import references, tables
from paraclap.settings import Settings
from paraclap.settings import variants as settings_of
from paraclap.tasks import Tasks, truth

MAIN = "main run"
REGRESSION = "logistic regression"


def models(folder: Path, variants: Sequence[str]) -> dict[str, Path]:
    """Where the models of a run lie, name → folder.

    A variant with the settings of the main run is the main run. If none has them, the main run
    comes first, as `main run`. Variants that were not trained are left out.

    Args:
        folder: of the run
        variants: names of the paper's variants, in the order wanted

    Raises:
        FileNotFoundError: if the run has no settings
        ValueError: if a variant is unknown
    """
    main = Settings(**tables.read_json(folder / "settings.json"))
    chosen = settings_of(main, [name.strip() for name in variants])
    places = {
        name: folder / "model" if one == main else folder / "variants" / name / "model"
        for name, one in chosen.items()
    }
    if main not in chosen.values():
        places = {MAIN: folder / "model", **places}
    return {name: place for name, place in places.items() if place.is_dir()}


def regression(features: pd.DataFrame, labels: pd.DataFrame, tasks: Tasks) -> pd.DataFrame:
    """Answers of a logistic regression on features that was trained on labelled voices.

    As in `evaluation.reference_scores`: it learns from the train split, of whatever corpus; a class
    without a voice there is never answered; a task with fewer than two learnable classes is left
    out.

    Args:
        features: one row a segment
        labels: labels table; voices without features are left out
        tasks: task → class → word

    Returns:
        predictions, without rows if no task can be learned
    """
    labels = labels[labels.index.isin(features.index)]
    train, test = labels[labels["split"] == "train"], labels[labels["split"] == "test"]
    parts = [test.iloc[:0][["corpus", "speaker"]].assign(truth="", prediction="")]
    for task, words in tasks.items():
        classes = list(words)
        own = test.assign(corpus=task, truth=truth(test, task))
        own = own.loc[own["truth"].isin(classes), ["corpus", "speaker", "truth"]]
        if len(references.learnable(train["label"], classes)) < 2:
            continue
        rows = (features.loc[train.index], train["label"], features.loc[own.index])
        parts.append(own.assign(prediction=references.logistic(*rows, classes)))
    return pd.concat(parts)
