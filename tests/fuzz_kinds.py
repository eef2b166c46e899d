"""The kinds of bad input: what is given, and which call of the package reads it.

Good data of each kind are made once and kept as bytes; a case is one of them with faults. Nobody
speaks in any of the files: they are tones.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import struct
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import audformat
import layouts
import numpy as np
import pandas as pd
import safetensors.torch
import soundfile
import torch
import yaml
from fuzzing import Kind, Rng, altered, attempt, csv_of, mutated, nasty, odd_value

from paraclap import audio, corpora, levels, listing, params, results, tables, templates, weights
from paraclap import store as stores
from paraclap.corpora import labels as label_maps
from paraclap.model import ParaCLAP
from paraclap.scoring import candidates_of
from paraclap.signals import Signals
from paraclap.systems import checkpoints
from paraclap.towers import build

__all__ = ["KINDS", "attempt"]

ROOT = Path(__file__).resolve().parent.parent


def put(path: Path, content: bytes) -> Path:
    """File with some bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def pick(rng: Rng, things: Any) -> Any:
    """One of several things."""
    return things[int(rng.integers(len(things)))]


def files_of(folder: Path) -> dict[str, bytes]:
    """Content of all files below a folder, by their paths in it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def made(make: Callable[[Path], object]) -> dict[str, bytes]:
    """The files that something makes in a folder."""
    with tempfile.TemporaryDirectory() as name:
        make(Path(name))
        return files_of(Path(name))


# --- audio -------------------------------------------------------------------------------------

FORMS = {
    "wav": ("WAV", "PCM_16", 16_000, 1), "float.wav": ("WAV", "FLOAT", 8_000, 2),
    "24.wav": ("WAV", "PCM_24", 44_100, 1), "mu.wav": ("WAV", "ULAW", 8_000, 1),
    "wide.wav": ("WAVEX", "PCM_16", 48_000, 64), "fast.wav": ("WAV", "PCM_16", 1_000_000, 1),
    "adpcm.wav": ("WAV", "IMA_ADPCM", 8_000, 1), "w64": ("W64", "PCM_16", 16_000, 1),
    "rf64": ("RF64", "PCM_16", 16_000, 1), "flac": ("FLAC", "PCM_16", 22_050, 1),
    "ogg": ("OGG", "VORBIS", 16_000, 1), "opus": ("OGG", "OPUS", 16_000, 1),
    "mp3": ("MP3", "MPEG_LAYER_III", 16_000, 1), "sph": ("NIST", "PCM_16", 16_000, 1),
    "aiff": ("AIFF", "PCM_16", 16_000, 1), "au": ("AU", "PCM_16", 16_000, 1),
    "caf": ("CAF", "PCM_16", 16_000, 1), "voc": ("VOC", "PCM_16", 16_000, 1),
}  # fmt: skip


@cache
def sounds() -> dict[str, bytes]:
    """A short tone in many formats."""
    found = {}
    for name, (format, subtype, rate, channels) in FORMS.items():
        time = np.arange(round(0.15 * rate)) / rate
        signal = np.repeat(0.3 * np.sin(2 * np.pi * 440 * time)[:, None], channels, axis=1)
        stream = io.BytesIO()
        soundfile.write(stream, signal.astype("f4"), rate, format=format, subtype=subtype)
        found[name] = stream.getvalue()
    return found


def lying_wav(rng: Rng) -> bytes:
    """A WAV whose header says anything."""
    rates = (0, 1, 7, 16_000, 1_000_000, 2**31, 2**32 - 1)
    rate, channels = pick(rng, rates), pick(rng, (0, 1, 2, 64, 1_024, 65_535))
    bits, code = (
        pick(rng, (0, 1, 8, 16, 24, 32, 64, 65_535)),
        pick(rng, (0, 1, 3, 6, 17, 85, 65_534)),
    )
    data = rng.bytes(int(rng.integers(0, 4_000)))
    size = pick(rng, (len(data), 0, 1, 2 * len(data), 2**31 - 1, 2**32 - 1, 2**32 - 2))
    block = pick(rng, (0, 1, 2, channels * bits // 8 % 65_536, 65_535))
    head = struct.pack("<HHIIHH", code, channels, rate, rate * block % 2**32, block, bits)
    riff = pick(rng, (size + 36, 0, 2**32 - 1)) % 2**32
    chunks = b"fmt " + struct.pack("<I", len(head)) + head + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", riff) + b"WAVE" + chunks + data


def odd_samples(rng: Rng) -> bytes:
    """A WAV of NaN, infinite, huge or tiny values, of any rate, channels and length."""
    rate, channels = int(pick(rng, (1, 8_000, 16_000, 1_000_000))), int(pick(rng, (1, 2, 64)))
    signal = rng.normal(size=(int(rng.integers(0, 3_000)), channels)).astype("f4")
    odd = pick(rng, (np.nan, np.inf, -np.inf, 1e38, 1e-42, 0.0))
    signal[rng.random(signal.shape) < pick(rng, (0.001, 0.1, 1.0))] = odd
    stream = io.BytesIO()
    soundfile.write(stream, signal, rate, format="WAV", subtype="FLOAT")
    return stream.getvalue()


def no_file(rng: Rng, path: Path) -> Path:
    """Something at a path that is no file."""
    (
        lambda: path.mkdir(),
        lambda: os.mkfifo(path),
        lambda: path.symlink_to(path.name),
        lambda: path.symlink_to("elsewhere.wav"),
        lambda: path.symlink_to("/dev/zero"),
        lambda: path.symlink_to(path.parent),
        lambda: path.touch(),
        lambda: None,
    )[rng.integers(8)]()
    return path


def make_audio(rng: Rng, folder: Path) -> Any:
    """A file of sound with faults, or no file, and times that may be anything."""
    kind, name = rng.random(), pick(rng, list(sounds()))
    end = pick(rng, (name, "wav", "flac", "txt", "mp3"))
    file = folder / f"voice.{end}"
    if kind < 0.15:
        no_file(rng, file)
    else:
        other = lying_wav(rng) if kind < 0.35 else odd_samples(rng)
        put(file, mutated(sounds()[name], rng) if kind > 0.45 else other)
    times = (
        *[None] * 9,
        0,
        0.05,
        -1,
        1e12,
        float("nan"),
        float("inf"),
        pd.NaT,
        pd.Timedelta("0.1s"),
    )
    return file, pick(rng, times), pick(rng, times)


def read_audio(given: Any) -> None:
    """Read a file as a whole, its length, its comment, and a part of it."""
    file, start, end = given
    for part in ((), (start, end)):
        signal = audio.read(file, *part)
        assert signal.dtype == np.float32
        assert signal.ndim == 1
        assert np.isfinite(signal).all()
    assert audio.duration(file) > 0
    assert isinstance(audio.comment(file), str)


# --- folders of audio, lists of files, tables --------------------------------------------------

HEAD = ["file", "start", "end", "emotion", "gender", "arousal", "speaker", "split"]


def rows_of(files: int) -> list[list[str]]:
    """A label table as it should be."""
    words = ("anger", "sadness", "neutral")
    return [HEAD] + [
        [f"{n}.wav", "0", "0.1", words[n % 3], ("female", "male")[n % 2], f"{n}.5", f"s{n}", split]
        for n, split in zip(
            range(files), ("train", "train", "dev", "test", "test", "dev"), strict=True
        )
    ]


def make_folder(rng: Rng, folder: Path) -> Path:
    """A folder of six files with a CSV that has faults; a file may have some as well."""
    for number in range(6):
        put(folder / f"{number}.wav", sounds()["wav"])
    if rng.random() < 0.2:
        put(folder / "3.wav", mutated(sounds()["wav"], rng))
    if rng.random() < 0.03:
        no_file(rng, folder / "labels.csv")
        return folder
    put(folder / "labels.csv", csv_of(rows_of(6), rng))
    return folder


def lines(path: Path) -> int:
    """Rows of a CSV, as its own reader counts them."""
    return len(pd.read_csv(path, dtype="str", encoding="utf-8-sig", skipinitialspace=True))


def read_folder(folder: Path) -> None:
    """Read a folder with a CSV; each row is there, and no file lies outside."""
    table = corpora.load(folder)
    assert len(table) == lines(folder / "labels.csv")
    for file in table.index.get_level_values("file"):
        assert Path(os.path.normpath(file)).is_relative_to(folder), "a file outside of its corpus"


def make_list(rng: Rng, folder: Path) -> Path:
    """A list of files, CSV or Parquet, with faults."""
    put(folder / "0.wav", sounds()["wav"])
    rows = [row[:3] for row in rows_of(6)]
    if rng.random() < 0.7:
        return put(folder / "list.csv", csv_of(rows, rng))
    table = pd.DataFrame(rows[1:], columns=rows[0]).astype(pick(rng, ("str", "object")))
    if rng.random() < 0.5:
        cells = [odd_value(rng) if rng.random() < 0.2 else str(n) for n in range(len(table))]
        table[pick(rng, HEAD[:3])] = pd.Series(cells, dtype="object").map(str)
    stream = io.BytesIO()
    table.to_parquet(stream)
    return put(folder / "list.parquet", mutated(stream.getvalue(), rng))


def read_list(path: Path) -> None:
    """Read a list of files; each row is there. Windows in them are listed one by one."""
    index = listing.listed(path)
    if path.suffix == ".csv":
        assert len(index) == lines(path)
    assert not index.get_level_values("start").isna().any()
    for _ in zip(listing.windows(index, 1.0, 0.5), range(100), strict=False):
        pass


@cache
def tables_of_results() -> dict[str, bytes]:
    """A table of scores and one of answers."""

    def make(folder: Path) -> None:
        index = tables.segments([folder / f"{n}.wav" for n in range(5)])
        answers = pd.DataFrame({"angry": 0.5, "prediction": "angry"}, index=index)
        tables.write_table(answers, folder / "answers.parquet", "key")
        tables.write_table(answers, folder / "answers.csv", "key")
        scores = pd.DataFrame({"task": ["a", "b"], "uar": [0.5, 0.25], "n": [3, 4]})
        tables.write_table(scores, folder / "scores.parquet", "key")
        tables.write_table(scores, folder / "scores.csv", "key")

    return {name: one for name, one in made(make).items() if not name.endswith(".key")}


def make_table(rng: Rng, folder: Path) -> Path:
    """A table that a step wrote, with faults."""
    name = pick(rng, list(tables_of_results()))
    content = tables_of_results()[name]
    if name.endswith(".csv") and rng.random() < 0.6:
        return put(folder / name, csv_of([row.split(",") for row in content.decode().split()], rng))
    return put(folder / name, mutated(content, rng))


def read_any_table(path: Path) -> None:
    """Read a table, all of it and some columns."""
    table = tables.read_table(path)
    tables.show(table)
    tables.is_current(path, "key")
    tables.read_table(path, ["uar"] if "scores" in path.name else ["prediction"])


# --- words: params, templates, label maps ------------------------------------------------------


@cache
def parameters() -> dict[str, params.Parameter]:
    """What the notebooks declare."""
    return params.declared_by_all(sorted((ROOT / "book").glob("[0-9][0-9]_*.py")))


def make_params(rng: Rng, folder: Path) -> Path:
    """A params file with faults."""
    if rng.random() < 0.05:
        return put(folder / "mine.yaml", endless(rng))
    file = pick(rng, sorted((ROOT / "params").glob("**/*.yaml")))
    content = file.read_bytes()
    if rng.random() < 0.5:
        values = altered(yaml.safe_load(content), rng)
        content = yaml.safe_dump(values, allow_unicode=True).encode("utf-8", "replace")
    if rng.random() < 0.6:
        content = mutated(content, rng, text=True)
    return put(folder / "mine.yaml", content)


def endless(rng: Rng) -> bytes:
    """YAML that has no end when it is written out: lists of lists of lists, or deep ones."""
    laughs = ["a: &a [x, x, x, x, x, x, x, x]"]
    laughs += [
        f"{new}: &{new} [{', '.join(['*' + old] * 8)}]"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    texts = (
        "\n".join(laughs),
        "a: &a [*a]",
        "a: " + "[" * 5_000,
        "a: " + "1" * 5_000,
        "a: 2020-13-45",
    )
    return pick(rng, texts).encode()


def read_params(path: Path) -> None:
    """Read a params file and check it; each key is there."""
    values = params.read(path)
    checked = params.check(values, parameters(), path.name)
    assert set(checked) == set(values)
    assert set(params.effective(parameters(), checked, run="mine")) >= set(values)


def make_templates(rng: Rng, folder: Path) -> Path:
    """A table of templates with faults."""
    rows = [[one[name] for name in templates.COLUMNS] for one in templates.template_rows("paper")]
    kept = [list(templates.COLUMNS), *(rows[n] for n in rng.permutation(len(rows))[:8])]
    return put(folder / "mine.csv", csv_of([*kept, rows[-1]], rng))


def read_templates(path: Path) -> None:
    """Read a table of templates and say each sentence; each row is there."""
    said = templates.sentences(str(path))
    assert len(said) == len(templates.template_rows(str(path)))
    for one in said:
        assert isinstance(one.fill("angry", "female"), str)


def make_map(rng: Rng, folder: Path) -> str:
    """Names of columns, or candidates, as they are given on a command line."""
    share = pick(rng, (0.0, 0.3))
    names = [nasty(rng) if rng.random() < share else pick(rng, HEAD) for _ in range(4)]
    odd = rng.random() < 0.5
    signs = [pick(rng, ("==", ", ", "", "=")) if odd else "=,"[n % 2] for n in range(len(names))]
    return "".join(name + sign for name, sign in zip(names, signs, strict=True))


def read_map(text: str) -> None:
    """Read names of columns and candidates."""
    assert len(label_maps.parse_columns(text)) <= text.count(",") + 1
    assert len(candidates_of(text)) <= text.count(",") + 1
    params.override(f"audio_lr={text}", parameters())


# --- databases and known corpora ---------------------------------------------------------------


@cache
def database(form: str) -> dict[str, bytes]:
    """An audformat database of six files."""

    def make(folder: Path) -> None:
        db = audformat.Database("mine", languages=["en"])
        db.schemes["emotion"] = audformat.Scheme(labels=["anger", "sadness"])
        people = {"s1": {"gender": "female"}, "s2": {}, "s3": {"gender": "male"}, "s4": {}}
        db.schemes["speaker"] = audformat.Scheme(labels=people)
        index = audformat.filewise_index([f"audio/{n}.wav" for n in range(6)])
        for name in ("emotion.train", "emotion.test"):
            part = index[:4] if name.endswith("train") else index[4:]
            db[name] = audformat.Table(part)
            db[name]["emotion"] = audformat.Column(scheme_id="emotion")
            db[name]["emotion"].set(["anger", "sadness"] * (len(part) // 2))
            db[name]["speaker"] = audformat.Column(scheme_id="speaker")
            who = ["s1", "s2"] if name.endswith("train") else ["s3", "s4"]
            db[name]["speaker"].set(who * (len(part) // 2))
        db.save(str(folder), storage_format=form, indent=2)
        for number in range(6):
            put(folder / "audio" / f"{number}.wav", sounds()["wav"])

    return made(make)


def make_database(rng: Rng, folder: Path) -> Path:
    """An audformat database with faults in its header or in a table."""
    found = dict(database(pick(rng, ("csv", "parquet"))))
    name = pick(rng, [name for name in found if not name.endswith(".wav")])
    if name == "db.yaml" and rng.random() < 0.6:
        values = altered(yaml.safe_load(found[name]), rng, 0.08)
        found[name] = yaml.safe_dump(values, allow_unicode=True).encode("utf-8", "replace")
    else:
        text = not name.endswith(".parquet")
        rows = [row.split(",") for row in found[name].decode().split()] if text else []
        is_csv = name.endswith(".csv") and rng.random() < 0.7
        found[name] = csv_of(rows, rng) if is_csv else mutated(found[name], rng, text)
    for name, content in found.items():
        put(folder / name, content)
    return folder


def read_database(folder: Path) -> None:
    """Read a database; no file of it lies outside."""
    table = corpora.load(folder)
    assert len(table)
    for file in table.index.get_level_values("file"):
        assert Path(os.path.normpath(file)).is_relative_to(folder), "a file outside of its corpus"


TEXTS = (".csv", ".txt")


@cache
def known(name: str) -> dict[str, bytes]:
    """A known corpus in small."""
    return made(lambda folder: layouts.MAKERS[name](folder))


def make_known(rng: Rng, folder: Path) -> tuple[Path, str]:
    """A known corpus with faults in a label file or a name."""
    name = pick(rng, ("iemocap", "crema-d", "fau-aibo", "alc", "sld", "msp-podcast"))
    found = dict(known(name))
    chosen = pick(rng, [path for path in found if path.endswith(TEXTS)])
    found[chosen] = mutated(found[chosen], rng, text=True)
    if rng.random() < 0.2:
        no_file(rng, folder / chosen) if "/" not in chosen else None
        found.pop(chosen) if (folder / chosen).is_symlink() or (folder / chosen).exists() else None
    for path, content in found.items():
        put(folder / path, content)
    return folder, name


def read_known(given: tuple[Path, str]) -> None:
    """Read a known corpus; what is left out is said in a note."""
    folder, name = given
    table = corpora.known.CORPORA[name].read(folder)
    assert len(table)
    assert not table.index.duplicated().any() or table.attrs["notes"]


# --- checkpoints and models --------------------------------------------------------------------


class Hostile:
    """What a pickle may hold that runs a command when it is opened."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        """Keep what is to be called."""
        self.call = call, arguments

    def __reduce__(self) -> Any:
        """What a pickle says that it is made by."""
        return self.call


def hostile(rng: Rng, folder: Path) -> object:
    """An object whose unpickling leaves a mark."""
    mark = str(folder / "pwned")
    return pick(
        rng,
        (
            Hostile(os.system, f"touch {mark}"),
            Hostile(os.mkdir, mark),
            Hostile(eval, f"open({mark!r}, 'w')"),
            Hostile(exec, f"open({mark!r}, 'w')"),
            Hostile(shutil.copy, "/etc/hostname", mark),
        ),
    )


def make_checkpoint(rng: Rng, folder: Path) -> Path:
    """A checkpoint: hostile, cut, of other things, of other forms."""
    state: Any = {"a.weight": torch.ones(3, 4), "b.bias": torch.zeros(2)}
    kind = rng.random()
    if kind < 0.3:
        state = pick(rng, (hostile(rng, folder), {"a": hostile(rng, folder)}))
    elif kind < 0.5:
        odd = torch.full((2, 2), float(pick(rng, (np.nan, np.inf, 1.0))))
        state = pick(
            rng, ([state], {}, None, {"state_dict": state}, {"a": 1}, {1: odd}, odd, {"a": odd})
        )
    path = folder / "best.pth.tar"
    if kind > 0.9:
        put(path, safetensors.torch.save({"a": torch.ones(2)}))
    elif rng.random() < 0.2:
        put(path, pickle.dumps(state, protocol=int(rng.integers(0, 6))))
    else:
        torch.save(state, path, _use_new_zipfile_serialization=bool(rng.random() < 0.6))
    if rng.random() < 0.6:
        put(path, mutated(path.read_bytes(), rng))
    return path


def read_checkpoint(path: Path) -> None:
    """Read it as the authors' checkpoint and as that of another system."""
    for read in (weights.read, checkpoints.read):
        found = read(path)
        assert found
        assert all(isinstance(one, torch.Tensor) for one in found.values())


