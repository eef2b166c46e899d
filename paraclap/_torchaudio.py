"""Let ``import torchaudio`` succeed beside any build of torch.

The registry wheel of torchaudio carries one compiled extension that links the CUDA runtime. Where
that runtime is absent, ``import torchaudio`` raises OSError; where torch was made for another CUDA,
RuntimeError; and every audio model of transformers fails with it, because transformers asks the
package metadata only. The transforms used here are plain torch and need no extension, so a
stand-in says that none is there.

Import this module before transformers.
"""

from __future__ import annotations

import functools
import importlib
import sys
import types
from collections.abc import Callable
from typing import NoReturn

EXTENSION = "torchaudio._extension"


def _without_aligner(function: Callable[..., object]) -> Callable[..., NoReturn]:
    @functools.wraps(function)
    def refuse(*_: object, **__: object) -> NoReturn:
        raise RuntimeError(
            f"{function.__name__} needs torchaudio's compiled extension, which does not load "
            "beside this build of torch: install the torchaudio wheel that matches it."
        )

    return refuse


def _stand_in() -> types.ModuleType:
    module = types.ModuleType(EXTENSION)
    vars(module).update(_IS_TORCHAUDIO_EXT_AVAILABLE=False, fail_if_no_align=_without_aligner)
    return module


def ensure_torchaudio() -> types.ModuleType:
    """Import torchaudio, without its compiled extension where that cannot load.

    Returns:
        The module ``torchaudio``; its transforms work either way.
    """
    try:
        return importlib.import_module("torchaudio")
    except (OSError, RuntimeError):
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        sys.modules[EXTENSION] = _stand_in()
        return importlib.import_module("torchaudio")


ensure_torchaudio()
