"""Do the released sets say what the authors' code says, on rows drawn at random?

    git clone https://github.com/KeiKinn/ParaCLAP
    python -m benchmarks.captions ParaCLAP

Runs `create_templates` and `create_templates_fix` of `preprocessing/template_creation.py` beside
`queries_for`, and writes benchmarks/captions.md. Nothing of that code is part of this project.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Iterable
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from paraclap.queries import queries_for

ROWS = 20_000
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


def level(quantile: float) -> str:
    """Level of a quantile, edges belonging to the ends, as in the authors' code."""
    return "high" if quantile >= 0.7 else "low" if quantile <= 0.3 else "normal"


def rows(count: int, seed: int = 0) -> pd.DataFrame:
    """Random rows; a tenth of the quantiles lie exactly on an edge."""
    rng = np.random.default_rng(seed)
    values = rng.random((count, len(COLUMNS)))
    on_edge = rng.random(values.shape) < 0.1
    values[on_edge] = rng.choice([0.3, 0.7], int(on_edge.sum()))
    table = pd.DataFrame(values, columns=[f"{name}.quantile" for name in COLUMNS])
    table["emotion"] = rng.choice(EMOTIONS, count)
    gender = rng.choice(["female", "male", "unknown"], count)
    return table.assign(gender=np.where(gender == "unknown", np.nan, gender.astype(object)))


def digest(captions: Iterable[list[str]]) -> str:
    """Fingerprint of many captions, to be compared where the authors' code is not at hand."""
    text = "\n".join(" | ".join(caption) for caption in captions)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def main(checkout: Path) -> None:
    """Compare, and write what came out."""
    file = checkout / "preprocessing" / "template_creation.py"
    spec = importlib.util.spec_from_file_location("template_creation", file)
    assert spec is not None and spec.loader is not None
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    sets = {"released": theirs.create_templates, "released-fixed": theirs.create_templates_fix}
    differ: dict[tuple[str, bool], int] = dict.fromkeys(product(sets, (False, True)), 0)
    table = rows(ROWS)
    edge = table[f"{VARIATION}.quantile"].isin([0.3, 0.7])
    for on_edge, (_, row) in zip(edge, table.iterrows(), strict=True):
        levels = {ours: level(row[f"{name}.quantile"]) for name, ours in COLUMNS.items()}
        gender = row["gender"] if isinstance(row["gender"], str) else None
        for name, create in sets.items():
            ours = queries_for(levels, row["emotion"], gender, name)
            differ[name, on_edge] += create(row, ASKED) != ours
    lines = [
        "# Released sentences against the authors' code",
        "",
        "`python -m benchmarks.captions ParaCLAP` (a checkout of github.com/KeiKinn/ParaCLAP)",
        "",
        "A quantile of pitch variation exactly on an edge is at once high, or low, and not, in",
        "the continuations of jitter and shimmer there; a level is one or the other.",
        "",
        "| set | pitch variation | random rows | rows that differ |",
        "|---|---|---|---|",
    ]
    for (name, on_edge), number in differ.items():
        place = "exactly on an edge" if on_edge else "anywhere else"
        lines.append(f"| {name} | {place} | {(edge == on_edge).sum():,} | {number:,} |")
    plain = [row for _, row in table[~edge].iterrows()]
    for name, create in sets.items():
        theirs_said = digest(create(row, ASKED) for row in plain)
        lines += [
            "",
            f"Fingerprint of what their code says for `{name}` anywhere else: `{theirs_said}`.",
        ]
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
