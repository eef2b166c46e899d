"""Training from the shell: chapter 4 without its figures, on any number of GPUs. Chapter 9.

accelerate launch --num_processes 8 -m paraclap.training runs/demo/params.yaml
"""

import sys
from pathlib import Path

import typer
import yaml
from accelerate import PartialState

from paraclap import tables
from paraclap.training.dataset import read_training_data
from paraclap.training.settings import Settings
from paraclap.training.train import MODEL, train


def main(params: Path) -> None:
    """Train the run of a params file, whose chapters 1 to 3 have been run."""
    try:
        values = {"run": params.stem} | yaml.safe_load(params.read_text("utf-8"))
        folder = tables.run_folder(values["run"], values.get("runs", "runs"))
        settings, templates = Settings.of(values), values.get("templates", "paper")
        labels, pool, _ = read_training_data(folder, templates, settings.emotion_form)
        features, reads = folder / "features.parquet", settings.reads_functionals
        train(labels, pool, folder, settings, tables.read_table(features) if reads else None)
        PartialState().print(f"The model: {tables.short_name(folder / MODEL)}")
    except (OSError, ValueError, ArithmeticError, yaml.YAMLError) as error:
        sys.exit(str(error))
    finally:
        PartialState().destroy_process_group()


if __name__ == "__main__":
    typer.run(main)
