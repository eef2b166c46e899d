"""Training a run: all steps, a dev score after each epoch, checkpoints, the best model.

After each epoch the emotions of the dev split are asked zero-shot, and the best model so far is
kept; nothing looks at a test split. A run that was stopped goes on from its newest checkpoint and
ends with the weights it would have had, on a CPU with the same number of threads to the last bit.
Several processes (``accelerate launch``) share each batch. Losses are read every few steps, as each
look waits for the GPU. Chapter 4. Source: ParaCLAP (Jing et al., 2024), sections 2.1 and 3.3.
"""

from __future__ import annotations

import contextlib
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import audmetric
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, set_seed
from torch import Tensor
from tqdm.auto import tqdm

from paraclap import tables
from paraclap.model import ParaCLAP
from paraclap.model.embedding import embed_audio, embed_text
from paraclap.queries import QueryPool, emotion_word
from paraclap.queries.templates import NO_AGREEMENT
from paraclap.training import checkpoints
from paraclap.training.dataset import Batch, CaptionCache, Pairs, training_rows
from paraclap.training.settings import Settings
from paraclap.training.signals import Signals, decode_audio
from paraclap.training.step import (
    make_optimizer,
    start_accelerator,
    start_model,
    training_step,
    uses_bf16,
)

MODEL, CURVES, SETTINGS, AUDIO = "model", "curves.csv", checkpoints.SETTINGS, "signals.pcm"
CHECKPOINTS, BEST = "checkpoints", "best"
COLUMNS = ("step", "loss", "temperature", "learning_rate", "distinct_texts", "dev_uar", "epoch")
READ_EVERY = 10  # steps


def train(
    labels: pd.DataFrame,
    pool: QueryPool,
    folder: Path,
    settings: Settings,
    functionals: pd.DataFrame | None = None,
    audio: Path | None = None,
) -> ParaCLAP:
    """Train a model on the train split; the one that is best on the dev split, in evaluation mode.

    A finished training of the same settings and data is only loaded.

    Args:
        labels: Labels table with the splits ``train`` and ``dev``.
        pool: The queries of its rows.
        folder: Gets ``model/``, ``curves.csv``, ``settings.json``, the decoded audio and, while it
            trains, ``checkpoints/``. A model of other settings stays until this one is done.
        settings: What to train, and how.
        functionals: Features table, for an audio encoder that reads them.
        audio: Where the decoded audio is kept; in ``folder`` if left out.

    Raises:
        ValueError: If a split is missing or too small, or functionals are wanted and not given.
        BlockingIOError: If another training works in the folder.
        FloatingPointError: If the loss is not finite.
        MemoryError: If the device has too little memory.
    """
    functionals = _check_data(labels, settings, functionals)
    identity = settings.asdict() | {"data": checkpoints.digest(labels, pool, functionals)}
    accelerator = start_accelerator(settings)
    busy = f"Another training works in {tables.short_name(folder)}: wait for it, or stop it."
    is_main = accelerator.is_main_process
    with tables.lock(folder / MODEL, busy) if is_main else contextlib.nullcontext():
        files = (SETTINGS, CURVES, f"{MODEL}/config.json")
        is_there = all((folder / file).is_file() for file in files)
        if not is_there or checkpoints.changes(folder, identity):
            with accelerator.main_process_first():
                signals = decode_audio(labels, audio or folder / AUDIO, settings)
            run = Run(accelerator, folder, settings, labels, pool, signals, functionals)
            run.resume(identity)
            run.take_steps()
            run.finish(identity)
    model: ParaCLAP = ParaCLAP.from_pretrained(folder / MODEL)
    return model


def train_variants(
    labels: pd.DataFrame,
    pool: QueryPool,
    folder: Path,
    base: Settings | None,
    chosen: Mapping[str, Settings],
    functionals: pd.DataFrame | None = None,
) -> dict[str, Path]:
    """Train variants of a main run, each in ``variants/<name>/``.

    A variant with too few utterances is left out; a line is printed.

    Args:
        labels: As in :func:`train`, like ``pool`` and ``functionals``.
        pool: The queries of its rows.
        folder: Of the main run.
        base: Settings of the main run: a variant that has them is the main run.
        chosen: Name of each variant and its settings.
        functionals: Features table.

    Returns:
        Name of each variant and the folder that holds its ``model/`` and ``curves.csv``.
    """
    places: dict[str, Path] = {}
    for name, settings in chosen.items():
        utterances = len(training_rows(labels, pool, settings))
        if settings == base:
            places[name] = folder
        elif utterances < settings.batch:
            print(f"Left out {name}: there are captions for {utterances} training utterances only.")
        else:
            places[name] = folder / "variants" / name
            train(labels, pool, places[name], settings, functionals, folder / AUDIO)
    return places


