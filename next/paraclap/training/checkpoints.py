"""Checkpoints of a run, and what tells two runs apart.

Folders are written beside their place and renamed: a stop at any moment leaves the last good one.
A checkpoint is what accelerate saves, random states included. ``settings.json`` in a folder says
what its content was trained with: all settings, and a digest of the data. Chapter 4.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object

from paraclap import tables
from paraclap.queries import QueryPool
from paraclap.training.settings import MACHINE

SETTINGS = "settings.json"


def save(accelerator: Accelerator, folder: Path, step: int, keep: int) -> None:
    """Write a checkpoint; the ``keep`` newest ones stay.

    Raises:
        OSError: If it cannot be written, for example because the disk is full.
    """
    part = folder / "part"
    if accelerator.is_main_process:
        shutil.rmtree(part, ignore_errors=True)
    accelerator.wait_for_everyone()
    try:
        accelerator.save_state(str(part))
    except RuntimeError as error:  # all that torch says of a full disk
        raise OSError(errno.EIO, f"Cannot write a checkpoint ({error}): free space") from error
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        replace(folder / f"{step:09d}", part.rename)  # one that could not be read may be there
        for old in sorted(folder.glob("[0-9]*"))[:-keep]:
            shutil.rmtree(old)


def load(accelerator: Accelerator, folder: Path) -> None:
    """Load the newest checkpoint that can be read, if there is any; a line says which cannot.

    Raises:
        OSError: If there are some and none can be read.
    """
    unread: list[str] = []
    for place in sorted(folder.glob("[0-9]*"), reverse=True):
        random = place / f"random_states_{accelerator.process_index}.pkl"
        damage = False
        try:
            if random.is_file():  # accelerate passes over a damaged one in silence
                torch.load(random, weights_only=False)
            accelerator.load_state(str(place))
        except Exception:  # it has many kinds
            damage = True
        if not any(gather_object([damage])):
            if unread:
                accelerator.print(f"Unreadable: {unread}; going on from step {int(place.name)}.")
            return
        unread.append(tables.short_name(place))
    if unread:
        raise OSError(
            f"Unreadable checkpoints {unread}, and none before them: delete the folder "
            f"{tables.short_name(folder)} to train from the start."
        )


def replace(place: Path, write: Callable[[Path], Any]) -> None:
    """Have a folder written beside its place, then put it there."""
    new, old = (place.with_name(f"{place.name}.{end}") for end in ("new", "old"))
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    write(new)
    if place.exists():
        place.rename(old)
    new.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def digest(labels: pd.DataFrame, pool: QueryPool, functionals: pd.DataFrame | None) -> str:
    """Digest of the data that training reads, wherever the files lie."""
    rows = np.flatnonzero(labels["split"].isin(["train", "dev"]))
    index = labels.index[rows].to_frame(index=False)
    parts = [index.assign(file=index["file"].map(tables.short_name))]
    parts += [labels[["split", "emotion"]].iloc[rows]]
    parts += [] if functionals is None else [functionals.iloc[rows]]
    values = [part.astype(str).to_numpy().tolist() for part in parts]
    return str(joblib.hash([values, [pool.queries(int(row)) for row in rows]]))


def changes(folder: Path, identity: Mapping[str, Any]) -> list[str]:
    """What differs from ``settings.json`` of a folder, in words; nothing if it has none."""
    if not (folder / SETTINGS).is_file():
        return []
    before = tables.read_json(folder / SETTINGS)
    pairs = {name: (before.get(name), value) for name, value in identity.items()}
    changed = {n: pair for n, pair in pairs.items() if n not in MACHINE and pair[0] != pair[1]}
    data = ["labels, queries or functionals"] if changed.pop("data", None) else []
    return [f"{name} {old!r} → {new!r}" for name, (old, new) in changed.items()] + data


@contextlib.contextmanager
def asked_to_stop() -> Iterator[list[int]]:
    """A list that gets SIGTERM or Ctrl-C; after the block the signal takes its usual course."""
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda one, _: asked.append(one)) for number in numbers]
    try:
        yield asked
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    if asked:
        signal.raise_signal(asked[0])
        raise KeyboardInterrupt
