"""Which change of the recipe helps? Contenders, trained with several seeds and asked the same.

`contenders.csv` lists them: what a contender changes in the settings of the main run, the sentences
it is told, how it is asked, and the contender `against` which this one change is tested. Every
model answers the emotions of acted corpora in the words of training, the same in words that
training never said, and both ends of every attribute. Differences are paired, speakers redrawn,
seeds averaged, with Holm's correction (see `outcome`).

Conventions: a *kind* is acted, unseen words or attributes; UAR lies in 0 to 1. Source: the paper,
sections 2.2 and 4 (rand = 5); the objectives name theirs in `objectives` and `loss`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.special import softmax

from paraclap import evaluation, inputs, training, zeroshot
from paraclap.evidence import asking, priors, wordings_set
from paraclap.machine import Machine
from paraclap.model import ParaCLAP
from paraclap.outcome import ACTED, ATTRIBUTES, BASE, UNSEEN, Answers
from paraclap.queries import Pool
from paraclap.settings import Settings
from paraclap.tasks import Tasks, synonyms
from paraclap.templates import unknown_name


@cache
def contenders() -> pd.DataFrame:
    """All contenders, by name: `group, against, model, asked, templates, changes, says`."""
    file = Path(__file__).with_name("contenders.csv")
    return pd.read_csv(file, dtype="str", keep_default_na=False, index_col="name")


def chosen(names: Sequence[str]) -> pd.DataFrame:
    """Some contenders, with those that they are compared with.

    Args:
        names: keys of the table; `all` alone for all of them

    Raises:
        ValueError: if there is no such contender

    >>> chosen(["soft"]).index.tolist()
    ['rand5', 'egemaps', 'soft']
    """
    known = contenders()
    wanted = {BASE}
    todo = list(known.index if list(names) == ["all"] else names)
    while todo:
        name = todo.pop()
        if name not in known.index:
            raise ValueError(unknown_name("contender", name, list(known.index)))
        wanted.add(name)
        row = known.loc[name]
        todo += [other for other in (row["against"], row["model"]) if other and other not in wanted]
    return known[known.index.isin(wanted)]


def settings_of(main: Settings, row: pd.Series, seed: int) -> Settings:
    """Settings of a contender.

    Args:
        main: of the main run
        row: of `contenders`
        seed: which of its trainings, from 0
    """
    changes = yaml.safe_load(row["changes"]) or {}
    fixed = {"rand": 5, "emotion": "always", "only_emotion": False, "join": "rand"}
    return main.but(**fixed | changes, seed=main.seed + seed)


def train(
    given: inputs.Inputs,
    folder: Path,
    main: Settings,
    table: pd.DataFrame,
    seeds: int,
    machine: Machine,
) -> dict[str, list[Path]]:
    """Train what has to be trained; what is there already is only found.

    Args:
        given: labels, and the table of queries
        folder: of the run
        main: settings of the main run
        table: of `chosen`
        seeds: trainings of each contender
        machine: what to compute with

    Returns:
        contender → folders with its `model/`, one a seed; those that share a model share folders
    """
    places: dict[str, list[Path]] = {}
    store = inputs.audio_store(folder)
    for name, row in table[table["model"] == ""].iterrows():
        pool = Pool.from_table(given.table, row["templates"], main.emotion_form)
        wanted = {f"{name}-{seed}": settings_of(main, row, seed) for seed in range(seeds)}
        measured = inputs.measured(folder, next(iter(wanted.values())))
        alike = main if row["templates"] == given.pool.templates else None
        found = training.train_variants(
            given.labels, pool, folder, alike, wanted, machine, store, measured
        )
        places[str(name)] = list(found.values())
    return places | {str(name): places[model] for name, model in table["model"].items() if model}


def answers(
    model: ParaCLAP,
    how: str,
    test: pd.DataFrame,
    tasks: Tasks,
    levels: pd.DataFrame,
    measured: pd.DataFrame | None = None,
) -> Answers:
    """Ask a model everything.

    Args:
        model: a trained model
        how: `"word"` asks in one wording, `"ensemble"` in many, `"matched"` makes all answers of a
            task equally frequent, for which it looks at all voices at once (transductive)
        test: labels table of the test voices
        tasks: task → class → word, the acted emotions
        levels: queries table of those test voices whose attributes are asked for
        measured: features of the voices, for towers that read them

    Returns:
        kind → `corpus` (the task), `speaker, truth, prediction`
    """
    voices = zeroshot.embed_audio(model, test, measured=measured)
    sets = {task: wordings_set.asked(words) for task, words in tasks.items()}
    scale = float(model.temperature.detach())
    asked = asking.ask(lambda said: zeroshot.embed_text(model, said), test, voices, sets, scale)
    return {
        ACTED: pd.concat([_answered(one, how) for one in asked]),
        UNSEEN: pd.concat([_unseen(one, how) for one in asked]),
        ATTRIBUTES: attribute_answers(model, how, test, voices, levels),
    }


def _answered(one: asking.Asked, how: str) -> pd.DataFrame:
    if how == "ensemble":
        return asking.ensembles(one)[asking.ENTROPY]
    return one.answers(_treated(one.logits()[0], how))


def _unseen(one: asking.Asked, how: str) -> pd.DataFrame:
    """Answers in words that training never said, each set of words a task of its own."""
    logits = one.logits(wordings_set.UNSEEN)
    names = one.wordings["wording"].iloc[one.of(wordings_set.UNSEEN)]
    sets = names.str.split("/").str[1].to_numpy()
    parts = [one.rows.iloc[:0].assign(prediction="")]
    for words in dict.fromkeys(sets):
        own = logits[sets == words]  # one row a template, the first is that of training
        if how == "ensemble":
            given = asking.entropy_weighted(softmax(own, axis=-1))
        else:
            given = _treated(own[0], how)
        parts.append(one.answers(given).assign(corpus=f"{one.task} ({words})"))
    return pd.concat(parts)


def _treated(logits: asking.Floats, how: str) -> asking.Floats:
    return logits + priors.matched(logits) if how == "matched" else logits


def attribute_answers(
    model: ParaCLAP,
    how: str,
    test: pd.DataFrame,
    voices: zeroshot.Embeddings,
    levels: pd.DataFrame,
) -> pd.DataFrame:
    """Which end of each attribute is answered, of voices that lie at one of them."""
    own = test.index.isin(levels.index)
    known = levels.loc[test.index[own]]
    scale = float(model.temperature.detach())
    parts = [test.iloc[:0][["speaker"]].assign(corpus="", truth="", prediction="")]
    for attribute, ends in evaluation.attribute_queries(known).items():
        truth = known[attribute].replace(evaluation.GENDER_LEVELS if attribute == "gender" else {})
        at_end = truth.isin(["low", "high"]).to_numpy()
        if truth[at_end].nunique() < 2:
            continue
        logits = scale * voices[own][at_end] @ zeroshot.embed_text(model, list(ends)).T
        given = np.array(["low", "high"])[_treated(logits.astype(float), how).argmax(1)]
        rows = test.loc[own, ["speaker"]][at_end]
        parts.append(rows.assign(corpus=attribute, truth=truth[at_end], prediction=given))
    return pd.concat(parts)


def ask_all(
    places: Mapping[str, Sequence[Path]],
    table: pd.DataFrame,
    test: pd.DataFrame,
    tasks: Tasks,
    levels: pd.DataFrame,
    measured: pd.DataFrame | None = None,
) -> dict[str, list[Answers]]:
    """Ask the models of all contenders.

    Args:
        places: as `train` gives them
        table: of `chosen`
        test: as in `answers`, like all that follow
        tasks: as in `answers`
        levels: as in `answers`
        measured: as in `answers`

    Returns:
        contender → its answers, one a seed
    """
    return {
        str(name): [
            answers(ParaCLAP.from_pretrained(place / "model"), how, test, tasks, levels, measured)
            for place in places[str(name)]
        ]
        for name, how in table["asked"].items()
    }


def acted(tasks: Tasks, labels: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Tasks of emotions, of corpora that models do not learn from.

    Args:
        tasks: task → class → word
        labels: labels table

    Returns:
        as `tasks`; empty where there is none
    """
    known, learned = set(synonyms()), set(labels.loc[labels["split"] == "train", "corpus"])
    return {
        task: dict(words)
        for task, words in tasks.items()
        if set(words) <= known and task not in learned
    }
