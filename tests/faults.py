"""Stop long steps at random points, run them again, and compare with a run that nobody stopped.

A *step* is a function of this module that makes something small with the code of a real step. A
*fault* stops it: a signal, a kill just before its n-th change to a file, a disk without space, a
folder that cannot be written to, the death of a worker, another process that does the same. Then

- each file under its final name is whole: it can be read, and is the one of the undisturbed run;
- the error, if there is a process left to give one, names the place and what to do;
- the same step, run again, ends with the files of the undisturbed run, and with no other.

Steps run in processes forked from one that has imported the package. Changes to files are counted
with an audit hook of the interpreter; writers in C++ are reached by signals and the full disk.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

PRELOAD = [f"paraclap.{name}" for name in ("training", "dimensional", "scoring", "synthesis")]
PATIENCE = 120  # seconds that a step may take on a busy machine
# What a clock has measured, and when a step was made.
NOT_COMPARED = {"speed.csv", "speed.csv.key", "provenance.json"}

Changes = dict[str, str]


# --- steps -------------------------------------------------------------------------------------


def prepare(base: Path) -> None:
    """Make what the steps work on: tones, and a model."""
    from paraclap.towers import build

    rng = np.random.default_rng(0)
    (base / "tones").mkdir(parents=True)
    for number in range(24):
        time_ = np.arange(4_000 + 200 * number) / 16_000
        tone = np.sin(2 * np.pi * (110 + 10 * number) * time_) + 0.05 * rng.normal(size=time_.size)
        _write_wav(base / "tones" / f"{number:02d}.wav", 0.3 * tone)
    build("smoke", "smoke", 16, 0.2, "mean", seed=1).save_pretrained(base / "model")
    (base / "book").mkdir()
    (base / "book" / "01_numbers.py").write_text(NOTEBOOK)
    (base / "mini.yaml").write_text("count: 4000\n")


def _write_wav(path: Path, signal_: np.ndarray[Any, Any]) -> None:
    import soundfile

    soundfile.write(path, signal_.astype(np.float32), 16_000)


NOTEBOOK = """# %% tags=["parameters"]
run: str = "mini"  # name of the run
runs: str = "runs"  # folder of all runs
count: int = 3  # rows

# %%
import time

import pandas as pd

from paraclap import tables

place = tables.run_folder(run, runs)
for number in range(12):
    table = pd.DataFrame({"number": range(number, number + count)})
    tables.write_table(table, place / f"numbers{number}.{'csv' if number % 2 else 'parquet'}", "a")
    time.sleep(0.02)

