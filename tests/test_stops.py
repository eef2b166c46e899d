"""Twenty random kills: steps that are killed lose nothing and end as if nobody had stopped them."""

from __future__ import annotations

import multiprocessing
import time

import numpy as np
import pandas as pd
import pytest
from small_training import SETTINGS
from sounds import buzz, write

from paraclap import features, tables
from paraclap.corpora import synthetic
from paraclap.evaluation.scoring import score_files
from paraclap.model import ParaCLAP
from paraclap.queries import QueryPool, assign_levels, fit_levels
from paraclap.training import train

pytestmark = pytest.mark.xdist_group("stops")
context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["test_stops"])


def run_features(folder, out, model):
    features.extract(
        tables.segments(sorted(folder.glob("*.wav"))), out / "features.parquet", jobs=1
    )


def run_synthetic(folder, out, model):
    synthetic.build(out / "corpus", utterances=18, held_out=9, jobs=1)


def run_scoring(folder, out, model):
    loaded = ParaCLAP.from_pretrained(model)
    score_files(loaded, folder, ["angry", "sad"], out / "answers.parquet", window=0.2, hop=0.02)


def run_training(folder, out, model):
    files = sorted(folder.glob("*.wav"))
    labels = pd.DataFrame({"corpus": "tones", "language": "none"}, index=tables.segments(files))
    labels["split"] = (["train"] * 4 + ["dev"]) * 8
    labels["speaker"] = labels["split"] + "1"
    labels["emotion"] = labels["label"] = ["anger", "sadness"] * 20
    labels["arousal"] = np.arange(40) % 7.0
    labels = tables.check_labels(labels.reindex(columns=[*tables.LABELS]))
    levels = assign_levels(labels[["arousal"]], fit_levels(labels[["arousal"]]))
    pool = QueryPool(levels.join(labels["emotion"]))
    train(labels, pool, out, SETTINGS.but(epochs=4, checkpoint_steps=2))


STEPS = {
    "features": run_features,
    "synthetic": run_synthetic,
    "scoring": run_scoring,
    "training": run_training,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("tones")
    for number in range(40):
        write(place / f"{number:02d}.wav", buzz(0.5 + 0.02 * number, 110 + 9 * number, 0.3, number))
    return place


@pytest.fixture(scope="module")
def undisturbed(folder, model_folder, tmp_path_factory):
    """What each step makes when nobody stops it, and the seconds that it takes."""
    found = {}
    for name, step in STEPS.items():
        out = tmp_path_factory.mktemp(name)
        start = time.monotonic()
        process = context.Process(target=step, args=(folder, out, model_folder))
        process.start()
        process.join()
        assert process.exitcode == 0
        found[name] = (contents(out), time.monotonic() - start)
    return found


def contents(out):
    """Every final file below a folder; Parquet as a table, as its bytes hold the time."""
    files = [f for f in sorted(out.rglob("*")) if f.is_file() and "lock" not in f.name]
    kept = [f for f in files if not any(p.endswith((".parts", "checkpoints")) for p in f.parts)]
    return {
        str(f.relative_to(out)): tables.read_table(f).to_csv()
        if f.suffix == ".parquet"
        else f.read_bytes()
        for f in kept
    }


@pytest.mark.parametrize("turn", range(5))
@pytest.mark.parametrize("name", STEPS)
def test_a_killed_step_leaves_whole_files_and_ends_as_one_that_was_not(
    name, turn, folder, model_folder, undisturbed, tmp_path
):
    reference, seconds = undisturbed[name]
    process = context.Process(target=STEPS[name], args=(folder, tmp_path, model_folder))
    process.start()
    process.join(seconds * np.random.default_rng([turn, len(name)]).uniform(0.1, 0.95))
    process.kill()
    process.join()
    if name != "synthetic":  # its clips are final one by one
        half = {file: what for file, what in contents(tmp_path).items() if ".pcm" not in file}
        assert half.items() <= reference.items()
    STEPS[name](folder, tmp_path, model_folder)
    assert contents(tmp_path).keys() == reference.keys()
    for file, what in contents(tmp_path).items():
        assert what == reference[file], file
