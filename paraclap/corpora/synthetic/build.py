"""Write the synthetic corpora: 16 kHz WAV files and an audformat database with one table a corpus.

Each utterance draws from its own generator, seeded by (seed, corpus, number): the files are the
same bytes whatever the number of processes. Every file carries the comment ``synthetic speech``.
``intended.parquet`` holds the prosody that each utterance was meant to have. Chapter 1.
"""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import audformat
import joblib
import numpy as np
import pandas as pd
import soundfile
from tqdm import tqdm

from paraclap import audio, tables
from paraclap.corpora import people
from paraclap.corpora.synthetic import effects, espeak
from paraclap.corpora.synthetic.plan import TRAINING, plan, read_data

INTENDED = "intended.parquet"  # written last
SETTINGS = "synthetic.json"
CHUNK = 48  # utterances of one start of espeak-ng


def build(
    folder: str | Path, utterances: int = 5000, held_out: int = 240, seed: int = 0, jobs: int = 0
) -> Path:
    """Build the synthetic corpora as a database, whose folder is returned.

    A stopped call goes on where it was, a finished one returns at once. Files of other settings
    are replaced. To the ``utterances`` of the training split come 10 % for dev and 15 % for test;
    ``held_out`` is the number of each held-out corpus. ``jobs`` are processes, 0 for all cores.

    Raises:
        ModuleNotFoundError: if espeak-ng is not installed
        ValueError: if there are too few utterances for the classes of a corpus
        OSError: if a file cannot be written (finished ones are kept), another process builds in
            the folder, or it holds a corpus that was not made here
    """
    folder = Path(folder)
    table = plan(utterances, held_out, seed)
    code = b"".join(Path(str(module.__file__)).read_bytes() for module in (espeak, effects))
    digest = hashlib.sha256(code + table.to_csv().encode()).hexdigest()
    settings = {"utterances": utterances, "held_out": held_out, "seed": seed, "digest": digest}
    complete = set(table["file"]) <= (_files(folder, settings) or set())
    if not complete or not (folder / INTENDED).is_file():
        name = tables.short_name(folder)
        with tables.lock(folder, f"{name!r} is being built by another process: wait for it."):
            _write_all(folder, table, settings, jobs or -1)
            _database(folder, table).save(str(folder), storage_format="parquet")
            private = ["number", "language", "accent", "formants", "text", "noise", "telephone"]
            tables.write_table(table.drop(columns=private), folder / INTENDED)
    return folder


def corpus_folder(corpus: str, folder: str | Path, *settings: Any) -> Path:
    """Folder of a corpus; ``"synthesis"`` (see :func:`build`) and ``"people"`` are made there."""
    if corpus == "people":
        return people.build(Path(folder))
    return build(folder, *settings) if corpus == "synthesis" else Path(corpus)


def intended_prosody(folder: str | Path, index: pd.MultiIndex) -> pd.DataFrame:
    """Prosody in z that the segments of ``index`` that :func:`build` made were meant to have."""
    folder = Path(folder).resolve()
    if not (folder / INTENDED).is_file():
        return pd.DataFrame(index=index[:0])
    columns = ["file", *effects.PROSODY]
    intended = pd.read_parquet(folder / INTENDED, columns=columns).set_index("file")
    names = index.get_level_values("file").str.removeprefix(f"{folder}/")
    there = names.isin(intended.index)
    return intended.loc[names[there]].set_axis(index[there])


def _files(folder: Path, settings: Mapping[str, Any]) -> set[str] | None:
    """Files that are there for the settings, None if others or none were made here."""
    if not (folder / SETTINGS).is_file() or tables.read_json(folder / SETTINGS) != settings:
        return None
    return {path.relative_to(folder).as_posix() for path in folder.glob("*/*/*.wav")}


def _write_all(folder: Path, table: pd.DataFrame, settings: Mapping[str, Any], jobs: int) -> None:
    """Write the files that are not there; remove those of other settings, if made here."""
    espeak.find_wheel()
    if (there := _files(folder, settings)) is None:
        found = [path for name in table["corpus"].unique() if (path := folder / name).exists()]
        if found and not (folder / SETTINGS).exists():
            msg = f"Found {[path.name for path in found[:5]]} in {tables.short_name(folder)!r}, "
            msg += f"but no {SETTINGS}: not made here and not replaced. Choose another folder."
            raise FileExistsError(msg)
        (folder / INTENDED).unlink(missing_ok=True)
        for path in found:
            shutil.rmtree(path)
        tables.write_json(dict(settings), folder / SETTINGS)
    missing = table[~table["file"].isin(there or ())].to_dict("records")
    work = joblib.Parallel(jobs, return_as="generator_unordered")(
        joblib.delayed(_write)(missing[first : first + CHUNK], folder, settings["seed"])
        for first in range(0, len(missing), CHUNK)
    )
    with tqdm(desc="synthetic speech", total=len(missing), unit="file", disable=None) as bar:
        for count in work:
            bar.update(count)


def _write(rows: list[dict[str, Any]], folder: Path, seed: int) -> int:
    """Write the files of some utterances, rows of the plan."""
    with espeak.Espeak() as engine:
        for row in rows:
            rng = np.random.default_rng([seed, row["number"], *row["corpus"].encode()])
            settings, pitch = effects.voice_settings(row)
            signal = effects.apply_effects(engine.speak(row["text"], settings), row, pitch, rng)
            with tables.atomic(folder / row["file"]) as temporary:
                temporary.write_bytes(audio.encode(signal, comment=audio.SYNTHETIC))
    return len(rows)


def _database(folder: Path, table: pd.DataFrame) -> audformat.Database:
    """Database with the labels of all corpora, on the segmented index."""
    found = audformat.Database("paraclap-synthetic", "espeak-ng", languages=["eng", "deu"])
    found.description = "Synthetic speech for trying out paraclap: no person speaks here."
    people = table.drop_duplicates("speaker").set_index("speaker")[["gender", "language"]]
    found.schemes["speaker"] = audformat.Scheme("str", labels=people.to_dict("index"))
    for name in ("emotion", "label"):
        found.schemes[name] = audformat.Scheme("str", labels=sorted(table[name].unique()))
    found.schemes["split"] = audformat.Scheme("str", labels=list(tables.SPLITS))
    for rating in tables.DIMENSIONS:
        found.schemes[rating] = audformat.Scheme("float", minimum=1, maximum=7)
    for split in tables.SPLITS:
        found.splits[split] = audformat.Split(type=split)
    seconds = [soundfile.info(folder / file).duration for file in table["file"]]
    index = tables.segments(table["file"], None, seconds)
    for corpus, facts in read_data("corpora", "corpus").to_dict("index").items():
        rows, training = table[table["corpus"] == corpus], corpus == TRAINING
        held_out = {} if training else {"split_id": "test"}
        own = found[corpus] = audformat.Table(index[rows.index], **held_out)
        columns = ["speaker", "label", *["emotion"] * facts["emotional"], *["split"] * training]
        for column in [*columns, *tables.DIMENSIONS * facts["rated"]]:
            own[column] = audformat.Column(scheme_id=column)
            own[column].set(rows[column].to_list())
    return found