# %%
print(tables.read_table(place / "numbers3.csv")["number"].sum())
"""


def tones(base: Path) -> pd.DataFrame:
    """Labels table of the tones."""
    from paraclap import tables

    files = sorted((base / "tones").glob("*.wav"))
    rows = pd.DataFrame({"corpus": "tones", "gender": "female", "label": "x"}, range(len(files)))
    rows["split"] = ["train"] * 16 + ["dev"] * 4 + ["test"] * 4
    rows["speaker"] = [f"s{number // 4}" for number in range(24)]
    rows["emotion"] = ["anger", "sadness"] * 12
    rows["language"] = "none"
    for name, period in (("arousal", 7), ("valence", 5), ("dominance", 3)):
        rows[name] = [float(number % period) for number in range(24)]
    return tables.check_labels(rows.set_index(tables.segments(files)))


def synthesis(base: Path, out: Path, jobs: int) -> None:
    from paraclap import synthesis as real

    real.CHUNK = 12
    real.build(out / "corpus", 9, 9, jobs=jobs)


def features(base: Path, out: Path, jobs: int) -> None:
    from paraclap import features as real

    real.extract(tones(base), out / "features.parquet", jobs=jobs)


def audio_store(base: Path, out: Path, jobs: int) -> None:
    from paraclap import store

    store.build(tones(base), out / "signals", jobs=jobs)


def training(base: Path, out: Path, jobs: int) -> None:
    from paraclap import levels
    from paraclap import training as real
    from paraclap.machine import Machine
    from paraclap.queries import Pool
    from paraclap.settings import Settings

    settings = Settings(
        audio_encoder="smoke",
        text_encoder="smoke",
        text_pooling="mean",
        freeze_text=True,
        projection_dim=8,
        agreed_only=False,
        texts_per_voice=2,
        optimizer="adamw",
        audio_lr=3e-3,
        head_lr=3e-3,
        batch=8,
        epochs=3,
        crop_seconds=0.3,
        checkpoint_steps=1,
    )
    labels = tones(base)
    shown = levels.assign(labels, levels.fit(labels))
    pool = Pool.build(shown, labels["emotion"], labels["gender"])
    real.train(labels, pool, out, settings, Machine(device="cpu", jobs=1, workers=jobs - 1))


def audio_tower(base: Path, out: Path, jobs: int) -> None:
    from paraclap import dimensional

    given = {"steps": 3, "batch": 8, "crop_seconds": 0.3, "threads": 1}
    dimensional.finetune(tones(base), out / "tower", "smoke", **given)


def scoring(base: Path, out: Path, jobs: int) -> None:
    from paraclap import scoring as real
    from paraclap.model import ParaCLAP

    real.PIECE = 4
    model = ParaCLAP.from_pretrained(base / "model")
    words = ["angry", "sad"]
    real.score(model, base / "tones", words, out / "answers.parquet", precision="float32")


def book(base: Path, out: Path, jobs: int) -> None:
    from paraclap import book as real

    os.environ["PYTHONPATH"] = str(Path(real.__file__).resolve().parent.parent)
    arguments = [str(base / "mini.yaml"), "--folder", str(base / "book"), "--runs", str(out)]
    if status := real.main([*arguments, "--no-html"]):
        raise SystemExit(status)


STEPS: dict[str, Callable[[Path, Path, int], None]] = {
    one.__name__: one
    for one in (synthesis, features, audio_store, training, audio_tower, scoring, book)
}
WITH_WORKERS = ("synthesis", "features", "audio_store", "training")  # of them, two can work


# --- a step in a process of its own ------------------------------------------------------------


class Watch:
    """Counts the changes to files below a folder; does something at one of them."""

    def __init__(self, folder: Path, place: int, act: Callable[[str], None]) -> None:
        """Watch this process from now on."""
        self.folder, self.place, self.act, self.count = str(folder), place, act, 0
        sys.addaudithook(self)

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        """Called by the interpreter before every audited event."""
        if event not in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"):
            return
        if not isinstance(args[0], str | Path) or not str(args[0]).startswith(self.folder):
            return
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
        if event == "open" and not args[2] & writes:
            return
        self.count += 1
        if self.count >= self.place > 0:
            self.act(event)


def _kill(_: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _no_space(event: str) -> None:
    if event in ("open", "os.mkdir"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@dataclass
class Told:
    """Tell the other end once that the place has been reached."""

    end: Connection

    def __call__(self, _: str) -> None:
        """Tell it."""
        with contextlib.suppress(OSError):
            self.end.send_bytes(b"!")
        self.end.close()


def _run(
    step: str, base: Path, out: Path, jobs: int, act: str, place: int, end: Connection, said: Path
) -> None:
    """Run a step; the process ends with status 0, or says why not."""
    os.setsid()
    stream = said.open("w")
    os.dup2(stream.fileno(), 1)
    os.dup2(stream.fileno(), 2)
    if act == "limit":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (place, place))
    acts = {"kill": _kill, "no space": _no_space, "tell": Told(end)}
    watch = Watch(out, 0 if act == "limit" else place, acts.get(act, _kill))
    try:
        if act == "nobody":
            os.setuid(65534)
        STEPS[step](base, out, jobs)
        print(f"changes {watch.count}", flush=True)
        os._exit(0)  # not waiting for idle workers, which follow
    except SystemExit as error:
        os._exit(int(error.code or 0))
    except BaseException:
        traceback.print_exc()
        os._exit(1)


class Child:
    """A step that runs in a process of its own."""

    def __init__(self, lab: Lab, step: str, jobs: int = 1, act: str = "", place: int = 0) -> None:
        """Start it."""
        self.end, other = multiprocessing.Pipe(duplex=False)
        self.said = lab.said.with_name(f"said{next(lab.started)}.txt")
        given = (step, lab.base, lab.out, jobs, act, place, other, self.said)
        self.process: BaseProcess = lab.context.Process(target=_run, args=given)
        self.process.start()
        other.close()

    def reached(self) -> bool:
        """Wait until it has reached its place; false if it has ended before."""
        with contextlib.suppress(EOFError):
            return self.end.poll(PATIENCE) and self.end.recv_bytes() == b"!"
        return False

    def wait(self) -> int:
        """Its exit status, negative for a signal."""
        self.process.join(PATIENCE)
        status = self.process.exitcode
        if status is None:
            self.process.kill()
            self.process.join()
            raise TimeoutError(f"The step did not end in {PATIENCE} s: {self.words()}")
        return status

    def words(self) -> str:
        """What it has printed."""
        return self.said.read_text(errors="replace") if self.said.is_file() else ""


# --- what is found -----------------------------------------------------------------------------


def found(out: Path) -> Changes:
    """Content of all files and folders: digest, or the sources and outputs of a notebook."""
    return {
        str(path.relative_to(out)): _content(path)
        for path in sorted(out.rglob("*"))
        if path.name not in NOT_COMPARED and (path.name != ".lock")
    }


def _content(path: Path) -> str:
    if path.is_dir():
        return "folder"
    content = path.read_bytes()
    if path.suffix == ".ipynb":
        with contextlib.suppress(ValueError):  # a temporary one
            cells = json.loads(content)["cells"]
            content = repr([(cell["source"], cell.get("outputs")) for cell in cells]).encode()
    return hashlib.sha256(content).hexdigest()


def is_temporary(name: str) -> bool:
    """Whether a file has a name that nobody reads."""
    parts = Path(name).parts
    ends = (".part", ".new", ".old", ".tmp")
    return any(part.startswith(".") or part.endswith(ends) for part in parts) or "job" in parts


def damaged(out: Path, reference: Changes, final: bool) -> list[str]:
    """Files under final names that are not whole."""
    bad = []
    for name, content in found(out).items():
        if content == "folder" or is_temporary(name):
            continue
        try:
            _read(out / name)
        except Exception as error:
            bad.append(f"{name}: {type(error).__name__} {error}")
        if final and reference.get(name, content) != content:
            bad.append(f"{name}: another content")
    return bad


def _read(path: Path) -> None:
    """Read a file as its readers do.

    Raises:
        Exception: if it is not whole
    """
    import pyarrow.parquet as pq
    import soundfile
    import torch
    import yaml
    from safetensors.torch import load_file

    readers: dict[str, Callable[[Path], object]] = {
        ".parquet": pq.read_table,
        ".csv": pd.read_csv,
        ".json": lambda file: json.loads(file.read_text()),
        ".ipynb": lambda file: json.loads(file.read_text()),
        ".yaml": lambda file: len(yaml.safe_load(file.read_text())),
        ".wav": soundfile.read,
        ".pt": lambda file: torch.load(file, weights_only=True)["optimizer"],
        ".safetensors": load_file,
        ".key": lambda file: int(file.read_text(), 16),
    }
    readers.get(path.suffix, Path.read_bytes)(path)


# --- the laboratory ----------------------------------------------------------------------------


def can_mount(place: Path) -> bool:
    """Whether this process may mount a file system."""
    place.mkdir(parents=True, exist_ok=True)
    if os.geteuid() or _call("mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place)):
        return False
    return not _call("umount", str(place))


def _call(*command: str) -> int:
    if not shutil.which(command[0]):
        return 127
    return subprocess.run(command, capture_output=True, check=False).returncode


@dataclass(frozen=True)
class Outcome:
    """What became of a fault.

    Attributes:
        step: that was stopped
        kind: of the fault
        hit: whether the fault met the step at all, which had not ended before
        went_on: whether it ended well by itself in spite of the fault
        problems: what was not as it should be; empty if it survived
        seconds: it took, with the second run
    """

    step: str
    kind: str
    hit: bool
    went_on: bool
    problems: tuple[str, ...]
    seconds: float


class Lab:
    """Undisturbed runs of the steps, and faults to compare with them."""

    def __init__(self, folder: Path) -> None:
        """Prepare it.

        Args:
            folder: gets what is worked on, and what is made
        """
        self.base, self.out, self.said = folder / "base", folder / "out", folder / "said.txt"
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload([*PRELOAD, __name__])
        self.mounts = can_mount(folder / "mount")
        self.started = itertools.count()
        self.references: dict[str, Changes] = {}
        self.changes: dict[str, int] = {}
        self.sizes: dict[str, tuple[int, int]] = {}
        prepare(self.base)

    def reference(self, step: str) -> Changes:
        """Files of an undisturbed run, made once."""
        if step not in self.references:
            self.clear()
            child = Child(self, step)
            if child.wait():
                raise RuntimeError(f"The undisturbed run of {step} failed: {child.words()}")
            self.changes[step] = int(child.words().split()[-1])
            sizes = [path.stat().st_size for path in self.out.rglob("*") if path.is_file()]
            self.sizes[step] = max(sizes), sum(-(-size // 4096) * 4096 for size in sizes)
            self.references[step] = found(self.out)
        return self.references[step]

    def clear(self) -> None:
        """Begin anew."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()

    def try_(self, step: str, kind: str, rng: np.random.Generator) -> Outcome:
        """Stop a step at a random point, look, run it again, and compare."""
        reference = self.reference(step)
        start = time.monotonic()
        self.clear()
        with KINDS[kind](self, step, rng) as stop:
            final = step not in ("training", "book")
            problems = [f"half: {one}" for one in damaged(self.out, reference, final)]
        if kind == TWICE and stop.status and step != "book":  # where the second one waits
            problems.append(f"one of two failed: {stop.words[-300:]}")
        if stop.status > 0 and stop.status != 128 + signal.SIGTERM and not _is_told(stop.words):
            problems.append(f"unclear error: {stop.words[-300:]}")
        child = Child(self, step, jobs=1 + (rng.random() < 0.2))
        if child.wait():
            problems.append(f"the second run failed: {child.words()[-600:]}")
        problems += differences(reference, found(self.out))
        seconds = time.monotonic() - start
        hit = stop.hit or stop.status != 0
        return Outcome(step, kind, hit, hit and stop.status == 0, tuple(problems), seconds)


