"""What do a temperature and a correction of priors bring? One table of all treatments.

- `as asked`: the probabilities as the model gives them;
- `temperature`: divided by one temperature, fitted to the labelled voices of the dev split. The
  answers are the same, so is the UAR;
- `expected shares`, `equal shares`: the corrections of `priors`, on top of the temperature. They
  are *transductive*: they have heard all test voices, without labels.

Conventions: ECE over 10 bins, in 0 to 1; questions are `asking.Asked` with a single wording.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from paraclap.evidence import calibration, paired, priors
from paraclap.evidence.asking import Asked
from paraclap.evidence.calibration import Floats

TEMPERATURE = "temperature"
TREATMENTS = (priors.AS_ASKED, TEMPERATURE, priors.EXPECTED, priors.MATCHED)


def fitted(dev: Sequence[Asked]) -> float:
    """Temperature of the dev voices, see `calibration.fit_temperature`; 1 if there are none.

    Args:
        dev: the tasks that dev voices belong to, asked in one wording
    """
    if not dev:
        return 1.0
    return calibration.fit_temperature([(one.logits()[0], one.codes) for one in dev])


def treated(one: Asked, temperature: float) -> dict[str, Floats]:
    """Logits of a task under each treatment, `(voices, classes)` each.

    Args:
        one: the task, asked in one wording
        temperature: as `fitted` gives it
    """
    logits = one.logits()[0]
    corrected = priors.corrected(logits / temperature)
    return {
        priors.AS_ASKED: logits,
        TEMPERATURE: corrected[priors.AS_ASKED],
        priors.EXPECTED: corrected[priors.EXPECTED],
        priors.MATCHED: corrected[priors.MATCHED],
    }


def sureness(
    questions: Sequence[Asked], temperature: float = 1.0
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Confidence and rightness of all answers of all tasks, see `calibration.sureness`."""
    each = [
        calibration.sureness(calibration.probabilities(one.logits()[0], temperature), one.codes)
        for one in questions
    ]
    sure, right = zip(*each, strict=True)
    return np.concatenate(sure), np.concatenate(right)


def calibrated(
    questions: Sequence[Asked], temperature: float, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Calibration error and UAR of every task under every treatment.

    Args:
        questions: the tasks, asked of test voices in one wording
        temperature: fitted to dev voices
        draws: of the paired bootstrap
        seed: of the draws

    Returns:
        `task, treatment, transductive, temperature, n, ece, ece_mass, uar, uar_low, uar_high,
        gain, p_holm, real, unit`; `gain` is the difference of UAR to `as asked`, paired, corrected
        over the treatments of a task

    Raises:
        ValueError: as `priors.corrected` and `paired.redrawn`
    """
    made = {one.task: treated(one, temperature) for one in questions}
    rows = [
        {"task": one.task, "treatment": name, **_errors(one, logits)}
        for one in questions
        for name, logits in made[one.task].items()
    ]
    table = pd.DataFrame(rows).assign(
        transductive=lambda rows: rows["treatment"].map(_transductive),
        temperature=lambda rows: np.where(rows["treatment"] == priors.AS_ASKED, 1.0, temperature),
    )
    scored = paired.redrawn(*_predictions(questions, made), draws, seed)
    return _with_scores(table, scored)


def _transductive(treatment: str) -> bool:
    return priors.TRANSDUCTIVE.get(treatment, False)


def _errors(one: Asked, logits: Floats) -> dict[str, float]:
    answers = calibration.sureness(calibration.probabilities(logits), one.codes)
    return {
        "n": len(one.rows),
        "ece": calibration.ece(*answers),
        "ece_mass": calibration.ece(*answers, equal_mass=True),
    }


def _predictions(
    questions: Sequence[Asked], made: dict[str, dict[str, Floats]]
) -> tuple[dict[str, pd.DataFrame], dict[str, list[str]]]:
    """Predictions of each treatment as if it were a system, and the classes of each task."""
    given = {
        name: pd.concat([one.answers(made[one.task][name]) for one in questions])
        for name in TREATMENTS
    }
    return given, {one.task: list(one.labels) for one in questions}


def _with_scores(table: pd.DataFrame, scored: paired.Redrawn) -> pd.DataFrame:
    pairs = [(name, priors.AS_ASKED) for name in TREATMENTS[2:]]
    compared = paired.differences(scored, pairs).rename(columns={"difference": "gain"})
    own = paired.intervals(scored)[["task", "system", "unit", "uar", "uar_low", "uar_high"]]
    gains = compared[["task", "system", "gain", "p_holm", "real"]]
    both = own.merge(gains, on=["task", "system"], how="left")
    joined = table.merge(both.rename(columns={"system": "treatment"}), on=["task", "treatment"])
    columns = ["task", "treatment", "transductive", "temperature", "n", "ece", "ece_mass"]
    scores = ["uar", "uar_low", "uar_high", "gain", "p_holm", "real", "unit"]
    return joined[[*columns, *scores]]
