"""How fast training goes and what holds it up.

Conventions: a row covers the steps since the row before: ``step`` (the last of them), ``pairs``,
``seconds``, ``waiting`` (seconds of these in which no batch was there), ``flops`` (operations that
the model asks for, see :mod:`paraclap.flops`), ``peak_flops`` (what the devices reach a second in
plain matrix products), ``peak_memory`` in bytes. Pairs and operations are those of all processes.
Dev scores and checkpoints are not counted. A GPU computes behind the clock of the host; over the
steps of a row that evens out.
"""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass
class Meter:
    """A clock for steps.

    Attributes:
        device: Where the model is.
        peak_flops: Operations that it reaches a second in plain matrix products.
        every: Steps that a row covers.
        rows: The rows so far.
    """

    device: torch.device
    peak_flops: float
    every: int
    rows: list[dict[str, float]] = field(default_factory=list)
    _steps: int = 0
    _sums: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start with an empty row."""
        self._clear()

    def _clear(self) -> None:
        self._steps = 0
        self._sums = dict.fromkeys(("pairs", "seconds", "waiting", "flops"), 0.0)

    @contextlib.contextmanager
    def counting(self, name: str) -> Iterator[None]:
        """Add the seconds of the block to ``name``."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self._sums[name] += time.perf_counter() - begin

    def step(self, number: int, pairs: int, flops: float) -> None:
        """Count one finished step, and close the row if it is full."""
        self._sums["pairs"] += pairs
        self._sums["flops"] += flops
        self._steps += 1
        if self._steps >= self.every:
            self.close(number)

    def close(self, number: int) -> None:
        """Close a row at step ``number``, if it has any steps."""
        if self._steps:
            could = {"peak_flops": self.peak_flops, "peak_memory": self._memory()}
            self.rows.append({"step": number, **self._sums, **could})
            self._clear()

    def _memory(self) -> float:
        if self.device.type == "cuda":  # pragma: gpu
            return float(torch.cuda.max_memory_allocated(self.device))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


class Readings:
    """Values that the device still computes, read when they are there."""

    def __init__(self, behind: int) -> None:
        """Leave the newest ``behind`` values alone; 0 reads each at once."""
        self.behind = behind
        self._waiting: list[tuple[Any, torch.Tensor, torch.cuda.Event | None]] = []

    def add(self, what: Any, values: torch.Tensor) -> None:
        """Remember what some values belong to; their way to the host begins, and nobody waits."""
        there = None
        if values.is_cuda:  # pragma: gpu
            values, there = values.to("cpu", non_blocking=True), torch.cuda.Event()
            there.record()
        self._waiting.append((what, values, there))

    def due(self, all_of_them: bool = False) -> list[tuple[Any, list[float]]]:
        """What was added and its values, oldest first."""
        behind = 0 if all_of_them else self.behind
        ready = max(0, len(self._waiting) - behind)
        taken, self._waiting = self._waiting[:ready], self._waiting[ready:]
        for _, _, there in taken:
            if there is not None:  # pragma: gpu
                there.synchronize()
        return [(what, values.tolist()) for what, values, _ in taken]