class Run:
    """A training between two steps."""

    def __init__(
        self,
        accelerator: Accelerator,
        folder: Path,
        settings: Settings,
        labels: pd.DataFrame,
        pool: QueryPool,
        signals: Signals | None,
        functionals: pd.DataFrame | None,
    ) -> None:
        """Build the model, its optimiser and its data; arguments as in :func:`train`."""
        self.accelerator, self.folder, self.settings = accelerator, folder, settings
        self.signals, self.functionals = signals, functionals
        self.model = start_model(settings, accelerator.device)
        process = accelerator.process_index, accelerator.num_processes
        self.pairs = Pairs(labels, pool, self.model, settings, signals, functionals, process)
        self.optimizer, self.schedule = make_optimizer(self.model, settings, self.pairs.steps)
        known = labels["emotion"].notna() & ~labels["emotion"].isin(["other", NO_AGREEMENT])
        self.dev = labels.loc[known & (labels["split"] == "dev"), "emotion"]
        self.step, self.best, self.curve = 0, -math.inf, list[dict[str, float]]()
        self.unread: list[tuple[int, float, Tensor]] = []
        set_seed(settings.seed, device_specific=True)
        accelerator.register_for_checkpointing(self.model, self.optimizer, self.schedule, self)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps beside weights, optimiser and random states."""
        return {name: getattr(self, name) for name in ("step", "best", "curve")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Set what :meth:`state_dict` gave."""
        self.__dict__.update(state)

    def resume(self, identity: Mapping[str, Any]) -> None:
        """Go on from the newest checkpoint of the same settings and data, if there is one."""
        place = self.folder / CHECKPOINTS
        if self.accelerator.is_main_process:
            if changes := checkpoints.changes(self.folder, identity):
                name = tables.short_name(self.folder / MODEL)
                print(f"Trains {name} anew ({', '.join(changes)}); it stays until then.")
            if changes := checkpoints.changes(place, identity):
                print(f"Removes checkpoints of other settings ({', '.join(changes)}).")
                shutil.rmtree(place)
            tables.write_json(dict(identity), place / SETTINGS)
        self.accelerator.wait_for_everyone()
        checkpoints.load(self.accelerator, place)

    def take_steps(self) -> None:
        """Take all steps that are left, with scores and checkpoints on the way."""
        pairs, cache = self.pairs, CaptionCache(self.model)
        place, settings = self.folder / CHECKPOINTS, self.settings
        if pairs.kept and not pairs.reads_tokens:
            cache([caption for captions in pairs.kept for caption in captions])
        bar = tqdm(total=pairs.steps, initial=self.step, desc="Train", disable=None)
        with bar, checkpoints.asked_to_stop() as asked:
            for batch in pairs.loader(self.step, pin=self.model.device.type == "cuda"):
                self._take_step(batch, cache)
                bar.update()
                epoch_ends = self.step % pairs.steps_per_epoch == 0 or self.step == pairs.steps
                look = self.step % READ_EVERY == 0 or self.accelerator.num_processes == 1
                stop = look and any(gather_object([bool(asked)]))  # all processes agree
                if epoch_ends:
                    self._score()
                if epoch_ends or stop or self.step % settings.checkpoint_steps == 0:
                    self._read()
                    checkpoints.save(self.accelerator, place, self.step, settings.keep)
                if stop:
                    break

    def _take_step(self, batch: Batch, cache: CaptionCache) -> None:
        """Take one step; its loss is read later."""
        if "captions" in batch:
            batch["pooled_text"] = cache(batch.pop("captions"))
        batch = {name: one.to(self.model.device, non_blocking=True) for name, one in batch.items()}
        rate = float(self.schedule.get_last_lr()[0])
        try:
            loss = training_step(self.model, batch, self.optimizer, self.schedule, self.settings)
        except torch.OutOfMemoryError as error:
            raise MemoryError(
                f"Out of memory at step {self.step}: set chunk to a part of the batch, such as 16 "
                "(the gradient stays the same), or recompute to true. The last checkpoint is kept."
            ) from error
        measured = torch.stack([loss, self.model.temperature.detach()])
        self.unread.append((self.step, rate, measured))
        self.step += 1
        if len(self.unread) >= READ_EVERY:
            self._read()

    def _read(self) -> None:
        """Bring what the last steps measured into the curve."""
        values = torch.stack([one for *_, one in self.unread]).tolist() if self.unread else []
        for (step, rate, _), (loss, temperature) in zip(self.unread, values, strict=True):
            if not math.isfinite(loss):
                first = self.pairs.index[self.pairs.rows(step)[:5]].get_level_values("file")
                raise FloatingPointError(
                    f"Loss {loss} at step {step} (files {[*map(tables.short_name, first)]} ...), "
                    "expected a number: lower the learning rates, or look at these files. The last "
                    "checkpoint is kept."
                )
            texts, epoch = len(set(self.pairs.captions(step))), step // self.pairs.steps_per_epoch
            row = (step, loss, temperature, rate, texts, math.nan, epoch)
            self.curve.append(dict(zip(COLUMNS, row, strict=True)))
        self.unread.clear()

    def _score(self) -> None:
        """Score the dev split; keep the model if it is the best so far, or if there is no score."""
        self._read()
        self.curve[-1]["dev_uar"] = score = self._dev_score()
        if not score <= self.best:
            self.best = max(self.best, -math.inf if math.isnan(score) else score)
            if self.accelerator.is_main_process:
                checkpoints.replace(self.folder / CHECKPOINTS / BEST, self.model.save_pretrained)

    def _dev_score(self) -> float:
        """UAR of the emotions of the dev split, asked zero-shot; nan if there is but one."""
        emotions = sorted(self.dev.unique())
        if len(emotions) < 2:
            return math.nan
        words = [emotion_word(emotion, self.settings.emotion_form) for emotion in emotions]
        text = embed_text(self.model, [self.settings.dev_template.replace("{}", w) for w in words])
        share = self.dev.iloc[self.accelerator.process_index :: self.accelerator.num_processes]
        found: list[tuple[str, str]] = []
        if len(share):
            signals = None if self.signals is None else self.signals.select(share.index)
            precision = "bf16" if uses_bf16(self.model, self.settings) else "float32"
            known: dict[str, Any] = {"functionals": self.functionals, "precision": precision}
            audio = embed_audio(self.model, share, signals=signals, **known)
            found = list(zip(share, np.array(emotions)[(audio @ text.T).argmax(1)], strict=True))
        truth, prediction = zip(*gather_object(found), strict=True)
        return float(audmetric.unweighted_average_recall(truth, prediction, emotions))

    def finish(self, identity: Mapping[str, Any]) -> None:
        """Put the best model into its place, with its curves and settings."""
        if self.accelerator.is_main_process:
            best = self.folder / CHECKPOINTS / BEST
            checkpoints.replace(self.folder / MODEL, lambda place: shutil.copytree(best, place))
            tables.write_table(pd.DataFrame(self.curve), self.folder / CURVES)
            tables.write_json(dict(identity), self.folder / SETTINGS)
            shutil.rmtree(self.folder / CHECKPOINTS)
        self.accelerator.wait_for_everyone()


def _check_data(
    labels: pd.DataFrame, settings: Settings, functionals: pd.DataFrame | None
) -> pd.DataFrame | None:
    """Functionals, if the audio encoder reads them; ValueError if they or a split are missing."""
    sizes = labels["split"].value_counts().to_dict()
    if missing := {"train", "dev"} - sizes.keys():
        raise ValueError(
            f"No {' and no '.join(missing)} split among {sizes}, expected utterances in both: name "
            "the splits in the corpus, or leave them out to have them drawn."
        )
    if not settings.reads_functionals:
        return None
    if functionals is None or not labels.index.isin(functionals.index).all():
        raise ValueError(
            f"No functionals of some of {len(labels)} utterances, expected them for the audio "
            f"encoder {settings.audio_encoder!r}: give the table of chapter 2 (features.parquet)."
        )
    return functionals.loc[labels.index]