@cache
def model() -> dict[str, bytes]:
    """Folder of a tiny model."""
    return made(lambda folder: build("smoke", "smoke", 16, 0.2, "mean", 1).save_pretrained(folder))


MODEL_FILES = (
    "config.json",
    "model.safetensors",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)


def make_model(rng: Rng, folder: Path) -> Path:
    """Folder of a model with faults in one file, or without it."""
    found = dict(model())
    name, whole = pick(rng, MODEL_FILES), rng.random() < 0.15
    if whole:
        pass
    elif name.endswith("config.json") and rng.random() < 0.7:
        values = altered(json.loads(found[name]), rng, 0.02)
        if rng.random() < 0.2 and isinstance(values, dict):
            values["auto_map"] = {"AutoConfig": "mine.Mine", "AutoModel": "mine.Mine"}
            put(folder / "mine.py", f"open({str(folder / 'pwned')!r}, 'w')\n".encode())
        found[name] = json.dumps(values).encode("utf-8", "replace")
    else:
        found[name] = mutated(found[name], rng)
    if rng.random() < 0.05 and name == "config.json" and not whole:
        found.pop(name)
    for path, content in found.items():
        put(folder / path, content)
    return folder


def read_model(folder: Path) -> None:
    """Load a model and embed a voice and a query with it."""
    loaded = ParaCLAP.from_pretrained(folder)
    assert all(weight.isfinite().all() for weight in loaded.parameters())


