"""How good is the demo run? Chapters 1 to 5 with three seeds, their mean and spread.

    python -m benchmarks.demo         # about half an hour; --dry: params/smoke.yaml, one seed

Makes the runs ``demo``, ``demo-seed1`` and ``demo-seed2`` (what is up to date is not made again)
and writes benchmarks/demo.csv. A seed changes everything: speakers and utterances of the synthetic
corpora, the first weights, the order of the batches, the captions.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmarks import measure
from paraclap import tables
from paraclap.book import run

SEEDS = (0, 1, 2)
GOALS = {
    "podcast": 0.38,
    "iemocap-like": 0.60,
    "ravdess-like": 0.44,
    "cremad-like": 0.50,
    "tess-like": 0.55,
    "intensity": 0.90,
    "gender": 0.85,
    "arousal": 0.72,
    "pitch": 0.70,
}  # mean UAR that the demo should reach


def main(given: Sequence[str] | None = None) -> int:
    """Run, write and print; 1 if a mean is below its goal."""
    args = measure.arguments("demo", given, rounds=len(SEEDS))
    name = "smoke" if args.dry else "demo"
    folders = []
    file = tables.project_folder() / "params" / f"{name}.yaml"
    for seed in range(1 if args.dry else args.rounds):
        changes = [f"seed={seed}", f"run={name}" + f"-seed{seed}" * bool(seed)]
        folders.append(run.run(file, run.EVALUATION, changes, html=False))
    table = summary(folders)
    tables.write_table(table, args.out.with_suffix(".csv"))
    print(table.round(3).to_string(index=False))
    return int(not args.dry and (table["mean"] < table["goal"]).any())


def summary(folders: Sequence[Path]) -> pd.DataFrame:
    """One row a task and attribute: UAR of each seed, mean, spread, references, goal.

    ``logistic`` (a logistic regression on the functionals) and ``majority`` are means over the
    seeds, ``spread`` is the standard deviation.
    """
    files = {"scores.csv": "task", "attributes.csv": "attribute"}
    seeds = {
        f"seed {seed}": pd.concat([_read(folder, *file) for file in files.items()])["uar"]
        for seed, folder in enumerate(folders)
    }
    table = pd.DataFrame(seeds)
    table = table.assign(mean=table.mean(axis=1), spread=table.std(axis=1))
    others = pd.concat([_read(folder, "references.csv", "task") for folder in folders])
    for name, own in others.groupby("system")["uar"]:
        table[name] = own.groupby(level=0).mean()
    table["goal"] = pd.Series(GOALS)
    return table.rename_axis("asked").reset_index()


def _read(folder: Path, file: str, column: str) -> pd.DataFrame:
    return tables.read_table(folder / file).set_index(column)


if __name__ == "__main__":
    sys.exit(main())