def _is_told(words: str) -> bool:
    """Whether an error says what to do."""
    remedies = (
        "run again",
        "wait for it",
        "is kept",
        "are kept",
        "choose another folder",
        "worker",
        "Asked to",
    )
    return any(remedy in words for remedy in remedies)


def differences(reference: Changes, now: Changes) -> list[str]:
    """At most five files that are not those of the undisturbed run."""
    more = [f"left over: {name}" for name in sorted(now.keys() - reference.keys())]
    less = [f"missing: {name}" for name in sorted(reference.keys() - now.keys())]
    other = [
        f"other: {name}"
        for name in sorted(now.keys() & reference.keys())
        if now[name] != reference[name]
    ]
    return [*more, *less, *other][:5]


# --- faults ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stop:
    """How a step ended that met a fault: exit status, what it said, whether a worker died."""

    status: int
    words: str
    hit: bool = False


Fault = contextlib.AbstractContextManager[Stop]


def _place(lab: Lab, step: str, rng: np.random.Generator) -> int:
    return int(rng.integers(1, max(2, lab.changes[step])))


def _signalled(number: signal.Signals) -> Callable[..., Fault]:
    @contextlib.contextmanager
    def fault(lab: Lab, step: str, rng: np.random.Generator) -> Iterator[Stop]:
        child = Child(lab, step, 1, "tell", _place(lab, step, rng))
        if child.reached():
            time.sleep(float(rng.uniform(0, 0.02)))
            with contextlib.suppress(ProcessLookupError):  # the step was quicker
                os.kill(int(child.process.pid or 0), number)
        yield Stop(child.wait(), child.words())

    return fault


