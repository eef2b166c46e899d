"""Twenty kills at random writes: steps lose nothing and end as if nobody had stopped them."""

import functools
import os
import signal
import sys
import time

import numpy as np
import pandas as pd
import pytest
from small_training import SETTINGS, context, run

from paraclap import features
from paraclap.corpora import synthetic
from paraclap.evaluation.scoring import score_files
from paraclap.model import ParaCLAP

WRITES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree"}  # and some of "open"
FINE = {"hop": 0.02, "window": 0.2}  # seconds
# What is done with labels, a folder for the result, and the folder of a model.
STEPS = {
    "features": lambda labels, out, _: features.extract(labels[:24], out / "a.parquet", jobs=1),
    "synthetic": lambda _, out, __: synthetic.build(out / "corpus", 18, held_out=9, jobs=1),
    "scoring": lambda labels, out, model: score_files(
        ParaCLAP.from_pretrained(model), labels[:40].index, ["a", "b"], out / "a.parquet", **FINE
    ),
    "training": lambda labels, out, _: run(labels, out, SETTINGS.but(checkpoint_steps=2)),
}


def watched(name, out, count, reached, stop, labels, model):
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
    STEPS[name](labels, out, model)


@pytest.fixture(scope="module")
def start(labels, model_folder):
    """Starts a step in a process of its own."""

    def make(name, out, stop=-1):
        given = name, out, context.Value("i"), context.Event(), stop
        process = context.Process(target=watched, args=(*given, labels, model_folder))
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
        name: pd.read_parquet(file).to_csv() if file.suffix == ".parquet" else file.read_bytes()
        for name, file in files.items()
        if not any(part in f"/{name}" for part in parts)
    }


@pytest.mark.parametrize("turn", range(5))
@pytest.mark.parametrize("name", STEPS)
def test_a_killed_step_leaves_no_half_and_ends_the_same(name, turn, start, undisturbed, tmp_path):
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
