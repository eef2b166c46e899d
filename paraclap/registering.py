"""Makes ``import paraclap`` enough for transformers to know the model.

``AutoModel.from_pretrained(folder)`` and ``pipeline(..., model=folder)`` find a model by a name in
its config.json, which :mod:`paraclap.model` registers when it is imported. That takes seconds, for
torch comes with it, so it waits until somebody imports transformers: a finder looks out for that,
finds it as Python would have, and has the model registered once transformers has been loaded.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

LIBRARY = "transformers"


class Lookout(MetaPathFinder):
    """Registers the model when transformers has been loaded; finds nothing else."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of transformers, to be followed by the registration; None for all others."""
        if name != LIBRARY:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def load_and_register(module: ModuleType) -> None:
            load(module)
            register()

        vars(spec.loader)["exec_module"] = load_and_register
        return spec


def register() -> None:
    """Import the model, unless that is what imports transformers now."""
    own = [module for name, module in sys.modules.items() if name.startswith("paraclap.")]
    loading = [module for module in own if getattr(module.__spec__, "_initializing", False)]
    if not loading:
        importlib.import_module("paraclap.model")


def look_out() -> None:
    """Have transformers know the model from now on, or as soon as it is imported."""
    if LIBRARY in sys.modules:
        register()
    elif not any(isinstance(finder, Lookout) for finder in sys.meta_path):
        sys.meta_path.insert(0, Lookout())
