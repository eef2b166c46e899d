"""Several processes that train one model together, each on its share of every batch.

They are started by ``accelerate launch``, ``torchrun`` or :mod:`paraclap.launch`; started by hand a
process is alone, and everything here then does nothing. Processes are numbered from 0; the first
one, the main process, is the one that writes files.

Conventions: a share is a run of consecutive rows, in the order of the processes; what is gathered
comes in that order.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import torch
from torch import distributed

# How long a process waits for the others, such as for the one that decodes a corpus. One that has
# ended is noticed at once where connections break (gloo), else by the launcher.
PATIENCE = timedelta(hours=6)
_BUCKET = 25_000_000  # numbers averaged in one message, 100 MB


def join(device: torch.device) -> None:
    """Meet the other processes, if this one was started as one of several."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or distributed.is_initialized():
        return
    from accelerate import PartialState

    PartialState(cpu=device.type == "cpu", timeout=PATIENCE)


def leave() -> None:
    """Part from the other processes at the end of the program."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def number() -> int:
    """Number of this process, from 0."""
    return int(distributed.get_rank()) if distributed.is_initialized() else 0


def count() -> int:
    """How many processes there are."""
    return int(distributed.get_world_size()) if distributed.is_initialized() else 1


def share(rows: int) -> slice:
    """Rows of a batch that belong to this process.

    Raises:
        ValueError: If the batch cannot be shared evenly.
    """
    own = each(rows, count())
    return slice(number() * own, (number() + 1) * own)


def each(rows: int, among: int) -> int:
    """Rows of a batch that each of some processes has.

    Raises:
        ValueError: If the batch cannot be shared evenly.
    """
    if rows % among:
        raise ValueError(
            f"Bad batch {rows} for {among} processes, expected a multiple of {among}: "
            "change the batch or the number of processes."
        )
    return rows // among


def wait() -> None:
    """Go on when all processes are here."""
    if count() > 1:
        distributed.barrier()


def gathered(rows: torch.Tensor) -> torch.Tensor:
    """Rows of all processes; what is asked of them by any process reaches back to their own.

    Args:
        rows: Of this process, shape ``(n, d)``.

    Returns:
        Shape ``(processes * n, d)``.
    """
    if count() == 1:
        return rows
    from torch.distributed.nn.functional import all_gather

    return torch.cat(all_gather(rows))


def collected(values: Any) -> list[Any]:
    """A plain value of every process, such as an array, in the order of the processes."""
    if count() == 1:
        return [values]
    found: list[Any] = [None] * count()
    distributed.all_gather_object(found, values)
    return found


def average(values: Iterable[torch.Tensor]) -> None:
    """Replace values, such as gradients, by their mean over the processes, in place."""
    if count() == 1:
        return
    for bucket in _buckets(list(values)):
        flat = torch.cat([one.reshape(-1) for one in bucket])
        distributed.all_reduce(flat)
        flat /= count()
        for one, mean in zip(bucket, flat.split([one.numel() for one in bucket]), strict=True):
            one.copy_(mean.view_as(one))


def _buckets(tensors: Sequence[torch.Tensor]) -> Iterable[list[torch.Tensor]]:
    bucket: list[torch.Tensor] = []
    for tensor in tensors:
        bucket.append(tensor)
        if sum(one.numel() for one in bucket) >= _BUCKET:
            yield bucket
            bucket = []
    if bucket:
        yield bucket
