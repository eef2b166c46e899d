"""A training of seconds on the tones of conftest, here and in processes of its own."""

import contextlib
import multiprocessing
import os
import runpy
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import distributed

from paraclap import tables
from paraclap.queries import QueryPool, assign_levels, fit_levels
from paraclap.training import Pairs, Settings, decode_audio, start_model, train, training_step
from paraclap.training.step import make_optimizer

SETTINGS = Settings(
    audio_encoder="smoke",
    text_encoder="smoke",
    text_pooling="mean",
    freeze_text=True,
    projection="released",
    projection_dim=16,
    dropout=0.1,
    rand=2,
    captions_per_utterance=2,
    optimizer="adamw",
    audio_lr=3e-3,
    text_lr=1e-3,
    head_lr=3e-3,
    schedule="cosine",
    warmup=0.1,
    batch=10,
    epochs=3,
    crop_seconds=0.6,
    pad="batch",
    checkpoint_steps=3,
    device="cpu",
)
context = multiprocessing.get_context("forkserver")
folders = ("training", "evaluation.scoring", "features", "corpora.synthetic")
context.set_forkserver_preload([f"paraclap.{folder}" for folder in folders])


def pool_of(labels: pd.DataFrame, kind: type[QueryPool] = QueryPool, *how: str) -> QueryPool:
    """Queries of the tones, from their ratings."""
    levels = assign_levels(labels, fit_levels(labels))
    return kind(levels.join(labels[["emotion", "gender"]]), *how)


def run(labels: pd.DataFrame, folder: Path, settings: Settings = SETTINGS, **more: Any) -> Any:
    """Train; the curves."""
    train(labels, pool_of(labels), folder, settings, **more)
    return tables.read_table(folder / "curves.csv")


class VanishingPool(QueryPool):
    """Its owner vanishes when captions are drawn for the n-th time: twice a step."""

    left = 17

    def sample(self, *args: Any, **options: Any) -> list[str]:
        self.left -= 1
        if self.left == 0:
            raise SystemExit("vanished")
        return super().sample(*args, **options)


def vanished(labels: pd.DataFrame, folder: Path, settings: Settings) -> None:
    """Leave a run that draws its captions as it is when its process vanishes in the ninth step."""
    with contextlib.suppress(SystemExit):
        train(labels, pool_of(labels, VanishingPool), folder, settings)
        raise AssertionError("the run ended before it could vanish")


def weights(folder: Path) -> bytes:
    return (folder / "model" / "model.safetensors").read_bytes()


def saved(folder: Path) -> list[Path]:
    """Checkpoints, the newest first."""
    return sorted((folder / "checkpoints").glob("*/[0-9]*"), reverse=True)


def together(target: Any, *args: Any, processes: int = 2) -> None:
    """Call a function in several processes that know of each other, as a launcher does it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    every = [
        context.Process(target=_join, args=(number, processes, port, target, args))
        for number in range(processes)
    ]
    for one in every:
        one.start()
    for one in every:
        one.join(240)
    assert [one.exitcode for one in every] == [0] * processes


def _join(number: int, processes: int, port: int, target: Any, args: Sequence[Any]) -> None:
    place = {"RANK": number, "LOCAL_RANK": number, "WORLD_SIZE": processes, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in place.items()})
    os.environ["MASTER_ADDR"] = "127.0.0.1"
    target(*args)
    distributed.destroy_process_group()


def shell(params: Path) -> None:
    """What ``python -m paraclap.training PARAMS`` does."""
    sys.argv[1:] = [str(params)]
    runpy.run_module("paraclap.training", run_name="__main__", alter_sys=True)


def gradients(labels: pd.DataFrame, folder: Path, settings: Settings) -> dict[str, Any]:
    """Loss, gradient and weights of the first step; kept in the folder, too."""
    from accelerate import PartialState

    process = PartialState(cpu=True)
    place = process.process_index, process.num_processes
    model = without_dropout(start_model(settings))
    signals = decode_audio(labels, folder / f"{place[0]}.pcm", settings)
    pairs = Pairs(labels, pool_of(labels), model, settings, signals, process=place)
    loss = training_step(model, pairs[0], *make_optimizer(model, settings, pairs.steps), settings)
    named = dict(model.named_parameters())
    found = {
        "loss": loss,
        "gradient": {name: one.grad for name, one in named.items() if one.grad is not None},
        "weights": {name: one.detach() for name, one in named.items()},
    }
    torch.save(found, folder / f"{place[0]}-of-{place[1]}.pt")
    return found


def without_dropout(model: Any) -> Any:
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if hasattr(module, "dropout_prob"):
            module.dropout_prob = 0.0
    return model
