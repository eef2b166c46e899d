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

import pandas as pd
import torch

from paraclap import inputs, launch, params, processes, tables
from paraclap.loop import CHECKPOINTS, CURVES, MODEL, Loop
from paraclap.machine import Machine, choose_device
from paraclap.model import ParaCLAP
from paraclap.provenance import first_line
from paraclap.queries import Pool
from paraclap.schedule import Schedule, balanced
from paraclap.settings import Settings
from paraclap.stepping import start
from paraclap.targets import Targets
from paraclap.texts import Texts
from paraclap.whole import is_free

SPEED = "speed.csv"


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
        measured: Features of the rows of ``labels``, see :func:`paraclap.inputs.measured`; read by
            audio towers of :mod:`paraclap.measured` alone.

    Returns:
        The best model by dev score, in evaluation mode.

    Raises:
        ValueError: If a split is missing or too small, or features are wanted and not given.
        FloatingPointError: If the loss is not finite; names the step and its voices.
        EndedEarlyError: If one of several processes ended before the training had.
    """
    machine = machine or Machine()
    dev = _dev(labels)
    train_rows = inputs.speakable(labels, pool, settings)
    if silent := int((labels["split"] == "train").sum()) - len(train_rows):
        why = "nothing to say of them" + " or no agreed emotion" * settings.agreed_only
        print(f"Left out {silent} training voices: there is {why}.")
    measured = inputs.wanted(measured, labels, settings)
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
        voices = len(inputs.speakable(labels, pool, settings))
        if settings == main:
            places[name] = folder
        elif voices < max(2, settings.batch):
            print(f"Left out {name}: it has something to say of {voices} training voices only.")
        else:
            places[name] = folder / "variants" / name
            train(labels, pool, places[name], settings, machine, store, measured)
    return places


def _dev(labels: pd.DataFrame) -> pd.DataFrame:
    sizes = labels["split"].value_counts()
    for split in ("train", "dev"):
        if not sizes.get(split):
            raise ValueError(
                f"No {split} split among {dict(sizes)}, expected voices in 'train' and 'dev': "
                "name the splits in the corpus or leave the column out to have them drawn."
            )
    return labels[(labels["split"] == "dev") & labels["emotion"].notna()]


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
        given = inputs.read(folder, values["templates"], values["emotion_form"])
        processes.join(choose_device(machine.device))
        if processes.number() == 0:
            inputs.decoded(given.labels, folder, values["audio_store"], machine.jobs)
        processes.wait()
        store = None if values["audio_store"] == "none" else inputs.audio_store(folder)
        known = inputs.measured(folder, settings)
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
