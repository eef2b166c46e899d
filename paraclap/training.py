"""How the towers learn: one run, its variants, and the command line for a cluster.

Conventions: a step is one batch; an epoch is one pass over the training voices, after which the
dev split is asked its emotions zero-shot, and the best model so far by that score is kept. No
test set is ever looked at. Every draw is a function of seed and step, so a stopped run goes on
from its checkpoint and ends as if it had never been stopped. Source: ParaCLAP (Jing et al.,
2024), sections 2.1 and 3.3.

    python -m paraclap.training params/demo.yaml
    accelerate launch --num_processes 8 -m paraclap.training params/paper/rand5.yaml
    torchrun --nproc_per_node 8 -m paraclap.training params/paper/rand5.yaml
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from paraclap import launch, leakage, levels, params, processes, signals, tables
from paraclap.loop import CHECKPOINTS, CURVES, MODEL, Loop
from paraclap.machine import Machine, choose_device
from paraclap.measured import reads_functionals
from paraclap.model import ParaCLAP
from paraclap.provenance import first_line
from paraclap.queries import Pool
from paraclap.schedule import Schedule, balanced
from paraclap.settings import Settings
from paraclap.stepping import start
from paraclap.targets import Targets
from paraclap.templates import NO_AGREEMENT
from paraclap.texts import Texts
from paraclap.whole import is_free

SPEED, STORE = "speed.csv", "signals"


class Inputs(NamedTuple):
    """What a run learns from.

    Attributes:
        labels: Labels table of the corpora that have a train split.
        pool: The queries of its rows.
        table: Its queries table, with the levels.
    """

    labels: pd.DataFrame
    pool: Pool
    table: pd.DataFrame


def inputs(folder: Path, templates: str = "paper", emotion_form: str = "adjective") -> Inputs:
    """Read what the steps before training have made.

    Args:
        folder: Of the run, with ``labels.parquet`` and ``queries.parquet``.
        templates: The template set.
        emotion_form: ``"adjective"`` (angry) or ``"noun"`` (anger).

    Raises:
        OSError: If a table is not there.
        LeakError: If what is tested on would be learned from.
    """
    for name in ("labels.parquet", "queries.parquet"):
        if not (folder / name).is_file():
            raise OSError(
                f"No {tables.short(folder / name)}, expected what chapters 1 to 3 make: "
                "run them first, with python -m paraclap.book and the same params file."
            )
    table = tables.read_table(folder / "queries.parquet")
    labels = tables.read_table(folder / "labels.parquet").loc[table.index]
    leakage.check(labels)
    if (folder / "edges.json").is_file():
        leakage.check_edges(levels.load(folder / "edges.json").fitted_on, labels)
    corpora = labels.loc[labels["split"] == "train", "corpus"].unique()
    learned = labels["corpus"].isin(corpora).to_numpy()
    own = table[learned]
    return Inputs(labels[learned], Pool.from_table(own, templates, emotion_form), own)


def decoded(labels: pd.DataFrame, folder: Path, dtype: str, jobs: int) -> Path | None:
    """Decode and resample all voices once, into the audio store of a run.

    Args:
        labels: On the audformat index.
        folder: Of the run; the store goes into ``signals/`` in it.
        dtype: ``"int16"``, ``"float32"``, or ``"none"`` for no store.
        jobs: Processes.

    Returns:
        Folder of the store; None if there is none.
    """
    if dtype == "none":
        return None
    signals.build(labels.index, folder / STORE, dtype, jobs)
    return audio_store(folder)


def measured_of(folder: Path, settings: Settings) -> pd.DataFrame | None:
    """Features of all voices of a run, where its audio tower reads them.

    Args:
        folder: Of the run.
        settings: Which audio tower.
    """
    reads = reads_functionals(settings.audio_encoder)
    return tables.read_table(folder / "features.parquet") if reads else None


def audio_store(folder: Path) -> Path | None:
    """Audio store of a run, if it has one."""
    store = folder / STORE
    return store if signals.index_path(store).is_file() else None


def train(
    labels: pd.DataFrame,
    pool: Pool,
    folder: Path,
    settings: Settings,
    machine: Machine | None = None,
    store: Path | None = None,
    measured: pd.DataFrame | None = None,
) -> ParaCLAP:
    """Train a model on the train split and keep the one that answers best on the dev split.

    Args:
        labels: Labels table with the splits ``train`` and ``dev``.
        pool: The queries of the rows of ``labels``, in the same order. Training voices of which
            the settings leave nothing to say are left out, with a printed count.
        folder: Gets ``model/``, ``curves.csv``, ``speed.csv`` and, while training,
            ``checkpoints/``.
        settings: What to train and how.
        machine: What to compute with; several processes are started if it says so and this one
            is not one of several yet.
        store: Folder of an audio store, see :mod:`paraclap.signals`; what it lacks is read from
            the files.
        measured: Features of the rows of ``labels``, see :func:`measured_of`; read by audio towers
            of :mod:`paraclap.measured` alone.

    Returns:
        The best model by dev score, in evaluation mode.

    Raises:
        ValueError: If a split is missing or too small, or features are wanted and not given.
        FloatingPointError: If the loss is not finite; names the step and its voices.
        EndedEarlyError: If one of several processes ended before the training had.
    """
    machine = machine or Machine()
    dev = _dev(labels)
    train_rows = speakable(labels, pool, settings)
    if silent := int((labels["split"] == "train").sum()) - len(train_rows):
        why = "nothing to say of them" + " or no agreed emotion" * settings.agreed_only
        print(f"Left out {silent} training voices: there is {why}.")
    measured = _wanted(measured, labels, settings)
    key = _key(labels, pool, settings, machine, measured)
    several = launch.is_one_of_several()
    left = [folder / CHECKPOINTS, folder / launch.JOB]  # by a process killed at its very end
    free = is_free(folder / MODEL) and not any(path.exists() for path in left)
    if free and not several and _is_done(folder, key):
        return ParaCLAP.from_pretrained(folder / MODEL)
    with launch.alone(folder / MODEL, machine.device):
        if _is_done(folder, key):  # also by the process that was waited for
            for path in left if not several else ():
                shutil.rmtree(path, ignore_errors=True)
        elif machine.processes > 1 and not several:
            processes.each(settings.batch, machine.processes)  # or all of them would say it
            launch.together(labels, pool, folder, settings, machine, store, measured)
        else:
            schedule = _schedule(labels, train_rows, settings)
            given = labels, pool, train_rows, schedule, dev, folder, settings, machine
            _run(*given, store, measured, key)
        return ParaCLAP.from_pretrained(folder / MODEL)


def _is_done(folder: Path, key: str) -> bool:
    return tables.is_current(folder / CURVES, key) and (folder / MODEL).exists()


def _run(
    labels: pd.DataFrame,
    pool: Pool,
    rows: Sequence[int],
    schedule: Schedule,
    dev: pd.DataFrame,
    folder: Path,
    settings: Settings,
    machine: Machine,
    store: Path | None,
    measured: pd.DataFrame | None,
    key: str,
) -> None:
    """Train in this process, which may be one of several."""
    torch.set_num_threads(machine.jobs)
    processes.join(choose_device(machine.device))
    run = start(settings, machine.device)
    if measured is not None:
        assert run.model.processor is not None
        own = measured.loc[labels.index[rows]].to_numpy(float)
        run.model.processor.feature_extractor.fit(own)
    run.load(folder / CHECKPOINTS, key)
    processes.wait()
    loop = Loop(run, settings, machine, folder, key, dev, store, measured)
    targets = Targets(settings.objective, pool, rows, labels, settings.join)
    loop.go(labels.index[rows], schedule, _texts(pool, rows, settings), targets)
    if processes.number() == 0:
        tables.write_table(pd.DataFrame(run.speed), folder / SPEED, key)
        tables.write_table(pd.DataFrame(run.curve), folder / CURVES, key)
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    processes.wait()


def _schedule(labels: pd.DataFrame, rows: Sequence[int], settings: Settings) -> Schedule:
    shares = balanced(labels["emotion"].iloc[list(rows)], settings.balance)
    return Schedule(len(rows), settings.batch, settings.seed, shares)


def train_variants(
    labels: pd.DataFrame,
    pool: Pool,
    folder: Path,
    main: Settings | None,
    chosen: Mapping[str, Settings],
    machine: Machine | None = None,
    store: Path | None = None,
    measured: pd.DataFrame | None = None,
) -> dict[str, Path]:
    """Train variants of a main run, one after the other; those that are current are not.

    A variant with the settings of the main run is the main run. One that leaves too few voices
    of which there is something to say is left out; a line is printed.

    Args:
        labels: As in ``train``.
        pool: As in ``train``.
        folder: Of the main run; variants go into ``variants/<name>/`` in it.
        main: Settings of the main run; None if it was told other sentences.
        chosen: Name of each variant and its settings.
        machine: As in ``train``.
        store: As in ``train``.
        measured: As in ``train``.

    Returns:
        name of each variant → the folder that holds its ``model/`` and ``curves.csv``
    """
    places: dict[str, Path] = {}
    for name, settings in chosen.items():
        voices = len(speakable(labels, pool, settings))
        if settings == main:
            places[name] = folder
        elif voices < max(2, settings.batch):
            print(f"Left out {name}: it has something to say of {voices} training voices only.")
        else:
            places[name] = folder / "variants" / name
            train(labels, pool, places[name], settings, machine, store, measured)
    return places


def speakable(labels: pd.DataFrame, pool: Pool, settings: Settings) -> list[int]:
    """Positions of the training voices of which the settings leave something to say.

    Args:
        labels: Labels table.
        pool: The queries of its rows.
        settings: ``emotion``, ``only_emotion`` and ``agreed_only`` count.
    """
    said = pool.says(settings.emotion, settings.only_emotion)
    if settings.agreed_only:
        said &= (labels["emotion"] != NO_AGREEMENT).to_numpy()
    return [int(row) for row in np.flatnonzero((labels["split"] == "train").to_numpy() & said)]


def _dev(labels: pd.DataFrame) -> pd.DataFrame:
    sizes = labels["split"].value_counts()
    for split in ("train", "dev"):
        if not sizes.get(split):
            raise ValueError(
                f"No {split} split among {dict(sizes)}, expected voices in 'train' and 'dev': "
                "name the splits in the corpus or leave the column out to have them drawn."
            )
    return labels[(labels["split"] == "dev") & labels["emotion"].notna()]


def _wanted(
    measured: pd.DataFrame | None, labels: pd.DataFrame, settings: Settings
) -> pd.DataFrame | None:
    """Features of the voices where the audio tower reads them; None where it does not."""
    if not reads_functionals(settings.audio_encoder):
        return None
    lacking = labels.index if measured is None else labels.index.difference(measured.index)
    if measured is None or len(lacking):
        raise ValueError(
            f"No features of {len(lacking)} of {len(labels)} voices, expected them for the audio "
            f"encoder {settings.audio_encoder!r}: give the table of chapter 2 (features.parquet)."
        )
    return measured.loc[labels.index]


def _key(
    labels: pd.DataFrame,
    pool: Pool,
    settings: Settings,
    machine: Machine,
    measured: pd.DataFrame | None = None,
) -> str:
    """Key of all that the weights depend on; what only moves their last bits is left out."""
    made_with = machine.precision, torch.__version__
    known = [] if measured is None else [measured]
    return tables.fingerprint(
        labels, pool.table().astype(str), settings.asdict(), made_with, *known
    )


def _texts(pool: Pool, rows: Sequence[int], settings: Settings) -> Texts:
    return Texts(
        pool,
        rows,
        settings.seed,
        settings.texts_per_voice,
        settings.rand,
        settings.emotion,
        settings.only_emotion,
        settings.join,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as a params file says, from the shell; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m paraclap.training", description=__doc__)
    parser.add_argument("params", type=Path, help="YAML file, such as params/demo.yaml")
    parser.add_argument("-p", "--parameter", action="append", default=[], metavar="KEY=VALUE")
    args = parser.parse_args(arguments)
    try:
        values = params.of_run(args.params, args.parameter)
        folder = tables.run_folder(values["run"], values["runs"])
        machine, settings = Machine.of(values), Settings.of(values)
        given = inputs(folder, values["templates"], values["emotion_form"])
        processes.join(choose_device(machine.device))
        if processes.number() == 0:
            decoded(given.labels, folder, values["audio_store"], machine.jobs)
        processes.wait()
        store = None if values["audio_store"] == "none" else audio_store(folder)
        known = measured_of(folder, settings)
        train(given.labels, given.pool, folder, settings, machine, store, known)
        if processes.number() == 0:
            print(f"The model: {tables.short(folder / MODEL)}")
    except (params.ParamsError, OSError, ValueError, ArithmeticError, MemoryError) as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        return 1
    except launch.EndedEarlyError as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        return 1
    except RuntimeError as error:
        if processes.count() == 1:
            raise
        print(f"\n{launch.ended_early(first_line(error), folder)}", file=sys.stderr)
        return 1
    finally:
        processes.leave()
    return 0


if __name__ == "__main__":
    sys.exit(main())
