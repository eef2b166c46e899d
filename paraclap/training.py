"""How the towers learn: one loop, one checkpoint, one curve.

Conventions: a step is one batch; an epoch is one pass over the training voices, after which the
dev split is asked its emotions zero-shot, and the best model so far by that score is kept. No
test set is ever looked at. Every draw is a function of seed and step, so a stopped run goes on
from its checkpoint and ends as if it had never been stopped. Source: ParaCLAP (Jing et al.,
2024), sections 2.1 and 3.3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from paraclap import pairs, progress, scores, tables, towers, zeroshot
from paraclap.checkpoint import Run
from paraclap.loss import contrastive, scaled_similarity
from paraclap.model import ParaCLAP
from paraclap.queries import Pool, emotion_word
from paraclap.settings import Settings
from paraclap.templates import NO_AGREEMENT
from paraclap.text_cache import TextCache

OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
MODEL, CURVES, CHECKPOINT = "model", "curves.csv", "checkpoint.pt"


def train(
    labels: pd.DataFrame,
    pool: Pool,
    folder: Path,
    settings: Settings,
    device: str = "auto",
    threads: int = 2,
    workers: int = 0,
) -> ParaCLAP:
    """Train a model on the train split and keep the one that answers best on the dev split.

    Args:
        labels: Labels table with the splits ``train`` and ``dev``.
        pool: The queries of the rows of ``labels``, in the same order. Training voices of which
            the settings leave nothing to say are left out, with a printed count.
        folder: Gets ``model/``, ``curves.csv`` and, while training, ``checkpoint.pt``.
        settings: What to train and how.
        device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda"``, ...
        threads: CPU threads of torch; results are the same bits for the same number.
        workers: Processes that read audio ahead.

    Returns:
        The best model by dev score, in evaluation mode.

    Raises:
        ValueError: If a split is missing or too small.
        FloatingPointError: If the loss is not finite; names the step and its voices.
    """
    dev = _dev(labels)
    train_rows = speakable(labels, pool, settings)
    if silent := int((labels["split"] == "train").sum()) - len(train_rows):
        why = "nothing to say of them" + " or no agreed emotion" * settings.agreed_only
        print(f"Left out {silent} training voices: there is {why}.")
    key = _key(labels, pool, settings)
    if not (tables.is_current(folder / CURVES, key) and (folder / MODEL).exists()):
        torch.set_num_threads(threads)
        run = start(settings, device)
        run.load(folder / CHECKPOINT, key)
        index = labels.index[train_rows]
        shares = pairs.balanced(labels["emotion"].iloc[train_rows], settings.balance)
        schedule = pairs.Schedule(len(train_rows), settings.batch, settings.seed, shares)
        texts = _texts(pool, train_rows, settings)
        _loop(run, settings, schedule, texts, index, dev, folder, key, workers)
        tables.write_table(pd.DataFrame(run.curve), folder / CURVES, key)
        (folder / CHECKPOINT).unlink(missing_ok=True)
    return ParaCLAP.from_pretrained(folder / MODEL)


def train_variants(
    labels: pd.DataFrame,
    pool: Pool,
    folder: Path,
    main: Settings,
    chosen: Mapping[str, Settings],
    device: str = "auto",
    threads: int = 2,
    workers: int = 0,
) -> dict[str, Path]:
    """Train variants of a main run, one after the other; those that are current are not.

    A variant with the settings of the main run is the main run. One that leaves too few voices
    of which there is something to say is left out; a line is printed.

    Args:
        labels: As in ``train``.
        pool: As in ``train``.
        folder: Of the main run; variants go into ``variants/<name>/`` in it.
        main: Settings of the main run.
        chosen: Name of each variant and its settings.
        device: As in ``train``.
        threads: As in ``train``.
        workers: As in ``train``.

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
            train(labels, pool, places[name], settings, device, threads, workers)
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


def _key(labels: pd.DataFrame, pool: Pool, settings: Settings) -> str:
    return tables.fingerprint(
        labels, pool.table().astype(str), settings.asdict(), torch.__version__
    )


def _texts(pool: Pool, rows: Sequence[int], settings: Settings) -> pairs.Texts:
    return pairs.Texts(
        pool,
        rows,
        settings.seed,
        settings.texts_per_voice,
        settings.rand,
        settings.emotion,
        settings.only_emotion,
        settings.join,
    )


