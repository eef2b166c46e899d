"""What a run computes with: device, processes, precision. Nothing here says what is learned.

Conventions: ``"auto"`` takes what the device is good at. Float32 master weights are kept in any
precision; ``"bf16"`` means products in bfloat16.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch

CHOICES: dict[str, tuple[str, ...]] = {
    "precision": ("auto", "float32", "bf16"),
    "attention": ("sdpa", "eager", "flash_attention_2"),
}


@dataclass(frozen=True)
class Machine:
    """What a run computes with.

    Attributes:
        device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda"``, ...
        jobs: CPU threads of torch; results are the same bits for the same number.
        workers: Processes that read audio ahead; 0 reads in this one.
        processes: Processes that train together, each on its share of every batch; on a machine
            with GPUs, one for each.
        precision: ``"float32"``, ``"bf16"``, or ``"auto"``: bf16 on a GPU that has it.
        attention: How attention is computed: ``"sdpa"``, ``"eager"`` or ``"flash_attention_2"``.
        compiled: Whether ``torch.compile`` translates the towers; needs a C++ compiler.
        recompute: Whether activations are computed again in the backward pass (gradient
            checkpointing): less memory, about a third more time.
        chunk: Pairs that a device holds in memory at once; 0 holds the whole batch. Larger
            batches are passed chunk by chunk (cached gradients), with the same gradient.
        keep: Checkpoints that are kept, the newest ones.
    """

    device: str = "auto"
    jobs: int = 2
    workers: int = 0
    processes: int = 1
    precision: str = "auto"
    attention: str = "sdpa"
    compiled: bool = False
    recompute: bool = False
    chunk: int = 0
    keep: int = 2

    def __post_init__(self) -> None:
        """Refuse values that mean nothing.

        Raises:
            ValueError: Naming the value, what was got and what was expected.
        """
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                got = getattr(self, name)
                raise ValueError(f"Bad {name} {got!r}, expected one of {choices}.")
        least = {"jobs": 1, "processes": 1, "keep": 1, "workers": 0, "chunk": 0}
        for name, smallest in least.items():
            if getattr(self, name) < smallest:
                got = getattr(self, name)
                raise ValueError(f"Bad {name} {got}, expected at least {smallest}.")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From a mapping that may hold other things, such as a notebook's names.

        What it does not name stays as it is by default.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        return cls(**{name: values[name] for name in names if name in values})

    def asdict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)

    def dtype(self, device: torch.device) -> torch.dtype:
        """What training multiplies in: ``"auto"`` is bfloat16 on a GPU that has it.

        On a processor it is float32, so that a run gives the same bits on every kind of it.
        """
        fast = device.type == "cuda" and has_fast_bf16(device)
        wanted = self.precision == "bf16" or (self.precision == "auto" and fast)
        return torch.bfloat16 if wanted else torch.float32


def choose_device(device: str) -> torch.device:
    """Device by name; ``"auto"`` is a GPU if there is one.

    Of several processes on one machine each takes the GPU of its own number.

    Raises:
        ValueError: If a GPU is asked for and there is none.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError(f"Bad device {device!r}, torch sees no GPU here: set 'auto' or 'cpu'.")
    if device == "cuda":  # pragma: gpu
        device = f"cuda:{int(os.environ.get('LOCAL_RANK', '0')) % torch.cuda.device_count()}"
    return torch.device(device)


def has_fast_bf16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 matrices in hardware."""
    if device.type == "cuda":  # pragma: gpu
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    if platform.machine() not in ("x86_64", "AMD64"):  # pragma: elsewhere (ARM processors)
        return True
    # oneDNN also counts processors on which it has to emulate such products
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def autocast(dtype: torch.dtype, device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """Products in ``dtype``; nothing changes for float32."""
    if dtype == torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype)
