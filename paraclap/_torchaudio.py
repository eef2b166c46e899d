"""Let ``import torchaudio`` succeed beside any build of torch.

The wheel of torchaudio carries one compiled extension that links the CUDA runtime. Where that
cannot load, ``import torchaudio`` raises OSError (or RuntimeError beside another CUDA), and with it
every audio model of transformers. The transforms are plain torch and need no extension, so a
stand-in reports that there is none. Import this module before transformers.
"""

import importlib
import sys
import types
from typing import Any, NoReturn

_EXTENSION = "torchaudio._extension"


def _without_aligner(function: Any) -> Any:
    def refuse(*_: object, **__: object) -> NoReturn:
        name = getattr(function, "__name__", "This function")
        msg = f"{name} needs torchaudio's compiled extension: install the wheel that fits torch."
        raise RuntimeError(msg)

    return refuse


def ensure_torchaudio() -> types.ModuleType:
    """Import torchaudio, without its compiled extension where that cannot load."""
    try:
        return importlib.import_module("torchaudio")
    except (OSError, RuntimeError):
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        module = types.ModuleType(_EXTENSION)
        vars(module).update(_IS_TORCHAUDIO_EXT_AVAILABLE=False, fail_if_no_align=_without_aligner)
        sys.modules[_EXTENSION] = module
        return importlib.import_module("torchaudio")


ensure_torchaudio()