def _injected(act: str) -> Callable[..., Fault]:
    @contextlib.contextmanager
    def fault(lab: Lab, step: str, rng: np.random.Generator) -> Iterator[Stop]:
        child = Child(lab, step, 1, act, _place(lab, step, rng))
        yield Stop(child.wait(), child.words())

    return fault


@contextlib.contextmanager
def _full_disk(lab: Lab, step: str, rng: np.random.Generator) -> Iterator[Stop]:
    """A small file system, made larger before the second run; else a limit on file sizes."""
    largest, total = lab.sizes[step]
    if not lab.mounts:
        child = Child(lab, step, 1, "limit", int(rng.integers(1, largest)))
        yield Stop(child.wait(), child.words())
        return
    size = int(rng.uniform(0.1, 0.95) * total)
    made = f"size={size},nr_inodes=100000"
    if _call("mount", "-t", "tmpfs", "-o", made, "none", str(lab.out)):
        raise RuntimeError("Cannot mount a small file system any more.")
    copy = lab.out.with_name("copy")
    try:
        child = Child(lab, step)
        status = child.wait()
        shutil.copytree(lab.out, copy)
    finally:
        _call("umount", str(lab.out))
    shutil.rmtree(lab.out)
    copy.rename(lab.out)
    yield Stop(status, child.words())


