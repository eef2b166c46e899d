"""Checks of the weights that transformers loads; its warnings and progress bars kept back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel
from transformers.utils import logging


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from warnings and progress bars."""
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()


def check_weights(
    model: PreTrainedModel,
    info: Mapping[str, Any],
    optional: tuple[str, ...] = (),
    head: bool = False,
) -> None:
    """Check what was loaded and copy the weights out of the file that they are mapped from.

    Where they lie in the file depends on its header, and products of unaligned weights differ in
    the last bits; nor may later changes of the file reach the model. ValueError if weights are
    missing, unexpected, of another shape, NaN or infinite. ``info`` is the report of transformers;
    names that begin with one of ``optional`` are not needed; with ``head`` the weights of other
    modules, such as the head of another task, may lie beside them.
    """
    infinite = []
    for key, weight in model.named_parameters():
        weight.data = weight.data.clone()
        infinite += [] if weight.is_meta or weight.data.isfinite().all() else [key]
    modules = {key.split(".")[0] for key in model.state_dict()}
    missing, unexpected = (
        [key for key in info[f"{what}_keys"] if not key.startswith(optional)]
        for what in ("missing", "unexpected")
    )
    wrong = {
        "missing": missing,
        "unexpected": [key for key in unexpected if not head or modules & {*key.split(".")[:2]}],
        "misshapen": [f"{key} {tuple(a)} for {tuple(b)}" for key, a, b in info["mismatched_keys"]],
        "NaN or infinite": infinite,
    }
    for what, keys in wrong.items():
        if keys:
            raise ValueError(
                f"{len(keys)} {what} weights in {'/'.join(Path(model.name_or_path).parts[-2:])!r} "
                f"(first: {sorted(keys)[:5]}), expected finite ones that fit its configuration: "
                "they are of different models, or damaged."
            )
