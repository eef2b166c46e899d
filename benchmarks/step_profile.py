"""Where the time of a training step goes, by kind of work.

Torch's profiler says how long each operation kept the device busy; operations are grouped by their
names. ``idle`` is what is left of the wall time, on a GPU only: there one stream does everything.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

# Kind of work → parts of names, in the order in which they are looked for.
KINDS = {
    "attention": ("scaled_dot_product", "attention", "flash", "fmha", "softmax"),
    "optimiser": ("adam", "multi_tensor"),
    "norm": ("norm",),
    "convolution": ("conv", "cudnn", "implicit", "dgrad", "wgrad", "fprop"),
    "matrix products": ("mm", "matmul", "linear", "gemm", "cutlass", "cublas", "nvjet"),
    "copies": ("memcpy", "memset", "copy", "aten::cat", "aten::to", "fill", "zero"),
    "dropout and masks": ("dropout", "where", "topk", "rand", "bernoulli"),
    "activation": ("gelu", "relu", "tanh"),
}
NAMED = 25  # single operations that are listed


def kind(name: str) -> str:
    """What an operation or a kernel does, by its name.

    >>> kind("aten::addmm"), kind("aten::native_layer_norm"), kind("aten::mul")
    ('matrix products', 'norm', 'other')
    """
    low = name.lower()
    for group, parts in KINDS.items():
        if any(part in low for part in parts):
            return group
    return "other"


def profiled(step: Callable[[], Any], steps: int, device: torch.device) -> dict[str, Any]:
    """Profile some steps.

    Args:
        step: Takes one step.
        steps: How many.
        device: Where they are computed.

    Returns:
        milliseconds of a step by kind of work, largest first, and the operations (on a GPU the
        kernels) that took longest
    """
    gpu = device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if gpu else [])]
    settle(device)
    with profile(activities=activities) as found:
        begin = time.perf_counter()
        for _ in range(steps):
            step()
        settle(device)
        wall = 1000 * (time.perf_counter() - begin) / steps
    events = [event for event in found.key_averages() if not event.key.startswith("ProfilerStep")]
    operations = _milliseconds(events, DeviceType.CPU, gpu, steps)
    kernels = _milliseconds(events, DeviceType.CUDA, gpu, steps) if gpu else operations
    kinds = _by_kind(operations)
    if gpu:
        busy = sum(kernels.values())
        # Kernels that no operation has launched by name, such as some of compiled code.
        kinds["other"] = kinds.get("other", 0.0) + max(0.0, busy - sum(operations.values()))
        kinds["idle"] = max(0.0, wall - busy)
    longest = sorted(kernels.items(), key=lambda item: -item[1])[:NAMED]
    return {
        "steps": steps,
        "wall_ms": round(wall, 3),
        "ms_by_kind": _rounded(sorted(kinds.items(), key=lambda item: -item[1])),
        "longest_ms": _rounded([(name[:120], spent) for name, spent in longest]),
    }


def settle(device: torch.device) -> None:
    """Wait until the device has done what it was asked."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _milliseconds(events: Any, where: DeviceType, gpu: bool, steps: int) -> dict[str, float]:
    """Own time of each operation or kernel in a step, where it is above 0."""
    own: dict[str, float] = {}
    for event in events:
        spent = event.self_device_time_total if gpu else event.self_cpu_time_total
        if event.device_type == where and spent > 0:
            own[event.key] = own.get(event.key, 0.0) + spent / 1000 / steps
    return own


def _by_kind(operations: dict[str, float]) -> dict[str, float]:
    kinds: dict[str, float] = {}
    for name, spent in operations.items():
        kinds[kind(name)] = kinds.get(kind(name), 0.0) + spent
    return kinds


def _rounded(items: list[tuple[str, float]]) -> dict[str, float]:
    return {name: round(spent, 3) for name, spent in items}
