"""All steps of a training run, with dev scores and checkpoints on the way.

A run that is asked to stop (SIGTERM) finishes its step, writes a checkpoint and then stops; of
several processes one may be a step behind, and the checkpoint is then the last regular one. What
the steps measure is read back in their wake, so that no GPU waits for it; before anything is saved
all of it has been read and found finite.
"""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from paraclap import flops, pairs, processes, progress, scores, tables, zeroshot
from paraclap.checkpoint import Run
from paraclap.machine import Machine, autocast
from paraclap.model import ParaCLAP
from paraclap.queries import emotion_word
from paraclap.schedule import Rows, Schedule
from paraclap.settings import Settings
from paraclap.signals import Signals
from paraclap.speed import Meter, Readings
from paraclap.stepping import Stepper
from paraclap.targets import Targets
from paraclap.templates import NO_AGREEMENT
from paraclap.texts import Texts

MODEL, CHECKPOINTS, CURVES = "model", "checkpoints", "curves.csv"
METERED = 20  # steps in a row of the speed table
BEHIND = 10  # steps that a GPU may be ahead of what is read


class Loop:
    """One training run on its way."""

    def __init__(
        self,
        run: Run,
        settings: Settings,
        machine: Machine,
        folder: Path,
        key: str,
        dev: pd.DataFrame,
        store: Path | None = None,
        measured: pd.DataFrame | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            run: Where it stands.
            settings: What is learned, and how.
            machine: What it is computed with.
            folder: Gets ``model/`` and ``checkpoints/``.
            key: Of everything that the run depends on.
            dev: Labels table of the dev split.
            store: Audio store of the voices, see :mod:`paraclap.signals`.
            measured: Their features, for an audio tower that reads them.
        """
        self.run, self.settings, self.machine = run, settings, machine
        self.folder, self.key, self.dev, self.store = folder, key, dev, store
        self.measured = measured
        device = run.model.device
        peak = _peak(device, machine.dtype(device)) * processes.count()
        self.meter = Meter(device, peak, METERED, run.speed)
        self.readings = Readings(BEHIND if device.type == "cuda" else 0)

    def go(
        self, index: pd.Index[Any], schedule: Schedule, texts: Texts, targets: Targets | None = None
    ) -> None:
        """Take all steps that are left.

        Args:
            index: Audformat index of the training voices.
            schedule: Which of them belong to which step.
            texts: What is said of them.
            targets: What is known of a batch beyond its pairs.

        Raises:
            FloatingPointError: If the loss is not finite.
            MemoryError: If the device has too little memory.
        """
        run, settings, epoch = self.run, self.settings, schedule.steps_per_epoch
        self.index, self.targets = index, targets
        steps = settings.steps or settings.epochs * epoch
        stepper = Stepper(run, settings, self.machine, steps, texts.distinct)
        todo = range(run.step, steps)
        with progress.bar("training", steps) as bar, _asked_to_stop() as stop:
            bar.update(run.step)
            for batch in self._stream(stepper, schedule, texts, todo, stop):
                self._step(stepper, batch, epoch)
                ends = run.step % epoch == 0 or run.step == steps
                if ends:
                    self._score()
                if ends or run.step % settings.checkpoint_steps == 0:
                    self._save()
                if stop.is_set():
                    break
                bar.update(1)
            if stop.is_set():
                self._save()

    def _stream(
        self,
        stepper: Stepper,
        schedule: Schedule,
        texts: Texts,
        todo: range,
        stop: threading.Event,
    ) -> Iterator[pairs.Batch]:
        """The batches that are left; the time that passes until each is there is metered."""
        processor = self.run.model.processor
        assert processor is not None
        voices = pairs.Voices(
            Signals(self.index, self.store),
            schedule,
            texts,
            processor,
            self.settings.crop_seconds,
            self.settings.pad,
            processes.share(self.settings.batch),
            stepper.needs_tokens,
            self.targets,
            None if self.measured is None else self.measured.loc[self.index].to_numpy(float),
        )
        pin = stepper.device.type == "cuda"
        batches = iter(pairs.batches(voices, todo, self.machine.workers, pin))
        while True:
            with self.meter.counting("seconds"), self.meter.counting("waiting"):
                try:
                    batch = next(batches, None)
                except RuntimeError:
                    if not stop.is_set():
                        raise
                    return  # the processes that read have been asked to stop as well
            if batch is None:
                return
            yield batch

    def _step(self, stepper: Stepper, batch: pairs.Batch, epoch: int) -> None:
        with self.meter.counting("seconds"):
            values = self._values(stepper, batch)
            row = {
                "step": batch.step,
                "learning_rate": stepper.run.optimizer.param_groups[0]["lr"],
                "distinct_texts": batch.distinct,
                "dev_uar": math.nan,
                "epoch": batch.step // epoch,
            }
            self.readings.add((row, batch.rows), values)
            self._read()
        self.run.step = batch.step + 1
        work = flops.of_batch(self.run.model.config, self.settings, batch)
        together = processes.count()
        self.meter.step(self.run.step, len(batch.rows) * together, work * together)

    def _values(self, stepper: Stepper, batch: pairs.Batch) -> torch.Tensor:
        try:
            return stepper.step(batch)
        except torch.OutOfMemoryError as error:
            raise MemoryError(
                f"Out of memory at step {batch.step} with {len(batch.rows)} pairs at a time "
                f"(chunk {self.machine.chunk}, recompute {self.machine.recompute}): set chunk "
                "to a part of the batch, such as 16, or recompute to true. The gradient stays "
                "that of the whole batch. The last checkpoint is kept."
            ) from error

    def _read(self, all_of_them: bool = False) -> None:
        """Bring what the steps measured into the curve."""
        for (row, rows), (loss, temperature) in self.readings.due(all_of_them):
            if not (math.isfinite(loss) and math.isfinite(temperature)):
                files = [tables.short(file) for file in self._files(rows)[:5]]
                raise FloatingPointError(
                    f"Loss {loss} at step {row['step']} in a batch of {len(rows)} voices "
                    f"(first: {files}), expected a finite number: lower the learning rates "
                    "or look at these files. The last checkpoint is kept."
                )
            measured = {"step": row["step"], "loss": loss, "temperature": temperature}
            self.run.curve.append(measured | row)

    def _files(self, rows: Sequence[int] | Rows) -> list[str]:
        return list(self.index[rows].get_level_values("file"))

    def _score(self) -> None:
        """Ask the dev split and keep the model if it is the best so far."""
        self._read(all_of_them=True)
        self.meter.close(self.run.step)
        given = self.settings, self.machine, self.store, self.measured
        score = dev_score(self.run.model, self.dev, *given)
        self.run.curve[-1]["dev_uar"] = score
        if processes.number() == 0:
            # They close a run; the model that they belong to is about to be another one.
            (self.folder / CURVES).unlink(missing_ok=True)
            self.run.keep_best(score, self.folder / MODEL)

    def _save(self) -> None:
        self._read(all_of_them=True)
        if processes.number() == 0:
            self.run.save(self.folder / CHECKPOINTS, self.key, self.machine.keep)


def dev_score(
    model: ParaCLAP,
    dev: pd.DataFrame,
    settings: Settings,
    machine: Machine,
    store: Path | None = None,
    measured: pd.DataFrame | None = None,
) -> float:
    """UAR of the dev split's emotions asked zero-shot; nan where it has fewer than two.

    Each process embeds its share of the voices.
    """
    emotions = sorted(set(dev["emotion"]) - {"other", NO_AGREEMENT})
    if len(emotions) < 2:
        return math.nan
    dev = dev[dev["emotion"].isin(emotions)]
    candidates = {emotion: emotion_word(emotion, settings.emotion_form) for emotion in emotions}
    own = dev.iloc[processes.number() :: processes.count()]
    with autocast(machine.dtype(model.device), model.device):
        voices = None
        if len(own):
            voices = zeroshot.embed_audio(model, own, store=store, measured=measured)
    embedded = np.empty((len(dev), model.config.projection_dim), np.float32)
    for number, part in enumerate(processes.collected(voices)):
        if part is not None:
            embedded[number :: processes.count()] = part
    answers = zeroshot.answer(model, embedded, candidates, settings.dev_template)
    return scores.uar(dev["emotion"].to_numpy(), answers["prediction"].to_numpy(), emotions)


@cache
def _peak(device: torch.device, dtype: torch.dtype) -> float:
    """What the device reaches in plain matrix products, measured once in this process."""
    return flops.peak_flops(device, dtype)


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """An event that SIGTERM sets; the signal takes its usual course when the block has ended."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def asked(*_: object) -> None:
        stop.set()
        # Often a whole job is asked: that processes that read end first must fail no step.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    before = signal.signal(signal.SIGTERM, asked)
    try:
        yield stop
    except Exception as error:
        if stop.is_set():  # nobody else will say it
            print(f"Asked to stop, but the last step is not saved: {error}", flush=True)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
        if stop.is_set():
            os.kill(os.getpid(), signal.SIGTERM)