# --- what the steps leave ----------------------------------------------------------------------


@cache
def edges() -> dict[str, bytes]:
    """Fitted edges."""
    values = pd.DataFrame({"duration": np.arange(9.0), "arousal": np.arange(9.0)})
    return made(lambda folder: levels.save(levels.fit(values), folder / "edges.json"))


def make_edges(rng: Rng, folder: Path) -> Path:
    """A file of edges with faults."""
    content = edges()["edges.json"]
    if rng.random() < 0.6:
        content = json.dumps(altered(json.loads(content), rng)).encode("utf-8", "replace")
    else:
        content = mutated(content, rng)
    return put(folder / "edges.json", content)


def read_edges(path: Path) -> None:
    """Read edges and give levels by them."""
    found = levels.load(path)
    assert all(low < high for low, high in found.values())
    columns = set(found.columns.values())
    given = levels.assign(pd.DataFrame({name: [0.0, np.nan, 5.0] for name in columns}), found)
    assert list(given) == list(found)


@cache
def result() -> Any:
    """A result that is valid."""
    score = {
        "file": "scores.csv", "system": "zero-shot", "task": "a", "kind": "task", "split": "test",
        "speech": "recorded", "template": "{}", "candidates": {"anger": "angry", "sadness": "sad"},
        "chance": 0.5, "n": 10, "speakers": 3, "unit": "utterances", "metric": "uar",
        "value": 0.5, "low": 0.4, "high": 0.6,
    }  # fmt: skip
    found = {
        "schema": 1, "run": "mine", "date": "2026-01-01T00:00:00+00:00", "commit": "abc",
        "packages": {"numpy": "2"}, "device": "cpu", "seed": 0, "speech": "recorded",
        "model_hash": "0" * 16, "settings": {}, "settings_hash": "0" * 16, "templates": "paper",
        "templates_hash": "0" * 16, "template": "{}", "candidates": "own", "scores": [score] * 2,
        "exposure": [], "words": [], "files": {}, "missing": [],
    }  # fmt: skip
    return results.check(found, "mine")


