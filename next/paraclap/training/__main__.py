"""Training from the shell: ``python -m paraclap.training PARAMS``, chapter 4 without its figures.

    accelerate launch --num_processes 8 -m paraclap.training runs/demo/params.yaml

starts it on eight GPUs. PARAMS is a file of ``params/`` or the ``params.yaml`` of a run, whose
chapters 1 to 3 have been run; parameters of other chapters are passed over. Chapter 9.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml
from torch import distributed

from paraclap import tables
from paraclap.training.dataset import read_training_data
from paraclap.training.settings import Settings
from paraclap.training.train import MODEL, train


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as a params file says; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m paraclap.training", description=__doc__)
    parser.add_argument("params", type=Path, help="YAML file, such as params/demo.yaml")
    parser.add_argument("-p", dest="changes", action="append", default=[], metavar="NAME=VALUE")
    given = parser.parse_args(arguments)
    try:
        values = {"run": given.params.stem} | yaml.safe_load(given.params.read_text("utf-8"))
        changes = (change.partition("=") for change in given.changes)
        values |= {name: yaml.safe_load(value) for name, _, value in changes}
        folder = tables.run_folder(values["run"], values.get("runs", "runs"))
        settings, templates = Settings.of(values), values.get("templates", "paper")
        labels, pool, _ = read_training_data(folder, templates, settings.emotion_form)
        reads, features = settings.reads_functionals, folder / "features.parquet"
        known = tables.read_table(features) if reads else None
        train(labels, pool, folder, settings, known)
        if not distributed.is_initialized() or distributed.get_rank() == 0:
            print(f"The model: {tables.short_name(folder / MODEL)}")
    except (OSError, ValueError, ArithmeticError, MemoryError, yaml.YAMLError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(main())
