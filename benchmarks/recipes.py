"""What does each element of the released recipe change, put alone into the paper's?

    make book                      # makes runs/demo
    python -m benchmarks.recipes   # trains from it, about ten minutes on two cores

Synthetic speech and small towers: the numbers compare recipes with each other, nothing else. The
sizes are the defaults of chapter 07, three seeds each. Writes benchmarks/recipes.md.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import date
from pathlib import Path

from paraclap import (
    ParaCLAP,
    comparison,
    dimensional,
    evaluation,
    recipes,
    tables,
    training,
)
from paraclap.queries import Pool
from paraclap.settings import Settings

CHANGES = [
    "paper",
    "paper+similarity",
    "paper+join",
    "paper+freeze_audio",
    "paper+freeze_text",
    "paper+batch+epochs",
    "paper+logit_scale_max",
    "released",
]
SEEDS, STEPS, BATCH, VOICES = 3, 40, 32, 800


def main(run: str = "demo") -> None:
    """Train, ask, and write what came out."""
    folder = tables.run_folder(run)
    table = tables.read_table(folder / "queries.parquet")
    labels = tables.read_table(folder / "labels.parquet").loc[table.index]
    learned = labels[(labels["split"] == "train") & (labels["emotion"] != "no_agreement")]
    few = learned.sample(min(VOICES, len(learned)), random_state=0).index
    voices = labels[labels.index.isin(few) | (labels["split"] == "dev")]
    pool = Pool.from_table(table.loc[voices.index])
    start = dimensional.start(voices, folder / "dimensional", "small", 0, 2)
    base = Settings(**tables.read_json(folder / "settings.json")).but(
        audio_encoder=start,
        text_encoder="minilm-2",
        texts_per_voice=0,
        audio_lr=1e-3,
        text_lr=3e-4,
        dev_template="{}",
    )
    questions = evaluation.tasks(labels)
    test = labels[labels["split"] == "test"]
    answers = {}
    with tempfile.TemporaryDirectory() as place:
        for cell, settings in recipes.grid(base, CHANGES, ["paper"], SEEDS, STEPS, BATCH).items():
            here = Path(place) / "-".join(map(str, cell))
            training.train(voices, pool, here, settings)
            model = ParaCLAP.from_pretrained(here / training.MODEL)
            answers[cell] = evaluation.predict(model, test, questions, "{}")
    means = comparison.means(comparison.compare(answers, questions, draws=2))
    lines = [
        "# Elements of the released recipe, one at a time",
        "",
        f"`python -m benchmarks.recipes` ({date.today()}), synthetic speech, small towers, two",
        f"cores. Mean UAR over {len(questions)} tasks, {SEEDS} seeds, {STEPS} steps of {BATCH}",
        "pairs (`paper`). `+` takes an element of the released recipe.",
        "",
        "| recipe | mean | lowest seed | highest seed |",
        "|---|---|---|---|",
    ]
    for row in means.itertuples(index=False):
        lines.append(f"| `{row[0]}` | {row[2]:.3f} | {row[3]:.3f} | {row[4]:.3f} |")
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
