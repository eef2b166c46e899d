"""Do the released template sets give what the authors' code gives, on rows drawn at random?

    git clone https://github.com/KeiKinn/ParaCLAP
    python -m benchmarks.captions ParaCLAP

Runs `create_templates` and `create_templates_fix` of `preprocessing/template_creation.py` beside
`queries_for` and prints how many rows differ, and a fingerprint of what their code gives; a test
compares ours with these fingerprints. Nothing of that code is part of this project.
"""

import hashlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paraclap.queries import LEVELS, queries_for

ROWS, EDGES = 20_000, [0.3, 0.7]
VARIATION = "F0semitoneFrom27.5Hz_sma3nz_stddevNorm"
COLUMNS = {
    "F0semitoneFrom27.5Hz_sma3nz_amean": "pitch",
    VARIATION: "pitch variation",
    "equivalentSoundLevel_dBp": "intensity",
    "loudness_sma3_amean": "loudness",
    "Duration": "duration",
    "jitterLocal_sma3nz_amean": "jitter",
    "shimmerLocaldB_sma3nz_amean": "shimmer",
    "arousal": "arousal",
    "valence": "valence",
    "dominance": "dominance",
}
ASKED = ["emotion", "gender", "arousal", "valence", "dominance"]
ASKED += ["pitch", "shimmer", "jitter", "intensity", "duration"]
EMOTIONS = ["no_agreement", "neutral", "fear", "sadness", "disgust"]
EMOTIONS += ["happiness", "other", "anger", "contempt", "surprise"]


def rows(count: int, seed: int = 0) -> pd.DataFrame:
    """Random rows of their table; a tenth of the quantiles lie exactly on an edge."""
    rng = np.random.default_rng(seed)
    values = rng.random((count, len(COLUMNS)))
    on_edge = rng.random(values.shape) < 0.1
    values[on_edge] = rng.choice(EDGES, int(on_edge.sum()))
    table = pd.DataFrame(values, columns=[f"{name}.quantile" for name in COLUMNS])
    table["emotion"] = rng.choice(EMOTIONS, count)
    gender = pd.Series(rng.choice(["female", "male", "unknown"], count), dtype=object)
    return table.assign(gender=gender.where(gender != "unknown", np.nan))


def ours(row: pd.Series, templates: str) -> list[str]:
    """What this package gives for a row."""
    quantiles = {name: row[f"{column}.quantile"] for column, name in COLUMNS.items()}
    levels = {name: LEVELS[(value > 0.3) + (value >= 0.7)] for name, value in quantiles.items()}
    gender = row["gender"] if isinstance(row["gender"], str) else None
    return queries_for(levels, row["emotion"], gender, templates)


def load(checkout: Path) -> Any:
    """The authors' module."""
    file = checkout / "preprocessing" / "template_creation.py"
    spec = importlib.util.spec_from_file_location("template_creation", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(checkout: Path) -> None:
    """Compare and print. On an edge of the pitch variation their full list contradicts itself."""
    theirs, table = load(checkout), rows(ROWS)
    edge = table[f"{VARIATION}.quantile"].isin(EDGES)
    both = {"released": theirs.create_templates, "released-fixed": theirs.create_templates_fix}
    for name, create in both.items():
        given = [create(row, ASKED) for _, row in table.iterrows()]
        own = [ours(row, name) for _, row in table.iterrows()]
        differ = np.array([a != b for a, b in zip(given, own, strict=True)])
        lines = [" | ".join(one) for one, skip in zip(given, edge, strict=True) if not skip]
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
        print(f"{name}: {differ[~edge].sum()} of {(~edge).sum()} rows differ, their code {digest};")
        print(f"  with the pitch variation on an edge {differ[edge].sum()} of {edge.sum()}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
