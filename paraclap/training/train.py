"""Training a run: all steps, a dev score after each epoch, checkpoints, the best model.

After each epoch the emotions of the dev split are asked in words, and the best model so far is
kept; nothing looks at a test split. A run that was stopped ends with the weights it would have had,
on a CPU with the same number of threads to the last bit. Several processes (``accelerate launch``)
share each batch. Chapter 4. Source: ParaCLAP (Jing et al., 2024), sections 2.1 and 3.3.
"""

import contextlib
import itertools
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import audmetric
import joblib
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, set_seed
from tqdm import tqdm

from paraclap import tables
from paraclap.model import ParaCLAP
from paraclap.model.embedding import embed_audio, embed_text
from paraclap.queries import QueryPool
from paraclap.queries.templates import NO_AGREEMENT
from paraclap.training import step as steps
from paraclap.training.dataset import Batch, Pairs, Signals, decode_audio, training_rows
from paraclap.training.settings import MACHINE, Settings

MODEL, CURVES, SETTINGS, AUDIO = "model", "curves.csv", "settings.json", "signals.pcm"
CHECKPOINTS, BEST, KEEP = "checkpoints", "best", 2


def train(
    labels: pd.DataFrame,
    pool: QueryPool,
    folder: Path,
    settings: Settings,
    functionals: pd.DataFrame | None = None,
    audio: Path | None = None,
) -> ParaCLAP:
    """Train a model, or load it if the folder has one of the same settings and data.

    ``labels`` have the splits ``train`` and ``dev``, ``pool`` the queries of their rows, and
    ``functionals`` their features, for an audio encoder that reads them. ``folder`` gets
    ``model/``, ``curves.csv``, ``settings.json``, decoded audio (unless ``audio`` names a file for
    it), and ``checkpoints/`` until it is done; a model of other settings stays until then.
    ValueError if a split is missing or too small, or functionals are wanted and not given;
    BlockingIOError if another training works in the folder; FloatingPointError if the loss is not
    finite.
    """
    if missing := sorted({"train", "dev"} - set(labels["split"])):
        raise ValueError(f"No utterances in the splits {missing}, expected some in train and dev.")
    functionals = functionals if settings.reads_functionals else None
    if settings.reads_functionals and functionals is None:
        raise ValueError(f"No functionals, expected a table for {settings.audio_encoder!r}.")
    identity = settings.asdict() | {"data": _digest(labels, pool, functionals)}
    accelerator = steps.start_accelerator(settings)
    busy = f"Another training works in {tables.short_name(folder)}: wait for it, or stop it."
    is_main = accelerator.is_main_process
    with tables.lock(folder / MODEL, busy) if is_main else contextlib.nullcontext():
        is_there = all((folder / file).exists() for file in (SETTINGS, CURVES, MODEL))
        if not is_there or _changes(folder, identity):
            with accelerator.main_process_first():
                signals = decode_audio(labels, audio or folder / AUDIO, settings)
            run = _Run(accelerator, folder, settings, identity, labels, pool, signals, functionals)
            run.resume()
            run.take_steps()
            run.finish()
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
    """Train variants in ``variants/<name>/`` of a main run, which has the settings ``base``.

    One with too few utterances is left out, and a line is printed. The rest is as in :func:`train`.
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


@dataclass
class _Run:
    """A training between two steps; ``identity`` tells it from others, see ``settings.json``."""

    accelerator: Accelerator
    folder: Path
    settings: Settings
    identity: dict[str, Any]
    labels: pd.DataFrame
    pool: QueryPool
    signals: Signals | None
    functionals: pd.DataFrame | None

    def __post_init__(self) -> None:
        labels, settings, accelerator = self.labels, self.settings, self.accelerator
        same = {name: one for name, one in self.identity.items() if name not in MACHINE}
        self.checkpoints = self.folder / CHECKPOINTS / str(joblib.hash(same))
        self.model = steps.start_model(settings, accelerator.device)
        inputs = labels, self.pool, self.model, settings, self.signals, self.functionals
        self.pairs = Pairs(*inputs, (accelerator.process_index, accelerator.num_processes))
        self.cache = steps.CaptionCache(self.model, settings.precision)
        self.update = steps.make_optimizer(self.model, settings, self.pairs.steps)
        named = labels["emotion"].notna() & ~labels["emotion"].isin(["other", NO_AGREEMENT])
        self.dev = labels.loc[named & (labels["split"] == "dev"), "emotion"]
        self.step, self.best, self.curve = 0, -math.inf, list[dict[str, Any]]()
        set_seed(settings.seed, device_specific=True)
        accelerator.register_for_checkpointing(self.model, *self.update, self)

    def state_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("step", "best", "curve")}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def resume(self) -> None:
        """Go on from the newest checkpoint of the same settings and data that can be read."""
        if changes := _changes(self.folder, self.identity):
            name = tables.short_name(self.folder / MODEL)
            self.accelerator.print(f"Trains {name} anew ({changes}); it stays until then.")
        unread = list[str]()
        for place in sorted(self.checkpoints.glob("[0-9]*"), reverse=True):
            if all(gather_object([self._load(place)])):
                if unread:
                    self.accelerator.print(f"Unreadable: {unread}; going on from step {self.step}.")
                return
            unread.append(tables.short_name(place))
        if unread:
            name = tables.short_name(self.folder / CHECKPOINTS)
            raise OSError(f"Unreadable: {unread}. Delete {name} to train from the start.")

    def _load(self, place: Path) -> bool:
        """Whether a checkpoint could be loaded."""
        random = place / f"random_states_{self.accelerator.process_index}.pkl"
        try:
            if random.is_file():  # accelerate passes over a damaged one in silence
                torch.load(random, weights_only=False)
            self.accelerator.load_state(str(place))
        except Exception:  # it has many kinds
            return False
        return True

    def _save(self) -> None:
        """Write a checkpoint; the newest ones stay."""
        part, place = self.checkpoints / "part", self.checkpoints / f"{self.step:09d}"
        self.accelerator.save_state(str(part))
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            shutil.rmtree(place, ignore_errors=True)  # one that could not be read may be there
            part.rename(place)
            for old in sorted(self.checkpoints.glob("[0-9]*"))[:-KEEP]:
                shutil.rmtree(old)

    def take_steps(self) -> None:
        pairs = self.pairs
        if pairs.kept and not pairs.reads_tokens:
            self.cache(itertools.chain(*map(pairs.captions, range(self.step, pairs.steps))))
        with tqdm(total=pairs.steps, initial=self.step, desc="Train", disable=None) as bar:
            for batch in pairs.loader(self.step):
                self._take_step(batch)
                bar.update()
                epoch_ends = self.step % pairs.steps_per_epoch == 0 or self.step == pairs.steps
                if epoch_ends:
                    self._score()
                if epoch_ends or self.step % self.settings.checkpoint_steps == 0:
                    self._read()
                    self._save()

    def _take_step(self, batch: Batch) -> None:
        """Take one step; its loss is read later, as each look waits for the GPU."""
        if "captions" in batch:
            batch["pooled_text"] = self.cache(batch.pop("captions"))
        batch = {name: one.to(self.model.device, non_blocking=True) for name, one in batch.items()}
        rate = self.update[1].get_last_lr()[0]
        loss = steps.training_step(self.model, batch, *self.update, self.settings)
        temperature, texts = self.model.temperature.detach(), set(self.pairs.captions(self.step))
        row = {"step": self.step, "loss": loss, "temperature": temperature, "learning_rate": rate}
        self.curve.append(row | {"distinct_texts": len(texts), "dev_uar": math.nan})
        self.step += 1

    def _read(self) -> None:
        """Read the losses of the last steps; FloatingPointError if one is not finite."""
        for row in self.curve:
            if torch.is_tensor(row["loss"]):
                row |= {"loss": row["loss"].item(), "temperature": row["temperature"].item()}
            if not math.isfinite(row["loss"]):
                msg = f"Loss {row['loss']} at step {row['step']}, expected a number"
                raise FloatingPointError(f"{msg}: lower the learning rates.")

    def _score(self) -> None:
        """Score the dev split; keep the model if it is the best so far, or if there is no score."""
        self._read()
        self.curve[-1]["dev_uar"] = score = self._dev_score()
        if not score <= self.best:
            self.best = max(self.best, -math.inf if math.isnan(score) else score)
            if self.accelerator.is_main_process:
                with tables.atomic(self.checkpoints / BEST) as new:
                    self.model.save_pretrained(new)
                    shutil.rmtree(self.checkpoints / BEST, ignore_errors=True)

    def _dev_score(self) -> float:
        """UAR of the emotions of the dev split, asked in words; nan if there is but one."""
        emotions = sorted(self.dev.unique())
        if len(emotions) < 2:
            return math.nan
        text = embed_text(self.model, [self.settings.dev_question(one) for one in emotions])
        share = self.dev.iloc[self.accelerator.process_index :: self.accelerator.num_processes]
        signals = None if self.signals is None else self.signals.select(share.index)
        precision = "bf16" if steps.uses_bf16(self.model, self.settings) else "float32"
        given: dict[str, Any] = {"functionals": self.functionals, "precision": precision}
        audio = embed_audio(self.model, share, signals=signals, **given)
        answers = list(zip(share, np.array(emotions)[(audio @ text.T).argmax(1)], strict=True))
        truth, prediction = zip(*gather_object(answers), strict=True)
        return float(audmetric.unweighted_average_recall(truth, prediction, emotions))

    def finish(self) -> None:
        """Put the best model into its place, with its curves and settings."""
        if self.accelerator.is_main_process:
            (self.folder / SETTINGS).unlink(missing_ok=True)  # those of the model before
            new = self.checkpoints / MODEL
            shutil.copytree(self.checkpoints / BEST, new, dirs_exist_ok=True)
            shutil.rmtree(self.folder / MODEL, ignore_errors=True)
            new.rename(self.folder / MODEL)
            tables.write_table(pd.DataFrame(self.curve), self.folder / CURVES)
            tables.write_json(self.identity, self.folder / SETTINGS)
            shutil.rmtree(self.folder / CHECKPOINTS)
        self.accelerator.wait_for_everyone()


def _changes(folder: Path, identity: Mapping[str, Any]) -> str:
    """What differs from the ``settings.json`` of a folder, if it has one."""
    old = tables.read_json(folder / SETTINGS) if (folder / SETTINGS).is_file() else identity
    names = [name for name in identity if name not in MACHINE and old.get(name) != identity[name]]
    return ", ".join(f"{name} {old.get(name)!r} → {identity[name]!r}" for name in names)


def _digest(labels: pd.DataFrame, pool: QueryPool, functionals: pd.DataFrame | None) -> str:
    """Digest of the data that training reads, wherever the files lie."""
    rows = np.flatnonzero(labels["split"].isin(["train", "dev"]))
    table = labels.iloc[rows][["split", "emotion"]].reset_index()
    table["file"] = table["file"].map(tables.short_name)
    numbers = None if functionals is None else functionals.loc[labels.index[rows]].to_numpy(float)
    queries = [pool.queries(int(row)) for row in rows]
    return str(joblib.hash([table.astype(str).to_numpy().tolist(), numbers, queries]))