def make_results(rng: Rng, folder: Path) -> Path:
    """A results file with faults."""
    values = altered(result(), rng, 0.01)
    content = json.dumps(values).encode("utf-8", "replace")
    if rng.random() < 0.3:
        content = mutated(json.dumps(result()).encode(), rng)
    path = put(folder / "mine" / "results.json", content)
    tables.stamp(path, tables.fingerprint(values))
    return path


def read_results(path: Path) -> None:
    """Read results and set them side by side; all scores are there."""
    found = results.read(path)
    assert len(results.flat(found)) == len(found["scores"])
    for kind in results.KINDS:
        results.side_by_side([found], kind)


@cache
def store() -> dict[str, bytes]:
    """An audio store of three tones, and their files."""

    def make(folder: Path) -> None:
        files = [put(folder / f"{n}.wav", sounds()["wav"]) for n in range(3)]
        stores.build(tables.segments(files), folder / "signals", jobs=1)

    return made(make)


def make_store(rng: Rng, folder: Path) -> Path:
    """An audio store with faults in one of its files."""
    found = dict(store())
    name = pick(rng, [name for name in found if not name.endswith((".wav", ".csv", ".key"))])
    found[name] = mutated(found[name], rng)
    for path, content in found.items():
        put(folder / path, content)
    return folder


def read_store(folder: Path) -> None:
    """Serve signals from a store, or from the files where it does not hold them."""
    index = tables.segments([folder / f"{n}.wav" for n in range(3)])
    served = Signals(index, folder / "signals")
    for row in range(len(index)):
        assert len(served.read(row)) == round(0.15 * 16_000)


KINDS = {
    name: Kind(name, make, read)
    for name, make, read in (
        ("audio", make_audio, read_audio),
        ("folder", make_folder, read_folder),
        ("list", make_list, read_list),
        ("table", make_table, read_any_table),
        ("params", make_params, read_params),
        ("templates", make_templates, read_templates),
        ("map", make_map, read_map),
        ("database", make_database, read_database),
        ("known", make_known, read_known),
        ("checkpoint", make_checkpoint, read_checkpoint),
        ("model", make_model, read_model),
        ("edges", make_edges, read_edges),
        ("results", make_results, read_results),
        ("store", make_store, read_store),
    )
}
