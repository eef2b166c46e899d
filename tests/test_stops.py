"""Twenty kills at random writes: steps lose nothing and end as if nobody had stopped them."""

from __future__ import annotations

import functools
import os
import signal
import sys
import time

import numpy as np
import pandas as pd
import pytest
from small_training import SETTINGS, context
from sounds import buzz, write

from paraclap import features, tables
from paraclap.corpora import synthetic
from paraclap.evaluation.scoring import score_files
from paraclap.model import ParaCLAP
from paraclap.queries import QueryPool, assign_levels, fit_levels
from paraclap.training import train

pytestmark = pytest.mark.xdist_group("stops")
WRITES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree"}  # and some of "open"


def run_features(folder, out, model):
    segments = tables.segments(sorted(folder.glob("*.wav"))[:24])
    features.extract(segments, out / "features.parquet", jobs=1)


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


def watched(step, out, count, reached, stop, *more):
    """Run a step and count its writes below a folder; after one of them, wait to be killed."""

    def hook(event, args):
        writes = event == "open" and args[2] & (os.O_WRONLY | os.O_RDWR)
        if (writes or event in WRITES) and str(out) in str(args[0]):
            count.value += 1
            if count.value == stop:
                reached.set()
            elif count.value == stop + 1:
                time.sleep(60)

    sys.addaudithook(hook)
    step(*more)


@pytest.fixture(scope="module")
def start(tmp_path_factory, model_folder):
    """Starts a step on some tones in a process of its own."""
    folder = tmp_path_factory.mktemp("tones")
    for number in range(40):
        write(
            folder / f"{number:02d}.wav", buzz(0.5 + 0.02 * number, 110 + 9 * number, 0.3, number)
        )

    def make(name, out, stop=-1):
        given = STEPS[name], out, context.Value("i"), context.Event(), stop
        process = context.Process(target=watched, args=(*given, folder, out, model_folder))
        process.start()
        return process, given[2], given[3]

    return make


@pytest.fixture(scope="module")
def undisturbed(start, tmp_path_factory):
    """What a step leaves if nobody stops it, and its number of writes."""

    @functools.cache
    def make(name):
        out = tmp_path_factory.mktemp(name)
        process, count, _ = start(name, out)
        process.join()
        assert process.exitcode == 0
        return contents(out), count.value

    return make


def contents(out):
    """Every final file below a folder; Parquet as a table, as its bytes hold the time."""
    files = {str(f.relative_to(out)): f for f in sorted(out.rglob("*")) if f.is_file()}
    parts = (".parts/", "checkpoints/", "/.", ".pcm.part")  # what is not final
    return {
        name: tables.read_table(file).to_csv() if file.suffix == ".parquet" else file.read_bytes()
        for name, file in files.items()
        if not any(part in f"/{name}" for part in parts)
    }


@pytest.mark.parametrize("turn", range(5))
@pytest.mark.parametrize("name", STEPS)
def test_a_killed_step_leaves_complete_files_and_ends_as_one_that_was_not(
    name, turn, start, undisturbed, tmp_path
):
    reference, writes = undisturbed(name)
    rng = np.random.default_rng([turn, len(name)])
    process, _, reached = start(name, tmp_path, rng.integers(1, writes))
    assert reached.wait(120)
    time.sleep(rng.uniform(0, 0.01))  # in the middle of what it writes, if that takes long
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    found = contents(tmp_path)
    if name == "synthetic":  # its database is written as a whole before intended.parquet
        found = {file: what for file, what in found.items() if file.endswith(".wav")}
    assert found.items() <= reference.items()
    process, *_ = start(name, tmp_path)
    process.join()
    assert contents(tmp_path).keys() == reference.keys()
    for file, what in contents(tmp_path).items():
        assert what == reference[file], file