def choose_device(device: str) -> torch.device:
    """Device by name; ``"auto"`` is a GPU if there is one.

    Raises:
        ValueError: If a GPU is asked for and there is none.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"Bad device {device!r}, torch sees no GPU here: set 'auto' or 'cpu'.")
    return torch.device(device)


def start(settings: Settings, device: str) -> Run:
    """A run before its first step: the untrained model, the same for the same seed.

    Args:
        settings: What the model and its optimiser are made of.
        device: As in ``train``.
    """
    model = towers.build(
        settings.audio_encoder,
        settings.text_encoder,
        settings.projection_dim,
        settings.dropout,
        settings.text_pooling,
        settings.seed,
        settings.signals,
    ).to(choose_device(device))
    model.audio_model.requires_grad_(not settings.freeze_audio)
    model.text_model.requires_grad_(not settings.freeze_text)
    heads = [
        *model.audio_projection.parameters(),
        *model.text_projection.parameters(),
        model.logit_scale,
    ]
    groups: list[dict[str, Any]] = [{"params": heads, "lr": settings.head_lr}]
    if not settings.freeze_audio:
        groups.append({"params": list(model.audio_model.parameters()), "lr": settings.audio_lr})
    if not settings.freeze_text:
        groups.append({"params": list(model.text_model.parameters()), "lr": settings.text_lr})
    for group in groups:
        group["peak_lr"] = group["lr"]
    return Run(model, OPTIMIZERS[settings.optimizer](groups, fused=True))


def rate(step: int, steps: int, settings: Settings) -> float:
    """Share of the full learning rate at a step: a linear rise, then constant or half a cosine."""
    warm = math.ceil(settings.warmup * steps)
    if step < warm:
        return (step + 1) / warm
    if settings.schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _loop(
    run: Run,
    settings: Settings,
    schedule: pairs.Schedule,
    texts: pairs.Texts,
    index: pd.Index[Any],
    dev: pd.DataFrame,
    folder: Path,
    key: str,
    workers: int,
) -> None:
    """All steps from where the run stands, with dev scores and checkpoints on the way."""
    epoch = schedule.steps_per_epoch
    steps = settings.steps or settings.epochs * epoch
    cache = TextCache(run.model, frozen=settings.freeze_text and not settings.frozen_dropout)
    cache.prepare(texts.distinct)
    assert run.model.processor is not None
    extractor = run.model.processor.feature_extractor
    todo = range(run.step, steps)
    with progress.bar("training", steps) as bar:
        bar.update(run.step)
        for batch in pairs.batches(
            index, schedule, extractor, settings.crop_seconds, todo, workers, settings.pad
        ):
            row = _step(run, settings, cache, batch, texts.of(batch.step, batch.rows), steps, index)
            run.step = batch.step + 1
            ends = run.step % epoch == 0 or run.step == steps
            if ends:
                row["dev_uar"] = _dev_score(run.model, dev, settings)
                run.keep_best(row["dev_uar"], folder / MODEL)
            run.curve.append(row | {"epoch": batch.step // epoch})
            if ends or run.step % settings.checkpoint_steps == 0:
                run.save(folder / CHECKPOINT, key)
            bar.update(1)


def _step(
    run: Run,
    settings: Settings,
    cache: TextCache,
    batch: pairs.Batch,
    texts: list[str],
    steps: int,
    index: pd.Index[Any],
) -> dict[str, float]:
    model, optimizer = run.model.train(), run.optimizer
    if not settings.frozen_dropout:
        model.audio_model.train(not settings.freeze_audio)
        model.text_model.train(not settings.freeze_text)
    torch.manual_seed(int(pairs.random(settings.seed, 4, batch.step).integers(2**62)))
    share = rate(batch.step, steps, settings)
    for group in optimizer.param_groups:
        group["lr"] = share * group["peak_lr"]
    signals = {name: values.to(model.device) for name, values in batch.signals.items()}
    logits = scaled_similarity(
        model.get_audio_features(**signals),
        cache.features(texts),
        model.temperature,
        settings.similarity,
    )
    objective = contrastive(logits)
    loss = objective.item()
    if not math.isfinite(loss):
        files = [tables.short(file) for file in index[batch.rows].get_level_values("file")[:5]]
        raise FloatingPointError(
            f"Loss {loss} at step {batch.step} in a batch of {len(batch.rows)} voices "
            f"(first: {files}), expected a finite number: lower the learning rates "
            "or look at these files. The last checkpoint is kept."
        )
    optimizer.zero_grad(set_to_none=True)
    objective.backward()
    optimizer.step()
    with torch.no_grad():
        model.logit_scale.clamp_(0, settings.logit_scale_max)
    return {
        "step": batch.step,
        "loss": loss,
        "temperature": model.temperature.item(),
        "learning_rate": share * settings.head_lr,
        "distinct_texts": len(set(texts)),
        "dev_uar": math.nan,
    }


def _dev_score(model: ParaCLAP, dev: pd.DataFrame, settings: Settings) -> float:
    """UAR of the dev split's emotions asked zero-shot; nan where it has fewer than two."""
    emotions = sorted(set(dev["emotion"]) - {"other", "no_agreement"})
    if len(emotions) < 2:
        return math.nan
    dev = dev[dev["emotion"].isin(emotions)]
    candidates = {emotion: emotion_word(emotion, settings.emotion_form) for emotion in emotions}
    table = zeroshot.classify(model, dev.index, candidates, settings.dev_template)
    return scores.uar(dev["emotion"].to_numpy(), table["prediction"].to_numpy(), emotions)