@contextlib.contextmanager
def _read_only(lab: Lab, step: str, rng: np.random.Generator) -> Iterator[Stop]:
    """A folder with half of the work in it, that cannot be written to for a while."""
    Child(lab, step, 1, "kill", _place(lab, step, rng)).wait()
    out = str(lab.out)
    if lab.mounts:
        _call("mount", "--bind", out, out)
        _call("mount", "-o", "remount,ro,bind", out)
    elif os.geteuid():
        _call("chmod", "-R", "a-w", out)
    try:
        child = Child(lab, step, 1, "" if lab.mounts or os.geteuid() else "nobody")
        status = child.wait()
    finally:
        _call("umount", out) if lab.mounts else _call("chmod", "-R", "u+w", out)
    yield Stop(status, child.words())


@contextlib.contextmanager
def _worker_killed(lab: Lab, step: str, rng: np.random.Generator) -> Iterator[Stop]:
    """One of two workers dies, some time after they have begun."""
    import psutil

    child = Child(lab, step, jobs=2)
    parent, killed = psutil.Process(child.process.pid), False
    while child.process.is_alive() and not killed:
        with contextlib.suppress(psutil.NoSuchProcess):
            workers = [one for one in parent.children() if one.memory_info().rss > 50e6]
            if workers:
                time.sleep(float(rng.uniform(0, 0.1)))
                workers[int(rng.integers(len(workers)))].kill()
                killed = True
        time.sleep(0.005)
    yield Stop(child.wait(), child.words(), killed)


@contextlib.contextmanager
def _twice(lab: Lab, step: str, rng: np.random.Generator) -> Iterator[Stop]:
    """Another process begins the same soon after the first."""
    first = Child(lab, step)
    time.sleep(float(rng.uniform(0, 0.2)))
    second = Child(lab, step)
    ends = {child.wait(): child.words() for child in (second, first)}
    status = next((status for status in ends if status), 0)
    yield Stop(status, ends[status], hit=True)


TWICE = "twice at once"
KINDS: dict[str, Callable[[Lab, str, np.random.Generator], Fault]] = {
    "SIGTERM": _signalled(signal.SIGTERM),
    "SIGKILL": _signalled(signal.SIGKILL),
    "killed at a change": _injected("kill"),
    "no space at a change": _injected("no space"),
    "full disk": _full_disk,
    "read-only folder": _read_only,
    "worker killed": _worker_killed,
    TWICE: _twice,
}
